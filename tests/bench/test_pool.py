"""The rows of `make bench-judge`'s tables in several processes: what happens where one of them fails."""

from __future__ import annotations

import importlib
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

JUDGING = Path(__file__).resolve().parents[2] / "bench" / "judging"
MANY = 200
ROW = """
def make(folder, kind):
    (folder / f"begun-{kind}").touch()
    if kind == 0:
        raise ValueError("row 0")
    while not (folder / "over").exists():
        pass
"""
"""The first one fails, and the others last until that is known."""


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(JUDGING))
    return runpy.run_path(str(JUDGING / "pool.py"))["rows"]


def test_where_a_row_fails_the_rows_behind_it_are_not_begun(
    rows: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a_row_of_the_test.py").write_text(ROW)
    monkeypatch.syspath_prepend(str(tmp_path))
    make = importlib.import_module("a_row_of_the_test").make

    def failing() -> None:
        with rows(tmp_path, 2) as side_by_side:
            try:
                side_by_side(make, range(MANY))
            finally:
                (tmp_path / "over").touch()

    with pytest.raises(ValueError, match="row 0"):
        failing()
    assert len(list(tmp_path.glob("begun-*"))) < MANY / 2


@pytest.mark.parametrize("processes", ["0", "-1", "two"])
def test_what_is_no_number_of_processes_is_said(processes: str) -> None:
    command = [sys.executable, str(JUDGING / "run.py"), f"--processes={processes}", "--dry-run"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.endswith(f"{processes} is no number of processes\n")
