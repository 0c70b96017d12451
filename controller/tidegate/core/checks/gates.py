"""Rules about gates, and about bounds of a value: whether anything passes, and whether anything could fail."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from tidegate.core import bounds
from tidegate.core.checks import form
from tidegate.core.checks.effective import objectives, understood
from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Data, Manifest, section
from tidegate.core.fault import Fault, Way
from tidegate.core.finding import Severity
from tidegate.core.shown import shown

CONTRADICTING_BOUNDS = Rule(
    id="contradicting-bounds",
    title="A minimum above the maximum",
    why="No value lies between them: a gate stops every candidate, an objective is never met.",
    bad="spec: {gates: {log_loss: {minimum: 0.5, maximum: 0.3}}}",
    good="spec: {gates: {log_loss: {minimum: 0.1, maximum: 0.3}}}",
)

ONE_VALUE_PASSES = Rule(
    id="one-value-passes",
    severity=Severity.WARNING,
    title="Bounds that leave a single value",
    why="`minimum` and `maximum` are the same number with a fraction, which a measured figure hardly ever meets to the "
    "last digit. Whole numbers, such as a count of 0, are taken as they are.",
    bad="spec: {gates: {log_loss: {minimum: 0.3, maximum: 0.3}}}",
    good="spec: {gates: {log_loss: {maximum: 0.3}}}",
)

GATE_BEYOND_METRIC = Rule(
    id="gate-beyond-metric",
    severity=Severity.WARNING,
    title="A bound that the metric never reaches",
    why="Accuracy, precision, recall, F1 and areas under a curve lie between 0 and 1. A minimum above 1 stops every "
    "candidate, and a drop of 1 or more never happens. If the program logs percent, such as 87.5 for 0.875, "
    "nothing is wrong.",
    bad="spec: {gates: {accuracy: {minimum: 90}}}",
    good="spec: {gates: {accuracy: {minimum: 0.9}}}",
)

GATE_TWICE = Rule(
    id="gate-twice",
    title="Two gates on one metric",
    why="A gate with a `slice` reads the metric `<metric>/<slice>`. Two gates that read the same metric are two "
    "answers to one question: write one gate with both bounds.",
    bad="spec: {gates: {recall: {minimum: 0.6, slice: new}, recall/new: {minimum: 0.7}}}",
    good="spec: {gates: {recall: {minimum: 0.6, slice: new}, recall/old: {minimum: 0.7}}}",
)

RULES = (CONTRADICTING_BOUNDS, ONE_VALUE_PASSES, GATE_BEYOND_METRIC, GATE_TWICE)

_BOUNDS = ("minimum", "maximum", "maxDrop")
# Names of metrics that lie between 0 and 1, as whole words: roc_auc, f1_score, precision@5, mean_average_precision.
_SHARE = re.compile(
    r"(?:^|[^a-z0-9])(?:accuracy|precision|recall|f1|(?:roc|pr)?_?auc|auroc|auprc|specificity|sensitivity|jaccard|iou"
    r"|dice)(?:[^a-z0-9]|$)",
    re.IGNORECASE,
)


def gates_can_be_passed(manifest: Manifest) -> Iterator[Fault]:
    """Each gate by itself, and whether two are one."""
    read: dict[str, str] = {}
    for name, gate in section(manifest.spec, "gates").items():
        way = ("spec", "gates", name)
        yield from _bounds(gate, way)
        if _SHARE.search(name):
            yield from _beyond(name, gate, way)
        metric = f"{name}/{gate['slice']}" if "slice" in gate else name
        if metric in read:
            message = f"the gate {shown(read[metric])} reads {shown(metric)} too"
            yield GATE_TWICE.at(way, message, "write one gate with both bounds", on_key=True)
        read[metric] = name


def values_can_be_met(manifest: Manifest) -> Iterator[Fault]:
    """The same for objectives by value."""
    for objective in objectives(manifest):
        if "minimum" in objective.data and "maximum" in objective.data:
            yield from _pair(objective.data["minimum"], objective.data["maximum"], objective.way("minimum"))


def _bounds(gate: Data, way: Way) -> Iterator[Fault]:
    for key in _BOUNDS:
        if key in gate and understood(bounds.number, gate[key]) is None:
            message = f"{key}: {gate[key]} is no figure that anything can be compared with"
            yield form.VALUE.at((*way, key), message, "write a number, or leave it out")
    if "minimum" in gate and "maximum" in gate:
        yield from _pair(gate["minimum"], gate["maximum"], (*way, "minimum"))


def _pair(minimum: float, maximum: float, way: Way) -> Iterator[Fault]:
    if minimum > maximum:
        message = f"nothing is at least {minimum:g} and at most {maximum:g}"
        yield CONTRADICTING_BOUNDS.at(way, message, "swap them, or leave one out")
    elif minimum == maximum and math.isfinite(minimum) and minimum != int(minimum):
        message = f"only {minimum:g} to the last digit passes"
        yield ONE_VALUE_PASSES.at(way, message, "leave one of the two out, or let them lie apart")


def _beyond(name: str, gate: Data, way: Way) -> Iterator[Fault]:
    """Bounds outside of 0 to 1, where the metric's name says that it never leaves it."""
    if gate.get("minimum", 0) > 1:
        message = f"{shown(name)[1:-1]} lies between 0 and 1, and never reaches {gate['minimum']:g}"
        yield GATE_BEYOND_METRIC.at((*way, "minimum"), message, "write 0.9 for 90%, if the program logs it so")
    if gate.get("maximum", 1) < 0:
        message = f"{shown(name)[1:-1]} lies between 0 and 1, and is never below {gate['maximum']:g}"
        yield GATE_BEYOND_METRIC.at((*way, "maximum"), message, "write a bound between 0 and 1")
    if gate.get("maxDrop", 0) >= 1:
        message = f"{shown(name)[1:-1]} lies between 0 and 1, and never drops by {gate['maxDrop']:g}"
        yield GATE_BEYOND_METRIC.at((*way, "maxDrop"), message, "write 0.01 for a percentage point")
