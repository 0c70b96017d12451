"""`actions/validate`: findings as annotations on their lines, as a table in the summary, and counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tidegate.action.job import Job
from tidegate.action.result import Result
from tidegate.core.finding import Finding, Severity
from tidegate.errors import WrongUse
from tidegate.reporters import findings_github

OUTPUTS = ("findings", "errors", "warnings")


def act(job: Job) -> Result:
    where = [*job.option("changed-since"), "--", *job.lines("paths")]
    if sarif := job.text("sarif-file"):
        _write(sarif, job.run(["validate", "--format=sarif", *where]).stdout)
    done = job.run(["validate", "--format=json", *where])
    if not done.stdout:
        return Result(code=done.code, words=done.words)
    document = json.loads(done.stdout)
    findings, checked = findings_of(document["findings"]), int(document["checked"])
    job.runner.lines(findings_github.lines(findings, checked))
    return Result(
        code=done.code,
        outputs=_counts(document["counts"]),
        summary=findings_github.summary(findings, checked),
        annotated=True,
    )


def findings_of(told: list[dict[str, Any]]) -> list[Finding]:
    """Findings as `--format json` prints them."""
    return [Finding(**{**one, "severity": Severity(one["severity"])}) for one in told]


def _counts(counts: dict[str, int]) -> dict[str, str]:
    return {
        "findings": str(sum(counts.values())),
        "errors": str(counts["error"]),
        "warnings": str(counts["warning"]),
    }


def _write(name: str, document: str) -> None:
    """Nothing for a program that had nothing to say: it says why at the next call."""
    if not document:
        return
    try:
        Path(name).write_text(document, encoding="utf-8")
    except OSError as error:
        raise WrongUse(f"the input sarif-file is {name!r}, which cannot be written: {error.strerror}") from None
