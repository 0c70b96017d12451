"""`actions/plan`: what merging does, as a summary, as one comment, and as lists for a matrix of jobs."""

from __future__ import annotations

import json
from typing import Any

from tidegate.action.comment import keep
from tidegate.action.job import Job
from tidegate.action.result import Result
from tidegate.action.summary import run_once
from tidegate.action.validate import findings_of
from tidegate.reporters import findings_github

_FOREIGN = "no history is read for a pull request from another repository"
OUTPUTS = ("models", "changed", "trained", "findings", "comment")


def act(job: Job) -> Result:
    done, summary = run_once(job, _command(job))
    if not done.stdout:
        return Result(code=done.code, words=done.words)
    plan = json.loads(done.stdout)
    job.runner.untrusted(plan["headline"])
    address = keep(job, summary, new=_says_something(plan)) if job.flag("comment") else None
    if address is None:
        _annotate(job, plan)
    return Result(
        code=done.code,
        outputs={**_lists(plan), "comment": address or ""},
        summary=summary,
        words=plan["headline"],
        annotated=address is None and bool(plan["findings"]),
    )


def _command(job: Job) -> list[str]:
    """For a stranger no server is asked: they would choose the policy, and read what is none of their business."""
    silent = [f"--no-replay={_FOREIGN}"] if job.event.foreign else []
    options = [*job.option("base"), *job.option("head"), *job.option("allow-trainings")]
    return ["plan", *silent, *options, "--", *job.lines("models")]


def _lists(plan: dict[str, Any]) -> dict[str, str]:
    """`models` are those that are there after the merge: what a matrix of jobs can work on."""
    models = [model["name"] for model in plan["models"] if model["fate"] != "deleted"]
    return {
        "models": json.dumps(models),
        "changed": json.dumps(bool(models)),
        "trained": json.dumps(plan["trained"]),
        "findings": str(len(plan["findings"])),
    }


def _says_something(plan: dict[str, Any]) -> bool:
    return bool(plan["models"] or plan["workspace"] or plan["findings"])


def _annotate(job: Job, plan: dict[str, Any]) -> None:
    """Where the comment lists no findings, their lines show them."""
    *annotations, _ = findings_github.lines(findings_of(plan["findings"]), checked=0)
    job.runner.lines(annotations)
