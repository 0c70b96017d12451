"""Why a version should go back: everything that the judges found against it, the first thing found first.

What is done about it, and what stops it, is `rollout`'s and `guards`' work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from tidegate.core.judging.verdict import Comparison, ObjectiveVerdict, Stage, Standing, ValueVerdict, Verdict
from tidegate.core.manifest import Effect
from tidegate.core.outcome import Evidence
from tidegate.core.reasons import burn_reason, objective_reason, value_reason

_ARMS = {Stage.CANARY: ("canary", "stable")}
_LATER = ("stable", "previous")
"""How the two versions are called; from the finish on the other way."""

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One finding: the short reason for the pin file, and the sentence for the proposal. `reference` is how the other
    version stood, where that matters. Without an `objective` it is no judge's."""

    evidence: Evidence
    short: str
    sentence: str
    objective: str = ""
    found_at: datetime | None = None
    reference: Standing = Standing.FINE

    @property
    def reverts(self) -> bool:
        """Not where nobody can tell how the other version stood, or not yet, or it stood no better."""
        return self.reference in (Standing.FINE, Standing.TOO_FEW)


def of_canary(verdict: Verdict) -> Ground | None:
    """A comparison that says worse, by events or late labels, or what pages whatever stable does: a value outside its
    bounds, a budget that burns. Not where nobody can tell how stable stands, or its budget burns as well."""
    values = (ground for ground in _values(verdict) if ground.reference is not Standing.UNKNOWN)
    burned = (ground for ground in _burned(verdict) if ground.reverts)
    return _first((*_worse(verdict), *values, *burned))


def on_probation(verdict: Verdict) -> Ground | None:
    """The same, and a breach of an objective."""
    breaching = (each for each in verdict.objectives if each.standing is Standing.BREACH)
    breaches = (_of(each, Evidence.ABSOLUTE, verdict.stage) for each in _reverting(breaching))
    return _first((*_worse(verdict), *breaches, *_values(verdict)))


def by_bounds_alone(verdict: Verdict) -> Ground | None:
    """What would send a version on probation back, where it is held against its own bounds and not against another."""
    ground = on_probation(verdict)
    return ground if ground is not None and ground.evidence is Evidence.ABSOLUTE and ground.reverts else None


def of_labels(verdict: Verdict) -> Ground | None:
    """What late labels alone say."""
    return _first(_late(verdict))


def _first(grounds: Iterable[Ground]) -> Ground | None:
    """The reason stays the same when others follow (I2). What cannot revert hides nothing that can."""
    return min(grounds, key=_order, default=None)


def _order(ground: Ground) -> tuple[bool, datetime, str]:
    return not ground.reverts, ground.found_at or _NEVER, ground.objective


def _worse(verdict: Verdict) -> Iterator[Ground]:
    worse = (each for each in verdict.objectives if each.comparison is Comparison.WORSE)
    yield from (_of(each, Evidence.COMPARISON, verdict.stage) for each in _reverting(worse))
    yield from _late(verdict)


def _late(verdict: Verdict) -> Iterator[Ground]:
    worse = (each.verdict for each in verdict.late if each.verdict.comparison is Comparison.WORSE)
    yield from (_of(each, Evidence.COMPARISON, verdict.stage) for each in _reverting(worse))


def _reverting(objectives: Iterable[ObjectiveVerdict]) -> Iterator[ObjectiveVerdict]:
    return (objective for objective in objectives if objective.effect is Effect.REVERT)


def _of(objective: ObjectiveVerdict, evidence: Evidence, stage: Stage) -> Ground:
    short, sentence = objective_reason(objective, _ARMS.get(stage, _LATER))
    return Ground(
        objective=objective.objective,
        found_at=objective.worse_at,
        evidence=evidence,
        short=short,
        sentence=sentence,
        reference=objective.reference_standing if evidence is Evidence.ABSOLUTE else Standing.FINE,
    )


def _burned(verdict: Verdict) -> Iterator[Ground]:
    for each in _reverting(each for each in verdict.objectives if each.burned is not None):
        short, sentence = burn_reason(each)
        yield Ground(
            objective=each.objective,
            found_at=each.burned_at,
            evidence=Evidence.ABSOLUTE,
            short=short,
            sentence=sentence,
            reference=each.reference_standing,
        )


def _values(verdict: Verdict) -> Iterator[Ground]:
    yield from (_of_value(each) for each in verdict.values if each.reverts)


def _of_value(value: ValueVerdict) -> Ground:
    short, sentence = value_reason(value)
    return Ground(
        objective=value.objective.name,
        found_at=value.breached_at,
        evidence=Evidence.ABSOLUTE,
        short=short,
        sentence=sentence,
        reference=value.reference_standing,
    )
