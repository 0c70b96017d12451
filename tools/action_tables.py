"""The tables of inputs and outputs in the READMEs of the actions, made from each action.yml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
_MADE = re.compile(r"(?<=<!-- written by tools/docs\.py from action\.yml -->\n).*?(?=<!-- end -->\n)", re.DOTALL)


def pages() -> dict[Path, str]:
    """Every README of an action as it should be. Raises AssertionError for one without a place for its tables."""
    root = {ROOT / "actions/README.md": ROOT / "action.yml"}
    others = {path.with_name("README.md"): path for path in sorted(ROOT.glob("actions/*/action.yml"))}
    return {page: _page(page, definition) for page, definition in (root | others).items()}


def _page(page: Path, definition: Path) -> str:
    text = page.read_text(encoding="utf-8")
    assert len(_MADE.findall(text)) == 1, f"{page} needs one place between the two comments"
    tables = _tables(yaml.safe_load(definition.read_text(encoding="utf-8")))
    return _MADE.sub(lambda _: tables, text)


def _tables(action: dict[str, Any]) -> str:
    inputs = [f"| `{name}` | {_default(one['default'])} | {_cell(one)} |" for name, one in action["inputs"].items()]
    outputs = [f"| `{name}` | {_cell(one)} |" for name, one in action["outputs"].items()]
    lines = ["| input | default | what |", "| --- | --- | --- |", *inputs, ""]
    return "\n".join(["", *lines, "| output | what |", "| --- | --- |", *outputs, "", ""])


def _default(value: str) -> str:
    return f"`{value}`" if value else ""


def _cell(one: dict[str, str]) -> str:
    return one["description"].strip().replace("|", r"\|")
