"""Rule groups as the text of a Prometheus rule file. People read it too: expressions in blocks, labels on one line.

Prometheus reads it with a parser of YAML 1.1 and 1.2: what either would misread is quoted (`scalars`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from tidegate.core.alerting.alerts import Alert, Group, Recording
from tidegate.core.alerting.queries import span
from tidegate.core.yaml.layout import flow
from tidegate.core.yaml.scalars import written

HEADER = "# Written by `tidegate rules`. Do not edit: the next run writes it again."
INTERVAL = timedelta(minutes=1)
"""Shorter than the five minutes for which Prometheus goes on showing a sample, so that no recorded series has gaps."""


def text(groups: Sequence[Group]) -> str:
    """The whole file."""
    lines = [HEADER, "groups:", *(f"  {line}" for group in groups for line in _group(group))]
    return "\n".join(lines if groups else [HEADER, "groups: []"]) + "\n"


def _group(group: Group) -> Iterator[str]:
    yield f"- name: {written(group.name)}"
    yield f"  interval: {span(INTERVAL)}"
    yield "  rules:"
    yield from (f"    # {remark}" for remark in group.remarks)
    yield from (f"    {line}" for rule in group.rules for line in _rule(rule))


def _rule(rule: Recording | Alert) -> Iterator[str]:
    yield f"- {'alert' if isinstance(rule, Alert) else 'record'}: {rule.name}"
    yield from (f"  {line}" for line in _expression(rule.expression))
    if isinstance(rule, Alert) and rule.lasting:
        yield f"  for: {span(rule.lasting)}"
    yield f"  labels: {flow(dict(rule.labels))}"
    if isinstance(rule, Alert):
        yield "  annotations:"
        yield from (f"    {line}" for line in _entries(rule.annotations))


def _expression(expression: str) -> Iterator[str]:
    """What a block scalar may not hold is written with escapes instead: a selector may hold any character."""
    lines = expression.split("\n")
    if not all(line.isprintable() for line in lines):
        yield "expr: " + written(expression, '"')
        return
    yield "expr: |-"
    yield from (f"  {line}" for line in lines)


def _entries(mapping: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{written(key)}: {written(value)}" for key, value in mapping.items())
