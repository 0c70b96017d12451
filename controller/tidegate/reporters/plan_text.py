"""A plan as text for a terminal: everything, nothing folded."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.core.finding import Finding
from tidegate.core.planning import details, wording
from tidegate.core.planning.outline import Block, Group, groups
from tidegate.core.planning.phrase import Line, Quoted, visible
from tidegate.core.planning.plan import Plan

_INDENT = "  "


def lines(plan: Plan) -> Iterator[str]:
    """The plan, line by line."""
    yield wording.headline(plan)
    yield f"Compared with {plan.base[:12]}."
    if plan.asks:
        yield plain(wording.question(plan))
    if plan.freeze:
        yield plain(wording.freeze(plan.freeze))
    if plan.findings:
        yield from ("", "Findings", *(_INDENT + _finding(finding) for finding in plan.findings))
    if plan.workspace:
        yield from ("", "Workspace", *(_INDENT + plain(line) for line in details.workspace(plan)))
    for group in groups(plan.models):
        yield ""
        yield from _group(group)


def _group(group: Group) -> Iterator[str]:
    yield plain(group.title)
    if group.note:
        yield _INDENT + plain(group.note)
    for block in group.first.blocks:
        yield f"{_INDENT}{block.title}"
        yield from (2 * _INDENT + line for line in _block(block))


def _block(block: Block) -> Iterator[str]:
    yield from map(plain, block.lines)
    yield from block.text.splitlines()


def plain(line: Line) -> str:
    """The line as text; what is to be typed stands in backquotes."""
    return "".join(_part(part) for part in line)


def _part(part: str | Quoted) -> str:
    if isinstance(part, str):
        return part
    return f"`{part.text}`" if part.typed else part.text


def _finding(finding: Finding) -> str:
    return visible(" ".join(str(finding).split()))
