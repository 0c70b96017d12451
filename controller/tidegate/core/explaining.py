"""How a verdict came about, in lines of text that hold every figure of its formulas: a person can redo it by hand.

The same lines stand behind `status --explain` and, folded, in a proposal's body. What the figures mean is said in
docs/judgement.md; short reasons and all else that a proposal says are `wording`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from tidegate.core.judging.against_stable import minimum_effect
from tidegate.core.judging.budget import Budget
from tidegate.core.judging.burning import looks, paging
from tidegate.core.judging.dispersion import Dispersion, Excess
from tidegate.core.judging.verdict import (
    BurnRate,
    LateVerdict,
    ObjectiveVerdict,
    Question,
    Stage,
    Standing,
    Tally,
    ValueVerdict,
    Verdict,
)
from tidegate.core.judging.workings import LateWorkings, Moved, Workings, evidence
from tidegate.core.manifest import Objective
from tidegate.core.quantity import show_duration, show_share
from tidegate.core.reasons import budget_stands, burn_rate, value_bounds, value_says
from tidegate.core.siblings import breaches, is_told, needed

_STAGES = {
    Stage.CANARY: "as canary beside {reference}",
    Stage.PROBATION: "on probation, before it {reference}",
    Stage.BAKE: "baking",
    Stage.LABELS: "by labels of predictions made beside {reference}",
}
_OTHERS = {Stage.CANARY: "stable", Stage.PROBATION: "the version before it"}
"""How the other arm is called, whose standing may hold a revert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One verdict with the question that it answers, the texts that were asked, and its cells by objective. `siblings`
    are the other models on the same serving, where they were asked."""

    question: Question
    verdict: Verdict
    queries: tuple[str, ...] = ()
    workings: Mapping[str, Workings] = field(default_factory=dict)
    late: Mapping[str, LateWorkings] = field(default_factory=dict)
    siblings: Mapping[str, Verdict] = field(default_factory=dict)


def account_lines(account: Account, most: int | None = None) -> list[str]:
    """Everything that the verdict rests on; at most so many of each objective's cells, the last ones."""
    question, verdict = account.question, account.verdict
    judged = {objective.name: objective for objective in question.objectives}
    lines = [*_about(question, verdict)]
    for each in verdict.objectives:
        lines += ["", *_objective(each, judged[each.objective], account, most)]
    lines += [line for value in verdict.values for line in ("", *_value(value, question.stage))]
    lines += [line for late in verdict.late for line in ("", *_late(late, account, most))]
    lines += _siblings(account.siblings)
    return [*lines, *([""] if account.queries else []), *(f"query  {query}" for query in account.queries)]


def budget_lines(budgets: Iterable[Budget], since: datetime | None = None) -> list[str]:
    """What is left of each, as of when, and what was asked; or `since` when they will be."""
    lines: list[str] = []
    if since is not None:
        lines += [f"error budgets: not asked until {since:%Y-%m-%d %H:%M} UTC: what is new has spent nothing yet"]
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
        f"{show_share(rollout.false_revert_rate)}, falseAdvanceRate {show_share(rollout.false_advance_rate)}, "
        f"minimumEvents {rollout.minimum_events}"
    )
    yield f"falseRevertRate is shared by {_counted(question.sharing, 'objective')} with effect revert{_apart(question)}"
    if any(paging(objective) for objective in question.objectives):
        yield f"looks: {looks(question)} ({_lasting(question)} / {show_duration(rollout.resolution)})"
    serving = {True: "yes", False: "no", None: "nobody can tell"}[verdict.serving]
    yield (
        f"serving: {serving}; baked {show_duration(verdict.baked)} of {show_duration(rollout.bake)}; "
        f"{verdict.events:.0f} events since the last change of weight"
    )
    if verdict.unread is not None:
        yield f"cannot be read: {verdict.unread}"


def _lasting(question: Question) -> str:
    """How long a version may be looked at."""
    rollout = question.rollout
    if question.stage is Stage.PROBATION:
        return f"probation {show_duration(rollout.probation.duration)}"
    return f"maximumDuration {show_duration(rollout.maximum_duration)} × {_counted(max(len(rollout.steps), 1), 'step')}"


def _apart(question: Question) -> str:
    return ", once for each beside the other version, and once more for each on its own" if question.held_back else ""


def _objective(each: ObjectiveVerdict, objective: Objective, account: Account, most: int | None) -> Iterator[str]:
    question = account.question
    yield f"objective {each.objective} ({each.effect.value}): {_says(each, question.stage)}"
    if each.unread is not None:
        yield f"  cannot be read: {each.unread}"
        return
    if each.never_bad:
        yield "  no series matches `bad`; none may have happened yet (tidegate doctor tells whether one could)"
    found = account.workings.get(each.objective)
    yield from _figures(each, objective, question, found, most)
    if found is not None and found.beside is not None:
        compared, workings = found.beside
        yield f"  beside the version before it, which is held back: {compared.comparison.value}{_found(compared)}"
        yield from _figures(compared, objective, question, workings, most)


def _figures(
    each: ObjectiveVerdict, objective: Objective, question: Question, found: Workings | None, most: int | None
) -> Iterator[str]:
    beside = f", beside {_counts(each.reference)}" if each.reference.total else ""
    yield f"  counts      {_counts(each.subject)}{beside}"
    yield f"  dispersion  {_dispersion(each)}"
    if found is not None:
        yield from _basis(found.dispersion, "cells")
        yield from _evidence(each, objective, question, found)
        yield from (f"  burn rate   {_burning(rate, question, len(found.burn_rates))}" for rate in found.burn_rates)
        yield from _cells(found, objective, most)


def _value(value: ValueVerdict, stage: Stage) -> Iterator[str]:
    about = f"value {value.objective.name} ({value.objective.effect.value})"
    if value.unread is not None:
        yield f"{about}: cannot be read: {value.unread}"
        return
    figure = "none yet" if value.figure is None else f"{value.figure:.6g}"
    found = f"; found at {value.breached_at:%Y-%m-%d %H:%M:%S} UTC" if value.breached_at else ""
    versions = "" if value.by_version else ", of all versions"
    yield f"{about}: {value_says(value)}{_other(value.standing, value.reference_standing, stage)}{found}"
    yield f"  figure      {figure}{versions}; {value_bounds(value)}"


def _late(late: LateVerdict, account: Account, most: int | None) -> Iterator[str]:
    each, together = late.verdict, account.question.together
    assert together is not None, "labels are compared of versions that served side by side"
    yield f"late labels {each.objective} ({each.effect.value}): {each.comparison.value}{_found(each)}"
    if each.unread is not None:
        yield f"  cannot be read: {each.unread}"
        if not each.subject.total:
            return
    yield f"  counts      {_counts(each.subject)}, beside {_counts(each.reference)}"
    covered = " beside ".join("none" if c is None else f"{c:.1%}" for c in (late.coverage, late.reference_coverage))
    yield f"  labelled    {covered}; what lacks a label speaks for the version"
    yield f"  dispersion  {_dispersion(each)}"
    found = account.late.get(each.objective)
    if found is not None:
        yield from _basis(found.dispersion, "steps")
    rate = show_share(together.rollout.false_revert_rate)
    wanted = f"{each.needed:.6g} ({_counted(together.sharing, 'objective')} / {rate})"
    objective = next(one for one in together.objectives if one.name == each.objective)
    effect = f"; and a difference of rates above {minimum_effect(together.rollout, objective):.6g}"
    yield _e_value("worse", each.evidence, wanted, f"at most ×{together.rollout.worse_than:g}{effect}")
    if found is not None:
        yield from _labels(found, most)


def _labels(found: LateWorkings, most: int | None) -> Iterator[str]:
    yield "  age buckets: number, up to which age, labels/predictions of the version, of the other"
    for age in found.ages:
        mine = f"{age.subject.total:.10g}/{age.served:.10g}"
        other = f"{age.reference.total:.10g}/{age.reference_served:.10g}"
        yield f"    {age.age}  {show_duration(age.oldest)}  {mine}  {other}"
    left = 0 if most is None else max(len(found.cells) - most, 0)
    yield "  steps with labels of both: start, age bucket, bad/all of the version, bad/all of the other"
    if left:
        yield f"    … {left} earlier ones: see tidegate status --explain"
    for cell in found.cells[left:]:
        yield f"    {cell.start:%Y-%m-%dT%H:%M:%SZ}  {cell.age}  {_share(cell.subject)}  {_share(cell.reference)}"


def _dispersion(each: ObjectiveVerdict) -> str:
    measured = "measured on the other version" if each.dispersion_measured else "by the policy"
    return f"{each.dispersion:.6g} ({measured}); logarithms of e-values are divided by it"


def _basis(dispersion: Dispersion, cells: str) -> Iterator[str]:
    """What the figure was measured on, and how; or why it is the policy's."""
    if dispersion.by_policy:
        yield f"    the policy's, because {dispersion.by_policy}"
    if (found := dispersion.basis) is None:
        return
    at = f" of {_counted(found.targets, 'target')}" if found.targets else ""
    yield (
        f"    version {found.version} from {found.since:%Y-%m-%d %H:%M:%S} to {found.until:%Y-%m-%d %H:%M:%S} UTC: "
        f"{found.bad:.10g} bad in {found.bad_cells} of {found.cells} {cells}{at}"
    )
    counts = max(found.excesses, key=lambda excess: excess.figure, default=None)
    for excess in found.excesses:
        larger = ", the larger one" if excess is counts and len(found.excesses) > 1 else ""
        yield f"    {_excess(excess, cells)}{larger}"


def _excess(excess: Excess, cells: str) -> str:
    """All squared deviations over all variances, and between what they were taken."""
    between = f"{excess.groups} {cells} with their neighbours"
    if excess.over is not None:
        between = f"targets in {_counted(excess.groups, 'block')} of {show_duration(excess.over)}"
    divided = f"squared deviations {excess.deviations:.6g} / variances {excess.variances:.6g}"
    return f"between {between}: {divided} = {excess.figure:.4g}"


def _siblings(siblings: Mapping[str, Verdict]) -> Iterator[str]:
    """Who of them breaches, and how many must."""
    if not siblings:
        return
    told = [name for name, verdict in siblings.items() if is_told(verdict)]
    failing = [name for name in told if breaches(siblings[name])]
    yield ""
    yield (
        f"on the same serving: {_counted(len(siblings), 'other model')}, {len(told)} of them can be told, "
        f"{len(failing)} of these breach; {needed(len(told))} would say that the cause is elsewhere"
    )
    for name in failing:
        verdict = siblings[name]
        outside = [f"{o.objective} {_counts(o.subject)}" for o in verdict.objectives if o.standing is Standing.BREACH]
        outside += [f"{v.objective.name} {v.figure:.6g}" for v in verdict.values if v.reverts and v.figure is not None]
        yield f"  {name}, version {verdict.subject}: {', '.join(outside)}"


def _says(each: ObjectiveVerdict, stage: Stage) -> str:
    cleared = f", {each.cleared_by}" if each.cleared_by else ""
    other = _other(each.standing, each.reference_standing, stage)
    return f"{each.comparison.value}{cleared}; against the objective: {each.standing.value}{other}{_found(each)}"


def _found(each: ObjectiveVerdict) -> str:
    """Everything below is as of then: nothing later is weighed."""
    found = min((at for at in (each.worse_at, each.burned_at) if at is not None), default=None)
    return "" if found is None else f"; found at {found:%Y-%m-%d %H:%M:%S} UTC"


def _other(standing: Standing, reference: Standing, stage: Stage) -> str:
    """How the other arm stands, where that counts: against a breach."""
    name = _OTHERS.get(stage)
    return f"; {name}: {reference.value}" if name is not None and standing is Standing.BREACH else ""


def _evidence(each: ObjectiveVerdict, objective: Objective, question: Question, found: Workings) -> Iterator[str]:
    rollout = question.rollout
    values = evidence(found, objective, replace(rollout, dispersion=each.dispersion))
    rate = "a bad rate" if objective.mean is None else "a mean share of the range"
    revert = _to_revert(each.needed, question)
    if values.worse is None:
        yield _e_value("outside", values.outside, revert, f"{rate} of at most {objective.budget:.6g}")
        return
    clear = f"{2 / rollout.false_advance_rate:.6g} (2 ways / {show_share(rollout.false_advance_rate)})"
    effect = f"; and a difference of rates above {minimum_effect(rollout, objective):.6g}"
    yield _e_value("worse", values.worse, revert, _ratio(objective, "most", rollout.worse_than) + effect)
    yield _e_value("ruled out", values.ruled_out or 0.0, clear, _ratio(objective, "least", rollout.rule_out))
    yield _e_value("inside", values.inside or 0.0, clear, f"{rate} of at least {objective.budget:.6g}")
    alone = (2 if found.burn_rates else 1) * question.sharing / rollout.false_revert_rate
    yield _e_value("outside", values.outside, _to_revert(alone, question), f"{rate} of at most {objective.budget:.6g}")


def _ratio(objective: Objective, bound: str, times: float) -> str:
    """The claim that is bet against. A mean that is better when higher is so many times worse when it is divided."""
    if objective.mean is not None and objective.mean.higher_is_better:
        return f"÷{times:g} at {bound}"
    return f"at {bound} ×{times:g}"


def _to_revert(needed: float, question: Question) -> str:
    """What an e-value must reach, and how that comes about."""
    rate = question.rollout.false_revert_rate
    ways = round(needed * rate / question.sharing)
    told = f"{ways} ways × " if ways > 1 else ""
    return f"{needed:.6g} ({told}{_counted(question.sharing, 'objective')} / {show_share(rate)})"


def _e_value(what: str, value: float, needed: str, claim: str) -> str:
    return f"  {what:10}  e-value {value:.6g}, needed {needed}, against {claim}"


def _burning(rate: BurnRate, question: Question, pairs: int) -> str:
    chances = (
        f"2 ways × {_counted(pairs, 'pair')} × {looks(question)} looks × {_counted(question.sharing, 'objective')} / "
        f"{show_share(question.rollout.false_revert_rate)}"
    )
    return (
        f"{burn_rate(rate)}; trips above ×{rate.factor:.3g} in both with log evidence {rate.needed:.4g} "
        f"(log of {chances}); it is {rate.evidence:.4g}"
    )


def _cells(found: Workings, objective: Objective, most: int | None) -> Iterator[str]:
    """The events between cells are the subject's, and none of them is bad."""
    if not found.cells:
        yield f"  no bad event in {found.clean:.0f} events"
        return
    left = 0 if most is None else max(len(found.cells) - most, 0)
    yield _header(objective, compared=found.compared)
    if left:
        yield f"    … {left} earlier ones: see tidegate status --explain"
    for cell in found.cells[left:]:
        yield f"    {_cell(cell, compared=found.compared)}"
    yield f"    after the last one: {found.clean:.10g}"


def _header(objective: Objective, *, compared: bool) -> str:
    which, what = "cells with a bad event", "bad/all"
    if objective.mean is not None:
        which = "cells"
        what = "sum of shares of the range/events" + ("/sum of their squares" if objective.mean.squares else "")
    other = f", {what} of the other" if compared else ""
    return f"  {which}: start, events of the version since the last one, {what} of the version{other}"


def _cell(cell: Moved, *, compared: bool) -> str:
    other = f"  {_share(cell.reference)}" if compared else ""
    return f"{cell.start:%Y-%m-%dT%H:%M:%SZ}  {cell.clean:.10g}  {_share(cell.subject)}{other}"


def _share(tally: Tally) -> str:
    squares = f"/{tally.squares:.10g}" if tally.squares else ""
    return f"{tally.bad:.10g}/{tally.total:.10g}{squares}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _counts(tally: Tally) -> str:
    rate = "no events" if tally.rate is None else f"{tally.rate:.4%}"
    return f"{tally.bad:.10g} of {tally.total:.10g} bad ({rate})"
