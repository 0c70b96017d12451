"""Aliases follow main, also to where nothing is wanted any more; models that never were pinned cost no request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.worlds import Shelf, World
from tidegate.errors import Refused
from tidegate.project import AliasChange, Projection, project


@dataclass
class Watched(Shelf):
    """A registry that remembers for what it was asked; `theirs` is not Tidegate's."""

    asked: list[str] = field(default_factory=list)
    theirs: bool = False

    def aliases(self, name: str) -> Mapping[str, int]:
        self.asked.append(name)
        return super().aliases(name)

    def delete_alias(self, name: str, alias: str) -> None:
        if self.theirs:
            raise Refused(f"the registered model {name} is not Tidegate's")
        super().delete_alias(name, alias)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def projected(world: World, registry: Shelf) -> Projection:
    return project(world.ports.repository, registry, world.ports.reader)


def unpinned(world: World) -> None:
    """Version 1 was promoted to staging, then a person deleted the pin file: nothing is wanted of the model."""
    world.train(1)
    world.tick()
    assert world.pin("staging").stable is not None
    world.clone().commit({"models/digits/staging.yaml": None}, "serve nothing")
    world.clone().push("HEAD:main")


def test_an_alias_of_ours_goes_with_the_last_pin_file(world: World) -> None:
    unpinned(world)
    registry = Watched(named={"staging": 1, "staging-canary": 1, "champion": 1})
    done = projected(world, registry)
    assert registry.named == {"champion": 1}, "an alias of another name is a person's"
    assert done == Projection(
        changes=tuple(
            AliasChange(model="digits", alias=alias, found=1, wanted=None) for alias in ("staging", "staging-canary")
        )
    )
    assert projected(world, registry).changes == ()


def test_where_nothing_is_wanted_the_aliases_of_a_name_that_is_not_ours_stay(world: World) -> None:
    unpinned(world)
    registry = Watched(named={"staging": 1}, theirs=True)
    assert projected(world, registry) == Projection(changes=())
    assert registry.named == {"staging": 1}


def test_I10_a_model_that_never_was_pinned_costs_no_request(world: World) -> None:
    registry = Watched(named={"staging": 7})
    assert projected(world, registry) == Projection(changes=())
    assert registry.asked == []


def test_a_pin_file_that_cannot_be_read_leaves_its_aliases_as_they_are(world: World) -> None:
    world.train(1)
    world.tick()
    world.clone().commit({"models/digits/staging.yaml": "stable: nonsense\n"})
    world.clone().push("HEAD:main")
    registry = Watched(named={"staging": 1, "production": 1})
    assert [change.alias for change in projected(world, registry).changes] == ["production"]
    assert registry.named == {"staging": 1}
