"""Whether values tell versions apart and stay what they were, and whether late labels are compared."""

from __future__ import annotations

import pytest

from support.inspecting import inspected, split
from tidegate.core.checks import readings

RULES = {rule.id for rule in readings.RULES} - {readings.NOTHING_COUNTED.id}
MANIFEST = "models/churn/model.yaml:"


def found(objective: str, rest: str = "\n  environments: {production: {}}\n") -> list[str]:
    text = f"spec:\n  objectives:\n    {objective}{rest}"
    return [str(finding).removeprefix(MANIFEST) for finding in inspected(split(text)) if finding.rule in RULES]


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        pytest.param(
            "drift: {value: max(feature_drift), maximum: 1}",
            [
                (
                    "5:20: warning value-of-all-versions: drift is one value for all versions, and reverts none of "
                    'them (the default effect); fix: write `effect: block`, or ask for `version="{{ version }}"`'
                ),
            ],
            id="the default effect is to revert",
        ),
        pytest.param(
            "drift: {value: max(feature_drift), maximum: 1, effect: revert}",
            [
                (
                    "5:60: warning value-of-all-versions: drift is one value for all versions, and reverts none of "
                    'them; fix: write `effect: block`, or ask for `version="{{ version }}"`'
                ),
            ],
            id="said plainly",
        ),
        pytest.param("drift: {value: max(x), maximum: 1, effect: block}", [], id="it may block"),
        pytest.param("drift: {value: max(x), maximum: 1, effect: inform}", [], id="it may inform"),
        pytest.param("drift: {value: max by (version) (x), maximum: 1}", [], id="a series for each version"),
        pytest.param("drift: {value: 'max(x{version=\"{{ version }}\"})', maximum: 1}", [], id="asked by version"),
        pytest.param(
            "drift: {value: max(x @ end ()), maximum: 1, effect: block}",
            ["5:20: error value-moves: @ end () is another instant at every pass; fix: take it out"],
            id="the end of the question",
        ),
        pytest.param("drift: {value: max(x @ 1767268800), maximum: 1, effect: block}", [], id="a fixed instant"),
    ],
)
def test_values(objective: str, expected: list[str]) -> None:
    assert found(objective) == expected


LATE = "quality: {bad: age, total: age, target: 90%, labels: {served: predictions_total, delay: 7d}}"


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        pytest.param("\n  environments: {production: {}}", [], id="the last environment canaries"),
        pytest.param(
            "\n  rollout: {steps: []}\n  environments: {production: {}}",
            [
                (
                    "5:50: warning labels-compared-nowhere: no two versions serve side by side: quality compares "
                    "nothing; fix: give `steps` a weight, such as [50%]"
                ),
            ],
            id="no canary anywhere",
        ),
    ],
)
def test_late_labels(rest: str, expected: list[str]) -> None:
    assert found(LATE, rest) == expected


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        pytest.param(
            "window: 7d",
            [
                (
                    "5:37: warning setting-without-effect: quality judges by late labels: it has no error budget, and "
                    "nothing alerts by it; fix: take it out"
                )
            ],
            id="a budget's window",
        ),
        pytest.param(
            "effect: block",
            [
                (
                    "5:45: warning setting-without-effect: quality judges by late labels, which never hold an advance "
                    "or a finish up; fix: write `revert`, or `inform`"
                )
            ],
            id="an effect that they cannot have",
        ),
        pytest.param("effect: inform", [], id="they may inform"),
        pytest.param("effect: revert", [], id="they may revert"),
    ],
)
def test_what_late_labels_have_no_use_for_is_said(setting: str, expected: list[str]) -> None:
    assert found(LATE.replace("target: 90%", f"{setting}, target: 90%"), COUNTED) == expected


VALUE = "drift: {value: 'max(x{version=\"{{ version }}\"})', maximum: 1}"
COUNTED = "\n    errors: {bad: b, total: t, target: 99%}"


@pytest.mark.parametrize(
    ("text", "rest", "expected"),
    [
        pytest.param(
            VALUE,
            "\n  environments: {production: {}}",
            [
                (
                    "5:5: error nothing-counted: nothing counts the answers of a canary in production: no event shows "
                    "that it serves; fix: add an objective on events, such as `{preset: http-availability, "
                    "target: 99.5%}`"
                ),
            ],
            id="a value alone",
        ),
        pytest.param(
            LATE,
            "\n  environments: {production: {}}",
            [
                (
                    "5:5: error nothing-counted: nothing counts the answers of a canary in production: no event shows "
                    "that it serves; fix: add an objective on events, such as `{preset: http-availability, "
                    "target: 99.5%}`"
                ),
            ],
            id="late labels alone",
        ),
        pytest.param(VALUE + COUNTED, "\n  environments: {production: {}}", [], id="events beside it"),
        pytest.param(
            VALUE, "\n  rollout: {steps: []}\n  environments: {production: {}}", [], id="versions enter at once"
        ),
        pytest.param("a: {preset: unknown}", "\n  environments: {production: {}}", [], id="what lacks something"),
    ],
)
def test_a_canary_is_counted(text: str, rest: str, expected: list[str]) -> None:
    found = inspected(split(f"spec:\n  objectives:\n    {text}{rest}\n"))
    mine = [str(each).removeprefix(MANIFEST) for each in found if each.rule == readings.NOTHING_COUNTED.id]
    assert mine == expected
