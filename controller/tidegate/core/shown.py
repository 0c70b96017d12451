"""A value of a file as a message shows it: on one line, and cut where it is long."""

from __future__ import annotations

import json

_LONGEST = 60


def shown(value: object) -> str:
    """The value as YAML's flow style would have it. Not for what may be a secret."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "…"
