"""`actions/render`: whether the rendered files are what main's pin files want, or these files in the log."""

from __future__ import annotations

import json

from tidegate.action.job import Job
from tidegate.action.result import Outcome, Result

OUTPUTS = ("current",)


def act(job: Job) -> Result:
    model = [name] if (name := job.text("model")) else []
    done = job.show(["render", *job.switch("check"), "--", *model])
    result = Result(code=done.code, words=done.words)
    known = job.flag("check") and result.outcome is not Outcome.BROKEN
    return Result(code=done.code, words=done.words, outputs={"current": json.dumps(done.code == 0)} if known else {})
