"""The event that started the workflow, as far as the actions ask: which pull request, and is it a stranger's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tidegate.errors import WrongUse


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`pull` is the pull request's number; `foreign`: what the event is about lies in another repository, in one that
    is gone, or the event does not tell."""

    name: str
    pull: int | None = None
    foreign: bool = False


_UNTOLD = ("issue_comment", "merge_group")
"""Events about a pull request whose payload does not say which repository its code comes from."""


def read_event(environment: Mapping[str, str]) -> Event:
    """Outside of a workflow there is no pull request. Raises WrongUse for a file that cannot be read."""
    name, path = environment.get("GITHUB_EVENT_NAME", ""), environment.get("GITHUB_EVENT_PATH")
    if not path:
        return Event(name=name)
    try:
        return _read(name, json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise WrongUse(f"GITHUB_EVENT_PATH cannot be read: {error}") from None


def _read(name: str, payload: object) -> Event:
    """`head.repo.fork` would not do: it is true in a repository that is a fork itself."""
    match payload:
        case {"pull_request": {"number": int(number), "head": {"repo": {"id": head}}, "base": {"repo": {"id": base}}}}:
            return Event(name=name, pull=number, foreign=head != base)
        case {"pull_request": {"number": int(number)}}:
            return Event(name=name, pull=number, foreign=True)
        case {"workflow_run": {"head_repository": {"id": head}}, "repository": {"id": here}}:
            return Event(name=name, foreign=head != here)
        case {"workflow_run": {}}:
            return Event(name=name, foreign=True)
        case _:
            return Event(name=name, foreign=name in _UNTOLD)
