"""`actions/train`: launches the training of main's key, or of a candidate's; nothing for a stranger (I12).

A dry run lists the models that are due, for a matrix of jobs.
"""

from __future__ import annotations

import json

from tidegate.action.job import Job
from tidegate.action.result import Result

OUTPUTS = ("models",)


def act(job: Job) -> Result:
    if job.event.foreign:
        return job.skipped("nothing is trained for a pull request from another repository")
    model = [name] if (name := job.text("model")) else []
    if job.flag("dry-run"):
        return _due(job, model)
    done = job.show(["train", *job.switch("wait"), *job.option("candidate"), "--", *model])
    return Result(code=done.code, words=done.words)


def _due(job: Job, model: list[str]) -> Result:
    done = job.run(["train", "--dry-run", "--format=json", *job.option("candidate"), "--", *model])
    if not done.stdout:
        return Result(code=done.code, words=done.words)
    told = json.loads(done.stdout)
    due = [str(one["model"]) for one in told["models"] if one["due"]]
    words = "; ".join([f"due: {', '.join(due) or 'nothing'}", *map(str, told["unreadable"])])
    job.runner.untrusted(words)
    return Result(code=done.code, outputs={"models": json.dumps(due)}, words=words)
