"""Two texts of one file as a unified diff."""

from __future__ import annotations

from difflib import unified_diff

from tidegate.core.planning.phrase import visible


def difference(path: str, before: str | None, after: str | None) -> str:
    """What `git diff` would say, without a file's id; None is no such file."""
    old, new = ("" if text is None else text for text in (before, after))
    names = ("/dev/null" if before is None else f"a/{path}", "/dev/null" if after is None else f"b/{path}")
    lines = unified_diff(old.splitlines(), new.splitlines(), *names, lineterm="", n=2)
    return "\n".join("\t".join(map(visible, line.split("\t"))) for line in lines)
