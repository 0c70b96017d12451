"""What the approval gate asks of GitHub: any pull request with all that may count, who is in a team, who wrote commits.

Not here: what counts, which the core decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from tidegate.adapters.github import checks, proposals
from tidegate.adapters.github.access import Json
from tidegate.adapters.github.session import Session
from tidegate.core.observed import Label, PullRequest
from tidegate.errors import Refused, WrongUse

_TRAILER = re.compile(r"^co-authored-by:.*<(?:\d+\+)?(?P<login>[^@<>]+)@users\.noreply\.", re.IGNORECASE | re.MULTILINE)


def pull_request(session: Session, number: int) -> PullRequest:
    """Any pull request. Raises WrongUse where there is none."""
    path, account = session.address.path, session.account
    data = session.find(f"{path}/pulls/{number}")
    if data is None:
        raise WrongUse(f"{session.address.full_name} has no pull request #{number}")
    reviews = session.pages(f"{path}/pulls/{number}/reviews")
    said = list(session.pages(f"{path}/issues/{number}/comments"))
    unedited = [each for each in said if not proposals.is_edited(each)]
    opener = (data.get("user") or {}).get("login", "ghost")
    return PullRequest(
        number=number,
        base=data["base"]["ref"],
        branch=data["head"]["ref"],
        head=data["head"]["sha"],
        author=f"@{opener}",
        state=proposals.state_of(data),
        fork=proposals.is_fork(data),
        approvals=tuple(proposals.approvals(reviews, said, opener, account)),
        comments=tuple(shown for each in unedited if (shown := proposals.comment(each, account)) is not None),
        labels=tuple(_labels(session, number, data)) if data.get("labels") else (),
        check=checks.read(session, data["head"]["sha"]),
    )


def _labels(session: Session, number: int, data: Json) -> Iterator[Label]:
    """The labels that are on it, each with who set it last."""
    there = {label["name"] for label in data["labels"]}
    latest: dict[str, Label] = {}
    for event in session.pages(f"{session.address.path}/issues/{number}/events"):
        name = str((event.get("label") or {}).get("name"))
        if event.get("event") == "labeled" and name in there:
            author, at = (event.get("actor") or {}).get("login", "ghost"), proposals.instant(event["created_at"])
            latest[name] = Label(name=name, author=f"@{author}", at=at)
    yield from latest.values()


def members(session: Session, team: str) -> frozenset[str]:
    """The handles of a team and of its child teams. Raises WrongUse for one that may not be read."""
    organization, _, slug = team.removeprefix("@").partition("/")
    try:
        people = list(session.pages(f"/orgs/{organization}/teams/{slug}/members"))
    except (WrongUse, Refused) as error:
        step = "correct its name, or give the App or token members: read"
        raise WrongUse(f"the team {team} cannot be read ({error}); {step}") from None
    return frozenset(f"@{person['login']}" for person in people)


def may_write(session: Session, handle: str) -> bool:
    """Whether a person may write to the repository: GitHub counts `maintain` and roles made from `write` among it."""
    login = quote(handle.removeprefix("@"), safe="")
    found = session.find(f"{session.address.path}/collaborators/{login}/permission")
    return found is not None and found["permission"] in ("write", "admin")


def authors(session: Session, commits: Sequence[str]) -> frozenset[str]:
    """The handles of who wrote these commits, as far as GitHub knows their addresses."""
    found: set[str] = set()
    for commit in commits:
        data = session.find(f"{session.address.path}/commits/{commit}") or {}
        if login := (data.get("author") or {}).get("login"):
            found.add(f"@{login}")
        message = (data.get("commit") or {}).get("message", "")
        found |= {f"@{match['login']}" for match in _TRAILER.finditer(message)}
    return frozenset(found)
