"""One age bucket of late labels: the evidence in it, the share of predictions with a label, and the gaps filled.

The labels that one version lacks are taken for what speaks for the canary: those that stable lacks for wrong ones,
those that the canary lacks for right ones. So a difference of coverage can hide a regression, and never make one up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tidegate.core.judging.age_buckets import AgeBucket
from tidegate.core.judging.verdict import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The labels of both versions that came in one step at one age, and the predictions that they can belong to."""

    number: int
    subject: Tally
    reference: Tally
    served: tuple[float, float]


class Seen:
    """What has been seen so far of one age bucket. Evidence by bet: of the subject's bad labels, of the reference's,
    and of as many bad labels more as the reference has labels."""

    def __init__(self, bucket: AgeBucket, bets: Sequence[float]) -> None:
        self.bucket, self._bets = bucket, bets
        self.subject = self.reference = Tally()
        self._served = (0.0, 0.0)
        self.steps: list[Step] = []
        self._mine, self._theirs, self._more = ([0.0] * len(bets) for _ in range(3))

    def add(self, step: Step, worse_than: float) -> None:
        """Everything of one step."""
        subject, reference = step.subject, step.reference
        self.steps.append(step)
        self.subject, self.reference = self.subject + subject, self.reference + reference
        self._served = (self._served[0] + step.served[0], self._served[1] + step.served[1])
        if not subject.total or not reference.total:
            return
        share = subject.total / (subject.total + reference.total)
        for index, bet in enumerate(self._bets):
            rest = -math.log((1 + share * (bet - 1)) / (1 + share * (worse_than - 1)))
            self._mine[index] += subject.bad * (math.log(bet / worse_than) + rest)
            self._theirs[index] += reference.bad * rest
            self._more[index] += reference.total * rest

    @property
    def coverages(self) -> tuple[float, float]:
        """The share of predictions whose label came at this age, of subject and reference."""
        mine, theirs = self._served
        return self.subject.total / mine if mine else 0.0, self.reference.total / theirs if theirs else 0.0

    def plain(self) -> list[float]:
        return [mine + theirs for mine, theirs in zip(self._mine, self._theirs, strict=True)]

    def filled(self) -> list[float]:
        """The evidence if the labels that one version lacks spoke for the canary: bad ones of stable, its own good."""
        fewer, more = self._gap()
        terms = zip(self._mine, self._theirs, self._more, strict=True)
        return [fewer * mine + theirs + more * all_bad for mine, theirs, all_bad in terms]

    def filled_tallies(self) -> tuple[Tally, Tally]:
        fewer, more = self._gap()
        subject = Tally(bad=self.subject.bad, total=self.subject.total / fewer if fewer else 0.0)
        missing = Tally(bad=self.reference.total * more, total=self.reference.total * more)
        return subject, self.reference + missing

    def _gap(self) -> tuple[float, float]:
        """What the subject's bad share shrinks to, and how many labels more the reference gets for each it has."""
        mine, theirs = self.coverages
        if mine < theirs:
            return mine / theirs, 0.0
        return 1.0, mine / theirs - 1 if theirs else 0.0
