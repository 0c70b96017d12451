"""Gates: what passes, what stops a candidate, and what cannot be judged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tidegate.core.gates import Outcome, digest, evaluate, passed
from tidegate.core.manifest import Gate

NAN, INF = float("nan"), float("inf")
LOSS = Gate(metric="loss", maximum=1.0, max_drop=0.05)
DROP = Gate(metric="auc", max_drop=0.005)


@pytest.mark.parametrize(
    ("gate", "candidate", "champion", "outcomes"),
    [
        pytest.param(Gate(metric="auc", minimum=0.8), {"auc": 0.8}, None, "passed", id="the-minimum-itself-passes"),
        pytest.param(Gate(metric="auc", minimum=0.8), {"auc": 0.7999}, None, "failed", id="below-the-minimum"),
        pytest.param(Gate(metric="loss", maximum=0.3), {"loss": 0.3}, None, "passed", id="the-maximum-itself-passes"),
        pytest.param(Gate(metric="loss", maximum=0.3), {"loss": 0.31}, None, "failed", id="above-the-maximum"),
        pytest.param(Gate(metric="auc", minimum=0.8), {}, None, "failed", id="a-metric-that-was-not-logged"),
        pytest.param(Gate(metric="auc", minimum=0.8), {"auc": NAN}, None, "failed", id="nan-above-a-minimum"),
        pytest.param(Gate(metric="loss", maximum=0.8), {"loss": NAN}, None, "failed", id="nan-below-a-maximum"),
        pytest.param(Gate(metric="auc", minimum=0.8), {"auc": INF}, None, "failed", id="infinitely-good"),
        pytest.param(DROP, {"auc": NAN}, {"auc": 0.9}, "failed", id="nan-against-the-champion"),
        pytest.param(DROP, {"auc": 0.845}, {"auc": 0.85}, "passed", id="a-drop-of-exactly-max-drop"),
        pytest.param(DROP, {"auc": 0.8449}, {"auc": 0.85}, "failed", id="a-drop-beyond-max-drop"),
        pytest.param(DROP, {"auc": 0.9}, {"auc": 0.85}, "passed", id="better-than-the-champion"),
        pytest.param(DROP, {"auc": 0.1}, None, "not judged", id="no-champion-yet"),
        pytest.param(DROP, {"auc": 0.9}, {}, "not comparable", id="a-champion-without-the-metric"),
        pytest.param(DROP, {"auc": 0.9}, {"auc": NAN}, "not comparable", id="a-champion-without-a-number"),
        pytest.param(LOSS, {"loss": 0.55}, {"loss": 0.5}, "passed passed", id="lower-is-better-within-max-drop"),
        pytest.param(LOSS, {"loss": 0.56}, {"loss": 0.5}, "passed failed", id="lower-is-better-beyond-max-drop"),
        pytest.param(LOSS, {"loss": 0.1}, {"loss": 0.5}, "passed passed", id="lower-is-better-and-lower"),
    ],
)
def test_one_bound(gate: Gate, candidate: dict[str, float], champion: dict[str, float] | None, outcomes: str) -> None:
    results = evaluate([gate], candidate, champion)
    assert " ".join(result.outcome.value for result in results) == outcomes
    assert passed(results) == (not {"failed", "not comparable"} & {result.outcome.value for result in results})


def test_a_warning_says_so_and_stops_nothing() -> None:
    (result,) = evaluate([Gate(metric="auc", minimum=0.9, failing=False)], {"auc": 0.5}, None)
    assert result.outcome is Outcome.FAILED
    assert passed([result])
    assert result.words == "auc 0.5 < minimum 0.9 (warning only)"


def test_one_failing_gate_among_many_stops_the_candidate() -> None:
    gates = [Gate(metric="auc", minimum=0.5), Gate(metric="recall", minimum=0.9)]
    results = evaluate(gates, {"auc": 0.9, "recall": 0.89}, None)
    assert [result.outcome for result in results] == [Outcome.PASSED, Outcome.FAILED]
    assert not passed(results)


def test_the_words_against_a_champion_carry_both_figures() -> None:
    (result,) = evaluate([DROP], {"auc": 0.84}, {"auc": 0.85})
    assert result.words == "auc 0.84 against the champion's 0.85: 0.01 worse, maxDrop 0.005"
    assert result.bound == 0.845


def test_no_gates_pass() -> None:
    assert passed(evaluate([], {}, None))


def test_other_gates_have_another_digest() -> None:
    assert digest([DROP]) == digest([replace(DROP)])
    assert digest([DROP]) != digest([replace(DROP, max_drop=0.006)])
