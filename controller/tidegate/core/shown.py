"""Text and values of others as a message shows them: on one line, every character visible."""

from __future__ import annotations

import json

_LONGEST = 60


def shown(value: object) -> str:
    """The value as YAML's flow style would have it. Not for what may be a secret."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "…"


def visible(text: str) -> str:
    """Line breaks, escape sequences, marks that turn the direction of text, and bytes that are no text, spelt out."""
    return text if text.isprintable() else "".join(map(_glyph, text))


def _glyph(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
