"""Which series are looked for, and where."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from support.diagnosing import model
from tidegate.core.diagnosis.selectors import selectors
from tidegate.core.manifest import Objective, Target
from tidegate.core.pin import Canary, Pin
from tidegate.core.quantity import VersionPin
from tidegate.core.workspace import MetricLabels

PLACE = ("churn", "production")
STABLE = VersionPin(version=11, digest="sha256:" + "1" * 64)
CANARY = Canary(pin=VersionPin(version=12, digest="sha256:" + "2" * 64), weight=0.1)
SERVES = {PLACE: Pin(stable=STABLE)}
SCOPE = 'model="churn",environment="production"'


def texts(*objectives: Objective, ready: str | None = None, pin: Pin = SERVES[PLACE]) -> list[str]:
    plain = model()
    (production,) = plain.environments
    changed = replace(production, objectives=objectives, target=Target(ready=ready))
    found = selectors([replace(plain, environments=(changed,))], {PLACE: pin}, MetricLabels())
    return [selector.text for selector in found]


BAD = Objective(name="a", target=0.9, bad="errors_total", total="requests_total")
GOOD = Objective(name="b", target=0.9, good="quick_total", total="requests_total")
HISTOGRAM = Objective(name="c", target=0.9, histogram="seconds", under=timedelta(seconds=1))


@pytest.mark.parametrize(
    ("objective", "wanted"),
    [
        pytest.param(BAD, [f"requests_total{{{SCOPE}}}"], id="bad-events-may-be-absent"),
        pytest.param(GOOD, [f"requests_total{{{SCOPE}}}", f"quick_total{{{SCOPE}}}"], id="good-events-may-not"),
        pytest.param(
            HISTOGRAM,
            [f"seconds_count{{{SCOPE}}}", f'seconds_bucket{{{SCOPE},le=~"1([.]0*)?"}}'],
            id="the-bucket-at-the-bound-may-not",
        ),
        pytest.param(replace(BAD, total="sum(x)"), [], id="what-is-no-selector-is-left-to-validate"),
    ],
)
def test_counters_are_looked_for_without_a_version(objective: Objective, wanted: list[str]) -> None:
    assert texts(objective) == wanted


def test_readiness_is_looked_for_by_every_version_that_serves() -> None:
    wanted = [f'model_ready{{{SCOPE},version=~"11|12"}}']
    assert texts(ready="model_ready", pin=Pin(stable=STABLE, canary=CANARY)) == wanted
    assert texts(ready="sum(x)") == []


@pytest.mark.parametrize("pins", [{}, {PLACE: Pin()}, {("churn", "staging"): Pin(stable=STABLE)}])
def test_where_nothing_is_stable_nothing_is_looked_for(pins: dict[tuple[str, str], Pin]) -> None:
    assert selectors([model()], pins, MetricLabels()) == []


def test_the_bare_selector_is_the_persons_own() -> None:
    (selector,) = selectors([model()], SERVES, MetricLabels())
    assert (selector.text, selector.bare) == (f"requests_total{{{SCOPE}}}", "requests_total{}")
