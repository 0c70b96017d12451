"""The forge contract on GitHub: the adapter against the fake, over HTTP and git, on the fake's frozen clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.forge_contract import FIRST_FILES, ForgeContract, World
from support.github_worlds import GitHubWorld, github_world

pytestmark = pytest.mark.contract


@pytest.fixture
def on_github(tmp_path: Path) -> Iterator[GitHubWorld]:
    with github_world(tmp_path, FIRST_FILES) as world:
        yield world


@pytest.fixture
def world(on_github: GitHubWorld) -> World:
    return on_github.contract


class TestGitHubForge(ForgeContract):
    """The contract, as a GitHub App."""
