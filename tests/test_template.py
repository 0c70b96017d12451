"""The repository template: its workflows by GitHub's own grammar, when their jobs run, and what protects main."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from support.github.server import FakeGitHub
from support.models_repository.third_party import ThirdParty
from support.repositories import Clone, git
from support.workflow_runner.engine import Engine, examples
from tidegate import bundled
from tidegate.adapters.targets.file import FileTarget
from tidegate.core.approving.votes import COMMAND
from tidegate.core.manifest import Model
from tidegate.core.pin import Canary, Pin
from tidegate.core.quantity import VersionPin
from tidegate.core.read import read_model, read_workspace

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "repo-template"
WORKFLOWS = sorted((TEMPLATE / ".github" / "workflows").iterdir())
OURS = re.compile(r"OWNER/tidegate/(?P<path>actions/[a-z]+)@0{40}")
PULL_REQUEST, RECONCILE, RETARGET = (
    TEMPLATE / f".github/workflows/{name}.yml" for name in ("pull-request", "reconcile", "retarget")
)
EVERY = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
NAME = "acme/models"
MANIFEST, WORKSPACE = (
    (TEMPLATE / name).read_text(encoding="utf-8") for name in ("models/example/model.yaml", "tidegate.yaml")
)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.close()


def read(engine: Engine, workflow: Path) -> dict[str, Any]:
    return engine.workflow(workflow.name, workflow.read_text(encoding="utf-8"))


def steps(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every step that uses an action, with the action's name."""
    for job in definition["jobs"].values():
        yield from ((step["uses"].partition("@")[0], step) for step in job["steps"] if "uses" in step)


@EVERY
def test_our_actions_are_given_inputs_that_they_have_and_asked_for_outputs_that_they_write(
    engine: Engine, workflow: Path
) -> None:
    definition, text = read(engine, workflow), workflow.read_text(encoding="utf-8")
    for _, step in steps(definition):
        if (found := OURS.fullmatch(step["uses"])) is None:
            continue
        action = engine.action(ROOT / found["path"] / "action.yml")
        assert step.get("with", {}).keys() <= action["inputs"].keys()
        if "id" in step:
            assert set(re.findall(rf"steps\.{step['id']}\.outputs\.([a-z-]+)", text)) <= action["outputs"].keys()


@EVERY
def test_actions_of_others_have_a_stand_in_and_one_commit_each(engine: Engine, workflow: Path) -> None:
    known = ThirdParty(FakeGitHub, NAME).stands  # type: ignore[arg-type]
    others = {step["uses"] for name, step in steps(read(engine, workflow)) if not name.startswith("OWNER/tidegate/")}
    assert {use.partition("@")[0] for use in others} <= known.keys()
    assert len({use.partition("@")[0] for use in others}) == len(others)


def test_the_loop_wakes_when_the_other_workflows_end(engine: Engine) -> None:
    definitions = {file.stem: read(engine, file) for file in WORKFLOWS}
    woken = definitions.pop("reconcile")["on"]["workflow_run"]["workflows"]
    assert sorted(woken) == sorted(definition["name"] for definition in definitions.values())


@EVERY
def test_no_token_stays_in_a_checkout_and_nothing_is_allowed_that_no_job_asks_for(
    engine: Engine, workflow: Path
) -> None:
    definition = read(engine, workflow)
    assert definition["permissions"] == {}
    assert all("permissions" in job and "timeout-minutes" in job for job in definition["jobs"].values())
    checkouts = [step["with"]["persist-credentials"] for name, step in steps(definition) if name == "actions/checkout"]
    assert set(checkouts) <= {"false"}


def test_the_apps_key_is_only_in_the_environment_that_is_limited_to_main(engine: Engine) -> None:
    jobs = [(file.stem, name, job) for file in WORKFLOWS for name, job in read(engine, file)["jobs"].items()]
    with_key = [(file, name, job["environment"]["name"]) for file, name, job in jobs if "APP_PRIVATE_KEY" in str(job)]
    assert with_key == [("reconcile", "approve", "tidegate"), ("reconcile", "reconcile", "tidegate")]
    of_pull_requests = {
        job["environment"]["name"] for file, _, job in jobs if file == "pull-request" and "environment" in job
    }
    assert of_pull_requests == {"tidegate-pull-requests"}


def test_nothing_of_a_pull_request_is_checked_out_where_the_apps_key_is(engine: Engine) -> None:
    """Its other events run main's workflow with secrets, whoever caused them."""
    assert {name for name, _ in steps(read(engine, RECONCILE))} == {
        "OWNER/tidegate/actions/approve", "OWNER/tidegate/actions/reconcile", "actions/create-github-app-token",
    }  # fmt: skip


def test_the_token_is_asked_only_for_what_every_app_is_given(engine: Engine) -> None:
    """GitHub refuses a token with more than the App has, and every pass would fail where it signs in."""
    page = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")
    found = re.search(r"permissions, and install it on the repository: (?P<names>[^:]*): write\.", page)
    assert found
    given = {name.strip().replace(" ", "-") for name in re.split(r",| and ", found["names"])}
    asked = [
        {name.removeprefix("permission-") for name in step["with"] if name.startswith("permission-")}
        for name, step in steps(read(engine, RECONCILE))
        if name == "actions/create-github-app-token"
    ]
    assert set.union(*asked) == given


def test_where_teams_approve_the_line_is_there_to_be_let_in(engine: Engine) -> None:
    text = RECONCILE.read_text(encoding="utf-8").replace("# permission-members: read", "permission-members: read")
    jobs = engine.workflow(RECONCILE.name, text)["jobs"].values()
    assert [step["with"]["permission-members"] for job in jobs for step in job["steps"] if step.get("id") == "app"] == [
        "read", "read",
    ]  # fmt: skip


def pull_request(**changed: Any) -> dict[str, Any]:
    """The context of a pull request of this repository, labelled for training, as GitHub tells it."""
    example = next(each for each in examples()["pull_request"] if each["action"] == "labeled")
    here, label = example["repository"], {"name": "tidegate: train"}
    pull = {**example["pull_request"], "labels": [label], "head": {**example["pull_request"]["head"], "repo": here}}
    return {
        "event_name": "pull_request",
        "repository": here["full_name"],
        "event": {"action": "labeled", "label": label, "pull_request": {**pull, **changed}},
    }


def happened(action: str, label: str | None = "tidegate: train") -> dict[str, Any]:
    """The context of another event of that pull request, still labelled; None: the event is about no label."""
    context = pull_request()
    about = {"label": {"name": label}} if label else {}
    return {**context, "event": {"action": action, "pull_request": context["event"]["pull_request"], **about}}


A_FORK = {"head": {"repo": {"full_name": "stranger/models"}}}
REVIEW = {**pull_request(), "event_name": "pull_request_review"}
QUEUE = {"event_name": "merge_group", "repository": NAME, "event": {"merge_group": {}}}


@pytest.mark.parametrize(
    ("github", "trained", "runs"),
    [
        pytest.param(pull_request(), '["churn"]', True, id="a-person-set-the-label"),
        pytest.param(happened("labeled", "bug"), '["churn"]', False, id="another-label-while-this-one-is-there"),
        pytest.param(happened("unlabeled", "bug"), '["churn"]', False, id="another-label-went"),
        pytest.param(happened("unlabeled"), '["churn"]', False, id="the-label-went"),
        pytest.param(happened("synchronize", None), '["churn"]', False, id="I12-commits-that-nobody-has-read"),
        pytest.param(happened("reopened", None), '["churn"]', False, id="the-label-was-set-for-another-head"),
        pytest.param(pull_request(), "[]", False, id="nothing-would-be-trained"),
        pytest.param(pull_request(**A_FORK), '["churn"]', False, id="I12-a-strangers-code"),
        pytest.param(pull_request(head={"repo": None}), '["churn"]', False, id="I12-a-fork-that-is-gone"),
        pytest.param(REVIEW, '["churn"]', False, id="a-review"),
        pytest.param(QUEUE, '["churn"]', False, id="a-merge-queue"),
    ],
)
def test_a_candidate_is_trained_for_people_of_the_repository_who_ask(
    engine: Engine, github: dict[str, Any], trained: str, runs: bool
) -> None:
    needs = {"plan": {"result": "success", "outputs": {"trained": trained}}}
    assert runs_in(engine, PULL_REQUEST, "candidate", {"github": github, "needs": needs, "vars": {}}) is runs


@pytest.mark.parametrize(
    ("github", "variables", "machine"),
    [
        pytest.param(pull_request(), {"TIDEGATE_RUNNER": "near"}, "near", id="where-the-servers-are-within-reach"),
        pytest.param(pull_request(), {}, "ubuntu-24.04", id="no-runner-of-your-own"),
        pytest.param(pull_request(**A_FORK), {"TIDEGATE_RUNNER": "near"}, "ubuntu-24.04", id="a-forks-on-githubs-own"),
        pytest.param(pull_request(head={"repo": None}), {"TIDEGATE_RUNNER": "near"}, "ubuntu-24.04", id="a-fork-gone"),
        pytest.param(QUEUE, {"TIDEGATE_RUNNER": "near"}, "ubuntu-24.04", id="a-merge-queue-tells-not-whose-it-is"),
    ],
)
def test_where_a_plan_is_made(engine: Engine, github: dict[str, Any], variables: dict[str, str], machine: str) -> None:
    """It replays past rollouts, for which it must reach Prometheus."""
    job = read(engine, PULL_REQUEST)["jobs"]["plan"]
    contexts = {"github": github, "vars": variables}
    assert engine.value(job["runs-on"]["expression"], contexts) == machine
    assert job["env"] == {"TIDEGATE_PROMETHEUS_URL": {"expression": "vars.TIDEGATE_PROMETHEUS_URL"}}


@pytest.mark.parametrize(
    ("github", "variables", "runs"),
    [
        pytest.param(pull_request(), {}, True, id="without-an-app"),
        pytest.param(QUEUE, {}, True, id="a-merge-queue-without-an-app"),
        pytest.param(pull_request(), {"TIDEGATE_APP_ID": "7"}, False, id="with-an-app-reconcile-does-it"),
        pytest.param(pull_request(**A_FORK), {}, False, id="a-forks-token-may-not-write"),
    ],
)
def test_pull_requests_write_the_check_only_where_no_app_does(
    engine: Engine, github: dict[str, Any], variables: dict[str, str], runs: bool
) -> None:
    assert runs_in(engine, PULL_REQUEST, "approve", {"github": github, "needs": {}, "vars": variables}) is runs


@pytest.mark.parametrize(
    ("validate", "plan", "fails"),
    [
        pytest.param("success", "success", False, id="both-passed"),
        pytest.param("failure", "success", True, id="one-failed"),
        pytest.param("success", "cancelled", True, id="one-was-cancelled"),
    ],
)
def test_the_required_job_always_runs_and_fails_with_the_others(
    engine: Engine, validate: str, plan: str, fails: bool
) -> None:
    job = read(engine, PULL_REQUEST)["jobs"]["checks"]
    contexts = {"github": {}, "vars": {}, "needs": {"validate": {"result": validate}, "plan": {"result": plan}}}
    assert runs_in(engine, PULL_REQUEST, "checks", contexts, "failure") is True
    (step,) = job["steps"]
    assert engine.value(step["if"]["expression"], contexts) is fails


def run_of(name: str, **changed: Any) -> dict[str, Any]:
    """The context of another workflow's end."""
    (example, *_) = examples()["workflow_run"]
    run = {**example["workflow_run"], "name": name, "display_title": "Pull request #7", **changed}
    return {"event_name": "workflow_run", "event": {**example, "workflow_run": run}}


def comment(action: str, body: str, before: str | None = None, by: str = "User", **issue: Any) -> dict[str, Any]:
    """The context of a comment on pull request 7, as GitHub tells it; `before` is what an edited one said."""
    example = next(each for each in examples()["issue_comment"] if each["action"] == action)
    on, said = example["issue"], example["comment"]
    pull = {"url": f"{example['repository']['url']}/pulls/7"}
    event = {
        **example,
        "issue": {**on, "number": 7, "pull_request": pull, **issue},
        "comment": {**said, "body": body, "user": {**said["user"], "type": by}},
    }
    changes = {} if before is None else {"changes": {"body": {"from": before}}}
    return {"event_name": "issue_comment", "event": {**event, **changes}}


YES = f"Looks good.\n\n{COMMAND}\n"


@pytest.mark.parametrize(
    ("github", "runs"),
    [
        pytest.param(comment("created", YES), {"approve", "reconcile"}, id="an-approval"),
        pytest.param(comment("created", "Looks good."), set(), id="another-comment"),
        pytest.param(comment("created", YES, pull_request=None), set(), id="on-what-is-no-pull-request"),
        pytest.param(comment("edited", "No!", before=YES), {"approve", "reconcile"}, id="an-approval-edited-away"),
        pytest.param(comment("edited", YES, before="No!"), {"approve", "reconcile"}, id="an-approval-edited-in"),
        pytest.param(comment("edited", "No!", before="Yes!"), set(), id="an-edit-of-another-comment"),
        pytest.param(comment("deleted", YES), {"approve", "reconcile"}, id="an-approval-deleted"),
        pytest.param(comment("created", YES, by="Bot"), set(), id="our-own-comment-on-how-to-approve"),
        pytest.param(run_of("pull request"), {"approve", "reconcile"}, id="a-pull-request-or-review"),
        pytest.param(run_of("retarget", conclusion="success"), {"approve", "reconcile"}, id="I4-another-base"),
        pytest.param(run_of("retarget", conclusion="skipped"), set(), id="another-text-which-a-pass-may-have-written"),
        pytest.param(run_of("train"), {"reconcile"}, id="a-training-ended"),
        pytest.param({"event_name": "schedule", "event": {}}, {"reconcile"}, id="the-timetable"),
        pytest.param({"event_name": "repository_dispatch", "event": {}}, {"reconcile"}, id="an-alert"),
        pytest.param({"event_name": "workflow_dispatch", "event": {}}, {"reconcile"}, id="a-person"),
    ],
)
def test_what_wakes_the_loop(engine: Engine, github: dict[str, Any], runs: set[str]) -> None:
    contexts = {"github": github, "vars": {}, "needs": {}}
    assert {job for job in ("approve", "reconcile") if runs_in(engine, RECONCILE, job, contexts)} == runs


def test_F24_checks_of_one_pull_request_are_written_one_after_the_other(engine: Engine) -> None:
    """So that what was read last is written last, whether a review or a comment came, also on a fork's."""
    definition = read(engine, RECONCILE)["jobs"]["approve"]["concurrency"]
    queue = "gh-readonly-queue/main/pr-7-5e1"
    events = (
        run_of("pull request"),
        run_of("pull request", pull_requests=[], head_branch="patch"),
        comment("created", YES),
        run_of("pull request", display_title="Pull request #8"),
        run_of("pull request", display_title=queue, head_branch=queue),
    )
    first, *others = groups = [engine.text(definition["group"], {"github": github}) for github in events]
    assert [other == first for other in others] == [True, True, False, False]
    assert len(set(groups)) == 3
    assert first == "tidegate-approve: Pull request #7"
    assert (definition["queue"], definition["cancel-in-progress"]) == ("max", False)


def test_F24_no_run_but_one_for_new_code_takes_the_place_of_a_training_that_waits(engine: Engine) -> None:
    group = read(engine, PULL_REQUEST)["concurrency"]["group"]
    training, *others = (
        engine.text(group, {"github": context})
        for context in (pull_request(), happened("synchronize", None), happened("labeled", "bug"), REVIEW)
    )
    assert [other == training for other in others] == [True, False, False]


@pytest.mark.parametrize(
    ("github", "title"),
    [
        pytest.param({"event": {"pull_request": {"number": 7}}, "ref_name": "7/merge"}, "Pull request #7", id="a-pull"),
        pytest.param({"event": {}, "ref_name": "gh-readonly-queue/main/pr-7-5e1"}, None, id="a-queues-branch"),
    ],
)
def test_a_run_is_named_after_what_it_is_for(engine: Engine, github: dict[str, Any], title: str | None) -> None:
    named = engine.text(read(engine, PULL_REQUEST)["run-name"], {"github": github})
    assert named == (title or github["ref_name"])


@pytest.mark.parametrize(
    ("changes", "runs"),
    [
        pytest.param({"base": {"ref": {"from": "alice/stack"}, "sha": {"from": "5e1"}}}, True, id="of-the-base"),
        pytest.param({"body": {"from": "as it was"}}, False, id="of-the-text"),
    ],
)
def test_of_edits_those_of_the_base_start_the_loop(engine: Engine, changes: dict[str, Any], runs: bool) -> None:
    context = happened("edited", None)
    contexts = {"github": {**context, "event": {**context["event"], "changes": changes}}, "vars": {}, "needs": {}}
    assert runs_in(engine, RETARGET, "retarget", contexts) is runs
    number = context["event"]["pull_request"]["number"]
    assert engine.text(read(engine, RETARGET)["run-name"], contexts) == f"Pull request #{number}"


def test_no_required_job_is_one_that_an_edit_of_a_text_would_skip(engine: Engine) -> None:
    """GitHub lets a skipped job of the same name count as passed."""
    assert "edited" not in read(engine, PULL_REQUEST)["on"]["pull_request"]["types"]
    assert not read(engine, RETARGET)["jobs"].keys() & read(engine, PULL_REQUEST)["jobs"].keys()


class TestServing:
    """docs/serving.md tells a model server just what the template's model is rendered to, and judged by."""

    def test_the_route_file_is_what_is_rendered(self) -> None:
        model = the_example()
        one, two = (VersionPin(version=n, digest=f"sha256:{n:064x}") for n in (11, 12))
        rendered = FileTarget().render(model, "production", Pin(stable=one, canary=Canary(pin=two, weight=0.25)))
        page = next(block for block in blocks() if "kind: Route" in block)
        shown = re.sub(r'"sha256:[^"]+"', '"…"', page).replace("churn", model.name)
        assert re.sub(r'"sha256:[^"]+"', '"…"', rendered) == shown

    def test_every_series_that_the_model_reads_is_exposed_and_no_other(self) -> None:
        page = next(block for block in blocks() if "model_ready{" in block)
        exposed = {re.sub(r"(_bucket|_count|_sum)?{.*", "", line) for line in page.splitlines()}
        ready = the_example().environment("staging").target.ready
        read = {ready, *re.findall(r"total: (\w+)", WORKSPACE), *re.findall(r"histogram: (\w+)", MANIFEST)}
        assert exposed == read


def blocks() -> list[str]:
    page = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    return re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def the_example() -> Model:
    settings = read_workspace(WORKSPACE, "tidegate.yaml", bundled.schemas())
    return read_model(MANIFEST, "models/example/model.yaml", bundled.schemas(), settings)


def runs_in(engine: Engine, workflow: Path, job: str, contexts: Mapping[str, Any], status: str = "success") -> bool:
    definition = read(engine, workflow)["jobs"][job]
    return bool(engine.value(definition["if"]["expression"], contexts, status))


@pytest.fixture
def github(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path / "github") as github:
        github.repository(NAME)
        yield github


def protect(
    github: FakeGitHub, token: str, *app: str, rulesets: Path = TEMPLATE / ".github/rulesets"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(rulesets / "apply.py"), NAME, *app],
        env={"PATH": os.environ["PATH"], "GITHUB_API_URL": github.api_url, "GITHUB_TOKEN": token},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


class TestRulesets:
    def test_they_are_created_once_and_replaced_after(self, github: FakeGitHub) -> None:
        token = github.token("dana", role="admin")
        assert protect(github, token, "7").stdout == "tidegate: everyone: created\ntidegate: people: created\n"
        assert protect(github, token, "8").stdout == "tidegate: everyone: replaced\ntidegate: people: replaced\n"
        assert [ruleset.bypass for ruleset in github.repository(NAME).rulesets][1][0]["actor_id"] == 8

    def test_a_status_that_anybody_can_set_is_no_check(self, github: FakeGitHub) -> None:
        protect(github, github.token("dana", role="admin"), "7")
        required = {
            (check["context"], check.get("integration_id"))
            for ruleset in github.repository(NAME).rulesets
            for rule in ruleset.rules
            if rule["type"] == "required_status_checks"
            for check in rule["parameters"]["required_status_checks"]
        }
        assert required == {("tidegate", 7), ("checks", 15368)}

    def test_without_an_app_nothing_is_required_that_nobody_can_pass_by(self, github: FakeGitHub) -> None:
        assert protect(github, github.token("dana", role="admin")).stdout == "tidegate: everyone: created\n"
        (checks,) = [
            rule for rule in github.repository(NAME).rulesets[0].rules if rule["type"] == "required_status_checks"
        ]
        assert checks["parameters"]["required_status_checks"] == [{"context": "tidegate", "integration_id": 15368}]

    def test_who_may_not_is_told(self, github: FakeGitHub) -> None:
        refused = protect(github, github.token("kim", role="write"), "7")
        assert (refused.returncode, "GitHub refused" in refused.stderr) == (1, True)

    @pytest.mark.parametrize("api", ["nonsense", "http://", "http://[", "http://a b", "http://127.0.0.1:1"])
    def test_an_address_that_is_none_is_a_sentence(self, api: str) -> None:
        words = [sys.executable, str(TEMPLATE / ".github/rulesets/apply.py"), NAME]
        variables = {"PATH": os.environ["PATH"], "GITHUB_API_URL": api, "GITHUB_TOKEN": "x"}
        ran = subprocess.run(words, env=variables, capture_output=True, text=True, check=False)
        (line,) = ran.stderr.splitlines()
        assert (ran.returncode, line.startswith(f"{api} does not answer: ")) == (1, True)
        assert line.endswith("; correct GITHUB_API_URL, or try again")

    @pytest.mark.parametrize("app", ["Iv23liAbc", "7a", "-7", "²"])
    def test_I14_an_app_id_that_is_no_number_is_a_sentence(self, github: FakeGitHub, app: str) -> None:
        refused = protect(github, github.token("dana", role="admin"), app)
        (line,) = refused.stderr.splitlines()
        assert (refused.returncode, line.startswith(f"{app} is no App's id")) == (1, True)
        assert github.repository(NAME).rulesets == []

    def test_I11_a_token_that_is_none_is_not_shown(self, github: FakeGitHub) -> None:
        refused = protect(github, "hunter2\nx", "7")
        (line,) = refused.stderr.splitlines()
        assert (refused.returncode, "GITHUB_TOKEN" in line, "hunter2" in line) == (1, True, False)

    @pytest.mark.parametrize("arguments", [(), ("7", "8", "9")], ids=["nobody-is-signed-in", "too-many-words"])
    def test_wrong_use_prints_how_to_use_it(self, github: FakeGitHub, arguments: tuple[str, ...]) -> None:
        token = "" if not arguments else github.token("dana", role="admin")
        assert "OWNER/NAME [APP_ID]" in protect(github, token, *arguments).stderr

    @pytest.mark.parametrize(
        ("path", "checks", "status"),
        [
            pytest.param(
                "models/churn/production.yaml", {"tidegate"}, 200, id="the-app-merges-a-pin-by-our-check-alone"
            ),
            pytest.param("models/churn/production.yaml", set(), 405, id="but-not-without-it"),
            pytest.param("models/churn/model.yaml", {"tidegate"}, 405, id="what-people-own-needs-their-review"),
        ],
    )
    def test_what_the_app_may_merge(self, github: FakeGitHub, path: str, checks: set[str], status: int) -> None:
        token = self.proposed(github, path, checks)
        assert merge(github, token).status_code == status

    @pytest.mark.parametrize(
        ("role", "alone", "status"),
        [
            pytest.param("admin", True, 200, id="an-administrator-who-is-alone-passes-by"),
            pytest.param("write", True, 405, id="nobody-else-does"),
            pytest.param("admin", False, 405, id="as-the-template-has-it-nobody-does"),
        ],
    )
    def test_who_is_alone_follows_the_readme(
        self, github: FakeGitHub, tmp_path: Path, role: Any, alone: bool, status: int
    ) -> None:
        rulesets = Path(shutil.copytree(TEMPLATE / ".github/rulesets", tmp_path / "rulesets"))
        if alone:
            found = re.search(r'`("bypass_actors": \[.+\])`', (TEMPLATE / "README.md").read_text(encoding="utf-8"))
            assert found
            everyone = rulesets / "everyone.json"
            everyone.write_text(everyone.read_text().replace('"bypass_actors": []', found[1]))
        there = github.repository(NAME)
        dana = Clone.of(there.path, tmp_path / "clone")
        dana.checkout("change", new=True)
        dana.commit({"models/churn/model.yaml": "kind: Model\n"})
        dana.push("HEAD")
        protect(github, github.token("owner", role="admin"), rulesets=rulesets)
        token = github.token("dana", role=role)
        ask(github, token, "POST", "pulls", {"head": "change", "base": "main", "title": "a change"})
        assert merge(github, token).status_code == status

    def proposed(self, github: FakeGitHub, path: str, checks: set[str]) -> str:
        """A pull request of the App's, on a repository with the template's owners and rulesets; the App's token."""
        app, there = github.app("tidegate"), github.repository(NAME)
        kim = Clone.of(there.path, there.path.parent / "clone")
        github.token("kim")
        owners = (TEMPLATE / ".github/CODEOWNERS").read_text(encoding="utf-8").replace("@you", "@kim")
        kim.commit({".github/CODEOWNERS": owners})
        kim.push("HEAD:main")
        kim.checkout("tidegate/churn", new=True)
        head = kim.commit({path: "kind: Pin\n"})
        kim.push("HEAD")
        protect(github, github.token("dana", role="admin"), str(app.id))
        token = github.installation_token(app).token
        ask(github, token, "POST", "pulls", {"head": "tidegate/churn", "base": "main", "title": "a change"})
        for name in checks:
            done = {"name": name, "head_sha": head, "status": "completed", "conclusion": "success"}
            ask(github, token, "POST", "check-runs", done)
        assert git(there.path, "rev-parse", "tidegate/churn") == head
        return token


def merge(github: FakeGitHub, token: str) -> requests.Response:
    return ask(github, token, "PUT", "pulls/1/merge", {"merge_method": "merge"})


def ask(github: FakeGitHub, token: str, verb: str, path: str, body: object) -> requests.Response:
    address = f"{github.api_url}/repos/{NAME}/{path}"
    return requests.request(verb, address, json=body, headers={"Authorization": f"token {token}"}, timeout=30)
