"""What quantities of a policy must lie between; and the reader refuses what `validate` calls an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from support.inspecting import SCHEMAS, inspected, split
from tidegate.core import bounds, instants
from tidegate.core.checks import later, objectives, rollout
from tidegate.core.checks.clock import UNKNOWN_TIME_ZONE
from tidegate.core.checks.rule import Rule
from tidegate.core.read import read_model, read_workspace
from tidegate.core.workspace import Workspace
from tidegate.errors import InvalidManifest


@pytest.mark.parametrize(
    ("convert", "good", "bad"),
    [
        pytest.param(bounds.steps, [["10%", 0.5], []], [["50%", "10%"], ["0%"], ["100%"], [float("nan")]], id="steps"),
        pytest.param(bounds.target, ["99.5%", 0.001], [0, 1, "100%", float("nan")], id="target"),
        pytest.param(bounds.rate_of_errors, ["1%", 0.49], [0, "0%", "50%", 1, float("nan")], id="rate of errors"),
        pytest.param(bounds.resolution, ["100ms", "1m"], ["0s", "99ms", "200w200w200w2000w5000w"], id="resolution"),
        pytest.param(bounds.window, ["1h", "366d"], ["59m", "367d"], id="window"),
        pytest.param(bounds.under, ["1ms", "2h"], ["0s"], id="under"),
        pytest.param(bounds.number, [0, -1.5, 10**40], [float("inf"), float("nan"), "1"], id="number"),
        pytest.param(
            instants.zone, ["UTC", "Europe/Berlin"], ["CEST", "Europe/Berln", "../../etc", "a" * 300], id="zone"
        ),
        pytest.param(
            instants.local, ["2028-02-29", "2026-01-01T23:59"], ["2027-02-29", "2026-01-01T24:59"], id="local"
        ),
        pytest.param(
            instants.instant,
            ["2026-01-01T10:00:00Z", "2026-01-01T10:00+14:00"],
            ["2026-01-01T10:00:00", "2026-01-01T10:00:00+25:00", "2026-02-30T10:00:00Z"],
            id="instant",
        ),
    ],
)
def test_what_means_something(convert: Callable[[Any], object], good: list[Any], bad: list[Any]) -> None:
    for value in good:
        convert(value)
    for value in bad:
        with pytest.raises(ValueError, match=r"\w"):
            convert(value)


REFUSED = (
    rollout.STEPS_DO_NOT_RISE,
    rollout.ERROR_RATE_OUT_OF_RANGE,
    rollout.CELL_TOO_SHORT,
    objectives.UNKNOWN_PRESET,
    objectives.INCOMPLETE_OBJECTIVE,
    objectives.MIXED_OBJECTIVE,
    objectives.TARGET_OUT_OF_RANGE,
    later.NOT_AVAILABLE,
)


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.id) for rule in REFUSED])
def test_the_reader_refuses_a_manifest_that_breaks_the_rule(rule: Rule) -> None:
    head = "apiVersion: tidegate.dev/v1alpha1\nkind: Model\nmetadata: {name: churn}\n"
    bad, good = (whole(head + text) for text in (rule.bad, rule.good))
    assert read_model(good, "models/churn/model.yaml", SCHEMAS, Workspace()).name == "churn"
    with pytest.raises(InvalidManifest):
        read_model(bad, "models/churn/model.yaml", SCHEMAS, Workspace())


def whole(text: str) -> str:
    """A rule shows the part that matters; here it gets the rest."""
    if "environments:" in text:
        return text
    return text.replace("spec: {", "spec: {environments: {production: {}}, ", 1)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("defaults: {falseRevertRate: 0%}", id="a rate in the defaults"),
        pytest.param("dispersion: .inf", id="an infinite dispersion"),
        pytest.param("hold: {reason: audit, until: '2026-02-30T10:00:00Z'}", id="a hold until a day that is not"),
        pytest.param(UNKNOWN_TIME_ZONE.bad.partition("\n")[2], id="an unknown time zone"),
    ],
)
def test_the_reader_refuses_a_workspace_that_breaks_a_rule(text: str) -> None:
    path, whole = "tidegate.yaml", f"apiVersion: tidegate.dev/v1alpha1\nkind: Workspace\n{text}\n"
    with pytest.raises(InvalidManifest) as refused:
        read_workspace(whole, path, SCHEMAS)
    (told,) = inspected(split(f"# {path}\n{whole}"))
    assert told.line == refused.value.findings[0].line


def test_objectives_that_nothing_overrides_are_read_once() -> None:
    text = (
        "apiVersion: tidegate.dev/v1alpha1\nkind: Model\nmetadata: {name: churn}\nspec:\n"
        "  objectives: {a: {bad: f, total: t, target: 99%}, b: {bad: f, total: t, target: 99%}}\n"
        "  environments:\n"
        "    {one: {}, two: {objectives: {a: {target: 95%}, c: {bad: f, total: t, target: 9%}}}, three: {}}\n"
    )
    one, two, three = read_model(text, "models/churn/model.yaml", SCHEMAS, Workspace()).environments
    assert [objective.target for objective in two.objectives] == [0.95, 0.99, 0.09]
    assert one.objectives is three.objectives
    assert one.objectives[1] is two.objectives[1]
