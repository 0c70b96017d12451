"""What `make bench-judge` simulates is what judges: its evidence for many rollouts at once is the program's own."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.counters import AVAILABILITY, canary_question
from tidegate.core.judging.against_objective import Stood
from tidegate.core.judging.burning import paging
from tidegate.core.judging.comparison import inside_evidence, ruled_out_evidence, worse_evidence
from tidegate.core.judging.verdict import Stage, Tally
from tidegate.core.manifest import Rollout

SIMULATED = runpy.run_path(str(Path(__file__).resolve().parents[3] / "bench" / "judging" / "evidence.py"))
ROLLOUTS, LOOKS = 20, 60
DISPERSION = np.linspace(1, 5, ROLLOUTS)


def counts(base: float, ratio: float) -> Any:
    """Thin traffic with empty looks on either side: whatever the closed form must not trip over."""
    rng = np.random.default_rng(3)
    subject = rng.poisson(rng.choice([0, 2, 30], (ROLLOUTS, LOOKS))).astype(float)
    reference = rng.poisson(rng.choice([0, 20, 300], (ROLLOUTS, LOOKS))).astype(float)
    return SIMULATED["Counts"](
        subject_bad=rng.binomial(subject.astype(int), base * ratio).astype(float),
        subject_total=subject,
        reference_bad=rng.binomial(reference.astype(int), base).astype(float),
        reference_total=reference,
    )


def cells(drawn: Any, rollout: int) -> Iterator[tuple[Tally, Tally]]:
    for look in range(LOOKS):
        yield (
            Tally(bad=drawn.subject_bad[rollout, look], total=drawn.subject_total[rollout, look]),
            Tally(bad=drawn.reference_bad[rollout, look], total=drawn.reference_total[rollout, look]),
        )


TRAFFIC = [
    pytest.param(0.02, 1.0, id="equal-versions"),
    pytest.param(0.02, 5.0, id="five-times-worse"),
    pytest.param(0.3, 2.0, id="errors-are-common"),
]


@pytest.mark.parametrize(("base", "ratio"), TRAFFIC)
@pytest.mark.parametrize(
    ("many", "one", "null"),
    [
        pytest.param("worse", worse_evidence, 1.1, id="worse"),
        pytest.param("ruled_out", ruled_out_evidence, 2.0, id="ruled-out"),
    ],
)
def test_a_comparison_of_many_rollouts_is_that_of_each(
    many: str, one: Callable[..., Iterator[float]], null: float, base: float, ratio: float
) -> None:
    drawn = counts(base, ratio)
    expected = [list(one(cells(drawn, rollout), null, DISPERSION[rollout])) for rollout in range(ROLLOUTS)]
    np.testing.assert_allclose(SIMULATED[many](drawn, null, DISPERSION), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("base", "ratio"), TRAFFIC)
def test_being_inside_the_objective_is_that_of_each(base: float, ratio: float) -> None:
    drawn = counts(base, ratio)
    expected = [
        list(inside_evidence((subject for subject, _ in cells(drawn, rollout)), 0.05, DISPERSION[rollout]))
        for rollout in range(ROLLOUTS)
    ]
    np.testing.assert_allclose(SIMULATED["inside"](drawn, 0.05, DISPERSION), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("base", "ratio"), TRAFFIC)
def test_a_version_on_probation_is_that_of_each(base: float, ratio: float) -> None:
    """The bound and both pairs, in cells of half an hour: their windows have 1 and 2, 1 and 12 of them."""
    drawn, objective = counts(base, ratio), replace(AVAILABILITY, target=0.98)
    policy = Rollout(dispersion=1.3, resolution=timedelta(minutes=30), minimum_events=20)
    question = replace(canary_question(), stage=Stage.PROBATION, rollout=policy)
    stood = [
        Stood(question, objective, range(LOOKS), [subject for subject, _ in cells(drawn, rollout)])
        for rollout in range(ROLLOUTS)
    ]
    bad, total = drawn.subject_bad, drawn.subject_total
    evidence = SIMULATED["outside"](bad, total, objective.budget, policy.dispersion)
    for each, outside in zip(stood, evidence, strict=True):
        np.testing.assert_allclose(each.evidence, outside[: len(each.evidence)], rtol=1e-7, atol=1e-7)
    trips = np.zeros_like(bad, dtype=bool)
    for index, (burn, windows) in enumerate(zip(paging(objective), [(1, 2), (1, 12)], strict=True)):
        needed = (stood[0].burning.after(1)[index].needed, policy.minimum_events)
        pair = SIMULATED["Pair"](short=windows[0], long=windows[1], factor=float(burn.factor), needed=needed)
        trips |= SIMULATED["burned"](bad, total, objective.budget, pair, policy.dispersion)
    tripped = [int(found.argmax()) if found.any() else None for found in trips]
    assert tripped == [each.burning.tripped for each in stood]


@pytest.mark.parametrize(("base", "ratio"), TRAFFIC)
def test_the_program_is_the_published_method(base: float, ratio: float) -> None:
    drawn = counts(base, ratio)
    published = np.log(np.maximum(SIMULATED["reference_method"](drawn, 1.1), 1))
    ours = [list(worse_evidence(cells(drawn, rollout), 1.1, 1.0)) for rollout in range(ROLLOUTS)]
    np.testing.assert_allclose(ours, published, rtol=1e-7, atol=1e-7)
