"""The check of people's pull requests in the passes of the loop, in process on the fake GitHub: whose turn it is, what
it costs, and what a check rests on that was written while somebody spoke."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from support.gating import MODEL, at_main, gate, said
from support.github.server import FakeGitHub
from support.github.state import Pull, Role
from support.github_hub import Hub, asked, handed_requests
from support.github_worlds import NAME
from support.peoples_pulls import conclusion, opened, proposed, review
from support.repositories import git
from support.worlds import MANIFEST, Clock
from tidegate.core.observed import CheckState
from tidegate.errors import OutsideSystem, Refused
from tidegate.steps import approving, checking

pytestmark = pytest.mark.contract
HOLD = MANIFEST + "  hold: {reason: audit}\n"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """Main has a workspace in which @dana lets versions into production."""
    clock = Clock()
    with FakeGitHub(tmp_path / "github", now=clock.now) as github:
        yield Hub(tmp_path, github, clock)


def calls(hub: Hub, part: str = "") -> list[str]:
    """What the API was asked since `forget_calls`, git's own requests left out."""
    asked_for = (f"{call.method} {call.path}" for call in hub.github.calls if ".git/" not in call.path)
    return [call for call in asked_for if part in call]


def test_F25_a_persons_pull_request_that_no_event_checked_is_checked_by_the_next_pass(hub: Hub) -> None:
    pull, readme = proposed(hub, "alice/hold", HOLD), proposed(hub, "alice/readme", "hello", "README.md")
    assert conclusion(hub, pull) == "missing"
    hub.tick()
    assert (conclusion(hub, pull), conclusion(hub, readme)) == (None, "success")
    review(hub, "dana", pull.number)
    hub.tick()
    assert conclusion(hub, pull) == "success"


@pytest.mark.parametrize(
    "branch",
    [
        pytest.param("tidegate/nothing", id="of no transition"),
        pytest.param("tidegate/letters/production/pin-k0123456789abcdef", id="of a model that is not there"),
    ],
)
def test_one_on_a_branch_that_is_called_like_ours_is_checked_too(hub: Hub, branch: str) -> None:
    pull = proposed(hub, branch, "hello", "README.md")
    hub.tick()
    assert conclusion(hub, pull) == "success"


def test_comments_that_approve_are_seen_by_the_next_pass(hub: Hub) -> None:
    clone = hub.clone()
    settings = (hub.show("tidegate.yaml") or "") + "forge: {approvals: comments}\n"
    clone.commit({"tidegate.yaml": settings}, "comments")
    clone.push("HEAD:main")
    pull = proposed(hub, "alice/hold", HOLD)
    hub.tick()
    assert conclusion(hub, pull) is None
    asked(hub.github, "dana", "POST", f"/issues/{pull.number}/comments", {"body": f"/tidegate approve {pull.head_sha}"})
    hub.tick()
    assert conclusion(hub, pull) == "success"


def test_one_that_shares_no_commit_with_main_fails_and_stops_no_other(hub: Hub) -> None:
    clone = hub.clone()
    clone.git("checkout", "--quiet", "--orphan", "eve/alone")
    clone.commit({"README.md": "alone"}, "alone")
    clone.push("HEAD:refs/heads/eve/alone")
    alone = opened(hub, "eve/alone", by="eve")
    clone.git("checkout", "--quiet", "--force", "main")
    other = proposed(hub, "alice/readme", "hello", "README.md")
    report = hub.tick()
    assert (report.failures, conclusion(hub, alone), conclusion(hub, other)) == ((), "failure", "success")


def test_one_whose_head_is_not_given_out_yet_waits_and_is_no_failure_for_ever(hub: Hub) -> None:
    """A fork's head comes a moment after its pull request. What would be read in public names no path of ours."""
    pull = proposed(hub, "alice/readme", "hello", "README.md")
    desk, _ = at_main(hub)
    early = replace(desk.forge.pull_request(pull.number), head="f" * 40)
    with pytest.raises(OutsideSystem, match=f"the head of #{pull.number}, ffffffffffff, is not given out") as told:
        approving.edited(desk, early)
    assert not [part for part in (str(hub.folder), "fetch-depth") if part in str(told.value)]


def test_one_that_github_does_not_answer_for_stops_no_other(hub: Hub) -> None:
    pulls = [proposed(hub, f"alice/readme-{number}", f"hello {number}", "README.md") for number in range(3)]
    hub.github.fault("GET", f"/pulls/{pulls[0].number}/reviews$", "before", times=9)
    (failure,) = hub.tick().failures
    hub.github.mend()
    assert failure.startswith(f"#{pulls[0].number}: ")
    assert [conclusion(hub, pull) for pull in pulls] == ["missing", "success", "success"]
    assert hub.tick().failures == ()
    assert conclusion(hub, pulls[0]) == "success"


def test_a_check_that_may_not_be_read_stops_no_other(hub: Hub) -> None:
    bad, good = (proposed(hub, f"alice/readme-{number}", f"hello {number}", "README.md") for number in range(2))
    hub.github.fault("GET", f"/commits/{bad.head_sha}/check-runs", "before", times=9, status=403, message="no")
    (failure,) = hub.tick().failures
    assert failure.startswith(f"#{bad.number}: ")
    assert conclusion(hub, good) == "success"


def test_a_github_that_fails_three_times_in_a_row_is_left_alone(hub: Hub) -> None:
    pulls = [proposed(hub, f"alice/readme-{number}", f"hello {number}", "README.md") for number in range(4)]
    hub.github.fault("GET", r"/pulls/\d+/reviews$", "before", times=99)
    assert len(hub.tick().failures) == 3
    assert {conclusion(hub, pull) for pull in pulls} == {"missing"}


def test_what_is_settled_is_not_read_again(hub: Hub) -> None:
    proposed(hub, "alice/readme", "hello", "README.md")
    for _ in range(2):
        hub.tick(timedelta(0))
    hub.github.forget_calls()
    hub.tick(timedelta(0))
    assert len(calls(hub)) == 3, calls(hub)


def test_what_the_record_of_the_turn_says_is_no_matter(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "AT_ONCE", 1)
    pulls = [proposed(hub, f"alice/{n}", f"hello {n}", f"{n}.md") for n in range(2)]
    hub.ports.repository.write_record(checking.TURN, "nobody's", None)
    for _ in pulls:
        assert hub.tick(timedelta(0)).failures == ()
    assert {conclusion(hub, pull) for pull in pulls} == {"success"}


def test_where_the_turn_may_not_be_written_it_is_said_and_all_else_goes_on(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "AT_ONCE", 1)
    pulls = [proposed(hub, f"alice/{n}", f"hello {n}", f"{n}.md") for n in range(2)]
    hub.train(1)

    def refusing(name: str, call: Callable[[], Any]) -> Any:
        if name == "git push" and hub.pulls[-1].merged:
            raise Refused("no")
        return call()

    report = hub.tick(ports=handed_requests(hub, refusing))
    assert [failure.partition(":")[0] for failure in report.failures] == ["whose turn it is cannot be kept"]
    assert [pull.merged for pull in hub.pulls] == [False, False, True], "version 1 enters staging"
    assert [conclusion(hub, pull) for pull in pulls] == ["missing", "success"], "the newest are looked at"


def test_F21_however_many_strangers_open_a_pass_looks_at_a_few_and_all_have_their_turn(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "AT_ONCE", 2)
    pulls = [proposed(hub, f"eve/hold-{n}", f"{HOLD}# {n}\n", by="eve") for n in range(5)]
    for _ in range(3):
        hub.github.forget_calls()
        hub.ports = hub.connect()
        assert hub.tick(timedelta(minutes=1)).failures == ()
        assert len({call.split("/")[-2] for call in calls(hub, "/reviews")}) in (1, 2)
    assert {conclusion(hub, pull) for pull in pulls} == {None}


@pytest.mark.parametrize(
    ("login", "known"),
    [
        pytest.param("mallory", 0, id="a-strangers-approval-costs-nothing"),
        pytest.param("dana", 3, id="who-wrote-it-is-asked-where-it-decides"),
    ],
)
def test_F21_who_wrote_the_commits_is_asked_where_the_approvals_would_suffice(hub: Hub, login: str, known: int) -> None:
    pull = many_commits(hub, 3)
    review(hub, login, pull)
    hub.github.forget_calls()
    hub.tick(timedelta(0))
    asked_for = {call for call in calls(hub, "/commits/") if "check-runs" not in call}
    assert len(asked_for) == known


def test_more_commits_than_anybody_asks_for_wait_and_say_why(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approving, "MANY_COMMITS", 2)
    number = many_commits(hub, 3)
    review(hub, "dana", number)
    hub.github.forget_calls()
    check = gate(hub, number).check
    assert check is not None
    assert (check.state, "it has 3 commits" in check.summary) == (CheckState.PENDING, True)
    assert not [call for call in calls(hub, "/commits/") if "check-runs" not in call]


def many_commits(hub: Hub, count: int) -> int:
    """@eve's pull request of so many commits that hold the model: its number."""
    clone = hub.clone()
    clone.git("checkout", "--quiet", "-B", "eve/many", "origin/main")
    for number in range(count):
        clone.commit({"models/digits/model.yaml": f"{HOLD}# {number}\n"}, f"commit {number}")
    clone.push("+HEAD:refs/heads/eve/many")
    clone.git("checkout", "--quiet", "main")
    return opened(hub, "eve/many", by="eve").number


def test_F21_what_is_left_of_the_hours_requests_is_kept_for_reverts(hub: Hub) -> None:
    """The loop goes on with what is due; people's checks wait, and it is said."""
    pull = proposed(hub, "alice/readme", "hello", "README.md")
    hub.train(1)

    def scarce(name: str, call: Callable[[], Any]) -> Any:
        answer = call()
        if name.startswith("git"):
            return answer
        reset = int((hub.clock.at + timedelta(minutes=20)).timestamp())
        told = {"remaining": "999", "limit": "5000", "reset": str(reset), "resource": "core"}
        return replace(answer, headers={**answer.headers, **{f"x-ratelimit-{key}": told[key] for key in told}})

    ports = handed_requests(hub, scarce)
    (failure,) = hub.tick(ports=ports).failures
    assert "999 of 5000 requests are left" in failure
    assert conclusion(hub, pull) == "missing"
    assert [other.merged for other in hub.pulls] == [False, True], "version 1 enters staging"
    hub.wait(timedelta(minutes=20))
    hub.tick()
    assert conclusion(hub, pull) == "success"


@pytest.mark.parametrize("by", ["a pass", "an event"])
def test_I4_an_approval_taken_back_while_the_check_was_written_is_no_approval(hub: Hub, by: str) -> None:
    """An event's run has written by then that it waits: what passes is not looked at again, so it must not stay."""
    pull = proposed(hub, "alice/hold", HOLD)
    hub.tick()
    review(hub, "dana", pull.number)
    taken: list[str] = []

    def around(name: str, call: Callable[[], Any]) -> Any:
        if "/check-runs" in name and not name.startswith("GET") and not taken:
            taken.append(name)
            review(hub, "dana", pull.number, "REQUEST_CHANGES")
            assert gate(hub, pull.number).check is not None
        return call()

    if by == "a pass":
        hub.tick(ports=handed_requests(hub, around))
    else:
        connect, hub.connect = hub.connect, lambda: handed_requests(hub, around)  # type: ignore[method-assign]
        answer = gate(hub, pull.number)
        hub.connect = connect  # type: ignore[method-assign]
        assert answer.check is not None
        assert answer.check.state is CheckState.PENDING
    assert taken
    assert conclusion(hub, pull) is None


def test_a_head_that_a_proposal_of_ours_has_keeps_the_proposals_check(hub: Hub) -> None:
    hub.train(1)
    hub.until(lambda: len(hub.pulls) == 2, approving=False)
    entry = hub.pulls[-1]
    before = said(hub, entry.number)
    git(hub.bare, "update-ref", "refs/heads/alice/same", entry.head_sha)
    opened(hub, "alice/same")
    for _ in range(2):
        hub.github.forget_calls()
        hub.tick(timedelta(0))
        assert [call for call in calls(hub) if not call.startswith("GET")] == []
    assert (conclusion(hub, entry), said(hub, entry.number)) == (None, before)


def test_of_two_that_share_a_head_the_stricter_is_shown_and_written_once(hub: Hub) -> None:
    """@dana opened one of them: there her own approval does not count, and the check is the commit's."""
    theirs = proposed(hub, "alice/hold", HOLD)
    git(hub.bare, "update-ref", "refs/heads/dana/hold", theirs.head_sha)
    opened(hub, "dana/hold", by="dana")
    review(hub, "dana", theirs.number)
    hub.tick(timedelta(0))
    assert conclusion(hub, theirs) is None
    hub.github.forget_calls()
    hub.tick(timedelta(0))
    assert [call for call in calls(hub) if not call.startswith("GET")] == []
    assert len([run for run in hub.github.repository(NAME).checks if run.sha == theirs.head_sha]) == 1


def beside(hub: Hub, pull: Pull, login: str, role: Role) -> Pull:
    """This person's pull request of the same commit."""
    git(hub.bare, "update-ref", f"refs/heads/{login}/same", pull.head_sha)
    other = opened(hub, f"{login}/same", by=login)
    hub.github.repository(NAME).roles[login] = role
    return other


@pytest.mark.parametrize("by", ["a pass", "an event of theirs", "an event of the stranger's"])
def test_a_stranger_who_proposes_a_persons_commit_once_more_holds_nothing_back(hub: Hub, by: str) -> None:
    """A commit has one check, whoever proposes it: by the stranger's own pull request it would wait for ever."""
    theirs = proposed(hub, "alice/hold", HOLD)
    strangers = beside(hub, theirs, "mallory", "read")
    review(hub, "dana", theirs.number)
    if by == "a pass":
        hub.tick()
    else:
        gate(hub, theirs.number if by == "an event of theirs" else strangers.number)
    assert conclusion(hub, theirs) == "success"


def test_what_nobody_approved_waits_whoever_proposes_the_commit_once_more(hub: Hub) -> None:
    theirs = proposed(hub, "alice/hold", HOLD)
    strangers = beside(hub, theirs, "mallory", "read")
    for number in (theirs.number, strangers.number):
        gate(hub, number)
        assert conclusion(hub, theirs) is None
    hub.tick()
    assert conclusion(hub, theirs) is None


def test_of_strangers_alone_the_stricter_decides(hub: Hub) -> None:
    first = proposed(hub, "mallory/hold", HOLD, by="mallory")
    hub.github.repository(NAME).roles["mallory"] = "read"
    beside(hub, first, "eve", "read")
    review(hub, "dana", first.number)
    gate(hub, first.number)
    assert conclusion(hub, first) is None


def test_who_proposed_a_commit_does_not_approve_it_where_somebody_else_proposes_it(hub: Hub) -> None:
    """@dana is listed, and may not write: her own pull request has no say, and neither has she."""
    theirs = proposed(hub, "alice/hold", HOLD)
    beside(hub, theirs, "dana", "read")
    review(hub, "dana", theirs.number)
    hub.github.repository(NAME).roles["dana"] = "read"
    assert said(hub, theirs.number).startswith("needs an approval by @dana")
    assert conclusion(hub, theirs) is None


def test_a_pull_request_to_another_branch_has_no_say(hub: Hub) -> None:
    theirs = proposed(hub, "alice/hold", HOLD)
    other = beside(hub, theirs, "kim", "write")
    review(hub, "dana", theirs.number)
    gate(hub, theirs.number)
    assert conclusion(hub, theirs) is None, "@kim may write, and nobody approved hers"
    git(hub.bare, "branch", "release", "main")
    other.base_ref = "release"
    gate(hub, theirs.number)
    assert conclusion(hub, theirs) == "success"


@pytest.mark.parametrize("by", ["a pass", "an event"])
def test_I4_an_approval_for_another_base_is_none_for_main(hub: Hub, by: str) -> None:
    """On top of a branch that nobody looked at, a pull request shows one harmless file; pointed at main, all of it."""
    clone = hub.clone()
    clone.git("checkout", "--quiet", "-B", "alice/stack", "origin/main")
    clone.commit({MODEL: HOLD}, "a hold that nobody has seen")
    clone.push("+HEAD:refs/heads/alice/stack")
    clone.git("checkout", "--quiet", "-B", "alice/top")
    clone.commit({"README.md": "typo"}, "a typo")
    clone.push("+HEAD:refs/heads/alice/top")
    pull = opened(hub, "alice/top", onto="alice/stack")
    review(hub, "dana", pull.number)
    hub.tick(timedelta(minutes=1))
    assert conclusion(hub, pull) == "missing"
    asked(hub.github, "alice", "PATCH", f"/pulls/{pull.number}", {"base": "main"})
    looks: dict[str, Callable[[], object]] = {"a pass": hub.tick, "an event": lambda: gate(hub, pull.number)}
    looks[by]()
    assert conclusion(hub, pull) is None
    hub.wait(timedelta(minutes=1))
    review(hub, "dana", pull.number)
    looks[by]()
    assert conclusion(hub, pull) == "success"


@pytest.mark.parametrize("by", ["a pass", "an event of theirs", "an event of a stranger's"])
@pytest.mark.parametrize(
    ("shown", "told"),
    [
        pytest.param(True, True, id="of-a-writer"),
        pytest.param(False, True, id="of-a-writer-whom-github-shows-as-none"),
        pytest.param(True, False, id="where-who-may-write-is-not-told"),
    ],
)
def test_F21_more_strangers_than_are_looked_at_hold_nothing_back_either(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, by: str, shown: bool, told: bool
) -> None:
    """They were there first, and push the person's commit to their branches."""
    if not told:
        hub.github.fault("GET", "/collaborators$", "before", times=99, status=403, message="Must have push access")
    monkeypatch.setattr(checking, "AT_ONCE", 2)
    strangers = [proposed(hub, f"eve/{n}", f"hello {n}", f"{n}.md", by="eve") for n in range(3)]
    theirs = proposed(hub, "alice/hold", HOLD)
    roles = hub.github.repository(NAME).roles
    if shown:
        roles["alice"] = "write"
    roles["eve"] = "none"
    for n in range(3):
        git(hub.bare, "update-ref", f"refs/heads/eve/{n}", theirs.head_sha)
    review(hub, "dana", theirs.number)
    if by == "a pass":
        hub.tick()
    else:
        gate(hub, theirs.number if by == "an event of theirs" else strangers[-1].number)
    assert conclusion(hub, theirs) == "success"
