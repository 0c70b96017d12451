"""The root action: any command of the program. Its words are split as a shell would, but no shell sees them."""

from __future__ import annotations

import shlex
from itertools import pairwise

from tidegate.action.job import Job
from tidegate.action.result import Result
from tidegate.errors import WrongUse

OUTPUTS = ()


def act(job: Job) -> Result:
    try:
        words = shlex.split(job.text("command"))
    except ValueError as error:
        raise WrongUse(f"the input command cannot be split into words: {error}") from None
    done = job.annotate(words) if _annotates(words) else job.show(words)
    return Result(code=done.code, words=done.words)


def _annotates(words: list[str]) -> bool:
    return words[:1] == ["validate"] and ("--format=github" in words or ("--format", "github") in pairwise(words))
