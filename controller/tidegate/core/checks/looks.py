"""Rules about YAML that means something else than it looks, and is read without complaint all the same.

Most files are read by `ordinary`, which refuses everything that could be misread (`scalars.DECEPTIVE`): they are
passed over here. Not every deceptive text is a finding. `1e-3` is a thousandth to everybody. `16:30` and `2026-12-24`
are texts here, as a freeze wants them, and reach a training program as JSON, which has no times or dates. `y` and `n`
are texts to most readers of YAML 1.1 too, and usual names of columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Data
from tidegate.core.fault import Fault, Way
from tidegate.core.finding import Severity
from tidegate.core.shown import shown
from tidegate.core.yaml.document import Document
from tidegate.core.yaml.nodes import AliasNode, MappingNode, Node, ScalarNode, SequenceNode
from tidegate.core.yaml.scalars import DECEPTIVE, Scalar

TEXT_NOT_BOOLEAN = Rule(
    id="text-not-boolean",
    severity=Severity.WARNING,
    title="A text that looks like true or false",
    why="`yes`, `no`, `on` and `off` are texts in YAML 1.2, booleans in YAML 1.1, which many readers still follow. A "
    'training program gets the text "no", which counts as true in Python. Write `true` or `false`; or quotes, if the '
    "text is meant. Where only a text is possible, such as in names and labels, this is a note.",
    bad="spec: {training: {parameters: {shuffle: no}}}",
    good="spec: {training: {parameters: {shuffle: false}}}",
)
TEXT_NOT_NUMBER = Rule(
    id="text-not-number",
    severity=Severity.WARNING,
    title="A text that looks like a number",
    why="Underscores between digits and numbers of base two are YAML 1.1. In YAML 1.2 they are texts, and a training "
    "program gets them as such. Write the number in plain digits; or quotes, if the text is meant.",
    bad="spec: {training: {parameters: {rows: 1_000_000}}}",
    good="spec: {training: {parameters: {rows: 1000000}}}",
)
NUMBER_NOT_AS_WRITTEN = Rule(
    id="number-not-as-written",
    severity=Severity.WARNING,
    title="A number that loses what was written",
    why="`012` is twelve in YAML 1.2 and ten in YAML 1.1. The zero is gone either way: a code or a postal code must "
    "stand in quotes. In `command`, also a number of base 8 or 16 reaches the program in plain digits.",
    bad="spec: {training: {parameters: {region: 012}}}",
    good='spec: {training: {parameters: {region: "012"}}}',
)
FLOAT_NOT_INTEGER = Rule(
    id="float-not-integer",
    severity=Severity.NOTE,
    title="A float that looks like a whole number",
    why="A number with an exponent is a float: `1e3` is `1000.0`. Programs that ask for a whole number, such as a "
    "count of trees, refuse it; readers of YAML 1.1 take it for a text. Write it out.",
    bad="spec: {training: {parameters: {trees: 1e3}}}",
    good="spec: {training: {parameters: {trees: 1000, learning_rate: 1e-3}}}",
)
SHARED_BY_ALIAS = Rule(
    id="shared-by-alias",
    severity=Severity.NOTE,
    title="Two entries that share a value by an alias",
    why="Whoever changes the value at its anchor changes the other entry too, and the diff does not show it. Write it "
    "twice; or use what is made for it: `spec.rollout` and the workspace's `defaults` hold for all, and environments "
    "override them key by key. In a pin file this is an error: a proposal cannot change one without the other, so that "
    "not even a revert could be made.",
    bad="spec:\n  objectives:\n    availability: {preset: http-availability, target: &most 99%}\n"
    "    latency: {histogram: predict_seconds, under: 250ms, target: *most}",
    good="spec:\n  objectives:\n    availability: {preset: http-availability, target: 99%}\n"
    "    latency: {histogram: predict_seconds, under: 250ms, target: 99%}",
)
ANCHOR_WITHOUT_VALUE = Rule(
    id="anchor-without-value",
    severity=Severity.WARNING,
    title="A text that is an empty value with an anchor",
    why="A text that begins with `&` names the value behind it. Where nothing follows the value is empty. In quotes it "
    "is the text.",
    bad="spec: {training: {parameters: {separator: &&}}}",
    good='spec: {training: {parameters: {separator: "&&"}}}',
)
TAB_LIKE_SPACES = Rule(
    id="tab-like-spaces",
    severity=Severity.NOTE,
    title="A tab that looks like spaces",
    why="Between two values in brackets YAML takes a tab for a space, some readers do not. Inside quotes it is part of "
    "the text: write `\\t` in double quotes, so that it can be seen.",
    bad='spec: {training: {parameters: {separator: "\t"}}}',
    good='spec: {training: {parameters: {separator: "\\t"}}}',
)
INVISIBLE_CHARACTER = Rule(
    id="invisible-character",
    severity=Severity.WARNING,
    title="A character that is not shown, or changes what is shown",
    why="Some characters of Unicode turn the direction of the text around them, others have no width. A reviewer sees "
    "another file than the one that is merged (CVE-2021-42574). In double quotes they can be written as escapes.",
    bad="metadata: {name: churn, labels: {team: gro\u200bwth}}",
    good="metadata: {name: churn, labels: {team: growth}}",
)
OTHER_YAML_VERSION = Rule(
    id="other-yaml-version",
    severity=Severity.WARNING,
    title="A directive for another version of YAML",
    why="All files are read as YAML 1.2, whatever their first line says: one text must not mean two things. Take the "
    "directive out, and write `true` for `yes`.",
    bad="%YAML 1.1\n---\napiVersion: tidegate.dev/v1alpha1\nkind: Model\nmetadata: {name: churn}",
    good="metadata: {name: churn}",
)

RULES = (
    TEXT_NOT_BOOLEAN,
    TEXT_NOT_NUMBER,
    NUMBER_NOT_AS_WRITTEN,
    FLOAT_NOT_INTEGER,
    SHARED_BY_ALIAS,
    ANCHOR_WITHOUT_VALUE,
    TAB_LIKE_SPACES,
    INVISIBLE_CHARACTER,
    OTHER_YAML_VERSION,
)

_WORDS = {"yes": "true", "on": "true", "no": "false", "off": "false"}
_LEADING_ZERO = re.compile(r"[-+]?0+([0-9]+)")
_NUMBER_OF_1_1 = re.compile(r"[-+]?[0-9][0-9_.]*|0[bBoOxX][0-9a-fA-F_]+")
_DIRECTIVE = re.compile(r"\ufeff?%YAML[ \t]+(?!1\.2\b)")
_EXACT = 2**53
_BLANKS = frozenset(" \t")
_QUOTES = frozenset("'\"")
# The controls of Unicode Standard Annex 9 that embed, override and isolate, and what has no width. Marks and joiners
# are left: right-to-left scripts and emoji need them.
_INVISIBLE = re.compile("[\u202a-\u202e\u2066-\u2069\u200b\u2060\u00ad]")

_PARAMETERS: Way = ("spec", "training", "parameters")
_COMMAND: Way = ("spec", "training", "command")


class _Subject(Protocol):
    @property
    def document(self) -> Document: ...
    @property
    def data(self) -> Data: ...


def looks_as_it_means(subject: _Subject) -> Iterator[Fault]:
    """Everything in the file that people, or readers of YAML 1.1, take for something else."""
    document = subject.document
    if not document.text.isascii() and (found := _INVISIBLE.search(document.text)):
        yield _invisible(found)
    if not document.ordinary:
        yield from _Walk(document).all(subject.data)


def _invisible(found: re.Match[str]) -> Fault:
    message = f"the character U+{ord(found[0]):04X} cannot be seen here"
    fault = INVISIBLE_CHARACTER.at((), message, "take it out, or write it as an escape in double quotes")
    return replace(fault, offset=found.start())


@dataclass(frozen=True, slots=True)
class _Walk:
    """One walk through a document in the order of its text."""

    document: Document
    anchors: dict[int, Way] = field(default_factory=dict)

    def all(self, data: Data) -> Iterator[Fault]:
        if _DIRECTIVE.match(self.document.text):
            message = "the directive changes nothing: this is read as YAML 1.2"
            yield replace(OTHER_YAML_VERSION.at((), message, "take the directive out"), offset=0)
        yield from self._node(self.document.root, data, ())

    def _node(self, node: Node | None, data: Any, way: Way) -> Iterator[Fault]:  # noqa: ANN401 - data of a YAML file
        """Only where `data` has what the node says: the rest has findings already."""
        if isinstance(node, AliasNode):
            yield from self._alias(node, way)
            return
        if node is not None and node.anchor:
            self.anchors[id(node)] = way
        if isinstance(node, MappingNode) and isinstance(data, dict):
            for key, entry in node.entries.items():
                if key in data:
                    yield from self._key(entry.key, (*way, key))
                    yield from self._node(entry.value, data[key], (*way, key))
        elif isinstance(node, SequenceNode) and isinstance(data, list):
            for index, (item, inner) in enumerate(zip(node.items, data, strict=False)):
                yield from self._node(item, inner, (*way, index))
        elif isinstance(node, ScalarNode):
            yield from self._scalar(node, way)

    def _key(self, key: ScalarNode, way: Way) -> Iterator[Fault]:
        if not key.style and str(key.value).lower() in _WORDS:
            yield replace(_word(str(key.value), way), on_key=True, severity=Severity.NOTE)
        if self._has_tab(key):
            yield replace(_tab(way), on_key=True)

    def _scalar(self, node: ScalarNode, way: Way) -> Iterator[Fault]:
        written = self.document.text[node.start : node.end]
        if node.anchor and node.value is None and written.strip() in ("", f"&{node.anchor}"):
            message = f"&{node.anchor} is an anchor of nothing: the value is empty"
            yield ANCHOR_WITHOUT_VALUE.at(way, message, f'write "&{node.anchor}" if the text is meant')
        elif not node.style and DECEPTIVE.fullmatch(written):
            yield from _deceptive(written, node.value, way)
        if self._has_tab(node):
            yield _tab(way)

    def _has_tab(self, node: ScalarNode) -> bool:
        """In front of it, or in its quotes. A block of text may hold tabs."""
        text = self.document.text
        if "\t" not in text:
            return False
        before = node.start
        while text[before - 1 : before] in _BLANKS:
            before -= 1
        inside = node.style in _QUOTES and "\t" in text[node.start : node.end]
        return inside or "\t" in text[before : node.start]

    def _alias(self, alias: AliasNode, way: Way) -> Iterator[Fault]:
        there = self.anchors.get(id(alias.target))
        if there is not None and _entry(there) == _entry(way):
            return
        line = self.document.at(alias.target.start).line
        message = f"{self.document.text[alias.start : alias.end]} repeats what stands in line {line}"
        fault = SHARED_BY_ALIAS.at(way, f"{message}: a change there changes this too", "write it out")
        pinned = self.document.data.get("kind") in ("Pin", "DataLock")
        yield replace(fault, severity=Severity.ERROR) if pinned else fault


def _entry(way: Way) -> Way:
    """What a person changes at a time: one objective, gate, environment, preset or key."""
    return way[:3] if way[:1] == ("spec",) else way[:2]


def _is_free(way: Way) -> bool:
    """Whether the schema takes any kind of value here."""
    return way[:3] == _PARAMETERS or "options" in way


def _deceptive(written: str, value: Scalar, way: Way) -> Iterator[Fault]:
    """What a plain text means that looks like something else; nothing where it means what everybody expects."""
    if written.lower() in _WORDS:
        fault = _word(written, way)
        yield fault if _is_free(way) else replace(fault, severity=Severity.NOTE)
    elif isinstance(value, str):
        if _is_free(way) and _NUMBER_OF_1_1.fullmatch(written):
            hint = f'write {written.replace("_", "")}, or "{written}"' if "_" in written else "write it in plain digits"
            yield TEXT_NOT_NUMBER.at(way, f"{written} is a text here, not a number", hint)
    elif isinstance(value, int):
        yield from _whole_number(written, value, way)
    elif isinstance(value, float) and value.is_integer():
        hint = f"write {int(value)} where a whole number is meant" if abs(value) < _EXACT else "write it out"
        yield FLOAT_NOT_INTEGER.at(way, f"{written} is the float {value}, not a whole number", hint)


def _word(written: str, way: Way) -> Fault:
    hint = f'write {_WORDS[written.lower()]}, or "{written}" if the text is meant'
    return TEXT_NOT_BOOLEAN.at(
        way, f"{written} is the text {shown(written)} here, and a boolean to other readers", hint
    )


def _whole_number(written: str, value: int, way: Way) -> Iterator[Fault]:
    zeros = _LEADING_ZERO.fullmatch(written)
    if zeros:
        hint = f'write {value}; or "{written}" to keep the zero'
        yield NUMBER_NOT_AS_WRITTEN.at(way, f"{written} is the number {value} here, and other readers differ", hint)
    elif way[:3] == _COMMAND:
        message = f"the program gets {value}, not {written}"
        yield NUMBER_NOT_AS_WRITTEN.at(way, message, f'write "{written}", with the quotes')


def _tab(way: Way) -> Fault:
    return TAB_LIKE_SPACES.at(way, "a tab that looks like spaces", "use spaces; in double quotes write \\t")
