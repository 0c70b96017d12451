"""What `make bench-judge` simulates is what judges: its evidence for many rollouts at once is the program's own."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tidegate.core.judging.comparison import inside_evidence, ruled_out_evidence, worse_evidence
from tidegate.core.judging.verdict import Tally

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
def test_the_program_is_the_published_method(base: float, ratio: float) -> None:
    drawn = counts(base, ratio)
    published = np.log(np.maximum(SIMULATED["reference_method"](drawn, 1.1), 1))
    ours = [list(worse_evidence(cells(drawn, rollout), 1.1, 1.0)) for rollout in range(ROLLOUTS)]
    np.testing.assert_allclose(ours, published, rtol=1e-7, atol=1e-7)
