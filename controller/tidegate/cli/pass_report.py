"""What a pass did, as lines for people and as plain data for programs."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.cli.passes import Pass
from tidegate.core.observed import Check
from tidegate.core.outcome import Decision, Hold, Nothing, status_of
from tidegate.core.transition import Transition
from tidegate.reconcile import Done
from tidegate.reporters.printable import printable, printable_lines
from tidegate.status import reason_of


def lines(done: Pass) -> tuple[str, ...]:
    """One line for each thing done, waited for or wrong. `--watch` prints those that the pass before did not have."""
    did = (*_trainings(done), *_transitions(done), *_decisions(done))
    return (*map(printable, did), *_findings(done), *map(printable, _troubles(done)))


def _trainings(done: Pass) -> Iterator[str]:
    for one in done.collected:
        words = f": {one.training.words}" if one.training.words else ""
        yield f"training  {one.model}: {one.training.key} {one.training.state.value}{words}"


def _transitions(done: Pass) -> Iterator[str]:
    for one in done.report.done:
        yield f"raced  {one.title}: {one.waiting}" if one.proposal is None else _proposal(one)
    for change in done.projection.changes:
        yield f"alias  {change.model}: {change.alias} {change.found or 'none'} → {change.wanted or 'none'}"


def _proposal(one: Done) -> str:
    where = f"{one.title} (#{one.proposal})"
    if one.merged:
        return f"merged  {where} as {one.merged[:12]}"
    return f"proposed  {where}: {_check(one.check)}" + (f"; {one.waiting}" if one.waiting else "")


def _check(check: Check | None) -> str:
    return f"{check.state.value}: {check.summary}" if check else "not checked"


def _decisions(done: Pass) -> Iterator[str]:
    handled = {(one.model, one.environment) for one in done.report.done}
    for model in done.report.shown:
        for environment, decision in model.environments.items():
            if not isinstance(decision, Nothing) and (model.model, environment) not in handled:
                where = f"{model.model}/{environment}"
                yield f"{status_of(decision).value}  {where}: {reason_of(decision)}{_until(decision)}"


def _until(decision: Decision) -> str:
    if not isinstance(decision, Hold) or decision.until is None:
        return ""
    return f" (until {decision.until:%Y-%m-%d %H:%M:%S %Z})"


def _findings(done: Pass) -> Iterator[str]:
    """Each has lines of its own."""
    return (printable_lines(f"finding  {finding}") for finding in done.findings)


def _troubles(done: Pass) -> Iterator[str]:
    yield from (f"no answer  {failure}" for failure in done.failures)
    yield from (f"INCIDENT  {incident}" for incident in done.report.incidents)


def plain(done: Pass) -> dict[str, object]:
    """The JSON of a pass; keys are stable."""
    report = done.report
    return {
        "main": report.main,
        "at": report.at,
        "trainings": done.collected,
        "decisions": [
            _plain_decision(model.model, environment, decision)
            for model in report.shown
            for environment, decision in model.environments.items()
        ],
        "done": [_plain_done(one) for one in report.done],
        "aliases": done.projection.changes,
        "findings": done.findings,
        "failures": done.failures,
        "incidents": report.incidents,
    }


def _plain_decision(model: str, environment: str, decision: Decision) -> dict[str, object]:
    hold = decision if isinstance(decision, Hold) else None
    wished = decision if isinstance(decision, Transition) else hold.wished if hold else None
    return {
        "model": model,
        "environment": environment,
        "status": status_of(decision),
        "reason": reason_of(decision),
        "waiting_on": hold.waiting_on if hold else None,
        "until": hold.until if hold else None,
        "pages": hold.pages if hold else False,
        "wished": {"kind": wished.kind, "key": wished.key} if wished else None,
    }


def _plain_done(one: Done) -> dict[str, object]:
    return {
        "model": one.model,
        "environment": one.environment,
        "kind": one.kind,
        "proposal": one.proposal,
        "title": one.title,
        "check": {"state": one.check.state, "summary": one.check.summary} if one.check else None,
        "merged": one.merged,
        "waiting": one.waiting,
        "incident": one.incident,
    }
