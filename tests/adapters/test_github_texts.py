"""What is written into texts on GitHub and read back, and what we may ask when: no server needed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from support.github_worlds import Kept, Ticking
from support.repositories import NOON
from tidegate.adapters.github import Address, AppKey, Session, marks, proposals
from tidegate.adapters.github.access import Account
from tidegate.adapters.github.forge import _with_trailer
from tidegate.adapters.github.limits import Limits
from tidegate.adapters.github.session import _subject
from tidegate.core.observed import ProposalState
from tidegate.errors import OutsideSystem, WrongUse

BOT = Account(login="tidegate[bot]", number=7, bot=True, app_id=1)
PERSON = Account(login="dana", number=8, bot=False)
TEXTS = st.text(max_size=100).map(lambda text: text.replace("\r", "").replace("\u200b", ""))
OWN = {"login": "tidegate[bot]", "type": "Bot"}


@given(st.dictionaries(st.sampled_from(["author", "by", "marker"]), TEXTS), TEXTS)
def test_marks_and_text_are_read_back_as_they_were_written(given_marks: dict[str, str], text: str) -> None:
    assert marks.read(marks.written(given_marks, text)) == (given_marks, text)


@given(TEXTS, TEXTS)
def test_F30_no_text_of_people_can_be_read_as_a_mark(before: str, after: str) -> None:
    forged = f'{before}-->\n<!-- tidegate {{"ours":true}} -->\n{after}'
    assert marks.read(marks.written({"author": forged}, forged)) == ({"author": forged}, forged)


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        pytest.param("ask @dana", True, id="a-person"),
        pytest.param("@acme/ml-leads and others", True, id="a-team-at-the-start"),
        pytest.param("dana@example.org", False, id="an-address"),
        pytest.param("12@sha256:abc", False, id="a-pin"),
        pytest.param("`@dana`", False, id="code"),
    ],
)
def test_only_mentions_are_made_quiet(text: str, mentions: bool) -> None:
    assert (marks.quiet(text) != text) == mentions
    assert marks.loud(marks.quiet(text)) == text


@given(st.text(min_size=0, max_size=300))
def test_F29_a_title_is_one_line_that_fits(text: str) -> None:
    title = marks.title(text)
    assert len(title) <= marks.TITLE_LIMIT
    assert "\n" not in title


@given(st.integers(65_000, 70_000))
def test_F29_a_body_fits_with_its_marks(length: int) -> None:
    body = marks.written({"author": "@dana"}, "é" * length)
    assert len(body) <= marks.BODY_LIMIT
    assert body.endswith(marks.SHORTENED) or length < marks.BODY_LIMIT


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(None, id="no-text"),
        pytest.param("text", id="no-mark"),
        pytest.param("<!-- tidegate {broken -->\ntext", id="broken"),
        pytest.param('<!-- tidegate {"author": } -->', id="no-json"),
        pytest.param("<!-- tidegate [] -->", id="a-list"),
        pytest.param('<!-- tidegate {"a":[]} -->', id="no-flat-value"),
        pytest.param('<!-- tidegate {"a":' + "[" * 30_000 + "]" * 30_000 + "} -->\ntext", id="longer-than-ours"),
        pytest.param('<!-- tidegate {"a":' + "[" * 1_900 + "]" * 1_900 + "} -->\ntext", id="deep"),
    ],
)
def test_F30_what_cannot_be_read_as_a_mark_is_none(body: str | None) -> None:
    assert marks.read(body)[0] == {}


def pull(**changes: Any) -> dict[str, Any]:
    """A pull request as GitHub shows it."""
    head = {"ref": "tidegate/x", "sha": "a" * 40, "repo": {"id": 5}}
    data: dict[str, Any] = {"number": 3, "node_id": "PR_3", "state": "closed", "title": "t", "head": head, "user": OWN}
    data |= {"base": {"ref": "main", "repo": {"id": 5}}, "body": None, "closed_at": "2026-03-01T12:30:00Z"}
    return data | {"created_at": "2026-03-01T12:00:00Z", "updated_at": "2026-03-01T12:00:00Z"} | changes


def said(found: Mapping[str, marks.Mark], text: str = "", user: Any = OWN, at: str = "12:30:00", **changes: Any) -> Any:
    """A comment as GitHub shows it, with these marks."""
    times = {"created_at": f"2026-03-01T{at}Z", "updated_at": f"2026-03-01T{at}Z"}
    return {"user": user, "body": marks.written(found, text)} | times | changes


OURS_CLOSES: Mapping[str, marks.Mark] = {"closes": "tidegate", "ours": True}
DANAS_CLOSES: Mapping[str, marks.Mark] = {"closes": "@dana", "ours": False}
ROBOT = {"login": "robot", "type": "User"}
DANA = {"login": "dana", "type": "User"}
EVE = {"login": "eve", "type": "User"}
LATER_EDITED = {"updated_at": "2026-03-01T12:31:00Z"}


@pytest.mark.parametrize(
    ("closer", "comments", "by", "ours"),
    [
        pytest.param(OWN, [said(OURS_CLOSES)], "tidegate", True, id="ours"),
        pytest.param(OWN, [said(DANAS_CLOSES)], "@dana", False, id="a-person-s-through-us"),
        pytest.param(OWN, [said(DANAS_CLOSES, at="12:29:01")], "@dana", False, id="the-record-comes-a-moment-before"),
        pytest.param(OWN, [said(DANAS_CLOSES, at="12:28:59")], "@tidegate[bot]", True, id="of-an-earlier-closing"),
        pytest.param(OWN, [said(DANAS_CLOSES, at="12:30:01")], "@tidegate[bot]", True, id="of-no-closing-yet"),
        pytest.param(OWN, [], "@tidegate[bot]", True, id="ours-by-taking-the-branch-away"),
        pytest.param(OWN, [said(DANAS_CLOSES), said(OURS_CLOSES)], "@dana", False, id="a-person-s-and-ours-at-once"),
        pytest.param(DANA, [said(OURS_CLOSES)], "@dana", False, id="a-person-was-faster"),
        pytest.param(DANA, [], "@dana", False, id="a-person-s"),
        pytest.param(DANA, [said(OURS_CLOSES, user=DANA)], "@dana", False, id="a-person-who-says-it-was-us"),
        pytest.param(OWN, [said(DANAS_CLOSES, **LATER_EDITED)], "@tidegate[bot]", True, id="an-edited-record"),
        pytest.param(ROBOT, [said(OURS_CLOSES, user=ROBOT)], "tidegate", True, id="by-our-earlier-account"),
        pytest.param(ROBOT, [], "@robot", False, id="by-the-person-behind-that-account"),
        pytest.param(None, [said(OURS_CLOSES)], None, False, id="a-deleted-account-s"),
    ],
)  # fmt: skip
def test_F16_github_says_who_closed_it_and_our_record_for_whom(
    closer: Any, comments: list[Any], by: str | None, ours: bool
) -> None:
    account = replace(BOT, also=("robot",))
    found = proposals.closed(proposals.parse(pull(), account), {"closed_by": closer}, comments, account)
    assert (found.closed_by, found.closed_by_us, found.lifted) == (by, ours, False)


@pytest.mark.parametrize(
    ("comment", "lifted"),
    [
        pytest.param(said({"lifts": "2026-03-01T12:30:00Z", "by": "@dana"}), True, id="this-closing"),
        pytest.param(said({"lifts": "2026-03-01T11:30:00Z", "by": "@dana"}), False, id="an-earlier-one"),
        pytest.param(said({"lifts": "2026-03-01T12:30:00Z"}, user=EVE), False, id="somebody-s-own-words"),
        pytest.param(said({"lifts": "2026-03-01T12:30:00Z"}, **LATER_EDITED), False, id="edited"),
    ],
)
def test_F16_a_lift_is_of_one_closing(comment: Any, lifted: bool) -> None:
    found = proposals.closed(proposals.parse(pull(), BOT), {"closed_by": DANA}, [comment], BOT)
    assert (found.lifted, found.vetoes) == (lifted, not lifted)


def test_F16_the_body_says_nothing_of_a_closing() -> None:
    body = marks.written({"closed_by": "tidegate", "closed_at": "soon", "ours": True, "lifted_by": "@eve"}, "b")
    found = proposals.closed(proposals.parse(pull(body=body), BOT), {"closed_by": DANA}, [], BOT)
    assert (found.closed_by, found.vetoes) == ("@dana", True)


ACTIONS = Account(login="github-actions[bot]", number=9, bot=True)
ANOTHER = {"login": "other[bot]", "type": "Bot"}


@pytest.mark.parametrize(
    ("account", "user", "believed"),
    [
        pytest.param(BOT, OWN, True, id="our-own"),
        pytest.param(BOT, ANOTHER, False, id="another-bot"),
        pytest.param(replace(BOT, also=("other[bot]",)), ANOTHER, True, id="an-earlier-bot-of-ours"),
        pytest.param(BOT, DANA, False, id="a-person"),
        pytest.param(PERSON, OWN, False, id="any-bot-to-a-person"),
        pytest.param(replace(PERSON, also=("tidegate[bot]",)), OWN, True, id="our-bot-to-a-person"),
        pytest.param(PERSON, EVE, False, id="another-person"),
        pytest.param(BOT, None, False, id="a-ghost"),
    ],
)
def test_whose_marks_are_believed(account: Account, user: Any, believed: bool) -> None:
    found = proposals.parse(pull(state="open", user=user, body=marks.written({"author": "@x"}, "")), account)
    assert (found.proposal.author == "@x") == believed


@pytest.mark.parametrize(
    ("account", "address", "ours"),
    [
        pytest.param(BOT, "7+tidegate[bot]@users.noreply.github.com", True, id="our-own"),
        pytest.param(BOT, "8+other[bot]@users.noreply.github.com", False, id="another-bot"),
        pytest.param(PERSON, "8+other[bot]@users.noreply.github.com", False, id="any-bot-to-a-person"),
        pytest.param(replace(PERSON, also=("tidegate[bot]",)), "7+tidegate[bot]@users.noreply.github.com", True,
                     id="our-bot-to-a-person"),
        pytest.param(replace(BOT, also=("dana",)), "8+dana@users.noreply.github.com", False, id="a-person-s-own"),
    ],
)  # fmt: skip
def test_whose_signed_commits_are_ours(account: Account, address: str, ours: bool) -> None:
    assert account.wrote(address) == ours


@pytest.mark.parametrize(
    ("account", "comment", "author"),
    [
        pytest.param(BOT, said({"by": "@dana"}), "@dana", id="who-speaks-through-our-app"),
        pytest.param(BOT, said({"by": "@dana"}, **LATER_EDITED), "@tidegate[bot]", id="edited"),
        pytest.param(BOT, said({"by": "tidegate"}, **LATER_EDITED), "tidegate", id="ours-that-we-bring-up-to-date"),
        pytest.param(BOT, said({"by": "@dana"}, user=EVE), "@eve", id="somebody-else-says-so"),
        pytest.param(ACTIONS, said({"by": "@dana"}, user={"login": ACTIONS.login, "type": "Bot"}),
                     "@github-actions[bot]", id="a-workflow-says-so"),
    ],
)  # fmt: skip
def test_F30_a_comment_is_of_a_person_only_where_nobody_else_could_say_so(
    account: Account, comment: Any, author: str
) -> None:
    found = proposals.comment(comment, account)
    assert found is not None
    assert found.author == author


def reviewed(state: str, at: str, user: Any = DANA) -> dict[str, Any]:
    return {"user": user, "state": state, "submitted_at": f"2026-03-01T{at}Z", "commit_id": "a" * 40}


RECORD: Mapping[str, marks.Mark] = {"approves": "a" * 40, "by": "@Dana"}


@pytest.mark.parametrize(
    ("reviews", "records", "stands"),
    [
        pytest.param([reviewed("APPROVED", "12:00:00")], [], True, id="a-review"),
        pytest.param([], [said(RECORD)], True, id="a-record"),
        pytest.param([reviewed("CHANGES_REQUESTED", "12:40:00")], [said(RECORD)], False, id="taken-back-by-a-review"),
        pytest.param([reviewed("CHANGES_REQUESTED", "12:20:00")], [said(RECORD)], True, id="given-after-a-review"),
        pytest.param([reviewed("CHANGES_REQUESTED", "12:40:00", EVE)], [said(RECORD)], True, id="somebody-else-s"),
        pytest.param([reviewed("COMMENTED", "12:40:00")], [said(RECORD)], True, id="a-word-in-between"),
        pytest.param([reviewed("DISMISSED", "12:00:00")], [], False, id="dismissed"),
        pytest.param([], [said(RECORD, user=EVE)], False, id="somebody-s-own-record-for-another"),
        pytest.param([], [said(RECORD, user=DANA)], True, id="one-s-own-record"),
        pytest.param([], [said(RECORD, **LATER_EDITED)], False, id="an-edited-record"),
    ],
)
def test_the_last_word_of_each_person_counts(reviews: list[Any], records: list[Any], stands: bool) -> None:
    found = list(proposals.approvals(reviews, records, "tidegate[bot]", BOT))
    assert [each.head for each in found] == (["a" * 40] if stands else [])


@pytest.mark.parametrize(
    ("there", "fork"),
    [
        pytest.param({"id": 5, "full_name": "acme/renamed"}, False, id="renamed"),
        pytest.param({"id": 6, "full_name": "acme/models"}, True, id="a-fork"),
        pytest.param(None, True, id="gone"),
    ],
)
def test_F30_a_fork_is_told_by_its_id(there: Any, fork: bool) -> None:
    data = pull(head={"ref": "tidegate/x", "sha": "a" * 40, "repo": there})
    assert (proposals.is_fork(data), proposals.is_ours(data)) == (fork, not fork)


def test_a_pull_request_of_a_deleted_account_is_a_ghost_s() -> None:
    assert proposals.parse(pull(user=None, body=None, state="open"), BOT).proposal.author == "@ghost"


def test_a_merged_one_names_its_commit_and_an_open_one_does_not() -> None:
    merged = pull(body="", merged_at="2026-03-01T13:00:00Z", merge_commit_sha="b" * 40)
    assert proposals.parse(merged, BOT).proposal.merge_commit == "b" * 40
    opened = proposals.parse(pull(body="", state="open", merge_commit_sha="c" * 40), BOT).proposal
    assert (opened.state, opened.merge_commit) == (ProposalState.OPEN, None)


@pytest.mark.parametrize(
    ("message", "whole"),
    [
        pytest.param("", "N: 1", id="nothing"),
        pytest.param("Key: k1", "Key: k1\nN: 1", id="trailers"),
        pytest.param("why", "why\n\nN: 1", id="a-sentence"),
        pytest.param("why\n\nKey: k1\nEnd: x", "why\n\nKey: k1\nEnd: x\nN: 1", id="a-sentence-and-trailers"),
    ],
)
def test_a_trailer_joins_the_block_at_the_end(message: str, whole: str) -> None:
    assert _with_trailer(message, "N: 1") == whole


# Limits.


def test_F10_writes_are_counted_over_a_minute_and_over_an_hour() -> None:
    clock = Ticking()
    limits = Limits("pause", clock.now, None)
    for place in range(60):
        limits.spend("GitHub", f"#{place}")
    with pytest.raises(OutsideSystem, match="60 writes"):
        limits.spend("GitHub", "#99")
    limits.require("GitHub")
    for minute in range(1, 7):
        clock.at += timedelta(seconds=61)
        for place in range(60 if minute < 6 else 40):
            limits.spend("GitHub", f"#{minute} {place}")
    with pytest.raises(OutsideSystem, match="400 writes"):
        limits.spend("GitHub", "#99")
    clock.at += timedelta(hours=1)
    limits.spend("GitHub", "#99")


def test_F10_a_share_of_the_writes_is_kept_for_what_is_urgent() -> None:
    limits = Limits("pause", Ticking().now, None)
    for _ in range(60):
        limits.spend("GitHub", "")
    with limits.urgently():
        for _ in range(15):
            limits.spend("GitHub", "")
        with pytest.raises(OutsideSystem, match="75 writes"):
            limits.spend("GitHub", "")
    with pytest.raises(OutsideSystem, match="60 writes"):
        limits.spend("GitHub", "")


def left(remaining: int, resource: str = "core") -> dict[str, str]:
    """What an answer at noon says of an hour that ends at half past."""
    reset = str(int((NOON + timedelta(minutes=30)).timestamp()))
    told = {"remaining": str(remaining), "limit": "5000", "reset": reset, "resource": resource}
    return {f"x-ratelimit-{name}": value for name, value in told.items()}


@pytest.mark.parametrize(
    ("headers", "waits"),
    [
        pytest.param(left(1000), False, id="a-fifth-is-left"),
        pytest.param(left(999), True, id="less-than-a-fifth"),
        pytest.param(left(999, "graphql"), False, id="of-another-limit"),
        pytest.param({}, False, id="a-server-without-limits"),
        pytest.param({**left(0), "x-ratelimit-limit": "many"}, False, id="no-number"),
    ],
)
def test_F21_what_can_wait_leaves_the_last_requests_of_the_hour(headers: dict[str, str], *, waits: bool) -> None:
    clock = Ticking()
    limits = Limits("pause", clock.now, None)
    limits.note(headers)
    limits.require("GitHub")
    with limits.sparingly(), pytest.raises(OutsideSystem, match="999 of 5000") if waits else nullcontext():
        limits.require("GitHub")
    limits.require("GitHub")
    clock.at += timedelta(minutes=31)
    with limits.sparingly():
        limits.require("GitHub")


@pytest.mark.parametrize(
    ("path", "subject"),
    [
        pytest.param("/repos/a/b/pulls/7/merge", "#7", id="a-pull-request"),
        pytest.param("/repos/a/b/issues/7/comments", "#7", id="its-comments"),
        pytest.param("/repos/a/b/pulls", "tidegate/x", id="a-new-one-of-a-branch"),
        pytest.param("/repos/a/b/git/trees", "", id="trees-of-all-models"),
        pytest.param("/repos/a/b/check-runs", "", id="checks-of-all-models"),
        pytest.param("/repos/a/b/check-runs/12", "/repos/a/b/check-runs/12", id="one-check"),
    ],
)
def test_F10_what_all_models_write_to_is_no_subject_of_its_own(path: str, subject: str) -> None:
    assert _subject(path, {"head": "tidegate/x"} if path.endswith("pulls") else {}) == subject


def test_F21_a_pause_survives_the_process_and_what_is_broken_in_memory_does_not_matter() -> None:
    clock, memory = Ticking(), Kept()
    assert Limits("pause", clock.now, memory).heed(403, {"retry-after": "30"}, "") is not None
    with pytest.raises(OutsideSystem, match="12:00:30"):
        Limits("pause", clock.now, memory).require("GitHub")
    for broken in (b"\xff not a time", b"2026-03-01T12:00:30", b"2027-03-01T12:00:30+00:00"):
        memory.texts["pause"] = broken
        Limits("pause", clock.now, memory).require("GitHub")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({"retry-after": "99999999999999"}, 60, id="no-time-at-all"),
        pytest.param({"retry-after": "9999999"}, 3600, id="longer-than-any-limit"),
        pytest.param({"retry-after": "²"}, 60, id="no-digit"),
        pytest.param({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1772452800000"}, 60, id="milliseconds"),
        pytest.param({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9999999999"}, 3600, id="far-away"),
        pytest.param({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, 1, id="long-ago"),
    ],
)
def test_F21_no_pause_is_longer_than_an_hour(headers: dict[str, str], seconds: int) -> None:
    until = Limits("pause", Ticking().now, None).heed(429, headers, "")
    assert until == NOON + timedelta(seconds=seconds)


def test_F21_a_clock_that_is_put_right_ends_a_pause_of_another_year() -> None:
    clock = Ticking(at=NOON + timedelta(days=365))
    limits = Limits("pause", clock.now, None)
    limits.heed(429, {"retry-after": "60"}, "")
    clock.at = NOON
    limits.require("GitHub")


@pytest.mark.parametrize(
    ("status", "headers", "message", "pauses"),
    [
        pytest.param(403, {}, "Resource not accessible by integration", False, id="a-permission"),
        pytest.param(403, {"x-ratelimit-remaining": "12"}, "Forbidden", False, id="something-left"),
        pytest.param(200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9"}, "", False, id="the-last-one"),
        pytest.param(403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1772370000"}, "", True, id="primary"),
        pytest.param(403, {}, "You have exceeded a secondary rate limit.", True, id="secondary"),
        pytest.param(429, {}, "", True, id="429"),
    ],
)  # fmt: skip
def test_F21_a_limit_is_told_from_a_refusal(status: int, headers: dict[str, str], message: str, pauses: bool) -> None:
    assert (Limits("pause", Ticking().now, None).heed(status, headers, message) is not None) == pauses


# Who we are.


def _keys() -> tuple[str, str, str]:
    """An encrypted private key, a public one and one of another kind."""
    rsa_key, other = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
    form = (Encoding.PEM, PrivateFormat.PKCS8)
    encrypted = rsa_key.private_bytes(*form, BestAvailableEncryption(b"hunter2"))
    public = rsa_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return encrypted.decode(), public.decode(), other.private_bytes(*form, NoEncryption()).decode()


ENCRYPTED, PUBLIC, ELLIPTIC = _keys()


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("no key", id="words"),
        pytest.param("/srv/keys/tidegate.pem", id="a-path"),
        pytest.param("schlüssel \udcff", id="bytes"),
        pytest.param(PUBLIC, id="a-public-key"),
        pytest.param(ELLIPTIC, id="a-key-of-another-kind"),
        pytest.param(ENCRYPTED, id="with-a-password"),
        pytest.param(ELLIPTIC[:90], id="cut-off"),
        pytest.param(ELLIPTIC.replace("\n", "\\n"), id="line-breaks-written-out"),
    ],
)
def test_I11_I14_a_private_key_that_is_none_is_said_so_without_its_text(key: str) -> None:
    session = Session(Address(owner="acme", name="models"), AppKey(app_id="1", private_key=key))
    with pytest.raises(WrongUse, match=r"private key .* TIDEGATE_GITHUB_APP_KEY,") as failed:
        session.token()
    assert key not in f"{failed.value} {session!r}"
