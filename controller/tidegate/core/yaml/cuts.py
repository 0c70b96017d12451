"""Cuts in a text: where lines begin and end, and how whole lines or parts between commas are put in and taken out.

Knows nothing of YAML's meaning; `splice` proves every result by reading it again. A span is (start, end) of one entry
of a mapping or list; spans come in the order of the text.
"""

from __future__ import annotations

import re

Spans = list[tuple[int, int]]

_AFTER_DASH = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*")
_REST_OF_PART = re.compile(r"[ \t]*(,?)[ \t]*(?:#[^\r\n]*)?")


def replaced(text: str, start: int, end: int, content: str) -> str:
    return text[:start] + content + text[end:]


def line_end(text: str) -> str:
    """The line ending that the file uses, judged by its first line."""
    first = text.find("\n")
    return "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"


def start_of_line(text: str, offset: int) -> int:
    return text.rfind("\n", 0, offset) + 1


def end_of_line(text: str, offset: int) -> int:
    """The end of the line's characters, before its line ending."""
    end = text.find("\n", offset)
    if end == -1:
        return len(text)
    return end - 1 if end > offset and text[end - 1] == "\r" else end


def column(text: str, offset: int) -> int:
    """Characters before the offset on its line, not counting a byte order mark."""
    return len(text[start_of_line(text, offset) : offset].removeprefix("\ufeff"))


def stands_alone(text: str, offset: int) -> bool:
    """Whether nothing but blanks stands before the offset on its line."""
    return not text[start_of_line(text, offset) : offset].removeprefix("\ufeff").strip(" ")


def dash(text: str, start: int) -> int:
    """The offset of the dash before a list's item, which may stand some comment lines above it."""
    offset = text.rfind("-", 0, start)
    while offset > 0 and not _AFTER_DASH.fullmatch(text, offset + 1, start):
        offset = text.rfind("-", 0, offset)
    return max(offset, 0)


def indented(text: str, lines: list[str], by: int) -> str:
    """The lines with indentation, joined by the text's own line ending."""
    return line_end(text).join(" " * by + line for line in lines)


def insert_lines(text: str, spans: Spans, index: int, lines: list[str]) -> str:
    """New lines as entry `index` of a block."""
    first = spans[0][0]
    body = indented(text, lines, column(text, first))
    if index == 0 and stands_alone(text, first):
        start = start_of_line(text, first) + text.startswith("\ufeff", start_of_line(text, first))
        return replaced(text, start, start, body + line_end(text))
    if index == 0:
        return replaced(text, first, first, body.lstrip(" ") + line_end(text) + " " * column(text, first))
    end = _end_of_entry(text, spans[index - 1])
    return replaced(text, end, end, line_end(text) + body)


def cut_lines(text: str, spans: Spans, index: int) -> str:
    """Without the lines of entry `index`; it must not be the only one."""
    start, end = spans[index][0], _end_of_entry(text, spans[index])
    if not stands_alone(text, start):
        following = spans[index + 1][0]  # the first entry behind a dash: the next one takes its place
        return replaced(text, start, end if text[end:following].strip() else following, "")
    start = start_of_line(text, start)
    if end < len(text):
        return replaced(text, start, text.index("\n", end) + 1, "")
    return replaced(text, end_of_line(text, start_of_line(text, start - 1)), end, "")


def _end_of_entry(text: str, span: tuple[int, int]) -> int:
    """The end of the entry's last line, with the comment lines behind it that are indented deeper than the entry."""
    end = end_of_line(text, span[1])
    deeper = re.compile(rf"\r?\n {{{column(text, span[0]) + 1},}}#[^\r\n]*")
    while comment := deeper.match(text, end):
        end = comment.end()
    return end


def insert_in_flow(text: str, spans: Spans, index: int, content: str) -> str:
    """A new part between the brackets, on a line of its own where its neighbours have one."""
    if index < len(spans):
        start = spans[index][0]
        return replaced(text, start, start, f"{content},{_separator(text, start)}")
    start, end = spans[-1]
    rest = _REST_OF_PART.match(text, end)
    if not stands_alone(text, start) or rest is None or rest.end() != end_of_line(text, end):
        return replaced(text, end, end, f",{_separator(text, start)}{content}")
    comma = rest[1]
    behind = text[end : rest.end()]
    return replaced(text, end, rest.end(), f"{'' if comma else ','}{behind}{_separator(text, start)}{content}{comma}")


def _separator(text: str, start: int) -> str:
    if not stands_alone(text, start):
        return " "
    return line_end(text) + " " * column(text, start)


def cut_from_flow(text: str, spans: Spans, index: int) -> str:
    """Without part `index` and one comma; it must not be the only one."""
    start, end = spans[index]
    rest = _REST_OF_PART.match(text, end)
    if stands_alone(text, start) and rest is not None and rest.end() == end_of_line(text, end) < len(text):
        return replaced(text, start_of_line(text, start), text.index("\n", end) + 1, "")
    if index + 1 < len(spans):
        return replaced(text, start, spans[index + 1][0], "")
    return replaced(text, spans[index - 1][1], end, "")
