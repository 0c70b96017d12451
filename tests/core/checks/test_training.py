"""How a model is trained: lease, image, parameters, and what the training key covers."""

from __future__ import annotations

import json
import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.inspecting import inspected
from tidegate.core.checks import training
from tidegate.core.finding import Severity
from tidegate.core.workspace import Limits, Workspace

MANIFEST = "models/churn/model.yaml"
HEAD = "apiVersion: tidegate.dev/v1alpha1\nkind: Model\nmetadata: {name: churn}\nspec:\n  environments: {staging: {}}\n"
TRAINING = f"{HEAD}  training:\n    command: [train]\n    source: training\n"
DIGEST = "06f1c4d20e264066b27fc95cd38daaaa737e4cc4289213aa00d9ee4a3d6d0485"
TRAINS = "each promotion there would train this model; name folders that hold shared code alone"
FILES = {f"models/{name}": "" for name in ("churn/training/a.py", "churn/lib/a.py", "other/model.yaml")}


def found(text: str, longest: timedelta | None = None) -> list[str]:
    rules = {rule.id for rule in training.RULES}
    workspace = Workspace(limits=Limits(maximum_lease=longest))
    everything = inspected({MANIFEST: f"{TRAINING}{text}\n", "rendered/a/b": "", "shared/a.py": "", **FILES}, workspace)
    return [
        f"{one.line}:{one.column} {one.severity} {one.rule}: {one.message}; {one.hint}"
        for one in everything
        if one.rule in rules
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("    lease: 30m", id="half an hour"),
        pytest.param("    lease: {deadline: 12h, attempts: 10}", id="ten attempts, and as long as is allowed"),
        pytest.param("    lease: a while", id="what is no duration is a finding of its own"),
        pytest.param(f"    environment: ghcr.io/acme/train:1.4@sha256:{DIGEST}", id="an image with tag and digest"),
        pytest.param(f"    environment: localhost:5000/train@sha512:{DIGEST * 2}", id="a longer digest"),
        pytest.param("    environment: locks/requirements.lock", id="a lock file"),
        pytest.param(
            "    parameters: {a: 1e-3, b: [1, {c: null}], d: 012, e: text, f: true}", id="ordinary parameters"
        ),
        pytest.param("    include: [shared, models/churn/lib]", id="shared code, and a folder beside the source"),
    ],
)
def test_nothing_is_said_of(text: str) -> None:
    assert found(text, timedelta(hours=12)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "    lease: 0s",
            "9:12 error lease-too-short: nothing can be trained within 0s; write what a run may take, such as 30m",
            id="no time at all",
        ),
        pytest.param(
            "    lease: {deadline: 30ms}",
            "9:23 error lease-too-short: nothing can be trained within 30ms; write what a run may take, such as 30m",
            id="milliseconds for minutes",
        ),
        pytest.param(
            "    lease: 13h",
            "9:12 error lease-over-limit: 13h is longer than the workspace allows: 12h (limits.maximumLease); "
            "write 12h or less",
            id="longer than the workspace allows",
        ),
        pytest.param(
            "    lease: {deadline: 2h, attempts: 11}",
            "9:37 warning too-many-attempts: 11 attempts at one training are more than 10; write `attempts: 3`",
            id="attempt after attempt",
        ),
        pytest.param(
            "    environment: ghcr.io/acme/train:1.4",
            '9:18 error image-without-digest: "ghcr.io/acme/train:1.4" is an image, and its digest is missing; '
            "write ghcr.io/acme/train:1.4@sha256:<64 hex digits>, or name a lock file",
            id="a tag",
        ),
        pytest.param(
            "    environment: train@sha256:06f1",
            '9:18 error image-without-digest: "train@sha256:06f1" is an image, and what stands behind its @ is no '
            "digest; write train@sha256:<64 hex digits>, or name a lock file",
            id="half a digest",
        ),
        pytest.param(
            "    include: [models/churn]",
            f'9:15 error pin-files-in-training: "models/churn" holds this model\'s own pin files: {TRAINS}',
            id="the model's own folder",
        ),
        pytest.param(
            "    include: [shared, ./]",
            f'9:23 error pin-files-in-training: "./" holds this model\'s own pin files: {TRAINS}',
            id="the whole repository",
        ),
        pytest.param(
            "    include: [models/other]",
            f'9:15 error pin-files-in-training: "models/other" holds the pin files of another model: {TRAINS}',
            id="another model's folder",
        ),
        pytest.param(
            "    include: [rendered/a]",
            f'9:15 error pin-files-in-training: "rendered/a" holds rendered files: {TRAINS}',
            id="rendered files",
        ),
        pytest.param(
            "    parameters: {a: [1, .nan]}",
            "9:25 error parameter-not-json: JSON has no number for nan; "
            'write a text ("inf"), null, or the largest number that is meant',
            id="not a number",
        ),
    ],
)
def test_a_training_that_cannot_be_meant(text: str, expected: str) -> None:
    assert found(text, timedelta(hours=12)) == [expected]


def test_a_lease_of_months_is_told_where_the_workspace_has_no_limit() -> None:
    (finding,) = found("    lease: 52w")
    assert finding.startswith("9:12 warning lease-too-long: a run that hangs would hold this model for 364d")


def test_a_lease_that_is_missing_is_asked_for() -> None:
    (finding,) = [one for one in inspected({MANIFEST: TRAINING}) if '"lease"' in one.message]
    assert (finding.rule, finding.line, finding.column) == ("missing-key", 7, 5)
    assert finding.hint.startswith("add `lease:`")


@pytest.mark.parametrize("lease", ["9" * 400 + "w", "99999999999d"])
def test_no_lease_is_too_long_to_be_read(lease: str) -> None:
    files = {MANIFEST: f"{TRAINING}    lease: {lease}\n", "models/churn/training/a.py": ""}
    (finding,) = [one for one in inspected(files) if one.severity is Severity.ERROR]
    assert finding.rule == "value"
    assert "longer than a century" in finding.message


def test_the_source_is_not_the_manifest_s_folder() -> None:
    text = TRAINING.replace("source: training", "source: ././.")
    (finding,) = [one for one in inspected({MANIFEST: f"{text}    lease: 1h\n"}) if one.severity is Severity.ERROR]
    assert (finding.rule, finding.line, finding.column) == ("pin-files-in-training", 8, 13)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=3), anything, max_size=3))
def test_parameters_without_a_finding_are_json(parameters: dict[str, object]) -> None:
    wrong = list(training._not_json(parameters, ()))
    assert bool(wrong) is not training._fits_json(parameters)
    try:
        json.dumps(parameters, allow_nan=False)
    except ValueError:
        assert wrong
    else:
        assert not wrong


def test_each_value_that_json_cannot_say_is_told_once() -> None:
    faults = list(training._not_json({"a": [math.inf, {"b": math.nan}, 1.5]}, ("p",)))
    assert [fault.path for fault in faults] == [("p", "a", 0), ("p", "a", 1, "b")]
