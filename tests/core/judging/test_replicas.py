"""Replicas are found under any label, and series of one target that merely differ in a label are none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.judging.reading import Sampled, Series
from tidegate.core.judging.replicas import scraped_twice

SCRAPE = 15
SCRAPES = 40
SECONDS = SCRAPE * (SCRAPES + 1)
NEVER = datetime.fromtimestamp(0, UTC)
TARGET = {"__name__": "requests_total", "job": "serving", "instance": "pod:80", "version": "11"}


class Process:
    """What a program counts, second by second; it is started again at some of them."""

    def __init__(self, events: Sequence[int], restarts: Sequence[int] = ()) -> None:
        self._shown = [0]
        for second, more in enumerate(events):
            self._shown.append(more if second in restarts else self._shown[-1] + more)

    def scraped(self, offset: float, labels: Mapping[str, str], scrapes: Sequence[int] = range(SCRAPES)) -> Series:
        samples = tuple((SCRAPE * n + offset, float(self._shown[math.floor(SCRAPE * n + offset)])) for n in scrapes)
        return Series(labels={**TARGET, **labels}, samples=samples)


STEADY = Process([2] * SECONDS)
BUSIER = Process([3] * SECONDS)
SELDOM = Process([second % 120 == 50 for second in range(SECONDS)])
SELDOM_ELSEWHERE = Process([second % 120 == 100 for second in range(SECONDS)])


RESTARTING = Process([2] * SECONDS, range(0, SECONDS, 100))


def answered_late(series: Series, scrape: int) -> Series:
    """With one scrape that shows what the next one did: it has the time at which it was asked."""
    samples = list(series.samples)
    samples[scrape] = (samples[scrape][0], samples[scrape + 1][1])
    return replace(series, samples=tuple(samples))


def sampled(*series: Series) -> Sampled:
    return Sampled(series=series, start=NEVER, end=NEVER)


def seconds(least: int) -> st.SearchStrategy[list[int]]:
    """As many events each second for as long as a scrape takes to come round."""
    rates = st.lists(st.integers(least, 9), min_size=SCRAPES + 1, max_size=SCRAPES + 1)
    return rates.map(lambda found: [rate for rate in found for _ in range(SCRAPE)])


def most_scrapes() -> st.SearchStrategy[list[int]]:
    """Some are missed."""
    return st.sets(st.integers(0, SCRAPES - 1), max_size=5).map(lambda missed: sorted({*range(SCRAPES)} - missed))


@given(
    events=seconds(1),
    restarts=st.lists(st.integers(0, SECONDS - 1), max_size=1),
    offsets=st.lists(st.floats(0, 14, allow_subnormal=False), min_size=2, max_size=3, unique_by=round),
    scrapes=st.tuples(most_scrapes(), most_scrapes(), most_scrapes()),
    label=st.sampled_from(["ha", "prometheus", "cluster", "job", "a_label_that_nobody_knows"]),
)
def test_replicas_are_found_under_any_label(
    events: list[int],
    restarts: list[int],
    offsets: list[float],
    scrapes: tuple[list[int], list[int], list[int]],
    label: str,
) -> None:
    process = Process(events, restarts)
    found = [process.scraped(at, {label: str(n)}, scrapes[n]) for n, at in enumerate(offsets)]
    assert scraped_twice(sampled(*found)) == label


@given(
    counters=st.lists(seconds(0), min_size=2, max_size=4),
    scrapes=st.lists(most_scrapes(), min_size=4, max_size=4),
    since=st.lists(st.integers(0, SCRAPES - 1), min_size=4, max_size=4),
    label=st.sampled_from(["code", "method", "path", "le"]),
    offset=st.floats(0, 14),
)
def test_series_of_one_target_that_differ_in_a_label_are_no_replicas(
    counters: list[list[int]], scrapes: list[list[int]], since: list[int], label: str, offset: float
) -> None:
    """They begin when the first event of their kind comes, and each may miss scrapes that others have."""
    found = [
        Process(events).scraped(offset, {label: str(n)}, [scrape for scrape in scrapes[n] if scrape >= since[n]])
        for n, events in enumerate(counters)
    ]
    assert scraped_twice(sampled(*found)) is None


@given(process=seconds(0).map(Process), offsets=st.tuples(st.floats(0, 14), st.floats(0, 14)))
def test_targets_of_their_own_are_no_replicas_however_alike_they_count(
    process: Process, offsets: tuple[float, float]
) -> None:
    labels = [{"instance": f"pod-{n}:80", "pod": f"pod-{n}"} for n in (0, 1)]
    found = [process.scraped(offset, own) for offset, own in zip(offsets, labels, strict=True)]
    assert scraped_twice(sampled(*found)) is None


@pytest.mark.parametrize("label", ["exported_instance", "exported_job", "exported_namespace", "exported_pod", "pod"])
@given(rate=st.integers(10, 1000), seed=st.integers(0, 99))
def test_targets_behind_one_instance_are_no_replicas_where_a_label_names_them(label: str, rate: int, seed: int) -> None:
    """A server that is federated without `honor_labels`: they began together, and traffic falls on them at random."""
    drawn = np.random.default_rng(seed).poisson(rate, (2, SECONDS)).tolist()
    found = [Process(events).scraped(7 * n, {label: f"target-{n}"}) for n, events in enumerate(drawn)]
    assert scraped_twice(sampled(*found)) is None


FIRST, SECOND = range(SCRAPES // 2), range(SCRAPES // 2, SCRAPES)


@pytest.mark.parametrize(
    ("series", "label"),
    [
        pytest.param(
            [STEADY.scraped(0, {"ha": "a"}), STEADY.scraped(7, {"ha": "b"})],
            "ha",
            id="two-servers",
        ),
        pytest.param(
            [STEADY.scraped(0, {"ha": "a"}), STEADY.scraped(7, {})],
            "ha",
            id="one-of-which-has-no-label",
        ),
        pytest.param(
            [STEADY.scraped(0, {}), STEADY.scraped(7, {"job": "monitoring/serving", "endpoint": "http"})],
            "endpoint and job",
            id="two-scrape-jobs-with-labels-of-their-own",
        ),
        pytest.param(
            [
                process.scraped(offset, {"ha": ha, "code": code})
                for ha, offset in (("a", 0), ("b", 7))
                for code, process in (("200", STEADY), ("500", SELDOM))
            ],
            "ha",
            id="two-servers-each-with-two-kinds-of-events",
        ),
        pytest.param(
            [
                process.scraped(offset + later, {"ha": ha, "pod": pod})
                for ha, offset in (("a", 0), ("b", 7))
                for pod, process, later in (("x", STEADY, 0), ("y", BUSIER, 3))
            ],
            "ha",
            id="two-servers-and-two-targets-behind-one-instance",
        ),
        pytest.param(
            [
                process.scraped(offset + later, {"ha": ha, "exported_instance": behind})
                for ha, offset in (("a", 0), ("b", 7))
                for behind, process, later in (("x", STEADY, 0), ("y", STEADY, 3))
            ],
            "ha",
            id="two-servers-and-two-targets-that-are-federated",
        ),
        pytest.param(
            [STEADY.scraped(0, {}), STEADY.scraped(7, {"job": "monitoring/serving", "pod": "x"})],
            "job and pod",
            id="two-scrape-jobs-one-of-which-names-the-pod",
        ),
        pytest.param(
            [RESTARTING.scraped(0, {"ha": "a"}), RESTARTING.scraped(7, {"ha": "b"})],
            "ha",
            id="two-servers-and-a-program-that-is-restarted-again-and-again",
        ),
        pytest.param(
            [STEADY.scraped(0, {"ha": "a"}), answered_late(STEADY.scraped(7, {"ha": "b"}), 20)],
            "ha",
            id="two-servers-one-of-which-was-answered-late",
        ),
        pytest.param(
            [STEADY.scraped(0, {"ha": "a"}), STEADY.scraped(7, {"ha": "b"}, SECOND)],
            "ha",
            id="the-second-server-came-later",
        ),
        pytest.param(
            [STEADY.scraped(0, {"ha": "a"}, FIRST), STEADY.scraped(7, {"ha": "b"}, SECOND)],
            None,
            id="one-server-that-another-replaced",
        ),
        pytest.param(
            [STEADY.scraped(0, {"pod": "x"}), BUSIER.scraped(7, {"pod": "y"})],
            None,
            id="two-targets-behind-one-instance",
        ),
        pytest.param(
            [SELDOM.scraped(0, {"pod": "x"}), SELDOM_ELSEWHERE.scraped(7, {"pod": "y"})],
            None,
            id="two-such-targets-with-an-event-now-and-then",
        ),
        pytest.param(
            [Process([0] * SECONDS).scraped(offset, {"pod": str(offset)}) for offset in (0, 7)],
            None,
            id="two-such-targets-without-an-event",
        ),
        pytest.param(
            [Series(labels={**TARGET, "ha": ha}, samples=()) for ha in "ab"],
            None,
            id="no-samples",
        ),
    ],
)
def test_one_counter_under_two_labels_is_told_from_two_counters(series: list[Series], label: str | None) -> None:
    assert scraped_twice(sampled(*series)) == label


def test_nothing_is_told_of_series_without_a_target() -> None:
    """Targets that share their load evenly would look like replicas."""
    found = [STEADY.scraped(0, {"pod": "x"}), STEADY.scraped(7, {"pod": "y"})]
    bare = [Series(labels={n: v for n, v in s.labels.items() if n != "instance"}, samples=s.samples) for s in found]
    assert scraped_twice(sampled(*bare)) is None
