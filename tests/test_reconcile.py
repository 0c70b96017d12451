"""The loop on real git and the local forge: versions enter, go on, and go back, each step a merged proposal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.crashes import Died, handed
from support.repositories import OURS, git
from support.worlds import MANIFEST, Behaviour, Clock, World, settle, stable
from tidegate import reconcile as loop
from tidegate.adapters.git import GitRepository, Plumbing
from tidegate.adapters.local_forge import LocalForge
from tidegate.adapters.targets.file import FileTarget
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.manifest import Model
from tidegate.core.observed import ProposalState
from tidegate.core.outcome import Hold, Nothing
from tidegate.core.pin import Pin
from tidegate.core.transition import Kind, Transition
from tidegate.ports import unconditionally
from tidegate.reconcile import reconcile
from tidegate.steps.deciding import Decided
from tidegate.steps.desk import Desk


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_the_first_version_is_promoted_by_a_merged_proposal(world: World) -> None:
    world.train(1)
    report = world.tick()
    assert [(done.kind, done.environment, done.merged is not None) for done in report.done] == [
        ("promote", "staging", True)
    ]
    assert stable(world, "staging") == 1
    assert world.routes() == {"staging": {1: 1.0}}


def test_production_waits_for_its_approver(world: World) -> None:
    world.train(1)
    world.until(lambda: any("/production/" in p.branch for p in world.ports.forge.proposals()), approving=False)
    for _ in range(3):
        world.tick()
    assert stable(world) is None
    world.approve("@mallory")
    world.tick()
    assert stable(world) is None
    world.approve("@dana")
    world.tick()
    assert stable(world) == 1


def test_a_better_version_goes_step_by_step_to_stable(world: World) -> None:
    settle(world)
    world.train(2)
    world.until(lambda: stable(world) == 2)
    kinds = [p.branch.split("/")[-1].split("-")[0] for p in world.ports.forge.proposals()]
    assert kinds == ["promote", "promote", "promote", "promote", "advance", "finish"]
    assert all(p.state is ProposalState.MERGED for p in world.ports.forge.proposals())


def test_a_worse_version_is_reverted_and_never_comes_back(world: World) -> None:
    settle(world)
    world.train(2, Behaviour(slow=0.6))
    world.until(lambda: bool(world.pin().rejected))
    assert (stable(world), world.pin().canary) == (1, None)
    entry = world.pin().rejected[0]
    assert (entry.version, entry.reason.split(" ")[0]) == (2, "latency")
    for _ in range(5):
        world.tick()
    assert world.pin().canary is None


def test_what_goes_back_comes_before_the_closing_of_what_is_not_due(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(world)
    world.train(2, Behaviour(slow=0.6))
    steps: list[str] = []
    carry_out = loop._carry_out_one

    def carried_out(desk: Desk, one: Decided, due: Transition) -> loop.Done:
        steps.append(due.kind.value)
        return carry_out(desk, one, due)

    monkeypatch.setattr(loop, "_close_stale", lambda *_: steps.append("close"))
    monkeypatch.setattr(loop, "_carry_out_one", carried_out)
    world.until(lambda: bool(world.pin().rejected))
    before, after = steps.index("promote") - 1, steps.index("revert") + 1
    assert (steps[before], steps[after]) == ("close", "close")


def test_a_canary_that_never_loads_is_tried_twice_and_then_rejected(world: World) -> None:
    settle(world)
    world.train(2, Behaviour(loads=("staging",)))
    world.until(lambda: world.pin().retried == 2)
    world.until(lambda: bool(world.pin().rejected))
    assert (stable(world), world.pin().rejected[0].reason) == (1, "never served")


def test_I3_prometheus_away_holds_everything_and_resumes_by_itself(world: World) -> None:
    settle(world)
    world.train(2)
    world.until(lambda: world.pin().canary is not None)
    before = world.log()
    world.metrics.unread = Unread(why=Why.UNREACHABLE, words="http://127.0.0.1:9090")
    for _ in range(5):
        report = world.tick()
        assert "http://127.0.0.1:9090" in " ".join(report.failures)
    assert world.log() == before
    world.metrics.unread = None
    world.until(lambda: stable(world) == 2)


def test_I5_a_hand_set_stable_is_obeyed_and_held_until_resume(world: World) -> None:
    settle(world)
    world.train(2)
    world.until(lambda: stable(world) == 2)
    person = world.clone()
    text = (world.show("models/digits/production.yaml") or "").replace(
        f"stable: 2@sha256:{2:064x}", f"stable: 1@sha256:{1:064x}"
    )
    person.commit({"models/digits/production.yaml": text}, "back to 1", at=world.clock.at)
    person.push("HEAD:main")
    for _ in range(4):
        report = world.tick()
    assert stable(world) == 1
    assert world.routes()["production"] == {1: 1.0}
    held = report.decisions[0].environments["production"]
    assert isinstance(held, Hold)
    assert "set by a person" in held.reason


def test_I5_a_git_revert_of_our_merge_is_obeyed_and_held(world: World) -> None:
    settle(world)
    world.train(2)
    world.until(lambda: world.pin().canary is not None)
    person = world.clone()
    person.git("revert", "--no-edit", "-m", "1", "HEAD", at=world.clock.at)
    person.push("HEAD:main")
    for _ in range(4):
        report = world.tick()
    assert world.pin().canary is None
    held = report.decisions[0].environments["production"]
    assert isinstance(held, Hold)
    assert "set by a person" in held.reason


def test_I5_a_closed_proposal_is_a_veto(world: World) -> None:
    world.train(1)
    world.until(lambda: stable(world, "staging") == 1)
    world.until(lambda: open_proposal(world) is not None, approving=False)
    number = open_proposal(world)
    assert number is not None
    world.ports.forge.close(number, "@dana", world.clock.at)
    report = world.tick()
    held = report.decisions[0].environments["production"]
    assert isinstance(held, Hold)
    assert f"closed proposal #{number}" in held.reason
    world.ports.forge.lift(number, "@dana", world.clock.at)
    world.until(lambda: stable(world) == 1)


def open_proposal(world: World) -> int | None:
    return next((p.number for p in world.ports.forge.proposals() if p.state is ProposalState.OPEN), None)


def test_an_invalid_manifest_holds_its_model_and_names_the_line(world: World) -> None:
    settle(world)
    person = world.clone()
    text = (world.show("models/digits/model.yaml") or "").replace("target: 95%", "target: lots")
    person.commit({"models/digits/model.yaml": text}, "a slip", at=world.clock.at)
    person.push("HEAD:main")
    report = world.tick()
    assert any("models/digits/model.yaml:7" in finding for finding in report.invalid)


def test_a_workspace_that_cannot_be_read_stops_promotions_not_reverts(world: World) -> None:
    settle(world)
    world.train(2, Behaviour(slow=0.6))
    world.until(lambda: world.pin().canary is not None)
    person = world.clone()
    person.commit({"tidegate.yaml": "kind: [\n"}, "a slip", at=world.clock.at)
    person.push("HEAD:main")
    world.until(lambda: bool(world.pin().rejected))


def test_dry_run_writes_nothing(world: World) -> None:
    world.train(1)
    before = git(world.bare, "for-each-ref")
    world.wait(timedelta(seconds=30))
    report = reconcile(world.ports, dry_run=True)
    assert [t.kind for d in report.decisions for t in d.transitions()] == [Kind.PROMOTE]
    assert git(world.bare, "for-each-ref") == before


def test_I1_F23_every_pass_may_be_made_by_a_process_that_remembers_nothing(world: World) -> None:
    settle(world)
    world.train(2)
    for _ in range(40):
        world.tick(ports=world.connect())
        if world.approve():
            world.tick(timedelta(0), ports=world.connect())
        if stable(world) == 2:
            break
    assert stable(world) == 2


class WrongTree(LocalForge):
    """A forge whose merge commit does not hold what was judged, as a squash of a stale tree leaves it."""

    repository: GitRepository

    def merge(
        self, number: int, head: str, message: str, at: datetime, *, still: Callable[[], bool] = unconditionally
    ) -> str:
        main = self.repository.head()
        assert main is not None
        wrong = self.repository.write_commit(main, {"models/digits/staging.yaml": "stable: 9\n"}, message, at)
        self.repository.move_branch("main", wrong, main)
        return wrong


def test_I4_a_merge_that_is_not_what_was_judged_is_an_incident(world: World) -> None:
    world.train(1)
    world.wait(timedelta(seconds=30))
    forge = WrongTree(Plumbing(world.bare, identity=OURS, name="Tidegate"))
    forge.repository = GitRepository(world.bare, identity=OURS)
    report = reconcile(replace(world.ports, forge=forge))
    assert len(report.incidents) == 1
    assert "models/digits/staging.yaml" in report.incidents[0]


def test_I4_an_honest_edit_beside_ours_is_no_incident(world: World) -> None:
    settle(world)
    world.train(2)
    person = world.clone()
    text = "# looked after by the growth team\n" + (world.show("models/digits/staging.yaml") or "")
    person.commit({"models/digits/staging.yaml": text, "notes.md": "hello\n"}, "a comment", at=world.clock.at)
    person.push("HEAD:main")
    report = world.tick()
    assert report.incidents == ()
    assert stable(world, "staging") == 2
    assert (world.show("models/digits/staging.yaml") or "").startswith("# looked after")


def test_I2_a_branch_that_was_there_is_not_proposed_for_a_main_that_moved(world: World) -> None:
    world.train(1)
    world.wait(timedelta(seconds=30))

    def dies(name: str, call: Callable[[], Any]) -> Any:
        answer = call()
        if name == "move_branch":
            raise Died
        return answer

    def overtaken(name: str, call: Callable[[], Any]) -> Any:
        answer = call()
        if name == "proposals":
            person = world.clone()
            manifest = world.show("models/digits/model.yaml") or ""
            person.commit({"models/digits/model.yaml": f"# ours\n{manifest}"}, "a word", at=world.clock.at)
            person.push("HEAD:main")
        return answer

    with pytest.raises(Died):
        reconcile(handed(world, dies))
    (done,) = reconcile(handed(world, overtaken)).done
    assert (done.proposal, world.ports.forge.proposals()) == (None, ())
    assert "main moved" in (done.waiting or "")
    world.tick()
    assert stable(world, "staging") == 1


def test_I10_a_settled_model_asks_neither_the_registry_nor_prometheus(world: World) -> None:
    settle(world)
    world.registry.down = True
    world.metrics.unread = Unread(why=Why.UNREACHABLE)
    report = world.tick()
    assert report.failures == ()
    assert all(isinstance(d, Nothing) for d in report.decisions[0].environments.values())


def test_bytes_that_changed_since_registration_do_not_enter(world: World) -> None:
    version = world.train(1)
    world.registry.bytes[1] = "sha256:" + "f" * 64
    report = world.tick()
    held = report.decisions[0].environments["staging"]
    assert isinstance(held, Hold)
    assert f"bytes of version {version.number} do not match" in held.reason
    assert world.ports.forge.proposals() == ()


def on_probation(world: World, behaviour: Behaviour) -> None:
    """Version 2 finished its rollout and only then shows how it behaves."""
    settle(world)
    world.train(2)
    world.until(lambda: stable(world) == 2)
    world.service.behaviours[2] = behaviour


def test_on_probation_a_breach_goes_back_to_the_previous_version(world: World) -> None:
    on_probation(world, Behaviour(errors=0.4))
    world.until(lambda: stable(world) == 1)
    entry = world.pin().rejected[0]
    assert (entry.version, entry.reason.split(" ")[0]) == (2, "availability")


def beside_letters(world: World, effect: str) -> None:
    """Another model on the same serving, whose version 2 is as bad; its objectives have this effect."""
    manifest = MANIFEST.replace("name: digits", "name: letters").replace("target: 9", f"effect: {effect}, target: 9")
    pin = f"apiVersion: tidegate.dev/v1alpha1\nkind: Pin\nstable: 2@sha256:{2:064x}\n"
    files = {"model.yaml": manifest, "production.yaml": pin, "training/train.py": "print()\n"}
    person = world.clone()
    person.commit({f"models/letters/{name}": text for name, text in files.items()}, "letters", at=world.clock.at)
    person.push("HEAD:main")


def test_on_probation_a_sibling_that_breaches_too_holds_the_revert_and_pages(world: World) -> None:
    on_probation(world, Behaviour(errors=0.4))
    beside_letters(world, "revert")
    for _ in range(6):
        report = world.tick()
    held = next(d for d in report.decisions if d.model == "digits").environments["production"]
    assert isinstance(held, Hold)
    assert held.pages
    assert "others on the same serving breach too (letters: 1 of 1)" in held.reason
    assert stable(world) == 2


def test_on_probation_a_sibling_whose_breach_only_informs_holds_nothing(world: World) -> None:
    on_probation(world, Behaviour(errors=0.4))
    beside_letters(world, "inform")
    world.until(lambda: stable(world) == 1)


def test_a_prometheus_whose_clock_is_wrong_holds_a_rollout(world: World) -> None:
    settle(world)
    world.train(2)
    world.until(lambda: world.pin().canary is not None)
    before = world.log()
    world.metrics.clock = Clock(world.clock.at + timedelta(hours=1))
    held = world.tick().decisions[0].environments["production"]
    assert isinstance(held, Hold)
    assert "its clock and ours are" in held.reason
    assert world.log() == before


class OtherTarget(FileTarget):
    """A later Tidegate that renders otherwise."""

    def render(self, model: Model, environment: str, pin: Pin) -> str:
        return "# rendered otherwise\n" + super().render(model, environment, pin)


def test_an_open_proposal_follows_when_we_render_otherwise_and_keeps_its_approvals(world: World) -> None:
    world.train(1)
    world.until(lambda: open_proposal(world) is not None, approving=False)
    number = open_proposal(world)
    world.approve()
    ports = replace(world.ports, targets={"file": OtherTarget()})
    for _ in range(4):
        world.tick(ports=ports)
    assert stable(world) == 1
    assert world.ports.forge.proposal(number or 0).state is ProposalState.MERGED
    assert (world.show("rendered/production/digits.yaml") or "").startswith("# rendered otherwise")
