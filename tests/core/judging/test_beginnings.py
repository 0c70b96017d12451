"""What new series are counted from: kinds of event that are new, counters under other labels, targets nobody knew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from support.counters import AVAILABILITY, CANARY, SINCE, STABLE, at, canary_question, moment
from tidegate.core.judging.beginnings import Beginning, Beginnings, SteppedBeginnings
from tidegate.core.judging.judgement import judge
from tidegate.core.judging.reading import Sampled, Series, Unread
from tidegate.core.judging.tracking import Follower
from tidegate.core.judging.verdict import Comparison, Counters, ObjectiveReadings

Labels = Mapping[str, str]
Relabel = Callable[[Labels], Labels]

TARGET = {"job": "serving", "instance": "pod:80"}
OURS = {**TARGET, "version": str(CANARY)}
THEN = 5
"""The scrape by which the last series of these cases begins."""


def series(name: str, labels: Labels, values: Sequence[float], first: int = 0) -> Series:
    samples = tuple((at(first + index), float(value)) for index, value in enumerate(values))
    return Series(labels={"__name__": name, **labels}, samples=samples)


def reading(*found: Series) -> Sampled:
    return Sampled(series=found, start=SINCE, end=SINCE)


def up(first: int = 0, last: int = 20, value: float = 1, **labels: str) -> Series:
    return series("up", {**TARGET, **labels}, [value] * (last - first + 1), first)


def errors(values: Sequence[float], first: int = 0, **labels: str) -> Series:
    return series("errors_total", {**OURS, **labels}, values, first)


def requests(values: Sequence[float], first: int = 0, **labels: str) -> Series:
    return series("requests_total", {**OURS, **labels}, values, first)


NEW = errors([30] * 5, THEN, code="500")
OLD = errors([20] * THEN, code="500")
ADDED = errors([30] * 5, THEN, code="500", zone="a")
MOVED = errors([30] * 5, THEN, code="500", zone="b")
GOING_ON = requests([1000] * 20)
UP = up()


@pytest.mark.parametrize(
    ("found", "ups", "expected"),
    [
        pytest.param([NEW], [], None, id="a-target-nobody-knew"),
        pytest.param([NEW], [UP], 0, id="a-first-event-of-a-target-that-was-up"),
        pytest.param([NEW], [up(THEN)], None, id="a-target-that-comes-up-with-it"),
        pytest.param([NEW], [up(last=THEN - 1, value=0), up(THEN)], None, id="a-target-that-was-down"),
        pytest.param([NEW, GOING_ON], [], 0, id="a-first-event-beside-a-series-that-goes-on"),
        pytest.param([NEW, GOING_ON, errors([7] * 20, code="404")], [UP], 0, id="a-kind-beside-another"),
        pytest.param(
            [NEW, errors([7] * THEN, code="404"), errors([9] * 20)], [UP], 0, id="another-kind-ends-by-itself"
        ),
        pytest.param([NEW, errors([7] * (THEN - 1), code="404")], [UP], 0, id="another-kind-ended-before"),
        pytest.param([ADDED, OLD], [UP], 20, id="a-label-added-to-the-metric"),
        pytest.param([NEW, errors([20] * THEN, code="500", zone="a")], [UP], 20, id="a-label-taken-from-the-metric"),
        pytest.param([MOVED, errors([20] * THEN, code="500", zone="a")], [UP], 20, id="another-value-of-a-label"),
        pytest.param([ADDED, OLD, errors([9] * 20, code="404")], [UP], 20, id="a-label-added-to-some-of-the-metric"),
        pytest.param([ADDED, OLD, GOING_ON], [], 20, id="a-label-added-to-one-metric-and-no-up"),
        pytest.param([ADDED, OLD], [], None, id="all-labels-changed-and-no-up"),
        pytest.param([ADDED, OLD], [up(last=THEN - 1), up(THEN, zone="a")], None, id="a-label-added-to-the-target"),
        pytest.param(
            [NEW, errors([20] * THEN, code="500", zone="a")],
            [up(last=THEN - 1, zone="a"), up(THEN)],
            None,
            id="a-label-taken-from-the-target",
        ),
        pytest.param(
            [MOVED, errors([20] * (THEN + 3), code="500", zone="a")],
            [up(last=THEN + 3, zone="a"), up(THEN, zone="b")],
            None,
            id="two-servers-scrape-it-for-a-while",
        ),
        pytest.param(
            [MOVED, errors([9] * 20, code="404", zone="a"), errors([9] * 20, code="404", zone="b")],
            [up(zone="a"), up(zone="b")],
            0,
            id="two-servers-scrape-it-all-along",
        ),
        pytest.param([ADDED, errors([40] * THEN, code="500")], [UP], 0, id="it-showed-more-before"),
        pytest.param([ADDED, OLD, requests([1000] * THEN + [3] * 9)], [UP], 0, id="its-process-was-started-again"),
        pytest.param([replace(ADDED, labels={**ADDED.labels, "version": "11"}), OLD], [UP], 0, id="of-another-version"),
        pytest.param(
            [errors([30] * 5, THEN, le="1.0"), errors([20] * THEN, le="1"), errors([9] * 20, le="2")],
            [UP],
            20,
            id="a-bound-that-a-newer-server-writes-otherwise",
        ),
        pytest.param(
            [
                ADDED,
                errors([31] * 5, THEN, code="404", zone="a"),
                OLD,
                errors([19] * THEN, code="404"),
            ],
            [UP],
            20,
            id="each-goes-on-from-the-one-most-like-it",
        ),
        pytest.param(
            [MOVED, errors([30] * 5, THEN, code="404", zone="b"), errors([20] * THEN, code="404", zone="a")],
            [UP],
            0,
            id="one-goes-on-in-one-only",
        ),
    ],
)
def test_where_the_first_one_begins(found: list[Series], ups: list[Series], expected: float | None) -> None:
    began = Beginnings([reading(*found)], reading(*ups), "version").of(found[0])
    assert began == (None if expected is None else Beginning(value=expected, known=at(THEN)))


def test_without_an_instance_nothing_is_known() -> None:
    bare = [replace(each, labels={"__name__": "errors_total", "version": "12"}) for each in (NEW, OLD)]
    assert Beginnings([reading(*bare)], None, "version").of(bare[0]) is None


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param([NEW], None, id="a-target-nobody-knew"),
        pytest.param([NEW, GOING_ON], (0, THEN), id="a-first-event"),
        pytest.param([NEW, GOING_ON, errors([7] * 20, code="404")], (0, THEN + 1), id="not-told-apart-for-a-step"),
        pytest.param([NEW, GOING_ON, errors([70] * 20, code="404")], (0, THEN), id="told-apart-by-what-it-shows"),
        pytest.param([ADDED, GOING_ON, OLD], (20, THEN + 1), id="a-label-added-at-the-end-of-a-step"),
        pytest.param(
            [ADDED, GOING_ON, errors([20] * THEN + [25], code="500")], (25, THEN + 1), id="a-label-added-within-a-step"
        ),
        pytest.param([ADDED, requests([99] * THEN), requests([99] * 9, THEN, zone="a"), OLD], None, id="a-new-target"),
        pytest.param([replace(NEW, labels={**NEW.labels, "job": "other"}), OLD], None, id="a-job-of-another-name"),
        pytest.param([errors([30], THEN, code="500"), errors([7] * 6, code="404")], None, id="not-known-yet"),
    ],
)
def test_where_the_first_one_begins_by_steps(found: list[Series], expected: tuple[float, int] | None) -> None:
    began = SteppedBeginnings([reading(*found)], "version").of(found[0])
    assert began == (None if expected is None else Beginning(value=expected[0], known=at(expected[1])))


def added(labels: Labels) -> Labels:
    return {**labels, "zone": "a"}


def renamed(labels: Labels) -> Labels:
    return {"method" if name == "verb" else name: value for name, value in labels.items()}


def rewritten(labels: Labels) -> Labels:
    return {name: "post" if name == "verb" else value for name, value in labels.items()}


@dataclass(frozen=True, kw_only=True)
class World:
    """Counters of one process, by code: what each adds at each scrape; it shows up with its first event. From one
    scrape on all labels are others."""

    codes: Mapping[str, Sequence[int]]
    changes: int
    relabel: Relabel
    scrapes: int = 24

    def found(self, until: int, *, relabelled: bool = True) -> Sampled:
        series = (each for code, added in self.codes.items() for each in self._series(code, added, until, relabelled))
        return reading(*(each for each in series if each.samples))

    def _series(self, code: str, grown: Sequence[int], until: int, relabelled: bool) -> Sequence[Series]:
        samples = [(at(n), float(v)) for n, v in enumerate(accumulate(grown)) if n <= until and v]
        labels = {"__name__": "errors_total", **OURS, "code": code, "verb": "POST"}
        if not relabelled:
            return [Series(labels=labels, samples=tuple(samples))]
        before = tuple(each for each in samples if each[0] < at(self.changes))
        after = tuple(each for each in samples if each[0] >= at(self.changes))
        return [Series(labels=labels, samples=before), Series(labels=self.relabel(labels), samples=after)]

    def counted(self, until: int, *, relabelled: bool = True, target_too: bool = False) -> dict[float, float]:
        """How many events in each scrape, as tracked up to one."""
        bad = self.found(until, relabelled=relabelled)
        ups = [up(last=until)]
        if target_too:
            ups = [
                up(last=min(self.changes - 1, until)),
                *([up(self.changes, until, zone="a")] if until >= self.changes else []),
            ]
        asked = Counters(
            now=moment(until),
            objectives={AVAILABILITY.name: ObjectiveReadings(bad=bad, total=reading())},
            up=reading(*ups),
        )
        tracked = Follower(asked, "version", [CANARY]).follow(AVAILABILITY)
        assert not isinstance(tracked, Unread)
        found: dict[float, float] = {}
        for track in tracked.counted[CANARY]:
            for when, by in track.increments:
                found[when] = found.get(when, 0.0) + by
        return {when: by for when, by in found.items() if by}


grown = st.lists(st.sampled_from([0, 0, 1, 3, 50]), min_size=24, max_size=24)
worlds = st.builds(
    World,
    codes=st.fixed_dictionaries({"500": grown, "503": grown, "404": grown}),
    changes=st.integers(1, 23),
    relabel=st.sampled_from([added, renamed, rewritten]),
)


def began_by(world: World) -> Mapping[str, int]:
    """The scrape by which each code showed up."""
    return {code: next((n for n, by in enumerate(added) if by), 99) for code, added in world.codes.items()}


@given(worlds)
def test_whatever_relabels_metrics_every_event_counts_once(world: World) -> None:
    """But for a kind of event that shows up for the first time in that very scrape: it may be taken for one that
    ended."""
    assume(world.changes not in began_by(world).values())
    assert world.counted(24) == world.counted(24, relabelled=False)


@given(worlds)
def test_whatever_relabels_targets_no_event_counts_twice(world: World) -> None:
    whole = world.counted(24, relabelled=False)
    found = replace(world, relabel=added).counted(24, target_too=True)
    assert found == {when: by for when, by in whole.items() if when != at(world.changes)}


def relabelled(found: Series, scrape: int, **labels: str) -> list[Series]:
    """The series up to a scrape, and what it is from then on."""
    before = replace(found, samples=tuple(each for each in found.samples if each[0] < at(scrape)))
    after = tuple(each for each in found.samples if each[0] >= at(scrape))
    return [before, Series(labels={**found.labels, **labels}, samples=after)]


@pytest.mark.parametrize("target_too", [True, False])
def test_a_label_that_is_added_reverts_nobody(target_too: bool) -> None:
    """Stable ran for weeks, at a fifth of the errors that both make today."""
    found: dict[str, list[Series]] = {"errors_total": [], "requests_total": [], "up": []}
    for version, first, began in ((STABLE, -8, 50_000_000.0), (CANARY, 0, 0.0)):
        by = 10 if version == CANARY else 90
        target = {"job": "serving", "instance": f"pod-{version}:80"}
        for name, values in (
            ("errors_total", [began / 500 + by / 100 * n for n in range(240 - first)]),
            ("requests_total", [began + by * n for n in range(240 - first)]),
            ("up", [1.0] * (240 - first)),
        ):
            labels = target if name == "up" else {**target, "version": str(version)}
            whole = series(name, labels, values, first)
            found[name] += [whole] if name == "up" and not target_too else relabelled(whole, 150, zone="a")
    read = ObjectiveReadings(bad=reading(*found["errors_total"]), total=reading(*found["requests_total"]))
    asked = Counters(now=moment(239), objectives={AVAILABILITY.name: read}, up=reading(*found["up"]))
    verdict = judge(canary_question(dispersion=2.0), asked).objectives[0]
    assert verdict.comparison is not Comparison.WORSE
    assert verdict.subject.total == 10 * (232 - target_too)


@given(worlds, st.integers(0, 24), st.booleans())
def test_I9_later_samples_change_no_increment(world: World, look: int, target_too: bool) -> None:
    seen = world.counted(look, target_too=target_too)
    assert seen == {when: by for when, by in world.counted(24, target_too=target_too).items() if when <= at(look)}


@given(worlds, st.integers(0, 24), st.integers(0, 1))
def test_I9_later_steps_change_no_increment(world: World, look: int, within: int) -> None:
    """With the last sample of what ended within a step beside what took its place, or without."""

    def counted(until: int) -> dict[float, float]:
        found: dict[float, float] = {}
        read = reading(*_overlapping(world, until, within), requests(range(until + 1)))
        beginnings = SteppedBeginnings([read], "version")
        for each in read.series:
            if (began := beginnings.of(each)) is not None:
                found[began.known] = found.get(began.known, 0.0) + each.samples[0][1] - began.value
        return found

    assert counted(look) == {when: by for when, by in counted(24).items() if when <= at(look)}


@given(worlds)
def test_by_steps_whatever_relabels_metrics_is_no_burst(world: World) -> None:
    """Beside a counter that goes on. Each counts what it would have counted, a step later at the latest."""
    assume(world.changes not in began_by(world).values() and world.changes < 23)
    read = reading(*_overlapping(world, 24, 0), requests(range(100, 125)))
    beginnings = SteppedBeginnings([read], "version")
    counted = 0.0
    for each in read.series:
        values = [value for _, value in each.samples]
        began = beginnings.of(each)
        counted += values[-1] - (values[0] if began is None else began.value)
    first = sum(added[0] for added in world.codes.values())
    assert counted == sum(map(sum, world.codes.values())) - first + 24


def _overlapping(world: World, until: int, within: int) -> list[Series]:
    """What ended shows up once more, with what it showed before."""
    ended = at(world.changes - 1)
    return [
        replace(each, samples=(*each.samples, (at(world.changes), each.samples[-1][1])))
        if within and until >= world.changes and each.samples[-1][0] == ended
        else each
        for each in world.found(until).series
    ]
