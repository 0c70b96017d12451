"""The training key: same inputs, same key; every input counts, and nothing else does."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from tidegate.core.training_key import Inputs, differences, explain, training_key

INPUTS = Inputs(
    trees={"models/churn/training": "a" * 40, "shared": "b" * 40},
    command=("python", "train.py"),
    parameters={"depth": 3, "rate": 0.1},
    data={"events": "s3://bucket/events sha256:1"},
    seed=7,
    environment="c" * 40,
)


def test_I2_same_inputs_have_the_same_key_in_whatever_order_they_are_given() -> None:
    turned = replace(
        INPUTS,
        trees=dict(reversed(list(INPUTS.trees.items()))),
        parameters=dict(reversed(list(INPUTS.parameters.items()))),
    )
    assert training_key(turned) == training_key(INPUTS)
    assert explain(turned) == explain(INPUTS)
    assert differences(INPUTS, turned) == ()


def test_the_key_is_always_read_as_a_string_by_yaml() -> None:
    assert re.fullmatch(r"k[0-9a-f]{16}", training_key(INPUTS))


def test_the_key_does_not_change_between_releases() -> None:
    """Keys stand in git for ever: another way to compute them would train everything again."""
    assert training_key(Inputs(trees={"t": "0" * 40}, command=("python", "train.py"))) == "kd5dbffa3703d1d9b"


@pytest.mark.parametrize(
    ("change", "part"),
    [
        pytest.param({"trees": {**INPUTS.trees, "shared": "d" * 40}}, "tree shared", id="shared-code-changed"),
        pytest.param({"command": ("python", "train.py", "-v")}, "command", id="another-command"),
        pytest.param({"parameters": {"depth": 4, "rate": 0.1}}, "parameter depth", id="a-parameter-changed"),
        pytest.param({"parameters": {"depth": 3}}, "parameter rate", id="a-parameter-went"),
        pytest.param({"parameters": {"depth": "3", "rate": 0.1}}, "parameter depth", id="a-parameter-of-another-type"),
        pytest.param({"data": {"events": "s3://bucket/events sha256:2"}}, "data events", id="new-data"),
        pytest.param({"seed": 8}, "seed", id="another-seed"),
        pytest.param({"environment": None}, "environment", id="no-lock-file-any-more"),
        pytest.param({"request": "2026-11-21"}, "request", id="asked-for-again"),
    ],
)
def test_every_input_changes_the_key_and_is_named(change: dict[str, Any], part: str) -> None:
    after = replace(INPUTS, **change)
    assert training_key(after) != training_key(INPUTS)
    assert differences(INPUTS, after) == (part,)


def test_the_explanation_names_the_key_and_every_part() -> None:
    lines = explain(INPUTS).splitlines()
    assert lines[0] == training_key(INPUTS)
    assert [line.split("  ")[0].strip() for line in lines[1:]] == list(INPUTS.parts())
