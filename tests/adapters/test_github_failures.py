"""What goes wrong with GitHub, and what the adapter makes of it. F1 to F30 are the failure modes of other tools.

The contract of every forge has more of them: an outside merge, a moved head, a person's push (test_github_forge.py).
What goes wrong with branches is in test_remote_repository.py, what a whole pass makes of it in
end_to_end/test_github_rollout.py.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest
import requests
from github import Requester

from adapters.forge_contract import BRANCH, FIRST_FILES, LATER, PIN, World
from support.github.faults import Kind
from support.github_hub import asked
from support.github_worlds import NAME, GitHubWorld, Kept, github_world, session_of
from support.repositories import NOON
from tidegate.adapters.github import GitHubForge, Token, transport
from tidegate.adapters.github.session import GraphQlSaysNo
from tidegate.core.observed import Check, CheckState, Proposal, ProposalState
from tidegate.errors import MergeConflict, OutsideSystem, Raced, Refused, TidegateError, WrongUse
from tidegate.ports import Draft, Serving, Waiting

pytestmark = pytest.mark.contract
PASSED = CheckState.PASSED
FAILED = CheckState.FAILED


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[GitHubWorld]:
    with github_world(tmp_path, FIRST_FILES) as world:
        yield world


@pytest.fixture
def world(hub: GitHubWorld) -> World:
    return hub.contract


def protect(hub: GitHubWorld, **rules: object) -> None:
    """Classic branch protection of main."""
    nothing: dict[str, object] = {
        "required_status_checks": None,
        "enforce_admins": True,
        "required_pull_request_reviews": None,
        "restrictions": None,
    }
    asked(hub.github, "olga", "PUT", "/branches/main/protection", nothing | rules)


def require_check(hub: GitHubWorld, name: str = "lint", *, strict: bool = False) -> None:
    protect(hub, required_status_checks={"strict": strict, "contexts": [name]})


def report(hub: GitHubWorld, head: str, state: str, name: str = "lint") -> None:
    asked(hub.github, "olga", "POST", f"/statuses/{head}", {"state": state, "context": name})


# The merge itself.


@pytest.mark.parametrize(
    ("message", "raised"),
    [
        pytest.param("Head branch was modified. Review and try the merge again.", Raced, id="head-moved"),
        pytest.param("Base branch was modified. Review and try the merge again.", Raced, id="base-moved"),
        pytest.param(
            "Repository rule violations found\n\nCommits must have verified signatures.", Refused, id="a-rule"
        ),
        pytest.param("You're not authorized to push to this branch.", Refused, id="not-authorized"),
        pytest.param("Pull Request is still a draft", Refused, id="a-draft"),
        pytest.param("Something that GitHub never said before", Refused, id="unknown-words"),
        pytest.param("This branch must be up to date with main", MergeConflict, id="behind-main-is-made-again"),
        pytest.param("Merge commits are not allowed on this repository.", None, id="another-method-is-taken"),
    ],
)
def test_F3_each_text_of_405_has_its_meaning(
    hub: GitHubWorld, world: World, message: str, raised: type[TidegateError] | None
) -> None:
    proposal = world.proposed()
    hub.github.fault("PUT", "/merge", "before", status=405, message=message)
    if raised is None:
        assert isinstance(world.forge.merge(proposal.number, proposal.head, "m", LATER), str)
        return
    with pytest.raises(raised, match=f"#{proposal.number}"):
        world.forge.merge(proposal.number, proposal.head, "m", LATER)
    assert world.forge.proposal(proposal.number).state is ProposalState.OPEN


@pytest.mark.parametrize(
    "message",
    [
        pytest.param('Required status check "lint" is expected.', id="a-check"),
        pytest.param("2 of 3 required status checks are pending.", id="several-checks"),
        pytest.param("At least 1 approving review is required by reviewers with write access.", id="a-review"),
        pytest.param("Waiting on code owner review from acme/sre.", id="a-code-owner"),
        pytest.param("Merge already in progress", id="somebody-else-s-merge"),
        pytest.param("Pull Request is not mergeable", id="a-verdict-though-it-merges"),
    ],
)
def test_F3_what_passes_by_itself_is_waited_for_and_named(hub: GitHubWorld, world: World, message: str) -> None:
    proposal = world.proposed()
    hub.github.fault("PUT", "/merge", "before", status=405, message=message)
    waiting = world.forge.merge(proposal.number, proposal.head, "m", LATER)
    assert isinstance(waiting, Waiting)
    assert message in waiting.why


def test_F4_unknown_mergeability_is_no_conflict(hub: GitHubWorld, world: World) -> None:
    proposal = world.proposed()
    hub.github.unknown_mergeability(NAME, proposal.number, 9)
    hub.github.fault("PUT", "/merge", "before", status=405, message="Pull Request is not mergeable")
    waiting = world.forge.merge(proposal.number, proposal.head, "m", LATER)
    assert isinstance(waiting, Waiting)
    assert "worked out" in waiting.why
    assert isinstance(world.forge.merge(proposal.number, proposal.head, "m", LATER), str)


@pytest.mark.parametrize("kind", ["after", "cut-after"])
def test_F5_a_merge_that_was_done_before_it_failed_is_done(hub: GitHubWorld, world: World, kind: Kind) -> None:
    proposal = world.proposed()
    hub.github.fault("PUT", "/merge", kind)
    commit = world.forge.merge(proposal.number, proposal.head, "m", LATER)
    assert world.main() == commit
    assert len([call for call in hub.calls("PUT") if call.endswith("/merge")]) == 1
    assert world.repository.head(BRANCH) is None


def test_F5_a_merge_of_which_only_main_knows_is_done(hub: GitHubWorld, world: World) -> None:
    proposal = world.proposed()
    hub.github.fault("GET", f"/pulls/{proposal.number}$", "stale", times=9)
    world.forge.proposal(proposal.number)
    hub.github.fault("PUT", "/merge", "after")
    assert world.forge.merge(proposal.number, proposal.head, "m", LATER) == world.main()


@pytest.mark.parametrize("kind", ["before", "cut-before", "html"])
def test_F5_a_merge_that_was_not_done_is_not_tried_twice(hub: GitHubWorld, world: World, kind: Kind) -> None:
    proposal, before = world.proposed(), world.main()
    hub.github.fault("PUT", "/merge", kind)
    with pytest.raises(OutsideSystem, match="is not merged"):
        world.forge.merge(proposal.number, proposal.head, "m", LATER)
    assert world.main() == before
    assert len([call for call in hub.calls("PUT") if call.endswith("/merge")]) == 1


def test_F6_the_head_that_was_judged_goes_with_the_merge(hub: GitHubWorld, world: World) -> None:
    proposal, before = world.proposed(), world.main()

    def push(number: int, method: str, path: str) -> None:
        if method == "PUT":
            hub.github.on_call = None
            world.person.git("fetch", "--quiet")
            world.person.checkout(BRANCH)
            world.person.commit({"note.md": "quick\n"})
            world.person.push()

    hub.github.on_call = push
    with pytest.raises(Raced, match="modified"):
        world.forge.merge(proposal.number, proposal.head, "m", LATER)
    assert world.main() == before


@pytest.mark.parametrize("allowed", ["squash", "rebase"])
def test_F20_the_method_that_the_repository_allows_is_taken(hub: GitHubWorld, world: World, allowed: str) -> None:
    proposal = world.proposed()
    settings = {f"allow_{kind}": kind.startswith(allowed) for kind in ("merge_commit", "squash_merge", "rebase_merge")}
    asked(hub.github, "olga", "PATCH", "", settings)
    commit = world.forge.merge(proposal.number, proposal.head, "Promote churn", LATER)
    assert isinstance(commit, str)
    assert len(world.repository.commit_info(commit).parents) == 1
    assert world.main_says(PIN) == "stable: 2\n"
    if allowed == "squash":
        assert f"Tidegate-Proposal: {proposal.number}" in world.repository.commit_info(commit).message


def test_F20_a_required_review_is_waited_for_and_then_it_merges(hub: GitHubWorld, world: World) -> None:
    proposal = world.proposed()
    protect(hub, required_pull_request_reviews={"required_approving_review_count": 1})
    waiting = world.forge.merge(proposal.number, proposal.head, "m", LATER)
    assert isinstance(waiting, Waiting)
    assert "review" in waiting.why
    asked(hub.github, "dana", "POST", f"/pulls/{proposal.number}/reviews", {"event": "APPROVE"})
    assert isinstance(world.forge.merge(proposal.number, proposal.head, "m", LATER), str)


def test_F20_a_branch_behind_main_is_to_be_made_again_where_rules_are_strict(hub: GitHubWorld, world: World) -> None:
    proposal = world.proposed()
    require_check(hub, strict=True)
    report(hub, proposal.head, "success")
    world.person.commit({"README.md": "meanwhile\n"})
    world.person.push("main")
    with pytest.raises(MergeConflict, match="behind main"):
        world.forge.merge(proposal.number, proposal.head, "m", LATER)


# Auto-merge and the merge queue.


def armed(hub: GitHubWorld, number: int) -> bool:
    return next(pull for pull in hub.github.repository(NAME).pulls if pull.number == number).auto_merge is not None


def test_F2_auto_merge_is_armed_only_for_what_a_check_still_blocks(hub: GitHubWorld, world: World) -> None:
    asked(hub.github, "olga", "PATCH", "", {"allow_auto_merge": True})
    require_check(hub)
    proposal = world.proposed()
    for _ in range(2):
        waiting = world.forge.merge(proposal.number, proposal.head, "Promote churn", LATER)
        assert isinstance(waiting, Waiting)
        assert "merges by itself" in waiting.why
    assert armed(hub, proposal.number)
    report(hub, proposal.head, "success")
    merged = world.forge.proposal(proposal.number)
    assert merged.state is ProposalState.MERGED
    assert f"Tidegate-Proposal: {proposal.number}" in world.repository.commit_info(world.main()).message


def test_F2_auto_merge_that_is_off_is_named_and_nothing_merges_instead(hub: GitHubWorld, world: World) -> None:
    require_check(hub)
    proposal, before = world.proposed(), world.main()
    waiting = world.forge.merge(proposal.number, proposal.head, "m", LATER)
    assert isinstance(waiting, Waiting)
    assert "lint" in waiting.why
    assert not armed(hub, proposal.number)
    assert world.main() == before


def test_F2_what_must_not_merge_any_more_is_disarmed_before_the_check_fails(hub: GitHubWorld, world: World) -> None:
    asked(hub.github, "olga", "PATCH", "", {"allow_auto_merge": True})
    require_check(hub)
    proposal = world.proposed()
    world.forge.merge(proposal.number, proposal.head, "m", LATER)
    world.forge.set_check(proposal.number, Check(head=proposal.head, state=FAILED, summary="not due"), LATER)
    assert not armed(hub, proposal.number)


def test_F2_what_nothing_blocks_merges_at_once(hub: GitHubWorld, world: World) -> None:
    asked(hub.github, "olga", "PATCH", "", {"allow_auto_merge": True})
    proposal = world.proposed()
    assert world.forge.merge(proposal.number, proposal.head, "m", LATER) == world.main()


QUEUE = {"type": "merge_queue", "parameters": {
    "check_response_timeout_minutes": 60, "grouping_strategy": "ALLGREEN", "max_entries_to_build": 5,
    "max_entries_to_merge": 5, "merge_method": "MERGE", "min_entries_to_merge": 1,
    "min_entries_to_merge_wait_minutes": 5,
}}  # fmt: skip


def with_queue(hub: GitHubWorld) -> None:
    checks = {"required_status_checks": [{"context": "lint"}], "strict_required_status_checks_policy": False}
    rules = [QUEUE, {"type": "required_status_checks", "parameters": checks}]
    conditions = {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}
    body = {"name": "main", "target": "branch", "enforcement": "active", "conditions": conditions, "rules": rules}
    asked(hub.github, "olga", "POST", "/rulesets", body)


def test_F18_a_queue_is_joined_once_instead_of_merging(hub: GitHubWorld, world: World) -> None:
    with_queue(hub)
    proposal, before = world.proposed(), world.main()
    report(hub, proposal.head, "success")
    for words in ("was put into", "is in"):
        waiting = world.forge.merge(proposal.number, proposal.head, "m", LATER)
        assert isinstance(waiting, Waiting)
        assert words in waiting.why
    assert world.main() == before
    (entry,) = hub.github.repository(NAME).queues["main"]
    group = entry.group
    report(hub, group, "success")
    assert world.forge.proposal(proposal.number).merge_commit == world.main() == group


@pytest.mark.parametrize("arranged", [pytest.param(None, id="directly"), pytest.param(with_queue, id="by-the-queue")])
def test_F6_what_somebody_retargets_before_the_merge_is_merged_nowhere(
    hub: GitHubWorld, world: World, arranged: Callable[[GitHubWorld], None] | None
) -> None:
    """GitHub pins the head of a merge, and no base: it would merge into any. How main merges is asked right before."""
    if arranged is not None:
        arranged(hub)
    proposal, before = world.proposed(), world.main()
    report(hub, proposal.head, "success")
    world.repository.move_branch("release", before, None)

    def retargeted(_: int, method: str, path: str) -> None:
        if path.endswith("/graphql"):
            hub.github.on_call = None
            asked(hub.github, "dana", "PATCH", f"/pulls/{proposal.number}", {"base": "release"})

    hub.github.on_call = retargeted
    waiting = world.forge.merge(proposal.number, proposal.head, "m", LATER)
    assert isinstance(waiting, Waiting)
    assert waiting.why == "#1 goes to release by now, not to main; give it main for its base again, or close it"
    assert (world.main(), world.repository.head("release")) == (before, before)
    assert not any(hub.github.repository(NAME).queues.values())
    asked(hub.github, "dana", "PATCH", f"/pulls/{proposal.number}", {"base": "main"})
    waiting = world.forge.merge(proposal.number, proposal.head, "m", LATER)
    assert isinstance(waiting, Waiting if arranged else str)


def test_F3_a_merge_that_another_base_s_rules_refuse_arms_nothing(hub: GitHubWorld, world: World) -> None:
    """Armed, it would merge there once the check has passed."""
    asked(hub.github, "olga", "PATCH", "", {"allow_auto_merge": True})
    require_check(hub)
    proposal = world.proposed()
    world.repository.move_branch("release", world.main(), None)

    def retargeted(_: int, method: str, path: str) -> None:
        if method == "PUT" and path.endswith("/merge"):
            hub.github.on_call = None
            body = {"base": "release"}
            asked(hub.github, "dana", "PATCH", f"/pulls/{proposal.number}", body)

    hub.github.fault("PUT", "/merge", "before", status=405, message='Required status check "lint" is expected.')
    hub.github.on_call = retargeted
    waiting = world.forge.merge(proposal.number, proposal.head, "m", LATER)
    assert isinstance(waiting, Waiting)
    assert "goes to release by now" in waiting.why
    assert not armed(hub, proposal.number)


def test_F18_what_must_not_merge_any_more_is_taken_out_of_the_queue(hub: GitHubWorld, world: World) -> None:
    with_queue(hub)
    proposal, before = world.proposed(), world.main()
    report(hub, proposal.head, "success")
    world.forge.merge(proposal.number, proposal.head, "m", LATER)
    (entry,) = hub.github.repository(NAME).queues["main"]
    world.forge.set_check(proposal.number, Check(head=proposal.head, state=FAILED, summary="not due"), LATER)
    assert hub.github.repository(NAME).queues["main"] == []
    assert (entry.group, world.main()) == ("", before)
    assert joined(hub, world, proposal), "we took it out ourselves: due again, it joins again"


def test_F18_what_cannot_be_taken_out_of_the_queue_is_told_and_tried_again(hub: GitHubWorld, world: World) -> None:
    """The check says other words than those due, which whoever computes it next writes: a queue merges without it."""
    with_queue(hub)
    proposal = world.proposed()
    report(hub, proposal.head, "success")
    assert joined(hub, world, proposal)
    failed = Check(head=proposal.head, state=FAILED, summary="not due")
    hub.github.fault("POST", "/graphql$", "before")
    with pytest.raises(OutsideSystem, match="502"):
        world.forge.set_check(proposal.number, failed, LATER)
    told = world.forge.proposal(proposal.number).check
    assert told is not None
    assert told.state is CheckState.PENDING
    assert told.summary.startswith("may still merge: ")
    assert joined(hub, world, proposal), "it is there still"
    world.forge.set_check(proposal.number, failed, LATER)
    assert world.forge.proposal(proposal.number).check == failed
    assert hub.github.repository(NAME).queues["main"] == []


def joined(hub: GitHubWorld, world: World, proposal: Proposal) -> bool:
    """Whether a merge that is asked for leads into the queue."""
    waiting = world.forge.merge(proposal.number, proposal.head, "m", LATER)
    return isinstance(waiting, Waiting) and len(hub.github.repository(NAME).queues["main"]) == 1


def test_F18_what_the_queue_gave_back_is_told_and_joins_again_with_another_head(hub: GitHubWorld, world: World) -> None:
    with_queue(hub)
    proposal = world.proposed()
    report(hub, proposal.head, "success")
    assert joined(hub, world, proposal)
    report(hub, hub.github.repository(NAME).queues["main"][0].group, "failure")
    for _ in range(2):
        with pytest.raises(Refused, match="merge queue gave #1 back"):
            world.forge.merge(proposal.number, proposal.head, "m", LATER)
    head = world.repository.write_commit(world.main(), {PIN: "stable: 3\n"}, "again", LATER)
    world.repository.move_branch(BRANCH, head, proposal.head)
    report(hub, head, "success")
    assert joined(hub, world, replace(proposal, head=head))


def test_F18_a_check_that_the_queue_asks_for_first_is_waited_for(hub: GitHubWorld, world: World) -> None:
    with_queue(hub)
    proposal = world.proposed()
    waiting = world.forge.merge(proposal.number, proposal.head, "m", LATER)
    assert isinstance(waiting, Waiting)
    assert "lint" in waiting.why


def test_F20_where_graphql_says_no_the_merge_itself_is_asked(
    hub: GitHubWorld, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no(query: str, variables: object, subject: str | None) -> NoReturn:
        raise GraphQlSaysNo("Field 'mergeQueue' doesn't exist on type 'Repository'")

    monkeypatch.setattr(hub.session, "_graphql", no)
    asked(hub.github, "olga", "PATCH", "", {"allow_merge_commit": False})
    proposal = world.proposed()
    world.forge.set_check(proposal.number, Check(head=proposal.head, state=FAILED, summary="not due"), LATER)
    assert world.forge.merge(proposal.number, proposal.head, "m", LATER) == world.main()


def test_F5_a_merged_branch_that_may_not_be_deleted_is_merged_all_the_same(hub: GitHubWorld, world: World) -> None:
    conditions = {"ref_name": {"include": ["refs/heads/tidegate/**"], "exclude": []}}
    body = {"name": "kept", "target": "branch", "enforcement": "active", "conditions": conditions}
    asked(hub.github, "olga", "POST", "/rulesets", {**body, "rules": [{"type": "deletion"}]})
    proposal = world.proposed()
    assert world.forge.merge(proposal.number, proposal.head, "m", LATER) == world.main()
    world.forge.proposals()
    with pytest.raises(Refused):
        world.forge.tidy()


# Proposals: found, adopted, not confused with others.


def test_F7_the_pull_request_of_another_branch_is_not_adopted(hub: GitHubWorld, world: World) -> None:
    world.person.checkout("feature", new=True)
    world.person.commit({"README.md": "mine\n"})
    world.person.push("feature")
    asked(hub.github, "dana", "POST", "/pulls", {"title": "Mine", "head": "feature", "base": "main"})
    assert world.forge.proposals() == ()
    proposal = world.proposed()
    assert proposal.branch == BRANCH
    assert [each.number for each in world.forge.proposals()] == [proposal.number]


def test_F8_the_one_who_comes_second_adopts_on_422(hub: GitHubWorld, world: World) -> None:
    draft = world.draft()
    hub.github.fault("GET", "/pulls$", "stale", times=2)
    assert hub.forge.proposals() == ()
    first = world.forge.create(draft, NOON)
    other = GitHubForge(session_of(hub.github, hub.clock.now), hub.repository)
    hub.github.mend()
    stale = hub.github.fault("GET", "/pulls$", "stale", times=1)
    stale.kept.clear()
    assert other.create(replace(draft, title="another"), NOON) == first
    assert len(world.forge.proposals()) == 1


def test_F8_what_github_does_not_take_is_refused_in_its_words_and_no_race(hub: GitHubWorld, world: World) -> None:
    draft = world.draft()
    hub.github.fault("POST", "/pulls$", "before", status=422, message="No more pull requests here")
    with pytest.raises(Refused, match="No more pull requests here"):
        world.forge.create(draft, NOON)


def test_F8_a_branch_that_goes_while_it_is_proposed_is_a_lost_race(hub: GitHubWorld, world: World) -> None:
    draft = world.draft()

    def take_away(number: int, method: str, path: str) -> None:
        if method == "POST":
            hub.github.on_call = None
            asked(hub.github, "dana", "DELETE", f"/git/refs/heads/{BRANCH}")

    hub.github.on_call = take_away
    with pytest.raises(Raced, match=BRANCH):
        world.forge.create(draft, NOON)


def test_F9_what_a_stale_list_does_not_show_is_found_by_its_branch(hub: GitHubWorld, world: World) -> None:
    hub.github.fault("GET", "/pulls$", "stale", times=2)
    hub.forge.proposals()
    proposal = world.proposed()
    hub.github.mend()
    assert hub.forge.proposals() == (proposal,)


def test_F10_who_writes_in_a_circle_is_stopped_by_our_own_budget(hub: GitHubWorld, world: World) -> None:
    number = world.proposed().number

    def in_a_circle() -> None:
        for place in range(100):
            world.forge.describe(number, "t", f"body {place}", NOON)

    with pytest.raises(OutsideSystem, match="budget"):
        in_a_circle()
    assert len(hub.calls("PATCH")) <= 60
    world.forge.describe(number, "t", "an hour later", NOON + timedelta(hours=1, seconds=1))


def test_F15_a_branch_that_a_person_forced_elsewhere_is_the_head_at_once(hub: GitHubWorld, world: World) -> None:
    proposal = world.proposed()
    world.person.checkout("else", new=True)
    forced = world.person.commit({PIN: "stable: 5\n"})
    world.person.git("push", "--quiet", "--force", "origin", f"else:{BRANCH}")
    (seen,) = world.forge.proposals()
    assert seen.head == forced
    with pytest.raises(Raced):
        world.forge.merge(proposal.number, proposal.head, "m", LATER)


@pytest.mark.parametrize("deleted", [False, True])
def test_F16_what_a_person_closes_is_vetoed_and_not_proposed_again(
    hub: GitHubWorld, world: World, deleted: bool
) -> None:
    draft = world.draft()
    number = world.forge.create(draft, NOON).number
    asked(hub.github, "dana", "PATCH", f"/pulls/{number}", {"state": "closed"})
    if deleted:
        asked(hub.github, "dana", "DELETE", f"/git/refs/heads/{BRANCH}")
    (seen,) = world.forge.proposals()
    assert (seen.vetoes, seen.closed_by) == (True, "@dana")
    if deleted:
        world.repository.move_branch(BRANCH, draft.head, None)
    with pytest.raises(Refused, match=rf"#{number}.*retry"):
        world.forge.create(draft, NOON)
    world.forge.lift(number, "@dana", NOON)
    assert not world.forge.proposal(number).vetoes
    assert world.forge.create(draft, NOON).number > number


def test_F16_what_a_person_opens_and_closes_again_after_us_is_their_veto(hub: GitHubWorld, world: World) -> None:
    draft = world.draft()
    number = world.forge.create(draft, NOON).number
    world.forge.close(number, "tidegate", NOON, ours=True)
    world.repository.move_branch(BRANCH, draft.head, None)
    asked(hub.github, "dana", "PATCH", f"/pulls/{number}", {"state": "open"})
    world.it_is(NOON + timedelta(hours=1))
    asked(hub.github, "dana", "PATCH", f"/pulls/{number}", {"state": "closed"})
    (seen,) = world.forge.proposals()
    assert (seen.vetoes, seen.closed_by) == (True, "@dana")


def test_F16_a_record_of_our_closing_that_did_not_come_to_be_is_none_of_a_person_s(
    hub: GitHubWorld, world: World
) -> None:
    number = world.proposed().number
    hub.github.fault("PATCH", f"/pulls/{number}$", "cut-before")
    with pytest.raises(OutsideSystem):
        world.forge.close(number, "tidegate", NOON, ours=True)
    asked(hub.github, "dana", "PATCH", f"/pulls/{number}", {"state": "closed"})
    (seen,) = world.forge.proposals()
    assert (seen.vetoes, seen.closed_by) == (True, "@dana")


def test_F16_a_closing_that_failed_is_ours_when_it_is_tried_again(hub: GitHubWorld, world: World) -> None:
    number = world.proposed().number
    hub.github.fault("PATCH", f"/pulls/{number}$", "cut-before")
    with pytest.raises(OutsideSystem):
        world.forge.close(number, "tidegate", NOON, ours=True)
    world.forge.close(number, "tidegate", LATER, ours=True)
    assert world.forge.proposal(number).closed_by_us


def test_F16_a_second_veto_is_not_lifted_by_what_lifted_the_first(hub: GitHubWorld, world: World) -> None:
    number = world.proposed().number
    asked(hub.github, "dana", "PATCH", f"/pulls/{number}", {"state": "closed"})
    world.forge.lift(number, "@dana", NOON)
    assert not world.forge.proposal(number).vetoes
    for hours, state in enumerate(("open", "closed"), 1):
        world.it_is(NOON + timedelta(hours=hours))
        asked(hub.github, "dana", "PATCH", f"/pulls/{number}", {"state": state})
    (seen,) = world.forge.proposals()
    assert seen.vetoes


def as_app(hub: GitHubWorld, *logins: str) -> GitHubForge:
    """The forge as the App, that knows other logins of ours."""
    session = session_of(hub.github, hub.clock.now)
    session.address = replace(session.address, logins=logins)
    return GitHubForge(session, hub.repository)


@pytest.mark.parametrize(
    ("logins", "vetoes"),
    [pytest.param((), True, id="nobody-said-so"), pytest.param(("robot",), False, id="the-earlier-login-is-known")],
)
def test_F16_what_we_closed_as_another_account(tmp_path: Path, logins: tuple[str, ...], vetoes: bool) -> None:
    with github_world(tmp_path, FIRST_FILES, "robot") as hub:
        number = hub.contract.proposed().number
        hub.forge.close(number, "tidegate", NOON, ours=True)
        forge = as_app(hub, *logins)
        assert forge.proposals()[0].vetoes == vetoes
        forge.lift(number, "@dana", NOON)
        assert not forge.proposals()[0].vetoes


def test_F16_what_github_does_not_open_again_is_proposed_anew(hub: GitHubWorld, world: World) -> None:
    draft = world.draft()
    number = world.forge.create(draft, NOON).number
    world.forge.close(number, "tidegate", NOON, ours=True)
    moved = world.branch(BRANCH, "stable: 3\n")
    world.forge.reopen(number, "tidegate", LATER)
    (old, new) = world.forge.proposals()
    assert (old.number, old.state) == (number, ProposalState.CLOSED)
    assert (new.state, new.head, new.body) == (ProposalState.OPEN, moved, draft.body)


def test_F16_branches_of_a_pass_that_died_are_tidied_away(hub: GitHubWorld, world: World) -> None:
    proposal = world.proposed()
    asked(hub.github, "olga", "PUT", f"/pulls/{proposal.number}/merge")
    assert world.repository.head(BRANCH) == proposal.head
    world.forge.proposals()
    world.forge.tidy()
    assert world.repository.head(BRANCH) is None


def test_F5_a_check_that_cannot_be_read_hides_no_other_proposal(hub: GitHubWorld, world: World) -> None:
    one, other = world.proposed(), world.proposed(BRANCH.replace("churn", "zoo"), "stable: 3\n")
    for each in (one, other):
        world.forge.set_check(each.number, Check(head=each.head, state=PASSED, summary="may merge"), NOON)
    hub.github.fault("GET", f"/commits/{one.head}/check-runs", "before", times=99)
    assert [each.check is None for each in world.forge.proposals()] == [True, False]
    with pytest.raises(OutsideSystem):
        world.forge.set_check(one.number, Check(head=one.head, state=PASSED, summary="may merge"), NOON)


@pytest.mark.parametrize("login", ["app", "robot"])
def test_F16_what_a_person_opens_again_during_a_pass_keeps_its_branch(tmp_path: Path, login: str) -> None:
    with github_world(tmp_path, FIRST_FILES, login) as hub:
        world = hub.contract
        proposal = world.proposed()
        hub.github.fault("GIT", "git-(upload|receive)-pack$", "before", times=99)
        with pytest.raises(OutsideSystem):
            world.forge.close(proposal.number, "tidegate", NOON, ours=True)
        hub.github.mend()
        world.forge.proposals()
        asked(hub.github, "dana", "PATCH", f"/pulls/{proposal.number}", {"state": "open"})
        world.forge.tidy()
        assert world.repository.head(BRANCH) == proposal.head
        assert world.forge.proposal(proposal.number).state is ProposalState.OPEN


def test_F8_what_another_has_merged_by_now_is_not_proposed_again(hub: GitHubWorld, world: World) -> None:
    asked(hub.github, "olga", "PATCH", "", {"allow_merge_commit": False, "allow_rebase_merge": False})
    draft = world.draft()
    number = world.forge.create(draft, NOON).number
    asked(hub.github, "olga", "PUT", f"/pulls/{number}/merge", {"merge_method": "squash"})
    with pytest.raises(Raced, match=f"#{number}"):
        world.forge.create(draft, NOON)
    assert world.repository.head(BRANCH) is None
    assert [pull.number for pull in hub.github.repository(NAME).pulls] == [number]


def test_a_deployment_that_github_does_not_take_is_refused(hub: GitHubWorld, world: World) -> None:
    serving = Serving(model="m", environment="production", last=True, commit=world.main(), versions={1: True})
    hub.github.fault("GET", "/deployments$", "before", status=422, message="Validation Failed")
    with pytest.raises(Refused, match="Validation Failed"):
        world.forge.show_serving(serving)


def test_a_deployment_waits_for_no_check_and_merges_nothing(hub: GitHubWorld, world: World) -> None:
    """GitHub's own defaults would refuse this one, for the check, and merge main into what is older than main."""
    commit = world.main()
    report(hub, commit, "failure")
    world.person.commit({"README.md": "hello"})
    world.person.push("main")
    world.forge.show_serving(Serving(model="m", environment="production", last=True, commit=commit, versions={1: True}))
    (deployment,) = hub.github.repository(NAME).deployments
    assert (deployment.sha, [each.state for each in deployment.statuses]) == (commit, ["success"])
    assert world.main() != commit


# Who we are, and what we may ask.


def test_F1_the_token_of_actions_is_known_by_its_own_name(hub: GitHubWorld) -> None:
    permissions = {"contents": "write", "pull_requests": "write", "checks": "write", "issues": "write"}
    token = Token(value=hub.github.actions_token(NAME, permissions))
    account = session_of(hub.github, hub.clock.now, token).account
    assert (account.login, account.bot) == ("github-actions[bot]", True)


def test_F21_a_pause_that_github_asks_for_is_kept_across_passes(hub: GitHubWorld) -> None:
    memory = Kept()
    hub.github.fault("GET", "/pulls$", "secondary-limit", status=403, retry_after=90)
    forge = GitHubForge(session_of(hub.github, hub.clock.now, memory=memory), hub.repository)
    with pytest.raises(OutsideSystem, match="12:01:30"):
        forge.proposals()
    hub.github.forget_calls()
    for again in (forge, GitHubForge(session_of(hub.github, hub.clock.now, memory=memory), hub.repository)):
        with pytest.raises(OutsideSystem, match="12:01:30"):
            again.proposals()
    assert hub.calls() == []
    hub.clock.at += timedelta(seconds=91)
    assert GitHubForge(session_of(hub.github, hub.clock.now, memory=memory), hub.repository).proposals() == ()


@pytest.mark.parametrize("status", [403, 429])
def test_F21_a_secondary_limit_without_a_time_is_a_minute(hub: GitHubWorld, status: int) -> None:
    hub.github.fault("GET", "/pulls$", "secondary-limit", status=status)
    with pytest.raises(OutsideSystem, match="12:01:00"):
        hub.forge.proposals()


def test_F21_the_primary_limit_is_waited_for_until_its_reset(hub: GitHubWorld) -> None:
    hub.github.fault("GET", "/pulls$", "primary-limit")
    with pytest.raises(OutsideSystem, match="pause until 13:00:00"):
        hub.forge.proposals()


@pytest.mark.parametrize("status", [401, 404])
def test_F22_a_fresh_token_is_tried_until_it_has_got_around(hub: GitHubWorld, status: int) -> None:
    hub.github.fresh_token_refusals = [status] * 3
    session = session_of(hub.github, hub.clock.now)
    assert session.get(session.address.path).ok


def test_F22_a_token_that_never_works_is_said_so(hub: GitHubWorld) -> None:
    hub.github.fresh_token_refusals = [401] * 30
    with pytest.raises(WrongUse, match="installed"):
        session_of(hub.github, hub.clock.now).get(hub.session.address.path)


def test_F22_a_token_is_made_anew_before_it_ends(hub: GitHubWorld) -> None:
    first = hub.session.token()
    hub.clock.at += timedelta(minutes=50)
    assert hub.session.token() == first
    hub.clock.at += timedelta(minutes=6)
    assert hub.session.token() != first


def test_F22_a_token_that_ended_before_its_time_is_made_anew_once(hub: GitHubWorld) -> None:
    first = hub.session.token()
    hub.github.fault("GET", "/pulls$", "before", status=401, message="Bad credentials")
    assert hub.forge.proposals() == ()
    assert hub.session.token() != first
    hub.github.fault("GET", "/pulls$", "before", times=2, status=401, message="Bad credentials")
    with pytest.raises(WrongUse, match="does not take the App"):
        hub.forge.proposals()


@pytest.mark.parametrize("verb", ["GET", "POST"])
def test_a_repository_that_moved_is_said_so_and_not_followed(hub: GitHubWorld, verb: str) -> None:
    path = f"{hub.session.address.path}/pulls"
    hub.github.fault(verb, "/pulls$", "before", status=301, message="Moved Permanently")
    hub.session.token()
    hub.github.forget_calls()
    with pytest.raises(WrongUse, match=r"has moved.*origin"):
        hub.session.call(verb, path, {} if verb == "POST" else None)
    assert hub.calls() == [f"{verb} /repos/{NAME}/pulls"]


def test_F21_reads_are_tried_three_times_and_writes_once(hub: GitHubWorld, world: World) -> None:
    number = world.proposed().number
    hub.github.forget_calls()
    hub.github.fault("*", "/pulls", "before", times=99)
    with pytest.raises(OutsideSystem, match="502"):
        hub.forge.proposals()
    assert len(hub.calls("GET")) == 3
    hub.github.mend()
    writes: dict[str, Callable[[], None]] = {
        "POST": lambda: world.forge.comment(number, "tidegate", "t", "", NOON),
        "PATCH": lambda: world.forge.describe(number, "t", "b", NOON),
    }
    for method, write in writes.items():
        hub.github.fault(method, "/(pulls|issues)/", "before", times=99)
        hub.github.forget_calls()
        with pytest.raises(OutsideSystem, match="502"):
            write()
        assert len(hub.calls(method)) == 1
        hub.github.mend()


def test_F21_nothing_sleeps_inside_a_request(hub: GitHubWorld, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyGithub left alone waits a second from one write to the next, and out a limit."""

    def sleep(seconds: float) -> NoReturn:
        raise AssertionError(f"it waits {seconds} s")

    monkeypatch.setattr(Requester, "time", SimpleNamespace(sleep=sleep))
    number = world.proposed().number
    for text in ("one", "two", "three"):
        world.forge.comment(number, "tidegate", text, "", NOON)
    hub.github.fault("POST", "/issues/", "secondary-limit", status=403, retry_after=3600)
    with pytest.raises(OutsideSystem, match="a rate limit is reached"):
        world.forge.comment(number, "tidegate", "four", "", NOON)
    hub.clock.at += timedelta(hours=1)
    hub.github.fault("GET", f"/pulls/{number}$", "before", times=99, status=202)
    with pytest.raises(OutsideSystem, match="not done with GET"):
        hub.forge.proposal(number)


def test_F26_a_github_that_hangs_is_given_up(hub: GitHubWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "TIMEOUT_SECONDS", 0.2)
    session = session_of(hub.github, hub.clock.now, Token(value=hub.github.token("dana")))
    hub.github.fault("GET", "/pulls$", "slow", times=9, seconds=1)
    with pytest.raises(OutsideSystem, match="no answer in time"):
        session.get(f"{session.address.path}/pulls")


def test_I11_no_secret_is_in_a_repr_an_exception_or_a_log(hub: GitHubWorld, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = hub.github.token("dana")
    session = session_of(hub.github, hub.clock.now, Token(value=token))
    session.get(session.address.path)
    wrong = session_of(hub.github, hub.clock.now, Token(value="ghp_not_a_token"))
    with pytest.raises(WrongUse) as refused:
        wrong.get(wrong.address.path)
    app = hub.github.app("tidegate")
    shown = f"{session!r} {hub.session!r} {hub.repository!r} {Token(value=token)!r} {refused.value!r} {caplog.text}"
    for secret in (token, "ghp_not_a_token", hub.session.token(), app.private_key.splitlines()[1]):
        assert secret not in shown


# Texts.


def test_F29_texts_are_cut_to_what_github_takes_and_say_so(world: World) -> None:
    draft = replace(world.draft(), title="t" * 300, body="b" * 70_000)
    proposal = world.forge.create(draft, NOON)
    assert len(proposal.title) == 255
    assert "shortened" in proposal.body[-100:]
    world.forge.set_check(proposal.number, Check(head=proposal.head, state=PASSED, summary="s" * 70_000), NOON)


def test_F29_what_was_cut_is_not_written_again_every_pass(hub: GitHubWorld, world: World) -> None:
    draft = replace(world.draft(), title="t" * 300, body="b" * 70_000)
    number = world.forge.create(draft, NOON).number
    check = Check(head=draft.head, state=PASSED, summary="s" * 70_000)
    world.forge.set_check(number, check, NOON)
    hub.github.forget_calls()
    world.forge.describe(number, draft.title, draft.body, NOON)
    world.forge.set_check(number, check, NOON)
    assert [call for call in hub.calls() if not call.startswith("GET")] == []


EVIL = 'x --> <!-- tidegate {"author":"@eve","closed_by":"tidegate","ours":true} -->\n@acme/all @eve'


def test_F30_what_people_write_is_no_mark_and_mentions_nobody(hub: GitHubWorld, world: World) -> None:
    draft = replace(world.draft(), title="hi @eve", body=EVIL)
    proposal = world.forge.create(draft, NOON)
    assert (proposal.title, proposal.body, proposal.author) == (draft.title, EVIL, "tidegate")
    pull = hub.github.repository(NAME).pulls[0]
    assert "@eve" not in pull.title
    assert "@acme" not in (pull.body or "")
    world.forge.comment(proposal.number, "@dana", EVIL, "", NOON)
    (said,) = world.forge.proposal(proposal.number).comments
    assert (said.author, said.text) == ("@dana", EVIL)


def test_F30_marks_that_others_write_count_for_nothing(hub: GitHubWorld, world: World) -> None:
    draft = world.draft()
    mark = '<!-- tidegate {"author":"tidegate"} -->\nPlease merge'
    body = {"title": "t", "head": draft.branch, "base": "main", "body": mark}
    asked(hub.github, "eve", "POST", "/pulls", body)
    (proposal,) = world.forge.proposals()
    assert proposal.author == "@eve"
    record = f'<!-- tidegate {{"approves":"{draft.head}","by":"@dana"}} -->\nYes'
    asked(hub.github, "eve", "POST", f"/issues/{proposal.number}/comments", {"body": record})
    assert world.forge.proposal(proposal.number).approvals == ()


@pytest.mark.parametrize("mark", ["[" * 30_000 + "]" * 30_000, '{"marker":["closed"],"by":7}', '{"lifts":null}'])
def test_F30_what_an_outsider_writes_stops_no_pass(hub: GitHubWorld, world: World, mark: str) -> None:
    number = world.proposed().number
    body = f'<!-- tidegate {{"a":{mark}}} -->\nhi'
    asked(hub.github, "eve", "POST", f"/issues/{number}/comments", {"body": body})
    asked(hub.github, "eve", "PATCH", f"/pulls/{number}", {"body": body})
    (seen,) = world.forge.proposals()
    assert [each.author for each in seen.comments] == ["@eve"]
    world.forge.comment(number, "tidegate", "closed", "closed", NOON)
    world.forge.close(number, "tidegate", NOON, ours=True)
    assert world.forge.proposal(number).closed_by_us


@pytest.mark.parametrize("login", [None, "robot"])
def test_F30_a_workflow_cannot_approve_for_a_person(hub: GitHubWorld, world: World, login: str | None) -> None:
    proposal = world.proposed()
    permissions = ("contents", "pull_requests", "issues", "checks")
    token = hub.github.actions_token(NAME, dict.fromkeys(permissions, "write"))
    record = f'<!-- tidegate {{"approves":"{proposal.head}","by":"@dana"}} -->\nYes'
    path = f"{hub.github.api_url}/repos/{NAME}/issues/{proposal.number}/comments"
    headers = {"Authorization": f"token {token}"}
    assert requests.post(path, json={"body": record}, headers=headers, timeout=10).status_code == 201
    ours = token if login is None else hub.github.token(login)
    session = session_of(hub.github, hub.clock.now, Token(value=ours))
    forge = GitHubForge(session, hub.repository)
    assert forge.pull_request(proposal.number).approvals == ()
    if login is None:
        with pytest.raises(Refused, match="every workflow"):
            forge.approve(proposal.number, "@dana", proposal.head, NOON)


def test_F30_an_approval_that_somebody_edited_counts_for_nothing(hub: GitHubWorld, world: World) -> None:
    proposal = world.proposed()
    number = proposal.number
    world.forge.approve(number, "@dana", proposal.head, NOON)
    comment = hub.github.repository(NAME).pulls[0].comments[0]
    world.it_is(LATER)
    asked(hub.github, "eve", "PATCH", f"/issues/comments/{comment.id}", {"body": comment.body.replace("dana", "eve")})
    assert world.forge.proposal(number).approvals == ()


def test_F30_a_fork_s_branch_with_our_name_is_no_proposal(hub: GitHubWorld, world: World) -> None:
    proposal = world.proposed()
    pull = hub.session.get(f"{hub.session.address.path}/pulls/{proposal.number}").data
    from tidegate.adapters.github import proposals

    assert proposals.is_ours(pull)
    for repository in ({"id": 0, "full_name": NAME}, None):
        assert not proposals.is_ours({**pull, "head": {**pull["head"], "repo": repository}})


def test_what_was_recorded_for_a_person_falls_with_their_review(hub: GitHubWorld, world: World) -> None:
    proposal = world.proposed()
    number = proposal.number
    world.forge.approve(number, "@dana", proposal.head, NOON)
    world.it_is(LATER)
    review = {"event": "REQUEST_CHANGES", "body": "no"}
    asked(hub.github, "dana", "POST", f"/pulls/{number}/reviews", review)
    assert world.forge.proposal(number).approvals == ()
    assert world.forge.pull_request(number).approvals == ()


def test_reviews_count_by_each_person_s_last_word(hub: GitHubWorld, world: World) -> None:
    proposal = world.proposed()
    path = f"/pulls/{proposal.number}/reviews"
    said = [("dana", "APPROVE"), ("eve", "APPROVE"), ("eve", "REQUEST_CHANGES"), ("dana", "COMMENT")]
    for login, event in said:
        asked(hub.github, login, "POST", path, {"event": event, "body": "because"})
    assert [(each.handle, each.head) for each in world.forge.proposal(proposal.number).approvals] == [
        ("@dana", proposal.head)
    ]


def test_a_draft_of_nothing_new_leaves_no_pull_request(world: World) -> None:
    world.repository.move_branch("tidegate/nothing", world.main(), None)
    with pytest.raises(Refused):
        world.forge.create(
            Draft(branch="tidegate/nothing", head=world.main(), title="t", body="", author="tidegate"), NOON
        )
