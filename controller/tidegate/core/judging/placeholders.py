"""What is filled into a person's PromQL: `{{ model }}`, `{{ environment }}` and `{{ version }}`, between quotes.

Selectors need none of it: their labels are added (`queries`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

NAMES = ("model", "environment", "version")

_PLACEHOLDER = re.compile(r"\{\{\s*(" + "|".join(NAMES) + r")\s*\}\}")


def filled(text: str, values: Mapping[str, str]) -> str:
    """The expression with what is known put in; names of versions, models and environments need no escaping."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def asks_by_version(text: str) -> bool:
    """Whether each version is asked for with an expression of its own."""
    return any(found[1] == "version" for found in _PLACEHOLDER.finditer(text))
