"""`tidegate migrate` as people run it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.program import Program
from tidegate import errors
from tidegate.core.pin import API_VERSION


@pytest.fixture
def program(tmp_path: Path) -> Program:
    program = Program(tmp_path / "models", tmp_path)
    assert Program(tmp_path, tmp_path)("init", str(program.folder)).code == errors.FINE
    return program


def test_a_new_repository_needs_nothing(program: Program) -> None:
    ran = program("migrate")
    assert (ran.code, ran.out) == (errors.FINE, f"0 rewritten, 2 already {API_VERSION}, 0 left alone\n")


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_a_version_that_nobody_knows_is_a_finding_and_stays(program: Program, options: tuple[str, ...]) -> None:
    file = program.folder / "tidegate.yaml"
    file.write_text(file.read_text().replace(API_VERSION, "tidegate.dev/v99"))
    before = file.read_bytes()
    ran = program("migrate", *options)
    assert ran.code == errors.FINDINGS
    assert ran.out.startswith("tidegate.yaml:")
    assert ran.out.endswith("1 left alone\n")
    assert file.read_bytes() == before


def test_paths_are_those_of_the_folder_that_is_named(program: Program) -> None:
    assert "1 already" in program("migrate", "models").out
    assert program("migrate", "nowhere").code == errors.WRONG_USE
