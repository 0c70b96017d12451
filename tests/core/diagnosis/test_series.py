"""Whether the counters that an objective reads can be judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from support.diagnosing import broken, sampled
from tidegate.core.diagnosis.remark import Complaint, Fine, Remark, Unseen
from tidegate.core.diagnosis.selectors import Selector
from tidegate.core.diagnosis.series import Watched, examine, interval
from tidegate.core.judging.reading import Sampled, Unread, Why
from tidegate.core.workspace import MetricLabels

WHO = "latency of churn in production"
OURS = {"model": "churn", "environment": "production", "version": "11", "instance": "a:80", "code": "200"}
NOBODY = sampled()
TOTAL = Selector(
    key="total",
    text='requests_total{model="churn",environment="production"}',
    resolution=timedelta(seconds=60),
    labels=MetricLabels(),
    conditions={"model": "churn", "environment": "production"},
    number="([0-9]+)",
)
BAD = replace(
    TOTAL, key="bad", text='requests_total{code=~"5..",model="churn",environment="production"}', optional=True
)
MEASURED = Watched(wanted=TOTAL, found=sampled(OURS))


def watched(found: Sampled | Unread, every: Sampled | Unread | None = None) -> Watched:
    return Watched(wanted=TOTAL, found=found, metric=every)


def said(*counters: Watched, most: int | None = None) -> list[Remark]:
    return list(examine(WHO, counters, most))


def replica(name: str, value: str) -> dict[str, str]:
    return {**OURS, name: value}


@pytest.mark.parametrize(
    ("seen", "rules"),
    [
        pytest.param(watched(sampled(OURS)), [], id="measured"),
        pytest.param(watched(NOBODY), ["no-series"], id="nothing-there"),
        pytest.param(watched(NOBODY, NOBODY), ["no-series"], id="no-such-metric"),
        pytest.param(watched(NOBODY, sampled({"job": "web"})), ["series-without-labels"], id="without-our-labels"),
        pytest.param(
            watched(NOBODY, sampled({**OURS, "environment": "staging"})), ["no-series"], id="none-of-this-environment"
        ),
        pytest.param(
            watched(sampled({"model": "churn", "environment": "production"})),
            ["series-without-labels"],
            id="without-a-version",
        ),
        pytest.param(watched(sampled({**OURS, "version": "v11"})), ["series-without-labels"], id="a-version-in-words"),
        pytest.param(watched(sampled(OURS, every=30)), [], id="just-two-scrapes-a-cell"),
        pytest.param(watched(sampled(OURS, every=45)), ["scrape-interval"], id="one-scrape-a-cell"),
        pytest.param(
            watched(sampled(replica("prometheus_replica", "a"), replica("prometheus_replica", "b"))),
            ["replicas-counted-twice"],
            id="replicas",
        ),
        pytest.param(watched(sampled(replica("replica", "a"))), [], id="one-replica"),
        pytest.param(
            watched(sampled({**OURS, "replica": "a"}, {**OURS, "instance": "b:80", "replica": "b"})),
            [],
            id="replicas-of-the-server-itself",
        ),
    ],
)  # fmt: skip
def test_each_fault_of_a_series_has_its_complaint(seen: Watched, rules: list[str]) -> None:
    assert broken(said(seen)) == rules


@pytest.mark.parametrize(("most", "rules"), [(2880, []), (2879, ["query-limit"]), (None, [])])
def test_a_question_that_is_too_large_is_a_warning(most: int | None, rules: list[str]) -> None:
    assert broken(said(watched(sampled(OURS, every=15)), most=most)) == rules


def test_labels_of_another_name_are_looked_for_under_it() -> None:
    series = sampled({"model": "churn", "environment": "production", "model_version": "11"})
    wanted = replace(TOTAL, labels=MetricLabels(version="model_version"))
    assert broken(said(Watched(wanted=wanted, found=series))) == []


def test_the_complaint_tells_which_labels_there_are() -> None:
    (complaint,) = said(watched(NOBODY, sampled({"job": "web", "env": "prod"})))
    assert isinstance(complaint, Complaint)
    assert complaint.fix.startswith("they carry: env, job. ")


def test_where_only_the_value_of_a_label_lacks_the_values_are_told_and_not_the_labels() -> None:
    (complaint,) = said(watched(NOBODY, sampled({**OURS, "environment": "staging"}, {**OURS, "environment": "qa"})))
    assert isinstance(complaint, Complaint)
    assert complaint.what == (
        f'{WHO}: `total` finds nothing: no series of requests_total with environment="production"; '
        "there are: qa, staging"
    )


@pytest.mark.parametrize(
    ("text", "every", "rules"),
    [
        pytest.param(BAD.text, sampled(OURS), [], id="a-value-that-did-not-come-yet"),
        pytest.param('errors_total{model="churn"}', NOBODY, ["bad-never-seen"], id="a-metric-that-is-not-there"),
        pytest.param('requests_total{cod=~"5.."}', sampled(OURS), ["bad-never-seen"], id="a-label-that-is-not-there"),
        pytest.param('requests_total{cod!="200"}', sampled(OURS), [], id="an-absent-label-that-may-be-absent"),
        pytest.param('requests_total{zone=~".*",code="5"}', sampled(OURS), [], id="a-pattern-that-absence-meets"),
        pytest.param(BAD.text, sampled({"code": "200"}), ["series-without-labels"], id="without-our-labels"),
        pytest.param(BAD.text, sampled({**OURS, "model": "spam"}), [], id="of-another-model-alone"),
    ],
)  # fmt: skip
def test_a_bad_event_may_not_have_happened_but_must_be_possible(text: str, every: Sampled, rules: list[str]) -> None:
    assert broken(said(MEASURED, Watched(wanted=replace(BAD, text=text), found=NOBODY, metric=every))) == rules


def test_that_no_bad_event_was_seen_is_said_with_what_was() -> None:
    (fine,) = said(MEASURED, Watched(wanted=BAD, found=NOBODY, metric=sampled(OURS, {**OURS, "code": "404"})))
    assert fine == Fine(
        what=f'{WHO} is measured; no bad event seen so far (no series with code=~"5.."; there are: 200, 404)'
    )


def test_nothing_is_fine_beside_a_complaint() -> None:
    total = Watched(wanted=TOTAL, found=sampled(OURS, every=45))
    remarks = said(total, Watched(wanted=BAD, found=NOBODY, metric=sampled(OURS)))
    assert broken(remarks) == ["scrape-interval"]
    assert len(remarks) == 1


def test_a_label_that_is_not_there_is_told_with_those_that_are() -> None:
    wanted = replace(BAD, text='requests_total{cod=~"5.."}')
    (complaint,) = said(MEASURED, Watched(wanted=wanted, found=NOBODY, metric=sampled(OURS)))
    assert isinstance(complaint, Complaint)
    assert complaint.what == (
        f"{WHO}: `bad` finds nothing: no series of requests_total has a label cod; "
        "they have code, environment, instance, model, version"
    )


def test_where_nothing_is_counted_nothing_is_said_of_bad_events() -> None:
    lost = Watched(wanted=BAD, found=NOBODY, metric=NOBODY)
    assert broken(said(watched(NOBODY, NOBODY), lost)) == ["no-series"]


@pytest.mark.parametrize("key", ["good", "sum", "under", "squares"])
def test_what_must_be_there_and_is_not_leaves_nothing_measured(key: str) -> None:
    wanted = replace(TOTAL, key=key, text="quick_total{}")
    (complaint,) = said(MEASURED, Watched(wanted=wanted, found=NOBODY, metric=NOBODY))
    assert isinstance(complaint, Complaint)
    assert (complaint.rule, complaint.what) == (
        "no-series",
        f"{WHO}: `{key}` finds nothing: Prometheus has no metric quick_total",
    )


@pytest.mark.parametrize(("why", "silent"), [(Why.UNREACHABLE, True), (Why.ERROR, False), (Why.PARTIAL, False)])
def test_a_reading_that_failed_is_unseen(why: Why, silent: bool) -> None:
    (unseen,) = said(watched(Unread(why=why, words="so it says")))
    assert isinstance(unseen, Unseen)
    assert (unseen.silent, "so it says" in unseen.why) == (silent, True)


def test_a_metric_that_could_not_be_asked_for_leaves_the_bad_events_unseen() -> None:
    refused = Unread(why=Why.ERROR, words="too many samples")
    (unseen,) = said(MEASURED, Watched(wanted=BAD, found=NOBODY, metric=refused))
    assert isinstance(unseen, Unseen)


def test_the_interval_is_the_usual_one_and_none_for_a_single_scrape() -> None:
    assert interval(sampled(OURS, every=10)) == timedelta(seconds=10)
    assert interval(sampled(OURS, number=1)) is None
