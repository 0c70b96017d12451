"""Whom a CODEOWNERS file names for a path, by GitHub's rules ("About code owners"): the last pattern that fits counts.

Patterns are those of .gitignore without negation, ranges and escapes; a pattern without owners takes them away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks, in this order; the first file counts."""


def owners(text: str, path: str) -> tuple[str, ...]:
    """The owners of a path; empty for a path that nobody owns."""
    found: tuple[str, ...] = ()
    for pattern, named in _lines(text):
        if _expression(pattern).fullmatch(path):
            found = named
    return found


def _lines(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words:
            yield words[0], tuple(words[1:])


@lru_cache(maxsize=1024)
def _expression(pattern: str) -> re.Pattern[str]:
    """A slash at the beginning or within ties it to the root; a folder is all in it, `docs/*` only its own files."""
    body = pattern.strip("/")
    start = "" if "/" in pattern.rstrip("/") else "(?:.*/)?"
    below = "" if body.endswith("/*") else "(?:/.*)?"
    end = "/.*" if pattern.endswith("/") else below
    return re.compile(start + "".join(map(_part, re.split(r"(\*\*/|/\*\*$|\*\*|\*|\?)", body))) + end)


def _part(text: str) -> str:
    parts = {"**/": "(?:.*/)?", "/**": "/.*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return parts.get(text) or re.escape(text)
