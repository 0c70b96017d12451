"""`tidegate plan` of a change of policy, with rollouts of today behind it: replayed, or why not."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from support.backtests import lately, remembered
from support.program import Program
from support.repositories import Clone, git
from support.worlds import World
from tidegate import errors

pytestmark = pytest.mark.timeout(240)

MANIFEST = "models/digits/model.yaml"


@dataclass(frozen=True)
class Change:
    """A person's clone in which the bake is twice as long, and where Prometheus is."""

    clone: Clone
    home: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def plan(self, *words: str) -> str:
        ran = Program(self.clone.folder, self.home, self.variables)("plan", *words)
        assert ran.code == errors.FINE, ran
        return ran.out


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return lately(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def prometheus(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with remembered(world, tmp_path_factory.mktemp("prometheus")) as url:
        yield url


def change(bare: Path, folder: Path, variables: Mapping[str, str], *options: str) -> Change:
    git(folder, "clone", "--quiet", *options, bare.as_uri(), "clone")
    clone = Clone(folder / "clone")
    manifest = (clone.folder / MANIFEST).read_text(encoding="utf-8")
    clone.write(MANIFEST, manifest.replace("bake: 1m", "bake: 2m"))
    return Change(clone, folder, variables)


@pytest.fixture
def changed(world: World, prometheus: str, tmp_path: Path) -> Change:
    return change(world.bare, tmp_path, {"TIDEGATE_PROMETHEUS_URL": prometheus})


def test_the_last_rollouts_are_told_by_both_policies(changed: Change) -> None:
    (model,) = json.loads(changed.plan("--format", "json"))["models"]
    found = model["backtest"]
    assert (found["rollouts"], found["incomparable"], found["unread"]) == (2, 0, "")
    assert [one["version"] for one in found["differing"] if one["environment"] == "production"] == [1, 2]


def in_the_manifest(_: Clone) -> None: ...


def in_the_defaults(clone: Clone) -> None:
    """Not in the manifest: it takes what it does not say from the workspace."""
    clone.git("checkout", "--quiet", "--", MANIFEST)
    settings = (clone.folder / "tidegate.yaml").read_text(encoding="utf-8")
    clone.write("tidegate.yaml", f"{settings}defaults: {{falseAdvanceRate: 0.0001%}}\n")


@pytest.mark.parametrize(
    "made",
    [pytest.param(in_the_manifest, id="of-the-manifest"), pytest.param(in_the_defaults, id="of-the-defaults")],
)
def test_the_command_that_tells_more_replays_what_was_planned(
    changed: Change, made: Callable[[Clone], None], tmp_path: Path
) -> None:
    """The file as it lies there, or the commit that was named: each against main, and decided as the plan says."""
    made(changed.clone)
    assert in_full(changed, tmp_path)["policies"] == [MANIFEST, "origin/main"]
    commit = changed.clone.commit({})
    assert in_full(changed, tmp_path, "--head", "HEAD")["commits"]["HEAD"] == commit


def in_full(changed: Change, folder: Path, *words: str) -> Any:
    """What the command of a plan tells, found to be what the plan told."""
    plan = folder / "plan.json"
    *_, last = (line for line in changed.plan(*words, f"--also=json={plan}").splitlines() if "In full: " in line)
    typed = shlex.split(last.partition("`")[2].partition("`")[0])
    ran = Program(changed.clone.folder, changed.home, changed.variables)(*typed[1:], "--format", "json")
    assert (ran.code, ran.err) == (errors.FINE, "")
    told, (model,) = json.loads(ran.out), json.loads(plan.read_text(encoding="utf-8"))["models"]
    assert model["backtest"]["differing"]
    for one in model["backtest"]["differing"]:
        assert (one["after"], one["before"]) in answers(told, one["environment"], one["version"])
    return told


def answers(told: Any, environment: str, version: int) -> list[tuple[str, str]]:
    """What both policies say of each part of a rollout."""
    first, second = next(
        one["replays"] for one in told["episodes"] if (one["environment"], one["version"]) == (environment, version)
    )
    return [(mine["words"], main["words"]) for mine, main in zip(first["parts"], second["parts"], strict=True)]


def test_one_plan_is_told_in_several_formats(changed: Change, tmp_path: Path) -> None:
    told = changed.plan("--format", "json", f"--also=markdown={tmp_path / 'plan.md'}", f"--also=text={tmp_path / 'x'}")
    assert json.loads(told)["headline"] in (tmp_path / "x").read_text(encoding="utf-8")
    assert (tmp_path / "plan.md").read_text(encoding="utf-8").startswith("<!-- tidegate:plan -->\n")


def test_nothing_is_replayed_when_told_so_and_the_plan_says_why(changed: Change) -> None:
    assert "Not replayed: nobody may look." in changed.plan("--no-replay", "nobody may look")


def test_a_history_that_ends_somewhere_is_not_taken_for_the_past(world: World, prometheus: str, tmp_path: Path) -> None:
    """Its oldest commit would be the entry of a rollout that entered long before."""
    shallow = change(world.bare, tmp_path, {"TIDEGATE_PROMETHEUS_URL": prometheus}, "--depth=2")
    assert "Not replayed: this clone is shallow" in shallow.plan()


def test_without_an_address_the_plan_says_what_to_set(world: World, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(world.bare), "origin.git")
    clone = Clone.of(tmp_path / "origin.git", tmp_path / "other")
    settings = (clone.folder / "tidegate.yaml").read_text(encoding="utf-8").splitlines(keepends=True)
    clone.commit({"tidegate.yaml": "".join(line for line in settings if not line.startswith("prometheus:"))})
    clone.push("HEAD:main")
    said = change(tmp_path / "origin.git", tmp_path, {}).plan()
    assert "Not replayed: error: no Prometheus server: set prometheus.url in tidegate.yaml, or TIDEGATE_" in said
