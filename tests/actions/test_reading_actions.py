"""The actions that read files, really installed and run: validate, plan, render."""

from __future__ import annotations

import copy
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from support.checkouts import model, pin_file, workspace
from support.github.server import FakeGitHub
from support.repositories import Clone, new_bare
from support.workflow_commands import commands
from support.workflow_runner.composite import Ended, Job, Machine
from support.workflow_runner.engine import examples
from tidegate import errors

# Installing asks the package index once for the whole module.
pytestmark = pytest.mark.timeout(300)

BROKEN = "models/churn/model.yaml"
HOSTILE = "models/churn/%0A::error::pwned.yaml"


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A person's clone of a models repository with two models, on a branch of its own."""
    clone = Clone.of(new_bare(tmp_path / "origin", workspace("churn", "fraud")), tmp_path / "models")
    clone.checkout("change", new=True)
    return clone


@pytest.fixture
def job(machine: Machine, clone: Clone) -> Job:
    return Job(machine=machine, workspace=clone.folder)


def edited(clone: Clone, old: str, new: str, path: str = BROKEN) -> None:
    text = (clone.folder / path).read_text(encoding="utf-8")
    assert old in text
    clone.commit({path: text.replace(old, new)})


def pull_request(**head: Any) -> dict[str, Any]:
    """The payload of a real delivery, from the repository itself or with another head."""
    payload: dict[str, Any] = copy.deepcopy(
        next(one for one in examples()["pull_request"] if one["action"] == "opened")
    )
    assert payload["pull_request"]["head"]["repo"]["id"] == payload["pull_request"]["base"]["repo"]["id"]
    payload["pull_request"]["head"].update(head)
    return payload


def opened(github: FakeGitHub, folder: Path) -> int:
    """The number of a pull request in acme/models."""
    there = Clone.of(github.repository("acme/models").path, folder / "there")
    there.checkout("change", new=True)
    there.commit({"README.md": "words\n"})
    there.push("change")
    number: int = asked(github, "pulls", {"title": "a change", "head": "change", "base": "main"})["number"]
    return number


def comments_on(github: FakeGitHub, number: int) -> list[str]:
    return [comment["body"] for comment in asked(github, f"issues/{number}/comments")]


def asked(github: FakeGitHub, path: str, body: object = None) -> Any:
    answer = requests.request(
        "GET" if body is None else "POST",
        f"{github.api_url}/repos/acme/models/{path}",
        json=body,
        headers={"Authorization": f"Bearer {github.token('dana')}"},
        timeout=10,
    )
    answer.raise_for_status()
    return answer.json()


def shown(ended: Ended) -> list[str]:
    """The commands that the runner obeys: between stop-commands and its token there are none."""
    obeyed, mark = [], None
    for line in ended.said.splitlines():
        if mark is not None:
            mark = None if line == f"::{mark}::" else mark
            continue
        for command in commands(line):
            mark = command.data if command.name == "stop-commands" else mark
            obeyed += [command.name] if mark is None else []
    return obeyed


class TestValidate:
    def test_a_workspace_without_a_slip_passes(self, checkout: Path, job: Job) -> None:
        ended = job.run(checkout / "actions/validate")
        assert ended.code == errors.FINE, ended.said
        assert ended.outputs == {
            "findings": "0", "errors": "0", "warnings": "0", "exit-code": "0", "outcome": "passed",
        }  # fmt: skip
        assert "no findings" in ended.summary
        assert shown(ended) == []

    def test_a_slip_is_refused_on_its_line(self, checkout: Path, job: Job, clone: Clone) -> None:
        edited(clone, "lease: 5m", "lease: soon")
        ended = job.run(checkout / "actions/validate")
        assert (ended.code, ended.outputs["outcome"], ended.outputs["errors"]) == (1, "refused", "1")
        (found,) = [one for one in commands(ended.said) if one.name == "error"]
        assert (found.properties["file"], found.properties["line"]) == (BROKEN, "5")
        assert "lease" in ended.summary

    def test_only_what_changed_is_checked_when_asked(self, checkout: Path, job: Job, clone: Clone) -> None:
        edited(clone, "lease: 5m", "lease: soon")
        clone.push("change")
        clone.checkout("later", new=True)
        edited(clone, "lease: 5m", "lease: soon", "models/fraud/model.yaml")
        every = job.run(checkout / "actions/validate")
        since = job.run(checkout / "actions/validate", changed_since="origin/change")
        assert (every.outputs["errors"], since.outputs["errors"]) == ("2", "1")

    def test_paths_come_one_a_line(self, checkout: Path, job: Job, clone: Clone) -> None:
        edited(clone, "lease: 5m", "lease: soon")
        ended = job.run(checkout / "actions/validate", paths="models/fraud\ntidegate.yaml")
        assert ended.outputs["outcome"] == "passed"

    def test_another_folder_is_looked_at_when_asked(self, checkout: Path, job: Job) -> None:
        ended = replace(job, workspace=job.workspace.parent).run(
            checkout / "actions/validate", working_directory="models"
        )
        assert ended.outputs["outcome"] == "passed"

    def test_findings_are_written_as_sarif_when_asked(self, checkout: Path, job: Job, clone: Clone) -> None:
        edited(clone, "lease: 5m", "lease: soon")
        job.run(checkout / "actions/validate", sarif_file="found.sarif")
        told = json.loads((job.workspace / "found.sarif").read_text(encoding="utf-8"))
        assert len(told["runs"][0]["results"]) == 1

    @pytest.mark.parametrize(
        ("inputs", "said"),
        [
            pytest.param({"paths": "models/nowhere"}, "models/nowhere is not there", id="a-path-that-is-not-there"),
            pytest.param({"changed_since": "nowhere"}, "nowhere", id="a-ref-that-is-not-there"),
            pytest.param({"sarif_file": "no/such/folder.sarif"}, "cannot be written", id="a-file-that-cannot-be"),
            pytest.param({"working_directory": "nowhere"}, "nowhere", id="a-folder-that-is-not-there"),
        ],
    )
    def test_wrong_use_is_broken_and_not_refused(
        self, checkout: Path, job: Job, inputs: dict[str, str], said: str
    ) -> None:
        ended = job.run(checkout / "actions/validate", **inputs)
        assert (ended.code, ended.outputs["outcome"]) == (errors.WRONG_USE, "broken")
        assert ended.outputs["findings"] == ""
        assert said in ended.said
        assert shown(ended)[-1:] == ["error"]

    def test_no_text_of_others_is_a_command_or_an_output(self, checkout: Path, job: Job, clone: Clone) -> None:
        clone.commit({HOSTILE: "::set-output name=findings::9\n", BROKEN: "kind: |\n  ::error::pwned\n  ##[error]x\n"})
        ended = job.run(checkout / "actions/validate", paths=f"{HOSTILE}\n::error::pwned\n{BROKEN}")
        assert "pwned" in ended.said
        assert shown(ended) == ["error"]
        assert "title=Tidegate validate" in ended.said

    def test_nothing_in_the_workspace_is_imported(self, checkout: Path, job: Job) -> None:
        for name in ("click.py", "json.py", "os.py", "tidegate.py"):
            (job.workspace / name).write_text("raise SystemExit('imported from the workspace')\n", encoding="utf-8")
        hostile = replace(job, variables={"PYTHONPATH": str(job.workspace), "PYTHONSTARTUP": "os.py"})
        assert hostile.run(checkout / "actions/validate").outputs["outcome"] == "passed"


class TestPlan:
    def test_a_change_is_told_in_the_summary_and_as_lists(self, checkout: Path, job: Job, clone: Clone) -> None:
        edited(clone, "command: [python, train.py]", "command: [python, train.py, --deep]")
        ended = job.run(checkout / "actions/plan")
        assert ended.code == errors.FINE, ended.said
        assert ended.outputs == {
            "models": '["churn"]', "changed": "true", "trained": '["churn"]', "findings": "0", "comment": "",
            "exit-code": "0", "outcome": "passed",
        }  # fmt: skip
        assert "churn" in ended.summary

    def test_nothing_to_do_is_an_empty_list_that_skips_a_matrix(self, checkout: Path, job: Job, clone: Clone) -> None:
        clone.commit({"README.md": "words\n"})
        outputs = job.run(checkout / "actions/plan").outputs
        assert (outputs["models"], outputs["changed"], outputs["outcome"]) == ("[]", "false", "passed")
        contexts = {"needs": {"plan": {"outputs": outputs}}}
        assert job.machine.engine.value("needs.plan.outputs.changed == 'true'", contexts) is False

    def test_a_model_that_goes_is_in_no_matrix(self, checkout: Path, job: Job, clone: Clone) -> None:
        shutil.rmtree(clone.folder / "models/churn")
        clone.commit({})
        outputs = job.run(checkout / "actions/plan").outputs
        assert (outputs["models"], outputs["changed"]) == ("[]", "false")

    def test_a_base_and_models_may_be_named(self, checkout: Path, job: Job, clone: Clone) -> None:
        for name in ("churn", "fraud"):
            edited(clone, "lease: 5m", "lease: 6m", f"models/{name}/model.yaml")
        both = job.run(checkout / "actions/plan", base="origin/main").outputs
        last = job.run(checkout / "actions/plan", base="HEAD~1").outputs
        named = job.run(checkout / "actions/plan", models="fraud").outputs
        assert (both["models"], last["models"]) == ('["churn", "fraud"]', '["fraud"]')
        assert named["models"] == '["fraud"]'

    def test_findings_are_annotations_where_there_is_no_comment(self, checkout: Path, job: Job, clone: Clone) -> None:
        edited(clone, "lease: 5m", "lease: soon")
        ended = job.run(checkout / "actions/plan")
        assert (ended.code, ended.outputs["outcome"], ended.outputs["findings"]) == (1, "refused", "1")
        assert shown(ended) == ["error"]

    def test_too_many_trainings_are_refused_until_somebody_consents(
        self, checkout: Path, job: Job, clone: Clone
    ) -> None:
        settings = (clone.folder / "tidegate.yaml").read_text(encoding="utf-8")
        clone.commit({"tidegate.yaml": f"{settings}limits: {{trainingsPerMerge: 1}}\n"})
        clone.push("HEAD:main")
        for name in ("churn", "fraud"):
            edited(clone, "train.py]", "train.py, --deep]", f"models/{name}/model.yaml")
        asks = job.run(checkout / "actions/plan")
        assert (asks.code, asks.outputs["outcome"]) == (1, "refused")
        assert shown(asks) == ["error"]
        assert job.run(checkout / "actions/plan", allow_trainings="2").outputs["outcome"] == "passed"

    @pytest.mark.parametrize(
        "head",
        [
            pytest.param({"repo": {"id": 1, "fork": True}}, id="a-fork"),
            pytest.param({"repo": None}, id="a-fork-that-is-gone"),
        ],
    )
    def test_a_strangers_pull_request_gets_a_summary_and_annotations(
        self, checkout: Path, job: Job, clone: Clone, head: dict[str, Any]
    ) -> None:
        edited(clone, "lease: 5m", "lease: soon")
        foreign = replace(job, event_name="pull_request", event=pull_request(**head))
        ended = foreign.run(checkout / "actions/plan")
        assert (ended.outputs["outcome"], ended.outputs["comment"]) == ("refused", "")
        assert shown(ended) == ["notice", "error"]
        assert "lease" in ended.summary

    @pytest.mark.parametrize(
        ("head", "why"),
        [
            pytest.param({}, "unreachable: Prometheus at http://127.0.0.1:9 does", id="ours-asks-prometheus"),
            pytest.param({"repo": None}, "no history is read for a pull request from", id="a-strangers-asks-nobody"),
        ],
    )
    def test_past_rollouts_are_replayed_where_a_policy_changes_or_it_says_why_not(
        self, checkout: Path, job: Job, clone: Clone, head: dict[str, Any], why: str
    ) -> None:
        edited(clone, "target: 99.5%", "target: 99%")
        nowhere = {"TIDEGATE_PROMETHEUS_URL": "http://127.0.0.1:9"}
        about = replace(job, event_name="pull_request", event=pull_request(**head), variables=nowhere)
        ended = about.run(checkout / "actions/plan", comment="false")
        assert ended.outputs["outcome"] == "passed", ended.said
        assert f"Not replayed: `{why}" in ended.summary

    def test_one_comment_is_kept_up_to_date(self, checkout: Path, job: Job, clone: Clone, tmp_path: Path) -> None:
        with FakeGitHub(tmp_path / "github") as github:
            number = opened(github, tmp_path)
            payload = pull_request()
            payload["pull_request"]["number"] = number
            ours = replace(
                job, event_name="pull_request", event=payload,
                github={"api_url": github.api_url, "token": github.installation_token(github.app("tidegate")).token},
            )  # fmt: skip
            quiet = ours.run(checkout / "actions/plan").outputs
            for lease in ("6m", "7m"):
                clone.commit({BROKEN: model("churn")[BROKEN].replace("lease: 5m", f"lease: {lease}")})
                ended = ours.run(checkout / "actions/plan")
            bodies = comments_on(github, number)
        assert quiet["comment"] == ""
        assert ended.outputs["comment"].startswith(f"{github.url}/acme/models/pull/{number}#issuecomment-")
        assert bodies == [ended.summary]
        assert "7m" in ended.summary
        assert shown(ended) == []

    def test_a_forge_that_does_not_answer_costs_the_comment_only(self, checkout: Path, job: Job, clone: Clone) -> None:
        edited(clone, "lease: 5m", "lease: 6m")
        ended = replace(job, event_name="pull_request", event=pull_request()).run(checkout / "actions/plan")
        assert (ended.outputs["outcome"], ended.outputs["comment"]) == ("passed", "")
        assert shown(ended) == ["warning"]
        assert "a-job-token" not in ended.said


class TestRender:
    def test_files_that_are_as_wanted_pass(self, checkout: Path, job: Job) -> None:
        ended = job.run(checkout / "actions/render")
        assert ended.code == errors.FINE, ended.said
        assert (ended.outputs["current"], ended.outputs["outcome"]) == ("true", "passed")

    def test_drift_is_refused(self, checkout: Path, job: Job, clone: Clone) -> None:
        clone.commit({"models/churn/staging.yaml": pin_file("churn")})
        clone.push("HEAD:main")
        ended = job.run(checkout / "actions/render", model="churn")
        assert (ended.code, ended.outputs["current"], ended.outputs["outcome"]) == (1, "false", "refused")
        assert shown(ended) == ["error"]

    def test_without_check_the_files_are_printed(self, checkout: Path, job: Job, clone: Clone) -> None:
        clone.commit({"models/churn/staging.yaml": pin_file("churn")})
        clone.push("HEAD:main")
        ended = job.run(checkout / "actions/render", check="false")
        assert (ended.code, ended.outputs["current"]) == (0, "")
        assert "# rendered/staging/churn.yaml" in ended.said

    def test_a_flag_is_true_or_false(self, checkout: Path, job: Job) -> None:
        ended = job.run(checkout / "actions/render", check="yes")
        assert (ended.code, ended.outputs["outcome"]) == (errors.WRONG_USE, "broken")
        assert "the input check is 'yes'" in ended.said
