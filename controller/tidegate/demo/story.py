"""What the demo plays, and what must come of it: three versions, each an act with its expected transitions.

The acts only do what people do (edit, commit, approve) and run ordinary commands; the loop does the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tidegate.core.observed import Proposal, ProposalState
from tidegate.core.transition import parse_branch
from tidegate.demo.servers import until
from tidegate.demo.timeline import Archive, Happened
from tidegate.demo.workspace import APPROVER, MANIFEST, Workspace
from tidegate.errors import Refused

Tell = Callable[[str, str], None]
_ACT_SECONDS = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One change of the manifest and the transitions that it must lead to: (kind, environment, version)."""

    headline: str
    algorithm: str
    expected: tuple[tuple[str, str, int], ...]


ACTS = (
    Act(
        headline="a first version",
        algorithm="logistic",
        expected=(("promote", "staging", 1), ("promote", "production", 1)),
    ),
    Act(
        headline="a better version",
        algorithm="svm",
        expected=(
            ("promote", "staging", 2),
            ("promote", "production", 2),
            ("advance", "production", 2),
            ("finish", "production", 2),
        ),
    ),
    Act(
        headline="a version that passes its gates and is slow in production",
        algorithm="committee",
        expected=(("promote", "staging", 3), ("promote", "production", 3), ("revert", "production", 3)),
    ),
)


@dataclass
class Player:
    """Plays acts, and tells what can be seen meanwhile: each row of the timeline once."""

    workspace: Workspace
    archive: Archive
    tell: Tell
    trained: Callable[[], str | None]
    _told: set[int] = field(default_factory=set)
    _approved: set[int] = field(default_factory=set)

    def play(self, act: Act) -> None:
        """Raises Refused when what must happen does not happen in time."""
        self.begin(act)
        wanted = set(act.expected)
        if until(lambda: wanted <= self.steps(), _ACT_SECONDS):
            return
        missing = (f"{kind} {version} in {place}" for kind, place, version in wanted - self.steps())
        raise Refused(f"the demo waited {_ACT_SECONDS:.0f} s in vain for: {', '.join(sorted(missing))}")

    def begin(self, act: Act) -> None:
        """Commit the change and have it trained. Raises Refused when the training fails."""
        self.workspace.edit(MANIFEST, "spec", "training", "parameters", "algorithm", value=act.algorithm)
        commit = self.workspace.commit(f"digits: {act.headline} ({act.algorithm})")
        self.tell("commit", f"{commit[:12]}  {act.headline}: algorithm {act.algorithm}")
        said = self.workspace.command("train", "digits")
        self.tell("train", said.strip().splitlines()[0] if said.strip() else "launched")
        self._until_trained()

    def _until_trained(self) -> None:
        said: list[str] = []

        def ended() -> bool:
            words = self.trained()
            said.extend([words] if words else [])
            return bool(words)

        if not until(ended, _ACT_SECONDS):
            raise Refused(f"the training did not end within {_ACT_SECONDS:.0f} s")
        self.tell("trained", said[-1])

    def steps(self) -> set[tuple[str, str, int | None]]:
        """The transitions so far; new ones are told, and entries that ask are approved."""
        self._approve()
        rows = self.archive.happened()
        for row in rows:
            if row.proposal not in self._told:
                self._told.add(row.proposal)
                self.tell(row.kind, describe(row))
        return {row.step for row in rows}

    def _approve(self) -> None:
        for proposal in self.archive.forge.proposals():
            if proposal.number in self._approved or not _asks(proposal):
                continue
            self._approved.add(proposal.number)
            self.tell("asks", f"#{proposal.number}  {proposal.check.summary if proposal.check else ''}")
            self.workspace.command("pull", "approve", str(proposal.number), handle=APPROVER)
            self.tell("approved", f"#{proposal.number}  by {APPROVER}: tidegate pull approve {proposal.number}")


def _asks(proposal: Proposal) -> bool:
    """Whether an open proposal waits for a person."""
    branch = parse_branch(proposal.branch)
    waiting = proposal.check is not None and proposal.check.state.value == "pending"
    return proposal.state is ProposalState.OPEN and branch is not None and waiting


def describe(row: Happened) -> str:
    """One line of the timeline: where, what, by which proposal, and why."""
    return f"{row.environment}: {_change(row)}  #{row.proposal}  {'; '.join(row.reasons)}"


def _change(row: Happened) -> str:
    """What serves now: a version that stays is named once, as its weight or its name is all that changed."""
    to = str(row.to_version or "nothing")
    share = f" at {row.weight:.0%}" if row.weight is not None else ""
    if row.kind == "finish":
        return f"{to} is stable"
    if row.from_version == row.to_version:
        return f"{to}{share}"
    return f"{row.from_version or 'nothing'} → {to}{share}"
