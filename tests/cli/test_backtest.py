"""`tidegate backtest` on a history that the loop made, with the readings of then in a real Prometheus."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import requests

from support.backtests import remembered
from support.certificates import Listener, served
from support.program import Program
from support.repositories import git
from support.rollouts import WORSE, go_on
from support.worlds import MANIFEST, START, World
from tidegate import errors
from tidegate.reporters.backtest_markdown import MARKER

pytestmark = pytest.mark.timeout(240)

PATH = "models/digits/model.yaml"
SINCE = ("--from", START.isoformat(), "--step", "30s")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
NOBODY = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Past:
    """A world with a reverted rollout behind it, and a Prometheus that remembers it."""

    world: World
    url: str
    folder: Path

    def tidegate(self, url: str | None = None) -> Program:
        return Program(self.world.clone().folder, self.folder, {"TIDEGATE_PROMETHEUS_URL": url or self.url})


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    folder = tmp_path_factory.mktemp("backtest")
    world = World(folder)
    go_on(world, WORSE)
    with remembered(world, folder / "prometheus") as url:
        yield Past(world, url, folder)


def test_0_what_was_decided_then_is_decided_again_at_the_same_instants(past: Past) -> None:
    ran = past.tidegate()("backtest", "digits", *SINCE, "--format", "json")
    assert (ran.code, ran.err) == (errors.FINE, "")
    told = json.loads(ran.out)
    assert [one["ending"] for one in told["episodes"]] == ["entered", "reverted"]
    assert told["differing"] == {"as it was": 0}
    parts = [part for one in told["episodes"] for part in one["replays"][0]["parts"]]
    assert {part["agreement"] for part in parts} == {"same"}
    (revert,) = [part for part in parts if part["decided"]]
    assert revert["decided"]["at"] == revert["happened"]["at"]
    assert revert["decided"]["kind"] == revert["happened"]["kind"] == "revert"
    assert "latency is worse than stable" in revert["decided"]["reasons"][0]


def test_0_every_format_tells_it(past: Past, tmp_path: Path) -> None:
    program = past.tidegate()
    text, markdown = (program("backtest", "digits", *SINCE, "--format", form) for form in ("text", "markdown"))
    page = program("backtest", "digits", *SINCE, "--format", "html", "-o", str(tmp_path / "page.html"))
    assert text.out.startswith("Backtest of digits: 2 rollouts; all decided as it happened\n")
    assert markdown.out.splitlines()[0] == MARKER
    assert (page.code, page.out, page.err) == (errors.FINE, "", "")
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_0_one_replay_is_told_in_several_formats(past: Past, tmp_path: Path) -> None:
    page, summary = tmp_path / "page.html", tmp_path / "summary.md"
    ran = past.tidegate()("backtest", "digits", *SINCE, "--format", "json", f"--also=html={page}",
                          f"--also=markdown={summary}")  # fmt: skip
    assert (ran.code, ran.err) == (errors.FINE, "")
    assert json.loads(ran.out)["model"] == "digits"
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert summary.read_text(encoding="utf-8").splitlines()[0] == MARKER


def test_0_a_bar_moves_at_a_terminal_and_leaves_nothing_behind(past: Past, tmp_path: Path) -> None:
    """Elsewhere nothing of it is written, as the other cases show."""
    ours, theirs = pty.openpty()
    program = past.tidegate()
    with (tmp_path / "told.json").open("wb") as told:
        process = subprocess.Popen(
            program.command("backtest", "digits", *SINCE, "--format", "json"),
            env={**program.environment(), "TERM": "xterm", "COLUMNS": "100"},
            stdout=told,
            stderr=theirs,
        )
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # Linux' way to say that nobody holds the other end any more
        while part := os.read(ours, 65536):
            shown += part
    os.close(ours)
    assert process.wait() == errors.FINE
    first, *_, last = (line for line in _CONTROL.sub("", shown.decode()).split("\r") if line.strip())
    assert (first.split("━")[0], first.split()[-2]) == ("reading git ", "0%")
    assert (last.split("━")[0], last.split()[-2]) == ("production, version 1 ", "100%")
    assert shown.endswith(b"\x1b[?25h\r\x1b[1A\x1b[2K"), "the cursor is back, and the line is empty"
    assert json.loads((tmp_path / "told.json").read_bytes())["model"] == "digits"


def test_0_another_policy_from_a_file_and_from_a_commit(past: Past, tmp_path: Path) -> None:
    tolerant = MANIFEST.replace("steps: [25%, 50%]", "steps: [25%, 50%]\n    worseThan: 100\n    ruleOut: 200")
    (tmp_path / "tolerant.yaml").write_text(tolerant, encoding="utf-8")
    policies = ("--policy", str(tmp_path / "tolerant.yaml"), "--compare", "main")
    ran = past.tidegate()("backtest", "digits", *SINCE, "--format", "json", *policies)
    assert ran.code == errors.FINE, ran
    told = json.loads(ran.out)
    assert told["differing"] == {"tolerant.yaml": 1, "main": 0}
    first, second = told["episodes"][1]["replays"]
    assert first["tuned"].startswith("It may have been tuned on this rollout: tolerant.yaml is younger")
    assert second["tuned"] == ""
    assert first["firstDifference"] is not None


def test_0_a_rollout_that_is_judged_by_the_second_is_decided_so(past: Past) -> None:
    """A step of a minute would step over most of it."""
    assert "resolution: 30s" in MANIFEST
    ran = past.tidegate()("backtest", "digits", "--from", START.isoformat(), "--format", "json")
    told = json.loads(ran.out)
    assert told["step"] == "30s"
    assert all(replay["ticks"] for one in told["episodes"][1:] for replay in one["replays"])


def test_0_a_step_that_is_longer_than_a_rollout_is_named(past: Past) -> None:
    ran = past.tidegate()("backtest", "digits", "--from", START.isoformat(), "--step", "1d")
    assert ran.code == errors.FINE
    assert "longer than 2 of these rollouts: only the instants at which something happened were decided" in ran.out


def test_0_a_time_without_rollouts(past: Past) -> None:
    ran = past.tidegate()("backtest", "digits", "--from", "1d")
    assert ran.code == errors.FINE
    assert "No rollout entered an environment in this time" in ran.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("nobody",), "no model 'nobody' in this workspace", id="no-such-model"),
        pytest.param(("digits", "--compare", "nowhere"), "'nowhere' is neither a file", id="no-such-commit"),
        pytest.param(("digits", "--policy", "models"), "'models' is neither a file nor a commit", id="a-folder"),
        pytest.param(("digits", "--compare", "--x"), "'--x' is neither a file nor", id="no-option-of-git-s"),
        pytest.param(("digits", "--policy", "main", "--compare", "main"), "both name main", id="twice-the-same"),
        pytest.param(("digits", "--from", "2100-01-01T00:00:00Z"), "--to, now at the latest, ", id="a-time-to-come"),
        pytest.param(("digits", "--from", "1d", "--to", "2d"), "no time between", id="the-end-before-the-start"),
        pytest.param(("digits", "--step", "100ms"), "shorter than 1s", id="a-step-below-a-second"),
        pytest.param(("digits", "--from", "yesterday"), "is not a duration", id="no-time"),
        pytest.param(("digits", "-o", "no/such/folder"), "cannot be written", id="no-such-folder"),
        pytest.param(("digits", "--also", "html=no/such/folder"), "cannot be written", id="nor-for-another-format"),
        pytest.param(("digits", "--also", "pdf=x"), "is not FORMAT=FILE with one of text, ", id="no-such-format"),
    ],
)  # fmt: skip
def test_2_wrong_use(past: Past, words: tuple[str, ...], said: str) -> None:
    ran = past.tidegate()("backtest", *words)
    assert ran.code == errors.WRONG_USE
    assert said in ran.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("kind: [", "other.yaml:1:7: error yaml-syntax", id="no-yaml"),
        pytest.param("", "error wrong-type", id="an-empty-file"),
        pytest.param("kind: Pin\n", 'must be "Model"', id="a-file-of-another-kind"),
    ],
)
def test_1_a_file_that_is_no_manifest(past: Past, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "other.yaml").write_text(text, encoding="utf-8")
    ran = past.tidegate()("backtest", "digits", "--policy", str(tmp_path / "other.yaml"))
    assert (ran.code, ran.out) == (errors.FINDINGS, "")
    assert said in ran.err


def test_0_a_commit_that_nobody_has_pushed_yet(past: Past) -> None:
    """HEAD is what it is to git here, and not origin's."""
    clone = past.world.clone()
    clone.checkout("patient", new=True)
    clone.commit({PATH: (clone.folder / PATH).read_text(encoding="utf-8").replace("bake: 1m", "bake: 1h")})
    try:
        ran = past.tidegate()("backtest", "digits", *SINCE, "--format", "json", "--policy", "main", "--compare", "HEAD")
    finally:
        clone.checkout("main")
    assert ran.code == errors.FINE, ran
    assert json.loads(ran.out)["differing"] == {"main": 0, "HEAD": 2}


def test_0_a_shallow_clone_asks_its_origin(past: Past, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--depth=1", past.world.bare.as_uri(), "shallow")
    shallow = Program(tmp_path / "shallow", past.folder, {"TIDEGATE_PROMETHEUS_URL": past.url})
    ran = shallow("backtest", "digits", *SINCE, "--compare", "main")
    assert ran.code == errors.FINE, ran
    assert ran.out.startswith("Backtest of digits: 2 rollouts; as it was: all decided as it happened; main: all")


def test_2_a_repository_whose_history_is_cut_off(past: Past, tmp_path: Path) -> None:
    """Rollouts would seem to begin where it ends."""
    git(tmp_path, "clone", "--quiet", "--bare", "--depth=8", past.world.bare.as_uri(), "cut.git")
    ran = Program(tmp_path / "cut.git", past.folder, {"TIDEGATE_PROMETHEUS_URL": past.url})("backtest", "digits")
    assert ran.code == errors.WRONG_USE
    assert "is a shallow clone, whose past ends where it was cut off: git fetch --unshallow" in ran.err


def test_2_a_policy_of_another_model(past: Past, tmp_path: Path) -> None:
    other = MANIFEST.replace("    production: {approval: required}\n", "    later: {approval: required}\n")
    (tmp_path / "other.yaml").write_text(other, encoding="utf-8")
    ran = past.tidegate()("backtest", "digits", *SINCE, "--policy", str(tmp_path / "other.yaml"))
    assert ran.code == errors.WRONG_USE
    assert "other.yaml has no environment production" in ran.err


def test_3_nobody_answers_and_no_answer_is_made_up(past: Past) -> None:
    ran = past.tidegate(url=NOBODY)("backtest", "digits", *SINCE)
    assert ran.code == errors.OUTSIDE
    assert "does not answer" in ran.err
    assert "unread: " in ran.out
    assert "the same" not in ran.out
    assert ran.out.startswith("Backtest of digits: 2 rollouts; all unread\n")


def test_plan_sets_the_changed_policy_against_main_s(past: Past) -> None:
    """Rollouts of half a year ago are too old for a plan: their number is what is told."""
    clone = past.world.clone()
    clone.write(PATH, (clone.folder / PATH).read_text(encoding="utf-8").replace("bake: 1m", "bake: 2m"))
    try:
        planned = past.tidegate()("plan", "--format", "json")
        unreachable = past.tidegate(url=NOBODY)("plan")
    finally:
        clone.git("checkout", "--quiet", "--", PATH)
    (model,) = json.loads(planned.out)["models"]
    assert (planned.code, model["backtest"]) == (
        errors.FINE,
        {
            "rollouts": 0,
            "differing": [],
            "incomparable": 0,
            "older": 0,
            "hurried": False,
            "unread": "",
            "head": "",
            "base": "origin/main",
        },
    )
    assert unreachable.code == errors.FINE
    assert "Not replayed: unreachable" in unreachable.out


class Dying(BaseHTTPRequestHandler):
    """A gateway before Prometheus: after so many answers what is behind it is gone."""

    protocol_version = "HTTP/1.1"
    behind: str
    left: int

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        self.__class__.left -= 1
        if self.left < 0:
            self._answer(503, b"gone")
            return
        form = {"Content-Type": self.headers["Content-Type"]}
        there = requests.post(f"{self.behind}{self.path}", data=asked, headers=form, timeout=30)
        self._answer(there.status_code, there.content)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Say nothing."""


@pytest.fixture
def dying(past: Past) -> Iterator[str]:
    Dying.behind, Dying.left = past.url, 4
    with Listener(("127.0.0.1", 0), Dying) as listener, served(listener):
        yield f"http://127.0.0.1:{listener.server_address[1]}"


def test_3_a_prometheus_that_dies_on_the_way(past: Past, dying: str) -> None:
    """What was read before counts; the rest is unread, and no run that lacks something ends as a whole one does."""
    ran = past.tidegate(url=dying)("backtest", "digits", *SINCE, "--format", "json")
    assert ran.code == errors.OUTSIDE, ran
    told = json.loads(ran.out)
    assert "503" in told["unreachable"]
    assert told["agreement"]["as it was"]["unread"] >= 1
    assert "503" in ran.err
