"""Text of others (file contents, paths, messages) made fit for a terminal or a log: what has no glyph is spelt out.

Escaping for one format (workflow commands, Markdown, JSON) is that format's reporter's.
"""

from __future__ import annotations

import re

from tidegate.core.shown import visible

_COMMAND = re.compile(r"^(\s*):(?=:)", re.MULTILINE)


def printable(text: str) -> str:
    """The text on one line, with escapes for controls, invisible marks, odd spaces and lone surrogates.

    So a hostile file moves no cursor, changes no colour and reverses no line.
    """
    return uncommanded(visible(text))


def printable_lines(text: str) -> str:
    """The same for a text that has lines of its own, none of which is a workflow command."""
    return obeyed_by_nobody("\n".join(map(printable, text.splitlines())))


def uncommanded(text: str) -> str:
    """GitHub's runner obeys `##[command]` wherever in a log's line it stands (actions/runner, ActionCommand.TryParse):
    it is spelt out."""
    return text.replace("##[", r"##\x5b")


def obeyed_by_nobody(text: str) -> str:
    """Lines for a log in which no workflow command is left, nor the older form, whatever was quoted in them."""
    return uncommanded(_COMMAND.sub(r"\1\\x3a", text))
