"""Labels of a repository, and on issues and pull requests."""

from __future__ import annotations

from typing import Literal

from support.github.repositories import repository_url
from support.github.routing import REPOSITORY, Answer, Links, Request, invalid, not_found, route
from support.github.state import Issue, IssueEvent, Json, Label, Repository
from support.github.world import World

_ISSUE = f"{REPOSITORY}/issues/{{issue_number}}/labels"


def label_shown(repository: Repository, label: Label, links: Links) -> Json:
    return {
        "id": label.id,
        "node_id": f"LA_{label.id}",
        "url": f"{repository_url(repository, links)}/labels/{label.name}",
        "name": label.name,
        "color": label.color,
        "default": False,
        "description": label.description or "",
    }


def _label(world: World, repository: Repository, name: str) -> Label:
    """The label of that name, made grey if it is not there, as GitHub does when one is put on an issue."""
    key = name.lower()
    if key not in repository.labels:
        repository.labels[key] = Label(id=world.next_id(), name=name, color="ededed", description=None)
    return repository.labels[key]


@route("GET", f"{REPOSITORY}/labels", "issues|pull_requests")
def listing(request: Request) -> Answer:
    repository = request.repository
    return request.listed(list(repository.labels.values()), lambda each: label_shown(repository, each, request.links))


@route("POST", f"{REPOSITORY}/labels", "issues|pull_requests", "write")
def create(request: Request) -> Answer:
    repository, body = request.repository, request.body
    if body["name"].lower() in repository.labels:
        raise invalid("Label", "name", "already_exists")
    if len(body["name"]) > 50:
        raise invalid("Label", "name", "custom", "name is too long (maximum is 50 characters)")
    label = _label(request.world, repository, body["name"])
    label.color = body.get("color", label.color)
    label.description = body.get("description")
    return Answer(status=201, body=label_shown(repository, label, request.links))


def issue_labels(request: Request, issue: Issue) -> list[Json]:
    repository = request.repository
    return [label_shown(repository, repository.labels[name.lower()], request.links) for name in issue.labels]


@route("GET", _ISSUE, "issues|pull_requests")
def of_issue(request: Request) -> Answer:
    return Answer(body=issue_labels(request, request.issue))


@route("POST", _ISSUE, "issues|pull_requests", "write", role="triage")
def add(request: Request) -> Answer:
    put_labels(request, request.issue, [*request.issue.labels, *_names(request)])
    return Answer(body=issue_labels(request, request.issue))


@route("PUT", _ISSUE, "issues|pull_requests", "write", role="triage")
def replace(request: Request) -> Answer:
    put_labels(request, request.issue, _names(request))
    return Answer(body=issue_labels(request, request.issue))


def _names(request: Request) -> list[str]:
    return [each if isinstance(each, str) else each["name"] for each in request.body.get("labels", [])]


def put_labels(request: Request, issue: Issue, names: list[str]) -> None:
    """Set an issue's labels, each once, in the order given."""
    before = set(issue.labels)
    issue.labels = list(dict.fromkeys(_label(request.world, request.repository, name).name for name in names))
    issue.updated_at = request.now
    for name in [name for name in issue.labels if name not in before]:
        _note(request, issue, name, "labeled")
    for name in before - set(issue.labels):
        _note(request, issue, name, "unlabeled")


def _note(request: Request, issue: Issue, label: str, event: Literal["labeled", "unlabeled"]) -> None:
    made = IssueEvent(id=request.world.next_id(), user=request.actor, label=label, event=event, created_at=request.now)
    issue.happened.append(made)


@route("DELETE", f"{_ISSUE}/{{name}}", "issues|pull_requests", "write", role="triage")
def remove(request: Request) -> Answer:
    issue, name = request.issue, request.arguments["name"].lower()
    if name not in {label.lower() for label in issue.labels}:
        raise not_found()
    put_labels(request, issue, [label for label in issue.labels if label.lower() != name])
    return Answer(body=issue_labels(request, issue))
