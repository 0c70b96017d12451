"""The template's plan of a pull request that changes a policy: past rollouts replayed, with a real Prometheus behind
the repository's variable; and why not, for a stranger's.

On the fake GitHub. The models repository has a past that the loop made; its workflows are the template's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.backtests import lately, remembered
from support.models_repository.forks import GitHubWithForks
from support.models_repository.site import ModelsRepository
from support.repositories import Clone, git
from support.workflow_runner.engine import Engine
from support.worlds import World

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
WORKFLOW, MANIFEST = ".github/workflows/pull-request.yml", "models/digits/model.yaml"
ADDRESS = "TIDEGATE_PROMETHEUS_URL"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """With the template's workflow on main, as its readers are told to write our name into it."""
    world = lately(tmp_path_factory.mktemp("world"))
    text = (ROOT / "repo-template" / WORKFLOW).read_text(encoding="utf-8").replace("OWNER/", "acme/")
    clone = world.clone()
    clone.commit({WORKFLOW: text}, at=world.clock.at)
    clone.push("HEAD:main")
    return world


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubWithForks]:
    with GitHubWithForks(tmp_path / "github") as github:
        yield github


@pytest.fixture
def models(world: World, github: GitHubWithForks, engine: Engine, tmp_path: Path) -> ModelsRepository:
    (tmp_path / "site").mkdir()
    models = ModelsRepository(github, engine, tmp_path / "site", {})
    git(world.bare, "push", "--quiet", str(models.there.path), "main:main", "refs/tidegate/*:refs/tidegate/*")
    models.there.seen = models.there.git.branches()
    return models


def variables(models: ModelsRepository, **named: str) -> None:
    """What an owner sets under Settings. With an App the required check is not written here."""
    told = {"variables": {"TIDEGATE_APP_ID": "7", **named}, "environments": {}}
    (models.folder / "settings.json").write_text(json.dumps(told), encoding="utf-8")


def slower(clone: Clone) -> None:
    text = (clone.folder / MANIFEST).read_text(encoding="utf-8")
    clone.commit({MANIFEST: text.replace("bake: 1m", "bake: 2m")})


def proposed(models: ModelsRepository) -> int:
    """A person's pull request; its number."""
    dana = models.person("dana")
    dana.types(
        "$ git clone --quiet https://github.com/acme/models.git && cd models\n$ git switch --quiet --create slower\n"
    )
    slower(Clone(dana.folder / "models"))
    dana.types("$ git push --quiet --set-upstream origin slower\n$ gh pr create --fill\n…\n")
    ((number, _, _),) = models.pulls()
    return number


def planned(models: ModelsRepository, number: int) -> str:
    ran = models.proposed(number, "opened")
    assert ran.result("plan") == "success", ran.said
    return ran.jobs["plan"][0].summary


def test_a_changed_policy_is_replayed_where_the_variable_names_a_prometheus(
    models: ModelsRepository, world: World, tmp_path: Path
) -> None:
    with remembered(world, tmp_path / "prometheus") as url:
        variables(models, **{ADDRESS: url})
        said = planned(models, proposed(models))
    assert "- Of the last 2 rollouts 0 would have been decided as by main's policy.\n" in said
    assert "held: baking in staging: 1m30s of 2m" in said


def test_a_strangers_change_is_planned_and_no_server_is_asked_for_it(
    models: ModelsRepository, github: GitHubWithForks, world: World, tmp_path: Path
) -> None:
    with remembered(world, tmp_path / "prometheus") as url:
        variables(models, **{ADDRESS: url})
        slower(clone := github.forked(models.there, "stranger"))
        clone.push()
        said = planned(models, github.proposed(models.there, "stranger", "Slower"))
    assert "Not replayed: `no history is read for a pull request from another repository`." in said
