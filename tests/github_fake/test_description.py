"""The fake holds itself, and its callers, to GitHub's own description."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from support.github import dispatch
from support.github.callers import Caller
from support.github.description import DATA, answer_faults
from support.github.routing import ROUTES
from support.github.server import FakeGitHub, Violation

TESTS = Path(__file__).parents[1]


def test_every_route_is_one_of_githubs_and_every_one_described_is_answered() -> None:
    described = json.loads((DATA / "openapi.json").read_text(encoding="utf-8"))["paths"]
    operations = {(method.upper(), path) for path, methods in described.items() for method in methods}
    assert dispatch.SUBJECTS
    assert {(route.method, route.template) for route in ROUTES} == operations


def test_the_data_stays_small() -> None:
    assert (DATA / "openapi.json").stat().st_size < 400 * 1024


def test_an_answer_with_a_field_missing_is_seen() -> None:
    faults = answer_faults("GET", "/repos/{owner}/{repo}/git/ref/{ref}", 200, {"ref": "refs/heads/main"})
    assert "required" in faults[0]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        pytest.param("/labels", {"colour": "red"}, id="a-field-missing"),
        pytest.param("/check-runs", {"name": 7, "head_sha": "x"}, id="a-wrong-type"),
        pytest.param("/deployments", {"ref": "main", "required_contexts": "none"}, id="a-text-for-a-list"),
    ],
)
def test_a_request_that_github_does_not_describe_ends_the_test(tmp_path: Path, path: str, body: object) -> None:
    with ExitStack() as stack:
        github = stack.enter_context(FakeGitHub(tmp_path))
        github.repository("acme/models")
        robot = Caller(github, github.installation_token(github.app("tidegate")).token)
        assert robot.post(path, body).status_code == 500
        with pytest.raises(Violation, match="request POST"):
            stack.close()


def test_it_runs_as_a_process(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    command = [sys.executable, "-m", "support.github", "--folder", str(tmp_path / "github"), "--app-key", str(key)]
    command += ["--repository", "acme/models", "--user", "dana"]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        headers = {"Authorization": f"token {told['tokens']['dana']}"}
        url = f"{told['api_url']}/repos/acme/models"
        with requests.Session() as session:
            session.trust_env = False
            assert session.get(url, headers=headers, timeout=20).json()["full_name"] == "acme/models"
        process.terminate()
        assert process.wait(20) == 0
    assert key.read_text(encoding="utf-8").startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert Path(told["repositories"]["acme/models"], "HEAD").is_file()
