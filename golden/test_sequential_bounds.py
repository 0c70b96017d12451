"""Our e-processes are published ones: given another's stake, each closed form gives that method's figures.

All average an exponential over what might be true instead; only where they lay the stake differs. Ours lies on a few
values worth a revert. Theirs is spread

- for counts of two arms, evenly over all shares: Lindon and Malek, arXiv 2011.03567;
- for one arm against its objective, by a truncated beta law over all greater rates: the one-sided beta-binomial mixture
  of confseq;
- for means with squares, which are empirical Bernstein, by a truncated gamma law over λ: its gamma-exponential mixture.

Means without squares are the closed form of two arms, with sums in the place of counts.

Not held, because nothing like it ships: group-sequential bounds (they need the number of looks beforehand), and of
confseq the normal and Poisson mixtures, two-sided and stitched bounds, and tests of quantiles.
"""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from reference import FOLDER, content

from tidegate.core.judging import means
from tidegate.core.judging.comparison import _rate_evidence, _ratio_evidence, as_e_value
from tidegate.core.judging.means import _Variances
from tidegate.core.judging.verdict import Tally

ROWS: list[dict[str, Any]] = json.loads(content(FOLDER / "sequential-bounds" / "event_count_e_values.json"))["cases"]
CONFSEQ: dict[str, Any] = json.loads(content(FOLDER / "sequential-bounds" / "confidence_sequences.json"))
POINTS = [(index + 0.5) / 40_000 for index in range(40_000)]
"""Of the unit interval, each standing for as much of it: integrals are sums over them."""


def named(row: dict[str, Any]) -> str:
    return f"{row['canary_bad_events']}-of-{row['total_bad_events']}-at-{row['canary_share']}"


def their_precision() -> float:
    """`best_rho` of a one-sided mixture: the formula stands in the file, at twice the level."""
    doubled = 2 * math.log(1 / (2 * CONFSEQ["alpha_opt"]))
    return float(CONFSEQ["v_opt"] / (doubled + math.log1p(doubled)))


def adding_up_to_one(weights: list[float]) -> list[float]:
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def log_mean(weights: list[float], terms: list[float]) -> float:
    return math.log(math.fsum(weight * math.exp(term) for weight, term in zip(weights, terms, strict=True)))


def test_all_rows_are_there() -> None:
    assert len(ROWS) == 12


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_their_stake_on_our_closed_form_is_their_e_value(row: dict[str, Any]) -> None:
    traffic, mine, bad = row["canary_share"], row["canary_bad_events"], row["total_bad_events"]
    ratios = [share / (1 - share) * (1 - traffic) / traffic for share in POINTS]
    cell = (Tally(bad=mine, total=1e6 * traffic), Tally(bad=bad - mine, total=1e6 * (1 - traffic)))
    (evidence,) = _ratio_evidence([cell], 1.0, ratios, 1.0)
    # Evidence is a running maximum that begins at 1: where theirs is below, nothing has been seen against the claim.
    assert evidence == pytest.approx(max(row["log_e"], 0), abs=1e-6)
    assert min(1, 1 / as_e_value(evidence)) == pytest.approx(row["always_valid_p"], rel=1e-6)
    assert (evidence >= -math.log(0.01)) is row["reject_at_0_01"]


def test_at_their_bound_our_evidence_on_a_rate_is_their_level() -> None:
    """Events are bad at a rate of g, so that n of them have a variance of g·h·n, and s is how many too many are bad."""
    theirs, precision = CONFSEQ["beta_binomial_one_sided"], their_precision()
    allowed, variance, excess = theirs["g"], theirs["bound"]["v"], theirs["bound"]["expected"]
    assert allowed + theirs["h"] == 1
    events, spread = variance / (allowed * (1 - allowed)), precision - allowed * (1 - allowed)
    rates = [allowed + (1 - allowed) * point for point in POINTS]
    stakes = adding_up_to_one(
        [rate ** (spread / (1 - allowed) - 1) * (1 - rate) ** (spread / allowed - 1) for rate in rates]
    )
    cell = Tally(bad=events * allowed + excess, total=events)
    (evidence,) = _rate_evidence([cell], allowed, list(zip(stakes, rates, strict=True)), 1.0)
    assert evidence == pytest.approx(-math.log(CONFSEQ["alpha"]), abs=CONFSEQ["abs_tol"])


def of_means(monkeypatch: pytest.MonkeyPatch, total: float, variance: float, scale: float) -> float:
    """Their mixture by our gains: figures that add up to so much more than the claim, with so much variance around the
    mean before. Stable's figures are all alike, and so many that only the canary's chance counts."""
    precision = their_precision() / scale**2
    stakes = adding_up_to_one([point ** (precision - 1) * math.exp(-precision * point) for point in POINTS])
    monkeypatch.setattr(means, "_LAMBDAS", [1 - point for point in POINTS])
    evidence, events, excess = _Variances(1.0, upward=True), 1000.0, total / scale
    alike = Tally(bad=0.5e12, total=1e12, squares=0.25e12)
    evidence.add(Tally(bad=5, total=10, squares=5), alike)
    bad = events / 2 + excess
    # Σ(x − ½)² = Σx² − Σx + n/4
    evidence.add(Tally(bad=bad, total=events, squares=variance / scale**2 + bad - events / 4), alike)
    return log_mean(stakes, evidence.sums)


def test_their_stake_on_our_evidence_on_means_is_their_mixture(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = CONFSEQ["gamma_exponential"]
    row = theirs["log_mixture"]
    found = of_means(monkeypatch, row["s"], row["v"], theirs["c"])
    assert found == pytest.approx(row["expected"], abs=CONFSEQ["abs_tol"])


def test_at_their_bound_our_evidence_on_means_is_their_level(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = CONFSEQ["gamma_exponential"]
    row = theirs["bound"]
    found = of_means(monkeypatch, row["expected"], row["v"], theirs["c"])
    assert found == pytest.approx(-math.log(CONFSEQ["alpha"]), abs=CONFSEQ["abs_tol"])
