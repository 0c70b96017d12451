"""What a PromQL expression reads and answers: its selectors, its type, whether it compares. Nothing is asked here.

The parser (promql-parser, written in Rust) recurses over what it read and compiles every pattern: expressions that are
too long or too deep for it are not handed over. Its patterns are Rust's; Prometheus' are Go's, which differ a little.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tidegate.core.shown import shown

_LONGEST = 20_000
_DEEPEST = 100
_SIMPLE, _SHORT = 20, 200
_TEXT = re.compile(r""""(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|`[^`]*+`?""", re.DOTALL)
_NESTING = re.compile(r"[-+*/%^(<>=!]|\b(?:and|or|unless|atan2|bool)\b", re.IGNORECASE)
_SPACE = r"(?:\s|#[^\n]*\n)*+"
_NO_OFFSET = re.compile(rf"offset{_SPACE}[-+]?{_SPACE}(?:inf|nan|0x|[\d.]{{10}}|[\d.]+e)", re.IGNORECASE)
"""An offset that the parser ends the process for: an absurd number where a duration belongs."""
_CASELESS = re.compile(r"\(\?[A-Za-z]*i")
_COUNTED = re.compile(r"\{\d")
_COMPARISONS = frozenset({"==", "!=", ">", "<", ">=", "<="})
_GO_ALONE = re.compile(r"\\Q|\\[0-7]|\[[^]]*\[")
"""What patterns in Go may hold and patterns in Rust may not: `\\Q`, octal characters, a bracket in a class."""
_RENAMED = "'holt_winters'"
"""Prometheus 2's name for double_exponential_smoothing."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label, as `code=~"5.."`."""

    label: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """One selection of series; `name` is empty where only matchers say which. `text` has no range, offset or `@`."""

    name: str
    matchers: frozenset[Matcher]
    text: str


@dataclass(frozen=True, slots=True)
class Expression:
    """`type` is instant vector, range vector, scalar or string. `compares` is the comparison that is done last."""

    type: str
    selectors: tuple[Selector, ...]
    compares: str | None


@dataclass(frozen=True, slots=True)
class Unread:
    """Why there is no telling what an expression means. `sure`: Prometheus could not tell either."""

    why: str
    sure: bool = True


def cost(text: str) -> int:
    """How much work it is to read, at most, in characters of ordinary text: about 20 µs each.

    What patterns repeat is unfolded, classes of characters have thousands, and all of it twice where case is ignored.
    """
    strange = 0 if text.isascii() else sum(character > "\x7f" for character in text)
    work = len(text) + 1000 * len(_COUNTED.findall(text)) + 30 * text.count("\\") + 200 * strange
    return 20 * work if _CASELESS.search(text) else work


@lru_cache(maxsize=4096)
def read(text: str) -> Expression | Unread:
    """What the expression is, or why that cannot be said."""
    if (unfit := _unfit(text)) is not None:
        return unfit
    import promql_parser

    try:
        tree = promql_parser.parse(_TEXT.sub(_quoted, text) if "`" in text else text)
    except ValueError as error:
        return Unread(str(error), sure=_is_sure(str(error), text))
    nodes = tuple(_nodes(tree))
    if any(_kind(node) == "VectorSelector" and node.matchers.or_matchers for node in nodes):
        return Unread("`or` stands between matchers")
    selectors = tuple(_selector(node) for node in nodes if _kind(node) == "VectorSelector")
    return Expression(type=_type(tree), selectors=selectors, compares=_compares(tree))


def _quoted(found: re.Match[str]) -> str:
    """A text between backquotes as one between double quotes: the parser takes backslashes in it for escapes."""
    text = found[0]
    if text[0] != "`" or text[-1] != "`" or text == "`":
        return text
    return f'"{_escaped(text[1:-1])}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _unfit(text: str) -> Unread | None:
    """What the parser must not see."""
    bare = "" if len(text) > _LONGEST else _TEXT.sub('""', text)
    if not bare or len(_NESTING.findall(bare)) > _DEEPEST:
        return Unread("it is too long or too deep to be looked at", sure=False)
    return Unread("an offset is a duration, such as 1h") if _NO_OFFSET.search(bare) else None


def _is_sure(why: str, text: str) -> bool:
    return _RENAMED not in why and not any(map(_GO_ALONE.search, _TEXT.findall(text)))


def _kind(node: Any) -> str:  # noqa: ANN401 - the parser's nodes have no types
    return type(node).__name__


def _nodes(node: Any) -> Iterator[Any]:  # noqa: ANN401
    """The node and all below it. Parts of one kind of node are other nodes, None, or plain values."""
    yield node
    for part in ("expr", "param", "lhs", "rhs", "vector_selector"):
        inner = getattr(node, part, None)
        if hasattr(inner, "prettify"):
            yield from _nodes(inner)
    for argument in getattr(node, "args", ()):
        yield from _nodes(argument)


def _selector(node: Any) -> Selector:  # noqa: ANN401
    matchers = frozenset(Matcher(m.name, _OPERATORS[str(m.op)], m.value) for m in node.matchers.matchers)
    text = f"{node.name or ''}{{{','.join(map(_written, node.matchers.matchers))}}}"
    return Selector(name=node.name or "", matchers=matchers, text=text.removesuffix("{}") or text)


_OPERATORS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}


def _written(matcher: Any) -> str:  # noqa: ANN401
    return f'{matcher.name}{_OPERATORS[str(matcher.op)]}"{_escaped(matcher.value)}"'


_TYPES = {
    "NumberLiteral": "scalar",
    "StringLiteral": "string",
    "MatrixSelector": "range vector",
    "SubqueryExpr": "range vector",
}


def _type(node: Any) -> str:  # noqa: ANN401
    match _kind(node):
        case "Call":
            return "scalar" if str(node.func.return_type) == "ValueType.Scalar" else "instant vector"
        case "ParenExpr" | "UnaryExpr":
            return _type(node.expr)
        case "BinaryExpr":
            return "scalar" if _type(node.lhs) == _type(node.rhs) == "scalar" else "instant vector"
        case kind:
            return _TYPES.get(kind, "instant vector")


def _compares(node: Any) -> str | None:  # noqa: ANN401
    """The comparison whose outcome is the answer. `x > 0 or vector(0)` has another answer where it does not hold."""
    match _kind(node):
        case "ParenExpr" | "UnaryExpr":
            return _compares(node.expr)
        case "BinaryExpr" if str(node.op) in _COMPARISONS:
            return f"{node.op} bool" if node.modifier and node.modifier.return_bool else str(node.op)
        case "BinaryExpr" if str(node.op) in ("and", "unless"):
            return _compares(node.lhs)
        case _:
            return None


def not_plain(text: str) -> tuple[str, str]:
    """Why a text is no plain selector, and what to write instead."""
    expression = read(text) if len(_NESTING.findall(text)) <= _SIMPLE else Unread("it is an expression")
    if isinstance(expression, Unread):
        hint = "write a metric's name, with matchers in braces if need be; in YAML, put it in single quotes"
        return f"this is no selector: {shown(expression.why)[1:-1]}", hint
    only = expression.selectors[0].text if len(expression.selectors) == 1 else ""
    instead = only if 0 < len(only) <= _SHORT else "a metric's name and matchers alone"
    return f"{shown(text)} is more than a selector of series", f"write {instead}: the query is written for you"
