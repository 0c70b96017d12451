"""Workflow commands in a log, found as GitHub's runner finds them (actions/runner, ActionCommand and its callers)."""

from __future__ import annotations

import re
from dataclasses import dataclass

NAMES = [
    "add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "notice", "remove-matcher",
    "save-state", "set-env", "set-output", "stop-commands", "warning",
]  # fmt: skip


@dataclass(frozen=True)
class Command:
    """`::name key=value,…::data`, or the older `##[name key=value;…]data`."""

    name: str
    properties: dict[str, str]
    data: str


def commands(log: str) -> list[Command]:
    return [found for line in re.split("\r\n|\r|\n", log) if (found := _command(line))]


_DATA = {"%0D": "\r", "%0A": "\n", "%25": "%"}
_PROPERTY = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}


def _command(line: str) -> Command | None:
    """The first form stands at the start of a line, blanks aside, the older one anywhere; its names are known ones."""
    new = re.match(r"\s*::(.*?)::(.*)", line, re.DOTALL)
    name, _, given = new[1].partition(" ") if new else ("", "", "")
    if new and name.lower() in NAMES:
        pairs = (pair.partition("=") for pair in given.strip().split(",") if pair)
        # .NET's Split with RemoveEmptyEntries: a value loses the = it begins with, and an empty one is none.
        properties = {key: _unescaped(value.lstrip("="), _PROPERTY) for key, _, value in pairs if value.strip("=")}
        return Command(name, properties, _unescaped(new[2], _DATA))
    old = re.search(r"##\[(.*?)\](.*)", line, re.DOTALL)
    return Command(old[1].partition(" ")[0], {}, old[2]) if old else None


def _unescaped(text: str, table: dict[str, str]) -> str:
    for token, character in table.items():
        text = text.replace(token, character)
    return text
