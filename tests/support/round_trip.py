"""What ruamel's round-trip loader makes of a text, held against what we read.

ruamel leaves the core schema of YAML 1.2 in some plain scalars: dates become dates, `1_000` and `0b1` become numbers.
There we follow the standard, and such text is put aside here; so is what asks for another version of YAML.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

from ruamel.yaml import YAML

from tidegate.core.yaml.difference import same
from tidegate.core.yaml.document import decode, read
from tidegate.errors import InvalidManifest

_SCALARS: dict[str, Callable[[Any], Any]] = {
    "ScalarBoolean": bool,
    "ScalarFloat": float,
    **dict.fromkeys(("ScalarInt", "HexInt", "HexCapsInt", "OctalInt", "BinaryInt", "DecimalInt"), int),
    **dict.fromkeys(
        ("LiteralScalarString", "FoldedScalarString", "PlainScalarString", "SingleQuotedScalarString"), str
    ),
    "DoubleQuotedScalarString": str,
}
"""ruamel's own scalars by the name of their type."""
_ITS_OWN = re.compile(r"%YAML|!(?:\s|$)|[-+]0x|[0-9]_|_[0-9]|0b[01]|[0-9]{4}-[0-9]|=|0o|[-+.]_")


def disagreement(raw: bytes) -> str | None:
    """Where the two readers differ: "" when both read the same, None when ours reads nothing."""
    try:
        ours = read(decode(raw, "p"), "p").data
    except InvalidManifest:
        return None
    text = raw.decode()
    return "" if _ITS_OWN.search(text) else _difference(ours, text)


def _difference(ours: Any, text: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = plain(YAML(typ="rt").load(text))
    except NotImplementedError:  # its own trouble with comments, not with what the text means
        return ""
    except Exception as error:  # noqa: BLE001 - besides its own errors, ruamel leaks what it likes on odd input
        return f"ruamel refuses: {error!r}"
    return "" if same(ours, theirs) else f"ours {ours!r}, ruamel's {theirs!r}"


def plain(value: Any) -> Any:
    """ruamel's own types as Python's."""
    name = type(value).__name__
    match value:
        case dict():
            return {plain(key): plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case _ if name == "TaggedScalar":
            return plain(value.value)
        case _:
            return _SCALARS.get(name, lambda scalar: scalar)(value)
