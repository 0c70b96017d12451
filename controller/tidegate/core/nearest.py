"""Which of the known names was most likely meant. Quick, because a file may hold thousands of unknown ones.

Keys of YAML that are no text are never meant.
"""

from __future__ import annotations

from collections.abc import Collection
from difflib import SequenceMatcher
from operator import eq

_MOST_KNOWN = 1000
_CANDIDATES = 5
_ALIKE = 0.6


def nearest(name: str, known: Collection[object]) -> str | None:
    """The most similar name that begins or ends alike; None where there is none, or too many to look at."""
    if len(known) > _MOST_KNOWN or len(name) > 100:
        return None
    wanted = name.lower()
    folded = {other: other.lower() for other in known if isinstance(other, str)}
    close = [other for other, text in folded.items() if text[:2] == wanted[:2] or text[-2:] == wanted[-2:]]
    close.sort(key=lambda other: (-_shared(wanted, folded[other]), other))
    ranked = [(SequenceMatcher(None, wanted, folded[other]).ratio(), other) for other in close[:_CANDIDATES]]
    best = max(ranked, default=(0.0, ""))
    return best[1] if best[0] >= _ALIKE else None


def _shared(one: str, other: str) -> int:
    """How many characters are the same, counted from the beginning or from the end."""
    forwards, backwards = sum(map(eq, one, other)), sum(map(eq, one[::-1], other[::-1]))
    return int(max(forwards, backwards))
