"""The pin file and its chain: content, digests, keys, and what history tells."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.situations import KEY, NOW, canary, chain, pin_of, probation, stable
from tidegate import bundled
from tidegate.core.history import (
    entry_proposal,
    finished_at,
    rollout_changes,
    set_by_hand,
    stable_change,
    weight_changes,
)
from tidegate.core.observed import PinChange
from tidegate.core.pin import (
    NOTHING_BEFORE,
    Canary,
    Hold,
    Pin,
    Rejected,
    Stamp,
    content,
    digest,
    is_ours,
    key_of,
    stamped,
)
from tidegate.core.read import read_pin
from tidegate.core.transition import Kind, mark
from tidegate.core.yaml import splice

SCHEMAS = bundled.schemas()
versions = st.integers(1, 10**6).map(pin_of)
shares = st.integers(0, 100).map(lambda percent: percent / 100)
keys = st.from_regex(r"k[0-9a-f]{16}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=40)
pins = st.builds(
    Pin,
    stable=versions,
    previous=st.none() | versions,
    canary=st.none() | st.builds(Canary, pin=versions, weight=shares),
    rejected=st.lists(
        st.builds(
            Rejected, version=st.integers(1, 99), key=keys, reason=texts, proposal=st.none() | st.integers(1, 99)
        ),
        max_size=3,
    ).map(tuple),
    policy=st.none() | st.from_regex(r"[0-9a-f]{40}", fullmatch=True),
    holdback=st.none() | shares,
    retried=st.none() | st.integers(1, 99),
    hold=st.none() | st.builds(Hold, scope=st.sampled_from(["promotions", "all"]), reason=texts),
)


@given(pins)
def test_a_pin_file_reads_back_as_what_was_written(pin: Pin) -> None:
    whole = stamped("digits", "production", pin, mark(Kind.PROMOTE, None))
    assert read_pin(splice.dump(content(whole)), "production.yaml", SCHEMAS) == whole


@given(pins, pins)
def test_an_edited_pin_file_reads_back_as_what_was_wanted(before: Pin, after: Pin) -> None:
    old = stamped("digits", "production", before, mark(Kind.PROMOTE, None))
    new = stamped("digits", "production", after, mark(Kind.ADVANCE, old))
    text = "# owned by Tidegate\n" + splice.dump(content(old))
    edited = splice.rewrite(text, content(new), "production.yaml")
    assert read_pin(edited, "production.yaml", SCHEMAS) == new
    assert edited.startswith("# owned by Tidegate\n")


@given(pins, st.sampled_from(["model", "environment", "before", "attempt", "kind", "content"]))
def test_I2_the_key_covers_everything(pin: Pin, part: str) -> None:
    stamp = mark(Kind.PROMOTE, None)
    whole = stamped("digits", "production", pin, stamp)
    other = {
        "model": lambda: stamped("letters", "production", pin, stamp),
        "environment": lambda: stamped("digits", "staging", pin, stamp),
        "before": lambda: stamped("digits", "production", pin, mark(Kind.PROMOTE, whole)),
        "attempt": lambda: stamped("digits", "production", pin, mark(Kind.PROMOTE, None, 2)),
        "kind": lambda: stamped("digits", "production", pin, mark(Kind.ADVANCE, None)),
        "content": lambda: stamped("digits", "production", replace(pin, stable=pin_of(10**7)), stamp),
    }[part]()
    assert whole.transition is not None
    assert other.transition is not None
    assert other.transition.key != whole.transition.key


def test_the_key_is_the_letter_k_and_16_hex_digits_over_canonical_json() -> None:
    """Fixed for good: another canonical form would make every pin file on every main look edited by hand."""
    pin = Pin(stable=pin_of(11), transition=Stamp(kind="promote", before=NOTHING_BEFORE, attempt=1, key=""))
    assert key_of("churn", "production", pin) == "k90b6045022dad095"


def test_comments_and_layout_are_no_change() -> None:
    whole = stamped("digits", "production", Pin(stable=pin_of(1)), mark(Kind.PROMOTE, None))
    text = "# a comment\n" + splice.dump(content(whole)).replace("stable: ", "stable:   ")
    again = read_pin(text, "production.yaml", SCHEMAS)
    assert is_ours("digits", "production", again)
    assert digest(again) == digest(whole)


def test_a_file_that_is_not_there_has_the_empty_digest() -> None:
    assert digest(None) == NOTHING_BEFORE


class TestHistory:
    def test_what_transitions_wrote_is_not_set_by_hand(self) -> None:
        assert set_by_hand("digits", "production", probation()) is None

    def test_a_pin_verb_is(self) -> None:
        history = chain("production", (Kind.PIN, Pin(stable=pin_of(7)), timedelta(hours=1)))
        assert set_by_hand("digits", "production", history) == history[-1]

    def test_a_hold_on_top_of_a_hand_set_version_does_not_hide_it(self) -> None:
        history = chain(
            "production",
            (Kind.PIN, Pin(stable=pin_of(7)), timedelta(hours=2)),
            (Kind.HOLD, Pin(stable=pin_of(7), hold=Hold(reason="x")), timedelta(hours=1)),
        )
        assert set_by_hand("digits", "production", history) == history[0]

    def test_resume_lets_go_of_it(self) -> None:
        history = chain(
            "production",
            (Kind.PIN, Pin(stable=pin_of(7)), timedelta(hours=2)),
            (Kind.RESUME, Pin(stable=pin_of(7)), timedelta(hours=1)),
        )
        assert set_by_hand("digits", "production", history) is None

    def test_a_comment_on_top_of_a_transition_is_no_setting(self) -> None:
        history = canary()
        commented = (*history, replace(history[-1], commit="c" * 40, at=NOW))
        assert set_by_hand("digits", "production", commented) is None

    def test_a_rejection_taken_off_by_hand_is_no_setting(self) -> None:
        entry = Rejected(version=9, key=KEY, reason="bad")
        history = stable("production", 1, rejected=(entry,))
        edited = PinChange(commit="e" * 40, at=NOW, pin=replace(history[-1].pin or Pin(), rejected=()))
        assert set_by_hand("digits", "production", (*history, edited)) is None

    def test_the_way_back_changed_by_hand_is_a_setting(self) -> None:
        history = stable("production", 2, previous=1)
        edited = PinChange(commit="e" * 40, at=NOW, pin=replace(history[-1].pin or Pin(), previous=pin_of(5)))
        assert set_by_hand("digits", "production", (*history, edited)) == edited

    def test_a_rollout_begins_with_its_entry_and_again_with_its_restart(self) -> None:
        first, rolling = Pin(stable=pin_of(1)), Pin(stable=pin_of(1), canary=Canary(pin=pin_of(2), weight=0.1))
        further = replace(rolling, canary=Canary(pin=pin_of(2), weight=0.5))
        history = chain(
            "production",
            (Kind.PROMOTE, first, timedelta(days=9)),
            (Kind.PROMOTE, rolling, timedelta(hours=4)),
            (Kind.ADVANCE, further, timedelta(hours=3)),
            (Kind.RESTART, rolling, timedelta(hours=2)),
            (Kind.ADVANCE, further, timedelta(hours=1)),
        )
        assert [change.at for change in rollout_changes(history[:3])] == [
            NOW - timedelta(hours=4),
            NOW - timedelta(hours=3),
        ]
        assert [change.at for change in rollout_changes(history)] == [
            NOW - timedelta(hours=2),
            NOW - timedelta(hours=1),
        ]
        assert [change.weight for change in weight_changes(history)] == [0.1, 0.5]

    def test_probation_begins_with_a_finish_only(self) -> None:
        assert finished_at(probation(ago=timedelta(hours=1))) == NOW - timedelta(hours=1)
        assert finished_at(stable("production", 2, previous=1)) is None

    def test_a_hold_during_probation_does_not_begin_it_again(self) -> None:
        history = probation(ago=timedelta(hours=2))
        last = history[-1].pin or Pin()
        held = stamped("digits", "production", replace(last, hold=Hold(reason="x")), mark(Kind.HOLD, last))
        longer = (*history, PinChange(commit="e" * 40, at=NOW - timedelta(hours=1), pin=held))
        assert finished_at(longer) == NOW - timedelta(hours=2)
        change = stable_change(longer)
        assert change is not None
        assert change.at == NOW - timedelta(hours=2)

    def test_a_rejection_names_the_proposal_that_the_version_last_entered_by(self) -> None:
        assert entry_proposal(probation(), pin_of(2)) == 2
        assert entry_proposal(probation(), pin_of(9)) is None


@pytest.mark.parametrize("field", ["stable", "canary", "transition"])
def test_unknown_keys_are_findings(field: str) -> None:
    data = content(stamped("digits", "production", Pin(stable=pin_of(1)), mark(Kind.PROMOTE, None)))
    data[f"{field}d"] = "x"
    with pytest.raises(Exception, match="unknown"):
        read_pin(json.dumps(data), "production.yaml", SCHEMAS)
