"""Every kind of ending has its exit code and a message that says what, where and what next; never a traceback (I14)."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from support.program import Program
from support.repositories import git, new_bare
from support.worlds import MANIFEST, WORKSPACE, World, settle
from tidegate import errors
from tidegate.cli import main

NOBODY = WORKSPACE.replace(":5000", ":1").replace(":9090", ":1")
FILES = {"tidegate.yaml": NOBODY, "models/digits/model.yaml": MANIFEST, "models/digits/training/train.py": "print(1)\n"}


@pytest.fixture
def fresh(tmp_path: Path) -> Program:
    """A repository in which nothing was trained, and whose servers do not answer."""
    return Program(new_bare(tmp_path / "git", FILES), tmp_path)


@pytest.fixture
def settled(tmp_path: Path) -> Program:
    """Version 1 serves everywhere, and its servers do not answer either."""
    world = World(tmp_path / "git", workspace=NOBODY)
    settle(world)
    return Program(world.bare, tmp_path)


def test_0_a_settled_model_asks_no_server(settled: Program) -> None:
    ran = settled("status")
    assert ran.code == errors.FINE
    assert ran.err == ""
    assert [line.split()[:4] for line in ran.out.splitlines()[1:3]] == [
        ["digits", "staging", "Healthy", "1"],
        ["digits", "production", "Healthy", "1"],
    ]


@pytest.mark.parametrize("variable", ["TIDEGATE_PROMETHEUS_URL", "MLFLOW_TRACKING_URI"])
def test_2_reconcile_is_told_a_variable_that_holds_no_address(variable: str, settled: Program) -> None:
    """Before anything is asked: what would hold all models is said once, and not as a server that is away."""
    ran = replace(settled, variables={variable: "localhost:5000"})("reconcile", "--once")
    assert (ran.code, ran.out) == (errors.WRONG_USE, "")
    assert ran.err.startswith(f"{variable} is no address of a server: ")


def test_status_of_a_settled_model_loads_no_client(settled: Program) -> None:
    asked = "import sys; from tidegate.cli import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", asked, "-C", str(settled.folder), "status"]
    done = subprocess.run(command, env=settled.environment(), capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "tidegate.status" in loaded
    assert not loaded & {"requests", "mlflow", "prometheus_api_client", "rich", "tidegate.train", "tidegate.demo"}


def test_1_a_manifest_that_cannot_be_read_is_a_finding_on_its_line(tmp_path: Path) -> None:
    broken = MANIFEST.replace("approval: required", "aproval: required")
    ran = Program(new_bare(tmp_path / "git", {**FILES, "models/digits/model.yaml": broken}), tmp_path)("status")
    assert ran.code == errors.FINDINGS
    assert "models/digits/model.yaml:20:18" in ran.out
    assert "aproval" in ran.out


def test_1_what_cannot_be_read_is_not_trained(tmp_path: Path) -> None:
    world = World(tmp_path / "git", workspace=NOBODY)
    world.clone().commit({"models/digits/model.yaml": MANIFEST.replace("lease: 5m", "lease: 5")})
    world.clone().push("HEAD:main")
    ran = Program(world.bare, tmp_path)("train")
    assert (ran.code, ran.err) == (errors.FINDINGS, "")
    assert "models/digits/model.yaml:5:" in ran.out


def test_1_a_workspace_that_cannot_be_read_stops_with_its_findings(tmp_path: Path) -> None:
    broken = NOBODY.replace("kind: Workspace", "kind: Workspace\nregistri: {}")
    ran = Program(new_bare(tmp_path / "git", {**FILES, "tidegate.yaml": broken}), tmp_path)("status")
    assert ran.code == errors.FINDINGS
    assert "tidegate.yaml:3:1" in ran.err


def test_1_drift_of_a_rendered_file_is_a_finding(tmp_path: Path) -> None:
    world = World(tmp_path / "git", workspace=NOBODY)
    settle(world)
    program = Program(world.bare, tmp_path)
    assert program("render", "--check").code == errors.FINE
    world.clone().commit({"rendered/staging/digits.yaml": "routes: []\n", "rendered/staging/gone.yaml": "routes: []\n"})
    world.clone().push("HEAD:main")
    ran = program("render", "--check")
    assert ran.code == errors.FINDINGS
    assert [line.split(":")[0] for line in ran.out.splitlines()] == [
        "rendered/staging/digits.yaml",
        "rendered/staging/gone.yaml",
    ]


def test_1_a_merge_that_the_check_refuses(tmp_path: Path) -> None:
    world = World(tmp_path / "git", workspace=NOBODY)
    settle(world)
    program = Program(world.bare, tmp_path)
    assert "open" in program("hold", "digits", "production", "--reason", "a game", handle="mallory").out
    ran = program("pull", "merge", "3", handle="mallory")
    assert ran.code == errors.FINDINGS
    assert "needs an approval by @dana" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["stauts"], "No such command 'stauts'", id="an-unknown-command"),
        pytest.param(["status", "--yaml"], "--yaml", id="an-unknown-option"),
        pytest.param(["status", "churn"], "there are: digits", id="an-unknown-model"),
        pytest.param(["reconcile", "--interval", "3"], "not a duration such as 30s", id="a-number-without-its-unit"),
        pytest.param(["rollback", "digits", "production"], "--as @you", id="nobody-asks"),
        pytest.param(
            ["--as", "dana", "rollback", "digits", "prod"], "staging, production", id="an-unknown-environment"
        ),
        pytest.param(["--as", "dana", "pull", "approve", "7"], "no proposal #7", id="an-unknown-proposal"),
        pytest.param(
            ["--as", "dana", "hold", "digits", "staging", "--reason", "x"], "nothing is pinned there", id="no-pin-file"
        ),
        pytest.param(
            ["hold", "digits", "staging", "--reason", "x", "--until", "tomorrow"],
            "instant with its zone",
            id="no-instant",
        ),
        pytest.param(
            ["hold", "digits", "staging", "--reason", "x", "--until", "2099-03-01T18:00:00"],
            "such as 2026-03-01T18:00:00Z",
            id="an-instant-without-its-zone",
        ),
        pytest.param(["hold", "digits", "staging", "--reason", ""], "say why", id="no-reason"),
        pytest.param(["hold", "digits", "staging", "--reason", " \n\t"], "say why", id="a-blank-reason"),
        pytest.param(["reconcile", "--watch", "--interval", "0s"], "give 1s or more", id="no-pause-between-passes"),
        pytest.param(["--as", "@@dana", "pull", "approve", "7"], "is no handle", id="a-handle-with-two-signs"),
        pytest.param(["--as", "da na", "pull", "approve", "7"], "such as @dana", id="a-handle-with-a-blank"),
        pytest.param(["--as", "dana\n", "pull", "approve", "7"], "is no handle", id="a-handle-of-two-lines"),
        pytest.param(["--as", "@org/ml-team", "pull", "approve", "7"], "no proposal #7", id="a-team-is-a-handle"),
        pytest.param(["evaluate", "digits"], "tidegate train digits", id="nothing-was-trained"),
    ],
)
def test_2_the_person_at_the_keyboard_must_act(fresh: Program, arguments: list[str], said: str) -> None:
    ran = fresh(*arguments)
    assert (ran.code, ran.out) == (errors.WRONG_USE, "")
    assert said in ran.err


def test_2_a_folder_that_is_no_repository(tmp_path: Path) -> None:
    assert Program(tmp_path / "nowhere", tmp_path)("status").code == errors.WRONG_USE
    ran = Program(tmp_path, tmp_path)("status")
    assert ran.code == errors.WRONG_USE
    assert str(tmp_path) in ran.err


def test_2_a_repository_without_a_workspace_names_init(tmp_path: Path) -> None:
    ran = Program(new_bare(tmp_path / "git", {"README.md": "hello\n"}), tmp_path)("status")
    assert ran.code == errors.WRONG_USE
    assert "tidegate init" in ran.err


@pytest.mark.parametrize("arguments", [["status"], ["reconcile", "--once"], ["train"]])
def test_3_a_server_that_does_not_answer_is_named(fresh: Program, arguments: list[str]) -> None:
    ran = fresh(*arguments)
    assert ran.code == errors.OUTSIDE
    assert "MLflow at http://127.0.0.1:1 does not answer" in ran.out + ran.err


LETTERS = MANIFEST.replace("name: digits", "name: letters").replace("source: training", "source: nowhere")


@pytest.mark.parametrize(
    ("arguments", "code", "of_digits"),
    [
        pytest.param(["train", "--dry-run"], errors.FINDINGS, "would be launched", id="the-others-go-on"),
        pytest.param(["train"], errors.OUTSIDE, "MLflow at http://127.0.0.1:1 does not answer", id="the-worst-code"),
    ],
)
@pytest.mark.parametrize("name", ["a-letters", "z-letters"])
def test_what_stops_the_training_of_one_model_stops_no_other(
    tmp_path: Path, arguments: list[str], code: int, of_digits: str, name: str
) -> None:
    files = {**FILES, f"models/{name}/model.yaml": LETTERS.replace("name: letters", f"name: {name}")}
    ran = Program(new_bare(tmp_path / "git", files), tmp_path)(*arguments)
    assert ran.code == code, ran
    assert f"{name}: " in ran.err
    assert "nowhere" in ran.err
    assert of_digits in next(line for line in (ran.out + ran.err).splitlines() if line.startswith("digits: "))


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["pin", "digits", "production", "9"], id="pin"),
        pytest.param(["rollback", "digits", "production", "--to", "9"], id="rollback"),
        pytest.param(["evaluate", "digits", "--version", "9"], id="evaluate-a-version"),
        pytest.param(["evaluate", "digits", "--run", "abc"], id="evaluate-a-run"),
    ],
)
def test_3_a_version_that_only_mlflow_could_know(settled: Program, arguments: list[str]) -> None:
    ran = settled(*arguments, handle="dana")
    assert (ran.code, ran.out) == (errors.OUTSIDE, "")
    assert "MLflow at http://127.0.0.1:1 does not answer" in ran.err
    assert "has no version" not in ran.err


def test_1_an_address_without_its_scheme_is_a_finding_that_shows_no_password(tmp_path: Path) -> None:
    broken = NOBODY.replace('prometheus: {url: "http://127.0.0.1:1"}', "prometheus: {url: joe:hunter2@localhost:9090}")
    assert broken != NOBODY
    ran = Program(new_bare(tmp_path / "git", {**FILES, "tidegate.yaml": broken}), tmp_path)("status")
    assert ran.code == errors.FINDINGS
    assert "url: " in ran.err
    assert "http:// or https://" in ran.err
    assert "hunter2" not in ran.out + ran.err


def test_nothing_to_list_or_render_is_said_on_stderr(fresh: Program) -> None:
    listed, rendered = fresh("pull", "list"), fresh("render")
    assert (listed.code, listed.out) == (rendered.code, rendered.out) == (errors.FINE, "")
    assert "no proposals yet" in listed.err
    assert "nothing to render" in rendered.err


def test_3_a_repository_without_a_main_branch(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "empty.git")
    ran = Program(tmp_path / "empty.git", tmp_path)("status")
    assert ran.code == errors.OUTSIDE
    assert "push a first commit" in ran.err


def test_4_a_bug_leaves_a_short_text_and_a_file_to_paste(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("no way to http://joe:hunter2@127.0.0.1/ with s3cr3t-token")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("MY_TOKEN", "s3cr3t-token")
    monkeypatch.setattr("tidegate.settings.read_settings", broken)
    assert main(["status"]) == errors.BUG
    shown = capsys.readouterr()
    report = next((tmp_path / "tidegate" / "crashes").iterdir())
    assert str(report) in shown.err
    assert "Traceback" not in shown.err
    assert "Traceback" in report.read_text()
    assert "hunter2" not in shown.err + report.read_text()
    assert "s3cr3t-token" not in shown.err + report.read_text()
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


def test_4_a_bug_in_a_pass_ends_the_watch_and_says_which(
    fresh: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    passes: list[int] = []

    def broken(*_: object, **__: object) -> None:
        passes.append(1)
        if len(passes) == 1:
            raise errors.OutsideSystem("MLflow at http://127.0.0.1:1 does not answer")
        raise ZeroDivisionError("of a model without versions")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "crashed"))
    monkeypatch.setattr("tidegate.cli.passes.run_pass", broken)
    monkeypatch.setattr("tidegate.cli.reconcile._stop_signal", threading.Event)
    assert main(["-C", str(fresh.folder), "reconcile", "--watch", "--interval", "1s"]) == errors.BUG
    shown = capsys.readouterr()
    (report,) = (tmp_path / "crashed" / "tidegate" / "crashes").iterdir()
    assert len(passes) == 2, "a failure of a whole pass is no bug: the next one is made"
    assert "this pass failed, the next one tries again: MLflow" in shown.err
    assert "ZeroDivisionError: of a model without versions" in shown.err
    assert str(report) in shown.err
    assert "_watch" in report.read_text()


def test_130_ctrl_c(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tidegate.settings.read_settings", interrupted)
    assert main(["status"]) == errors.INTERRUPTED
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_watch_goes_on_over_failures_and_ends_cleanly(fresh: Program, number: signal.Signals) -> None:
    process = fresh.start("reconcile", "--watch", "--interval", "1s", "--format", "json")
    try:
        assert process.stdout is not None
        passes = [process.stdout.readline() for _ in range(3)]
        process.send_signal(number)
        _, said = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == errors.FINE
    assert all('"failures": ["registry: MLflow at http://127.0.0.1:1' in line for line in passes)
    assert "Traceback" not in said
