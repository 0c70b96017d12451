"""Our comparison of counts, given the prior of Lindon and Malek (arXiv 2011.03567), is their sequential test.

Both average the same likelihood ratios over what the canary's share of bad events might be. They spread the stake
evenly over all shares; ours lies on ratios worth a revert. With their stake, our closed form gives their e-values.

Not held, because nothing like it ships: group-sequential bounds (they need the number of looks beforehand), and the
mixtures, stitched bounds and quantile tests of confseq (for means and quantiles; ours are counts).
"""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from reference import FOLDER, content

from tidegate.core.judging.comparison import _ratio_evidence, as_e_value
from tidegate.core.judging.verdict import Tally

ROWS: list[dict[str, Any]] = json.loads(content(FOLDER / "sequential-bounds" / "event_count_e_values.json"))["cases"]
SHARES = [(index + 0.5) / 40_000 for index in range(40_000)]


def named(row: dict[str, Any]) -> str:
    return f"{row['canary_bad_events']}-of-{row['total_bad_events']}-at-{row['canary_share']}"


def test_all_rows_are_there() -> None:
    assert len(ROWS) == 12


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_their_stake_on_our_closed_form_is_their_e_value(row: dict[str, Any]) -> None:
    traffic, mine, bad = row["canary_share"], row["canary_bad_events"], row["total_bad_events"]
    ratios = [share / (1 - share) * (1 - traffic) / traffic for share in SHARES]
    cell = (Tally(bad=mine, total=1e6 * traffic), Tally(bad=bad - mine, total=1e6 * (1 - traffic)))
    (evidence,) = _ratio_evidence([cell], 1.0, ratios, 1.0)
    # Evidence is a running maximum that begins at 1: where theirs is below, nothing has been seen against the claim.
    assert evidence == pytest.approx(max(row["log_e"], 0), abs=1e-6)
    assert min(1, 1 / as_e_value(evidence)) == pytest.approx(row["always_valid_p"], rel=1e-6)
    assert (evidence >= -math.log(0.01)) is row["reject_at_0_01"]
