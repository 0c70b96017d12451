"""Reviews of pull requests, and who is asked for one."""

from __future__ import annotations

from support.github.accounts import association, simple_user
from support.github.pulls import is_held_workflow
from support.github.pulls import shown as pull_shown
from support.github.repositories import repository_page, repository_url
from support.github.routing import REPOSITORY, Answer, Refused, Request, not_found, route, stamp
from support.github.state import Json, Review

_PULL = f"{REPOSITORY}/pulls/{{pull_number}}"
_ONLY_COLLABORATORS = (
    "Reviews may only be requested from collaborators. One or more of the users or teams you specified"
)
_STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


def review_shown(request: Request, review: Review) -> Json:
    repository, pull = request.repository, request.pull
    page = f"{repository_page(repository, request.links)}/pull/{pull.number}#pullrequestreview-{review.id}"
    url = f"{repository_url(repository, request.links)}/pulls/{pull.number}"
    return {
        "id": review.id,
        "node_id": f"PRR_{review.id}",
        "user": simple_user(review.user, request.links),
        "body": review.body,
        "state": review.state,
        "html_url": page,
        "pull_request_url": url,
        "author_association": association(review.user, repository),
        "_links": {"html": {"href": page}, "pull_request": {"href": url}},
        "submitted_at": stamp(review.submitted_at),
        "commit_id": review.commit,
    }


@route("GET", f"{_PULL}/reviews", "pull_requests")
def listing(request: Request) -> Answer:
    return request.listed(request.pull.reviews, lambda review: review_shown(request, review))


@route("POST", f"{_PULL}/reviews", "pull_requests", "write", role="read")
def create(request: Request) -> Answer:
    pull, body = request.pull, request.body
    state = _STATES.get(body.get("event", ""), "PENDING")
    if request.actor is pull.user and state in {"APPROVED", "CHANGES_REQUESTED"}:
        doing = "approve" if state == "APPROVED" else "request changes on"
        raise Refused(422, "Unprocessable Entity", [f"Can not {doing} your own pull request"])
    if state == "APPROVED" and is_held_workflow(request):
        raise Refused(422, "Unprocessable Entity", ["GitHub Actions is not permitted to approve pull requests."])
    if state in {"CHANGES_REQUESTED", "COMMENTED"} and not body.get("body"):
        raise Refused(422, "Unprocessable Entity", ["Body can't be blank"])
    review = Review(
        id=request.world.next_id(),
        user=request.actor,
        body=body.get("body") or "",
        state=state,
        commit=body.get("commit_id", pull.head_sha),
        submitted_at=request.now,
    )
    pull.reviews.append(review)
    pull.updated_at = request.now
    pull.requested = [account for account in pull.requested if account is not request.actor]
    payload = {"action": "submitted", "review": review_shown(request, review), "pull_request": pull}
    request.world.tell("pull_request_review", request.repository, request.actor, **payload)
    return Answer(body=review_shown(request, review))


@route("PUT", f"{_PULL}/reviews/{{review_id}}/dismissals", "pull_requests", "write")
def dismiss(request: Request) -> Answer:
    number = request.number("review_id")
    review = next((each for each in request.pull.reviews if each.id == number), None)
    if review is None:
        raise not_found()
    if review.state not in {"APPROVED", "CHANGES_REQUESTED"}:
        raise Refused(422, "Unprocessable Entity", [f"Can not dismiss a {review.state.lower()} pull request review"])
    review.state = "DISMISSED"
    request.pull.updated_at = request.now
    payload = {"action": "dismissed", "review": review_shown(request, review), "pull_request": request.pull}
    request.world.tell("pull_request_review", request.repository, request.actor, **payload)
    return Answer(body=review_shown(request, review))


@route("GET", f"{_PULL}/requested_reviewers", "pull_requests")
def requested(request: Request) -> Answer:
    users = [simple_user(account, request.links) for account in request.pull.requested]
    return Answer(body={"users": users, "teams": []})


@route("POST", f"{_PULL}/requested_reviewers", "pull_requests", "write")
def ask(request: Request) -> Answer:
    """People only: the fake refuses teams rather than forget them."""
    pull, world = request.pull, request.world
    if request.body.get("team_reviewers"):
        raise Refused(422, "The fake does not know teams as reviewers")
    for login in request.body.get("reviewers", []):
        account = world.accounts.get(login.lower())
        if account is None or world.role(account, request.repository) == "none":
            where = f"is not a collaborator of the {request.repository.full_name} repository."
            raise Refused(422, f"{_ONLY_COLLABORATORS} {where}")
        if account is pull.user:
            raise Refused(422, "Review cannot be requested from pull request author.")
        if account not in pull.requested:
            pull.requested.append(account)
    return Answer(status=201, body=pull_shown(pull, request.repository, request.links))


@route("DELETE", f"{_PULL}/requested_reviewers", "pull_requests", "write")
def ask_no_more(request: Request) -> Answer:
    pull = request.pull
    gone = {login.lower() for login in request.body.get("reviewers", [])}
    pull.requested = [account for account in pull.requested if account.login.lower() not in gone]
    return Answer(body=pull_shown(pull, request.repository, request.links))
