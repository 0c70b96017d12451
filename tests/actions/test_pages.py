"""The pages of the actions: their examples are workflows that GitHub's parser takes, with inputs and outputs that
exist, and their tables are current."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from support.workflow_runner.engine import Engine

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(ROOT.glob("actions/*/README.md"))
_OURS = re.compile(r"OWNER/tidegate/?(?P<folder>[a-z/]*)@COMMIT")


@pytest.fixture(params=PAGES, ids=lambda page: page.parent.name)
def page(request: pytest.FixtureRequest) -> str:
    text: str = request.param.read_text(encoding="utf-8")
    return text


def example(page: str, engine: Engine) -> dict[str, Any]:
    (text,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    return engine.workflow("example.yml", text)


def steps(workflow: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for job in workflow["jobs"].values():
        yield from job["steps"]


def test_the_example_gives_inputs_and_reads_outputs_that_exist(page: str, engine: Engine) -> None:
    ours = [(step, found["folder"]) for step in steps(example(page, engine))
            if (found := _OURS.fullmatch(step.get("uses", "")))]  # fmt: skip
    assert ours
    for step, folder in ours:
        definition = engine.action(ROOT / folder / "action.yml")
        assert step.get("with", {}).keys() <= definition["inputs"].keys()
        read = set(re.findall(rf"steps\.{step.get('id', '-')}\.outputs\.([a-z-]+)", page))
        assert read <= definition["outputs"].keys()


def test_the_example_asks_for_no_permission_without_saying_why(page: str, engine: Engine) -> None:
    assert example(page, engine)["permissions"] == {}
    granted = re.findall(r"^ {6}[a-z-]+: (?:read|write)(.*)$", page, re.MULTILINE)
    assert [reason for reason in granted if not reason.startswith(" # ")] == []


def test_the_example_pins_others_by_commit_and_keeps_no_credentials(page: str, engine: Engine) -> None:
    for step in steps(example(page, engine)):
        if not _OURS.fullmatch(step.get("uses", "OWNER/tidegate@COMMIT")):
            assert re.fullmatch(r"[a-z]+/[a-z-]+@[0-9a-f]{40}", step["uses"])
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] == "false"


def test_every_action_is_listed() -> None:
    page = (ROOT / "actions/README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| \[`([a-z]+)`\]\(\1/README\.md\)", page, re.MULTILINE))
    assert listed == {page.parent.name for page in PAGES}


@pytest.mark.parametrize("page", [ROOT / "actions/README.md", *PAGES], ids=lambda page: page.parent.name)
def test_the_tables_say_what_the_definition_says(page: Path, engine: Engine) -> None:
    definition = engine.action((ROOT if page.parent == ROOT / "actions" else page.parent) / "action.yml")
    rows = re.findall(
        r"^\| `([a-z-]+)` \|(?: (?:`([^`]*)`)? \|)?(?: (.*) \|)$", page.read_text(encoding="utf-8"), re.MULTILINE
    )
    told = {(name, words) for name, _, words in rows}
    assert told == {
        (name, one["description"]) for each in ("inputs", "outputs") for name, one in definition[each].items()
    }
