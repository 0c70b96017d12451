"""Issues, what happened to them, and the comments on issues and pull requests."""

from __future__ import annotations

from support.github.accounts import association, maybe_user, simple_user
from support.github.labels import issue_labels, put_labels
from support.github.repositories import repository_page, repository_url
from support.github.routing import REPOSITORY, Answer, Links, Refused, Request, invalid, not_found, route, stamp
from support.github.state import Comment, Issue, IssueEvent, Json, Pull, Repository

_ISSUE = f"{REPOSITORY}/issues/{{issue_number}}"
_COMMENT = f"{REPOSITORY}/issues/comments/{{comment_id}}"
_BODY = 65536


def issue_shown(request: Request, issue: Issue) -> Json:
    repository, links = request.repository, request.links
    url = f"{repository_url(repository, links)}/issues/{issue.number}"
    kind = "pull" if isinstance(issue, Pull) else "issues"
    page = f"{repository_page(repository, links)}/{kind}/{issue.number}"
    body: Json = {
        "id": issue.id,
        "node_id": f"I_{issue.id}",
        "url": url,
        "repository_url": repository_url(repository, links),
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": page,
        "number": issue.number,
        "state": issue.state,
        "state_reason": "completed" if issue.state == "closed" else None,
        "title": issue.title,
        "body": issue.body,
        "user": simple_user(issue.user, links),
        "labels": issue_labels(request, issue),
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "locked": False,
        "comments": len(issue.comments),
        "created_at": stamp(issue.created_at),
        "updated_at": stamp(issue.updated_at),
        "closed_at": stamp(issue.closed_at),
        "closed_by": maybe_user(issue.closed_by, links),
        "author_association": association(issue.user, repository),
    }
    if isinstance(issue, Pull):
        pull = f"{repository_url(repository, links)}/pulls/{issue.number}"
        addresses = {"url": pull, "html_url": page, "diff_url": f"{page}.diff", "patch_url": f"{page}.patch"}
        body["pull_request"] = {**addresses, "merged_at": stamp(issue.merged_at)}
    return body


@route("GET", f"{REPOSITORY}/issues", "issues|pull_requests")
def listing(request: Request) -> Answer:
    query = request.query
    state = query.get("state", "open")
    wanted = {name.lower() for name in query.get("labels", "").split(",") if name}
    found = [
        issue
        for issue in request.repository.issues.values()
        if state in {"all", issue.state}
        and wanted <= {name.lower() for name in issue.labels}
        and query.get("creator", issue.user.login).lower() == issue.user.login.lower()
    ]
    found.sort(key=lambda issue: (issue.created_at, issue.number), reverse=query.get("direction", "desc") == "desc")
    return request.listed(found, lambda issue: issue_shown(request, issue))


@route("POST", f"{REPOSITORY}/issues", "issues", "write", role="read")
def create(request: Request) -> Answer:
    repository, body = request.repository, request.body
    _check_length("Issue", body.get("body"))
    issue = Issue(
        id=request.world.next_id(),
        number=repository.next_number(),
        user=request.actor,
        title=str(body["title"]),
        body=body.get("body"),
        created_at=request.now,
        updated_at=request.now,
    )
    repository.issues[issue.number] = issue
    put_labels(request, issue, [each if isinstance(each, str) else each["name"] for each in body.get("labels", [])])
    request.world.tell("issues", repository, request.actor, action="opened", issue=issue_shown(request, issue))
    return Answer(status=201, body=issue_shown(request, issue))


@route("GET", _ISSUE, "issues|pull_requests")
def get(request: Request) -> Answer:
    return Answer(body=issue_shown(request, request.issue))


@route("PATCH", _ISSUE, "issues|pull_requests", "write", role="triage")
def change(request: Request) -> Answer:
    issue, body = request.issue, request.body
    if isinstance(issue, Pull) and body.get("state", issue.state) != issue.state:
        raise Refused(403, "The fake changes a pull request's state through the pulls endpoint only")
    _check_length("Issue", body.get("body"))
    issue.title = str(body.get("title") or issue.title)
    issue.body = body.get("body", issue.body)
    if "labels" in body:
        put_labels(request, issue, [each if isinstance(each, str) else each["name"] for each in body["labels"]])
    if body.get("state", issue.state) != issue.state:
        issue.state = body["state"]
        issue.closed_at = request.now if issue.state == "closed" else None
        issue.closed_by = request.actor if issue.state == "closed" else None
    issue.updated_at = request.now
    return Answer(body=issue_shown(request, issue))


def comment_shown(repository: Repository, issue: Issue, comment: Comment, links: Links) -> Json:
    url = repository_url(repository, links)
    kind = "pull" if isinstance(issue, Pull) else "issues"
    return {
        "id": comment.id,
        "node_id": f"IC_{comment.id}",
        "url": f"{url}/issues/comments/{comment.id}",
        "html_url": f"{repository_page(repository, links)}/{kind}/{issue.number}#issuecomment-{comment.id}",
        "issue_url": f"{url}/issues/{issue.number}",
        "user": simple_user(comment.user, links),
        "body": comment.body,
        "created_at": stamp(comment.created_at),
        "updated_at": stamp(comment.updated_at),
        "author_association": association(comment.user, repository),
    }


def _check_length(resource: str, body: str | None) -> None:
    if len(body or "") > _BODY:
        raise invalid(resource, "body", "custom", f"body is too long (maximum is {_BODY} characters)")


@route("GET", f"{_ISSUE}/comments", "issues|pull_requests")
def comments(request: Request) -> Answer:
    issue = request.issue
    return request.listed(issue.comments, lambda each: comment_shown(request.repository, issue, each, request.links))


@route("POST", f"{_ISSUE}/comments", "issues|pull_requests", "write", role="read")
def comment(request: Request) -> Answer:
    issue, body = request.issue, request.body["body"]
    if not body.strip():
        raise invalid("IssueComment", "body", "missing_field")
    _check_length("IssueComment", body)
    made = Comment(
        id=request.world.next_id(),
        user=request.actor,
        app=request.credential.app,
        body=body,
        created_at=request.now,
        updated_at=request.now,
    )
    issue.comments.append(made)
    issue.updated_at = request.now
    _tell(request, issue, made, "created")
    return Answer(status=201, body=comment_shown(request.repository, issue, made, request.links))


def _tell(request: Request, issue: Issue, made: Comment, action: str) -> None:
    shown = comment_shown(request.repository, issue, made, request.links)
    payload = {"action": action, "issue": issue_shown(request, issue), "comment": shown}
    request.world.tell("issue_comment", request.repository, request.actor, **payload)


def _found(request: Request) -> tuple[Issue, Comment]:
    number = request.number("comment_id")
    for issue in request.repository.issues.values():
        for each in issue.comments:
            if each.id == number:
                return issue, each
    raise not_found()


@route("GET", _COMMENT, "issues|pull_requests")
def get_comment(request: Request) -> Answer:
    return Answer(body=comment_shown(request.repository, *_found(request), request.links))


@route("PATCH", _COMMENT, "issues|pull_requests", "write", role="read")
def edit_comment(request: Request) -> Answer:
    issue, found = _found(request)
    _owner_or_writer(request, found)
    _check_length("IssueComment", request.body["body"])
    found.body = request.body["body"]
    found.updated_at = request.now
    _tell(request, issue, found, "edited")
    return Answer(body=comment_shown(request.repository, issue, found, request.links))


@route("DELETE", _COMMENT, "issues|pull_requests", "write", role="read")
def delete_comment(request: Request) -> Answer:
    issue, found = _found(request)
    _owner_or_writer(request, found)
    issue.comments.remove(found)
    return Answer(status=204)


def _owner_or_writer(request: Request, found: Comment) -> None:
    """One's own comments, or anybody's with write access; an App only its own."""
    writer = request.world.role(request.actor, request.repository) in {"write", "maintain", "admin"}
    if found.user is not request.actor and not writer:
        raise Refused(403, "Must have admin rights to Repository.")


@route("GET", f"{_ISSUE}/events", "issues|pull_requests")
def events(request: Request) -> Answer:
    """Of all that happened to an issue, who labelled it, and who gave a pull request another base."""
    return request.listed(request.issue.happened, lambda event: _event_shown(request, event))


def _event_shown(request: Request, event: IssueEvent) -> Json:
    body: Json = {
        "id": event.id,
        "node_id": f"LE_{event.id}",
        "url": f"{repository_url(request.repository, request.links)}/issues/events/{event.id}",
        "actor": simple_user(event.user, request.links),
        "event": event.event,
        "commit_id": None,
        "commit_url": None,
        "created_at": stamp(event.created_at),
        "performed_via_github_app": None,
    }
    if not event.label:
        return body
    label = request.repository.labels[event.label.lower()]
    return {**body, "label": {"name": label.name, "color": label.color}}
