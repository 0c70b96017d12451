"""What we write into texts on GitHub beside what people read: one hidden line at the very top, and nowhere else.

What people wrote (reasons, titles, comments) stands below it, so that no text of theirs can be taken for a mark, and
none of their mentions calls anybody in our name. What is read back is what was given to write.
Not here: whose marks are believed (`access.Account.believes`), which is to be asked before any is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

Mark = str | bool

TITLE_LIMIT = 255
BODY_LIMIT = 65_536
SHORTENED = "\n\n… shortened here: GitHub takes no longer text."

# Ours are short; a longer one is somebody's attempt on our reader.
_LINE = re.compile(r"\A<!-- tidegate (\{[^\n]{0,4000}\}) -->\n?")
_MENTION = re.compile(r"(?<![\w`/.])@(?=[A-Za-z0-9])")
_QUIET = "@\u200b"
"""An at sign and a zero-width space: looks the same, mentions nobody."""


def written(marks: Mapping[str, Mark], text: str) -> str:
    """The text as GitHub gets it: marks first, mentions quiet, the end cut off where it is too long."""
    # Neither `-->` nor a line break can come out of this: `>` is written as its number.
    hidden = json.dumps(dict(marks), separators=(",", ":"), sort_keys=True)
    hidden = hidden.replace("<", "\\u003c").replace(">", "\\u003e")
    line = f"<!-- tidegate {hidden} -->\n"
    return line + _cut(quiet(text), BODY_LIMIT - len(line), SHORTENED)


def read(text: str | None) -> tuple[Mapping[str, Mark], str]:
    """The marks of a text and what people see of it, as it was given to `written`."""
    found = _LINE.match(_plain(text))
    try:
        marks = json.loads(found[1]) if found else {}
    except (ValueError, RecursionError):
        marks = {}
    return {name: value for name, value in marks.items() if isinstance(value, str | bool)}, shown(text)


def shown(text: str | None) -> str:
    """What people see of a text."""
    return loud(_LINE.sub("", _plain(text)))


def _plain(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n")


def title(text: str) -> str:
    """One line that GitHub takes."""
    return _cut(quiet(" ".join(text.split())), TITLE_LIMIT, "…")


def quiet(text: str) -> str:
    """The text without a mention of anybody."""
    return _MENTION.sub(_QUIET, text)


def loud(text: str) -> str:
    """The text as it was before `quiet`."""
    return text.replace(_QUIET, "@")


def _cut(text: str, limit: int, word: str) -> str:
    return text if len(text) <= limit else text[: limit - len(word)] + word
