"""The local forge: the contract of every forge, and what only it can promise: races, deaths, its audit log."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from adapters.forge_contract import BRANCH, FIRST_FILES, LATER, PIN, ForgeContract, World
from support.repositories import NOON, OURS, Clone, git, new_bare
from tidegate.adapters.git import GitRepository
from tidegate.adapters.local_forge import LocalForge
from tidegate.adapters.local_forge.records import text_of
from tidegate.core.observed import Check, CheckState, ProposalState
from tidegate.errors import OutsideSystem, Raced, Refused
from tidegate.ports import Draft

pytestmark = pytest.mark.contract
FORGE = "refs/tidegate/forge"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return new_bare(tmp_path, FIRST_FILES)


@pytest.fixture
def world(bare: Path, tmp_path: Path) -> World:
    return opened(bare, Clone.of(bare, tmp_path / "person"))


def opened(bare: Path, person: Clone) -> World:
    repository = GitRepository(bare, identity=OURS)
    return World(forge=LocalForge(repository.plumbing), repository=repository, person=person)


class TestLocalForge(ForgeContract):
    """The contract, on a bare repository."""


def at_once(*works: Callable[[], None]) -> None:
    """Run each in its own process, all let go at the same moment; each must end well."""
    context = multiprocessing.get_context("fork")
    start = context.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        start.wait(timeout=20)
        work()

    processes = [context.Process(target=run, args=(work,)) for work in works]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=40)
    assert [process.exitcode for process in processes] == [0] * len(works)


def until_not_raced(work: Callable[[], object]) -> None:
    while True:
        try:
            work()
        except Raced:
            continue
        return


def test_I2_two_processes_that_create_the_same_proposals_make_each_once(world: World) -> None:
    drafts = [world.draft(f"tidegate/churn/{place}", path=f"{place}.yaml") for place in range(20)]

    def create() -> None:
        for draft in drafts:
            world.forge.create(draft, NOON)

    at_once(create, create)
    assert [each.branch for each in world.forge.proposals()] == [draft.branch for draft in drafts]
    assert [each.number for each in world.forge.proposals()] == list(range(1, 21))


def test_two_processes_that_create_different_proposals_share_no_number(world: World) -> None:
    drafts = [world.draft(f"tidegate/churn/{place}", path=f"{place}.yaml") for place in range(20)]

    def create(mine: list[Draft]) -> None:
        for draft in mine:
            world.forge.create(draft, NOON)

    at_once(lambda: create(drafts[:10]), lambda: create(drafts[10:]))
    proposals = world.forge.proposals()
    assert [each.number for each in proposals] == list(range(1, 21))
    assert {each.branch for each in proposals} == {draft.branch for draft in drafts}


def test_two_processes_that_merge_different_proposals_lose_neither(world: World) -> None:
    proposals = [world.proposed(f"tidegate/{place}", f"{place}\n", f"{place}.yaml") for place in range(10)]

    def merge(parity: int) -> None:
        for each in proposals[parity::2]:
            until_not_raced(partial(world.forge.merge, each.number, each.head, "m", LATER))

    at_once(lambda: merge(0), lambda: merge(1))
    assert {each.state for each in world.forge.proposals()} == {ProposalState.MERGED}
    assert [world.main_says(f"{place}.yaml") for place in range(10)] == [f"{place}\n" for place in range(10)]
    merges = git(world.person.folder, "ls-remote", "origin", "refs/heads/*").splitlines()
    assert len(merges) == 1, "every merged branch is gone"


def test_two_processes_that_merge_the_same_proposal_merge_it_once(world: World, bare: Path) -> None:
    proposals = [world.proposed(f"tidegate/{place}", f"{place}\n", f"{place}.yaml") for place in range(5)]

    def merge() -> None:
        for each in proposals:
            until_not_raced(partial(world.forge.merge, each.number, each.head, "m", LATER))

    at_once(merge, merge)
    assert git(bare, "rev-list", "--count", "--first-parent", "main") == "6"
    chain = git(bare, "rev-list", "--first-parent", "--merges", "--reverse", "main").splitlines()
    assert [each.merge_commit for each in world.forge.proposals()] == chain


def test_approving_commenting_checking_and_merging_at_once_loses_nothing(world: World) -> None:
    proposal = world.proposed()
    number, check = proposal.number, Check(head=proposal.head, state=CheckState.PASSED, summary="s")

    def approve() -> None:
        for place in range(5):
            world.forge.approve(number, f"@p{place}", proposal.head, NOON)

    def comment() -> None:
        for place in range(5):
            world.forge.comment(number, "a", str(place), "", NOON)

    at_once(
        approve,
        comment,
        lambda: until_not_raced(lambda: world.forge.merge(number, proposal.head, "m", LATER)),
        lambda: world.forge.set_check(number, check, NOON),
    )
    seen = world.forge.proposal(number)
    assert {each.handle for each in seen.approvals} == {f"@p{place}" for place in range(5)}
    assert [each.text for each in seen.comments] == [str(place) for place in range(5)]
    assert (seen.state, seen.check, seen.merge_commit) == (ProposalState.MERGED, check, world.main())


def test_main_that_moves_while_a_merge_is_made_is_raced_not_overwritten(
    world: World, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal = world.proposed()
    git_directory = GitRepository(bare, identity=OURS).plumbing
    move = git_directory.move
    pushed: list[str] = []

    def pushed_before(moves: dict[str, tuple[str | None, str | None]]) -> None:
        pushed.append(world.person.commit({"README.md": "quick\n"}))
        world.person.push("main")
        move(moves)

    monkeypatch.setattr(git_directory, "move", pushed_before)
    with pytest.raises(Raced, match="refs/heads/main"):
        LocalForge(git_directory).merge(proposal.number, proposal.head, "m", LATER)
    assert [world.main()] == pushed
    assert world.forge.proposal(proposal.number) == proposal


def test_death_between_the_refs_of_a_merge_shows_as_merged_and_heals(world: World, bare: Path) -> None:
    proposal = world.proposed()
    before = git(bare, "rev-parse", FORGE)
    commit = world.forge.merge(proposal.number, proposal.head, "m", LATER)
    # As a killed `git update-ref` leaves it: main is moved, the forge's ref and the branch are not yet.
    git(bare, "update-ref", FORGE, before)
    git(bare, "update-ref", f"refs/heads/{BRANCH}", proposal.head)
    again = opened(bare, world.person)
    seen = again.forge.proposal(proposal.number)
    assert (seen.state, seen.merge_commit, seen.merged_at) == (ProposalState.MERGED, commit, LATER)
    assert again.forge.merge(proposal.number, proposal.head, "m", LATER) == commit
    assert again.main() == commit
    assert again.repository.head(BRANCH) is None
    assert recorded(bare, proposal.number)["state"] == "merged"


def test_any_write_after_such_a_death_writes_the_merge_down(world: World, bare: Path) -> None:
    proposal = world.proposed()
    before = git(bare, "rev-parse", FORGE)
    commit = world.forge.merge(proposal.number, proposal.head, "m", LATER)
    git(bare, "update-ref", FORGE, before)
    world.forge.comment(proposal.number, "tidegate", "verified", "", LATER)
    assert recorded(bare, proposal.number)["merge_commit"] == commit
    with pytest.raises(Refused):
        world.forge.close(proposal.number, "@dana", LATER)


def recorded(bare: Path, number: int) -> dict[str, object]:
    data = json.loads(git(bare, "show", f"{FORGE}:proposals/{number}.json"))
    assert isinstance(data, dict)
    return data


@pytest.mark.parametrize("milliseconds", [3, 11, 19, 27, 35, 43, 51, 59, 67, 75])
def test_I2_a_process_killed_at_any_moment_leaves_a_state_from_which_the_next_finishes(
    world: World, milliseconds: int
) -> None:
    draft = world.draft()

    def finish() -> None:
        number = world.forge.create(draft, NOON).number
        world.forge.approve(number, "@dana", draft.head, NOON)
        world.forge.merge(number, draft.head, "m", LATER)

    process = multiprocessing.get_context("fork").Process(target=finish)
    process.start()
    time.sleep(milliseconds / 1000)  # the sampled moment itself, nothing is waited for
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()

    while ProposalState.MERGED not in {each.state for each in world.forge.proposals()}:
        until_not_raced(finish)
    (proposal,) = world.forge.proposals()
    assert (proposal.state, proposal.merge_commit) == (ProposalState.MERGED, world.main())
    assert len(world.repository.commit_info(world.main()).parents) == 2
    assert world.repository.head(draft.branch) is None
    assert world.main_says(PIN) == "stable: 2\n"


def test_a_lock_left_by_a_killed_git_is_named_and_not_deleted(world: World, bare: Path) -> None:
    proposal = world.proposed()
    lock = bare / f"{FORGE}.lock"
    lock.touch()
    with pytest.raises(OutsideSystem, match=r"forge\.lock.*delete that \.lock file"):
        world.forge.approve(proposal.number, "@dana", proposal.head, NOON)
    assert lock.exists()
    lock.unlink()
    world.forge.approve(proposal.number, "@dana", proposal.head, NOON)
    assert len(world.forge.proposal(proposal.number).approvals) == 1


def test_a_branch_that_a_person_deleted_keeps_its_last_head_and_is_not_merged(world: World) -> None:
    proposal, before = world.proposed(), world.main()
    world.person.git("push", "--quiet", "origin", "--delete", BRANCH)
    assert world.forge.proposal(proposal.number) == proposal
    with pytest.raises(Refused, match="deleted"):
        world.forge.merge(proposal.number, proposal.head, "m", LATER)
    assert world.main() == before


@pytest.mark.parametrize(("handle", "ours"), [("tidegate", True), ("@dana", False)])
def test_git_gc_leaves_what_reopening_a_closed_proposal_needs(
    world: World, bare: Path, handle: str, ours: bool
) -> None:
    proposal = world.proposed()
    kept = f"refs/tidegate/heads/{proposal.number}"
    world.forge.close(proposal.number, handle, NOON, ours=ours)
    git(bare, "update-ref", "-d", f"refs/heads/{BRANCH}")
    git(bare, "gc", "--quiet", "--prune=now")
    assert git(bare, "rev-parse", kept) == proposal.head
    world.forge.reopen(proposal.number, "@dana", LATER)
    assert git(bare, "rev-parse", f"refs/heads/{BRANCH}") == proposal.head
    assert git(bare, "for-each-ref", kept) == "", "the branch keeps it again"


def test_a_branch_that_moves_while_it_is_closed_is_raced_not_deleted(
    world: World, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposal = world.proposed()
    git_directory = GitRepository(bare, identity=OURS).plumbing
    move = git_directory.move
    pushed: list[str] = []

    def pushed_before(moves: dict[str, tuple[str | None, str | None]]) -> None:
        pushed.append(world.repository.write_commit(proposal.head, {"note.md": "mine\n"}, "quick", LATER))
        world.repository.move_branch(BRANCH, pushed[0], proposal.head)
        move(moves)

    monkeypatch.setattr(git_directory, "move", pushed_before)
    with pytest.raises(Raced, match=BRANCH):
        LocalForge(git_directory).close(proposal.number, "tidegate", LATER, ours=True)
    assert [world.repository.head(BRANCH)] == pushed
    assert world.forge.proposal(proposal.number).state is ProposalState.OPEN


def test_death_in_the_middle_of_a_closing_leaves_an_open_proposal_that_can_be_closed(world: World, bare: Path) -> None:
    proposal = world.proposed()
    before = git(bare, "rev-parse", FORGE)
    world.forge.close(proposal.number, "tidegate", NOON, ours=True)
    # As a killed `git update-ref` leaves it: the head is kept, the forge's ref and the branch are not moved yet.
    git(bare, "update-ref", FORGE, before)
    git(bare, "update-ref", f"refs/heads/{BRANCH}", proposal.head)
    assert world.forge.proposal(proposal.number) == proposal
    world.forge.close(proposal.number, "tidegate", LATER, ours=True)
    assert world.forge.proposal(proposal.number).closed_by_us
    assert world.repository.head(BRANCH) is None


def test_the_log_of_the_forge_is_an_audit_trail(world: World, bare: Path) -> None:
    proposal = world.proposed()
    world.forge.approve(proposal.number, "dana", proposal.head, NOON + timedelta(minutes=1))
    world.forge.close(proposal.number, "@eve", NOON + timedelta(minutes=2))
    log = git(bare, "log", "--reverse", "--format=%s|%cI|%ce", FORGE).splitlines()
    assert log == [
        f"#1 opened by @tidegate|2026-03-01T12:00:00+00:00|{OURS}",
        f"#1 approved by @dana|2026-03-01T12:01:00+00:00|{OURS}",
        f"#1 closed by @eve|2026-03-01T12:02:00+00:00|{OURS}",
    ]


def test_a_write_that_changes_nothing_leaves_no_trace(world: World, bare: Path) -> None:
    proposal = world.proposed()
    world.forge.comment(proposal.number, "tidegate", "10 %", "progress", NOON)
    before = git(bare, "rev-parse", FORGE)
    world.forge.comment(proposal.number, "tidegate", "10 %", "progress", LATER)
    world.forge.describe(proposal.number, proposal.title, proposal.body, LATER)
    world.forge.create(Draft(branch=BRANCH, head=proposal.head, title="t", body="b", author="x"), LATER)
    assert git(bare, "rev-parse", FORGE) == before


def test_the_diff_is_the_same_whatever_the_person_s_configuration_says(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = world.proposed().number
    plain = world.forge.diff(number)
    (tmp_path / "gitconfig").write_text("[diff]\nnoprefix=true\ncontext=0\n[core]\nabbrev=20\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    assert world.forge.diff(number) == plain


def test_an_unreadable_record_is_named(world: World, bare: Path) -> None:
    world.proposed()
    plumbing = GitRepository(bare, identity=OURS).plumbing
    before = git(bare, "rev-parse", FORGE)
    broken = plumbing.write_tree(before, {"proposals/1.json": "{}"})
    git(bare, "update-ref", FORGE, plumbing.write_commit(broken, [before], "broken", NOON))
    with pytest.raises(OutsideSystem, match=r"proposals/1\.json.*restore"):
        world.forge.proposals()


def test_two_hundred_open_proposals_are_listed_in_one_go(world: World, bare: Path) -> None:
    first, plumbing = world.proposed(), GitRepository(bare, identity=OURS).plumbing
    numbers = list(range(1, 201))
    proposals = [replace(first, number=number, branch=f"tidegate/{number}") for number in numbers]
    files = {f"proposals/{each.number}.json": text_of(each) for each in proposals}
    before = git(bare, "rev-parse", FORGE)
    commit = plumbing.write_commit(plumbing.write_tree(before, files), [before], "two hundred", NOON)
    plumbing.move({f"refs/heads/{each.branch}": (None, first.head) for each in proposals})
    plumbing.move({FORGE: (before, commit)})
    started = time.perf_counter()
    assert [each.number for each in world.forge.proposals()] == numbers
    assert time.perf_counter() - started < 0.5, "aim: 50 ms; ten times that on a busy machine"


def test_any_proposal_is_a_pull_request_to_main(world: World) -> None:
    proposal = world.proposed()
    world.forge.approve(proposal.number, "@dana", proposal.head, NOON)
    found = world.forge.pull_request(proposal.number)
    assert (found.number, found.base, found.branch, found.head) == (1, "main", proposal.branch, proposal.head)
    assert (found.author, found.fork, [a.handle for a in found.approvals]) == (f"@{proposal.author}", False, ["@dana"])


def test_there_are_no_accounts_so_addresses_and_names_stand_for_people(world: World) -> None:
    proposal = world.proposed()
    assert world.forge.members("@acme/leads") == {"@acme/leads"}
    assert world.forge.authors([]) == frozenset()
    assert world.forge.authors([proposal.head]) == {"@" + OURS.partition("@")[0]}
