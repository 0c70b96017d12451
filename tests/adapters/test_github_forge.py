"""The forge contract on GitHub: the adapter against the fake, over HTTP and git, on the fake's frozen clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.forge_contract import FIRST_FILES, LATER, ForgeContract, World
from support.github_worlds import GitHubWorld, github_world

pytestmark = pytest.mark.contract


@pytest.fixture
def on_github(tmp_path: Path) -> Iterator[GitHubWorld]:
    with github_world(tmp_path, FIRST_FILES) as world:
        yield world


class TestGitHubForge(ForgeContract):
    """The contract, as a GitHub App."""

    @pytest.fixture
    def world(self, on_github: GitHubWorld) -> World:
        return on_github.contract


class TestGitHubForgeByAToken(ForgeContract):
    """The contract, with the personal token of @robot: a commit status is the check, and git pushes the commits."""

    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[World]:
        with github_world(tmp_path, FIRST_FILES, "robot") as world:
            yield world.contract

    def test_our_closing_of_what_somebody_deleted_the_branch_of_is_a_closing(self, world: World) -> None:
        """GitHub names @robot as who closed it, as it would where @robot did so as a person: then it is a veto."""
        proposal = world.proposed()
        world.repository.move_branch(proposal.branch, None, proposal.head)
        world.forge.close(proposal.number, "tidegate", LATER, ours=True)
        assert world.forge.proposal(proposal.number).vetoes
