"""Pull requests: making, listing, reading and changing them. Merging is in merging.py, what pushes do to them in
moves.py, reviews in reviews.py.
"""

from __future__ import annotations

from support.github.accounts import association, maybe_user, simple_user
from support.github.commits import commit_shown
from support.github.git import Change, Person
from support.github.labels import label_shown
from support.github.moves import noticed, retarget, settle
from support.github.protection import blockers, latest_runs
from support.github.repositories import repository_page, repository_url
from support.github.repositories import shown as repository_shown
from support.github.routing import REPOSITORY, Answer, Links, Refused, Request, invalid, not_found, route, stamp
from support.github.state import Json, Pull, Repository
from support.github.world import WEB_FLOW, World

_TITLE = 256
_BODY = 65536


def shown(pull: Pull, repository: Repository, links: Links) -> Json:
    """The form in lists: it says nothing of mergeability."""
    url = f"{repository_url(repository, links)}/pulls/{pull.number}"
    issue = f"{repository_url(repository, links)}/issues/{pull.number}"
    page = f"{repository_page(repository, links)}/pull/{pull.number}"
    statuses = f"{repository_url(repository, links)}/statuses/{pull.head_sha}"
    owner = repository.owner.login
    place = {"user": simple_user(repository.owner, links), "repo": repository_shown(repository, links)}
    addresses = {
        "self": url,
        "html": page,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": f"{repository_url(repository, links)}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": statuses,
    }
    return {
        "url": url,
        "id": pull.id,
        "node_id": pull.node_id,
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        **{f"{name}_url": at for name, at in addresses.items() if name not in {"self", "html"}},
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "title": pull.title,
        "user": simple_user(pull.user, links),
        "body": pull.body,
        "created_at": stamp(pull.created_at),
        "updated_at": stamp(pull.updated_at),
        "closed_at": stamp(pull.closed_at),
        "merged_at": stamp(pull.merged_at),
        "merge_commit_sha": pull.merge_commit,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [simple_user(account, links) for account in pull.requested],
        "requested_teams": [],
        "labels": [label_shown(repository, repository.labels[name.lower()], links) for name in pull.labels],
        "milestone": None,
        "draft": pull.draft,
        "head": {**place, "label": f"{owner}:{pull.head_ref}", "ref": pull.head_ref, "sha": pull.head_sha},
        "base": {**place, "label": f"{owner}:{pull.base_ref}", "ref": pull.base_ref, "sha": pull.base_sha},
        "_links": {name: {"href": at} for name, at in addresses.items()},
        "author_association": association(pull.user, repository),
        "auto_merge": _auto_merge(pull, links),
        "active_lock_reason": None,
    }


def _auto_merge(pull: Pull, links: Links) -> Json | None:
    armed = pull.auto_merge
    if armed is None:
        return None
    return {
        "enabled_by": simple_user(armed.by, links),
        "merge_method": armed.method,
        "commit_title": armed.title,
        "commit_message": armed.message,
    }


def full(world: World, pull: Pull, repository: Repository, links: Links) -> Json:
    """The form of one pull request read alone."""
    commits = repository.git.between(pull.base_sha, pull.head_sha)
    changes = repository.git.changes(pull.base_sha, pull.head_sha)
    return {
        **shown(pull, repository, links),
        "merged": pull.merged,
        "mergeable": None if pull.merged else pull.mergeable,
        "rebaseable": None if pull.merged else pull.mergeable,
        "mergeable_state": state_word(world, pull, repository),
        "merged_by": maybe_user(pull.merged_by, links),
        "comments": len(pull.comments),
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": len(commits),
        "additions": sum(change.added for change in changes),
        "deletions": sum(change.removed for change in changes),
        "changed_files": len(changes),
    }


def state_word(world: World, pull: Pull, repository: Repository) -> str:
    """`mergeable_state`: a cached word on what the rules say to everybody, not to the caller."""
    if pull.merged or pull.mergeable is None:
        return "unknown"
    if not pull.mergeable:
        return "dirty"
    if pull.draft:
        return "draft"
    missing = blockers(world, repository, pull, None)
    if missing:
        return "behind" if all("up to date" in sentence for sentence in missing) else "blocked"
    runs = latest_runs(repository, pull.head_sha)
    return "clean" if all(run.conclusion in {"success", "neutral", "skipped"} for run in runs) else "unstable"


def judge_later(world: World, pull: Pull, repository: Repository) -> None:
    """What GitHub does behind a read: the answer has null, the next one knows."""
    base = repository.git.branch(pull.base_ref)
    if pull.state == "closed" or base is None or pull.judged == (pull.head_sha, base):
        return
    if pull.unknown_reads > 0:
        pull.unknown_reads -= 1
        return
    tree = repository.git.merged_tree(base, pull.head_sha)
    pull.judged = (pull.head_sha, base)
    pull.mergeable = tree is not None
    pull.merge_commit = None
    if tree is not None:
        who = Person(name=WEB_FLOW[0], email=WEB_FLOW[1], at=world.now())
        message = f"Merge {pull.head_sha} into {base}\n"
        pull.merge_commit = repository.git.write_commit(tree, [base, pull.head_sha], message, who)
        repository.git.move(f"refs/pull/{pull.number}/merge", pull.merge_commit)


def forget_stale(pull: Pull, repository: Repository) -> None:
    """A moved head or base makes mergeability unknown again."""
    if pull.state == "open" and pull.judged != (pull.head_sha, repository.git.branch(pull.base_ref)):
        pull.mergeable = None
        pull.merge_commit = None


@route("POST", f"{REPOSITORY}/pulls", "pull_requests", "write", role="read")
def create(request: Request) -> Answer:
    repository = request.repository
    if is_held_workflow(request):
        raise Refused(403, "GitHub Actions is not permitted to create or approve pull requests.")
    pull = _new_pull(request)
    repository.issues[pull.number] = pull
    repository.git.move(f"refs/pull/{pull.number}/head", pull.head_sha)
    request.world.tell("pull_request", repository, request.actor, action="opened", pull_request=pull)
    return Answer(status=201, body=full(request.world, pull, repository, request.links))


def is_held_workflow(request: Request) -> bool:
    """Whether a workflow's own token asks, in a repository whose setting does not let it."""
    app = request.credential.app
    allowed = request.repository.settings.can_approve_pull_request_reviews
    return app is not None and app.slug == "github-actions" and not allowed


def _new_pull(request: Request) -> Pull:
    repository = request.repository
    body = request.body
    if not body.get("title"):
        raise invalid("PullRequest", "title", "missing_field")
    _check_lengths(body)
    owner, _, ref = body["head"].rpartition(":")
    head = repository.git.branch(ref) if owner.lower() in {"", repository.owner.login.lower()} else None
    base = repository.git.branch(body["base"])
    if head is None:
        raise invalid("PullRequest", "head")
    if base is None:
        raise invalid("PullRequest", "base")
    _refuse_second(repository, ref, body["base"])
    if not repository.git.between(base, head):
        raise invalid("PullRequest", "", "custom", f"No commits between {body['base']} and {ref}")
    return Pull(
        id=request.world.next_id(),
        number=repository.next_number(),
        user=request.actor,
        title=body["title"],
        body=body.get("body"),
        created_at=request.now,
        updated_at=request.now,
        head_ref=ref,
        head_sha=head,
        base_ref=body["base"],
        base_sha=base,
        draft=bool(body.get("draft")),
    )


def _check_lengths(body: Json) -> None:
    if len(body.get("title") or "") > _TITLE:
        raise invalid("PullRequest", "title", "custom", f"title is too long (maximum is {_TITLE} characters)")
    if len(body.get("body") or "") > _BODY:
        raise invalid("PullRequest", "body", "custom", f"body is too long (maximum is {_BODY} characters)")


def _refuse_second(repository: Repository, head: str, base: str) -> None:
    taken = any(p.state == "open" and (p.head_ref, p.base_ref) == (head, base) for p in repository.pulls)
    if taken:
        label = f"{repository.owner.login}:{head}"
        raise invalid("PullRequest", "", "custom", f"A pull request already exists for {label}.")


@route("GET", f"{REPOSITORY}/pulls", "pull_requests")
def listing(request: Request) -> Answer:
    state = request.query.get("state", "open")
    found = [pull for pull in request.repository.pulls if state in {"all", pull.state}]
    if "base" in request.query:
        found = [pull for pull in found if pull.base_ref == request.query["base"]]
    owner, colon, ref = request.query.get("head", "").partition(":")
    if colon:  # a bare branch name is ignored, silently, as on GitHub
        ours = owner.lower() == request.repository.owner.login.lower()
        found = [pull for pull in found if ours and pull.head_ref == ref]
    by_update = request.query.get("sort") == "updated"
    found.sort(key=lambda pull: (pull.updated_at if by_update else pull.created_at, pull.number))
    default = "desc" if request.query.get("sort", "created") == "created" else "asc"
    if request.query.get("direction", default) == "desc":
        found.reverse()
    return request.listed(found, lambda pull: shown(pull, request.repository, request.links))


@route("GET", f"{REPOSITORY}/pulls/{{pull_number}}", "pull_requests")
def get(request: Request) -> Answer:
    pull = request.pull
    forget_stale(pull, request.repository)
    body = full(request.world, pull, request.repository, request.links)
    judge_later(request.world, pull, request.repository)
    return Answer(body=body)


@route("PATCH", f"{REPOSITORY}/pulls/{{pull_number}}", "pull_requests", "write")
def change(request: Request) -> Answer:
    pull = request.pull
    _check_lengths(request.body)
    wanted = request.body.get("state")
    if wanted == "open" and pull.state == "closed":
        _reopen(request, pull)
    if wanted == "closed" and pull.state == "open":
        close(request, pull)
    if request.body.get("title"):
        pull.title = request.body["title"]
    if "body" in request.body:
        pull.body = request.body["body"]
    _give_base(request, pull)
    pull.updated_at = request.now
    if "title" in request.body or "body" in request.body:
        request.world.tell("pull_request", request.repository, request.actor, action="edited", pull_request=pull)
    return Answer(body=full(request.world, pull, request.repository, request.links))


def _give_base(request: Request, pull: Pull) -> None:
    """Another base, where one is asked for. GitHub refuses what it would not let be opened either."""
    repository, base = request.repository, request.body.get("base", pull.base_ref)
    if base == pull.base_ref:
        return
    tip = repository.git.branch(base)
    if tip is None:
        raise invalid("PullRequest", "base")
    if pull.state == "closed":
        raise invalid("PullRequest", "base", "custom", "Cannot change the base branch of a closed pull request.")
    _refuse_second(repository, pull.head_ref, base)
    if not repository.git.between(tip, pull.head_sha):
        raise invalid("PullRequest", "", "custom", f"No commits between {base} and {pull.head_ref}")
    retarget(request.world, repository, pull, base, request.actor)


def close(request: Request, pull: Pull) -> None:
    pull.state = "closed"
    pull.closed_at = pull.updated_at = request.now
    pull.closed_by = request.actor
    pull.auto_merge = None
    request.world.tell("pull_request", request.repository, request.actor, action="closed", pull_request=pull)


def _reopen(request: Request, pull: Pull) -> None:
    repository = request.repository
    tip = repository.git.branch(pull.head_ref)
    label = f"the {pull.head_ref} branch"
    if pull.merged:
        raise _cannot_change("This pull request is already merged")
    if tip is None:
        raise _cannot_change(f"{label} has been deleted.")
    if not repository.git.is_ancestor(pull.head_sha, tip):
        raise _cannot_change(f"{label} was force-pushed or recreated.")
    _refuse_second(repository, pull.head_ref, pull.base_ref)
    pull.state = "open"
    pull.closed_at = pull.closed_by = None
    pull.head_sha = tip
    request.world.tell("pull_request", repository, request.actor, action="reopened", pull_request=pull)


def _cannot_change(why: str) -> Refused:
    return invalid("PullRequest", "state", "invalid", f"state cannot be changed. {why[:1].upper()}{why[1:]}")


@route("GET", f"{REPOSITORY}/pulls/{{pull_number}}/files", "pull_requests")
def files(request: Request) -> Answer:
    pull = request.pull
    changes = request.repository.git.changes(pull.base_sha, pull.head_sha)[:3000]
    return request.listed(changes, lambda change: change_shown(request, change, pull.head_sha))


def change_shown(request: Request, change: Change, head: str) -> Json:
    page = repository_page(request.repository, request.links)
    url = repository_url(request.repository, request.links)
    body: Json = {
        "sha": change.sha if change.status != "removed" else None,
        "filename": change.path,
        "status": change.status,
        "additions": change.added,
        "deletions": change.removed,
        "changes": change.added + change.removed,
        "blob_url": f"{page}/blob/{head}/{change.path}",
        "raw_url": f"{page}/raw/{head}/{change.path}",
        "contents_url": f"{url}/contents/{change.path}?ref={head}",
    }
    if change.patch:
        body["patch"] = change.patch
    return {**body, "previous_filename": change.before} if change.before else body


@route("GET", f"{REPOSITORY}/pulls/{{pull_number}}/commits", "pull_requests")
def commits(request: Request) -> Answer:
    pull = request.pull
    found = request.repository.git.between(pull.base_sha, pull.head_sha)[:250]
    return request.listed(found, lambda sha: commit_shown(request, sha))


@route("GET", f"{REPOSITORY}/commits/{{commit_sha}}/pulls", "pull_requests|contents")
def of_commit(request: Request) -> Answer:
    """Pull requests that a commit is part of: on their branch, or the commit that merged them."""
    repository = request.repository
    sha = repository.git.resolve(request.arguments["commit_sha"])
    if sha is None:
        raise not_found()
    found = [
        pull
        for pull in repository.pulls
        if pull.merge_commit == sha or sha in repository.git.between(pull.base_sha, pull.head_sha)
    ]
    return request.listed(found, lambda pull: shown(pull, repository, request.links))


@route("PUT", f"{REPOSITORY}/pulls/{{pull_number}}/update-branch", "pull_requests", "write")
def update_branch(request: Request) -> Answer:
    """Merge the base into the head branch."""
    pull, repository = request.pull, request.repository
    if request.body.get("expected_head_sha", pull.head_sha) != pull.head_sha:
        raise Refused(422, "expected head sha didn't match current head ref.")
    base = repository.git.branch(pull.base_ref) or ""
    if repository.git.is_ancestor(base, pull.head_sha):
        raise Refused(422, "There are no new commits on the base branch.")
    tree = repository.git.merged_tree(pull.head_sha, base)
    if tree is None:
        raise Refused(422, "merge conflict between base and head")
    who = Person(name=request.actor.login, email=request.actor.email, at=request.now)
    flow = Person(name=WEB_FLOW[0], email=WEB_FLOW[1], at=request.now)
    message = f"Merge branch '{pull.base_ref}' into {pull.head_ref}\n"
    new = repository.git.write_commit(tree, [pull.head_sha, base], message, who, flow)
    repository.verified.add(new)
    repository.git.move(f"refs/heads/{pull.head_ref}", new, pull.head_sha)
    noticed(request.world, repository, request.actor)
    settle(request.world, repository)
    url = f"{repository_page(repository, request.links)}/pull/{pull.number}"
    return Answer(status=202, body={"message": "Updating pull request branch.", "url": url})
