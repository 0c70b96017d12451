"""The approval gate on a real repository and the local forge: what people propose, and what they make of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from support.gating import (
    MODEL,
    PIN,
    ROUTE,
    RULED,
    SETTINGS,
    Files,
    approve_now,
    approved,
    at_main,
    commit,
    edit,
    gate,
    open_branches,
    opened,
    ours,
    said,
    state,
)
from support.repositories import OURS, git
from support.worlds import WORKSPACE, Behaviour, World, settle, stable
from tidegate.adapters.git import Plumbing
from tidegate.adapters.local_forge import LocalForge
from tidegate.approve import approve, record
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.observed import CheckState, PullRequest
from tidegate.core.pin import Pin, stamped
from tidegate.core.transition import Kind, Transition, branch_name, mark
from tidegate.errors import WrongUse
from tidegate.steps.deciding import Decided, Judges, decide_model
from tidegate.steps.desk import Desk
from tidegate.steps.proposing import propose, transition_files

Made = Callable[[World], Files]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Version 1 serves in both environments."""
    world = World(tmp_path, workspace=RULED)
    settle(world)
    return world


@pytest.fixture
def entering(world: World) -> World:
    """Version 2 asks to enter production."""
    world.train(2)
    world.until(lambda: stable(world, "staging") == 2 and "production" in open_branches(world), approving=False)
    return world


def _route(world: World) -> Files:
    return edit(world, ROUTE, "weight: 100", "weight: 99")


@pytest.mark.parametrize(
    ("files", "needs"),
    [
        pytest.param(lambda _: {"README.md": "hello"}, (), id="what no rule is about"),
        pytest.param(lambda w: edit(w, MODEL, "depth: 1", "depth: 9"), (), id="a field without a rule"),
        pytest.param(lambda w: edit(w, MODEL, "target: 95%", "target: 90%"), ("@sam",), id="objectives"),
        pytest.param(lambda w: edit(w, PIN, "stable:", "previous: null\nstable:"), ("@kim",), id="a pin by hand"),
        pytest.param(lambda _: {PIN: None}, ("@kim",), id="a pin file that goes"),
        pytest.param(_route, ("@kim",), id="a route by hand"),
        pytest.param(
            lambda w: edit(w, MODEL, "approval: required", "approval: none"), ("@kim",), id="no approval any more"
        ),
        pytest.param(
            lambda w: edit(w, MODEL, "production: {approval: required}", "production: {}\n    mirror: {}"),
            ("@kim",),
            id="an environment that takes the last place, and the approval with it",
        ),
        pytest.param(lambda w: edit(w, SETTINGS, '"@kim", ', ""), ("@kim",), id="who approves"),
        pytest.param(lambda w: edit(w, SETTINGS, '"@sam", ', ""), ("@sam",), id="who approves objectives"),
        pytest.param(
            lambda w: {SETTINGS: (w.show(SETTINGS) or "") + "hold: {reason: audit}\n"}, ("@kim",), id="a hold"
        ),
        pytest.param(
            lambda w: {**edit(w, MODEL, "target: 95%", "target: 90%"), **edit(w, SETTINGS, '"@sam", ', '"@alice", ')},
            ("@sam",),
            id="a rule and what it guards in one change: main's rule counts",
        ),
        pytest.param(lambda _: {MODEL: None}, ("@kim", "@sam"), id="a model that goes"),
    ],
)
def test_what_a_persons_pull_request_needs(
    files: Callable[[World], Files], needs: tuple[str, ...], world: World
) -> None:
    number = opened(world, files(world))
    assert state(world, number) is (CheckState.PENDING if needs else CheckState.PASSED)
    if needs:
        assert approved(world, number, "@alice", "@mallory") is CheckState.PENDING
        assert approved(world, number, *needs) is CheckState.PASSED


def test_a_new_push_needs_new_approvals(world: World) -> None:
    files = edit(world, MODEL, "target: 95%", "target: 94%")
    number = opened(world, files)
    assert approved(world, number, "@sam") is CheckState.PASSED
    opened(world, edit(world, MODEL, "target: 95%", "target: 50%"))
    assert state(world, number) is CheckState.PENDING
    assert approved(world, number, "@sam") is CheckState.PASSED


@pytest.mark.parametrize(
    ("files", "words"),
    [
        pytest.param(lambda _: {MODEL: "spec: {"}, "never closed", id="no YAML"),
        pytest.param(lambda w: edit(w, MODEL, "target: 95%", "target: tall"), "tall", id="a manifest's value"),
        pytest.param(
            lambda w: {
                **edit(w, MODEL, "approval: required", "approval: none"),
                SETTINGS: f"{w.show(SETTINGS)}limits: {{rollouts: many}}\n",
            },
            "rollouts: must be a whole number",
            id="a workspace that is read by its last valid text meanwhile",
        ),
    ],
)
def test_what_is_not_valid_fails_whoever_approved(files: Made, words: str, world: World) -> None:
    number = opened(world, files(world))
    assert state(world, number) is CheckState.FAILED
    assert words in said(world, number)
    assert approved(world, number, "@kim", "@sam") is CheckState.FAILED


def test_the_rules_are_mains_even_for_a_branch_from_before_them(tmp_path: Path) -> None:
    world = World(tmp_path, workspace=WORKSPACE)
    number = opened(world, edit(world, MODEL, "target: 95%", "target: 90%"))
    assert state(world, number) is CheckState.PASSED
    commit(world, "main", {SETTINGS: RULED})
    assert state(world, number) is CheckState.PENDING


def test_who_adds_a_commit_to_a_pull_request_is_an_author_of_it(world: World) -> None:
    number = opened(world, edit(world, MODEL, "target: 95%", "target: 90%"))
    head = world.ports.forge.proposal(number).head
    commit(world, "alice/change", {"README.md": "more"}, by="sam@example.org", onto=head)
    assert approved(world, number, "@sam") is CheckState.PENDING


def test_a_team_is_asked_who_is_in_it(world: World) -> None:
    number = opened(world, edit(world, MODEL, "target: 95%", "target: 90%"))
    assert approved(world, number, "@acme/sre") is CheckState.PASSED


def test_our_proposal_waits_for_who_may_let_it_in(entering: World) -> None:
    number = ours(entering).number
    assert "needs an approval by @dana or @kim or @acme/leads: " in said(entering, number)
    assert approved(entering, number, "@mallory") is CheckState.PENDING
    assert approved(entering, number, "@kim") is CheckState.PASSED


def test_who_wrote_the_training_change_is_not_the_sole_approver(tmp_path: Path) -> None:
    """In the local forge the addresses of git say who wrote what: the change was pushed by alice@example.org."""
    world = World(tmp_path, workspace=RULED.replace('"@dana"', '"@dana", "@alice"'))
    world.train(1)
    world.until(lambda: "production" in open_branches(world), approving=False)
    number = ours(world).number
    approve_now(world, number, "@alice")
    assert "somebody besides @alice, who wrote the training change" in said(world, number)
    assert approved(world, number, "@kim") is CheckState.PASSED


def test_who_merged_the_training_change_did_not_write_it(tmp_path: Path) -> None:
    """@kim wrote it on a branch, @alice merged it."""
    world = World(tmp_path, workspace=RULED.replace('"@dana"', '"@dana", "@alice"'))
    head = commit(world, "kim/depth", edit(world, MODEL, "depth: 1", "depth: 2"), by="kim@example.org")
    parents = ("-p", world.ports.repository.head() or "", "-p", head)
    merged = git(world.bare, "commit-tree", f"{head}^{{tree}}", *parents, "-m", "merge", at=world.clock.at)
    git(world.bare, "update-ref", "refs/heads/main", merged)
    world.register(2)
    world.until(lambda: "production" in open_branches(world), approving=False)
    number = ours(world).number
    assert approved(world, number, "@kim") is CheckState.PENDING
    assert "besides @kim" in said(world, number)
    assert approved(world, number, "@alice") is CheckState.PASSED


def test_the_author_of_another_change_may_approve_alone(tmp_path: Path) -> None:
    world = World(tmp_path, workspace=RULED.replace('"@dana"', '"@dana", "@alice", "@bob"'))
    world.train(1)
    commit(world, "main", edit(world, MODEL, "bake: 1m", "bake: 90s"), by="bob@example.org")
    world.until(lambda: "production" in open_branches(world), approving=False)
    assert approved(world, ours(world).number, "@bob") is CheckState.PASSED


def test_a_closed_one_has_nothing_to_check(entering: World) -> None:
    number = ours(entering).number
    entering.ports.forge.close(number, "@kim", entering.clock.at)
    answer = gate(entering, number)
    assert (answer.check, answer.why, answer.refused) == (None, "is closed", False)
    with pytest.raises(WrongUse):
        gate(entering, 999)


@pytest.fixture
def advancing(entering: World) -> tuple[World, Transition]:
    """Version 2 is a canary at its first step, and its advance is proposed and not merged yet."""
    entering.approve("@kim")
    entering.until(lambda: entering.pin().canary is not None, approving=False)
    for _ in range(20):
        entering.wait(timedelta(seconds=30))
        decided, desk = _decided(entering)
        found = decided.decision.environments["production"]
        if isinstance(found, Transition) and found.kind is Kind.ADVANCE:
            propose(desk, decided.model, found)
            return entering, found
    raise AssertionError("no advance was ever due")


def _decided(world: World) -> tuple[Decided, Desk]:
    desk, sources = at_main(world)
    wanted = sources.desired.model("digits")
    return decide_model(wanted, sources, Judges(metrics=world.metrics), world.clock.at), desk


def test_an_untouched_advance_needs_nobody(advancing: tuple[World, Transition]) -> None:
    world, _ = advancing
    assert state(world, ours(world).number) is CheckState.PASSED


def test_I3_without_prometheus_an_automatic_transition_is_pending(advancing: tuple[World, Transition]) -> None:
    world, _ = advancing
    world.metrics.unread = Unread(why=Why.UNREACHABLE, words="connection refused")
    number = ours(world).number
    assert state(world, number) is CheckState.PENDING
    assert "connection refused" in said(world, number)


def test_an_advance_that_is_not_due_any_more_fails(advancing: tuple[World, Transition]) -> None:
    world, _ = advancing
    world.service.behaviours[2] = Behaviour(errors=0.5)
    world.wait(timedelta(minutes=2))
    assert state(world, ours(world).number) is CheckState.FAILED


def _pin(made: Transition, weight: float) -> Pin:
    assert made.after.canary is not None
    return replace(made.after, canary=replace(made.after.canary, weight=weight))


def _restamped(made: Transition, weight: float) -> Pin:
    """Another content with a key of its own, which hashes."""
    return stamped("digits", "production", _pin(made, weight), mark(Kind.ADVANCE, made.before))


def _files(world: World, made: Transition, after: Pin) -> Files:
    decided, desk = _decided(world)
    return dict(transition_files(desk, decided.model, "production", after, desk.main))


Forged = Callable[[World, Transition], tuple[str, Files]]


def _other_content(world: World, made: Transition) -> tuple[str, Files]:
    return made.branch, _files(world, made, _pin(made, 1.0))


def _other_key(world: World, made: Transition) -> tuple[str, Files]:
    after = _restamped(made, 0.99)
    assert after.transition is not None
    return branch_name("digits", "production", Kind.ADVANCE, after.transition.key), _files(world, made, after)


def _one_file_more(world: World, made: Transition) -> tuple[str, Files]:
    return made.branch, {**_files(world, made, made.after), "models/digits/training/train.py": "print('mine')\n"}


def _other_environment(world: World, made: Transition) -> tuple[str, Files]:
    staging = edit(world, "models/digits/staging.yaml", "stable:", "previous: null\nstable:")
    return made.branch, {**_files(world, made, made.after), **staging}


def _other_route(world: World, made: Transition) -> tuple[str, Files]:
    files = _files(world, made, made.after)
    return made.branch, {**files, ROUTE: (files[ROUTE] or "").replace("weight: 50", "weight: 100")}


@pytest.mark.parametrize(
    ("forge", "words"),
    [
        pytest.param(_other_content, "does not hash", id="the key and other content"),
        pytest.param(_other_key, "not now", id="a key that hashes and was never decided"),
        pytest.param(_one_file_more, "diff is not exactly", id="one file more"),
        pytest.param(_other_environment, "diff is not exactly", id="the pin of another environment too"),
        pytest.param(_other_route, "diff is not exactly", id="another route"),
    ],
)
def test_under_our_name_what_is_not_exactly_the_due_transition_fails(
    forge: Forged, words: str, advancing: tuple[World, Transition]
) -> None:
    world, made = advancing
    branch, files = forge(world, made)
    number = opened(world, files, branch, by=OURS)
    assert state(world, number) is CheckState.FAILED
    assert words in said(world, number)
    assert approved(world, number, "@kim") is CheckState.FAILED


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda w, m: (m.branch, _files(w, m, m.after)), id="the very diff of the transition"),
        pytest.param(_other_content, id="the key and other content"),
        pytest.param(_other_key, id="a key that hashes"),
        pytest.param(_one_file_more, id="one file more"),
        pytest.param(
            lambda w, m: (m.branch.replace("/digits/", "/nothing/"), _files(w, m, m.after)), id="a model of no name"
        ),
        pytest.param(
            lambda w, m: (m.branch.replace("/production/", "/nowhere/"), _files(w, m, m.after)),
            id="an environment of no name",
        ),
    ],
)
def test_a_persons_commit_on_a_branch_that_is_called_like_ours_is_that_persons(
    forge: Forged, advancing: tuple[World, Transition]
) -> None:
    world, made = advancing
    branch, files = forge(world, made)
    number = opened(world, files, branch, by="kim@example.org")
    assert state(world, number) is CheckState.PENDING
    assert approved(world, number, "@kim") is CheckState.PENDING, "who wrote it"
    assert approved(world, number, "@dana") is CheckState.PASSED


def test_a_fork_may_call_its_branch_what_it_likes(advancing: tuple[World, Transition]) -> None:
    world, _ = advancing
    desk, sources = at_main(world)
    desk = replace(desk, forge=Forked(Plumbing(world.bare, identity=OURS, name="Tidegate")))
    check = approve(desk, sources, Judges(metrics=world.metrics), ours(world).number).check
    assert check is not None
    assert (check.state, f"@acme/leads: {PIN}" in check.summary) == (CheckState.PENDING, True)


class Forked(LocalForge):
    """Every pull request comes from a fork."""

    def pull_request(self, number: int) -> PullRequest:
        return replace(super().pull_request(number), fork=True)


class Elsewhere(LocalForge):
    """Every pull request goes to another branch than main."""

    def pull_request(self, number: int) -> PullRequest:
        return replace(super().pull_request(number), base="next")


def test_what_does_not_go_to_main_has_no_check(world: World) -> None:
    number = opened(world, {PIN: None})
    desk, sources = at_main(world)
    desk = replace(desk, forge=Elsewhere(Plumbing(world.bare, identity=OURS, name="Tidegate")))
    answer = approve(desk, sources, Judges(metrics=world.metrics), number)
    assert record(desk, answer, lambda: answer) == answer
    assert (answer.check, answer.why) == (None, "goes to next: only what goes to main is checked")
    assert world.ports.forge.proposal(number).check is None


def test_the_check_of_a_merge_queue_is_for_its_commit(world: World) -> None:
    queued = gate(world, opened(world, {"README.md": "hello"})).at("9" * 40)
    assert queued.check is not None
    assert (queued.check.head, queued.check.state) == ("9" * 40, CheckState.PASSED)


COMMENTS = RULED + "forge: {approvals: comments}\n"


def test_comments_count_where_the_workspace_says_so_and_reconcile_agrees(tmp_path: Path) -> None:
    world = World(tmp_path, workspace=COMMENTS)
    world.train(1)
    world.until(lambda: "production" in open_branches(world), approving=False)
    number = ours(world).number
    for author in ("@mallory", "@kim"):
        assert state(world, number) is CheckState.PENDING
        world.ports.forge.comment(number, author, "/tidegate approve", "", world.clock.at)
    assert state(world, number) is CheckState.PASSED
    world.until(lambda: stable(world) == 1, approving=False)


def test_a_comment_on_a_persons_change_names_its_head(tmp_path: Path) -> None:
    world = World(tmp_path, workspace=COMMENTS)
    number = opened(world, edit(world, MODEL, "target: 95%", "target: 90%"))
    forge, head = world.ports.forge, world.ports.forge.proposal(number).head
    forge.comment(number, "@sam", "/tidegate approve", "", world.clock.at)
    assert state(world, number) is CheckState.PENDING
    forge.comment(number, "@sam", f"/tidegate approve {head[:10]}", "", world.clock.at)
    assert state(world, number) is CheckState.PENDING, "another commit may begin alike"
    forge.comment(number, "@sam", f"/tidegate approve {head}", "", world.clock.at)
    assert state(world, number) is CheckState.PASSED


def test_a_branch_of_ours_that_somebody_edited_needs_their_rules_and_reconcile_agrees(entering: World) -> None:
    proposal = ours(entering)
    files = edit(entering, MODEL, "target: 95%", "target: 50%")
    commit(entering, proposal.branch, files, by="lee@example.org", onto=proposal.head)
    assert approved(entering, proposal.number, "@kim") is CheckState.PENDING
    assert "@acme/sre: objectives.availability.target in" in said(entering, proposal.number)
    report = entering.tick(timedelta(0))
    assert {done.check.summary for done in report.done if done.check} == {said(entering, proposal.number)}
    assert approved(entering, proposal.number, "@sam") is CheckState.PASSED
