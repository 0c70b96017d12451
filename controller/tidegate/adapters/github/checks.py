"""The one required check on GitHub: a check run of an App, or a commit status where only a person's token is there.

A check run is edited in place, a status is set anew; what stands there already is not written again.
"""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.adapters.github import marks
from tidegate.adapters.github.access import Json
from tidegate.adapters.github.session import PAGE, Session
from tidegate.core.observed import Check, CheckState

NAME = "tidegate"
_RUN_LIMIT = 65_535
_STATUS_LIMIT = 140
_CONCLUSIONS = {CheckState.PASSED: "success", CheckState.FAILED: "failure"}
_STATUSES = {CheckState.PASSED: "success", CheckState.FAILED: "failure", CheckState.PENDING: "pending"}
_TITLES = {
    CheckState.PASSED: "May merge",
    CheckState.FAILED: "Must not merge",
    CheckState.PENDING: "Needs a person",
}


def read(session: Session, head: str) -> Check | None:
    """The check as it stands for a commit."""
    if not session.account.bot:
        return _parse_status(_status(session, head), head)
    return _parse_run(_run(session, head), head)


def write(session: Session, number: int, check: Check) -> None:
    """Make the check say this, unless it does."""
    if session.account.bot:
        _write_run(session, number, check)
    elif _parse_status(_status(session, check.head), check.head) != _as_status(check):
        body = {"state": _STATUSES[check.state], "context": NAME, "description": _as_status(check).summary}
        session.send("POST", f"{session.address.path}/statuses/{check.head}", body)


def _write_run(session: Session, number: int, check: Check) -> None:
    existing = _run(session, check.head)
    summary = marks.quiet(check.summary)[:_RUN_LIMIT]
    if existing is not None and _parse_run(existing, check.head) == _with_summary(check, marks.loud(summary)):
        return
    body: dict[str, object] = {
        "name": NAME,
        "external_id": str(number),
        "output": {"title": _TITLES[check.state], "summary": summary},
    }
    conclusion = _CONCLUSIONS.get(check.state)
    body |= {"status": "completed", "conclusion": conclusion} if conclusion else {"status": "in_progress"}
    runs = f"{session.address.path}/check-runs"
    if existing is not None and (conclusion or existing["status"] != "completed"):
        session.send("PATCH", f"{runs}/{existing['id']}", body)
    else:
        # A run that has ended stays ended on GitHub: what is pending again is a run of its own.
        session.send("POST", runs, {**body, "head_sha": check.head})


def _run(session: Session, head: str) -> Json | None:
    """Our newest run: another App's of the same name is not ours, and neither required nor believed."""
    app = session.account.app_id
    given: dict[str, str | int] = {"check_name": NAME, "filter": "latest", **({"app_id": app} if app else {})}
    found = session.find(f"{session.address.path}/commits/{head}/check-runs", **given)
    runs: Sequence[Json] = (found or {}).get("check_runs", ())
    ours = [run for run in runs if run["name"] == NAME and _is_of(run, session)]
    return max(ours, key=lambda run: int(run["id"]), default=None)


def _is_of(run: Json, session: Session) -> bool:
    app = run.get("app") or {}
    known = session.account.app_id
    return bool(app.get("id") == known if known else f"{app.get('slug')}[bot]" == session.account.login)


def _parse_run(run: Json | None, head: str) -> Check | None:
    if run is None:
        return None
    states = {conclusion: state for state, conclusion in _CONCLUSIONS.items()}
    state = states.get(run.get("conclusion") or "", CheckState.PENDING)
    return Check(head=head, state=state, summary=marks.loud((run.get("output") or {}).get("summary") or ""))


def _status(session: Session, head: str) -> Json | None:
    """The newest status of our name; GitHub lists them newest first."""
    found: Sequence[Json] = session.get(f"{session.address.path}/commits/{head}/statuses", per_page=PAGE).data
    return next((status for status in found if status["context"] == NAME), None)


def _parse_status(status: Json | None, head: str) -> Check | None:
    if status is None:
        return None
    states = {word: state for state, word in _STATUSES.items()}
    state = states.get(status["state"], CheckState.FAILED)
    return Check(head=head, state=state, summary=marks.loud(status.get("description") or ""))


def _as_status(check: Check) -> Check:
    """What of a check fits into a status."""
    short = check.summary if len(check.summary) <= _STATUS_LIMIT else f"{check.summary[: _STATUS_LIMIT - 1]}…"
    return _with_summary(check, short)


def _with_summary(check: Check, summary: str) -> Check:
    return Check(head=check.head, state=check.state, summary=summary)
