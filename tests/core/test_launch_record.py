"""The launch record: kept as JSON in git, and the only thing that makes a run ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tidegate.core.launch_record import LaunchRecord, LaunchState, decode, encode, latest, vouch, vouched
from tidegate.core.observed import ModelVersion

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
RECORD = LaunchRecord(
    model="churn",
    key="k0123456789abcdef",
    attempt=1,
    commit="c" * 40,
    run_id="r1",
    deadline=AT,
    state=LaunchState.REGISTERED,
    artifact_digest="sha256:d1",
    version=12,
    words="größer\nthan life",
)
VERSION = ModelVersion(number=12, digest="sha256:d1", training_key=RECORD.key, run_id="r1", created_at=AT)


def test_a_record_survives_being_written_and_read() -> None:
    assert decode(encode(RECORD)) == RECORD
    assert encode(decode(encode(RECORD))) == encode(RECORD)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"state": "odd", "deadline": "2026-11-21"}', '"x"'])
def test_I14_text_that_is_no_record_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match="not a launch record"):
        decode(text)


def test_every_attempt_has_its_own_ref() -> None:
    assert RECORD.ref == "refs/tidegate/runs/k0123456789abcdef/1"
    assert latest([RECORD, replace(RECORD, attempt=10), replace(RECORD, attempt=9)]) == replace(RECORD, attempt=10)
    assert latest([]) is None


def test_a_version_with_the_recorded_run_and_bytes_is_vouched_for() -> None:
    assert vouched([replace(RECORD, attempt=2, run_id="r0"), RECORD], VERSION) == RECORD.key
    assert vouched([replace(RECORD, state=LaunchState.SUCCEEDED, version=None)], VERSION) == RECORD.key


@pytest.mark.parametrize(
    ("record", "version"),
    [
        pytest.param({}, {"run_id": "r2"}, id="another-run-with-our-tags"),
        pytest.param({}, {"digest": "sha256:d2"}, id="other-bytes"),
        pytest.param({}, {"training_key": "kffffffffffffffff"}, id="another-key"),
        pytest.param({}, {"training_key": None}, id="no-key-claimed"),
        pytest.param({}, {"number": 13}, id="the-same-run-registered-again-by-somebody"),
        pytest.param({"artifact_digest": None, "state": LaunchState.LAUNCHED}, {}, id="bytes-not-hashed-yet"),
        pytest.param({"artifact_digest": None}, {"digest": ""}, id="no-digest-on-either-side-is-no-match"),
        pytest.param({"state": LaunchState.GATED}, {}, id="gates-said-no"),
        pytest.param({"state": LaunchState.LOST}, {}, id="a-lost-attempt"),
    ],
)
def test_I12_a_claim_by_tag_alone_is_never_adopted(record: dict[str, Any], version: dict[str, Any]) -> None:
    assert vouched([replace(RECORD, **record)], replace(VERSION, **version)) is None


def test_vouch_keeps_every_version_and_drops_only_unconfirmed_keys() -> None:
    stranger = replace(VERSION, number=13, run_id="r2")
    assert vouch([RECORD], [VERSION, stranger]) == (VERSION, replace(stranger, training_key=None))
