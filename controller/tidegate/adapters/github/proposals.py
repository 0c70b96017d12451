"""GitHub's JSON to the core's plain data: pull requests, reviews, comments. Parsing only; nothing is asked here.

Only pull requests from this repository's own branches named `tidegate/…` are proposals: from a fork anybody can open
one whose branch has such a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tidegate.adapters.github import marks
from tidegate.adapters.github.access import Account, Json
from tidegate.adapters.github.marks import Mark
from tidegate.core.observed import OURSELVES, Approval, Comment, Proposal, ProposalState
from tidegate.core.transition import DECIDED, parse_branch

OURS = "tidegate/"
# Between the record of a closing and the closing lies one request; both times are GitHub's own.
_CLOSES_WITHIN = timedelta(minutes=1)
_RECORDS = frozenset({"approves", "closes", "lifts"})
# By somebody, or by GitHub itself where the base was merged and deleted.
_RETARGETED = frozenset({"base_ref_changed", "automatic_base_change_succeeded"})
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A pull request as it stands: the proposal without what other requests tell, and what only GitHub has.

    `asked_by` is who asked through us, by the mark of the body; `closed_at` is as GitHub writes it.
    """

    proposal: Proposal
    asked_by: str
    node: str
    opener: str
    closed_at: str
    mergeable: bool | None = None
    state: str = ""
    armed: bool = False


def is_ours(data: Json) -> bool:
    """Whether a pull request's head is a branch of ours in this very repository."""
    return str(data["head"]["ref"]).startswith(OURS) and not is_fork(data)


def is_fork(data: Json) -> bool:
    """Whether its head lies in another repository, or in one that is gone. Names change, ids do not."""
    there = data["head"].get("repo") or {}
    return bool(there.get("id") != data["base"]["repo"]["id"])


def parse(data: Json, account: Account) -> Pull:
    """One pull request, from a list or alone (`mergeable` stands only in the latter)."""
    state = state_of(data)
    proposal = Proposal(
        number=int(data["number"]),
        branch=data["head"]["ref"],
        head=data["head"]["sha"],
        title=marks.loud(data["title"]),
        body=marks.shown(data.get("body")),
        state=state,
        author=author_of(data, account),
        created_at=instant(data["created_at"]),
        updated_at=instant(data["updated_at"]),
        base=data["base"]["ref"],
        merged_at=_instant(data.get("merged_at")),
        merge_commit=data.get("merge_commit_sha") if state is ProposalState.MERGED else None,
    )
    return Pull(
        proposal=proposal,
        asked_by=_asked_by(data, account),
        node=data["node_id"],
        opener=(data.get("user") or {}).get("login", ""),
        closed_at=data.get("closed_at") or "",
        mergeable=data.get("mergeable"),
        state=data.get("mergeable_state") or "",
        armed=bool(data.get("auto_merge")),
    )


def author_of(data: Json, account: Account) -> str:
    """Who asks for it: who opened it, or whom we opened it for.

    Whether that was a person at all the branch tells: the loop decides some kinds of transitions, verbs make others.
    Which person stands in the body, which whoever may write can edit: it is shown, and proves nothing.
    """
    asked, branch = _asked_by(data, account), parse_branch(data["head"]["ref"])
    if account.believes(data.get("user")) and branch is not None and branch.kind in DECIDED:
        return OURSELVES
    return asked if asked.startswith("@") or (asked and branch is None) else _handle(data)


def _asked_by(data: Json, account: Account) -> str:
    return str(marks.read(data.get("body"))[0].get("author", "")) if account.believes(data.get("user")) else ""


def _handle(data: Json) -> str:
    return f"@{(data.get('user') or {}).get('login', 'ghost')}"


def state_of(data: Json) -> ProposalState:
    if data.get("merged_at"):
        return ProposalState.MERGED
    return ProposalState.OPEN if data["state"] == "open" else ProposalState.CLOSED


def closed(pull: Pull, issue: Json, said: Iterable[Json], account: Account) -> Proposal:
    """A closed proposal with who closed it, and whether that very closing was lifted.

    Who closed it says GitHub; for whom we did so, our record of a moment before, a person's rather than ours. A bot of
    ours that wrote none did so by taking the branch away.
    """
    closer = issue.get("closed_by") or {}
    records = [(each, found) for each in said if (found := recorded(each, account))]
    lifted = any(found.get("lifts") == pull.closed_at for _, found in records)
    by, ours = f"@{closer['login']}" if closer else None, False
    if account.believes(closer):
        announced = [found for each, found in records if _announces(each, found, closer["login"], pull.closed_at)]
        bare: Mapping[str, Mark] = {"closes": by or "", "ours": closer.get("type") == "Bot"}
        record = min(announced, key=lambda found: found.get("ours") is True, default=bare)
        by, ours = str(record["closes"]), record.get("ours") is True
    return replace(pull.proposal, closed_by=by, closed_by_us=ours, lifted=lifted)


def _announces(comment: Json, found: Mapping[str, Mark], closer: str, closed_at: str) -> bool:
    """Whether it is a record of this very closing."""
    before = instant(closed_at) - instant(comment["created_at"])
    return "closes" in found and comment["user"]["login"] == closer and timedelta(0) <= before <= _CLOSES_WITHIN


def recorded(data: Json, account: Account) -> Mapping[str, Mark]:
    """The marks of a comment of ours that nobody has edited.

    Who may write here may edit anybody's comment, and GitHub goes on naming the first author.
    """
    if not account.believes(data.get("user")) or is_edited(data):
        return {}
    return marks.read(data.get("body"))[0]


def is_edited(data: Json) -> bool:
    return bool(data["created_at"] != data["updated_at"])


def approvals(reviews: Iterable[Json], said: Iterable[Json], opener: str, account: Account) -> Iterator[Approval]:
    """The approvals that stand: reviews and what we recorded, in the order of time.

    A person's review takes the place of all that they said before. Bots and who opened it have none.
    """
    words: list[_Word] = [
        (given.at, given.handle, given, False) for each in said if (given := _approval(each, account))
    ]
    words += [word for each in reviews if (word := _reviewed(each, opener)) is not None]
    standing: dict[str, list[Approval]] = {}
    for _, handle, approval, is_review in sorted(words, key=lambda word: word[0]):
        of_one = standing.setdefault(handle.lower(), [])
        if is_review:
            of_one.clear()
        if approval is not None:
            of_one.append(approval)
    yield from (approval for of_one in standing.values() for approval in of_one)


_Word = tuple[datetime, str, Approval | None, bool]
"""When, by whom, the approval (None: there is none any more), and whether it is a review."""


def _reviewed(review: Json, opener: str) -> _Word | None:
    user = review.get("user") or {}
    login = user.get("login", "")
    counts = review.get("state") in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")  # else it is a comment, or not sent
    if not counts or user.get("type") == "Bot" or login in ("", opener):
        return None
    at, handle, head = instant(review["submitted_at"]), f"@{login}", review.get("commit_id") or ""
    return at, handle, Approval(handle=handle, head=head, at=at) if review["state"] == "APPROVED" else None, True


def _approval(data: Json, account: Account) -> Approval | None:
    """The approval that a comment of ours records, or one of a person for themselves."""
    found, _ = marks.read(data.get("body"))
    handle = str(found.get("by", ""))
    own = handle.lower() == _handle(data).lower()
    if "approves" not in found or is_edited(data) or not (own or account.vouches(data.get("user"))):
        return None
    return Approval(handle=handle, head=str(found["approves"]), at=instant(data["created_at"]))


def retargeted(events: Iterable[Json]) -> datetime:
    """When a pull request was last given another base; NEVER where it was opened to the one that it has."""
    return max((instant(each["created_at"]) for each in events if each.get("event") in _RETARGETED), default=NEVER)


def comment(data: Json, account: Account) -> Comment | None:
    """A comment as people see it; None for a record of ours.

    Whose name stands in one of ours is believed where nobody else could have put it there.
    """
    at, text = instant(data["updated_at"]), marks.shown(data.get("body"))
    if not account.believes(data.get("user")):
        return Comment(author=_handle(data), at=at, text=text)
    found, _ = marks.read(data.get("body"))
    if _RECORDS & found.keys():
        return None
    author = str(found.get("by", "")) or _handle(data)
    if author.startswith("@") and (is_edited(data) or not account.vouches(data.get("user"))):
        author = _handle(data)
    return Comment(author=author, at=at, text=_said(author, text), marker=str(found.get("marker", "")))


def commented(author: str, text: str, marker: str) -> str:
    """A comment's body as GitHub gets it. Who speaks through us is named where people can see it."""
    mark = {"by": author, **({"marker": marker} if marker else {})}
    return marks.written(mark, f"{_preface(author)}{text}")


def _said(author: str, text: str) -> str:
    return text.removeprefix(_preface(author))


def _preface(author: str) -> str:
    return f"{author} says:\n\n" if author.startswith("@") else ""


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
