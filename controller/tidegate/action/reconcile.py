"""`actions/reconcile`: one pass over all models, and what it did, waits for or could not do in the summary."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tidegate.action.job import Job
from tidegate.action.result import Result
from tidegate.reporters.markdown import cell

OUTPUTS = ("proposals", "merged", "failures", "incidents")

_ROWS = 500
"""Of each table, so that it fits a summary."""


def act(job: Job) -> Result:
    # A job of its own trains, with what the training needs; this one has nothing to train with.
    done = job.run(["reconcile", "--once", "--no-launch", "--format=json", *job.switch("dry-run")])
    if not done.stdout:
        return Result(code=done.code, words=done.words)
    told = json.loads(done.stdout)
    job.runner.untrusted("\n".join(_lines(told)) or "nothing to do")
    return Result(
        code=done.code,
        outputs={
            "proposals": json.dumps(sorted({one["proposal"] for one in told["done"]})),
            "merged": json.dumps(sorted({one["proposal"] for one in told["done"] if one["merged"]})),
            "failures": str(len(told["failures"])),
            "incidents": str(len(told["incidents"])),
        },
        summary=_summary(told),
        words="; ".join(_troubles(told)) or done.words,
    )


def _lines(told: dict[str, Any]) -> list[str]:
    did = [f"{'merged' if one['merged'] else 'proposed'}  {one['title']} (#{one['proposal']})" for one in told["done"]]
    waits = [f"{where}  {status}: {reason}" for where, status, reason in _decisions(told)]
    return [*did, *waits, *_troubles(told)]


def _troubles(told: dict[str, Any]) -> list[str]:
    return [str(one) for one in (*told["incidents"], *told["findings"], *told["failures"])]


def _decisions(told: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What is not as it should be; most environments are, in most passes."""
    return [
        (f"{one['model']}/{one['environment']}", str(one["status"]), str(one["reason"] or ""))
        for one in told["decisions"]
        if one["status"] != "Healthy"
    ]


def _summary(told: dict[str, Any]) -> str:
    parts = [f"### Tidegate: one pass at `{told['main'][:12]}`\n"]
    if told["done"]:
        rows = [(f"#{one['proposal']}", "merged" if one["merged"] else "open", one["title"]) for one in told["done"]]
        parts.append(_table(("proposal", "is", "what"), rows))
    if waiting := _decisions(told):
        parts.append(_table(("where", "status", "because"), waiting))
    parts += [f"- {cell(trouble)}\n" for trouble in _troubles(told)[:_ROWS]]
    return "\n".join(parts) if len(parts) > 1 else f"{parts[0]}\nNothing to do.\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    shown = [head, ["---"] * len(head), *([cell(text) for text in row] for row in rows[:_ROWS])]
    left = f"\n{len(rows) - _ROWS} more are not shown.\n" if len(rows) > _ROWS else ""
    return "".join(f"| {' | '.join(row)} |\n" for row in shown) + left
