"""`tidegate backtest` on a history that the loop made, with the readings of then in a real Prometheus."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.program import Program
from support.prometheus_server import PrometheusServer
from support.rollouts import WORSE, go_on
from support.worlds import MANIFEST, START, World
from tidegate import errors
from tidegate.reporters.backtest_markdown import MARKER

pytestmark = pytest.mark.timeout(240)

PATH = "models/digits/model.yaml"
SINCE = ("--from", START.isoformat(), "--step", "30s")
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
    server = PrometheusServer(folder / "prometheus")
    server.start()
    try:
        server.write(
            [
                (
                    {
                        "__name__": name, "model": "digits", "environment": environment, "version": str(version),
                        "job": "models", "instance": "server:80",
                    },
                    samples,
                )
                for (name, environment, version), samples in world.service.samples.items()
            ]
        )  # fmt: skip
        yield Past(world, server.url, folder)
    finally:
        server.stop()


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


def test_0_a_time_without_rollouts(past: Past) -> None:
    ran = past.tidegate()("backtest", "digits", "--from", "1d")
    assert ran.code == errors.FINE
    assert "No rollout entered an environment in this time" in ran.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("nobody",), "no model 'nobody' in this workspace", id="no-such-model"),
        pytest.param(("digits", "--compare", "nowhere"), "nowhere", id="no-such-commit"),
        pytest.param(("digits", "--from", "1d", "--to", "2d"), "no time between", id="the-end-before-the-start"),
        pytest.param(("digits", "--step", "100ms"), "shorter than 1s", id="a-step-below-a-second"),
        pytest.param(("digits", "--from", "yesterday"), "is not a duration", id="no-time"),
        pytest.param(("digits", "-o", "no/such/folder"), "cannot be written", id="no-such-folder"),
    ],
)  # fmt: skip
def test_2_wrong_use(past: Past, words: tuple[str, ...], said: str) -> None:
    ran = past.tidegate()("backtest", *words)
    assert ran.code == errors.WRONG_USE
    assert said in ran.err


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
        {"rollouts": 0, "differing": [], "older": 0, "unread": ""},
    )
    assert unreachable.code == errors.FINE
    assert "Not replayed: unreachable" in unreachable.out
