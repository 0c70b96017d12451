"""Which pull request the event of a GitHub workflow is about, read from the file that the runner wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tidegate.errors import WrongUse

_QUEUE = re.compile(r"refs/heads/gh-readonly-queue/.+/pr-(?P<number>[0-9]+)-[0-9a-f]+")
"""As GitHub calls the branch of a merge queue; the last pull request of the group gives it its number."""
_TITLE = re.compile(r"Pull request #(?P<number>[0-9]+)")
"""As the template's workflow names its runs. A stranger may write it: it only says which check to compute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A pull request; `queued` is the commit that a merge queue made of it."""

    number: int
    queued: str | None = None


def asked_by(environment: Mapping[str, str]) -> Asked | None:
    """None for a comment on what is no pull request, and for a run of a workflow that was for none.

    Raises WrongUse outside of a workflow, and for other events.
    """
    name, path = environment.get("GITHUB_EVENT_NAME", ""), environment.get("GITHUB_EVENT_PATH", "")
    try:
        payload = json.loads(Path(path).read_text(encoding="utf-8")) if name and path else None
    except (OSError, ValueError) as error:
        raise WrongUse(f"GITHUB_EVENT_PATH cannot be read: {error}") from None
    if payload is None:
        raise WrongUse("--event reads GITHUB_EVENT_NAME and GITHUB_EVENT_PATH, which a workflow has; give a NUMBER")
    return _asked(name, payload)


def _asked(name: str, payload: object) -> Asked | None:
    match payload:
        case {"pull_request": {"number": int(number)}}:
            return Asked(number=number)
        case {"issue": {"number": int(number), "pull_request": {}}, "comment": {}}:
            return Asked(number=number)
        case {"issue": {}, "comment": {}}:
            return None
        case {"merge_group": {"head_ref": str(ref), "head_sha": str(sha)}} if found := _QUEUE.fullmatch(ref):
            return Asked(number=int(found["number"]), queued=sha)
        case {"workflow_run": dict(run)}:
            return _of_run(run)
        case _:
            known = "pull_request, pull_request_review, issue_comment, merge_group and workflow_run"
            raise WrongUse(f"the event {name} is about no pull request (those that are: {known}); give a NUMBER")


def _of_run(run: Mapping[str, object]) -> Asked | None:
    """The pull request that another workflow ran for. GitHub lists none for a run of a fork's."""
    match run:
        case {"event": "merge_group", "head_branch": str(branch), "head_sha": str(sha)} if found := _QUEUE.fullmatch(
            f"refs/heads/{branch}"
        ):
            return Asked(number=int(found["number"]), queued=sha)
        case {"pull_requests": [{"number": int(number)}, *_]}:
            return Asked(number=number)
        case {"display_title": str(title)} if found := _TITLE.fullmatch(title):
            return Asked(number=int(found["number"]))
        case _:
            return None
