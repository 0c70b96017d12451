"""Rules about PromQL as text: what Prometheus cannot read, what answers no single figure, what compares by itself.

What series the selectors choose is looked at in `selectors`. Selectors that are none at all do not fit their schema:
`slips` explains them.
"""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.core import promql
from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Data, Manifest, Settings, section
from tidegate.core.checks.templates import unfilled
from tidegate.core.fault import Fault, Way
from tidegate.core.finding import Severity
from tidegate.core.judging.placeholders import filled
from tidegate.core.nearest import nearest
from tidegate.core.yaml.document import Document

NOT_A_SELECTOR = Rule(
    id="not-a-selector",
    title="An expression where a selector belongs",
    why="`bad`, `good`, `total`, `histogram`, `sum` and `ready` select series: a metric's name, with matchers in "
    "braces. Tidegate adds the labels of model, environment and version and writes `rate`, `sum` and the quotient "
    "itself, so that counts can be compared version by version.",
    bad="spec: {objectives: {errors: {bad: 'rate(failed_total[5m])', total: tried_total, target: 99%}}}",
    good="spec: {objectives: {errors: {bad: failed_total, total: tried_total, target: 99%}}}",
)

PROMQL_SYNTAX = Rule(
    id="promql-syntax",
    title="PromQL that Prometheus cannot read",
    why="Prometheus answers such a query with an error, and whatever rests on it is held. Common causes: a bracket "
    "that is not closed, a function's name, a pattern that is none, and backslashes, which count twice between double "
    "quotes. YAML takes ` #` for the start of a comment: put expressions in single quotes, or behind `|`.",
    bad="spec: {objectives: {errors: {bad: 'failed_total{code=~\"5[\"}', total: tried_total, target: 99%}}}",
    good="spec: {objectives: {errors: {bad: 'failed_total{code=~\"5..\"}', total: tried_total, target: 99%}}}",
)

VALUE_OF_WRONG_TYPE = Rule(
    id="value-of-wrong-type",
    title="An expression that answers no figure",
    why="`value` is compared with `minimum` or `maximum`, so that it must answer an instant vector or a scalar. A "
    "range vector (`x[5m]`) holds many samples of each series; wrap it in a function such as `avg_over_time`.",
    bad="spec: {objectives: {revenue: {value: 'revenue_per_session[1h]', minimum: 0.5}}}",
    good="spec: {objectives: {revenue: {value: 'avg_over_time(revenue_per_session[1h])', minimum: 0.5}}}",
)

VALUE_COMPARES = Rule(
    id="value-compares",
    title="A value that makes its own comparison",
    why="A comparison filters: `x > 0.2` has no answer at all while x is fine, and no answer is a reading that could "
    "not be had. With `bool` it answers 0 or 1, and how far away the bound was is lost. Write the expression alone, "
    "and the bound as `maximum` or `minimum`.",
    bad="spec: {objectives: {revenue: {value: 'avg(revenue_per_session) < 0.5', minimum: 0.5}}}",
    good="spec: {objectives: {revenue: {value: 'avg(revenue_per_session)', minimum: 0.5}}}",
)

PROMQL_NOT_CHECKED = Rule(
    id="promql-not-checked",
    severity=Severity.NOTE,
    title="PromQL that was not looked at",
    why="What is very long, deeply nested, or holds patterns with very many repetitions is left to Prometheus, and so "
    "are the few things that only Prometheus' own patterns know. Nothing may be wrong.",
    bad="spec: {objectives: {errors: {bad: 'failed_total{code=~\"\\\\Q5.\\\\E.\"}', total: tried_total, target: 99%}}}",
    good="spec: {objectives: {errors: {bad: 'failed_total{code=~\"5[.].\"}', total: tried_total, target: 99%}}}",
)

RULES = (NOT_A_SELECTOR, PROMQL_SYNTAX, VALUE_OF_WRONG_TYPE, VALUE_COMPARES, PROMQL_NOT_CHECKED)

_SELECTORS = ("bad", "good", "total", "histogram", "sum", "squares")
_MOST = 25_000
"""So much work is put into the PromQL of one file, as `promql.cost` has it: about half a second at the very worst."""
_BESIDE_OTHERS = "non-empty matcher"
"""What the parser says to `{code=""}`, which is fine beside the matchers that are added."""


def expressions_can_be_read(manifest: Manifest) -> Iterator[Fault]:
    """Every selector and every value that the manifest writes."""
    yield from _all(_written(manifest), manifest.document)


def presets_can_be_read(settings: Settings) -> Iterator[Fault]:
    """Every selector of the workspace's presets."""
    presets = section(settings.data, "presets")
    texts = (text for name, preset in presets.items() for text in _of(preset, ("presets", name)))
    yield from _all(texts, settings.document)


def _written(manifest: Manifest) -> Iterator[tuple[Way, str]]:
    spec = manifest.spec
    for name, objective in section(spec, "objectives").items():
        yield from _of(objective, ("spec", "objectives", name))
    yield from _of(section(spec, "serving", "target"), ("spec", "serving", "target"))
    for environment, own in manifest.environments.items():
        if own:
            way = ("spec", "environments", environment)
            for name, objective in section(own, "objectives").items():
                yield from _of(objective or {}, (*way, "objectives", name))
            yield from _of(section(own, "target"), (*way, "target"))


def _of(data: Data, way: Way) -> Iterator[tuple[Way, str]]:
    for key in (*_SELECTORS, "value", "ready"):
        if key in data:
            yield (*way, key), data[key]
    if "served" in (labels := section(data, "labels")):
        yield (*way, "labels", "served"), labels["served"]


def readable(value: str) -> str:
    """The expression as it is asked, with names that mean nothing put in."""
    return filled(value, _SOMEBODY) if "{{" in value else value


_SOMEBODY = {"model": "model", "environment": "environment", "version": "1"}


def _all(texts: Iterator[tuple[Way, str]], document: Document) -> Iterator[Fault]:
    spent = 0
    for way, written in texts:
        text = readable(written) if way[-1] == "value" else written
        name = text.isascii() and text.isidentifier()
        spent += 1 if name else promql.cost(text)
        if spent > _MOST:
            message = "there is more PromQL in this file than is looked at; it goes on from here unchecked"
            yield PROMQL_NOT_CHECKED.at(way, message)
            return
        if (variable := unfilled(text, way)) is not None:
            yield variable
        elif not name:
            yield from _expression(text, way, document)


def _expression(text: str, way: Way, document: Document) -> Iterator[Fault]:
    read = promql.read(text)
    if isinstance(read, promql.Unread):
        yield from _unread(read, way, document)
    elif way[-1] == "value":
        yield from _value(read, way)


def _unread(read: promql.Unread, way: Way, document: Document) -> Iterator[Fault]:
    why = read.why if len(read.why) <= 120 else read.why[:117] + "…"
    if not read.sure:
        yield PROMQL_NOT_CHECKED.at(way, f"{way[-1]} was not looked at: {why}")
    elif way[-1] == "value" or _BESIDE_OTHERS not in why:
        yield PROMQL_SYNTAX.at(way, f"{way[-1]}: {why}", _hint(read.why, way, document))


def _hint(why: str, way: Way, document: Document) -> str:
    if _cut_short(way, document):
        return "YAML took what follows ` #` for a comment: put the whole expression in single quotes, or behind `|`"
    if "regex" in why:
        return "patterns are RE2's: no look-ahead, and every bracket is closed"
    if "escape" in why:
        return "between double quotes a backslash counts twice: write `\\\\d`, or use single backquotes"
    if "unknown function" in why:
        name = why.rpartition("name ")[2].strip("'")
        meant = nearest(name, _FUNCTIONS)
        return f"did you mean {meant}?" if meant else "look for its name in Prometheus' list of functions"
    return "try it in Prometheus' own page first; put it in single quotes, or behind `|`"


_FUNCTIONS = (
    "avg", "avg_over_time", "clamp_max", "clamp_min", "count", "count_over_time", "delta", "histogram_quantile",
    "increase", "irate", "last_over_time", "max", "max_over_time", "min", "min_over_time", "quantile",
    "quantile_over_time", "rate", "scalar", "stddev", "stddev_over_time", "sum", "sum_over_time", "time", "vector",
)  # fmt: skip
"""Those that people reach for, to find the one that was meant."""


def _cut_short(way: Way, document: Document) -> bool:
    """Whether a plain scalar ends at a comment, which may have been part of it."""
    span = document.span(way)
    written = document.text[span.start : span.end]
    return written[:1] not in "'\"|>" and document.text[span.end :].lstrip(" \t").startswith("#")


def _value(read: promql.Expression, way: Way) -> Iterator[Fault]:
    if read.type not in ("instant vector", "scalar"):
        message = f"value answers a {read.type}, and a bound needs a figure"
        hint = (
            "wrap it in a function such as avg_over_time(…)" if read.type == "range vector" else "write an expression"
        )
        yield VALUE_OF_WRONG_TYPE.at(way, message, hint)
    if read.compares is not None:
        key = "maximum" if read.compares.startswith(">") else "minimum"
        outcome = "answers 0 or 1" if read.compares.endswith("bool") else "has no answer while all is well"
        message = f"value compares by itself ({read.compares}): it {outcome}"
        yield VALUE_COMPARES.at(way, message, f"write the expression alone, and the bound as `{key}`")
