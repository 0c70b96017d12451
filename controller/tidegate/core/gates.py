"""Gates: offline checks of a candidate's metrics, by themselves and against the champion's.

A gate that cannot be judged for want of a metric fails: silence is not quality. Only a champion that does not exist
yet judges nothing, and the result says so.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from enum import Enum

from tidegate.core.manifest import Gate

Metrics = Mapping[str, float]


class Outcome(Enum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_COMPARABLE = "not comparable"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """One bound of one gate: the candidate's value, the bound it was held against, and a sentence."""

    gate: Gate
    outcome: Outcome
    value: float | None
    bound: float | None
    words: str

    @property
    def stops(self) -> bool:
        return self.gate.failing and self.outcome in (Outcome.FAILED, Outcome.NOT_COMPARABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What the gates say of one candidate. `champion` is the version it was held against, None when there is none; its
    metrics are None as well when its run is gone."""

    model: str
    run_id: str
    champion: int | None
    metrics: Mapping[str, float]
    results: tuple[GateResult, ...]
    champion_metrics: Mapping[str, float] | None = None

    @property
    def passed(self) -> bool:
        return passed(self.results)


def evaluate(gates: Iterable[Gate], candidate: Metrics, champion: Metrics | None) -> tuple[GateResult, ...]:
    """One result for each bound, in the gates' order. `champion` None: there is none yet."""
    return tuple(result for gate in gates for result in _bounds(gate, candidate, champion))


def passed(results: Iterable[GateResult]) -> bool:
    """Whether nothing stops the candidate; a warning never does."""
    return not any(result.stops for result in results)


def digest(gates: Sequence[Gate]) -> str:
    """Names this set of gates, so that a candidate is judged again when they change."""
    plain = json.dumps([asdict(gate) for gate in gates], sort_keys=True)
    return f"sha256:{hashlib.sha256(plain.encode()).hexdigest()}"


def _bounds(gate: Gate, candidate: Metrics, champion: Metrics | None) -> Iterator[GateResult]:
    value = candidate.get(gate.metric)
    if value is None or not math.isfinite(value):
        missing = "was not logged" if value is None else "is not a finite number"
        yield _result(gate, Outcome.FAILED, value, None, f"{gate.metric} {missing} by the candidate")
        return
    if gate.minimum is not None:
        yield _compared(gate, value, gate.minimum, "minimum")
    if gate.maximum is not None:
        yield _compared(gate, value, gate.maximum, "maximum")
    if gate.max_drop is not None:
        yield _against_champion(gate, value, gate.max_drop, champion)


def _compared(gate: Gate, value: float, bound: float, kind: str) -> GateResult:
    fine = value >= bound if kind == "minimum" else value <= bound
    relation = {("minimum", True): "≥", ("minimum", False): "<", ("maximum", True): "≤", ("maximum", False): ">"}
    words = f"{gate.metric} {value:g} {relation[kind, fine]} {kind} {bound:g}"
    return _result(gate, Outcome.PASSED if fine else Outcome.FAILED, value, bound, words)


def _against_champion(gate: Gate, value: float, max_drop: float, champion: Metrics | None) -> GateResult:
    """`maxDrop` bounds how much worse than the champion; a gate with only a maximum reads lower as better."""
    if champion is None:
        return _result(gate, Outcome.NOT_JUDGED, value, None, f"{gate.metric} maxDrop: no champion yet, not judged")
    best = champion.get(gate.metric)
    if best is None or not math.isfinite(best):
        words = f"{gate.metric} maxDrop: the champion has no such figure, not comparable"
        return _result(gate, Outcome.NOT_COMPARABLE, value, None, words)
    lower_is_better = gate.maximum is not None and gate.minimum is None
    worse = _minus(value, best) if lower_is_better else _minus(best, value)
    fine = worse <= Decimal(str(max_drop))
    bound = float(_minus(best, max_drop if not lower_is_better else -max_drop))
    words = f"{gate.metric} {value:g} against the champion's {best:g}: {_change(worse)}, maxDrop {max_drop:g}"
    return _result(gate, Outcome.PASSED if fine else Outcome.FAILED, value, bound, words)


def _minus(left: float, right: float) -> Decimal:
    """The difference of the figures as people write them: 0.85 − 0.845 is 0.005, not 0.005000000000000004."""
    return Decimal(str(left)) - Decimal(str(right))


def _change(worse: Decimal) -> str:
    if worse == 0:
        return "equal"
    return f"{abs(float(worse)):.4g} {'worse' if worse > 0 else 'better'}"


def _result(gate: Gate, outcome: Outcome, value: float | None, bound: float | None, words: str) -> GateResult:
    note = "" if gate.failing or outcome is Outcome.PASSED else " (warning only)"
    return GateResult(gate=gate, outcome=outcome, value=value, bound=bound, words=words + note)
