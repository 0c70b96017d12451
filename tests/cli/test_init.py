"""`tidegate init`: everything of the template, and nothing written over."""

from __future__ import annotations

from pathlib import Path

from support.program import Program
from tidegate import errors


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_template_lands_in_a_new_folder(tmp_path: Path) -> None:
    ran = Program(tmp_path, tmp_path)("init", str(tmp_path / "models"))
    assert ran.code == errors.FINE
    assert {"tidegate.yaml", "models/example/model.yaml"} <= _files(tmp_path / "models")
    assert set(ran.out.splitlines()) == {str(tmp_path / "models" / name) for name in _files(tmp_path / "models")}
    assert "Next:" in ran.err


def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    assert Program(tmp_path, tmp_path)("init", str(tmp_path / "models"), "--dry-run").code == errors.FINE
    assert not (tmp_path / "models").exists()


def test_nothing_is_written_over_and_nothing_else_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "tidegate.yaml").write_text("mine\n")
    ran = Program(tmp_path, tmp_path)("init", str(folder))
    assert ran.code == errors.WRONG_USE
    assert "tidegate.yaml" in ran.err
    assert _files(folder) == {"tidegate.yaml"}
    assert (folder / "tidegate.yaml").read_text() == "mine\n"


def test_it_joins_a_folder_that_holds_other_things(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine\n")
    assert Program(tmp_path, tmp_path)("init", str(tmp_path)).code == errors.FINE
    assert (tmp_path / "notes.txt").read_text() == "mine\n"
