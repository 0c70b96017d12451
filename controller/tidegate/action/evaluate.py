"""`actions/evaluate`: a candidate beside the champion, as a summary and as one comment a model."""

from __future__ import annotations

import json

from tidegate.action.comment import keep
from tidegate.action.job import Job, Ran
from tidegate.action.result import Result
from tidegate.errors import WrongUse
from tidegate.reporters.evaluation_markdown import MARKER

OUTPUTS = ("run", "champion", "comment")


def act(job: Job) -> Result:
    if job.event.foreign:
        return job.skipped("nothing is evaluated for a pull request from another repository")
    done = _evaluate(job, "json")
    shown = _evaluate(job, "markdown") if done.stdout else done
    if not shown.stdout:
        return Result(code=shown.code, words=shown.words)
    told = json.loads(done.stdout)
    says = "; ".join(f"{gate['metric']}: {gate['words']}" for gate in told["gates"])
    job.runner.untrusted(says)
    # Jobs of one matrix write beside each other.
    body = shown.stdout.replace(MARKER, f"<!-- tidegate:evaluate {told['model']} -->", 1)
    address = keep(job, body, new=True) if job.flag("comment") else None
    outputs = {"run": str(told["run"]), "champion": str(told["champion"] or ""), "comment": address or ""}
    return Result(code=done.code, outputs=outputs, summary=shown.stdout, words=says)


def _evaluate(job: Job, form: str) -> Ran:
    model = job.text("model")
    if not model:
        raise WrongUse("the input model is empty; name the model to evaluate")
    which = [*job.option("version"), *job.option("run"), *job.option("candidate")]
    return job.run(["evaluate", f"--format={form}", *which, "--", model])
