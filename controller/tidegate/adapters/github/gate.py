"""What the approval gate asks of GitHub: any pull request with all that may count, who is in a team, who wrote commits.

Not here: what counts, which the core decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from tidegate.adapters.github import checks, proposals
from tidegate.adapters.github.access import Json
from tidegate.adapters.github.session import Session
from tidegate.core.observed import Approval, Label, PullRequest
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
    approvals = list(proposals.approvals(reviews, said, opener, account))
    comments = [shown for each in unedited if (shown := proposals.comment(each, account)) is not None]
    events = _events(session, number) if approvals or comments or data.get("labels") else []
    since = proposals.retargeted(events)
    return PullRequest(
        number=number,
        base=data["base"]["ref"],
        branch=data["head"]["ref"],
        head=data["head"]["sha"],
        author=f"@{opener}",
        state=proposals.state_of(data),
        fork=proposals.is_fork(data),
        approvals=tuple(each for each in approvals if each.at > since),
        comments=tuple(each for each in comments if each.at > since),
        labels=tuple(each for each in _labels(events, data) if each.at > since),
        check=checks.read(session, data["head"]["sha"]),
    )


def still_given(session: Session, number: int, approvals: Sequence[Approval]) -> tuple[Approval, ...]:
    """Those that were given since it has the base that it has: before, another diff was shown. GitHub tells seconds, so
    that what was given in the same one counts no more."""
    since = proposals.retargeted(_events(session, number)) if approvals else proposals.NEVER
    return tuple(each for each in approvals if each.at > since)


def _events(session: Session, number: int) -> list[Json]:
    return list(session.pages(f"{session.address.path}/issues/{number}/events"))


def _labels(events: Iterable[Json], data: Json) -> Iterator[Label]:
    """The labels that are on it, each with who set it last."""
    there = {label["name"] for label in data.get("labels") or ()}
    latest: dict[str, Label] = {}
    for event in events:
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
