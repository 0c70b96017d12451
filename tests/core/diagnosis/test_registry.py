"""MLflow: how it turns us away, how old it is, and where the bytes are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.diagnosing import MLFLOW, NOT_TOLD, broken, not_seen
from tidegate.core.diagnosis.registry import Refusal, RegistryFacts, TurnedAway, examine
from tidegate.core.diagnosis.remark import Complaint, Unknown, Unseen


@pytest.mark.parametrize(
    ("facts", "rules"),
    [
        pytest.param(MLFLOW, [], id="as-it-should-be"),
        pytest.param(replace(MLFLOW, version="2.22.1"), ["mlflow-version"], id="the-version-before"),
        pytest.param(replace(MLFLOW, version="3.0.1"), ["mlflow-version"], id="the-first-of-three"),
        pytest.param(replace(MLFLOW, version="3.1.0rc1"), [], id="the-oldest-that-will-do"),
        pytest.param(replace(MLFLOW, version="dev"), [], id="a-version-without-numbers"),
        pytest.param(replace(MLFLOW, proxied=False), ["mlflow-artifact-proxy"], id="the-proxy-is-off"),
        pytest.param(replace(MLFLOW, store="s3"), ["mlflow-artifact-proxy"], id="straight-to-a-bucket"),
        pytest.param(replace(MLFLOW, store="file"), ["mlflow-local-store"], id="a-folder-by-its-address"),
        pytest.param(replace(MLFLOW, store=""), ["mlflow-local-store"], id="a-folder"),
        pytest.param(replace(MLFLOW, unreadable="no boto3"), ["artifacts-unreadable"], id="unreadable-files"),
    ],
)
def test_each_way_of_keeping_models_has_its_complaint(facts: RegistryFacts, rules: list[str]) -> None:
    assert broken(examine(facts)) == rules


@pytest.mark.parametrize(
    ("how", "rule"),
    [
        (Refusal.HOST, "mlflow-host"),
        (Refusal.SIGN_IN, "mlflow-sign-in"),
        (Refusal.DENIED, "mlflow-denied"),
        (Refusal.NOT_MLFLOW, "not-mlflow"),
    ],
)
def test_each_way_of_being_turned_away_has_its_complaint(how: Refusal, rule: str) -> None:
    assert broken(examine(TurnedAway(address="http://mlflow:5000", host="mlflow:5000", how=how))) == [rule]


def test_a_refused_host_name_is_named_in_the_fix() -> None:
    (complaint,) = examine(TurnedAway(address="http://mlflow.ml:5000", host="mlflow.ml:5000", how=Refusal.HOST))
    assert isinstance(complaint, Complaint)
    assert "--allowed-hosts including mlflow.ml:5000" in complaint.fix


def test_a_server_that_does_not_answer_is_unseen_and_silent() -> None:
    assert list(examine(Unknown(why="refused", silent=True))) == [
        Unseen(what="the registry", why="refused", silent=True)
    ]


def test_that_writing_is_not_tried_is_said() -> None:
    nothing = replace(MLFLOW, version=NOT_TOLD, store=NOT_TOLD, unreadable=NOT_TOLD)
    assert not_seen(examine(nothing)) == [
        "MLflow's version",
        "where MLflow keeps artifacts",
        "whether the files of a model can be read",
        "whether models can be registered",
    ]
    assert not_seen(examine(replace(MLFLOW, proxied=NOT_TOLD)))[0] == "whether MLflow serves artifacts"
