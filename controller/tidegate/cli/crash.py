"""What a bug leaves behind: a short text for the person, the traceback in a file to paste, no credential in either."""

from __future__ import annotations

import os
import re
import tempfile
import traceback
from pathlib import Path

from tidegate import __version__
from tidegate.settings import cache

_USER = re.compile(r"(?<=://)[^/@\s'\"]+@")
_SECRET_NAME = re.compile(r"TOKEN|PASSWORD|PASSWD|SECRET|CREDENTIAL|API_?KEY|PRIVATE", re.IGNORECASE)
_SHORTEST_SECRET = 4
"""Shorter values of such variables (`1`, `on`) are settings, and would blank out half of the text."""


def explained(error: BaseException) -> str:
    """The message for a bug; writes the traceback to a file in the cache."""
    what = scrubbed(f"{type(error).__name__}: {error}").split("\n", 1)[0]
    where = _written(scrubbed("".join(traceback.format_exception(error))))
    kept = f"the details are in {where}; paste them into a new issue" if where else "the cache folder takes no file"
    return f"tidegate {__version__} has met a bug of its own: {what}\n{kept}"


def scrubbed(text: str) -> str:
    """The text without users and passwords of addresses, and without values of variables whose names say secret."""
    for name, value in os.environ.items():
        if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET:
            text = text.replace(value, "…")
    return _USER.sub("", text)


def _written(text: str) -> Path | None:
    folder = cache() / "crashes"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, prefix="crash-", suffix=".log", delete=False) as file:
            file.write(text)
    except OSError:
        return None
    return Path(file.name)
