"""What each environment serves, as GitHub's Deployments: a projection of git that nothing is decided from.

One deployment for each version in `<model>/<environment>`; its newest status says whether it serves. Made by looking
first, so that a second pass adds nothing, and what two controllers made at once becomes one that is active.
"""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.adapters.github.access import Json
from tidegate.adapters.github.session import Session
from tidegate.errors import Refused
from tidegate.ports import Serving

_TASK = "tidegate"
_LOOKED_AT = 10
"""So many of the newest are kept right: older ones were made inactive when they were among these."""


def show(session: Session, serving: Serving) -> None:
    """Make the environment's deployments say what it serves. Does nothing where we may not write them."""
    path, name = f"{session.address.path}/deployments", f"{serving.model}/{serving.environment}"
    answer = session.call("GET", f"{path}?environment={name}&task={_TASK}&per_page={_LOOKED_AT}")
    if answer.status in (403, 404):
        return
    if not answer.ok:
        raise Refused(f"{session.who} shows no deployments of {name}: {answer.words}")
    found: Sequence[Json] = sorted(answer.data, key=lambda each: int(each["id"]))
    by_version: dict[str, Json] = {}
    for deployment in found:
        by_version.setdefault(_version(deployment), deployment)
    for version in serving.versions:
        if str(version) not in by_version and (made := _make(session, path, serving, version)) is not None:
            by_version[str(version)] = made
    for deployment in (*by_version.values(), *(each for each in found if each not in by_version.values())):
        doubled = by_version[_version(deployment)] is not deployment
        _set(session, path, deployment, "inactive" if doubled else _wanted(serving, deployment))


def _version(deployment: Json) -> str:
    payload = deployment.get("payload")
    return str(payload.get("version")) if isinstance(payload, dict) else ""


def _wanted(serving: Serving, deployment: Json) -> str:
    states = {str(version): "success" if whole else "in_progress" for version, whole in serving.versions.items()}
    return states.get(_version(deployment), "inactive")


def _make(session: Session, path: str, serving: Serving, version: int) -> Json | None:
    body = {
        "ref": serving.commit,
        "task": _TASK,
        "environment": f"{serving.model}/{serving.environment}",
        "description": f"{serving.model} version {version}",
        "payload": {"model": serving.model, "version": version},
        "auto_merge": False,
        "required_contexts": [],
        "production_environment": serving.last,
        "transient_environment": False,
    }
    answer = session.call("POST", path, body)
    made: Json | None = answer.data if answer.status == 201 else None
    return made


def _set(session: Session, path: str, deployment: Json, state: str) -> None:
    """Say it once: the newest status stands."""
    statuses = session.get(f"{path}/{deployment['id']}/statuses", per_page=1).data
    now = statuses[0]["state"] if statuses else None
    if now != state and not (now is None and state == "inactive"):
        session.send("POST", f"{path}/{deployment['id']}/statuses", {"state": state, "auto_inactive": False})
