"""Ways around the approval gate that were found once: each on a real repository and the local forge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    commit,
    edit,
    open_branches,
    opened,
    ours,
    said,
    state,
)
from support.repositories import OURS, PERSON, git
from support.worlds import MANIFEST, WORKSPACE, World, settle, stable
from tidegate.adapters.git import GitRepository, Plumbing
from tidegate.core.launch_record import LaunchRecord, decode, encode
from tidegate.core.observed import CheckState
from tidegate.ports import Draft
from tidegate.steps import checking

PENDING, PASSED, FAILED = CheckState.PENDING, CheckState.PASSED, CheckState.FAILED


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Version 1 serves in both environments; @dana guards production."""
    world = World(tmp_path)
    settle(world)
    return world


def land(world: World, files: Files) -> None:
    """A person's commit on main, however it came there."""
    head = commit(world, "alice/landing", files)
    world.ports.repository.move_branch("main", head, world.ports.repository.head())


def criss_crossed(world: World, harmless: str, files: Files, *, by: str = PERSON) -> str:
    """A merge of the harmless commit with main that also gives these files other texts; main merges that commit too, so
    that both come from it and from main as it was."""
    repository = GitRepository(world.bare, identity=by)
    main = repository.head() or ""
    merged = repository.merged(main, harmless) or ""
    repository.move_branch("main", merged, main)
    tree = git(world.bare, "rev-parse", f"{repository.write_commit(merged, files, 'these', world.clock.at)}^{{tree}}")
    head = Plumbing(world.bare, identity=by, name="Eve").write_commit(tree, (harmless, main), "merge", world.clock.at)
    assert repository.merge_bases(merged, head)[0] == harmless, "git names the younger one first"
    assert len(repository.merge_bases(merged, head)) == 2
    return head


def a_year_later(world: World, *, by: str = PERSON) -> str:
    """A harmless commit on main, dated as younger than all that main will get."""
    repository = GitRepository(world.bare, identity=by)
    at = world.clock.at + timedelta(days=400)
    return repository.write_commit(repository.head() or "", {"notes.txt": "hello"}, "notes", at)


def test_what_a_merge_brings_back_is_asked_for_whichever_merge_base_git_names_first(world: World) -> None:
    old: Files = {path: world.show(path) for path in (PIN, ROUTE, "rendered/staging/digits.yaml")}
    harmless = a_year_later(world)
    world.train(2)
    world.until(lambda: stable(world) == 2)
    head = criss_crossed(world, harmless, old)
    git(world.bare, "update-ref", "refs/heads/eve/notes", head)
    draft = Draft(branch="eve/notes", head=head, title="notes", body="", author="@eve")
    number = world.ports.forge.create(draft, world.clock.at).number
    assert (state(world, number), PIN in said(world, number)) == (PENDING, True)


def test_under_our_name_a_merge_brings_nothing_back_either(tmp_path: Path) -> None:
    """The pin and rendered files are as due, and nothing else differs from the younger merge base."""
    world = _entering(tmp_path)
    proposal, old = ours(world), world.show(SETTINGS)
    files: Files = {path: world.ports.repository.read(proposal.head, path) for path in (PIN, ROUTE)}
    harmless = a_year_later(world, by=OURS)
    land(world, {SETTINGS: f"{old}limits: {{rollouts: 5}}\n"})
    git(
        world.bare,
        "update-ref",
        f"refs/heads/{proposal.branch}",
        criss_crossed(world, harmless, {**files, SETTINGS: old}, by=OURS),
    )
    approve_now(world, proposal.number, "@kim")
    assert (state(world, proposal.number), "diff is not exactly" in said(world, proposal.number)) == (FAILED, True)


def test_what_conflicts_is_judged_by_what_the_branch_changes(world: World) -> None:
    number = opened(world, edit(world, PIN, "stable:", "previous: null\nstable:"))
    land(world, edit(world, PIN, "stable:", "holdback: 10%\nstable:"))
    head = world.ports.forge.proposal(number).head
    assert world.ports.repository.merged(world.ports.repository.head() or "", head) is None
    assert (state(world, number), PIN in said(world, number)) == (PENDING, True)


def test_what_main_has_by_now_is_asked_for_because_main_may_go_back_on_it(world: World) -> None:
    files = edit(world, MODEL, "approval: required", "approval: none")
    number = opened(world, {**files, "notes.txt": "hello"})
    land(world, files)
    assert (state(world, number), "would enter" in said(world, number)) == (PENDING, True)


def test_an_environment_that_was_taken_out_comes_back_as_guarded_as_it_was(world: World) -> None:
    out = edit(world, MODEL, "    production: {approval: required}\n", "")
    assert state(world, opened(world, out, "eve/out")) is PENDING
    land(world, out)
    back = edit(world, MODEL, "    staging: {}\n", "    staging: {}\n    production: {approval: none}\n")
    number = opened(world, back, "eve/back")
    assert (state(world, number), "digits would enter production" in said(world, number)) == (PENDING, True)


def test_an_environment_that_a_model_never_had_is_guarded(tmp_path: Path) -> None:
    alone = MANIFEST.replace("    production: {approval: required}\n", "").replace("{}", "{approval: none}")
    world = World(tmp_path, manifest=alone)
    more = edit(world, MODEL, "    staging: ", "    production: {approval: none}\n    staging: ")
    assert state(world, opened(world, more)) is PENDING


@pytest.mark.parametrize(
    ("approval", "expected"),
    [
        pytest.param("required", PASSED, id="a model of its own"),
        pytest.param("none", PENDING, id="one that anything may enter"),
    ],
)
def test_a_new_model_asks_where_versions_would_enter_freely(approval: str, expected: CheckState, world: World) -> None:
    text = MANIFEST.replace("digits", "letters").replace("approval: required", f"approval: {approval}")
    assert state(world, opened(world, {"models/letters/model.yaml": text})) is expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("name: letters", "name: digits", id="the name"),
        pytest.param("spec:\n", "spec:\n  registry: {name: digits}\n", id="the name in the registry"),
    ],
)
def test_a_new_model_does_not_take_the_name_of_another(old: str, new: str, world: World) -> None:
    text = MANIFEST.replace("digits", "letters").replace(old, new, 1)
    number = opened(world, {"models/a/model.yaml": text})
    assert (state(world, number), "the name of another model" in said(world, number)) == (PENDING, True)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("name: digits", "name: letters", id="the name"),
        pytest.param("spec:\n", "spec:\n  registry: {name: letters}\n", id="the name in the registry"),
        pytest.param("{kind: file, ready", "{ready", id="what serves it"),
        pytest.param("staging: {}", "staging: {target: {kind: file}}", id="what serves it in one environment"),
    ],
)
def test_what_rendered_files_are_made_from_needs_who_guards_the_environments(old: str, new: str, world: World) -> None:
    assert state(world, opened(world, edit(world, MODEL, old, new))) is PENDING


@pytest.mark.parametrize("by_hand", [pytest.param(True, id="after a hand edit"), pytest.param(False, id="before one")])
def test_a_manifest_that_changes_what_production_serves_is_not_rendered_by_itself(
    world: World, *, by_hand: bool
) -> None:
    """A hand edit of the pin file, approved once, opens no door for later changes of the manifest."""
    if by_hand:
        world.train(2)
        world.until(lambda: stable(world) == 2)
        land(world, edit(world, PIN, f"stable: 2@sha256:{2:064x}", f"stable: 1@sha256:{1:064x}"))
        world.until(lambda: "render" in world.log()[-1], approving=False)
    route = world.show(ROUTE)
    land(world, edit(world, MODEL, "spec:\n", "spec:\n  registry: {name: letters}\n"))
    world.until(lambda: "production/render" in open_branches(world), approving=False)
    number = ours(world).number
    assert (state(world, number), "needs an approval by @dana" in said(world, number)) == (PENDING, True)
    world.tick()
    assert world.show(ROUTE) == route
    approve_now(world, number, "@dana")
    world.until(lambda: world.show(ROUTE) != route, approving=False)


def test_what_is_rendered_anew_waits_for_nobody_in_particular_where_nobody_is_listed(tmp_path: Path) -> None:
    """A dead end once: no approval counted, and no later pass could have rendered it either."""
    world = World(tmp_path, workspace=WORKSPACE.partition("approvals:")[0])
    world.train(1)
    world.until(lambda: "production" in open_branches(world), approving=False)
    approve_now(world, ours(world).number, "@kim")
    world.until(lambda: stable(world) == 1, approving=False)
    route = world.show(ROUTE)
    land(world, edit(world, MODEL, "spec:\n", "spec:\n  registry: {name: letters}\n"))
    world.until(lambda: "production/render" in open_branches(world), approving=False)
    number = ours(world).number
    assert state(world, number) is PENDING
    assert "somebody who may write to the repository (nobody is listed" in said(world, number)
    approve_now(world, number, "@sam")
    world.until(lambda: world.show(ROUTE) != route, approving=False)


def test_the_workspaces_limits_change_nothing_about_whether_a_proposal_may_merge(tmp_path: Path) -> None:
    """They are about what a pass begins: what is proposed goes on, after an event as in a pass."""
    world = _entering(tmp_path)
    number, settings = ours(world).number, world.show(SETTINGS)
    land(world, {SETTINGS: f"{settings}limits: {{rollouts: 1, proposalsPerHour: 1}}\n"})
    for approving, expected in ((False, PENDING), (True, PASSED)):
        if approving:
            approve_now(world, number, "@kim")
        assert state(world, number) is expected
        words = said(world, number)
        (done,) = world.tick(timedelta(0)).done
        assert done.check is not None
        assert (done.proposal, done.check.state, done.check.summary) == (number, expected, words)
    assert stable(world) == 1


def test_a_pass_writes_no_more_checks_of_peoples_than_forges_take(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "AT_ONCE", 2)
    numbers = [opened(world, {"README.md": f"hello {number}"}, f"alice/{number}") for number in range(3)]
    world.tick(timedelta(0))
    assert checked(world, numbers) == 2
    for _ in range(20):
        world.tick(timedelta(minutes=1))
    assert checked(world, numbers) == 3, "each has its turn"


def checked(world: World, numbers: Sequence[int]) -> int:
    return sum(world.ports.forge.proposal(number).check is not None for number in numbers)


def _entering(tmp_path: Path, rules: str = RULED) -> World:
    """Version 1 asks to enter production."""
    world = World(tmp_path, workspace=rules)
    world.train(1)
    world.until(lambda: "production" in open_branches(world), approving=False)
    return world


def test_an_approval_of_somebody_elses_commit_is_none_of_the_transition(tmp_path: Path) -> None:
    """The key stands in both; what was approved is not what would merge."""
    world = _entering(tmp_path)
    proposal = ours(world)
    shown = world.ports.repository.read(proposal.head, PIN) or ""
    other = shown.replace("stable: 1@sha256:", "stable: 9@sha256:")
    assert other != shown
    commit(world, proposal.branch, {PIN: other}, by="lee@example.org", onto=proposal.head)
    for handle in ("@dana", "@kim"):
        approve_now(world, proposal.number, handle)
    assert state(world, proposal.number) is PASSED, "that commit, by its own rules"
    git(world.bare, "update-ref", f"refs/heads/{proposal.branch}", proposal.head)
    assert state(world, proposal.number) is PENDING
    approve_now(world, proposal.number, "@kim")
    assert state(world, proposal.number) is PASSED


def test_an_approval_of_a_head_of_ours_with_another_content_under_the_key_is_none(tmp_path: Path) -> None:
    world = _entering(tmp_path)
    proposal = ours(world)
    shown = world.ports.repository.read(proposal.head, PIN) or ""
    commit(world, proposal.branch, {PIN: shown.replace("stable: 1@", "stable: 9@")}, by=OURS, onto=proposal.head)
    approve_now(world, proposal.number, "@kim")
    git(world.bare, "update-ref", f"refs/heads/{proposal.branch}", proposal.head)
    assert state(world, proposal.number) is PENDING


def _rewritten(world: World, change: Callable[[LaunchRecord], LaunchRecord]) -> None:
    """Whoever may push may write a launch record."""
    repository = world.ports.repository
    for ref, text in repository.records("refs/tidegate/runs/").items():
        repository.write_record(ref, encode(change(decode(text))), text)


def _on_a_branch(world: World) -> Callable[[LaunchRecord], LaunchRecord]:
    head = commit(world, "eve/other", {"notes.txt": "hello"}, by="eve@example.org")
    return lambda record: replace(record, commit=head)


def _with_another_key(world: World) -> Callable[[LaunchRecord], LaunchRecord]:
    land(world, edit(world, MODEL, "parameters: {depth: 1}", "parameters: {depth: 7}"))
    other = world.ports.repository.head() or ""
    land(world, edit(world, MODEL, "parameters: {depth: 7}", "parameters: {depth: 1}"))
    return lambda record: replace(record, commit=other)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda _: lambda record: replace(record, commit="0" * 40), id="a commit that is nowhere"),
        pytest.param(_on_a_branch, id="a commit that main never had"),
        pytest.param(_with_another_key, id="a commit of another training key"),
        pytest.param(lambda _: lambda record: replace(record, model="letters"), id="another model"),
    ],
)
def test_where_nobody_can_tell_who_wrote_the_training_change_two_must_approve(
    change: Callable[[World], Callable[[LaunchRecord], LaunchRecord]], tmp_path: Path
) -> None:
    """@alice wrote it, and is listed."""
    world = _entering(tmp_path, RULED.replace('"@dana"', '"@dana", "@alice"'))
    number = ours(world).number
    _rewritten(world, change(world))
    approve_now(world, number, "@alice")
    assert (state(world, number), "nobody can tell who wrote" in said(world, number)) == (PENDING, True)
    approve_now(world, number, "@kim")
    assert state(world, number) is PASSED


def test_a_link_in_place_of_the_rendered_files_needs_who_guards_the_environments(world: World) -> None:
    clone = world.clone()
    clone.git("checkout", "--quiet", "-b", "eve/link")
    (clone.folder / "elsewhere/production").mkdir(parents=True)
    (clone.folder / "elsewhere/production/digits.yaml").write_text("routes: []\n", encoding="utf-8")
    (clone.folder / "rendered/other").symlink_to("../elsewhere/production")
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "-m", "a link")
    clone.push("HEAD:eve/link")
    draft = Draft(branch="eve/link", head=clone.git("rev-parse", "HEAD"), title="a link", body="", author="@eve")
    number = world.ports.forge.create(draft, world.clock.at).number
    assert (state(world, number), "rendered/other" in said(world, number)) == (PENDING, True)
