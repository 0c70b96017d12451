"""`actions/approve`: the required check of a pull request, and what it still waits for."""

from __future__ import annotations

import json

from tidegate.action.job import Job
from tidegate.action.result import Result
from tidegate.errors import FINE
from tidegate.reporters.markdown import cell

OUTPUTS = ("number", "state")


def act(job: Job) -> Result:
    number = job.text("number")
    which = ["--", number] if number else ["--event"]
    done = job.run(["approve", "--format=json", *job.switch("dry-run"), *which])
    if not done.stdout:
        return Result(code=done.code, words=done.words or "there is nothing to check", skipped=done.code == FINE)
    told = json.loads(done.stdout)
    check = told["check"] or {"state": "", "summary": told["why"]}
    words = f"#{told['number']} {check['state'] or 'has no check'}: {check['summary']}"
    job.runner.untrusted(words)
    return Result(
        code=done.code,
        outputs={"number": str(told["number"]), "state": str(check["state"])},
        summary=f"### Tidegate: {cell(words)}\n",
        words=words,
    )
