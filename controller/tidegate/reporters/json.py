"""Results as JSON on stdout: plain data, times in ISO 8601, enums by their value."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from datetime import datetime
from enum import Enum


def show(data: object, *, one_line: bool = False) -> None:
    """Print the data and one line break. Keys keep their order, so that two runs can be compared as text."""
    json.dump(data, sys.stdout, indent=None if one_line else 2, ensure_ascii=False, default=_plain)
    sys.stdout.write("\n")


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
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
