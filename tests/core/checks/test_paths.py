"""Files and folders that a manifest names: in the repository, and there."""

from __future__ import annotations

import pytest

from support.inspecting import inspected
from tidegate.core.checks import paths
from tidegate.core.finding import Severity

MANIFEST = "models/churn/model.yaml"
HEAD = "apiVersion: tidegate.dev/v1alpha1\nkind: Model\nmetadata: {name: churn}\nspec:\n  environments: {staging: {}}\n"
TRAINING = f"{HEAD}  training:\n    command: [train]\n    lease: 30m\n    source: training\n"
FILES = {"models/churn/training/train.py": "", "shared/features/a.py": "", "models/churn/requirements.lock": ""}


def found(text: str, **more: str) -> list[str]:
    rules = {rule.id for rule in paths.RULES}
    everything = inspected({MANIFEST: text, **FILES, **more})
    return [f"{one.line}:{one.column} {one.rule}: {one.message}; {one.hint}" for one in everything if one.rule in rules]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(TRAINING, id="a source beside the manifest"),
        pytest.param(
            TRAINING.replace("training\n", "./training/\n"), id="a path with dots and slashes that say nothing"
        ),
        pytest.param(f"{TRAINING}    include: [shared, shared/features/a.py]\n", id="shared folders and files"),
        pytest.param(f"{TRAINING}    environment: requirements.lock\n", id="a lock file"),
        pytest.param(f"{TRAINING}    environment: ghcr.io/acme/train@sha256:06f1\n", id="an image is no file"),
        pytest.param(f"{TRAINING}    environment: python:3.12\n", id="nor is a tag"),
        pytest.param(f"{TRAINING}    data: {{a: {{uri: x, contract: requirements.lock}}}}\n", id="a contract"),
        pytest.param(
            f"{TRAINING}    data: [{{name: a, uri: x, contract: ../../shared/features/a.py}}]\n",
            id="a contract that models share",
        ),
        pytest.param(
            f"{HEAD}".replace("staging: {}", "staging: {smoke: {requests: requirements.lock}}"),
            id="requests that are there",
        ),
    ],
)
def test_nothing_is_said_of(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            TRAINING.replace("source: training", "source: trainnig"),
            "9:13 missing-file: there is no models/churn/trainnig in the repository; add it, or correct the path",
            id="a source that is not there",
        ),
        pytest.param(
            TRAINING.replace("source: training", "source: models/churn/training"),
            "9:13 missing-file: there is no models/churn/models/churn/training in the repository; "
            "the path is relative to models/churn: write training",
            id="a path written from the root",
        ),
        pytest.param(
            TRAINING.replace("source: training", "source: shared/features"),
            "9:13 missing-file: there is no models/churn/shared/features in the repository; "
            "shared/features is there, but the path is relative to models/churn; name shared code under `include`",
            id="shared code as source",
        ),
        pytest.param(
            f"{TRAINING}    include: [shared/features, training]\n",
            "10:32 missing-file: there is no training in the repository; "
            "`include` is relative to the repository's root: write models/churn/training",
            id="an include written from the manifest",
        ),
        pytest.param(
            f"{TRAINING}    include: [Shared]\n",
            "10:15 missing-file: there is no Shared in the repository; small and capital letters differ: write shared",
            id="a capital letter",
        ),
        pytest.param(
            f"{TRAINING}    environment: requirements.txt\n",
            "10:18 missing-file: there is no models/churn/requirements.txt in the repository; "
            "add it, or correct the path",
            id="a lock file that is not there",
        ),
        pytest.param(
            f"{TRAINING}    data: {{a: {{uri: x, contract: a.yaml}}}}\n",
            "10:34 missing-file: there is no models/churn/a.yaml in the repository; add it, or correct the path",
            id="a contract that is not there",
        ),
        pytest.param(
            HEAD.replace("staging: {}", "staging: {smoke: {requests: smoke.jsonl}}"),
            "5:46 missing-file: there is no models/churn/smoke.jsonl in the repository; add it, or correct the path",
            id="requests that are not there",
        ),
        pytest.param(
            TRAINING.replace("source: training", "source: ../../shared"),
            '9:13 path-leaves-repository: "../../shared" leaves the repository: it goes up by `..`; '
            "name what lies beside the manifest",
            id="a source above the manifest",
        ),
        pytest.param(
            f"{TRAINING}    include: [/opt/shared]\n",
            '10:15 path-leaves-repository: "/opt/shared" leaves the repository: it is absolute; '
            "write a path from the repository's root",
            id="an include of this machine",
        ),
        pytest.param(
            f"{TRAINING}    environment: ~/requirements.lock\n",
            '10:18 path-leaves-repository: "~/requirements.lock" leaves the repository: it begins in a home folder; '
            "name what lies beside the manifest",
            id="a lock file at home",
        ),
        pytest.param(
            f"{TRAINING}    data: {{a: {{uri: x, contract: ../../../a.yaml}}}}\n",
            '10:34 path-leaves-repository: "../../../a.yaml" leaves the repository: it goes up by `..`; '
            "name what lies beside the manifest",
            id="a contract above the root",
        ),
    ],
)
def test_a_path_that_leads_nowhere(text: str, expected: str) -> None:
    assert found(text) == [expected]


def test_the_reader_s_refusal_of_the_same_path_does_not_come_in_addition() -> None:
    text = TRAINING.replace("source: training", "source: /etc")
    errors = [one.rule for one in inspected({MANIFEST: text}) if one.severity is Severity.ERROR]
    assert errors == ["path-leaves-repository"]
