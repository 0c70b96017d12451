"""Which approvals a pull request has, and whether they are enough for a rule. Handles are compared without case."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tidegate.core.observed import Approval, PullRequest
from tidegate.core.transition import DECIDED, parse_branch
from tidegate.core.workspace import Approvals, ApprovalSource

UNLISTED = Approvals()
"""The rule of an environment for which nobody is listed: whoever may write is enough, be it only one person."""

LABEL = "tidegate/approved"
COMMAND = "/tidegate approve"
_COMMAND = re.compile(rf"^{COMMAND}(?:[ \t]+(?P<what>\S+))?[ \t]*\r?$", re.MULTILINE)
_FENCED = re.compile(
    r"^ {0,3}(?P<fence>`{3,}|~{3,}).*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*\r?$|\Z)", re.MULTILINE | re.DOTALL
)
"""A block of code in Markdown: what stands there is shown, not said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Who is who: the members of each team, teams that could not be read and why, who of those that approved may write
    to the repository (asked where a rule lists nobody), and who wrote the training change of the versions that enter
    (None: nobody can tell). Names as `folded`."""

    teams: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    writers: frozenset[str] = frozenset()
    trained_by: frozenset[str] | None = frozenset()


def approvals_of(request: PullRequest, source: ApprovalSource, *, touched: bool) -> tuple[Approval, ...]:
    """Everything that the workspace lets count, each for the head that it was given for.

    A comment or label knows no head. On an untouched branch that the loop decided it means the transition, which the
    branch names; anywhere else a comment must name the head that it approves, and a label says nothing. A person's verb
    is anywhere else: who writes its content can push another one under the same key.
    """
    found = list(request.approvals)
    branch = parse_branch(request.branch)
    means_all = not touched and not request.fork and branch is not None and branch.kind in DECIDED
    if source is not ApprovalSource.REVIEWS:
        found += _commented(request, means_all=means_all)
    if source is ApprovalSource.LABELS and means_all:
        found += [Approval(handle=x.author, head=request.head, at=x.at) for x in request.labels if x.name == LABEL]
    return tuple(found)


def _commented(request: PullRequest, *, means_all: bool) -> Iterator[Approval]:
    for comment in request.comments:
        for said in _COMMAND.finditer(_FENCED.sub("", comment.text)):
            if _names(said["what"], request, means_all=means_all):
                yield Approval(handle=comment.author, head=request.head, at=comment.at)


def _names(what: str | None, request: PullRequest, *, means_all: bool) -> bool:
    """A commit is named by its whole id: two of the same beginning are made in seconds."""
    if what is None:
        return means_all
    branch = parse_branch(request.branch)
    if means_all and branch is not None and what == branch.key:
        return True
    return what.lower() == request.head


def folded(handle: str) -> str:
    """A handle as it is compared."""
    return f"@{handle.removeprefix('@').lower()}"


def people(handles: Iterable[str], without: Iterable[str] = ()) -> frozenset[str]:
    """These handles as they are compared, less bots and those `without`."""
    persons = frozenset(map(folded, handles)).difference(map(folded, without))
    return frozenset(person for person in persons if not person.endswith("[bot]"))


def missing(rule: Approvals, approving: frozenset[str], panel: Panel) -> str | None:
    """What these people's approvals leave to be asked for, in words; None where they are enough."""
    given = approving & _people(rule, panel)
    if len(given) < rule.count:
        more = rule.count - len(given)
        words = f"{'an approval' if more == 1 else f'{more} approvals'} by {_listed(rule)}"
        return words + "".join(f" ({team} cannot be read: {why})" for team, why in sorted(_unread(rule, panel)))
    return _besides(rule, given, panel.trained_by) if rule.not_sole_author else None


def _besides(rule: Approvals, given: frozenset[str], trained_by: frozenset[str] | None) -> str | None:
    """Whom it takes besides who wrote the training change. Of two people at most one is the sole author."""
    listed = _listed(rule)
    if trained_by is None:
        second = f"a second approval by {listed}, because nobody can tell who wrote the training change"
        return second if len(given) < 2 else None
    if given <= trained_by:
        return f"an approval by somebody besides {', '.join(sorted(given))}, who wrote the training change ({listed})"
    return None


def counted(rule: Approvals, approving: frozenset[str], panel: Panel) -> tuple[str, ...]:
    """Who of these people counts."""
    return tuple(sorted(approving & _people(rule, panel)))


def _listed(rule: Approvals) -> str:
    return " or ".join(rule.handles) or "somebody who may write to the repository"


def _people(rule: Approvals, panel: Panel) -> frozenset[str]:
    """Who may approve: those whom the rule lists. Where it lists nobody, who may write, so that nothing waits for
    ever."""
    if not rule.handles:
        return panel.writers
    members = (panel.teams.get(team, frozenset()) for team in rule.teams)
    return rule.people.union(*members)


def _unread(rule: Approvals, panel: Panel) -> Iterator[tuple[str, str]]:
    return ((team, panel.unreadable[team]) for team in rule.teams if team in panel.unreadable)
