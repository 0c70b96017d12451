"""Whether the series that an objective reads can be judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from support.diagnosing import broken, sampled
from tidegate.core.diagnosis.remark import Complaint, Unseen
from tidegate.core.diagnosis.series import Watched, examine, interval
from tidegate.core.judging.reading import Sampled, Unread, Why
from tidegate.core.workspace import MetricLabels

OURS = {"model": "churn", "environment": "production", "version": "11", "instance": "a:80"}
NOBODY = sampled()


def watched(found: Sampled | Unread, bare: Sampled | None = None, resolution: int = 60) -> Watched:
    return Watched(
        who="latency of churn in production",
        selector='requests_total{model="churn",environment="production"}',
        resolution=timedelta(seconds=resolution),
        found=found,
        bare=bare,
    )


def replica(name: str, value: str) -> dict[str, str]:
    return {**OURS, name: value}


@pytest.mark.parametrize(
    ("seen", "rules"),
    [
        pytest.param(watched(sampled(OURS)), [], id="measured"),
        pytest.param(watched(NOBODY), ["no-series"], id="nothing-there"),
        pytest.param(watched(NOBODY, bare=NOBODY), ["no-series"], id="nothing-without-labels-either"),
        pytest.param(watched(NOBODY, bare=sampled({"job": "web"})), ["series-without-labels"], id="without-our-labels"),
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
    assert broken(examine(seen, None)) == rules


@pytest.mark.parametrize(("most", "rules"), [(2880, []), (2879, ["query-limit"]), (None, [])])
def test_a_question_that_is_too_large_is_a_warning(most: int | None, rules: list[str]) -> None:
    assert broken(examine(watched(sampled(OURS, every=15)), most)) == rules


def test_labels_of_another_name_are_looked_for_under_it() -> None:
    series = sampled({"model": "churn", "environment": "production", "model_version": "11"})
    assert broken(examine(replace(watched(series), labels=MetricLabels(version="model_version")), None)) == []


def test_the_complaint_tells_which_labels_there_are() -> None:
    (complaint,) = examine(watched(NOBODY, bare=sampled({"job": "web", "env": "prod"})), None)
    assert isinstance(complaint, Complaint)
    assert complaint.fix.startswith("they carry: env, job. ")


@pytest.mark.parametrize(("why", "silent"), [(Why.UNREACHABLE, True), (Why.ERROR, False), (Why.PARTIAL, False)])
def test_a_reading_that_failed_is_unseen(why: Why, silent: bool) -> None:
    (unseen,) = examine(watched(Unread(why=why, words="so it says")), None)
    assert isinstance(unseen, Unseen)
    assert (unseen.silent, "so it says" in unseen.why) == (silent, True)


def test_the_interval_is_the_usual_one_and_none_for_a_single_scrape() -> None:
    assert interval(sampled(OURS, every=10)) == timedelta(seconds=10)
    assert interval(sampled(OURS, number=1)) is None
