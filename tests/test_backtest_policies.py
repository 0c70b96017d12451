"""Which policy a name means: what it means to git in the clone where somebody stands, whatever forge is behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from support.github_worlds import NAME, github_world
from support.repositories import NOON, Clone, git, new_bare
from support.worlds import MANIFEST, WORKSPACE
from tidegate.core.replay.past import Policy
from tidegate.errors import InvalidManifest, WrongUse
from tidegate.settings import read_settings
from tidegate.wiring.backtesting import archive_of, policies_of
from tidegate.wiring.context import Context

PATH = "models/digits/model.yaml"
FILES = {"tidegate.yaml": WORKSPACE, PATH: MANIFEST, "models/digits/training/train.py": "print(1)\n"}
SLOWER = MANIFEST.replace("bake: 1m", "bake: 9m")
LATER = NOON + timedelta(days=1)


@contextmanager
def on_a_folder(folder: Path) -> Iterator[Clone]:
    yield Clone.of(new_bare(folder / "git", FILES), folder / "person")


@contextmanager
def on_github(folder: Path) -> Iterator[Clone]:
    with github_world(folder, FILES) as hub, pytest.MonkeyPatch.context() as variables:
        for name in ("GITHUB_API_URL", "GITHUB_REPOSITORY", "GH_TOKEN"):
            variables.delenv(name, raising=False)
        variables.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        variables.setenv("GITHUB_SERVER_URL", hub.github.url)
        variables.setenv("GITHUB_TOKEN", hub.github.token("dana"))
        hub.person.git("remote", "set-url", "--push", "origin", hub.person.git("remote", "get-url", "origin"))
        hub.person.git("remote", "set-url", "origin", f"{hub.github.url}/{NAME}.git")
        yield hub.person


@pytest.fixture(params=[on_a_folder, on_github], ids=["a-folder", "github"])
def clone(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Clone]:
    """A clone whose main is origin's."""
    with request.param(tmp_path) as person:
        yield person


def found(folder: Path, policy: str, compare: str | None = None) -> list[Policy]:
    context = Context(read_settings(str(folder)))
    return list(policies_of(context, archive_of(context, "digits"), policy, compare))


def bake(policy: Policy) -> timedelta:
    return policy.environments["production"].rollout.bake


@pytest.mark.parametrize("name", ["HEAD", "slower", "slower~0", "@"])
def test_what_nobody_pushed_yet_is_found_by_its_name(clone: Clone, name: str) -> None:
    clone.checkout("slower", new=True)
    commit = clone.commit({PATH: SLOWER}, at=LATER)
    (policy,) = found(clone.folder, name)
    assert (policy.name, policy.commit, bake(policy)) == (name, commit, timedelta(minutes=9))
    assert policy.since["production"] == LATER


def test_a_commit_by_the_beginning_of_its_id(clone: Clone) -> None:
    commit = clone.commit({PATH: SLOWER})
    (policy,) = found(clone.folder, commit[:9])
    assert (policy.commit, bake(policy)) == (commit, timedelta(minutes=9))


def test_two_names_side_by_side(clone: Clone) -> None:
    main = clone.git("rev-parse", "HEAD")
    clone.checkout("slower", new=True)
    clone.commit({PATH: SLOWER})
    slower, before = found(clone.folder, "HEAD", "main")
    assert (bake(slower), bake(before), before.commit) == (timedelta(minutes=9), timedelta(minutes=1), main)


def test_a_file_is_one_of_the_folder_that_is_named(clone: Clone) -> None:
    """As git takes it with -C, and on both sides."""
    clone.write(PATH, SLOWER)
    main, on_disk = found(clone.folder, "main", PATH)
    assert (on_disk.name, on_disk.commit, bake(on_disk)) == (PATH, "", timedelta(minutes=9))
    assert bake(main) == timedelta(minutes=1)


def false_advances(policy: Policy) -> float:
    return policy.environments["production"].rollout.false_advance_rate


STRICTER = f"{WORKSPACE}defaults: {{falseAdvanceRate: 1%}}\n"


def test_a_file_takes_what_it_does_not_say_from_the_tidegate_yaml_of_its_clone(clone: Clone) -> None:
    """As `plan` does, which prints this very command."""
    clone.write("tidegate.yaml", STRICTER)
    main, on_disk = found(clone.folder, "main", PATH)
    (from_below,) = found(clone.folder / "models", "digits/model.yaml")
    assert [false_advances(policy) for policy in (main, on_disk, from_below)] == [0.05, 0.01, 0.01]


def test_where_no_tidegate_yaml_lies_main_s_is_taken(tmp_path: Path) -> None:
    with on_a_folder(tmp_path) as person:
        person.commit({"tidegate.yaml": STRICTER})
        person.push("main")
        person.write("tidegate.yaml", None)
        bare, file = Path(person.git("remote", "get-url", "origin")), person.folder / PATH
        policies = (*found(bare, str(file)), *found(person.folder, PATH))
    assert [false_advances(policy) for policy in policies] == [0.01, 0.01]


def test_a_tidegate_yaml_that_is_invalid_is_told_with_its_line(clone: Clone) -> None:
    clone.write("tidegate.yaml", f"{WORKSPACE}defaults: {{bake: soon}}\n")
    with pytest.raises(InvalidManifest, match=r"tidegate\.yaml:7:18"):
        found(clone.folder, PATH)


def test_a_branch_that_somebody_else_pushed_is_asked_of_origin(clone: Clone) -> None:
    clone.checkout("slower", new=True)
    commit = clone.commit({PATH: SLOWER})
    clone.push("slower")
    clone.checkout("main")
    clone.git("branch", "--quiet", "-D", "slower")
    clone.git("update-ref", "-d", "refs/remotes/origin/slower")
    (policy,) = found(clone.folder, "slower")
    assert (policy.commit, bake(policy)) == (commit, timedelta(minutes=9))


@pytest.mark.parametrize("name", ["nosuch.yaml", "models/digits", "no such", "", "--all"])
def test_a_name_that_means_nothing_is_neither_a_file_nor_a_commit(clone: Clone, name: str) -> None:
    with pytest.raises(WrongUse, match="is neither a file nor a commit"):
        found(clone.folder, name)


def shallow(clone: Clone, folder: Path) -> Clone:
    """A clone of one commit, with the same origin."""
    git(folder, "clone", "--quiet", "--depth=1", clone.folder.as_uri(), "shallow")
    cut = Clone(folder / "shallow")
    cut.git("remote", "set-url", "origin", clone.git("remote", "get-url", "origin"))
    return cut


def test_of_a_shallow_clone_the_history_is_origin_s_and_the_name_its_own(clone: Clone, tmp_path: Path) -> None:
    clone.commit({PATH: SLOWER}, at=LATER)
    clone.commit({"README.md": "# Models\n"}, at=LATER + timedelta(days=1))
    clone.push("main")
    (policy,) = found(shallow(clone, tmp_path).folder, "HEAD")
    assert (bake(policy), policy.since["production"]) == (timedelta(minutes=9), LATER)


def test_what_a_shallow_clone_has_alone_is_not_taken_for_something_else(clone: Clone, tmp_path: Path) -> None:
    """HEAD is not origin's."""
    cut = shallow(clone, tmp_path)
    cut.commit({PATH: SLOWER})
    with pytest.raises(WrongUse, match="HEAD is in this shallow clone alone"):
        found(cut.folder, "HEAD")


def test_a_commit_without_a_valid_manifest_is_named(clone: Clone) -> None:
    commit = clone.commit({PATH: "kind: ["})
    with pytest.raises(WrongUse, match=f"has no valid text at HEAD, which is {commit[:12]}"):
        found(clone.folder, "HEAD")
