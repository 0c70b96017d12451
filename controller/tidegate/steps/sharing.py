"""Several models' questions to Prometheus as one: which are alike, and what each model keeps of the answer.

What models need, and when they are asked together or by themselves, is said in `shared_readings`.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from tidegate.core.dialects import Place, conditions, shared_matchers
from tidegate.core.judging.reading import Sampled, Series, Unread
from tidegate.core.workspace import MetricLabels
from tidegate.ports import Metrics

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SLOT = timedelta(hours=12)
"""Windows begin when rollouts did. Cut at multiples of this since the Unix epoch they have their pieces in common."""
_INSTANTS = 1_500
"""So many fixed instants make a slot, ten days of an error budget: Prometheus answers at most 11,000, and what one
answer holds of fifty models is less than twelve hours of raw samples do at a scrape every 15 s."""
_TOGETHER = 50
"""So many models share a query. More would save little, and what one answer holds is in memory at once."""

Key = tuple[str, timedelta | None]
"""A text that is asked for raw samples, or each so long a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """By which labels a model's series are known, and what a series of its own must show there."""

    labels: MetricLabels
    conditions: Mapping[str, str]

    @classmethod
    def of(cls, labels: MetricLabels, place: Place, versions: tuple[int, ...] | None) -> Dialect:
        return cls(labels=labels, conditions=conditions(labels, place, versions))

    def matchers(self) -> str:
        """As they stand in what the model asks by itself."""
        return ",".join(shared_matchers([self.conditions], self.labels))


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one model needs of a question over (start, end]: the text that it asks by itself, and so many `times`.

    Raw samples, or what is answered each `step`. It shares with those that are alike and have the same `kind`.
    """

    asked: str
    dialect: Dialect
    kind: object
    start: datetime
    end: datetime
    step: timedelta | None = None
    times: int = 1

    @property
    def key(self) -> Key:
        return self.asked, self.step

    @property
    def around(self) -> tuple[str, str]:
        """What is asked before and after the model's matchers."""
        before, _, after = self.asked.partition(self.dialect.matchers())
        return before, after

    def joined(self, other: Share) -> Share:
        """With what the same model needs of the same question elsewhere: as the one that reaches further back. It is
        done when it was asked to the end."""
        longer, end = min((self, other), key=lambda share: share.start), max(self.end, other.end)
        times = sum(each.times for each in (self, other) if each.end == end)
        return replace(longer, end=end, times=times)


@dataclass(frozen=True, slots=True)
class Packed:
    """A series as two rows of numbers: a tenth of what pairs of objects take."""

    labels: Mapping[str, str]
    times: array[float]
    values: array[float]

    @classmethod
    def of(cls, series: Series) -> Packed:
        times, values = (array("d", row) for row in zip(*series.samples, strict=True))
        return cls(series.labels, times, values)

    def within(self, start: datetime, end: datetime) -> Iterator[tuple[float, float]]:
        first, last = (bisect_right(self.times, edge.timestamp()) for edge in (start, end))
        return zip(self.times[first:last], self.values[first:last], strict=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Several shares in one question over (start, end]. `answers` are by slot and by the shares' own texts."""

    text: str
    shares: Sequence[Share]
    start: datetime
    end: datetime
    answers: dict[int, dict[str, list[Packed]] | Unread] = field(default_factory=dict)

    @classmethod
    def of(cls, shares: Sequence[Share]) -> Group:
        one = shares[0]
        before, after = one.around
        matchers = shared_matchers([share.dialect.conditions for share in shares], one.dialect.labels)
        start, end = min(share.start for share in shares), max(share.end for share in shares)
        return cls(text=f"{before}{','.join(matchers)}{after}", shares=shares, start=start, end=end)

    @property
    def step(self) -> timedelta | None:
        return self.shares[0].step

    @property
    def slot(self) -> timedelta:
        return SLOT if self.step is None else _INSTANTS * self.step

    def ask(self, slot: int, metrics: Metrics) -> Sampled | Unread:
        """All shares' samples of one slot."""
        begins = EPOCH + slot * self.slot
        start, end = max(begins, self.start), min(begins + self.slot, self.end)
        if self.step is None:
            return metrics.samples(self.text, start, end)
        return metrics.answers(self.text, start + self.step, end, self.step)

    def halves(self) -> Iterator[Group]:
        """The same in two questions, with the answers there are. A share alone is no group."""
        middle = len(self.shares) // 2
        for some in (self.shares[:middle], self.shares[middle:]):
            if len(some) > 1:
                half, own = Group.of(some), {share.asked for share in some}
                for slot, answer in self.answers.items():
                    kept = answer if isinstance(answer, Unread) else {of: answer[of] for of in own & answer.keys()}
                    half.answers[slot] = kept
                yield half

    def ends(self, asked: str) -> datetime:
        """Up to when one of them needs it."""
        return next(share.end for share in self.shares if share.asked == asked)

    def release(self, asked: str) -> None:
        """Forget what was handed out."""
        for answer in self.answers.values():
            if not isinstance(answer, Unread):
                answer.pop(asked, None)


def grouped(shares: Iterable[Share]) -> Iterator[Group]:
    """Alike in all but the models' labels, fifty at a time; what is asked by one alone is in none."""
    wanted: dict[object, Share] = {}
    for share in shares:
        if share.dialect.conditions and share.dialect.matchers() in share.asked:
            other = wanted.get(share.key)
            wanted[share.key] = share if other is None else other.joined(share)
    alike: dict[object, list[Share]] = {}
    for share in wanted.values():
        alike.setdefault((share.around, share.dialect.labels, share.step, share.kind), []).append(share)
    for same in alike.values():
        for first in range(0, len(same), _TOGETHER):
            some = same[first : first + _TOGETHER]
            if len(some) > 1:
                yield Group.of(some)


def dealt_out(shares: Sequence[Share], packed: Sequence[Packed]) -> dict[str, list[Packed]]:
    """To each share its own among the series of all, in their order."""
    names = {name for share in shares for name in share.dialect.conditions}
    by_value = {name: _by_value(name, packed) for name in names}
    return {share.asked: list(_own(share.dialect.conditions, packed, by_value)) for share in shares}


def _by_value(name: str, packed: Sequence[Packed]) -> dict[str, list[int]]:
    """Which of them show each value of a label."""
    found: dict[str, list[int]] = {}
    for row, each in enumerate(packed):
        found.setdefault(each.labels.get(name, ""), []).append(row)
    return found


def _own(
    conditions: Mapping[str, str], packed: Sequence[Packed], by_value: Mapping[str, Mapping[str, Sequence[int]]]
) -> Iterator[Packed]:
    """Values are few and looked at one by one; of the series only those with the values that fewest show."""
    met = {name: [v for v in by_value[name] if re.fullmatch(pattern, v)] for name, pattern in conditions.items()}
    rarest = min(met, key=lambda name: sum(len(by_value[name][value]) for value in met[name]))
    for row in sorted(row for value in met[rarest] for row in by_value[rarest][value]):
        if all(packed[row].labels.get(name, "") in values for name, values in met.items()):
            yield packed[row]


def slots(start: datetime, end: datetime, length: timedelta = SLOT) -> range:
    """The slots that hold samples of (start, end]."""
    return range((start - EPOCH) // length, -((EPOCH - end) // length))


def joined(pieces: Iterable[Packed], start: datetime, end: datetime) -> Iterator[Series]:
    """Each series once, as far as it has samples in (start, end]."""
    found: dict[frozenset[tuple[str, str]], list[tuple[float, float]]] = {}
    for piece in pieces:
        found.setdefault(frozenset(piece.labels.items()), []).extend(piece.within(start, end))
    for labels, samples in found.items():
        if samples:
            yield Series(labels=dict(labels), samples=tuple(samples))
