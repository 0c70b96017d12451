"""`actions/backtest`: past rollouts replayed, as a summary, as one comment a model, and as a page for an artifact."""

from __future__ import annotations

import json
from typing import Any

from tidegate.action.comment import keep
from tidegate.action.job import Job, Ran
from tidegate.action.result import Result
from tidegate.errors import WrongUse
from tidegate.reporters.backtest_markdown import MARKER

_OPTIONS = ("from", "to", "step", "policy", "compare")
OUTPUTS = ("rollouts", "differing", "page", "comment")


def act(job: Job) -> Result:
    if job.event.foreign:
        return job.skipped("no history is read for a pull request from another repository")
    done = _backtest(job, "json")
    shown = _backtest(job, "markdown") if done.stdout else done
    if not shown.stdout:
        return Result(code=shown.code, words=shown.words)
    told = json.loads(done.stdout)
    job.runner.untrusted(told["headline"])
    page = job.text("page")
    code = (_backtest(job, "html", f"--output={page}").code if page else 0) or done.code or shown.code
    # Jobs of one matrix write beside each other.
    body = shown.stdout.replace(MARKER, f"<!-- tidegate:backtest {told['model']} -->", 1)
    address = keep(job, body, new=bool(told["episodes"])) if job.flag("comment") else None
    outputs = {**_figures(told), "page": page, "comment": address or ""}
    return Result(code=code, outputs=outputs, summary=shown.stdout, words=told["headline"])


def _backtest(job: Job, form: str, *more: str) -> Ran:
    model = job.text("model")
    if not model:
        raise WrongUse("the input model is empty; name the model to replay")
    options = [word for name in _OPTIONS for word in job.option(name)]
    return job.run(["backtest", f"--format={form}", *more, *options, "--", model])


def _figures(told: dict[str, Any]) -> dict[str, str]:
    """`differing` counts the rollouts that would have gone another way under any of the policies."""
    differing = sum(any(r["firstDifference"] for r in episode["replays"]) for episode in told["episodes"])
    return {"rollouts": str(len(told["episodes"])), "differing": str(differing)}
