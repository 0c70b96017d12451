"""The one comment that an action keeps up to date on a pull request, where it may and where there is one."""

from __future__ import annotations

from tidegate.action.job import Job
from tidegate.errors import TidegateError

_EVENTS = ("pull_request", "pull_request_target")


def keep(job: Job, body: str, *, new: bool) -> str | None:
    """The comment's address; None where none was written. Its first line is the marker by which it is found again.

    Without `new` only a comment that is there already is brought up to date. A comment is a service: that it cannot
    be written is a warning, never a failure. A stranger's pull request gets none: its token may not write.
    """
    from tidegate.adapters.github_comments import Comments

    event, token = job.event, job.text("token")
    if event.name not in _EVENTS or event.pull is None:
        return None
    if event.foreign or not token:
        job.runner.notice("Tidegate", "no comment is written: the job's token may not; the job summary has it all")
        return None
    comments = Comments(
        api=job.environment.get("GITHUB_API_URL", "https://api.github.com"),
        repository=job.environment.get("GITHUB_REPOSITORY", ""),
        token=token,
    )
    marker, _, _ = body.partition("\n")
    try:
        return comments.keep(event.pull, marker, body, new=new)
    except TidegateError as error:
        job.runner.warning("Tidegate", f"no comment is written: {error}")
        return None
