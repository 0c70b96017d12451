"""How a verdict came about, in lines of text that hold every figure of its formulas: a person can redo it by hand.

The same lines stand behind `status --explain` and, folded, in a proposal's body. What the figures mean is said in
docs/judgement.md; short reasons and all else that a proposal says are `wording`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from tidegate.core.judging.against_stable import minimum_effect, sharing
from tidegate.core.judging.budget import Budget
from tidegate.core.judging.verdict import (
    BurnRate,
    LateVerdict,
    ObjectiveVerdict,
    Question,
    Stage,
    Tally,
    ValueVerdict,
    Verdict,
)
from tidegate.core.judging.workings import Moved, Workings, evidence
from tidegate.core.manifest import Objective, Rollout
from tidegate.core.quantity import show_duration, show_share
from tidegate.core.wording import budget_stands, burn_rate

_STAGES = {
    Stage.CANARY: "as canary beside {reference}",
    Stage.PROBATION: "on probation, before it {reference}",
    Stage.BAKE: "baking",
    Stage.LABELS: "by labels of predictions made beside {reference}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One verdict with the question that it answers, the texts that were asked, and its cells by objective."""

    question: Question
    verdict: Verdict
    queries: tuple[str, ...] = ()
    workings: Mapping[str, Workings] = field(default_factory=dict)


def account_lines(account: Account, most: int | None = None) -> list[str]:
    """Everything that the verdict rests on; at most so many of each objective's cells, the last ones."""
    question, verdict = account.question, account.verdict
    judged = {objective.name: objective for objective in question.objectives}
    lines = [*_about(question, verdict)]
    for each in verdict.objectives:
        lines += ["", *_objective(each, judged[each.objective], account, most)]
    lines += [f"value {_value(value)}" for value in verdict.values]
    lines += [f"late labels {_late(late)}" for late in verdict.late]
    return [*lines, *([""] if account.queries else []), *(f"query  {query}" for query in account.queries)]


def budget_lines(budgets: Iterable[Budget]) -> list[str]:
    """What is left of each, as of when, and what was asked."""
    lines: list[str] = []
    for budget in budgets:
        again = f"; below it from {budget.recovers_at:%Y-%m-%d %H:%M} UTC" if budget.recovers_at else ""
        as_of = "" if budget.unread is not None else f", as of {budget.until:%Y-%m-%d %H:%M} UTC"
        lines += [f"error budget {budget.objective.name}: {budget_stands(budget)}{as_of}{again}"]
        lines += [f"  query  {query}" for query in budget.asked]
    return lines


def _about(question: Question, verdict: Verdict) -> Iterator[str]:
    stage = _STAGES[question.stage].format(reference=question.reference or "none")
    rollout = question.rollout
    yield f"version {question.subject} {stage}, since {question.since:%Y-%m-%d %H:%M:%S} UTC"
    yield f"judged until {verdict.judged_until:%Y-%m-%d %H:%M:%S} UTC in cells of {show_duration(rollout.resolution)}"
    yield (
        f"policy: worseThan {rollout.worse_than:g}, ruleOut {rollout.rule_out:g}, falseRevertRate "
        f"{show_share(rollout.false_revert_rate)} over {sharing(question)} reverting objectives, falseAdvanceRate "
        f"{show_share(rollout.false_advance_rate)}, minimumEvents {rollout.minimum_events}"
    )
    serving = {True: "yes", False: "no", None: "nobody can tell"}[verdict.serving]
    yield (
        f"serving: {serving}; baked {show_duration(verdict.baked)} of {show_duration(rollout.bake)}; "
        f"{verdict.events:.0f} events since the last change of weight"
    )
    if verdict.unread is not None:
        yield f"cannot be read: {verdict.unread}"


def _objective(each: ObjectiveVerdict, objective: Objective, account: Account, most: int | None) -> Iterator[str]:
    rollout = account.question.rollout
    yield f"objective {each.objective} ({each.effect.value}): {_says(each)}"
    if each.unread is not None:
        yield f"  cannot be read: {each.unread}"
        return
    beside = f", beside {_counts(each.reference)}" if each.reference.total else ""
    yield f"  counts      {_counts(each.subject)}{beside}"
    measured = "measured on the other version before the rollout" if each.dispersion_measured else "by the policy"
    yield f"  dispersion  {each.dispersion:.6g} ({measured}); logarithms of e-values are divided by it"
    found = account.workings.get(each.objective)
    if found is not None:
        yield from _evidence(each, objective, rollout, found)
        yield from (f"  burn rate   {_burning(rate)}" for rate in found.burn_rates)
        yield from _cells(found, most)
    elif each.evidence > 1:
        yield _e_value("worse", each.evidence, each.needed, f"at most ×{rollout.worse_than:g}")


def _value(value: ValueVerdict) -> str:
    if value.unread is not None:
        return f"{value.objective.name} cannot be read: {value.unread}"
    figure = "none yet" if value.figure is None else f"{value.figure:.6g}"
    return f"{value.objective.name}: {figure}; {value.standing.value}"


def _late(late: LateVerdict) -> str:
    each = late.verdict
    if each.unread is not None:
        return f"{each.objective} cannot be read: {each.unread}"
    covered = " beside ".join("none" if c is None else f"{c:.1%}" for c in (late.coverage, late.reference_coverage))
    return (
        f"{each.objective}: {_counts(each.subject)}, beside {_counts(each.reference)}; labelled {covered}; e-value "
        f"{each.evidence:.6g}, needed {each.needed:.6g}, dispersion {each.dispersion:.6g}"
    )


def _says(each: ObjectiveVerdict) -> str:
    cleared = f", {each.cleared_by}" if each.cleared_by else ""
    return f"{each.comparison.value}{cleared}; against the objective: {each.standing.value}"


def _evidence(each: ObjectiveVerdict, objective: Objective, rollout: Rollout, found: Workings) -> Iterator[str]:
    values = evidence(found, objective, replace(rollout, dispersion=each.dispersion))
    allowed = f"a bad rate of at {{}} {objective.budget:.6g}"
    if values.worse is None:
        yield _e_value("outside", values.outside, each.needed, allowed.format("most"))
        return
    clear = 2 / rollout.false_advance_rate
    effect = f"; and a difference of rates above {minimum_effect(rollout, objective):.6g}"
    yield _e_value("worse", values.worse, each.needed, f"at most ×{rollout.worse_than:g}{effect}")
    yield _e_value("ruled out", values.ruled_out or 0.0, clear, f"at least ×{rollout.rule_out:g}")
    yield _e_value("inside", values.inside or 0.0, clear, allowed.format("least"))


def _e_value(what: str, value: float, needed: float, claim: str) -> str:
    return f"  {what:10}  e-value {value:.6g}, needed {needed:.6g}, against {claim}"


def _burning(rate: BurnRate) -> str:
    return (
        f"{burn_rate(rate)}; trips above ×{rate.factor:.3g} in both with log evidence {rate.needed:.4g} "
        f"(it is {rate.evidence:.4g})"
    )


def _cells(found: Workings, most: int | None) -> Iterator[str]:
    """The events between cells are the subject's, and none of them is bad."""
    if not found.cells:
        yield f"  no bad event in {found.clean:.0f} events"
        return
    left = 0 if most is None else max(len(found.cells) - most, 0)
    yield "  cells with a bad event: start, events of the version since the last one, bad/all of the version" + (
        ", bad/all of the other" if found.compared else ""
    )
    if left:
        yield f"    … {left} earlier ones: see tidegate status --explain"
    for cell in found.cells[left:]:
        yield f"    {_cell(cell, compared=found.compared)}"
    yield f"    after the last one: {found.clean:.10g}"


def _cell(cell: Moved, *, compared: bool) -> str:
    other = f"  {_share(cell.reference)}" if compared else ""
    return f"{cell.start:%Y-%m-%dT%H:%M:%SZ}  {cell.clean:.10g}  {_share(cell.subject)}{other}"


def _share(tally: Tally) -> str:
    return f"{tally.bad:.10g}/{tally.total:.10g}"


def _counts(tally: Tally) -> str:
    rate = "no events" if tally.rate is None else f"{tally.rate:.4%}"
    return f"{tally.bad:.10g} of {tally.total:.10g} bad ({rate})"
