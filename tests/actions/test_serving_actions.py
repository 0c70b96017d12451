"""The actions that ask servers, really installed and run: the root action, train, evaluate, reconcile, approve."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

import tidegate
from support.checkouts import SETTINGS, model, workspace
from support.github.server import FakeGitHub
from support.mlflow_server import MlflowServer
from support.repositories import Clone, new_bare
from support.workflow_runner.composite import Job, Machine
from support.workflow_runner.engine import examples
from tidegate import errors

# Installing asks the package index once for the whole module, and MLflow takes seconds to start.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def job(machine: Machine, tmp_path: Path) -> Job:
    return Job(machine=machine, workspace=tmp_path)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone.of(new_bare(tmp_path / "origin", workspace("churn")), tmp_path / "models")


@pytest.fixture
def unanswered(machine: Machine, clone: Clone, tmp_path: Path) -> Job:
    """A models repository whose MLflow is not there."""
    nowhere = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "TIDEGATE_WORK": str(tmp_path / "work")}
    return Job(machine=machine, workspace=clone.folder, variables=nowhere)


@pytest.fixture
def served(unanswered: Job, mlflow_server: MlflowServer) -> Job:
    return replace(unanswered, variables={**unanswered.variables, "MLFLOW_TRACKING_URI": mlflow_server.uri})


@pytest.fixture
def hosted(unanswered: Job, clone: Clone, tmp_path: Path) -> Iterator[Job]:
    """The models repository on the fake GitHub, where a change of objectives needs @dana; MLflow is not there."""
    settings = f'{SETTINGS}changes:\n  objectives: {{from: ["@dana"]}}\n'
    with FakeGitHub(tmp_path / "github") as github:
        there = github.repository("acme/models")
        clone.commit({"tidegate.yaml": settings})
        clone.git("push", "--quiet", "--force", str(there.path), "HEAD:main")
        clone.git("remote", "set-url", "origin", there.clone_url)
        clone.git("update-ref", "refs/remotes/origin/main", "HEAD")
        about = {"api_url": github.api_url, "graphql_url": github.graphql_url, "server_url": github.url}
        token = github.installation_token(github.app("github-actions")).token
        own = {**unanswered.variables, "ALICE": github.token("alice"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
        yield replace(unanswered, variables=own, github={**about, "repository": "acme/models", "token": token})


class TestCommand:
    def test_it_runs_the_program_of_its_own_checkout(self, checkout: Path, job: Job) -> None:
        ended = job.run(checkout, command="--version")
        assert ended.code == errors.FINE, ended.said
        assert tidegate.__version__ in ended.said.splitlines()
        assert ended.outputs == {"exit-code": "0", "outcome": "passed"}

    def test_words_are_split_as_a_person_quotes_them(self, checkout: Path, job: Job) -> None:
        ended = job.run(checkout, command="init 'two words'")
        assert ended.code == errors.FINE, ended.said
        assert (job.workspace / "two words" / "tidegate.yaml").is_file()

    def test_the_exit_code_is_the_steps_own_and_an_output(self, checkout: Path, job: Job) -> None:
        ended = job.run(checkout)  # `status`, in a folder that is no repository
        assert (ended.code, ended.outputs) == (2, {"exit-code": "2", "outcome": "broken"})

    @pytest.mark.parametrize(
        ("command", "said"),
        [
            pytest.param("status; touch pwned", "No such command 'status;'", id="a-semicolon"),
            pytest.param("status\ntouch pwned", "unexpected extra argument", id="a-line-break"),
            pytest.param("$(touch pwned)", "No such command '$(touch'", id="a-command-substitution"),
            pytest.param("`touch pwned`", "No such command '`touch'", id="backticks"),
            pytest.param("'$(touch pwned)'", "No such command '$(touch pwned)'", id="a-quoted-substitution"),
            pytest.param("status x > pwned", "unexpected extra argument", id="a-redirection"),
            pytest.param("status '", "cannot be split into words", id="an-open-quote"),
        ],
    )
    def test_a_hostile_command_is_words_and_never_a_shells_text(
        self, checkout: Path, job: Job, command: str, said: str
    ) -> None:
        ended = job.run(checkout, command=command)
        assert (ended.code, ended.outputs["exit-code"]) == (errors.WRONG_USE, "2")
        assert said in ended.said
        assert not list(job.workspace.iterdir())

    def test_validate_may_print_annotations(self, checkout: Path, served: Job) -> None:
        (served.workspace / "models/churn/model.yaml").write_text("kind: Model\n", encoding="utf-8")
        ended = served.run(checkout, command="validate --format github")
        assert (ended.code, ended.outputs["outcome"]) == (1, "refused")
        assert "\n::error file=models/churn/model.yaml" in f"\n{ended.said}".partition("::stop-commands::")[0]


class TestTrain:
    def test_a_strangers_pull_request_trains_nothing(self, checkout: Path, unanswered: Job) -> None:
        payload = copy.deepcopy(examples()["pull_request"][0])
        payload["pull_request"]["head"]["repo"] = None
        ended = replace(unanswered, event_name="pull_request_target", event=payload).run(checkout / "actions/train")
        assert (ended.code, ended.outputs) == (0, {"models": "", "exit-code": "0", "outcome": "skipped"})

    def test_a_workflow_that_a_stranger_started_trains_nothing(self, checkout: Path, unanswered: Job) -> None:
        payload = copy.deepcopy(examples()["workflow_run"][0])
        payload["workflow_run"]["head_repository"]["id"] = 1
        ended = replace(unanswered, event_name="workflow_run", event=payload).run(checkout / "actions/train")
        assert ended.outputs["outcome"] == "skipped"

    def test_what_would_be_launched_is_listed_for_a_matrix(self, checkout: Path, unanswered: Job) -> None:
        ended = unanswered.run(checkout / "actions/train", dry_run="true")
        assert ended.outputs == {"models": '["churn"]', "exit-code": "0", "outcome": "passed"}, ended.said
        assert "due: churn" in ended.said

    def test_a_server_that_does_not_answer_is_broken_and_not_refused(self, checkout: Path, unanswered: Job) -> None:
        ended = unanswered.run(checkout / "actions/train")
        assert (ended.code, ended.outputs) == (3, {"models": "", "exit-code": "3", "outcome": "broken"})
        assert "::error title=Tidegate train%3A broken::" in ended.said

    def test_a_command_that_fails_is_refused(self, checkout: Path, served: Job, clone: Clone) -> None:
        clone.commit({"models/churn/training/train.py": "print('::error::pwned')\nraise SystemExit(1)\n"})
        clone.push("HEAD:main")
        ended = served.run(checkout / "actions/train")
        assert (ended.code, ended.outputs) == (1, {"models": "", "exit-code": "1", "outcome": "refused"})
        assert "::error title=Tidegate train%3A refused::" in ended.said.partition("::stop-commands::")[2]


class TestEvaluate:
    def test_a_model_must_be_named(self, checkout: Path, unanswered: Job) -> None:
        ended = unanswered.run(checkout / "actions/evaluate")
        assert (ended.code, ended.outputs["outcome"]) == (errors.WRONG_USE, "broken")
        assert "the input model is empty" in ended.said

    @pytest.mark.parametrize(
        ("minimum", "code", "outcome"),
        [
            pytest.param("0.8", 0, "passed", id="good-enough"),
            pytest.param("0.95", 1, "refused", id="not-good-enough"),
        ],
    )
    def test_a_run_is_held_against_the_gates(
        self, checkout: Path, served: Job, minimum: str, code: int, outcome: str
    ) -> None:
        clone, path = Clone(served.workspace), "models/churn/model.yaml"
        manifest = (clone.folder / path).read_text(encoding="utf-8")
        clone.commit({path: manifest.replace("spec:\n", f"spec:\n  gates: {{roc_auc: {{minimum: {minimum}}}}}\n")})
        clone.push("HEAD:main")
        run = logged(served.variables["MLFLOW_TRACKING_URI"], roc_auc=0.9)
        ended = served.run(checkout / "actions/evaluate", model="churn", run=run)
        assert ended.code == code, ended.said
        assert ended.outputs == {
            "run": run, "champion": "", "comment": "", "exit-code": str(code), "outcome": outcome,
        }  # fmt: skip
        assert "roc&#95;auc" in ended.summary

    def test_a_strangers_pull_request_is_not_evaluated(self, checkout: Path, unanswered: Job) -> None:
        payload = copy.deepcopy(examples()["pull_request"][0])
        payload["pull_request"]["head"]["repo"]["id"] = 1
        foreign = replace(unanswered, event_name="pull_request", event=payload)
        ended = foreign.run(checkout / "actions/evaluate", model="churn", candidate="HEAD")
        assert (ended.code, ended.outputs["outcome"]) == (0, "skipped")


class TestBacktest:
    def test_a_model_must_be_named(self, checkout: Path, unanswered: Job) -> None:
        ended = unanswered.run(checkout / "actions/backtest")
        assert (ended.code, ended.outputs["outcome"]) == (errors.WRONG_USE, "broken")

    def test_a_model_without_a_past_and_its_page(self, checkout: Path, served: Job) -> None:
        nowhere = {**served.variables, "TIDEGATE_PROMETHEUS_URL": "http://127.0.0.1:9"}
        page = served.workspace / "page.html"
        ended = replace(served, variables=nowhere).run(checkout / "actions/backtest", model="churn", page=str(page))
        assert ended.code == errors.OUTSIDE, ended.said
        assert ended.outputs == {
            "rollouts": "0", "differing": "0", "page": str(page), "comment": "", "exit-code": "3", "outcome": "broken",
        }  # fmt: skip
        assert "no rollout to replay" in ended.summary
        assert page.is_file()

    def test_a_strangers_pull_request_reads_no_history(self, checkout: Path, unanswered: Job) -> None:
        payload = copy.deepcopy(examples()["pull_request"][0])
        payload["pull_request"]["head"]["repo"]["id"] = 1
        foreign = replace(unanswered, event_name="pull_request", event=payload)
        ended = foreign.run(checkout / "actions/backtest", model="churn")
        assert (ended.code, ended.outputs["outcome"]) == (0, "skipped")


class TestReconcile:
    def test_a_pass_with_nothing_to_do(self, checkout: Path, served: Job) -> None:
        ended = served.run(checkout / "actions/reconcile")
        assert ended.code == errors.FINE, ended.said
        assert ended.outputs == {
            "proposals": "[]", "merged": "[]", "failures": "0", "incidents": "0", "exit-code": "0",
            "outcome": "passed",
        }  # fmt: skip

    def test_a_manifest_that_cannot_be_read_is_refused_and_named(
        self, checkout: Path, served: Job, clone: Clone
    ) -> None:
        clone.commit({"models/churn/model.yaml": "kind: Model\n"})
        clone.push("HEAD:main")
        ended = served.run(checkout / "actions/reconcile")
        assert (ended.code, ended.outputs["outcome"]) == (1, "refused"), ended.said
        assert "models/churn/model&#46;yaml" in ended.summary

    def test_a_server_that_does_not_answer_is_broken_and_counted(self, checkout: Path, unanswered: Job) -> None:
        ended = unanswered.run(checkout / "actions/reconcile", dry_run="true")
        assert (ended.code, ended.outputs["outcome"], ended.outputs["failures"]) == (3, "broken", "1")
        assert "does not answer" in ended.summary


class TestApprove:
    def test_an_event_about_no_pull_request_has_nothing_to_check(self, checkout: Path, unanswered: Job) -> None:
        comment = next(one for one in examples()["issue_comment"] if "pull_request" not in one["issue"])
        ended = replace(unanswered, event_name="issue_comment", event=comment).run(checkout / "actions/approve")
        assert (ended.code, ended.outputs["outcome"], ended.outputs["state"]) == (0, "skipped", "")

    def test_an_event_that_is_none_of_its_own_is_wrong_use(self, checkout: Path, unanswered: Job) -> None:
        push = replace(unanswered, event_name="push", event=examples()["push"][0])
        ended = push.run(checkout / "actions/approve")
        assert (ended.code, ended.outputs["outcome"]) == (errors.WRONG_USE, "broken")
        assert "about no pull request" in ended.said


class TestOnGitHub:
    """Against the fake GitHub, with its job token: read over git, written over REST."""

    def test_a_check_that_waits_for_a_person_is_no_failure(self, checkout: Path, hosted: Job, clone: Clone) -> None:
        payload = copy.deepcopy(examples()["pull_request"][0])
        payload["pull_request"]["number"] = opened(hosted, clone)
        asked = replace(hosted, event_name="pull_request", event=payload)
        by_event = asked.run(checkout / "actions/approve")
        assert by_event.code == errors.FINE, by_event.said
        assert (by_event.outputs["state"], by_event.outputs["outcome"]) == ("pending", "passed")
        assert "&#64;&#8203;dana" in by_event.summary
        (check,) = hub(hosted, "GET", f"commits/{clone.git('rev-parse', 'HEAD')}/check-runs")["check_runs"]
        assert (check["name"], check["status"], check["conclusion"]) == ("tidegate", "in_progress", None)
        by_number = hosted.run(checkout / "actions/approve", number=by_event.outputs["number"], dry_run="true")
        assert by_number.outputs == by_event.outputs

    def test_a_pass_reads_main_there(self, checkout: Path, hosted: Job) -> None:
        ended = hosted.run(checkout / "actions/reconcile", dry_run="true")
        assert (ended.code, ended.outputs["failures"]) == (3, "1"), ended.said  # MLflow is not there, GitHub is

    def test_rendered_files_and_plans_are_held_against_main_there(
        self, checkout: Path, hosted: Job, clone: Clone
    ) -> None:
        assert hosted.run(checkout / "actions/render").outputs["current"] == "true"
        edited = model("churn")["models/churn/model.yaml"].replace("lease: 5m", "lease: 6m")
        clone.commit({"models/churn/model.yaml": edited})
        assert hosted.run(checkout / "actions/plan").outputs["models"] == '["churn"]'

    def test_I11_no_token_is_in_the_log(self, checkout: Path, hosted: Job) -> None:
        ended = replace(hosted, github={**hosted.github, "token": "ghs_wrong"}).run(checkout / "actions/reconcile")
        assert ended.outputs["outcome"] == "broken"
        assert "ghs_" not in ended.said + ended.summary


def opened(job: Job, clone: Clone) -> int:
    """The number of @alice's pull request, which changes what @dana must approve."""
    clone.checkout("looser", new=True)
    text = model("churn")["models/churn/model.yaml"].replace("target: 99.5%", "target: 90%")
    clone.commit({"models/churn/model.yaml": text})
    clone.git("push", "--quiet", str(job.workspace.parent / "github/acme/models.git"), "HEAD:refs/heads/looser")
    number: int = hub(job, "POST", "pulls", {"title": "x", "head": "looser", "base": "main"})["number"]
    return number


def hub(job: Job, method: str, path: str, body: object = None) -> Any:
    address = f"{job.github['api_url']}/repos/acme/models/{path}"
    token = {"Authorization": f"Bearer {job.variables['ALICE']}"}
    answer = requests.request(method, address, json=body, headers=token, timeout=10)
    answer.raise_for_status()
    return answer.json()


def logged(server: str, **metrics: float) -> str:
    """A finished run with these metrics, made through MLflow's REST API."""

    def ask(path: str, body: dict[str, Any]) -> Any:
        answer = requests.post(f"{server}/api/2.0/mlflow/{path}", json=body, timeout=10)
        answer.raise_for_status()
        return json.loads(answer.text)

    run: str = ask("runs/create", {"experiment_id": "0", "start_time": 0})["run"]["info"]["run_id"]
    for name, value in metrics.items():
        ask("runs/log-metric", {"run_id": run, "key": name, "value": value, "timestamp": 0})
    ask("runs/update", {"run_id": run, "status": "FINISHED", "end_time": 1})
    return run
