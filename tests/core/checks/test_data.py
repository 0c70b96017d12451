"""Inputs of a training: digests, names, and what is followed."""

from __future__ import annotations

import hashlib

import pytest

from support.inspecting import inspected
from tidegate.core.checks import data
from tidegate.core.manifest import data_variable

HEAD = "apiVersion: tidegate.dev/v1alpha1\nkind: Model\nmetadata: {name: churn}\nspec:\n  environments: {staging: {}}\n"
TRAINING = f"{HEAD}  training:\n    command: [train]\n    source: training\n    lease: 30m\n"
ROWS = "id,churned\n1,0\n"
RIGHT, WRONG = f"sha256:{hashlib.sha256(ROWS.encode()).hexdigest()}", f"sha256:{'0' * 64}"
FILES = {f"models/churn/{path}": ROWS for path in ("training/a.csv", "beside.csv")}


def found(text: str) -> list[str]:
    rules = {rule.id for rule in data.RULES}
    everything = inspected({"models/churn/model.yaml": f"{TRAINING}{text}\n", "data/root.csv": ROWS, **FILES})
    return [
        f"{one.line}:{one.column} {one.severity} {one.rule}: {one.message}; {one.hint}"
        for one in everything
        if one.rule in rules
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            f"    data: {{a: {{uri: 's3://bucket/a', digest: '{WRONG}'}}}}", id="data elsewhere, with its digest"
        ),
        pytest.param(f"    data: {{a: {{uri: a.csv, digest: '{RIGHT}'}}}}", id="a file of the source"),
        pytest.param(f"    data: {{a: {{uri: ./beside.csv, digest: '{RIGHT}'}}}}", id="a file beside the manifest"),
        pytest.param(
            f"    data: {{a: {{uri: ../../../data/root.csv, digest: '{RIGHT}'}}}}", id="a file of the repository"
        ),
        pytest.param(f"    data: {{a: {{uri: 'file:///a.csv', digest: '{WRONG}'}}}}", id="a file of another machine"),
        pytest.param(f"    data: {{a: {{uri: /a.csv, digest: '{WRONG}'}}}}", id="an absolute path"),
        pytest.param(f"    data: {{a: {{uri: nowhere.csv, digest: '{WRONG}'}}}}", id="a file that is somewhere else"),
        pytest.param(f"    data: {{a: {{uri: '.', digest: '{WRONG}'}}}}", id="a folder"),
        pytest.param(
            "    data: [{name: a, uri: 's3://a', follow: latest}]\n    retrain: {when: [drift]}", id="what is followed"
        ),
    ],
)
def test_nothing_is_said_of(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "    data: {a: {uri: 's3://a'}}",
            "10:15 warning data-without-digest: the training key cannot tell when this data changes; "
            "add `digest: sha256:…`, as `sha256sum` prints it",
            id="no digest",
        ),
        pytest.param(
            "    data:\n      - name: a\n        uri: s3://a",
            "11:9 warning data-without-digest: the training key cannot tell when this data changes; "
            "add `digest: sha256:…`, as `sha256sum` prints it",
            id="no digest in a list",
        ),
        pytest.param(
            f"    data: {{a: {{uri: a.csv, digest: '{WRONG}'}}}}",
            '10:36 error data-digest-mismatch: "a.csv" is in the repository, and its digest is another one; '
            f"write {RIGHT}, if this is the data that is meant",
            id="a changed file",
        ),
        pytest.param(
            "    data: [{name: a, uri: a, follow: latest}, {name: a, uri: b, follow: latest}]\n"
            "    retrain: {when: [d]}",
            '10:54 error data-names-clash: "a" is there already: TIDEGATE_DATA_A; give each input a name of its own',
            id="one name twice",
        ),
        pytest.param(
            "    data: {a-b: {uri: a, follow: latest}, a.b: {uri: b, follow: latest}}\n    retrain: {when: [d]}",
            '10:43 error data-names-clash: "a.b" and "a-b" are one variable: TIDEGATE_DATA_A_B; '
            "give each input a name of its own",
            id="two names that are one variable",
        ),
        pytest.param(
            "    data: {a: {uri: 's3://a', follow: latest}}",
            "10:39 warning follow-without-retrain: no retraining is ever due that looks for it; "
            "add `retrain: {schedule: {cron: …}}` to `training`, or give the digest",
            id="followed by nobody",
        ),
        pytest.param(
            "    retrain: {when: [drift]}",
            "10:5 warning retrain-without-follow: no input has `follow: latest`; "
            "add `follow: latest` to the inputs that grow",
            id="a retraining that finds nothing new",
        ),
    ],
)
def test_data_that_is_not_known(text: str, expected: str) -> None:
    assert found(text) == [expected]


def test_a_digest_without_the_form_of_one_is_told_once() -> None:
    text = f"{TRAINING}    data: {{a: {{uri: a.csv, digest: 4c1f}}}}\n"
    findings = [
        one for one in inspected({"models/churn/model.yaml": text, **FILES}) if "data" in one.rule + one.message
    ]
    assert [one.rule for one in findings if one.rule != "wrong-form"] in ([], ["data-without-digest"])


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        pytest.param("customers", "TIDEGATE_DATA_CUSTOMERS", id="capitals"),
        pytest.param("web-logs.2026", "TIDEGATE_DATA_WEB_LOGS_2026", id="one sign for all that is no letter"),
    ],
)
def test_the_program_finds_an_input_under_its_variable(name: str, variable: str) -> None:
    assert data_variable(name) == variable
