"""What is looked for, and where."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from support.diagnosing import model
from tidegate.core.diagnosis.selectors import Read, reads
from tidegate.core.manifest import Effect, Environment, Judge, Labels, Mean, Objective, Target, ValueObjective
from tidegate.core.pin import Canary, Pin
from tidegate.core.quantity import VersionPin
from tidegate.core.workspace import MetricLabels

PLACE = ("churn", "production")
STABLE = VersionPin(version=11, digest="sha256:" + "1" * 64)
CANARY = Canary(pin=VersionPin(version=12, digest="sha256:" + "2" * 64), weight=0.1)
SERVES = {PLACE: Pin(stable=STABLE)}
SCOPE = 'model="churn",environment="production"'

BAD = Objective(name="a", target=0.9, bad="errors_total", total="requests_total")
GOOD = Objective(name="b", target=0.9, good="quick_total", total="requests_total")
HISTOGRAM = Objective(name="c", target=0.9, histogram="seconds", under=timedelta(seconds=1))
MEAN = Objective(
    name="d",
    target=0.9,
    total="visits_total",
    mean=Mean(sum="income_total", low=0, high=9, higher_is_better=True, squares="squared_total"),
)
LATE = Objective(
    name="e",
    target=0.9,
    bad="wrong_age",
    total="labels_age",
    labels=Labels(served="predictions_total", delay=timedelta(days=7)),
)
VALUE = ValueObjective(name="drift", value='drift{version="{{ version }}",model="{{ model }}"}', maximum=0.2)


def found(pin: Pin = SERVES[PLACE], **changes: object) -> list[Read]:
    plain = model()
    (production,) = plain.environments
    changed: Environment = replace(production, **{"objectives": (), **changes})  # type: ignore[arg-type]
    return reads([replace(plain, environments=(changed,))], {PLACE: pin}, MetricLabels())


def texts(*objectives: Objective) -> list[tuple[str, str, bool]]:
    return [(each.key, each.text, each.optional) for one in found(objectives=objectives) for each in one.counters]


@pytest.mark.parametrize(
    ("objective", "wanted"),
    [
        pytest.param(
            BAD,
            [("total", f"requests_total{{{SCOPE}}}", False), ("bad", f"errors_total{{{SCOPE}}}", True)],
            id="bad-events-may-be-absent",
        ),
        pytest.param(
            GOOD,
            [("total", f"requests_total{{{SCOPE}}}", False), ("good", f"quick_total{{{SCOPE}}}", False)],
            id="good-events-may-not",
        ),
        pytest.param(
            HISTOGRAM,
            [
                ("histogram", f"seconds_count{{{SCOPE}}}", False),
                ("under", f'seconds_bucket{{{SCOPE},le=~"1([.]0*)?"}}', False),
            ],
            id="the-bucket-at-the-bound-may-not",
        ),
        pytest.param(
            MEAN,
            [
                ("total", f"visits_total{{{SCOPE}}}", False),
                ("sum", f"income_total{{{SCOPE}}}", False),
                ("squares", f"squared_total{{{SCOPE}}}", False),
            ],
            id="a-mean",
        ),
        pytest.param(replace(BAD, total="sum(x)"), [], id="what-is-no-selector-is-left-to-validate"),
    ],
)
def test_counters_are_looked_for_without_a_version(objective: Objective, wanted: list[tuple[str, str, bool]]) -> None:
    assert texts(objective) == wanted


def test_late_labels_are_looked_for_in_their_own_steps() -> None:
    (read,) = found(late=(LATE,))
    assert [(each.key, each.text, each.optional) for each in read.counters] == [
        ("labels.served", f"predictions_total{{{SCOPE}}}", False),
        ("total", f"labels_age_bucket{{{SCOPE}}}", False),
        ("bad", f"wrong_age_bucket{{{SCOPE}}}", True),
    ]
    assert read.counters[0].resolution > read.resolution


def test_a_value_is_asked_for_each_version_that_serves() -> None:
    (read,) = found(values=(VALUE,), pin=Pin(stable=STABLE, canary=CANARY))
    assert read.expressions == ('drift{version="11",model="churn"}', 'drift{version="12",model="churn"}')
    (read,) = found(values=(replace(VALUE, value="max(drift)"),), pin=Pin(stable=STABLE, canary=CANARY))
    assert read.expressions == ("max(drift)",)


def test_readiness_is_looked_for_by_every_version_that_serves() -> None:
    wanted = [f'model_ready{{{SCOPE},version=~"11|12"}}']
    (read,) = found(target=Target(ready="model_ready"), pin=Pin(stable=STABLE, canary=CANARY))
    assert [each.text for each in read.counters] == wanted
    assert found(target=Target(ready="sum(x)")) == []


@pytest.mark.parametrize("pins", [{}, {PLACE: Pin()}, {("churn", "staging"): Pin(stable=STABLE)}])
def test_where_nothing_is_stable_nothing_is_looked_for(pins: dict[tuple[str, str], Pin]) -> None:
    assert reads([model()], pins, MetricLabels()) == []


READY = Target(ready="model_ready")


@pytest.mark.parametrize(
    ("changes", "idle"),
    [
        pytest.param({}, ["", "", "", ""], id="a-canary-waits-for-all"),
        pytest.param(
            {"canaries": False, "judge": Judge.OBJECTIVES},
            ["", "production has no rollout", "", ""],
            id="what-bakes-waits-for-no-late-labels",
        ),
        pytest.param(
            {"canaries": False, "judge": Judge.READY},
            [
                "production is judged by readiness",
                "production has no rollout",
                "production is judged by readiness",
                "",
            ],
            id="by-readiness",
        ),
        pytest.param(
            {"canaries": False, "judge": Judge.READY, "target": Target()},
            ["", "production has no rollout", "production is judged by readiness"],
            id="without-a-gauge-events-tell-whether-it-serves",
        ),
        pytest.param(
            {"canaries": False, "judge": Judge.NONE},
            ["nothing is judged in production (judge: none)"] * 4,
            id="nothing-is-judged",
        ),
        pytest.param(
            {"objectives": (replace(BAD, effect=Effect.INFORM),)},
            ["its effect is `inform`", "", "", ""],
            id="what-only-informs",
        ),
    ],
)
def test_what_nothing_waits_for_is_told(changes: dict[str, object], idle: list[str]) -> None:
    plain: dict[str, object] = {"objectives": (BAD,), "late": (LATE,), "values": (VALUE,), "target": READY}
    assert [read.idle for read in found(**{**plain, **changes})] == idle  # type: ignore[arg-type]
