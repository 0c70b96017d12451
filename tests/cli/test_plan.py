"""`tidegate plan` in a person's clone: exit codes, formats, and that it writes nothing that anybody sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.program import Program
from support.repositories import Clone, git, new_bare
from support.worlds import MANIFEST, WORKSPACE
from tidegate import bundled, errors
from tidegate.core.read import read_model, read_workspace
from tidegate.reporters.plan_markdown import MARKER

PATH = "models/digits/model.yaml"
FILES = {"tidegate.yaml": WORKSPACE, PATH: MANIFEST, "models/digits/training/train.py": "print(1)\n"}
DEEPER = MANIFEST.replace("depth: 1", "depth: 2")


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone.of(new_bare(tmp_path / "git", FILES), tmp_path / "clone")


@pytest.fixture
def tidegate(clone: Clone, tmp_path: Path) -> Program:
    return Program(clone.folder, tmp_path)


def test_0_nothing_changes(tidegate: Program) -> None:
    ran = tidegate("plan")
    assert (ran.code, ran.err) == (errors.FINE, "")
    assert ran.out.startswith("Merging this changes nothing that Tidegate acts on.\n")


def test_0_changes_are_no_failure_in_any_format(clone: Clone, tidegate: Program) -> None:
    clone.write(PATH, DEEPER)
    text, markdown, data = (tidegate("plan", "--format", form) for form in ("text", "markdown", "json"))
    assert [ran.code for ran in (text, markdown, data)] == [errors.FINE] * 3
    assert "digits: trains again (parameter depth 1 → 2)" in text.out
    assert markdown.out.splitlines()[0] == MARKER
    (model,) = json.loads(data.out)["models"]
    assert (model["name"], model["launches"]) == ("digits", True)


def test_it_asks_for_no_server_and_loads_no_client(clone: Clone, tmp_path: Path) -> None:
    clone.write(PATH, DEEPER)
    program = Program(clone.folder, tmp_path, {"PYTHONPROFILEIMPORTTIME": "1"})
    loaded = {line.rpartition("|")[2].strip() for line in program("plan").err.splitlines()}
    assert "tidegate.plan" in loaded
    assert not loaded & {
        "requests",
        "mlflow",
        "prometheus_api_client",
        "rich",
        "tidegate.train",
        "tidegate.adapters.mlflow",
    }


def test_nothing_that_anybody_sees_is_written(clone: Clone, tidegate: Program, tmp_path: Path) -> None:
    clone.write(PATH, DEEPER)
    bare = tmp_path / "git" / "models.git"
    before = (clone.git("for-each-ref"), clone.git("status", "--porcelain"), git(bare, "for-each-ref"))
    assert tidegate("plan").code == errors.FINE
    assert (clone.git("for-each-ref"), clone.git("status", "--porcelain"), git(bare, "for-each-ref")) == before


def test_1_what_cannot_be_read(clone: Clone, tidegate: Program) -> None:
    clone.write(PATH, MANIFEST.replace("lease: 5m", "lease: 5"))
    ran = tidegate("plan")
    assert ran.code == errors.FINDINGS
    assert f"{PATH}:5:" in ran.out


def test_1_more_trainings_than_pass_unasked(clone: Clone, tidegate: Program) -> None:
    clone.write("tidegate.yaml", WORKSPACE + "limits: {trainingsPerMerge: 1}\n")
    for name in ("a", "b"):
        clone.write(f"models/{name}/model.yaml", MANIFEST.replace("name: digits", f"name: {name}"))
        clone.write(f"models/{name}/training/train.py", "print(1)\n")
    ran = tidegate("plan")
    assert ran.code == errors.FINDINGS
    assert "run this with `--allow-trainings 2`" in ran.out
    assert tidegate("plan", "a").code == errors.FINDINGS, "one merge trains both, whatever is looked at"
    assert tidegate("plan", "--allow-trainings", "1").code == errors.FINDINGS
    assert tidegate("plan", "--allow-trainings", "2").code == errors.FINE


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["nobody"], id="no-such-model"),
        pytest.param(["--effective", "nobody"], id="no-such-model-to-print"),
        pytest.param(["--base", "nowhere"], id="no-such-base"),
        pytest.param(["--head", "nowhere"], id="no-such-head"),
        pytest.param(["--format", "yaml"], id="no-such-format"),
        pytest.param(["--allow-trainings", "-1"], id="fewer-than-none"),
    ],
)
def test_2_wrong_use(tidegate: Program, arguments: list[str]) -> None:
    ran = tidegate("plan", *arguments)
    assert (ran.code, ran.out) == (errors.WRONG_USE, "")
    assert ran.err


def test_2_no_repository(tmp_path: Path) -> None:
    assert Program(tmp_path, tmp_path)("plan").code == errors.WRONG_USE


def test_a_bare_repository_plans_for_a_branch(clone: Clone, tmp_path: Path) -> None:
    clone.commit({PATH: DEEPER})
    clone.push("HEAD:refs/heads/deeper")
    ran = Program(tmp_path / "git" / "models.git", tmp_path)("plan", "--head", "deeper")
    assert (ran.code, ran.err) == (errors.FINE, "")
    assert "trains again" in ran.out


def test_a_bare_repository_alone_plans_for_its_head(clone: Clone, tmp_path: Path) -> None:
    ran = Program(tmp_path / "git" / "models.git", tmp_path)("plan")
    assert (ran.code, ran.err) == (errors.FINE, "")
    assert ran.out.startswith("Merging this changes nothing")


def test_a_clone_of_a_server_uses_what_was_fetched(clone: Clone, tidegate: Program) -> None:
    clone.git("remote", "set-url", "origin", "https://git.example.org/models.git")
    clone.write(PATH, DEEPER)
    ran = tidegate("plan")
    assert (ran.code, ran.err) == (errors.FINE, "")
    assert "trains again" in ran.out


def test_effective_manifests_can_be_read_again(clone: Clone, tidegate: Program) -> None:
    clone.write("models/fraud/model.yaml", MANIFEST.replace("name: digits", "name: fraud"))
    ran = tidegate("plan", "--effective")
    assert (ran.code, ran.err) == (errors.FINE, "")
    digits, fraud = ran.out.split("---\n")
    workspace = read_workspace(WORKSPACE, "tidegate.yaml", bundled.schemas())
    wanted = read_model(MANIFEST, PATH, bundled.schemas(), workspace)
    assert read_model(digits, PATH, bundled.schemas(), workspace) == wanted
    assert "name: fraud\n" in fraud
    assert tidegate("plan", "--effective", "digits").out == digits


def test_effective_manifests_in_the_other_formats(clone: Clone, tidegate: Program) -> None:
    markdown, data = (tidegate("plan", "--effective", "--format", form).out for form in ("markdown", "json"))
    assert markdown.startswith(MARKER)
    assert "```yaml\n" in markdown
    (one,) = json.loads(data)
    assert (one["model"], one["path"]) == ("digits", PATH)
    assert one["manifest"]["spec"]["rollout"]["worseThan"] == 1.1
    assert one["sources"]["spec.rollout.worseThan"] == "default"


def test_1_a_manifest_without_an_effective_one(clone: Clone, tidegate: Program) -> None:
    clone.write("models/fraud/model.yaml", "kind: Model\n")
    ran = tidegate("plan", "--effective")
    assert ran.code == errors.FINDINGS
    assert "name: digits" in ran.out
    assert "models/fraud/model.yaml" in ran.err
