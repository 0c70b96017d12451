"""A plan as text for a terminal: everything, nothing folded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tidegate.core.finding import Finding
from tidegate.core.planning import details, wording
from tidegate.core.planning.effective import Effective
from tidegate.core.planning.effective import text as effective_text
from tidegate.core.planning.outline import Block, Group, groups
from tidegate.core.planning.phrase import Line, Quoted
from tidegate.core.planning.plan import Plan
from tidegate.reporters.printable import printable, uncommanded

_INDENT, _ITEM, _GUTTER = "  ", "  - ", "    | "
"""No line begins with what others wrote: GitHub obeys one that begins with `::`, blanks or not."""

_LAST_OF_FIRST_PLANE = 0xFFFF


def lines(plan: Plan) -> Iterator[str]:
    """The plan, line by line."""
    yield wording.headline(plan)
    yield plain(wording.compared(plan))
    if plan.asks:
        yield plain(wording.question(plan))
    if plan.freeze:
        yield plain(wording.freeze(plan.freeze))
    if plan.findings:
        yield from ("", "Findings", *(_ITEM + _finding(finding) for finding in plan.findings))
    if plan.workspace:
        yield from ("", "Workspace", *(_ITEM + plain(line) for line in details.workspace(plan)))
    for group in groups(plan.models):
        yield ""
        yield from _group(group)


def _group(group: Group) -> Iterator[str]:
    yield plain(group.title)
    if group.note:
        yield _INDENT + plain(group.note)
    for block in group.first.blocks:
        yield f"{_INDENT}{block.title}"
        yield from (_INDENT + line for line in _block(block))


def _block(block: Block) -> Iterator[str]:
    yield from (_ITEM + plain(line) for line in block.lines)
    yield from (_GUTTER + uncommanded(line) for line in block.text.splitlines())


def plain(line: Line) -> str:
    """The line as text; what is to be typed stands in backquotes."""
    return "".join(_part(part) for part in line)


def _part(part: str | Quoted) -> str:
    if isinstance(part, str):
        return part
    return f"`{printable(part.text)}`" if part.typed else printable(part.text)


def _finding(finding: Finding) -> str:
    return printable(" ".join(str(finding).split()))


def effective(found: Iterable[Effective]) -> str:
    """Manifests with every default filled in, as one YAML file of several documents."""
    return "---\n".join(_harmless(effective_text(one.tree, one.path)) for one in found)


def _harmless(text: str) -> str:
    """What has no glyph stands between double quotes, as all that is not plain: there YAML reads its escape back."""
    return uncommanded("".join(c if c.isprintable() or c == "\n" else _escape(c) for c in text))


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= _LAST_OF_FIRST_PLANE else f"\\U{code:08x}"
