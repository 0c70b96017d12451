"""Deployments and their statuses."""

from __future__ import annotations

from support.github.accounts import simple_user
from support.github.protection import latest_runs
from support.github.repositories import repository_url
from support.github.routing import REPOSITORY, Answer, Refused, Request, invalid, not_found, route, stamp
from support.github.state import Deployment, DeploymentStatus, Json, Repository

_MANY = f"{REPOSITORY}/deployments"
_ONE = f"{_MANY}/{{deployment_id}}"
_GOOD = {"success", "neutral", "skipped"}


def deployment_shown(request: Request, deployment: Deployment) -> Json:
    repository_at = repository_url(request.repository, request.links)
    url = f"{repository_at}/deployments/{deployment.id}"
    return {
        "url": url,
        "id": deployment.id,
        "node_id": f"DE_{deployment.id}",
        "sha": deployment.sha,
        "ref": deployment.ref,
        "task": deployment.task,
        "payload": deployment.payload,
        "original_environment": deployment.environment,
        "environment": deployment.environment,
        "description": deployment.description,
        "creator": simple_user(deployment.creator, request.links),
        "created_at": stamp(deployment.created_at),
        "updated_at": stamp(deployment.statuses[-1].created_at if deployment.statuses else deployment.created_at),
        "statuses_url": f"{url}/statuses",
        "repository_url": repository_at,
        "transient_environment": deployment.transient,
        "production_environment": deployment.production,
    }


@route("GET", _MANY, "deployments")
def listing(request: Request) -> Answer:
    """Newest first; sha, ref, task and environment filter."""
    wanted = {name: request.query[name] for name in ("sha", "ref", "task", "environment") if name in request.query}
    found = [
        deployment
        for deployment in reversed(request.repository.deployments)
        if all(getattr(deployment, name) == value for name, value in wanted.items())
    ]
    return request.listed(found, lambda deployment: deployment_shown(request, deployment))


@route("POST", _MANY, "deployments", "write")
def create(request: Request) -> Answer:
    body, repository = request.body, request.repository
    sha = repository.git.resolve(body["ref"])
    if sha is None:
        raise Refused(422, f"No ref found for: {body['ref']}")
    _check_base(repository, body, sha)
    _check_contexts(repository, body.get("required_contexts"), sha)
    environment = body.get("environment", "production")
    deployment = Deployment(
        id=request.world.next_id(),
        creator=request.actor,
        sha=sha,
        ref=body["ref"],
        task=body.get("task", "deploy"),
        environment=environment,
        payload=body.get("payload", {}),
        description=body.get("description"),
        production=body.get("production_environment", environment == "production"),
        transient=body.get("transient_environment", False),
        created_at=request.now,
    )
    repository.deployments.append(deployment)
    shown = deployment_shown(request, deployment)
    request.world.tell("deployment", repository, request.actor, action="created", deployment=shown)
    return Answer(status=201, body=shown)


def _check_base(repository: Repository, body: Json, sha: str) -> None:
    """`auto_merge` (on unless said) would merge the default branch into a ref that is behind it."""
    base = repository.git.branch(repository.default_branch) or ""
    asked = body.get("auto_merge", True) and repository.git.branch(body["ref"])
    if asked and not repository.git.is_ancestor(base, sha):
        raise Refused(409, f"Conflict merging {repository.default_branch} into {body['ref']}.")


def _check_contexts(repository: Repository, required: list[str] | None, sha: str) -> None:
    """Every check must be green unless a list says which; the empty list asks for none."""
    states = {s.context: s.state == "success" for s in repository.statuses if s.sha == sha}
    states |= {run.name: run.conclusion in _GOOD for run in latest_runs(repository, sha)}
    wanted = states if required is None else required
    if not all(states.get(name, False) for name in wanted):
        raise Refused(409, "Conflict: Commit status checks failed for " + sha)


def _found(request: Request) -> Deployment:
    number = request.number("deployment_id")
    deployment = next((each for each in request.repository.deployments if each.id == number), None)
    if deployment is None:
        raise not_found()
    return deployment


@route("GET", _ONE, "deployments")
def get(request: Request) -> Answer:
    return Answer(body=deployment_shown(request, _found(request)))


def _status_shown(request: Request, deployment: Deployment, status: DeploymentStatus) -> Json:
    repository_at = repository_url(request.repository, request.links)
    url = f"{repository_at}/deployments/{deployment.id}"
    return {
        "url": f"{url}/statuses/{status.id}",
        "id": status.id,
        "node_id": f"DES_{status.id}",
        "state": status.state,
        "creator": simple_user(status.creator, request.links),
        "description": status.description,
        "environment": deployment.environment,
        "target_url": status.log_url,
        "log_url": status.log_url,
        "environment_url": status.environment_url,
        "created_at": stamp(status.created_at),
        "updated_at": stamp(status.created_at),
        "deployment_url": url,
        "repository_url": repository_at,
    }


@route("GET", f"{_ONE}/statuses", "deployments")
def statuses(request: Request) -> Answer:
    deployment = _found(request)
    newest = list(reversed(deployment.statuses))
    return request.listed(newest, lambda status: _status_shown(request, deployment, status))


@route("POST", f"{_ONE}/statuses", "deployments", "write")
def create_status(request: Request) -> Answer:
    """Success makes earlier deployments of the environment inactive, unless asked not to."""
    deployment, body = _found(request), request.body
    if len(body.get("description") or "") > 140:
        raise invalid("DeploymentStatus", "description", "custom", "description is too long")
    status = _status(request, body["state"])
    deployment.statuses.append(status)
    if body["state"] == "success" and body.get("auto_inactive", True):
        _retire(request, deployment)
    shown = _status_shown(request, deployment, status)
    request.world.tell(
        "deployment_status", request.repository, request.actor, action="created", deployment_status=shown
    )
    return Answer(status=201, body=shown)


def _status(request: Request, state: str) -> DeploymentStatus:
    body = request.body
    return DeploymentStatus(
        id=request.world.next_id(),
        creator=request.actor,
        state=state,
        description=body.get("description") or "",
        log_url=body.get("log_url") or body.get("target_url") or "",
        environment_url=body.get("environment_url") or "",
        created_at=request.now,
    )


def _retire(request: Request, current: Deployment) -> None:
    for other in request.repository.deployments:
        live = other.statuses and other.statuses[-1].state == "success"
        if other is not current and live and other.environment == current.environment and not other.transient:
            other.statuses.append(_status(request, "inactive"))
