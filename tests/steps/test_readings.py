"""Every reason why a reading cannot be had, told apart on real Prometheus servers; and what is no reason (I3)."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from support.counters import CANARY, STABLE, canary_question
from support.prometheus_server import PrometheusServer, Written
from support.situations import NOW, WORKSPACE, canary, model, observed, probation, stable
from tidegate.adapters.prometheus import Prometheus
from tidegate.core.decision import decide
from tidegate.core.judging.judgement import judge
from tidegate.core.judging.queries import Scope
from tidegate.core.judging.questions import questions
from tidegate.core.judging.reading import Sampled, Unread, Why
from tidegate.core.judging.verdict import Comparison, Stage, Verdict, WeightChange
from tidegate.core.manifest import Objective, ValueObjective
from tidegate.core.observed import PinChange
from tidegate.core.outcome import Hold, WaitingOn
from tidegate.steps.measure import measure

pytestmark = pytest.mark.contract

SCRAPE = timedelta(seconds=15)
STAGE = timedelta(minutes=20)
BEFORE = timedelta(minutes=10)
HOUR, HOURS = timedelta(hours=1), timedelta(hours=6)
OTHER = STABLE - 1
EVENTS = Objective(name="availability", target=0.95, bad="errors_total", total="requests_total")
LATENCY = Objective(name="latency", target=0.95, histogram="predict_seconds", under=timedelta(milliseconds=250))


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """One model with stable at 90 and a canary at 10 events a scrape, one bad event of the canary in ten."""

    server: PrometheusServer
    model: str
    now: datetime
    before: timedelta = BEFORE

    @property
    def since(self) -> datetime:
        return self.now - STAGE

    def times(self) -> list[float]:
        start = self.since - self.before
        return [(start + SCRAPE * number).timestamp() for number in range((STAGE + self.before) // SCRAPE)]

    def counter(self, name: str, version: int, by: float, **labels: str) -> Written:
        here = {"model": self.model, "environment": "production", "version": str(version)}
        target = {"job": "serving", "instance": "pod:80", **labels}
        samples = [(at, by * number) for number, at in enumerate(self.times(), start=1)]
        return {"__name__": name, **here, **target}, samples

    def traffic(self, **labels: str) -> list[Written]:
        return [
            self.counter("requests_total", STABLE, 90, **labels),
            self.counter("requests_total", CANARY, 10, **labels),
            self.counter("errors_total", CANARY, 1, **labels),
        ]

    def judged(
        self,
        objective: Objective = EVENTS,
        since: datetime | None = None,
        patience: float = 10,
        stable_for: timedelta | None = None,
    ) -> Verdict:
        since = since or self.since
        question = replace(
            canary_question(),
            since=since,
            objectives=(objective,),
            weights=(WeightChange(at=since, weight=0.1),),
            reference_since=None if stable_for is None else since - stable_for,
        )
        metrics = Prometheus(self.server.url, timeout=timedelta(seconds=patience))
        return judge(question, measure(question, Scope(model=self.model, environment="production"), metrics))

    def baked(self) -> Verdict:
        """Of the version that is the canary elsewhere."""
        question = replace(canary_question(progress_deadline=STAGE / 4), stage=Stage.BAKE, reference=None, weights=())
        scope = Scope(model=self.model, environment="production")
        asked = replace(question, since=self.since)
        return judge(asked, measure(asked, scope, Prometheus(self.server.url)))

    def forget_first_half(self) -> None:
        self.forget(until=self.since + STAGE / 2)

    def forget(self, until: datetime) -> None:
        """As retention does."""
        asked = {"match[]": f'{{model="{self.model}"}}', "end": str(until.timestamp())}
        requests.post(f"{self.server.url}/api/v1/admin/tsdb/delete_series", params=asked, timeout=10).raise_for_status()


def reason(verdict: Verdict) -> Unread:
    """Why the only objective could not be read."""
    assert verdict.unread is not None
    return verdict.unread


def world(server: PrometheusServer, name: str) -> World:
    now = Prometheus(server.url).now()
    assert isinstance(now, datetime)
    return World(server=server, model=name, now=now.replace(microsecond=0))


Start = Callable[..., PrometheusServer]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a Prometheus of its own with these flags."""
    servers: list[PrometheusServer] = []

    def started(*flags: str, configuration: str = "") -> PrometheusServer:
        servers.append(PrometheusServer(tmp_path / str(len(servers)), *flags, configuration=configuration))
        servers[-1].start()
        return servers[-1]

    yield started
    for server in servers:
        server.stop()


class TestOneServer:
    """What the session's own Prometheus can show."""

    def test_whole_counters_are_read(self, prometheus: PrometheusServer) -> None:
        here = world(prometheus, "whole")
        prometheus.write(here.traffic())
        verdict = here.judged()
        assert (verdict.unread, verdict.objectives[0].comparison) == (None, Comparison.WORSE)

    def test_a_version_that_is_not_served_is_no_data_of_its_own(self, prometheus: PrometheusServer) -> None:
        """Stable has so many events that an absence of the canary's is observed: not serving, and no failed reading."""
        here = world(prometheus, "absent")
        prometheus.write([here.counter("requests_total", STABLE, 90)])
        verdict = here.judged()
        assert (verdict.unread, verdict.serving) == (None, False)
        assert verdict.absent_for > timedelta(minutes=10)

    def test_no_series_at_all_is_no_data(self, prometheus: PrometheusServer) -> None:
        assert reason(world(prometheus, "nobody").judged()).why is Why.NO_DATA

    def test_counters_that_stopped_coming_are_stale(self, prometheus: PrometheusServer) -> None:
        here = world(prometheus, "stopped")
        prometheus.write([(labels, samples[:-40]) for labels, samples in here.traffic()[:2]])
        assert reason(here.judged()).why is Why.STALE

    @pytest.mark.parametrize("label", ["prometheus_replica", "replica"])
    def test_replicas_that_both_count_are_several_series(self, prometheus: PrometheusServer, label: str) -> None:
        """Twice each event would be twice the evidence."""
        here = world(prometheus, f"doubled-{label}")
        prometheus.write([*here.traffic(**{label: "a"}), *here.traffic(**{label: "b"})])
        found = reason(here.judged())
        assert (found.why, label in found.words) == (Why.SEVERAL, True)

    @pytest.mark.parametrize(("label", "offset"), [("ha", 7), ("ha", 1), ("job", 7), ("prometheus_replica", 7)])
    def test_replicas_that_both_count_are_told_by_their_times_under_any_label(
        self, prometheus: PrometheusServer, label: str, offset: int
    ) -> None:
        """Each server scrapes at its own instants, so nothing but the label tells the series from others."""
        here = world(prometheus, f"doubled-{label}-after-{offset}")
        later = [
            (labels, [(at + offset, value) for at, value in samples[:-1]])
            for labels, samples in here.traffic(**{label: "b"})
        ]
        prometheus.write([*here.traffic(**{label: "a"}), *later])
        found = reason(here.judged())
        assert (found.why, f"each value of the label {label}:" in found.words) == (Why.SEVERAL, True)

    @pytest.mark.parametrize("label", ["code", "method", "path", "le", "ha"])
    def test_kinds_of_events_of_one_target_are_counted_together(self, prometheus: PrometheusServer, label: str) -> None:
        here = world(prometheus, f"kinds-by-{label}")
        prometheus.write([*here.traffic(**{label: "a"}), *here.traffic(**{label: "b"})])
        verdict = here.judged()
        assert (verdict.unread, verdict.objectives[0].comparison) == (None, Comparison.WORSE)

    def test_one_replica_s_label_is_a_label_like_others(self, prometheus: PrometheusServer) -> None:
        here = world(prometheus, "one-replica")
        prometheus.write(here.traffic(replica="a"))
        assert here.judged().unread is None

    def test_replicas_that_answer_in_turn_are_told_by_their_times(self, prometheus: PrometheusServer) -> None:
        """All series of a target have the times of its scrapes: here bad events come from another server's scrapes."""
        here = world(prometheus, "in-turn")
        *totals, (labels, samples) = here.traffic()
        prometheus.write([*totals, (labels, [(at + 7, value) for at, value in samples[:-1]])])
        found = reason(here.judged())
        assert (found.why, "two servers answer" in found.words) == (Why.SEVERAL, True)

    def test_a_counter_without_a_number_in_it_is_no_zero(self, prometheus: PrometheusServer) -> None:
        here = world(prometheus, "nan")
        *totals, (labels, samples) = here.traffic()
        prometheus.write([*totals, (labels, [(at, math.nan) for at, _ in samples])])
        found = reason(here.judged())
        assert (found.why, "errors_total" in found.words) == (Why.NAN, True)

    def test_a_counter_that_lost_its_number_is_stale(self, prometheus: PrometheusServer) -> None:
        """Its total goes on. Bad events that nobody counts any more are no good ones."""
        here = world(prometheus, "nan-from-then-on")
        *totals, (labels, samples) = here.traffic()
        turned = [(at, value if number < 70 else math.nan) for number, (at, value) in enumerate(samples)]
        prometheus.write([*totals, here.counter("errors_total", STABLE, 9), (labels, turned)])
        assert reason(here.judged()).why is Why.STALE

    def test_a_reset_loses_no_event_and_invents_none(self, prometheus: PrometheusServer) -> None:
        plain, restarted = world(prometheus, "plain"), world(prometheus, "restarted")
        prometheus.write([*plain.traffic(), *map(_restarted, restarted.traffic())])
        first, second = (here.judged().objectives[0] for here in (plain, restarted))
        assert (first.subject, first.reference) == (second.subject, second.reference)

    def test_cells_in_reach_of_missing_scrapes_are_left_out(self, prometheus: PrometheusServer) -> None:
        """Five scrapes at once: two or three cells of a minute. What came in meanwhile is seen after them, all at once,
        and is left out with them."""
        plain, gappy = world(prometheus, "no-gap"), world(prometheus, "a-gap")
        healthy = [plain.traffic()[:2], [_without(series, slice(80, 85)) for series in gappy.traffic()[:2]]]
        prometheus.write([series for written in healthy for series in written])
        whole, less = (here.judged() for here in (plain, gappy))
        lost = whole.objectives[0].subject.total - less.objectives[0].subject.total
        assert (less.unread, 40 <= lost <= 120) == (None, True)

    def test_a_label_between_quotes_stays_there(self, prometheus: PrometheusServer) -> None:
        here = world(prometheus, 'odd"} or vector(1) #\\')
        prometheus.write(here.traffic())
        assert here.judged().unread is None


def _restarted(written: Written) -> Written:
    """From scrape 70 on the counter begins anew."""
    labels, samples = written
    before = samples[69][1]
    return labels, [(at, value if number < 70 else value - before) for number, (at, value) in enumerate(samples)]


def _from(start: datetime, written: list[Written]) -> list[Written]:
    return [(labels, [sample for sample in samples if sample[0] >= start.timestamp()]) for labels, samples in written]


def _without(written: Written, missing: slice) -> Written:
    labels, samples = written
    gone = set(samples[missing])
    return labels, [sample for sample in samples if sample not in gone]


class TestServersOfTheirOwn:
    """Conditions that hold for a whole server."""

    def test_a_server_that_hangs_is_given_up_within_the_time_out(self, start: Start) -> None:
        here = world(start(), "hung")
        here.server.write(here.traffic())
        here.server.pause()
        found = reason(here.judged(patience=1))
        assert (found.why, "did not answer within 1 s" in found.words) == (Why.UNREACHABLE, True)

    def test_a_query_that_runs_out_of_time_is_its_own_error(self, start: Start) -> None:
        """Prometheus answers 503 with its own JSON: that is no proxy's 503, and its words are told."""
        server, now = start("--query.timeout=1ms"), datetime.now(UTC)
        samples = [(now.timestamp() - second, 0.0) for second in range(3600)]
        server.write([({"__name__": "large_total", "series": str(number)}, samples) for number in range(40)])
        found = Prometheus(server.url).samples("large_total", now - HOURS, now)
        assert isinstance(found, Unread)
        assert (found.why, "large_total[" in found.words) == (Why.ERROR, True)
        said = ("timeout: query timed out", "execution: expanding series: context deadline exceeded")
        assert any(words in found.words for words in said), "by where in the query it ran out"

    def test_a_server_that_is_not_ready_yet_is_unreachable(self, tmp_path: Path) -> None:
        """It was killed, and reads its log again: it listens already, and answers 503."""
        server = PrometheusServer(tmp_path)
        server.start()
        now, adapter, answers = time.time(), Prometheus(server.url), set[str]()
        long = [(now - second, 0.0) for second in range(6000, 0, -1)]
        server.write([({"__name__": "long_total", "series": str(number)}, long) for number in range(60)])
        server.stop(signal.SIGKILL)
        with ThreadPoolExecutor(1) as beside:
            started = beside.submit(server.start)
            while not isinstance(answer := adapter.now(), datetime):
                assert answer.why is Why.UNREACHABLE
                answers.add(answer.words)
            started.result()
        server.stop()
        assert any("answers 503" in words for words in answers)

    def test_a_path_that_is_not_the_api_s_is_an_error(self, prometheus: PrometheusServer) -> None:
        found = Prometheus(f"{prometheus.url}/graph").now()
        assert isinstance(found, Unread)
        assert (found.why, "404" in found.words, "is the address right" in found.words) == (Why.ERROR, True, True)

    def test_more_samples_than_may_be_loaded_are_an_error_with_the_query(self, start: Start) -> None:
        here = world(start("--query.max-samples=20"), "large")
        here.server.write(here.traffic())
        found = reason(here.judged())
        assert found.why is Why.ERROR
        assert "too many samples" in found.words
        assert 'requests_total{model="large"' in found.words or 'errors_total{model="large"' in found.words

    def test_the_limit_of_11_000_points_is_not_ours_to_meet(self, prometheus: PrometheusServer) -> None:
        """It is `query_range`'s, counted before it looks at data. A range vector brings six hours of seconds whole."""
        here = world(prometheus, "points")
        samples = [(here.now.timestamp() - second, 0.0) for second in range(6 * 3600 - 1, -1, -1)]
        prometheus.write([({"__name__": "points_total"}, samples)])
        refused = requests.get(
            f"{prometheus.url}/api/v1/query_range",
            params={"query": "points_total", "start": str(samples[0][0]), "end": str(samples[-1][0]), "step": "1"},
            timeout=10,
        )
        assert (refused.status_code, "11,000 points" in refused.json()["error"]) == (400, True)
        found = Prometheus(prometheus.url).samples("points_total", here.now - HOURS, here.now)
        assert isinstance(found, Sampled)
        assert len(found.series[0].samples) == len(samples)

    def test_a_store_that_does_not_answer_makes_the_whole_partial(self, start: Start) -> None:
        """Prometheus itself answers 200, with warnings about the store that it could not ask."""
        dead = "remote_read: [{url: 'http://127.0.0.1:1/read', read_recent: true}]\n"
        here = world(start(configuration=dead), "partial")
        here.server.write(here.traffic())
        found = reason(here.judged())
        assert (found.why, "remote" in found.words) == (Why.PARTIAL, True)

    def test_retention_that_lost_the_start_is_lost_history(self, start: Start) -> None:
        here = world(start("--web.enable-admin-api"), "lost")
        here.server.write(here.traffic())
        assert here.judged().unread is None
        here.forget_first_half()
        assert reason(here.judged()).why is Why.HISTORY_LOST

    def test_a_bake_whose_start_retention_lost_is_told_from_one_that_began_late(self, start: Start) -> None:
        here = world(start("--web.enable-admin-api"), "baking")
        here.server.write([here.counter("requests_total", STABLE, 90)])
        labels, samples = here.counter("requests_total", CANARY, 10)
        late = [(at, value) for at, value in samples if at > (here.since + STAGE / 2).timestamp()]
        here.server.write([(labels, late)])
        assert here.baked().unread is None
        here.forget_first_half()
        assert reason(here.baked()).why is Why.HISTORY_LOST

    def test_hours_of_stable_that_retention_lost_are_told_from_those_it_did_not_serve(self, start: Start) -> None:
        """It is stable for two hours before the canary comes, and known for one. Another version was there before."""
        here = replace(world(start("--web.enable-admin-api"), "young"), before=2 * HOUR)
        here.server.write([*_from(here.since - HOUR, here.traffic()), here.counter("requests_total", OTHER, 10)])
        assert here.judged(stable_for=2 * HOUR).unread is None
        here.forget(until=here.since - HOUR)
        found = reason(here.judged(stable_for=2 * HOUR))
        assert (found.why, "dispersion is measured since" in found.words) == (Why.HISTORY_LOST, True)

    def test_a_native_histogram_alone_says_what_it_needs(self, start: Start) -> None:
        here = world(start("--enable-feature=native-histograms"), "native")
        for version in (STABLE, CANARY):
            labels, samples = here.counter("predict_seconds", version, 10)
            here.server.write_native(labels, [(at, int(value)) for at, value in samples])
        found = reason(here.judged(LATENCY))
        assert (found.why, "always_scrape_classic_histograms" in found.words) == (Why.NATIVE, True)

    def test_classic_buckets_beside_a_native_histogram_are_read(self, start: Start) -> None:
        here = world(start("--enable-feature=native-histograms"), "both")
        for version, by in ((STABLE, 90), (CANARY, 10)):
            labels, samples = here.counter("predict_seconds", version, by)
            here.server.write_native(labels, [(at, int(value)) for at, value in samples])
            here.server.write(
                [
                    here.counter("predict_seconds_count", version, by),
                    here.counter("predict_seconds_bucket", version, by, le="0.25"),
                ]
            )
        verdict = here.judged(LATENCY)
        assert (verdict.unread, verdict.objectives[0].comparison) == (None, Comparison.CLEARED)


WRONG = (
    pytest.param(
        'errors_total{code=~"5[.."}', "parse error", 'errors_total{code=~"5[..",model="digits"', id="a-pattern"
    ),
    pytest.param("rate(errors_total[5m])", "not a plain selector", "rate(errors_total[5m])", id="no-selector"),
)


STAGES = pytest.mark.parametrize(
    "production", [pytest.param(canary(), id="canary"), pytest.param(probation(), id="on-probation")]
)


@pytest.mark.parametrize(("bad", "words", "query"), WRONG)
@STAGES
def test_I3_a_query_that_is_wrong_holds_with_its_text_and_never_reverts(
    prometheus: PrometheusServer, production: tuple[PinChange, ...], bad: str, words: str, query: str
) -> None:
    """Prometheus' own words, and what it was asked, stand in the hold."""
    wrong = (replace(EVENTS, bad=bad), replace(EVENTS, name="strict", target=0.999, bad=bad))
    found = decided(prometheus, production, objectives=wrong)
    assert (found.unknown, found.waiting_on) == (True, WaitingOn.OUTSIDE)
    assert words in found.reason
    assert query in found.reason


@STAGES
def test_I3_a_value_whose_expression_is_wrong_holds_as_well(
    prometheus: PrometheusServer, production: tuple[PinChange, ...]
) -> None:
    here = world(prometheus, "digits")
    prometheus.write([here.counter("requests_total", version, 50) for version in (1, 2)])
    drift = ValueObjective(name="drift", value='max_over_time(drift{version="{{ version }}"})', maximum=0.2)
    found = decided(prometheus, production, here.since, objectives=(EVENTS,), values=(drift,))
    assert (found.unknown, found.waiting_on) == (True, WaitingOn.OUTSIDE)
    assert "expected type range vector" in found.reason
    assert 'it was asked max_over_time(drift{version="2"})' in found.reason


def decided(
    server: PrometheusServer, production: tuple[PinChange, ...], since: datetime | None = None, **judged_by: object
) -> Hold:
    """What is decided of production where it is judged by these; a hold."""
    plain = model()
    wanted = replace(plain, environments=(plain.environments[0], replace(plain.environments[1], **judged_by)))  # type: ignore[arg-type]
    seen = observed(stable("staging", 2), production)
    question = questions(wanted, seen, NOW, "version")["production"]
    question = replace(question, since=since or question.since, reference_since=None)
    scope = Scope(model="digits", environment="production")
    verdict = judge(question, measure(question, scope, Prometheus(server.url)))
    found = decide(wanted, WORKSPACE, seen, {"production": verdict}, NOW).environments["production"]
    assert isinstance(found, Hold)
    return found
