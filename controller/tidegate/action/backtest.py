"""`actions/backtest`: past rollouts replayed, as a summary, as one comment a model, and as a page for an artifact."""

from __future__ import annotations

import json
from typing import Any

from tidegate.action.comment import keep
from tidegate.action.job import Job
from tidegate.action.result import Result
from tidegate.action.summary import run_once
from tidegate.errors import WrongUse
from tidegate.reporters.backtest_markdown import MARKER

_OPTIONS = ("from", "to", "step", "policy", "compare")
OUTPUTS = ("rollouts", "differing", "page", "comment")


def act(job: Job) -> Result:
    if job.event.foreign:
        return job.skipped("no history is read for a pull request from another repository")
    done, summary = run_once(job, _command(job))
    if not done.stdout:
        return Result(code=done.code, words=done.words)
    told = json.loads(done.stdout)
    job.runner.untrusted(told["headline"])
    # Jobs of one matrix write beside each other.
    body = summary.replace(MARKER, f"<!-- tidegate:backtest {told['model']} -->", 1)
    address = keep(job, body, new=bool(told["episodes"])) if summary and job.flag("comment") else None
    outputs = {**_figures(told), "page": job.text("page"), "comment": address or ""}
    return Result(code=done.code, outputs=outputs, summary=summary, words=done.words or told["headline"])


def _command(job: Job) -> list[str]:
    model = job.text("model")
    if not model:
        raise WrongUse("the input model is empty; name the model to replay")
    page = [f"--also=html={page}"] if (page := job.text("page")) else []
    return ["backtest", *page, *(word for name in _OPTIONS for word in job.option(name)), "--", model]


def _figures(told: dict[str, Any]) -> dict[str, str]:
    """`differing` counts the rollouts that would have gone another way under any of the policies."""
    differing = sum(any(r["firstDifference"] for r in episode["replays"]) for episode in told["episodes"])
    return {"rollouts": str(len(told["episodes"])), "differing": str(differing)}
