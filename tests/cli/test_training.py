"""`train`, `evaluate` and `reconcile` against a real MLflow: a commit is trained, judged by its gates, and promoted."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from support.program import CONTROLLER, Program, Ran
from support.repositories import NOON, Clone, git, new_bare
from support.training_program import PROGRAM
from tidegate import errors
from tidegate.core.launch_record import LaunchRecord, LaunchState, encode

WORKSPACE = """\
apiVersion: tidegate.dev/v1alpha1
kind: Workspace
registry: {uri: "%s"}
approvals:
  production: {from: ["@dana"]}
"""
MANIFEST = """\
apiVersion: tidegate.dev/v1alpha1
kind: Model
metadata: {name: %s, owners: ["@dana"]}
spec:
  training: {source: training, command: [python, train.py], parameters: %s, lease: 60s}
  gates:
    accuracy: {minimum: 0.9}
  environments:
    staging: {}
    production: {approval: required, judge: none}
"""
GOOD = {"metrics": {"accuracy": 0.95}, "model": "weights"}
WAIT_SECONDS = 40


class Repository:
    """A repository with one model that trains for real, on the session's MLflow."""

    def __init__(self, folder: Path, uri: str, name: str) -> None:
        self.uri, self.name = uri, name
        files = {"tidegate.yaml": WORKSPACE % uri, **self.model(GOOD), f"models/{name}/training/train.py": PROGRAM}
        bare = new_bare(folder / "git", files)
        self.clone = Clone.of(bare, folder / "clone")
        self.tidegate = Program(self.clone.folder, folder)

    def model(self, parameters: Mapping[str, object]) -> dict[str, str]:
        return {f"models/{self.name}/model.yaml": MANIFEST % (self.name, json.dumps(parameters))}

    def wants(self, parameters: Mapping[str, object]) -> None:
        self.clone.pull()
        self.clone.commit(self.model(parameters))
        self.clone.push("main")

    def due(self) -> list[str]:
        shown = json.loads(self.tidegate("train", "--dry-run", "--format", "json").out)
        return [one["model"] for one in shown["models"] if one["due"]]

    def aliases(self) -> dict[str, str]:
        answer = requests.get(f"{self.uri}/api/2.0/mlflow/registered-models/get", {"name": self.name}, timeout=10)
        return {alias["alias"]: alias["version"] for alias in answer.json()["registered_model"].get("aliases", ())}


@pytest.fixture
def repository(tmp_path: Path, mlflow_uri: str) -> Repository:
    return Repository(tmp_path, mlflow_uri, f"m{abs(hash(tmp_path)) % 10**9}")


def test_a_commit_is_trained_once_judged_and_promoted(repository: Repository) -> None:
    tidegate, name = repository.tidegate, repository.name
    explained = json.loads(tidegate("train", "--explain-key").out)
    assert "would be launched" in tidegate("train", "--dry-run").out
    assert repository.due() == [name]
    ran = tidegate("train", name, "--wait")
    assert ran.code == errors.FINE, ran
    assert ran.out == f"{name}: {explained['key']} succeeded, version 1\n"
    assert "version 1" in tidegate("train", name).out
    assert repository.due() == []
    evaluation = json.loads(tidegate("evaluate", name, "--format", "json").out)
    assert (evaluation["passed"], evaluation["champion"]) == (True, None)
    assert tidegate("evaluate", name, "--version", "1").code == errors.FINE
    done = json.loads(tidegate("reconcile", "--once", "--format", "json").out)
    assert [(one["kind"], one["environment"]) for one in done["done"]] == [("promote", "staging")]
    assert done["done"][0]["merged"]
    assert done["failures"] == []
    assert repository.aliases() == {"staging": "1"}
    assert "version: 1" in tidegate("render").out


def test_a_pass_that_may_not_launch_leaves_a_lost_attempt_to_others(repository: Repository) -> None:
    origin, tidegate = repository.clone.folder.parent / "git" / "models.git", repository.tidegate
    key, main = json.loads(tidegate("train", "--explain-key").out)["key"], git(origin, "rev-parse", "main")
    lost = LaunchRecord(
        model=repository.name, key=key, attempt=1, commit=main, run_id="0" * 32, deadline=NOON, state=LaunchState.LOST
    )
    git(origin, "update-ref", lost.ref, git(origin, "hash-object", "-w", "--stdin", stdin=encode(lost).encode()))
    assert repository.due() == [repository.name]
    assert tidegate("reconcile", "--once", "--no-launch").code == errors.FINE
    assert repository.due() == [repository.name]
    assert tidegate("reconcile", "--once").code == errors.FINE
    assert repository.due() == []


def test_a_launch_goes_on_by_itself_and_a_pass_collects_it(repository: Repository) -> None:
    tidegate, name = repository.tidegate, repository.name
    assert "running" in tidegate("train").out
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        done = json.loads(tidegate("reconcile", "--format", "json").out)
        if done["trainings"] and done["trainings"][0]["training"]["state"] == "succeeded":
            break
    assert done["trainings"][0]["model"] == name
    assert done["trainings"][0]["training"]["version"] == 1
    assert [one["environment"] for one in done["done"]] == ["staging"]


def test_the_json_has_the_keys_that_the_manual_lists(repository: Repository) -> None:
    tidegate, name = repository.tidegate, repository.name
    tidegate("train")
    passes: list[dict[str, Any]] = []
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end and not any(done["done"] for done in passes):
        passes.append(json.loads(tidegate("reconcile", "--format", "json").out))
    passes.append(json.loads(tidegate("reconcile", "--format", "json").out))
    assert keys_of(*passes) == listed_in_the_manual("reconcile")
    assert keys_of(json.loads(tidegate("status", "--format", "json").out)) == listed_in_the_manual("status")
    evaluation = json.loads(tidegate("evaluate", name, "--format", "json").out)
    named = {"<name>": evaluation["metrics"]["accuracy"]}
    assert keys_of({**evaluation, "metrics": named, "championMetrics": named}) == listed_in_the_manual("evaluate")


def keys_of(*documents: object) -> set[str]:
    """Every key of the documents, as the manual writes it: what is null or empty in one may have keys in another."""
    found = {path.removeprefix(".") for document in documents for path in paths_of(document)}
    return {path for path in found if not any(other.startswith((f"{path}.", f"{path}[")) for other in found)}


def paths_of(value: object) -> Iterator[str]:
    match value:
        case dict():
            yield from (f".{key}{rest}" for key, inner in value.items() for rest in paths_of(inner))
        case list():
            yield from (f"[]{rest}" for inner in value or [None] for rest in paths_of(inner))
        case _:
            yield ""


def listed_in_the_manual(command: str) -> set[str]:
    page = (CONTROLLER.parent / "docs" / "json.md").read_text(encoding="utf-8")
    section = page.partition(f"## `tidegate {command} --format json`\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        pytest.param({"metrics": {"accuracy": 0.5}, "model": "w"}, "accuracy 0.5 < minimum 0.9", id="a-gate-says-no"),
        pytest.param({"fail": True}, "no such column: tenure", id="the-command-fails-with-its-log"),
    ],
)
def test_wait_exits_1_when_the_training_says_no(
    repository: Repository, parameters: dict[str, object], said: str
) -> None:
    repository.wants(parameters)
    ran: Ran = repository.tidegate("train", repository.name, "--wait")
    assert ran.code == errors.FINDINGS
    assert said in ran.out
    assert "hunter2" not in ran.out + ran.err
    status = repository.tidegate("status")
    assert said in status.out
    assert "hunter2" not in status.out


def test_a_branch_s_candidate_is_compared_with_the_champion(repository: Repository) -> None:
    tidegate, name = repository.tidegate, repository.name
    assert tidegate("evaluate", name, "--candidate", "better").code == errors.WRONG_USE
    repository.clone.checkout("better", new=True)
    repository.clone.commit(repository.model({"metrics": {"accuracy": 0.97, "loss/x: y": 0.1}, "model": "more"}))
    repository.clone.push("better")
    assert "train" in tidegate("evaluate", name, "--candidate", "better").err
    trained = tidegate("train", name, "--candidate", "better", "--wait")
    assert trained.code == errors.FINE, trained
    assert trained.out.endswith(" succeeded\n")
    told = tidegate("evaluate", name, "--candidate", "better", "--format", "markdown").out
    assert f"**{name}: the candidate passes its gates**; there is no champion yet." in told
    assert "| accuracy | 0.97 | – | – |" in told
    assert "| loss/x&#58; y | 0.1 | – | – |" in told
    assert "would be launched" in tidegate("train", name, "--dry-run").out
    worse = tidegate("train", name, "--candidate", "main", "--explain-key")
    assert (worse.code, worse.out) == (errors.WRONG_USE, "")


def test_a_candidate_that_says_no_ends_with_1(repository: Repository) -> None:
    tidegate, name = repository.tidegate, repository.name
    repository.clone.checkout("worse", new=True)
    repository.clone.commit(repository.model({"metrics": {"accuracy": 0.5}, "model": "less"}))
    repository.clone.push("worse")
    assert tidegate("train", name, "--candidate", "worse", "--wait").code == errors.FINDINGS
    ran = tidegate("evaluate", name, "--candidate", "worse")
    assert (ran.code, "failed" in ran.out) == (errors.FINDINGS, True)
