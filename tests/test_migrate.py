"""`migrate` on real files: which are ours, what is said of the others, and how one text takes another's place."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.repositories import git
from tidegate.adapters.worktree import WorkTree
from tidegate.core.migrations import Migration
from tidegate.core.pin import API_VERSION
from tidegate.core.yaml.difference import Rename
from tidegate.errors import WrongUse
from tidegate.migrate import Migrated, migrate, write

OLD = "apiVersion: tidegate.dev/v0test\nkind: Model\nspec: {old: 1} # kept\n"
NEW = f"apiVersion: {API_VERSION}\nkind: Model\nspec: {{new: 1}} # kept\n"
V0TEST = Migration(
    before="tidegate.dev/v0test", after=API_VERSION, steps=lambda data: [Rename(("spec", "old"), "new")] if data else []
)


def put(root: Path, files: dict[str, str | bytes]) -> WorkTree:
    git(root, "init", "--quiet")
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content.encode() if isinstance(content, str) else content)
    return WorkTree(root)


def test_every_file_of_ours_is_looked_at_and_no_other(tmp_path: Path) -> None:
    tree = put(
        tmp_path,
        {
            "b/model.yaml": OLD,
            "a/model.yml": NEW,
            "a/other.yaml": "apiVersion: v1\nkind: Pod\n",
            "a/notes.txt": OLD,
            "a/broken.yaml": "}{",
            "ignored/model.yaml": OLD,
            ".gitignore": "ignored\n",
        },
    )
    assert list(migrate(tree, (), (V0TEST,))) == [
        Migrated(path="a/model.yml", before=API_VERSION),
        Migrated(path="b/model.yaml", before="tidegate.dev/v0test", text=NEW),
    ]


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        pytest.param(("a",), ["a/b/model.yaml", "a/model.yaml"], id="a folder"),
        pytest.param(("a/model.yaml",), ["a/model.yaml"], id="a file"),
        pytest.param(("a/b", "c"), ["a/b/model.yaml", "c/model.yaml"], id="two folders"),
        pytest.param(("",), ["a/b/model.yaml", "a/model.yaml", "c/model.yaml"], id="the root"),
    ],
)
def test_paths_pick_files(tmp_path: Path, paths: tuple[str, ...], found: list[str]) -> None:
    tree = put(tmp_path, {"a/model.yaml": OLD, "a/b/model.yaml": OLD, "c/model.yaml": OLD})
    assert [file.path for file in migrate(tree, paths, (V0TEST,))] == found


def test_a_path_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="nowhere is not there"):
        list(migrate(put(tmp_path, {"a": ""}), ("nowhere",)))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("apiVersion: tidegate.dev/v9\nkind: Model\n", "model.yaml:1:", id="a version that nobody knows"),
        pytest.param("apiVersion: tidegate.dev/v0test\nkind: [\n", "model.yaml:2:", id="no YAML"),
        pytest.param(b"apiVersion: tidegate.dev/v0test\nkind: \xff\n", "is not UTF-8", id="no UTF-8"),
        pytest.param(OLD.replace("{old: 1}", "{old: 1, new: 2}"), "new is there already", id="no room for the change"),
    ],
)
def test_what_is_left_alone_is_told_why(tmp_path: Path, content: str | bytes, said: str) -> None:
    (file,) = migrate(put(tmp_path, {"model.yaml": content}), (), (V0TEST,))
    assert file.text is None
    assert any(said in problem for problem in file.problems)


def test_a_file_is_written_with_its_own_mode_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    tree = put(tmp_path, {"model.yaml": OLD})
    (tmp_path / "model.yaml").chmod(0o640)
    (file,) = migrate(tree, (), (V0TEST,))
    write(tmp_path, file)
    assert (tmp_path / "model.yaml").read_text() == NEW
    assert (tmp_path / "model.yaml").stat().st_mode & 0o777 == 0o640
    assert {path.name for path in tmp_path.iterdir()} == {".git", "model.yaml"}


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "model.yaml").write_text(OLD)
    (tmp_path / "link.yaml").symlink_to("real/model.yaml")
    tree = WorkTree(tmp_path)  # git lists from here on
    write(tmp_path, next(file for file in migrate(tree, ("link.yaml",), (V0TEST,))))
    assert (tmp_path / "link.yaml").is_symlink()
    assert (tmp_path / "real" / "model.yaml").read_text() == NEW


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="cannot be written"):
        write(tmp_path, Migrated(path="gone/model.yaml", text=NEW))


def test_what_needs_no_change_is_not_written(tmp_path: Path) -> None:
    write(tmp_path, Migrated(path="model.yaml"))
    assert list(tmp_path.iterdir()) == []
