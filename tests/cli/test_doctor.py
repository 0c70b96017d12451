"""`tidegate doctor` as a person runs it: what it prints in each format, its exit codes, and no secret in any of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from support.github.server import FakeGitHub
from support.github.state import Environment
from support.program import Program
from support.prometheus_server import PrometheusServer
from support.repositories import Clone, new_bare
from support.worlds import MANIFEST, WORKSPACE
from tidegate import errors

NAME = "acme/models"
FILES = {
    "tidegate.yaml": WORKSPACE,
    "models/digits/model.yaml": MANIFEST,
    "models/digits/training/train.py": "print(1)\n",
}
RECONCILE = """\
on: schedule
jobs:
  reconcile:
    environment: tidegate
    steps:
      - uses: OWNER/tidegate/actions/reconcile@v1
        if: vars.TIDEGATE_APP_ID != ''
"""
NOBODY = {**FILES, "tidegate.yaml": WORKSPACE.replace(":5000", ":1").replace(":9090", ":1")}


@pytest.fixture
def github(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path / "github") as github:
        yield github


@pytest.fixture
def clone(github: FakeGitHub, tmp_path: Path) -> Clone:
    """A clone of `acme/models` as it lies on GitHub."""
    repository = github.repository(NAME)
    clone = Clone.of(repository.path, tmp_path / "clone")
    clone.commit(FILES)
    clone.push("HEAD:main")
    clone.git("remote", "set-url", "origin", repository.clone_url)
    return clone


@pytest.fixture
def servers(mlflow_uri: str, prometheus: PrometheusServer) -> Mapping[str, str]:
    return {"MLFLOW_TRACKING_URI": mlflow_uri, "TIDEGATE_PROMETHEUS_URL": prometheus.url}


def at(github: FakeGitHub, **signed_in: str) -> Mapping[str, str]:
    return {"GITHUB_SERVER_URL": github.url, "GITHUB_API_URL": github.api_url,
            "GITHUB_GRAPHQL_URL": github.graphql_url, **signed_in}  # fmt: skip


def app(github: FakeGitHub) -> Mapping[str, str]:
    made = github.app("tidegate", permissions={"administration": "write"})
    return at(github, TIDEGATE_GITHUB_APP_ID=str(made.id), TIDEGATE_GITHUB_APP_KEY=made.private_key)


def require_our_check(github: FakeGitHub) -> None:
    number = github.app("tidegate").id
    checks = {"required_status_checks": [{"context": "tidegate", "integration_id": number}],
              "strict_required_status_checks_policy": False}  # fmt: skip
    body: dict[str, Any] = {
        "name": "main", "target": "branch", "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [{"type": "required_status_checks", "parameters": checks}],
    }  # fmt: skip
    headers = {"Authorization": f"token {github.token('root', role='admin')}"}
    address = f"{github.api_url}/repos/{NAME}/rulesets"
    requests.post(address, json=body, headers=headers, timeout=10).raise_for_status()


def rules(out: str) -> list[str]:
    return [complaint["rule"] for section in json.loads(out)["sections"] for complaint in section["complaints"]]


def test_0_everything_as_it_should_be(
    github: FakeGitHub, clone: Clone, servers: Mapping[str, str], tmp_path: Path
) -> None:
    github.repository(NAME).settings.allow_auto_merge = True
    variables = {**servers, **app(github)}
    require_our_check(github)
    clone.git("config", "--add", "remote.origin.fetch", "+refs/tidegate/*:refs/tidegate/*")
    ran = Program(clone.folder, tmp_path, variables)("doctor")
    assert (ran.code, ran.err) == (errors.FINE, ""), ran
    assert "fine     main requires the check `tidegate`" in ran.out
    assert ran.out.splitlines()[-1] == "nothing is amiss; 2 things could not be looked at"


def test_1_complaints_come_with_their_why_and_their_fix(
    github: FakeGitHub, clone: Clone, servers: Mapping[str, str], tmp_path: Path
) -> None:
    program = Program(clone.folder, tmp_path, {**servers, **app(github)})
    ran = program("doctor")
    assert ran.code == errors.FINDINGS
    lines = ran.out.splitlines()
    found = lines.index("  error    check-not-required  no rule of main requires the check `tidegate`")
    assert lines[found + 1].startswith("           why: Without it a proposal merges unchecked")
    assert lines[found + 2].startswith("           fix: the repository's settings, Rules")
    assert rules(program("doctor", "--format", "json").out) == [
        "records-not-fetched",
        "check-not-required",
        "auto-merge-off",
    ]


def test_1_the_settings_that_workflows_read_are_looked_at(
    github: FakeGitHub, clone: Clone, servers: Mapping[str, str], tmp_path: Path
) -> None:
    repository = github.repository(NAME)
    repository.environments = [Environment(id=5, name="tidegate", protected_only=True, reviewers=1)]
    clone.write(".github/workflows/reconcile.yml", RECONCILE)
    ran = Program(clone.folder, tmp_path, {**servers, **app(github)})("doctor")
    assert ran.code == errors.FINDINGS
    assert "placeholder  .github/workflows/reconcile.yml:6 says OWNER/tidegate" in ran.out
    assert "environment-waits  each run waits for a reviewer of the environment `tidegate`" in ran.out
    assert "environment-open  the environment `tidegate` takes protected branches" in ran.out
    assert "unseen   the variable TIDEGATE_APP_ID: " in ran.out


def test_1_a_person_is_told_of_the_apps_login(
    github: FakeGitHub, clone: Clone, servers: Mapping[str, str], tmp_path: Path
) -> None:
    github.repository(NAME).variables = {"TIDEGATE_APP_ID": "7"}
    clone.write(".github/workflows/reconcile.yml", RECONCILE.replace("OWNER", "acme"))
    signed_in = at(github, TIDEGATE_GITHUB_TOKEN=github.token("dana"))
    without = Program(clone.folder, tmp_path, {**servers, **signed_in})("doctor", "--format", "json")
    named = {**servers, **signed_in, "TIDEGATE_GITHUB_LOGINS": "tidegate[bot]"}
    found = rules(without.out)
    assert {"other-logins", "environment-missing"} <= set(found)
    told = rules(Program(clone.folder, tmp_path, named)("doctor", "--format", "json").out)
    assert [rule for rule in found if rule != "other-logins"] == told


def test_1_annotations_stand_in_a_workflows_log(
    github: FakeGitHub, clone: Clone, servers: Mapping[str, str], tmp_path: Path
) -> None:
    ran = Program(clone.folder, tmp_path, {**servers, **app(github)})("doctor", "--format", "github")
    assert ran.code == errors.FINDINGS
    *annotations, totals = ran.out.splitlines()
    assert all(line.startswith(("::error title=", "::warning title=", "::notice title=")) for line in annotations)
    assert any("::error title=check-not-required::no rule of main" in line for line in annotations)
    assert totals.startswith("1 error, 2 warnings; ")


def test_1_nobody_is_signed_in_to_github(
    github: FakeGitHub, clone: Clone, servers: Mapping[str, str], tmp_path: Path
) -> None:
    ran = Program(clone.folder, tmp_path, {**servers, **at(github)})("doctor", "--format", "json")
    assert ran.code == errors.FINDINGS
    assert "not-signed-in" in rules(ran.out)
    assert "TIDEGATE_GITHUB_TOKEN, GITHUB_TOKEN or GH_TOKEN" in ran.out


def test_1_a_token_that_github_does_not_know(
    github: FakeGitHub, clone: Clone, servers: Mapping[str, str], tmp_path: Path
) -> None:
    program = Program(clone.folder, tmp_path, {**servers, **at(github, GH_TOKEN="ghp_nobody")})
    ran = program("doctor", "--format", "json")
    assert ran.code == errors.FINDINGS
    assert "github-refuses" in rules(ran.out)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        pytest.param({}, "TIDEGATE_GITHUB_APP_KEY holds no secret", id="none"),
        pytest.param({"TIDEGATE_GITHUB_APP_KEY_FILE": "/nowhere"}, "the secret file /nowhere cannot be", id="no-file"),
        pytest.param({"TIDEGATE_GITHUB_APP_KEY": "/key.pem"}, "the App's private key cannot be read", id="no-PEM"),
    ],
)
def test_1_an_apps_key_that_cannot_be_read(
    key: Mapping[str, str], words: str, clone: Clone, github: FakeGitHub, tmp_path: Path
) -> None:
    variables = at(github, TIDEGATE_GITHUB_APP_ID="1", **key)
    out = Program(clone.folder, tmp_path, variables)("doctor", "--format", "json").out
    assert "app-key-unreadable" in rules(out)
    assert words in out


def test_1_an_origin_on_another_server(clone: Clone, servers: Mapping[str, str], tmp_path: Path) -> None:
    clone.git("remote", "set-url", "origin", "https://git.example/acme/models.git")
    ran = Program(clone.folder, tmp_path, servers)("doctor")
    assert ran.code == errors.FINDINGS
    seen = "origin is https://git.example/acme/models.git, which is not on https://github.com"
    assert f"origin-elsewhere  {seen}" in ran.out


def test_1_a_clone_without_an_origin_is_told_so_once(clone: Clone, servers: Mapping[str, str], tmp_path: Path) -> None:
    clone.git("remote", "remove", "origin")
    program = Program(clone.folder, tmp_path, servers)
    assert rules(program("doctor", "--format", "json").out) == ["no-origin"]
    assert "unseen   GitHub: this clone has no origin" in program("doctor").out


@pytest.mark.parametrize(
    ("variable", "address"),
    [
        pytest.param("GITHUB_API_URL", "api.github.com", id="the-API"),
        pytest.param("GITHUB_SERVER_URL", "http://", id="the-server"),
        pytest.param("TIDEGATE_PROMETHEUS_URL", "localhost", id="prometheus"),
        pytest.param("MLFLOW_TRACKING_URI", "127.0.0.1:5000", id="mlflow"),
    ],
)
def test_2_a_variable_that_holds_no_address_is_named(
    variable: str, address: str, clone: Clone, github: FakeGitHub, tmp_path: Path
) -> None:
    variables = {**at(github, GITHUB_TOKEN="x"), variable: address}
    ran = Program(clone.folder, tmp_path, variables)("doctor")
    assert (ran.code, ran.out) == (errors.WRONG_USE, "")
    words = "is no address of a server: it must begin with http:// or https:// and name a host"
    assert ran.err == f"{variable} {words}\n"


def test_3_servers_that_do_not_answer_are_named_and_the_others_asked(tmp_path: Path) -> None:
    ran = Program(new_bare(tmp_path / "git", NOBODY), tmp_path)("doctor")
    assert ran.code == errors.OUTSIDE
    assert "unseen   the registry: MLflow at http://127.0.0.1:1 does not answer" in ran.out
    assert "unseen   readings: Prometheus at http://127.0.0.1:1 does not answer" in ran.out
    assert "fine     proposals are kept in the repository itself, by the local forge" in ran.out


def test_what_is_named_nowhere_is_unseen_and_no_silence(tmp_path: Path) -> None:
    plain = {**FILES, "tidegate.yaml": "apiVersion: tidegate.dev/v1alpha1\nkind: Workspace\n"}
    ran = Program(new_bare(tmp_path / "git", plain), tmp_path)("doctor")
    assert ran.code == errors.FINE
    assert "no MLflow is named: set registry.uri" in ran.out
    assert "no Prometheus is named: set prometheus.url" in ran.out


def test_a_secret_that_cannot_be_read_is_a_complaint(tmp_path: Path) -> None:
    workspace = WORKSPACE.replace('9090"}', '9090", auth: {bearer: {env: NOT_SET_ANYWHERE}}}').replace(":5000", ":1")
    ran = Program(new_bare(tmp_path / "git", {**FILES, "tidegate.yaml": workspace}), tmp_path)("doctor")
    assert "prometheus-refuses" in ran.out
    assert "NOT_SET_ANYWHERE" in ran.out


def test_2_a_folder_without_a_workspace(tmp_path: Path) -> None:
    ran = Program(new_bare(tmp_path / "git", {"README.md": "hello\n"}), tmp_path)("doctor")
    assert (ran.code, ran.out) == (errors.WRONG_USE, "")
    assert "tidegate init" in ran.err


def test_2_a_repository_without_a_commit(tmp_path: Path) -> None:
    clone = Clone.of(new_bare(tmp_path / "git", NOBODY), tmp_path / "clone")
    clone.git("checkout", "--quiet", "--orphan", "empty")
    ran = Program(clone.folder, tmp_path)("doctor")
    assert (ran.code, ran.out) == (errors.WRONG_USE, "")
    assert "has no commit yet; commit something first" in ran.err


def test_files_that_are_not_pushed_are_looked_at(tmp_path: Path) -> None:
    bare = new_bare(tmp_path / "git", {"README.md": "hello\n"})
    clone = Clone.of(bare, tmp_path / "clone")
    for path, text in NOBODY.items():
        clone.write(path, text)
    assert Program(clone.folder, tmp_path)("doctor").code == errors.OUTSIDE


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_I11_no_token_and_no_password_is_printed(github: FakeGitHub, clone: Clone, tmp_path: Path, form: str) -> None:
    token = github.token("dana")
    clone.git("remote", "set-url", "origin", clone.git("remote", "get-url", "origin").replace("//", "//dana:hunter2@"))
    variables = at(
        github,
        TIDEGATE_GITHUB_TOKEN=token,
        MLFLOW_TRACKING_URI="http://dana:hunter2@127.0.0.1:1",
        TIDEGATE_PROMETHEUS_URL="http://dana:hunter2@127.0.0.1:1",
    )
    ran = Program(clone.folder, tmp_path, variables)("doctor", "--format", form)
    assert ran.code == errors.OUTSIDE
    assert token not in ran.out + ran.err
    assert "hunter2" not in ran.out + ran.err
    assert "personal-token" in ran.out
