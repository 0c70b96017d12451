"""How mappings and lists are laid out as text in the project's own style: block at the top, small things in flow."""

from __future__ import annotations

from typing import Any

from tidegate.core.yaml.scalars import written

WIDTH = 100


def dump(data: dict[str, Any]) -> str:
    """A fresh file: one key a line, small nested mappings and lists in flow style, a list of mappings one a line."""
    return "\n".join(block(data)) + "\n"


def fits_a_line(value: Any) -> bool:  # noqa: ANN401 - data of a YAML file
    """Whether the value is written in flow style where both styles are possible."""
    if not isinstance(value, dict | list):
        return True
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return False
    if isinstance(value, dict) and not any(isinstance(item, dict | list) and item for item in value.values()):
        return True  # digests are long, but a `canary` or a `transition` reads best as one line
    return len(flow(value)) <= WIDTH


def flow(value: Any, quote: str = "") -> str:  # noqa: ANN401
    """The value on one line, valid inside flow and block style. `quote`: see `scalars.written`."""
    match value:
        case dict():
            return "{" + ", ".join(f"{written(key)}: {flow(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(flow, value)) + "]"
        case _:
            return written(value, quote)


def block(value: dict[str, Any] | list[Any]) -> list[str]:
    """The lines of a mapping or list in block style, without indentation."""
    if not value:
        return [flow(value)]
    if isinstance(value, list):
        return [line for item in value for line in item_lines(item)]
    return [line for key, item in value.items() for line in entry_lines(key, item)]


def entry_lines(key: Any, value: Any) -> list[str]:  # noqa: ANN401
    """`key: value` as one line, or as a line and an indented block."""
    if fits_a_line(value):
        return [f"{written(key)}: {flow(value)}"]
    return [f"{written(key)}:", *("  " + line for line in block(value))]


def item_lines(value: Any, *, spread: bool = False) -> list[str]:  # noqa: ANN401
    """`- value`; `spread` writes a mapping one key a line even when it fits."""
    if fits_a_line(value) and not (spread and value and isinstance(value, dict)):
        return [f"- {flow(value)}"]
    first, *others = block(value)
    return [f"- {first}", *("  " + line for line in others)]
