"""`tidegate init`: everything of the template and the schemas, and nothing written over but old schemas."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.program import Program
from support.repositories import ISOLATED, git
from tidegate import __version__, bundled, errors

ROOT = Path(__file__).parents[2]
TEMPLATE_WORKFLOWS = sorted((ROOT / "repo-template/.github/workflows").iterdir())
SCHEMAS = {path.name: path.read_bytes() for path in (ROOT / "schemas").glob("*.schema.json")}
EDITORS = re.compile(r"# yaml-language-server: \$schema=(\S+)")


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_template_lands_in_a_new_folder(tmp_path: Path) -> None:
    ran = Program(tmp_path, tmp_path)("init", str(tmp_path / "models"))
    assert ran.code == errors.FINE
    assert {"tidegate.yaml", "models/example/model.yaml", ".tidegate/schemas/pin.schema.json"} <= _files(
        tmp_path / "models"
    )
    assert set(ran.out.splitlines()) == {str(tmp_path / "models" / name) for name in _files(tmp_path / "models")}
    assert "Next:" in ran.err


def test_the_commands_it_prints_make_a_repository_in_any_folder(tmp_path: Path) -> None:
    folder = tmp_path / "my models; $(touch ran)"
    folder.mkdir()
    program = Program(folder, tmp_path)
    asked = [sys.executable, "-m", "tidegate", "init", "."]
    ran = subprocess.run(asked, cwd=folder, env=program.environment(), capture_output=True, text=True, check=True)
    written = ran.stderr.partition("  2. ")[2].partition("  3. ")[0]
    assert "git remote add" in written
    commands = "\n".join(line for line in written.splitlines() if line.startswith("       "))
    subprocess.run(["sh", "-ec", commands], cwd=folder, env={**os.environ, **ISOLATED}, check=True, capture_output=True)
    assert git(Path(f"{folder}.git"), "rev-parse", "main") == git(folder, "rev-parse", "HEAD")
    assert not (tmp_path / "ran").exists()
    assert not (folder / "ran").exists()
    assert git(folder, "status", "--porcelain") == ""


def test_on_github_it_sends_to_the_readme_and_to_no_bare_folder(tmp_path: Path) -> None:
    ran = Program(tmp_path, tmp_path)("init", str(tmp_path / "models"), "--actions", f"acme/tidegate@{'a' * 40}")
    heading = re.search(r'go through "(.+)" in (\S+);', ran.err)
    assert heading
    assert f"## {heading[1]}\n" in Path(heading[2]).read_text()
    assert "git init" not in ran.err


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


@pytest.mark.parametrize("name", ["models", ".tidegate", ".tidegate/schemas", "models/example"])
@pytest.mark.parametrize("what", ["a-link", "a-file"])
def test_what_stands_where_a_folder_belongs_is_told_before_anything_is_written(
    name: str, what: str, tmp_path: Path
) -> None:
    folder, elsewhere = tmp_path / "models", tmp_path / "elsewhere"
    (folder / name).parent.mkdir(parents=True)
    elsewhere.mkdir()
    if what == "a-link":
        (folder / name).symlink_to(elsewhere)
    else:
        (folder / name).write_text("mine\n")
    before = {path: path.is_dir() for path in tmp_path.rglob("*")}
    ran = Program(tmp_path, tmp_path)("init", str(folder))
    assert ran.code == errors.WRONG_USE
    assert name in ran.err
    assert {path: path.is_dir() for path in tmp_path.rglob("*")} == before


def test_it_joins_a_folder_that_holds_other_things(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine\n")
    assert Program(tmp_path, tmp_path)("init", str(tmp_path)).code == errors.FINE
    assert (tmp_path / "notes.txt").read_text() == "mine\n"


def test_the_schemas_of_every_kind_come_with_it_byte_for_byte(tmp_path: Path) -> None:
    Program(tmp_path, tmp_path)("init", str(tmp_path / "models"))
    copies = (tmp_path / "models" / ".tidegate" / "schemas").iterdir()
    assert {copy.name: copy.read_bytes() for copy in copies} == SCHEMAS
    assert len(SCHEMAS) == len(bundled.schemas())


def test_the_first_line_of_its_files_leads_editors_to_their_schema(tmp_path: Path) -> None:
    Program(tmp_path, tmp_path)("init", str(tmp_path))
    _require_first_lines_lead_to_schemas([tmp_path / "tidegate.yaml", *(tmp_path / "models").rglob("*.yaml")])


def test_the_first_line_of_the_example_s_files_does_too() -> None:
    _require_first_lines_lead_to_schemas(sorted((ROOT / "examples").rglob("*.yaml")))


def _require_first_lines_lead_to_schemas(files: list[Path]) -> None:
    assert len(files) >= 2
    for file in files:
        first, *lines = file.read_text(encoding="utf-8").splitlines()
        named = EDITORS.fullmatch(first)
        assert named, file
        schema = json.loads((file.parent / named[1]).read_text(encoding="utf-8"))
        assert f"kind: {schema['properties']['kind']['const']}" in lines


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A repository with one schema of an older version, one that is missing, and an edited manifest."""
    Program(tmp_path, tmp_path)("init", str(tmp_path / "models"))
    schemas = tmp_path / "models" / ".tidegate" / "schemas"
    (schemas / "model.schema.json").write_text("{}")
    (schemas / "pin.schema.json").unlink()
    (tmp_path / "models" / "tidegate.yaml").write_text("mine\n")
    return tmp_path / "models"


def test_older_schemas_are_brought_up_to_date_and_nothing_else_is_touched(older: Path) -> None:
    ran = Program(older, older)("init", "--schemas", str(older))
    changed = [f"{older}/.tidegate/schemas/{name}.schema.json" for name in ("model", "pin")]
    assert (ran.code, ran.out.splitlines(), ran.err) == (errors.FINE, changed, "")
    assert {copy.name: copy.read_bytes() for copy in (older / ".tidegate" / "schemas").iterdir()} == SCHEMAS
    assert (older / "tidegate.yaml").read_text() == "mine\n"
    assert Program(older, older)("init", "--schemas", str(older)).out == ""


def test_a_dry_run_only_lists_older_schemas(older: Path) -> None:
    ran = Program(older, older)("init", "--schemas", "--dry-run", str(older))
    assert len(ran.out.splitlines()) == 2
    assert (older / ".tidegate" / "schemas" / "model.schema.json").read_text() == "{}"


def test_schemas_alone_do_not_make_a_repository(tmp_path: Path) -> None:
    ran = Program(tmp_path, tmp_path)("init", "--schemas", str(tmp_path))
    assert ran.code == errors.WRONG_USE
    assert "holds no tidegate.yaml" in ran.err
    assert _files(tmp_path) == set()


@pytest.mark.parametrize("link", [".tidegate", ".tidegate/schemas", ".tidegate/schemas/model.schema.json"])
def test_schemas_are_not_written_through_a_link(older: Path, link: str) -> None:
    elsewhere = older.parent / "elsewhere"
    (older / link).rename(elsewhere)
    (older / link).symlink_to(elsewhere)
    before = {name: (older.parent / name).read_bytes() for name in _files(older.parent)}
    ran = Program(older, older)("init", "--schemas", str(older))
    assert ran.code == errors.WRONG_USE
    assert "is a link" in ran.err
    assert {name: (older.parent / name).read_bytes() for name in _files(older.parent)} == before


ACTIONS = f"acme/tidegate@{'0123456789' * 4}"


def test_the_workflows_take_the_actions_from_where_the_person_says(tmp_path: Path) -> None:
    ran = Program(tmp_path, tmp_path)("init", "--actions", ACTIONS, str(tmp_path / "models"))
    assert ran.code == errors.FINE
    workflows = sorted((tmp_path / "models" / ".github" / "workflows").iterdir())
    used = [line for file in workflows for line in file.read_text().splitlines() if "tidegate/actions/" in line]
    assert len(used) == sum(file.read_text().count("OWNER/") for file in TEMPLATE_WORKFLOWS)
    assert all(re.search(rf"uses: acme/tidegate/actions/[a-z]+@\d{{40}} # v{__version__}$", line) for line in used)


@pytest.mark.parametrize(
    "actions",
    [
        pytest.param("acme/tidegate@v1", id="a-tag-can-move"),
        pytest.param("acme/tidegate", id="no-commit"),
        pytest.param(f"acme/tidegate@{'0' * 40}\n", id="a-line-break"),
    ],
)
def test_actions_that_are_not_pinned_are_refused(actions: str, tmp_path: Path) -> None:
    ran = Program(tmp_path, tmp_path)("init", "--actions", actions, str(tmp_path / "models"))
    assert ran.code == errors.WRONG_USE
    assert "OWNER/NAME@COMMIT" in ran.err
    assert not (tmp_path / "models").exists()
