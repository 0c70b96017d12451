"""YAML 1.2 scalars: what plain text means (core schema), and how a value is written so that it reads back.

Pure text; nodes and positions live in `nodes`, edits in `splice`.
"""

from __future__ import annotations

import json
import re
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool | None

CORE = "tag:yaml.org,2002:"
MAXIMUM_DIGITS = 1000  # Python itself refuses to read or print more than 4,300
SCALAR_TAGS = frozenset({"!"} | {CORE + name for name in ("str", "int", "float", "bool", "null")})

# YAML 1.2.2 section 10.3.2, in its order. `no`, `1_000`, `12:30` and dates are strings; 012 is twelve.
NULL = re.compile(r"null|Null|NULL|~|")
TRUE = re.compile(r"true|True|TRUE")
FALSE = re.compile(r"false|False|FALSE")
INTEGER = re.compile(r"[-+]?[0-9]+")
OCTAL = re.compile(r"0o[0-7]+")
HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
INFINITE = re.compile(r"([-+]?)\.(inf|Inf|INF)")
NOT_A_NUMBER = re.compile(r"\.(nan|NaN|NAN)")

# Text that is safe without quotes in every context, flow mappings included.
PLAIN = re.compile(r"-{0,2}[A-Za-z0-9_./](?:[A-Za-z0-9_./@%:+-]*[A-Za-z0-9_./@%+-])?")
# Strings in YAML 1.2 that a YAML 1.1 reader (PyYAML, most deployers) takes for a boolean, number, date or time.
YAML_1_1 = re.compile(
    r"(?i:y|n|yes|no|on|off|0b[01_]+|0x[0-9a-f_]+)|[-+]?[0-9][0-9_.:]*|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*"
)
# Plain text that people or older readers take for something else than YAML 1.2 does: YAML 1.1's booleans, numbers with
# a leading zero, with an underscore, in base 60, in base 2, 8 or 16, and with an exponent; dates and times.
DECEPTIVE = re.compile(
    r"(?i:y|n|yes|no|on|off)|[-+]?0[0-9]+|0[bBoOxX][0-9a-fA-F_]+|[-+]?[0-9][0-9.]*_[0-9_.]*"
    r"|[-+]?[0-9]+(?::[0-5]?[0-9])+(?:\.[0-9]*)?|[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt\s].*)?"
)
LOOKS_LIKE_A_KEY = re.compile(r"[A-Za-z_]\w*:.*")
UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")


def meaning(text: str) -> Scalar:
    """What an unquoted, untagged scalar means; ValueError for an absurdly long number."""
    if NULL.fullmatch(text):
        return None
    if TRUE.fullmatch(text) or FALSE.fullmatch(text):
        return text[0] in "tT"
    return _number(text)


def _number(text: str) -> int | float | str:
    if len(text) > MAXIMUM_DIGITS and (INTEGER.fullmatch(text) or HEXADECIMAL.fullmatch(text)):
        raise ValueError(f"a number of more than {MAXIMUM_DIGITS} digits")
    if INTEGER.fullmatch(text):
        return int(text)
    if OCTAL.fullmatch(text) or HEXADECIMAL.fullmatch(text):
        return int(text, 0)
    if FLOAT.fullmatch(text):
        return float(text)
    if infinite := INFINITE.fullmatch(text):
        return float(infinite[1] + "inf")
    return float("nan") if NOT_A_NUMBER.fullmatch(text) else text


def tagged(text: str, tag: str) -> Scalar:
    """What a scalar with an explicit core tag means; ValueError when the text does not fit the tag."""
    if tag in ("!", CORE + "str"):
        return text
    value = meaning(text)
    if tag == CORE + "float" and type(value) is int:
        return float(value)
    if tag == CORE + {type(None): "null", bool: "bool", int: "int", float: "float", str: "str"}[type(value)]:
        return value
    raise ValueError(f"{text!r} does not fit the tag !!{tag.removeprefix(CORE)}")


def written(value: Scalar, quote: str = "") -> str:
    """The scalar as text that YAML 1.2 reads back as the same value of the same type.

    `quote` is the quotation mark of the text it replaces: a quoted string stays quoted the same way.
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _float(value)
        case str():
            return _string(value, quote)


def _float(value: float) -> str:
    text = repr(value)
    return {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}.get(text, text)


def _string(value: str, quote: str) -> str:
    if quote == "" and _may_stand_plain(value):
        return value
    if quote == "'" and value.isprintable() and not UNPRINTABLE.search(value):
        return "'" + value.replace("'", "''") + "'"
    # JSON's escapes are YAML's too; what JSON leaves as it is but YAML must not hold is escaped here.
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def _may_stand_plain(value: str) -> bool:
    if not PLAIN.fullmatch(value) or value == "...":
        return False
    if YAML_1_1.fullmatch(value) or LOOKS_LIKE_A_KEY.fullmatch(value):
        return False
    try:
        return isinstance(meaning(value), str)
    except ValueError:
        return False
