"""A plan as Markdown for a comment on a pull request: one line a model, the rest folded, never too long to be posted.

All that others wrote stands in code: there nothing is a mention, a link, a table, HTML or a comment.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tidegate.core.finding import Finding
from tidegate.core.planning import details, wording
from tidegate.core.planning.effective import Effective
from tidegate.core.planning.effective import text as effective_text
from tidegate.core.planning.outline import Block, Group, Weight, groups
from tidegate.core.planning.phrase import Line, Quoted, quoted
from tidegate.core.planning.plan import Plan

MARKER = "<!-- tidegate:plan -->"
"""The first line, by which the one comment that is kept up to date is found again."""
LIMIT = 65_535
"""GitHub takes bodies of up to 65,536 characters."""
_FINDINGS, _SETTINGS, _CLIPPED = 50, 20, 300
_RUN = re.compile("`+")
_LEFT_OUT = {
    Weight.RENDERED: "rendered files",
    Weight.SETTINGS: "settings",
    Weight.BACKTEST: "past rollouts",
    Weight.WAY: "the way of new versions",
    Weight.GATES: "gates",
    Weight.TRAINING: "what the trainings depend on",
    Weight.PINS: "what edits of pin files lead to",
    Weight.FATE: "what becomes of models that go",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What there is no room for: details up to a weight, and all but so many models, settings and findings."""

    weight: int = 0
    models: int | None = None


def document(plan: Plan, limit: int = LIMIT) -> str:
    """The comment, with as much as fits: what matters least is left out first, and it says so."""
    told = groups(plan.models)
    for cut in _cuts(len(told)):
        text = _written(plan, told, cut)
        if len(text) <= limit:
            return text
    return f"{MARKER}\n{wording.headline(plan)}\n"


def effective(found: Sequence[Effective], limit: int = LIMIT) -> str:
    """Manifests with every default filled in, folded; the last ones are left out where there is no room."""
    text = f"{MARKER}\n**{len(found)} manifests with every default filled in.**\n"
    for place, one in enumerate(found):
        title = _hypertext((quoted(one.model), " (", quoted(one.path), ")"))
        body = _fenced(effective_text(one.tree, one.path).rstrip("\n"), "yaml")
        more = f"\n<details><summary>{title}</summary>\n\n{body}\n\n</details>\n"
        last = f"\nLeft out for want of room: {len(found) - place} models.\n"
        if len(text) + len(more) + len(last) > limit:
            return text + last
        text += more
    return text


def _cuts(models: int) -> Iterator[Cut]:
    yield from (Cut(weight=weight) for weight in (0, *Weight))
    while models > 1:
        models //= 2
        yield Cut(weight=max(Weight), models=models)


def _written(plan: Plan, told: Sequence[Group], cut: Cut) -> str:
    parts = [
        f"{MARKER}\n**{wording.headline(plan)}** {_marked(wording.compared(plan))}",
        _marked(wording.question(plan)) if plan.asks else "",
        _marked(wording.freeze(plan.freeze)) if plan.freeze else "",
        _findings(plan.findings, cut),
        _workspace(plan, cut),
        "\n".join(_group(group, cut) for group in told[: cut.models]),
        _left_out(told, cut),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _group(group: Group, cut: Cut) -> str:
    """One model, or several alike, folded where there is more to say than the title."""
    note = [_marked(group.note)] if group.note and cut.weight < max(Weight) else []
    blocks = note + [_block(block) for block in group.first.blocks if block.weight > cut.weight]
    if not blocks:
        return f"- {_marked(group.title)}"
    inside = "\n\n".join(blocks)
    return f"<details><summary>{_hypertext(group.title)}</summary>\n\n{inside}\n\n</details>"


def _block(block: Block) -> str:
    lines = "\n".join(f"- {_marked(line)}" for line in block.lines)
    return f"**{block.title}**\n\n{lines}" + (f"\n\n{_fenced(block.text, 'diff')}" if block.text else "")


def _findings(findings: Sequence[Finding], cut: Cut) -> str:
    if not findings:
        return ""
    kept = findings if cut.models is None else findings[: max(cut.models, _FINDINGS)]
    more = len(findings) - len(kept)
    lines = [f"- {_marked(_finding(finding))}" for finding in kept]
    return "\n".join(["**Findings**", "", *lines, *([f"- and {more} more"] if more else [])])


def _finding(finding: Finding) -> Line:
    place = quoted(f"{finding.path}:{finding.line}:{finding.column}")
    fix: Line = ("; fix: ", quoted(finding.hint, _CLIPPED)) if finding.hint else ()
    return (f"{finding.severity} ", place, " ", quoted(finding.rule), ": ", quoted(finding.message, _CLIPPED), *fix)


def _workspace(plan: Plan, cut: Cut) -> str:
    lines = list(details.workspace(plan))
    kept = lines if cut.models is None else lines[: max(cut.models, _SETTINGS)]
    more = len(lines) - len(kept)
    if not lines:
        return ""
    shown = [f"- {_marked(line)}" for line in kept]
    return "\n".join(["**Workspace**", "", *shown, *([f"- and {more} more"] if more else [])])


def _left_out(told: Sequence[Group], cut: Cut) -> str:
    """What the reader does not see, and where it is."""
    there = {block.weight for group in told for block in group.first.blocks}
    gone = [words for weight, words in _LEFT_OUT.items() if weight <= cut.weight and weight in there]
    models = sum(len(group.members) for group in told[cut.models :]) if cut.models is not None else 0
    gone += [f"{models} model{'s' if models > 1 else ''}"] if models else []
    if not gone:
        return ""
    return f"Left out for want of room: {', '.join(gone)}. `tidegate plan` in a clone shows everything."


def _marked(line: Line) -> str:
    return "".join(part if isinstance(part, str) else _code(part) for part in line)


def _hypertext(line: Line) -> str:
    """Inside `<summary>` nothing is read as Markdown."""
    return "".join(html.escape(part) if isinstance(part, str) else _tagged(part) for part in line)


def _tagged(part: Quoted) -> str:
    return f"<code>{html.escape(part.text)}</code>"


def _code(part: Quoted) -> str:
    """A code span ends at a run of backquotes as long as the one that began it."""
    text = _harmless(part.text) or "(nothing)"
    marks = "`" * _longer(text, 1)
    blank = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{marks}{blank}{text}{blank}{marks}"


def _fenced(text: str, language: str) -> str:
    fence = "`" * _longer(text, 3)
    return f"{fence}{language}\n{_harmless(text)}\n{fence}"


def _longer(text: str, least: int) -> int:
    return max([least, *(len(run) + 1 for run in _RUN.findall(text))])


def _harmless(text: str) -> str:
    """Comments of ours are found by their marker: what others wrote must not look like one."""
    return text.replace("<!--", "<!\u200b--")
