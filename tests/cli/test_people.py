"""Verbs of people and `pull`, on a real repository: what they say, what they change, and who counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from support.program import Program
from support.repositories import NOON, git
from support.worlds import WORKSPACE, World, settle, stable
from tidegate import errors
from tidegate.core.pin import Hold, stamped
from tidegate.core.transition import Kind, Transition, mark
from tidegate.people import ask
from tidegate.settings import read_settings
from tidegate.wiring.context import Context

NOBODY = WORKSPACE.replace(":5000", ":1").replace(":9090", ":1")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Version 1 serves, and version 2 asks to enter production. Neither MLflow nor Prometheus answers."""
    world = World(tmp_path / "git", workspace=NOBODY)
    settle(world)
    world.train(2)
    world.until(lambda: stable(world, "staging") == 2 and bool(_open(world)), approving=False)
    return world


@pytest.fixture
def tidegate(world: World, tmp_path: Path) -> Program:
    return Program(world.bare, tmp_path)


def _open(world: World) -> list[int]:
    return [p.number for p in world.ports.forge.proposals() if p.state.value == "open"]


def test_rollback_goes_at_once_for_a_listed_person_and_without_mlflow(world: World, tidegate: Program) -> None:
    dry = tidegate("rollback", "digits", "staging", "--dry-run", handle="dana")
    assert "-stable: 2@" in dry.out
    assert stable(world, "staging") == 2
    ran = tidegate("rollback", "digits", "staging", handle="dana")
    assert ran.code == errors.FINE
    assert "merged as" in ran.out
    assert stable(world, "staging") == 1
    assert world.pin("staging").rejects(2)
    assert tidegate("unreject", "digits", "2", handle="dana").code == errors.FINE
    assert not world.pin("staging").rejects(2)


def test_hold_and_resume(world: World, tidegate: Program) -> None:
    ran = tidegate("hold", "digits", "production", "--reason", "audit", "--scope", "all", handle="@dana")
    assert ran.code == errors.FINE
    hold = world.pin().hold
    assert hold is not None
    assert (hold.scope, hold.reason, hold.by) == ("all", "audit", "@dana")
    assert tidegate("resume", "digits", "production", handle="dana").code == errors.FINE
    assert world.pin().hold is None
    assert tidegate("resume", "digits", "production", handle="dana").code == errors.WRONG_USE


@pytest.mark.parametrize(
    ("options", "code"),
    [
        pytest.param(["--reason", "  "], errors.WRONG_USE, id="a-blank-reason"),
        pytest.param(["--reason", "x", "--until", "2020-01-01T00:00:00Z"], errors.WRONG_USE, id="an-end-that-passed"),
        pytest.param(
            ["--reason", "x", "--until", "2099-01-01T00:00:00+01:00:30"], errors.FINE, id="an-odd-offset-is-made-plain"
        ),
    ],
)
def test_a_hold_that_cannot_be_read_is_refused_before_anything_is_written(
    options: list[str], code: int, world: World, tidegate: Program
) -> None:
    before = git(world.bare, "for-each-ref")
    assert tidegate("hold", "digits", "production", *options, "--dry-run", handle="dana").code == code
    assert git(world.bare, "for-each-ref") == before
    assert tidegate("hold", "digits", "production", *options, handle="dana").code == code
    assert (git(world.bare, "for-each-ref") == before) is (code != errors.FINE)


def test_a_pin_file_that_our_reader_would_refuse_makes_no_branch(world: World, tidegate: Program) -> None:
    context = Context(read_settings(str(world.bare), "dana"))
    desired = context.desired()
    model = desired.model("digits").model
    before = world.pin()
    held = replace(before, hold=Hold(reason=""))
    transition = Transition(
        model="digits", environment="production", kind=Kind.HOLD, before=before, reasons=("x",),
        after=stamped("digits", "production", held, mark(Kind.HOLD, before)), needs_person=True,
    )  # fmt: skip
    refs = git(world.bare, "for-each-ref")
    with pytest.raises(errors.Refused, match="nothing was proposed"):
        ask(context.desk(desired), model, transition, "@dana")
    assert git(world.bare, "for-each-ref") == refs


def test_a_reason_is_one_line(world: World, tidegate: Program) -> None:
    ran = tidegate("hold", "digits", "production", "--reason", "audit\nuntil Friday", handle="dana")
    assert ran.code == errors.FINE
    hold = world.pin().hold
    assert hold is not None
    assert hold.reason == "audit until Friday"


def test_pin_sets_stable_by_hand(world: World, tidegate: Program) -> None:
    assert tidegate("pin", "digits", "production", "2", handle="dana").code == errors.FINE
    assert stable(world) == 2
    assert "Held" in tidegate("status").out


def test_an_approval_by_somebody_unlisted_is_kept_and_does_not_count(world: World, tidegate: Program) -> None:
    number = str(_open(world)[0])
    ran = tidegate("pull", "approve", number, handle="mallory")
    assert ran.code == errors.FINE
    assert "does not count: @mallory is not listed under approvals.production" in ran.out
    assert "Still needed: 1 approval by @dana" in ran.out
    ran = tidegate("pull", "approve", number, handle="dana")
    assert "does not count" not in ran.out
    assert "next pass merges it" in ran.out
    shown = json.loads(tidegate("pull", "show", number, "--format", "json").out)
    assert [approval["handle"] for approval in shown["approvals"]] == ["@mallory", "@dana"]
    assert shown["state"] == "open"


def test_I4_what_was_looked_at_is_approved_and_nothing_that_was_pushed_since(world: World, tidegate: Program) -> None:
    number = _open(world)[0]
    seen = world.ports.forge.proposal(number).head
    command = f"To approve this: tidegate pull approve {number} --head {seen}"
    assert tidegate("pull", "show", str(number)).out.splitlines()[-1] == command
    diff = tidegate("pull", "diff", str(number))
    assert diff.err.splitlines() == [command]
    assert diff.out.startswith("diff --git ")
    push(world, number)
    for dry in ([], ["--dry-run"]):
        ran = tidegate("pull", "approve", str(number), "--head", seen, *dry, handle="dana")
        assert (ran.code, ran.out) == (errors.FINDINGS, "")
        assert f"not at {seen}: look at what is there now: tidegate pull diff {number}" in ran.err
    assert world.ports.forge.proposal(number).approvals == ()


@pytest.mark.parametrize(
    "shown", [lambda head: ["--head", head], lambda head: ["--head", head.upper()], lambda _: []],
    ids=["the-whole-head", "in-capitals", "whatever-is-there"],
)  # fmt: skip
def test_an_approval_says_which_head_it_is_for(
    world: World, tidegate: Program, shown: Callable[[str], list[str]]
) -> None:
    number = _open(world)[0]
    head = world.ports.forge.proposal(number).head
    dry = tidegate("pull", "approve", str(number), *shown(head), "--dry-run", handle="dana")
    assert dry.out == f"#{number} would be approved by @dana at {head[:12]}\n"
    ran = tidegate("pull", "approve", str(number), *shown(head), handle="dana")
    assert ran.out.splitlines()[0] == f"#{number}: approved by @dana at {head[:12]}"
    assert [each.head for each in world.ports.forge.proposal(number).approvals] == [head]


@pytest.mark.parametrize(
    "given",
    [lambda it: it[:12], lambda it: it[:39], lambda it: f"{it}0", lambda _: "g" * 40, lambda _: "HEAD~1"],
    ids=["as-short-as-it-is-shown", "one-digit-less", "one-digit-more", "other-letters", "gits-words"],
)  # fmt: skip
def test_I4_I14_a_head_that_is_no_whole_commit_is_wrong_use(
    world: World, tidegate: Program, given: Callable[[str], str]
) -> None:
    """Whoever pushes can make another commit that begins alike."""
    number = _open(world)[0]
    head = given(world.ports.forge.proposal(number).head)
    ran = tidegate("pull", "approve", str(number), "--head", head, handle="dana")
    assert (ran.code, "is no whole commit" in ran.err) == (errors.WRONG_USE, True)
    assert world.ports.forge.proposal(number).approvals == ()


def test_what_is_merged_asks_for_no_approval(world: World, tidegate: Program) -> None:
    merged = next(p.number for p in world.ports.forge.proposals() if p.state.value == "merged")
    assert "To approve" not in tidegate("pull", "show", str(merged)).out + tidegate("pull", "diff", str(merged)).err


def push(world: World, number: int) -> None:
    """Somebody else commits on the proposal's branch."""
    proposal, repository = world.ports.forge.proposal(number), world.ports.repository
    pin = repository.read(proposal.head, "models/digits/production.yaml")
    made = repository.write_commit(proposal.head, {"models/digits/production.yaml": f"{pin}# more\n"}, "more", NOON)
    repository.move_branch(proposal.branch, made, proposal.head)


def test_I5_closing_is_a_veto_until_a_person_lifts_it(world: World, tidegate: Program) -> None:
    number = str(_open(world)[0])
    assert tidegate("retry", number, handle="dana").code == errors.FINDINGS
    ran = tidegate("pull", "close", number, handle="dana")
    assert f"This is a veto: the change is not proposed again. To lift it: tidegate retry {number}" in ran.out
    for _ in range(3):
        world.tick()
    assert _open(world) == []
    assert tidegate("retry", number, handle="dana").code == errors.FINE
    world.tick()
    assert len(_open(world)) == 1
    ran = tidegate("retry", number, handle="dana")
    assert ran.code == errors.FINDINGS
    assert "lifted already" in ran.err


def test_retry_refuses_what_is_merged(tidegate: Program) -> None:
    ran = tidegate("retry", "1", handle="dana")
    assert ran.code == errors.FINDINGS
    assert "#1 is merged" in ran.err
    assert "tidegate rollback" in ran.err


def test_retry_does_not_send_a_person_s_merged_verb_to_rollback(world: World, tidegate: Program) -> None:
    assert tidegate("hold", "digits", "production", "--reason", "audit", handle="dana").code == errors.FINE
    number = max(p.number for p in world.ports.forge.proposals())
    ran = tidegate("retry", str(number), handle="dana")
    assert ran.code == errors.FINDINGS
    assert f"#{number} is merged: there is no veto to lift" in ran.err
    assert "rollback" not in ran.err


def test_pull_lists_shows_and_comments(world: World, tidegate: Program) -> None:
    number = _open(world)[0]
    assert [line.split()[0] for line in tidegate("pull", "list").out.splitlines()[1:]] == [f"#{number}"]
    assert len(tidegate("pull", "list", "--all").out.splitlines()) == 1 + len(world.ports.forge.proposals())
    assert tidegate("pull", "diff", str(number)).out.count("diff --git") == 2
    assert tidegate("pull", "comment", str(number), "why now?", handle="erin").code == errors.FINE
    assert "why now?" in tidegate("pull", "show", str(number)).out


def test_the_json_of_status_is_stable(tidegate: Program) -> None:
    report = json.loads(tidegate("status", "--format", "json").out)
    assert list(report) == ["main", "at", "models", "unreadable", "failures"]
    assert list(report["models"][0]) == ["model", "training", "environments", "invalid", "failure", "explained"]
    assert list(report["models"][0]["environments"][0]) == [
        "environment", "status", "stable", "canary", "weight", "previous", "serving", "rendered",
        "reason", "waiting_on", "until", "proposal",
    ]  # fmt: skip


def test_status_explains_what_it_shows(tidegate: Program) -> None:
    ran = tidegate("status", "digits", "--explain")
    assert "digits in production: " in ran.out
    assert "version 2 baking, since " in ran.out
    explained = json.loads(tidegate("status", "digits", "--explain", "--format", "json").out)["models"][0]["explained"]
    assert [each["environment"] for each in explained] == ["staging", "production"]
    assert explained[0]["account"]["question"]["rollout"]["bake"] == "1m"


def test_I11_no_command_shows_a_credential(world: World, tmp_path: Path) -> None:
    clone = world.clone()
    workspace = NOBODY.replace("http://127.0.0.1:1", "http://joe:hunter2@127.0.0.1:1")
    prometheus = 'prometheus: {url: "http://joe:hunter2@127.0.0.1:1"'
    workspace = workspace.replace(f"{prometheus}}}", f"{prometheus}, auth: {{bearer: {{env: MY_TOKEN}}}}}}")
    assert "MY_TOKEN" in workspace
    clone.commit({"tidegate.yaml": workspace}, "sign in")
    clone.push("HEAD:main")
    secrets = {
        "MY_TOKEN": "s3cr3t-bearer",
        "MLFLOW_TRACKING_PASSWORD": "s3cr3t-mlflow",
        "MLFLOW_TRACKING_USERNAME": "x",
    }
    tidegate = Program(world.bare, tmp_path, secrets)
    for arguments in (
        ["--verbose", "status"],
        ["status", "--format", "json"],
        ["--verbose", "reconcile", "--once", "--format", "json"],
        ["--verbose", "train"],
        ["--verbose", "evaluate", "digits"],
        ["pull", "list", "--all", "--format", "json"],
        ["--verbose", "rollback", "digits", "staging"],
    ):
        ran = tidegate(*arguments, handle="dana")
        assert ran.out + ran.err
        assert not [word for word in ("hunter2", "s3cr3t") if word in ran.out + ran.err], arguments
