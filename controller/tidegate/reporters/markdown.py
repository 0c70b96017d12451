"""Text of others in GitHub Flavored Markdown: plain text, whatever it holds."""

from __future__ import annotations

import re

from tidegate.reporters.printable import printable

CELL = 500
"""Characters of one text in a table."""

# All that means something in GitHub Flavored Markdown, HTML or a table's cell.
_MARKUP = re.compile(r"""[!#$%&*+.:;<=>?@\[\\\]^_`{|}~]""")


def cell(text: str) -> str:
    """The text in a table's cell: no markup, no link, no HTML, nobody mentioned."""
    clipped = text if len(text) <= CELL else text[: CELL - 1] + "…"
    return _MARKUP.sub(_entity, printable(clipped))


def _entity(found: re.Match[str]) -> str:
    return "&#64;&#8203;" if found[0] == "@" else f"&#{ord(found[0])};"
