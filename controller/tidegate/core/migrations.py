"""From older versions of the file format to the current one, step by step.

To add one: write a function that says what changes beside `apiVersion`, put it into MIGRATIONS, and lay a file before
and after it into tests/golden/migrations. Pin files and data locks carry a digest over their content: a migration that
changes what they say has to stamp them anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.core.yaml.difference import Change, Step
from tidegate.core.yaml.document import read
from tidegate.core.yaml.splice import edit


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """From one `apiVersion` to the next. `steps` gets a file's data and says what else changes, in order."""

    before: str
    after: str
    steps: Callable[[Mapping[str, Any]], Iterable[Step]]


MIGRATIONS: Sequence[Migration] = ()
"""In order: each begins where the one before it ends, the last ends at the current version. The first needs none."""


def migrated(text: str, path: str, migrations: Sequence[Migration] = MIGRATIONS) -> str:
    """The text in the newest version that the migrations lead to; every byte outside of their steps stays.

    A text of a version that none begins with comes back as it is. Raises InvalidManifest where it cannot be read, and
    EditRefused where a step cannot be taken without touching something else.
    """
    for migration in migrations:
        data = read(text, path).data
        if version_of(data) == migration.before:
            text = edit(text, (*migration.steps(data), Change(("apiVersion",), migration.after)), path)
    return text


def version_of(data: object) -> str:
    """The `apiVersion` that a file's data says; empty where it says none."""
    version = data.get("apiVersion") if isinstance(data, dict) else None
    return version if isinstance(version, str) else ""
