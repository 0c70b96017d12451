"""A repository as the API shows it, and its settings."""

from __future__ import annotations

from support.github.accounts import simple_user
from support.github.routing import REPOSITORY, Answer, Links, Request, route, stamp
from support.github.state import Json, Repository

_PLAIN = (
    "contributors", "deployments", "downloads", "events", "forks", "hooks", "languages", "merges", "stargazers",
    "subscribers", "subscription", "tags", "teams",
)  # fmt: skip
_TEMPLATES = {
    "archive": "{archive_format}{/ref}",
    "assignees": "assignees{/user}",
    "blobs": "git/blobs{/sha}",
    "branches": "branches{/branch}",
    "collaborators": "collaborators{/collaborator}",
    "comments": "comments{/number}",
    "commits": "commits{/sha}",
    "compare": "compare/{base}...{head}",
    "contents": "contents/{+path}",
    "git_commits": "git/commits{/sha}",
    "git_refs": "git/refs{/sha}",
    "git_tags": "git/tags{/sha}",
    "issue_comment": "issues/comments{/number}",
    "issue_events": "issues/events{/number}",
    "issues": "issues{/number}",
    "keys": "keys{/key_id}",
    "labels": "labels{/name}",
    "milestones": "milestones{/number}",
    "notifications": "notifications{?since,all,participating}",
    "pulls": "pulls{/number}",
    "releases": "releases{/id}",
    "statuses": "statuses/{sha}",
    "trees": "git/trees{/sha}",
}
_CLICKED = (
    "allow_auto_merge", "allow_merge_commit", "allow_rebase_merge", "allow_squash_merge", "allow_update_branch",
    "delete_branch_on_merge",
)  # fmt: skip


def repository_url(repository: Repository, links: Links) -> str:
    return f"{links.api}/repos/{repository.full_name}"


def repository_page(repository: Repository, links: Links) -> str:
    return f"{links.html}/{repository.full_name}"


def minimal(repository: Repository, links: Links) -> Json:
    url = repository_url(repository, links)
    return {
        "id": repository.id,
        "node_id": repository.node_id,
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.settings.private,
        "owner": simple_user(repository.owner, links),
        "html_url": repository_page(repository, links),
        "description": None,
        "fork": False,
        "url": url,
        **{f"{name}_url": f"{url}/{name}" for name in _PLAIN},
        **{f"{name}_url": f"{url}/{template}" for name, template in _TEMPLATES.items()},
    }


def shown(repository: Repository, links: Links) -> Json:
    """The form that stands in pull requests."""
    page = repository_page(repository, links)
    opened = sum(issue.state == "open" for issue in repository.issues.values())
    zero = ("forks", "forks_count", "size", "stargazers_count", "watchers", "watchers_count")
    off = ("has_projects", "has_wiki", "has_pages", "has_downloads", "has_discussions", "archived", "disabled")
    return {
        **minimal(repository, links),
        **dict.fromkeys(zero, 0),
        **dict.fromkeys(off, False),
        **dict.fromkeys(("homepage", "language", "mirror_url", "license")),
        "has_issues": True,
        "default_branch": repository.default_branch,
        "clone_url": f"{page}.git",
        "git_url": f"{page}.git".replace("http:", "git:"),
        "ssh_url": f"git@127.0.0.1:{repository.full_name}.git",
        "svn_url": page,
        "open_issues": opened,
        "open_issues_count": opened,
        "visibility": "private" if repository.settings.private else "public",
        "created_at": stamp(repository.created_at),
        "updated_at": stamp(repository.created_at),
        "pushed_at": stamp(repository.pushed_at or repository.created_at),
    }


def full(request: Request) -> Json:
    """What `GET /repos/…` adds: the settings, for those who may write, and what the caller may do."""
    repository = request.repository
    body = {**shown(repository, request.links), "network_count": 0, "subscribers_count": 0}
    if request.credential.app is None and request.credential.account is not None:
        body["permissions"] = _permissions(request)
        if not body["permissions"]["push"]:
            return body
    return {**body, **{name: getattr(repository.settings, name) for name in _CLICKED}}


def _permissions(request: Request) -> Json:
    role = request.world.role(request.actor, request.repository)
    rank = ["read", "triage", "write", "maintain", "admin"]
    held = rank[: rank.index(role) + 1] if role in rank else []
    names = {"pull": "read", "triage": "triage", "push": "write", "maintain": "maintain", "admin": "admin"}
    return {name: needed in held for name, needed in names.items()}


@route("GET", REPOSITORY, "metadata")
def get(request: Request) -> Answer:
    return Answer(body=full(request))


@route("PATCH", REPOSITORY, "administration", "write")
def change(request: Request) -> Answer:
    for name in _CLICKED:
        if name in request.body:
            setattr(request.repository.settings, name, request.body[name])
    return Answer(body=full(request))


@route("GET", f"{REPOSITORY}/actions/permissions/workflow", "administration")
def workflow_permissions(request: Request) -> Answer:
    settings = request.repository.settings
    return Answer(
        body={
            "default_workflow_permissions": settings.default_workflow_permissions,
            "can_approve_pull_request_reviews": settings.can_approve_pull_request_reviews,
        }
    )


@route("PUT", f"{REPOSITORY}/actions/permissions/workflow", "administration", "write")
def change_workflow_permissions(request: Request) -> Answer:
    settings = request.repository.settings
    for name in ("default_workflow_permissions", "can_approve_pull_request_reviews"):
        if name in request.body:
            setattr(settings, name, request.body[name])
    return Answer(status=204)


@route("POST", f"{REPOSITORY}/dispatches", "contents", "write")
def dispatch(request: Request) -> Answer:
    request.world.tell(
        "repository_dispatch",
        request.repository,
        request.actor,
        action=request.body["event_type"],
        client_payload=request.body.get("client_payload"),
        branch=request.repository.default_branch,
    )
    return Answer(status=204)
