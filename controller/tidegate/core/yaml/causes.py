"""Why a text is no YAML, in plain words: from what ruamel's parser says to what most likely happened.

The parser names the token that it could not use, which may stand lines below the slip. Each cause here looks at the
text around it; the first that fits gives the problem. Each looks at the text once at most: it may be a long one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ruamel.yaml.error import MarkedYAMLError

from tidegate.core.yaml.nodes import Problem

_LONGEST = 60
_LINES_ABOVE = 20
_QUOTE = "put the whole value in quotes"
_QUOTE_EXPRESSION = "put the whole expression in single quotes, or behind `|`"

_CONFLICT = re.compile(r"^(?:<{7} |={7}$|>{7} )", re.MULTILINE)
_ESCAPE_TOO_LARGE = re.compile(r"\\U(?!00(?:0[0-9a-fA-F]|10))[0-9a-fA-F]{8}")
_ODD_SPACES = {"\u00a0": "a no-break space", "\u200b": "a space without width", "\u3000": "a wide space"}
_ODD_SPACE = re.compile(f"[{''.join(_ODD_SPACES)}]")
_WORD = re.compile(r"[^\s,\[\]{}]*")
_TEMPLATE = re.compile(r"\$?\{\{[^\n{}]*\}\}")
_NO_SPACE = re.compile(r"\s*(?:- +)*([A-Za-z_][\w.-]*):(?![\s/])(\S.*)")
_NO_SPACE_BEHIND_DASH = re.compile(r"\s*-([^\s-].*)")
_KEY = re.compile(r"\s*(?:- +)*[^\s#'\"][^#]*?:(?:\s|$)")
_MATCHER = re.compile(r"\{\s*(?:\w+\s*(?:=~|!~|!=|=)|\})|\[\s*\d+(?:ms|[smhdwy])")
# Quoted texts and comments, in which a bracket opens nothing, and the brackets outside of them.
_BRACKETS = re.compile(
    r"(?<![^\s,\[{:])(?:\"[^\"\\]*+(?:\\[\s\S][^\"\\]*+)*+(?:\"|\Z)|'[^']*+(?:'|\Z)|#[^\n]*+)|[\[\]{}]"
)
_PRIVATE = re.compile(r"(?i)pass|secret|token|key|auth|bearer|credential")
_TURNED_ROUND = re.compile(r"%([0-9]+(?:\.[0-9]+)?)")
_CLOSED_BY = {"{": "}", "[": "]"}


@dataclass(frozen=True, slots=True)
class _Error:
    """What the parser said, at which offset, and where what it was reading there began."""

    said: str
    while_reading: str
    offset: int
    began: int
    text: str

    @property
    def here(self) -> str:
        return self.text[self.offset : self.offset + 1]

    def line(self, offset: int) -> tuple[int, str]:
        """Where the line of an offset starts, and its text."""
        start = self.text.rfind("\n", 0, offset) + 1
        end = self.text.find("\n", offset)
        return start, self.text[start : len(self.text) if end < 0 else end].rstrip("\r")


def cause(error: MarkedYAMLError, text: str) -> Problem:
    """The problem that the parser's error stands for."""
    mark, context = error.problem_mark or error.context_mark, error.context_mark or error.problem_mark
    found = _Error(
        said=f"{error.problem or error.context}".replace("\n", " "),
        while_reading=f"{error.context or ''}",
        offset=min(mark.index, len(text)) if mark else 0,
        began=min(context.index, len(text)) if context else 0,
        text=text,
    )
    return next(problem for look in _CAUSES if (problem := look(found)) is not None)


def leaked(error: Exception, text: str) -> Problem:
    """For errors that are not the parser's own: it leaks ValueError, OverflowError and others on odd input."""
    if found := _ESCAPE_TOO_LARGE.search(text):
        return _syntax(found.start(), f"there is no character {found[0]}", "write the character itself")
    return _syntax(0, f"this is not YAML 1.2 ({error})", "check escapes and directives")


def template(text: str, start: int) -> Problem | None:
    """`{{ … }}` without quotes at this place: YAML reads two mappings."""
    found = _TEMPLATE.match(text, start)
    if found is None:
        return None
    message = "without quotes, YAML reads `{{` as two mappings"
    return Problem("template-without-quotes", start, message, f'write "{_short(found[0])}", or {_QUOTE}')


def is_private(text: str, offset: int) -> bool:
    """Whether the line may hold a secret, which no message shows (I11)."""
    start, end = text.rfind("\n", 0, offset) + 1, text.find("\n", offset)
    return _PRIVATE.search(text, start, len(text) if end < 0 else end) is not None


def _syntax(offset: int, message: str, hint: str) -> Problem:
    return Problem("yaml-syntax", offset, message, hint)


def _tab(error: _Error) -> Problem | None:
    if error.here != "\t":
        return None
    return Problem("tab", error.offset, "a tab cannot indent or separate in YAML", "use spaces")


def _merge_conflict(error: _Error) -> Problem | None:
    found = _CONFLICT.search(error.text)
    if found is None:
        return None
    message = "a merge conflict was left in the file"
    return Problem("merge-conflict", found.start(), message, "keep what should stand, and remove the marked lines")


def _odd_space(error: _Error) -> Problem | None:
    """On the line at hand or the one above."""
    start, line = error.line(error.offset)
    above = error.text.rfind("\n", 0, max(start - 1, 0)) + 1
    found = _ODD_SPACE.search(error.text, above, start + len(line))
    if found is None:
        return None
    return _syntax(
        found.start(), f"{_ODD_SPACES[found[0]]} (U+{ord(found[0]):04X}) is no space to YAML", "type a space"
    )


def _open_quote(error: _Error) -> Problem | None:
    if error.while_reading != "while scanning a quoted scalar":
        return None
    return _syntax(error.began, "the quotation mark that opens here is never closed", "close it, or take it out")


def _escape(error: _Error) -> Problem | None:
    if error.while_reading != "while scanning a double-quoted scalar" or "escape" not in error.said:
        return None
    start = error.text.rfind("\\", 0, error.offset)
    escape = error.text[start : start + 2]
    return _syntax(start, f"{escape} is no escape in double quotes", f"use single quotes, or write \\{escape}")


def _indicator(error: _Error) -> Problem | None:
    """A plain text that begins with a character which means something else there."""
    anchor = error.while_reading in ("while scanning an anchor", "while scanning an alias", "while scanning a tag")
    if not anchor and "cannot start any token" not in error.said and "mapping keys are not allowed" not in error.said:
        return None
    start = error.began if anchor else error.offset
    if error.text[start - 1 : start] == "{" and error.text[start : start + 1] == "%":
        return _syntax(start - 1, "a template is no YAML before it is filled in", "validate what it is rendered to")
    word = _WORD.match(error.text, start)
    if word and (turned := _TURNED_ROUND.fullmatch(word[0])):
        return _syntax(start, "a percentage has its sign behind the number", f"write {turned[1]}%")
    shown = f'"{_short(word[0])}"' if word and len(word[0]) > 1 and not is_private(error.text, start) else "it"
    message = f"a text that begins with {error.text[start : start + 1]} needs quotes"
    return _syntax(start, message, f"write {shown} with quotes")


def _block_scalar(error: _Error) -> Problem | None:
    if error.while_reading != "while scanning a block scalar":
        return None
    message = f"{error.text[error.began : error.began + 1]} begins a text of several lines; nothing may stand behind it"
    return _syntax(error.began, message, "put the text below it, indented; or put it all in quotes")


def _missing_space(error: _Error) -> Problem | None:
    """`key:value` is a plain text, and only the next line shows that it was meant otherwise."""
    if "mapping values are not allowed" not in error.said and "could not find expected ':'" not in error.said:
        return None
    start, line = error.line(error.offset if "mapping" in error.said else error.began)
    for _ in range(_LINES_ABOVE):
        if found := _NO_SPACE.fullmatch(line):
            return _syntax(start + found.end(1), "a space is missing behind this colon", f"write `{found[1]}: …`")
        if found := _NO_SPACE_BEHIND_DASH.fullmatch(line):
            return _syntax(start + found.start(1) - 1, "a space is missing behind this dash", "write `- …`")
        if start == 0:
            return None
        start, line = error.line(start - 1)
        if _KEY.match(line):
            return None
    return None


def _second_colon(error: _Error) -> Problem | None:
    if "mapping values are not allowed" not in error.said:
        return None
    start, line = error.line(error.offset)
    if _KEY.match(line[: error.offset - start]):
        return _syntax(error.offset, "a second `: ` in one line", f"{_QUOTE}, or put what it holds on lines of its own")
    message = "this line is indented as if it belonged to the value above"
    return _syntax(error.offset, message, "indent it like the other keys; or leave the key above it without a value")


def _no_key(error: _Error) -> Problem | None:
    if "could not find expected ':'" not in error.said:
        return None
    message = "this line is neither `key: value` nor an item of a list"
    return _syntax(error.began, message, "add the colon; a text of several lines goes behind `|` and is indented")


def _in_brackets(error: _Error) -> Problem | None:
    """Inside braces and brackets a plain text ends at each of `[]{},`."""
    if not error.while_reading.startswith("while parsing a flow"):
        return None
    if error.here and error.here in "[{":
        return _bracket_in_text(error)
    began = error.began if error.began < error.offset else _last_open(error.text[: error.offset])
    opened = error.text[began : began + 1]
    closing = _CLOSED_BY.get(opened, "")
    if closing and not _is_closed(error.text, began):
        return _syntax(began, f"the {opened} that opens here is never closed", f"close it with {closing}")
    if error.while_reading == "while parsing a flow node":
        return _syntax(error.offset, "a value is missing here", "write it, or take the comma out")
    if error.here in _CLOSED_BY.values():
        return _syntax(error.offset, f"this {error.here} closes what {opened} has opened", f"close it with {closing}")
    message = f"a comma is missing before this, or a quotation mark, between {opened} and its end"
    return _syntax(error.offset, message, "put a comma between two entries, and texts in quotes")


def _bracket_in_text(error: _Error) -> Problem:
    dollar = error.text[error.offset - 1 : error.offset] == "$"
    if found := template(error.text, error.offset - dollar):
        return found
    if _MATCHER.match(error.text, error.offset):
        message = f"inside braces and brackets YAML ends a text at {error.here}: this expression is cut short"
        return Problem("promql-in-flow", error.offset, message, _QUOTE_EXPRESSION)
    message = f"inside braces and brackets a text ends at {error.here}"
    return _syntax(error.offset, message, f"{_QUOTE}; or put a comma before the {error.here}")


def _is_closed(text: str, start: int) -> bool:
    depth = 0
    for found in _BRACKETS.finditer(text, start):
        depth += (found[0] in "[{") - (found[0] in "]}")
        if depth == 0:
            return True
    return False


def _last_open(text: str) -> int:
    """Where the innermost bracket stands that is open at the end of the text; the end where none is."""
    places = [len(text)]
    for found in _BRACKETS.finditer(text):
        if found[0] in "[{":
            places.append(found.start())
        elif found[0] in "]}" and len(places) > 1:
            places.pop()
    return places[-1]


def _behind_value(error: _Error) -> Problem | None:
    """Something goes on where a block's value was complete."""
    if "<block end>" not in error.said:
        return None
    before = error.text[: error.offset].rstrip(" ")[-1:]
    if before in ("'", '"') and error.here not in ("-", "?", ""):
        message = "a text goes on behind its closing quotation mark; or one above was never closed"
        return _syntax(error.offset, message, f'{_QUOTE}: in single ones \' is written twice, in double ones " as \\"')
    if before and before in "]}" and _MATCHER.match(error.text, error.offset):
        message = "what begins with a brace is a mapping to YAML, not an expression"
        return Problem("promql-in-flow", error.offset, message, _QUOTE_EXPRESSION)
    if error.here and error.here in "]}":
        return _syntax(error.offset, f"nothing is open that this {error.here} could close", "take it out")
    return _misplaced_line(error)


def _misplaced_line(error: _Error) -> Problem:
    if error.while_reading == "while parsing a block collection":
        hint = "write `- key: value`, or indent the key less than the list"
        return _syntax(error.offset, "a key stands among the items of a list", hint)
    if error.text[error.offset : error.offset + 2] in ("- ", "-\n", "-\r"):
        hint = "indent it under the key that it belongs to"
        return _syntax(error.offset, "an item of a list stands among the keys of a mapping", hint)
    message = "this does not belong to anything above it"
    return _syntax(error.offset, message, "indent it exactly like the lines beside it")


def _unknown(error: _Error) -> Problem:
    return _syntax(error.offset, error.said, "check quotes, brackets and indentation here and just above")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


_CAUSES: tuple[Callable[[_Error], Problem | None], ...] = (
    _tab,
    _merge_conflict,
    _odd_space,
    _open_quote,
    _escape,
    _indicator,
    _block_scalar,
    _missing_space,
    _second_colon,
    _no_key,
    _in_brackets,
    _behind_value,
    _unknown,
)
