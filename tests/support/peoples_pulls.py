"""People's pull requests on the fake GitHub: opened, reviewed, and what GitHub shows of their check."""

from __future__ import annotations

from support.gating import MODEL
from support.github.state import Pull
from support.github_hub import Hub, asked
from support.github_worlds import NAME


def proposed(hub: Hub, branch: str, text: str, path: str = MODEL, *, by: str = "alice") -> Pull:
    """A person's pull request of one file."""
    clone = hub.clone()
    clone.git("checkout", "--quiet", "-B", branch, "origin/main")
    clone.commit({path: text}, "a change")
    clone.push(f"+HEAD:refs/heads/{branch}")
    clone.git("checkout", "--quiet", "main")
    return opened(hub, branch, by=by)


def opened(hub: Hub, branch: str, *, by: str = "alice", onto: str = "main") -> Pull:
    """The pull request of a branch that is there."""
    asked(hub.github, by, "POST", "/pulls", {"title": "A change", "head": branch, "base": onto, "body": ""})
    return hub.pulls[-1]


def review(hub: Hub, login: str, number: int, event: str = "APPROVE") -> None:
    asked(hub.github, login, "POST", f"/pulls/{number}/reviews", {"event": event, "body": "as said"})


def conclusion(hub: Hub, pull: Pull) -> str | None:
    """What GitHub shows of the check at the head; `missing` where there is none."""
    runs = [run for run in hub.github.repository(NAME).checks if run.sha == pull.head_sha]
    return runs[-1].conclusion if runs else "missing"
