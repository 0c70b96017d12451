"""Generated YAML documents in the many styles that people write, together with the data they mean.

Every comment is unique (`# c17`), so that a test can tell which ones an edit kept.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import strategies as st

WORDS = ("churn", "12", "true", "null", "~", "0x1", "1e3", "no", "012", "a b", "x: y", "#no", "", "é×2", "it's", '"q"')
KEYS = ("name", "steps", "a b", "on", "12", "ключ", "stable", "canary", "x", "y")
SPELLINGS = {"null": ("null", "~", "Null"), "True": ("true", "True", "TRUE"), "False": ("false", "False")}

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-20, 2000), st.sampled_from((0.5, 1e21, -3.25)), st.sampled_from(WORDS)
)
keys = st.sampled_from(KEYS)


def _collections(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4))


values = st.recursive(scalars | st.just("line one\nline two\n"), _collections, max_leaves=8)
documents = st.dictionaries(keys, values, min_size=1, max_size=6)


@dataclass
class Writer:
    """Draws one style after the other while it writes."""

    draw: Any
    comments: Any = field(default_factory=lambda: count(1))

    def chance(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def note(self) -> str:
        note: str = self.chance("", "", "", f"  # c{next(self.comments)}", f" #\tc{next(self.comments)} é")
        return note

    def scalar(self, value: Any) -> str:
        if isinstance(value, str):
            return self.string(value)
        if isinstance(value, float):
            return repr(value)
        text = "null" if value is None else str(value)
        return str(self.chance(*SPELLINGS.get(text, (text,))))

    def string(self, value: str) -> str:
        double = json.dumps(value, ensure_ascii=False)
        if value in ("churn", "a b", "no", "é×2", "it's", "on", "name", "ключ", "stable", "line"):
            return str(self.chance(value, double))
        if "\n" in value or "'" in value:
            return double
        return str(self.chance(double, f"'{value}'"))

    def flow(self, value: Any, indent: int) -> str:
        if not isinstance(value, dict | list):
            return self.scalar(value)
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        parts = [self.flow(item, indent + 2) for item in value]
        if isinstance(value, dict):
            parts = [f"{self.scalar(key)}: {self.flow(item, indent + 2)}" for key, item in value.items()]
        if parts and self.chance(True, False, False):
            return self.broad(opening, parts, closing, indent)
        pad: str = self.chance("", " ")
        comma: str = self.chance(", ", ",  ")
        return opening + pad + comma.join(parts) + (pad if parts else "") + closing

    def broad(self, opening: str, parts: list[str], closing: str, indent: int) -> str:
        """A flow collection with one part a line, perhaps with comments and a trailing comma."""
        inner = " " * (indent + 2)
        commas = [","] * (len(parts) - 1) + [self.chance("", ",")]
        lines = [f"{inner}{part}{comma}{self.note()}" for part, comma in zip(parts, commas, strict=True)]
        return "\n".join([opening + self.note(), *lines, " " * (indent + 1) + closing])

    def block(self, value: Any, indent: int) -> list[str]:
        lines: list[str] = []
        step = self.chance(1, 2, 2, 4)
        pad = " " * indent
        for item in value:
            if self.chance(True, False, False, False):
                lines += [self.chance(f"{pad}# c{next(self.comments)}", "")]
            if isinstance(value, dict):
                lines += self.entry(pad + self.scalar(item), value[item], indent, step)
            else:
                lines += self.item(pad, item, indent)
        return lines

    def entry(self, head: str, value: Any, indent: int, step: int) -> list[str]:
        if value == "line one\nline two\n" and self.chance(True, False):
            pad = " " * (indent + step)
            return [f"{head}: |{self.note()}", f"{pad}line one", f"{pad}line two"]
        if isinstance(value, dict | list) and value and self.chance(True, True, False):
            inside = indent if isinstance(value, list) and self.chance(True, False) else indent + step
            return [f"{head}:{self.note()}", *self.block(value, inside)]
        if value is None and self.chance(True, False):
            return [f"{head}:{self.note()}"]
        return [f"{head}{self.chance(':', ' :')}{self.chance(' ', '    ')}{self.flow(value, indent + 1)}{self.note()}"]

    def item(self, pad: str, value: Any, indent: int) -> list[str]:
        if isinstance(value, dict | list) and value and self.chance(True, True, False):
            gap = self.chance(1, 3)
            first, *others = self.block(value, indent + 1 + gap)
            if not first.strip().startswith("#") and first:
                return [f"{pad}-{' ' * gap}{first.lstrip(' ')}", *others]
            return [f"{pad}-{self.note()}", first, *others]
        if value is None and self.chance(True, False):
            return [f"{pad}-{self.note()}"]
        return [f"{pad}- {self.flow(value, indent + 1)}{self.note()}"]


@st.composite
def styled(draw: Any, data: Any) -> str:
    """A text that means `data`."""
    writer = Writer(draw)
    lines = writer.block(data, 0)
    if writer.chance(True, False, False):
        lines = [*writer.chance([], ["%YAML 1.2"]), f"---{writer.note()}", *lines]
    lines = [f"# c{next(writer.comments)}", *lines] if writer.chance(True, False) and lines[0] != "%YAML 1.2" else lines
    text = "\n".join(lines)
    # A literal block at the very end has no last line end without one, and then means something else.
    ends_literally = isinstance(list(data.values())[-1], dict | list | str)
    text += "\n" if ends_literally or writer.chance(True, True, False) else ""
    return str(text.replace("\n", writer.chance("\n", "\n", "\r\n")))


@st.composite
def edited(draw: Any, data: Any) -> Any:
    """Other data, mostly alike: values set, keys and items added and removed somewhere inside."""
    if isinstance(data, dict):
        return _edited_mapping(draw, data)
    if isinstance(data, list):
        return _edited_list(draw, data)
    return draw(values)


def _edited_mapping(draw: Any, data: dict[str, Any]) -> Any:
    after: dict[str, Any] = {}
    if draw(st.sampled_from((False, False, False, True))):
        after[draw(keys)] = draw(values)
    for key, value in data.items():
        fate = draw(st.sampled_from(("keep", "keep", "keep", "edit", "edit", "remove")))
        if fate != "remove":
            after[key] = draw(edited(value)) if fate == "edit" else value
        if draw(st.sampled_from((False, False, False, True))):
            after.setdefault(draw(keys), draw(values))
    return after


def _edited_list(draw: Any, data: list[Any]) -> Any:
    after = []
    for value in data:
        fate = draw(st.sampled_from(("keep", "keep", "edit", "remove", "insert")))
        if fate == "insert":
            after.append(draw(values))
        if fate != "remove":
            after.append(draw(edited(value)) if fate == "edit" else value)
    return [*after, draw(values)] if draw(st.booleans()) else after
