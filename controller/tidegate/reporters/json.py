"""Results as JSON on stdout: plain data, times in ISO 8601, enums by their value."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum

from tidegate.core.quantity import write_duration

_NOT_ASCII = re.compile(r"[^\n -~]")


def show(data: object, *, one_line: bool = False) -> None:
    """Print the data and one line break."""
    sys.stdout.write(text(data, one_line=one_line) + "\n")


def text(data: object, *, one_line: bool = False) -> str:
    """The data as JSON. Keys keep their order, so that two runs can be compared as text.

    What has no glyph is escaped: a terminal may obey it, and lone surrogates have no encoding.
    """
    written = json.dumps(data, indent=None if one_line else 2, ensure_ascii=False, default=_plain)
    return _NOT_ASCII.sub(_escaped, written)


def _escaped(found: re.Match[str]) -> str:
    return found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1]


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case timedelta():
            return write_duration(value)
        case Enum():
            return value.value
        case Mapping():
            return dict(value)
        case set() | frozenset():
            return sorted(value)
        case _ if dataclasses.is_dataclass(value):
            return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        case _:
            raise TypeError(f"{type(value).__name__} is no data")
