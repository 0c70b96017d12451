"""What a backtest found, as plain data. How it comes about is `walk`'s business, how it reads `wording`'s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from tidegate.core.judging.verdict import ObjectiveVerdict, Stage
from tidegate.core.replay.episodes import Episode
from tidegate.core.transition import Kind


class State(Enum):
    """What the replay says over a span of time.

    `asked`: a transition that waits for a person. `unread`: history is missing. `unknown`: the replay has gone another
    way than what really happened, or the same way sooner, so what would have been read then nobody knows.
    """

    HELD = "held"
    NOTHING = "nothing to do"
    ASKED = "asked"
    UNREAD = "unread"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Ticks in a row of which the same is said. `cause` is the reason without its figures, `words` the first one's."""

    since: datetime
    until: datetime
    ticks: int
    state: State
    cause: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A transition: what the replay decided at an instant, or what really happened then.

    `kind` None: edited by hand. `weight` is the share that the version has after it.
    """

    at: datetime
    kind: Kind | None
    words: str
    reasons: tuple[str, ...] = ()
    weight: float | None = None
    needs_person: bool = False
    by_person: bool = False
    proposal: int | None = None
    commit: str | None = None


class Agreement(Enum):
    """How the replay compares with what really happened, from one real transition to the next.

    `person`: a person acted, which no policy decides. `unread`: history is missing, so there is no answer.
    """

    SAME = "same"
    DIFFERENT = "different"
    PERSON = "person"
    UNREAD = "unread"


_FIRST = (Agreement.DIFFERENT, Agreement.UNREAD, Agreement.PERSON)
"""What a whole episode comes to for one part of it, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """From one real transition to the next one (`happened`; None: none until the end).

    `decided` is the first transition that the replay would have made; behind it the rest of the part is unknown.
    `instead` says what it wanted where it decided nothing and something happened.
    """

    since: datetime
    until: datetime
    agreement: Agreement
    decided: Move | None = None
    asked: Move | None = None
    happened: Move | None = None
    instead: str = ""

    @property
    def differs_at(self) -> datetime | None:
        """The instant of the first decision that is not what happened."""
        if self.agreement is not Agreement.DIFFERENT:
            return None
        moves = (self.decided, self.happened, self.asked)
        return min((move.at for move in moves if move is not None), default=self.until)

    @property
    def sooner(self) -> timedelta:
        """How long before it really happened the replay decided the same."""
        if self.agreement is not Agreement.SAME or self.decided is None or self.happened is None:
            return timedelta(0)
        return max(self.happened.at - self.decided.at, timedelta(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What the judges said at an instant, for the charts. `stage` tells which tallies count on from each other."""

    at: datetime
    stage: Stage
    objectives: tuple[ObjectiveVerdict, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """One episode under one policy. `tuned`: why the policy may have been made with this episode in view; `budgets`
    are the bad shares that the judged objectives allow."""

    policy: str
    parts: tuple[Part, ...]
    spans: tuple[Span, ...]
    points: tuple[Point, ...] = ()
    budgets: Mapping[str, float] = field(default_factory=dict)
    tuned: str = ""

    @property
    def difference(self) -> Part | None:
        """The part with the first decision that differs."""
        return next((part for part in self.parts if part.agreement is Agreement.DIFFERENT), None)

    @property
    def agreement(self) -> Agreement:
        """The whole episode: one difference is one; where a part is unread, nobody can say that all was the same; nor
        is what a person did."""
        found = {part.agreement for part in self.parts}
        return next((one for one in _FIRST if one in found), Agreement.SAME)

    def unread_at_the_end(self, part: Part) -> bool:
        """Whether nobody knows what would have been decided when a part of it ended; a person may have ended it."""
        if part.agreement is not Agreement.PERSON:
            return part.agreement is Agreement.UNREAD
        return any(span.state is State.UNREAD and span.until == part.until for span in self.spans)

    @property
    def unread(self) -> str:
        """Why history is missing somewhere; empty where none is."""
        return next((span.words for span in self.spans if span.state is State.UNREAD), "")

    @property
    def ticks(self) -> int:
        """Instants of which something is known to be said."""
        return sum(span.ticks for span in self.spans if span.state is not State.UNKNOWN)

    def shares(self) -> Mapping[str, float]:
        """What held, as shares of the ticks, the greatest first."""
        held: dict[str, int] = {}
        for span in self.spans:
            if span.state is not State.UNKNOWN:
                held[span.cause] = held.get(span.cause, 0) + span.ticks
        ordered = sorted(held.items(), key=lambda pair: (-pair[1], pair[0]))
        return {cause: ticks / self.ticks for cause, ticks in ordered}


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeReport:
    """One episode: what really happened, and one replay for each policy asked for."""

    episode: Episode
    happened: tuple[Move, ...]
    replays: tuple[Replay, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """Everything that a backtest says of one model, oldest episode first.

    `cannot` are the guards that cannot be replayed. `passed_over` counts the older rollouts that were left out;
    `unreachable` says which server did not answer. `commits` are those of policies that were read from one, by name.
    """

    model: str
    since: datetime
    until: datetime
    step: timedelta
    policies: tuple[str, ...]
    episodes: tuple[EpisodeReport, ...]
    cannot: tuple[str, ...] = ()
    passed_over: int = 0
    unreachable: str = ""
    commits: Mapping[str, str] = field(default_factory=dict)

    def count(self, policy: str, agreement: Agreement) -> int:
        """How many episodes came out so under a policy."""
        replays = (replay for one in self.episodes for replay in one.replays)
        return sum(1 for replay in replays if replay.policy == policy and replay.agreement is agreement)
