"""Commits and branches as the API shows them, and comparisons of two."""

from __future__ import annotations

from support.github.accounts import maybe_user
from support.github.git import Commit, Person
from support.github.repositories import repository_page, repository_url
from support.github.routing import REPOSITORY, Answer, Links, Request, not_found, route, stamp
from support.github.state import Json, Repository
from support.github.world import WEB_FLOW


def commit_shown(request: Request, sha: str) -> Json:
    repository, links = request.repository, request.links
    commit = repository.git.commit(sha)
    url = f"{repository_url(repository, links)}/commits/{sha}"
    return {
        "sha": sha,
        "node_id": f"C_{sha}",
        "url": url,
        "html_url": f"{repository_page(repository, links)}/commit/{sha}",
        "comments_url": f"{url}/comments",
        "commit": {
            "author": person_shown(commit.author),
            "committer": person_shown(commit.committer),
            "message": commit.message,
            "tree": {"sha": commit.tree, "url": f"{repository_url(repository, links)}/git/trees/{commit.tree}"},
            "url": f"{repository_url(repository, links)}/git/commits/{sha}",
            "comment_count": 0,
            "verification": verification(repository, commit),
        },
        "author": _account(request, commit.author),
        "committer": _account(request, commit.committer),
        "parents": parents_shown(repository, commit, links),
    }


def _account(request: Request, person: Person) -> Json | None:
    email = f"{request.world.account('web-flow').email}" if person.email == WEB_FLOW[1] else person.email
    return maybe_user(request.world.by_email(email), request.links)


def person_shown(person: Person) -> Json:
    return {"name": person.name, "email": person.email, "date": stamp(person.at)}


def parents_shown(repository: Repository, commit: Commit, links: Links) -> list[Json]:
    url, page = repository_url(repository, links), repository_page(repository, links)
    return [
        {"sha": parent, "url": f"{url}/commits/{parent}", "html_url": f"{page}/commit/{parent}"}
        for parent in commit.parents
    ]


def verification(repository: Repository, commit: Commit) -> Json:
    """GitHub signs what it makes itself for an App, or when it merges."""
    if commit.sha not in repository.verified:
        nothing = dict.fromkeys(("signature", "payload", "verified_at"))
        return {"verified": False, "reason": "unsigned", **nothing}
    return {
        "verified": True,
        "reason": "valid",
        "signature": "-----BEGIN PGP SIGNATURE-----\n\nfake\n-----END PGP SIGNATURE-----\n",
        "payload": f"tree {commit.tree}\n",
        "verified_at": stamp(commit.committer.at),
    }


@route("GET", f"{REPOSITORY}/commits/{{ref}}", "contents")
def get(request: Request) -> Answer:
    sha = request.repository.git.resolve(request.arguments["ref"])
    if sha is None:
        raise not_found()
    return Answer(body=commit_shown(request, sha))


@route("GET", f"{REPOSITORY}/branches", "contents")
def branches(request: Request) -> Answer:
    def one(item: tuple[str, str]) -> Json:
        name, sha = item
        url = f"{repository_url(request.repository, request.links)}/commits/{sha}"
        return {"name": name, "commit": {"sha": sha, "url": url}, "protected": name in request.repository.protections}

    return request.listed(list(request.repository.git.branches().items()), one)


@route("GET", f"{REPOSITORY}/branches/{{branch}}", "contents")
def branch(request: Request) -> Answer:
    name, repository = request.arguments["branch"], request.repository
    sha = repository.git.branch(name)
    if sha is None:
        raise not_found()
    url = f"{repository_url(repository, request.links)}/branches/{name}"
    kept = repository.protections.get(name)
    checks = (kept or {}).get("required_status_checks") or {}
    named = [{"context": c["context"], "app_id": c.get("app_id")} for c in checks.get("checks", [])]
    contexts = [*checks.get("contexts", []), *(each["context"] for each in named)]
    level = "off" if not contexts else "everyone" if (kept or {}).get("enforce_admins") else "non_admins"
    required = {"enforcement_level": level, "contexts": contexts, "checks": named}
    return Answer(
        body={
            "name": name,
            "commit": commit_shown(request, sha),
            "_links": {"self": url, "html": f"{repository_page(repository, request.links)}/tree/{name}"},
            "protected": kept is not None,
            "protection": {"enabled": kept is not None, "required_status_checks": required},
            "protection_url": f"{url}/protection",
        }
    )


@route("GET", f"{REPOSITORY}/compare/{{basehead}}", "contents")
def compare(request: Request) -> Answer:
    from support.github.pulls import change_shown

    git = request.repository.git
    left, dots, right = request.arguments["basehead"].partition("...")
    base, head = git.resolve(left), git.resolve(right)
    common = git.merge_base(base, head) if dots and base and head else None
    if base is None or head is None or common is None:
        raise not_found()
    ahead, behind = git.between(base, head), git.between(head, base)
    page = f"{repository_page(request.repository, request.links)}/compare/{left}...{right}"
    words = {(False, False): "identical", (True, False): "ahead", (False, True): "behind"}
    shown, headers = request.page(ahead[-250:])
    return Answer(
        headers=headers,
        body={
            "url": f"{repository_url(request.repository, request.links)}/compare/{left}...{right}",
            "html_url": page,
            "permalink_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "base_commit": commit_shown(request, base),
            "merge_base_commit": commit_shown(request, common),
            "status": words.get((bool(ahead), bool(behind)), "diverged"),
            "ahead_by": len(ahead),
            "behind_by": len(behind),
            "total_commits": len(ahead),
            "commits": [commit_shown(request, sha) for sha in shown],
            "files": [change_shown(request, change, head) for change in git.changes(base, head)[:300]],
        },
    )
