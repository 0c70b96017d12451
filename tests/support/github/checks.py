"""Check runs, which only Apps may write, and commit statuses, which anybody with write access may."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from support.github.accounts import simple_user
from support.github.apps import app_shown
from support.github.commits import commit_shown
from support.github.protection import latest_runs
from support.github.repositories import minimal, repository_page, repository_url
from support.github.routing import REPOSITORY, Answer, Refused, Request, invalid, not_found, route, stamp
from support.github.state import App, CheckRun, Json, Status

_RUNS = f"{REPOSITORY}/check-runs"
_OF_COMMIT = f"{REPOSITORY}/commits/{{ref}}"
_NAME = 255


def check_shown(request: Request, run: CheckRun) -> Json:
    repository, links = request.repository, request.links
    url = f"{repository_url(repository, links)}/check-runs/{run.id}"
    page = f"{repository_page(repository, links)}/runs/{run.id}"
    output = {"annotations_count": len(run.output.get("annotations", [])), "annotations_url": f"{url}/annotations"}
    return {
        "id": run.id,
        "node_id": f"CR_{run.id}",
        "head_sha": run.sha,
        "name": run.name,
        "url": url,
        "html_url": page,
        "details_url": run.details_url or page,
        "external_id": run.external_id or "",
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": stamp(run.started_at),
        "completed_at": stamp(run.completed_at),
        "output": {**output, **{name: run.output.get(name) for name in ("title", "summary", "text")}},
        "check_suite": {"id": run.suite},
        "app": app_shown(run.app, links),
        "pull_requests": _pulls_of(request, run.sha),
    }


def _pulls_of(request: Request, sha: str) -> list[Json]:
    repository = request.repository
    url = repository_url(repository, request.links)
    place = {"id": repository.id, "url": url, "name": repository.name}
    return [
        {
            "id": pull.id,
            "number": pull.number,
            "url": f"{url}/pulls/{pull.number}",
            "head": {"ref": pull.head_ref, "sha": pull.head_sha, "repo": place},
            "base": {"ref": pull.base_ref, "sha": pull.base_sha, "repo": place},
        }
        for pull in repository.pulls
        if pull.state == "open" and pull.head_sha == sha
    ]


def _app(request: Request) -> App:
    if request.credential.app is None:
        raise Refused(403, "You must authenticate via a GitHub App.")
    return request.credential.app


@route("POST", _RUNS, "checks", "write", role="read")
def create(request: Request) -> Answer:
    app, repository, body = _app(request), request.repository, request.body
    if len(body["name"]) > _NAME:
        raise invalid("CheckRun", "name", "custom", f"name is too long (maximum is {_NAME} characters)")
    if repository.git.kind(body["head_sha"]) != "commit":
        raise Refused(422, f"No commit found for SHA: {body['head_sha']}")
    suite = repository.suites.setdefault((body["head_sha"], app.id), request.world.next_id())
    run = CheckRun(
        id=request.world.next_id(),
        app=app,
        sha=body["head_sha"],
        suite=suite,
        name=body["name"],
        status="queued",
        conclusion=None,
        details_url=None,
        external_id=None,
        started_at=request.now,
        completed_at=None,
        output={},
    )
    _set(request, run)
    repository.checks.append(run)
    _tell(request, run, "created")
    return Answer(status=201, body=check_shown(request, run))


def _set(request: Request, run: CheckRun) -> None:
    body = request.body
    for name in ("name", "details_url", "external_id"):
        if name in body:
            setattr(run, name, body[name])
    run.output = {**run.output, **body.get("output", {})}
    run.status = body.get("status", run.status)
    if body.get("conclusion"):
        run.status, run.conclusion = "completed", body["conclusion"]
        run.completed_at = _time(body.get("completed_at")) or request.now
    elif run.status == "completed" and run.conclusion is None:
        raise Refused(422, "Invalid request.\n\nMissing conclusion when status is completed.")
    elif run.status != "completed":
        run.conclusion = run.completed_at = None
    run.started_at = _time(body.get("started_at")) or run.started_at


def _time(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _tell(request: Request, run: CheckRun, action: str) -> None:
    action = "completed" if run.status == "completed" else action
    payload = {"action": action, "check_run": check_shown(request, run)}
    request.world.tell("check_run", request.repository, request.actor, **payload)


def _found(request: Request) -> CheckRun:
    number = request.number("check_run_id")
    run = next((run for run in request.repository.checks if run.id == number), None)
    if run is None:
        raise not_found()
    return run


@route("GET", f"{_RUNS}/{{check_run_id}}", "checks")
def get(request: Request) -> Answer:
    return Answer(body=check_shown(request, _found(request)))


@route("PATCH", f"{_RUNS}/{{check_run_id}}", "checks", "write", role="read")
def update(request: Request) -> Answer:
    app, run = _app(request), _found(request)
    if run.app is not app:
        whose = "check run can only be modified by the GitHub App that created it."
        raise Refused(403, f"Invalid app_id `{app.id}` - {whose}")
    _set(request, run)
    _tell(request, run, "rerequested")
    return Answer(body=check_shown(request, run))


def _commit(request: Request) -> str:
    sha = request.repository.git.resolve(request.arguments["ref"])
    if sha is None:
        raise Refused(422, f"No commit found for SHA: {request.arguments['ref']}")
    return sha


@route("GET", f"{_OF_COMMIT}/check-runs", "checks")
def of_commit(request: Request) -> Answer:
    query, sha = request.query, _commit(request)
    every = query.get("filter") == "all"
    runs = [r for r in request.repository.checks if r.sha == sha] if every else latest_runs(request.repository, sha)
    found = [
        run
        for run in reversed(runs)
        if query.get("check_name", run.name) == run.name
        and query.get("status", run.status) == run.status
        and query.get("app_id", str(run.app.id)) == str(run.app.id)
    ]
    page, headers = request.page(found)
    body = {"total_count": len(found), "check_runs": [check_shown(request, run) for run in page]}
    return Answer(body=body, headers=headers)


@route("GET", f"{_OF_COMMIT}/check-suites", "checks")
def suites(request: Request) -> Answer:
    """One suite for each App that reported on the commit."""
    sha, repository = _commit(request), request.repository
    by_suite = {run.suite: run for run in repository.checks if run.sha == sha}
    found = [_suite_shown(request, run) for run in by_suite.values()]
    return Answer(body={"total_count": len(found), "check_suites": found})


def _suite_shown(request: Request, run: CheckRun) -> Json:
    repository, links = request.repository, request.links
    url = f"{repository_url(repository, links)}/check-suites/{run.suite}"
    commit = repository.git.commit(run.sha)
    inside = commit_shown(request, run.sha)["commit"]
    simple = {"id": run.sha, "tree_id": commit.tree, "message": commit.message, "timestamp": inside["author"]["date"]}
    people = {"author": inside["author"], "committer": inside["committer"]}
    return {
        "id": run.suite,
        "node_id": f"CS_{run.suite}",
        "head_branch": None,
        "head_sha": run.sha,
        "status": run.status,
        "conclusion": run.conclusion,
        "url": url,
        "before": None,
        "after": None,
        "pull_requests": [],
        "app": app_shown(run.app, links),
        "repository": minimal(repository, links),
        "created_at": stamp(run.started_at),
        "updated_at": stamp(run.started_at),
        "head_commit": {**simple, **people},
        "latest_check_runs_count": 1,
        "check_runs_url": f"{url}/check-runs",
    }


@route("POST", f"{REPOSITORY}/statuses/{{sha}}", "statuses", "write")
def create_status(request: Request) -> Answer:
    repository, body, sha = request.repository, request.body, request.arguments["sha"]
    if repository.git.kind(sha) != "commit":
        raise Refused(422, f"No commit found for SHA: {sha}")
    if len(body.get("description") or "") > 140:
        raise invalid("Status", "description", "custom", "description is too long (maximum is 140 characters)")
    status = Status(
        id=request.world.next_id(),
        creator=request.actor,
        sha=sha,
        state=body["state"],
        context=body.get("context", "default"),
        description=body.get("description"),
        target_url=body.get("target_url"),
        created_at=request.now,
    )
    repository.statuses.append(status)
    request.world.tell("status", repository, request.actor, sha=sha, state=status.state, context=status.context)
    return Answer(status=201, body=status_shown(request, status))


def status_shown(request: Request, status: Status) -> Json:
    url = f"{repository_url(request.repository, request.links)}/statuses/{status.sha}"
    creator = simple_user(status.creator, request.links)
    return {
        "url": url,
        "avatar_url": creator["avatar_url"],
        "id": status.id,
        "node_id": f"SC_{status.id}",
        "state": status.state,
        "description": status.description,
        "target_url": status.target_url,
        "context": status.context,
        "created_at": stamp(status.created_at),
        "updated_at": stamp(status.created_at),
        "creator": creator,
    }


@route("GET", f"{_OF_COMMIT}/statuses", "statuses")
def statuses(request: Request) -> Answer:
    sha = _commit(request)
    found = [status for status in reversed(request.repository.statuses) if status.sha == sha]
    return request.listed(found, lambda status: status_shown(request, status))


@route("GET", f"{_OF_COMMIT}/status", "statuses")
def combined(request: Request) -> Answer:
    """The latest status of each context, and the worst of them."""
    sha, repository, links = _commit(request), request.repository, request.links
    latest = {status.context: status for status in repository.statuses if status.sha == sha}
    states = {status.state for status in latest.values()}
    word = "failure" if states & {"failure", "error"} else "success" if states == {"success"} else "pending"
    url = f"{repository_url(repository, links)}/commits/{sha}"
    shown = [{k: v for k, v in status_shown(request, each).items() if k != "creator"} for each in latest.values()]
    body = {
        "state": word,
        "statuses": shown,
        "sha": sha,
        "total_count": len(shown),
        "repository": minimal(repository, links),
        "commit_url": url,
        "url": f"{url}/status",
    }
    return Answer(body=body)
