"""In which order a version passes a model's environments, and what each of them comes after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def in_order(own: Iterable[str], listed: Sequence[str]) -> tuple[str, ...]:
    """The workspace's environments that a model names, in the workspace's order; then its own in the order written."""
    named = tuple(own)
    return (*(name for name in listed if name in named), *(name for name in named if name not in listed))


def comes_after(order: Sequence[str], index: int, data: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The environments in which a version has baked before it enters this one; by default the one above."""
    after = (data or {}).get("after", order[index - 1] if index else ())
    return (after,) if isinstance(after, str) else tuple(after)


def not_before(order: Sequence[str], index: int, after: Sequence[str]) -> tuple[str, ...]:
    """Those of `after` that do not come before this one: no version could ever have baked there."""
    return tuple(name for name in after if name not in order[:index])
