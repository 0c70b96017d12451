"""Merging while people do something to the proposal, and the look behind the merge: on the fake GitHub, in process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from support.crashes import Died
from support.gating import at_main, commit
from support.github.server import FakeGitHub
from support.github.state import Pull
from support.github_hub import Hub, asked, handed_requests
from support.github_worlds import NAME
from support.peoples_pulls import review
from support.repositories import git
from support.worlds import Clock, stable
from tidegate import pull as pulls
from tidegate.errors import MergeConflict, OutsideSystem
from tidegate.steps.deciding import Judges

pytestmark = pytest.mark.contract


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    clock = Clock()
    with FakeGitHub(tmp_path / "github", now=clock.now) as github:
        yield Hub(tmp_path, github, clock)


@pytest.fixture
def entry(hub: Hub) -> Pull:
    """Version 1 asks to enter production."""
    hub.train(1)
    hub.until(lambda: len(hub.pulls) == 2, approving=False)
    return hub.pulls[-1]


def protect(hub: Hub, *required: str) -> None:
    """main asks for these checks, and GitHub merges by itself what waits for one."""
    rules = {
        "required_status_checks": {"strict": False, "contexts": required},
        "enforce_admins": True,
        "required_pull_request_reviews": None,
        "restrictions": None,
    }
    asked(hub.github, "olga", "PUT", "/branches/main/protection", rules)
    asked(hub.github, "olga", "PATCH", "", {"allow_auto_merge": True})


def with_queue(hub: Hub) -> None:
    queue = {
        "check_response_timeout_minutes": 60,
        "grouping_strategy": "ALLGREEN",
        "max_entries_to_build": 5,
        "max_entries_to_merge": 5,
        "merge_method": "MERGE",
        "min_entries_to_merge": 1,
        "min_entries_to_merge_wait_minutes": 5,
    }
    checks = {"required_status_checks": [{"context": "lint"}], "strict_required_status_checks_policy": False}
    rules = [{"type": "merge_queue", "parameters": queue}, {"type": "required_status_checks", "parameters": checks}]
    conditions = {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}
    body = {"name": "main", "target": "branch", "enforcement": "active", "conditions": conditions, "rules": rules}
    asked(hub.github, "olga", "POST", "/rulesets", body)


def armed(pull: Pull) -> str | None:
    """Who armed its auto-merge."""
    return pull.auto_merge.by.login if pull.auto_merge else None


def report(hub: Hub, head: str) -> None:
    asked(hub.github, "olga", "POST", f"/statuses/{head}", {"state": "success", "context": "lint"})


def retargeted(hub: Hub, pull: Pull) -> None:
    """@lee gives it another base."""
    git(hub.bare, "branch", "release", "main")
    asked(hub.github, "lee", "PATCH", f"/pulls/{pull.number}", {"base": "release"})


def retargeted_at(hub: Hub, verb: str, part: str) -> None:
    """@lee gives the newest another base right before the next such request is answered."""
    git(hub.bare, "branch", "release", "main")

    def before(_: int, method: str, path: str) -> None:
        if method == verb and path.endswith(part):
            hub.github.on_call = None
            asked(hub.github, "lee", "PATCH", f"/pulls/{hub.pulls[-1].number}", {"base": "release"})

    hub.github.on_call = before


def test_I4_a_merge_that_went_into_another_branch_is_an_incident_and_is_proposed_again(hub: Hub, entry: Pull) -> None:
    """No look can be so late that nobody comes after it; the other branch holds every file as it was judged."""
    review(hub, "dana", entry.number)
    retargeted_at(hub, "PUT", "/merge")
    hub.tick()
    assert stable(hub) is None
    assert hub.tick().incidents == (merged_elsewhere(entry),)
    hub.until(lambda: stable(hub) == 1)
    again = hub.pulls[-1]
    assert (again.head_ref, again.base_ref, again.merged) == (entry.head_ref, "main", True)


def merged_elsewhere(pull: Pull) -> str:
    """The incident that says so."""
    where = f"into release, not into main, as {(pull.merge_commit or '')[:12]}"
    return f"#{pull.number} was merged {where}; take it back there, unless that was meant"


def test_I4_who_died_right_after_such_a_merge_leaves_the_incident_to_the_next_pass(hub: Hub, entry: Pull) -> None:
    review(hub, "dana", entry.number)
    retargeted_at(hub, "PUT", "/merge")

    def around(name: str, call: Callable[[], object]) -> object:
        if entry.merged:
            raise Died
        return call()

    with pytest.raises(Died):
        hub.tick(ports=handed_requests(hub, around))
    assert entry.base_ref == "release"
    assert hub.tick().incidents == (merged_elsewhere(entry),)


@pytest.mark.parametrize(
    "astray", [pytest.param(False, id="a-good-merge"), pytest.param(True, id="one-into-another-branch")]
)
def test_I4_a_merge_is_told_though_git_does_not_answer_after_it(hub: Hub, entry: Pull, *, astray: bool) -> None:
    review(hub, "dana", entry.number)
    if astray:
        retargeted_at(hub, "PUT", "/merge")

    def around(name: str, call: Callable[[], object]) -> object:
        if name.startswith("git") and entry.merged:
            raise OutsideSystem("git answers 502")
        return call()

    report = hub.tick(ports=handed_requests(hub, around))
    assert entry.merge_commit in [one.merged for one in report.done]
    assert hub.tick().incidents == ((merged_elsewhere(entry),) if astray else ())


def test_I4_a_copy_of_git_that_lags_makes_no_incident_of_a_good_merge(hub: Hub, entry: Pull) -> None:
    review(hub, "dana", entry.number)
    before = git(hub.bare, "rev-parse", "main").strip()

    def around(name: str, call: Callable[[], object]) -> object:
        said = call()
        lags = name == "git ls-remote" and entry.merged and "refs/heads/main" in str(said)
        return f"{before}\trefs/heads/main\n" if lags else said

    lagging = handed_requests(hub, around)
    assert [hub.tick(ports=lagging).incidents for _ in range(2)] == [(), ()]
    assert entry.merged


def test_I4_an_auto_merge_of_ours_does_not_follow_the_proposal_to_another_base(hub: Hub, entry: Pull) -> None:
    """GitHub leaves it armed where whoever changes the base may write."""
    protect(hub, "tidegate", "lint", "slow")
    review(hub, "dana", entry.number)
    hub.tick()
    assert armed(entry) == "tidegate[bot]"
    git(hub.bare, "branch", "release", "main")
    rules = {"strict": False, "contexts": ["lint"]}
    protected = {"enforce_admins": True, "required_pull_request_reviews": None, "restrictions": None}
    body = {"required_status_checks": rules, **protected}
    asked(hub.github, "olga", "PUT", "/branches/release/protection", body)
    asked(hub.github, "lee", "PATCH", f"/pulls/{entry.number}", {"base": "release"})
    hub.tick()
    assert entry.base_ref == "release"
    assert armed(entry) is None
    report(hub, entry.head_sha)
    assert hub.tick().incidents == ()
    assert not entry.merged


def test_I4_what_our_auto_merge_brought_to_another_base_is_an_incident(hub: Hub, entry: Pull) -> None:
    """Where nothing blocks there, GitHub merges in the instant of the change."""
    protect(hub, "tidegate", "lint")
    review(hub, "dana", entry.number)
    hub.tick()
    retargeted(hub, entry)
    assert entry.merged
    assert hub.tick().incidents == (merged_elsewhere(entry),)


def test_F18_what_an_outage_left_in_the_queue_is_taken_out_by_the_next_pass(hub: Hub, entry: Pull) -> None:
    """A queue merges by the checks of its own commit: the proposal's check holds nothing up there."""
    with_queue(hub)
    report(hub, entry.head_sha)
    review(hub, "dana", entry.number)
    hub.tick()
    queue = hub.github.repository(NAME).queues["main"]
    assert len(queue) == 1
    review(hub, "dana", entry.number, "REQUEST_CHANGES")
    outage = hub.github.fault("POST", "/graphql$", "before", times=99)
    assert "502" in str(hub.tick().failures)
    outage.times = 0
    hub.wait(timedelta(minutes=1))
    assert len(queue) == 1
    assert hub.tick().failures == ()
    assert queue == []
    assert not entry.merged


def test_I4_nothing_comes_between_what_people_say_and_the_merge(hub: Hub, entry: Pull) -> None:
    """What is read in between, people could use to take an approval back unheard."""
    review(hub, "dana", entry.number)
    hub.github.forget_calls()
    hub.tick()
    asked_for = [call.path.rpartition("/")[2] for call in hub.github.calls if ".git/" not in call.path]
    before = asked_for[: asked_for.index("merge")]
    since = before[len(before) - before[::-1].index("reviews") :]
    assert set(since) == {"events", "check-runs"}


def test_I4_a_base_that_is_changed_while_the_approvals_are_read_stops_the_merge(hub: Hub, entry: Pull) -> None:
    """They were given to what went to main."""
    review(hub, "dana", entry.number)
    git(hub.bare, "branch", "release", "main")
    seen: list[str] = []

    def before(_: int, method: str, path: str) -> None:
        seen.append(path)
        if path.endswith("/events") and any(each.endswith("/graphql") for each in seen):
            hub.github.on_call = None
            asked(hub.github, "lee", "PATCH", f"/pulls/{entry.number}", {"base": "release"})

    hub.github.on_call = before
    assert hub.tick().incidents == ()
    assert (entry.base_ref, entry.merged) == ("release", False)


def test_I4_what_somebody_retargets_before_the_last_look_is_merged_nowhere(hub: Hub) -> None:
    """Entering staging asks for no approval, so that none falls with the base."""
    hub.train(1)
    retargeted_at(hub, "POST", "/graphql")  # how main merges is asked right before
    report = hub.tick()
    (entering,) = hub.pulls
    assert (report.incidents, report.failures, entering.base_ref, entering.merged) == ((), (), "release", False)
    assert [one.waiting for one in report.done] == [
        "#1 goes to release by now, not to main; give it main for its base again, or close it"
    ]
    assert git(hub.bare, "rev-parse", "release") == git(hub.bare, "rev-parse", "main")
    hub.tick()
    assert stable(hub, "staging") == 1
    assert entering.state == "closed", "it went with its branch"


def test_I5_a_branch_with_somebodys_commit_that_does_not_merge_is_left_as_they_wrote_it(hub: Hub, entry: Pull) -> None:
    """@lee pushed to the proposal, and asks for the merge; what else they wrote there conflicts with main by now."""
    theirs = commit(hub, entry.head_ref, {"README.md": "theirs\n"}, by="lee@example.org", onto=entry.head_sha)
    commit(hub, "main", {"README.md": "another\n"})
    hub.wait(timedelta(minutes=1))
    review(hub, "dana", entry.number)
    desk, sources = at_main(hub)
    due = pulls.required(entry.number, sources, Judges(metrics=hub.metrics), hub.clock.at)
    with pytest.raises(MergeConflict, match=r"conflicts with main in README\.md; merge main into tidegate/"):
        pulls.merge(desk, due)
    assert git(hub.bare, "rev-parse", entry.head_ref).strip() == theirs
