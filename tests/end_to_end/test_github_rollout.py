"""The whole loop on GitHub, in process: real git over HTTP, the fake's REST and GraphQL, a frozen clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from support.crashes import Died
from support.github.server import FakeGitHub
from support.github.state import Pull
from support.github_hub import Hub, asked, handed_requests, seen
from support.github_worlds import NAME
from support.repositories import OURS
from support.rollouts import BETTER, STEP, WORSE, Play, go_on
from support.worlds import MANIFEST, START, Clock, stable
from tidegate.adapters.git import Plumbing
from tidegate.adapters.github import GitHubForge
from tidegate.adapters.targets.file import FileTarget
from tidegate.core.launch_record import LaunchRecord, LaunchState, encode
from tidegate.core.manifest import Model
from tidegate.core.observed import CheckState, Proposal
from tidegate.core.outcome import Hold, Nothing
from tidegate.core.pin import Pin, content, stamped
from tidegate.core.quantity import VersionPin
from tidegate.core.transition import Kind, mark
from tidegate.core.yaml import splice
from tidegate.errors import OutsideSystem
from tidegate.reconcile import Done, reconcile
from tidegate.steps.trainings import key_at

pytestmark = pytest.mark.end_to_end
DIGEST = f"sha256:{1:064x}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def github(tmp_path: Path, clock: Clock) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path / "github", now=clock.now) as github:
        yield github


@pytest.fixture
def world(tmp_path: Path, github: FakeGitHub, clock: Clock) -> Callable[..., Hub]:
    return partial(Hub, tmp_path, github, clock)


@pytest.mark.parametrize("login", [pytest.param(None, id="as-an-app"), pytest.param("robot", id="with-a-token")])
@pytest.mark.parametrize(
    ("play", "last"),
    [
        pytest.param(BETTER, "finish production", id="a-better-version-goes-all-the-way"),
        pytest.param(WORSE, "revert production", id="a-worse-version-goes-back"),
    ],
)
def test_a_rollout_through_pull_requests(world: Callable[..., Hub], play: Play, last: str, login: str | None) -> None:
    end = go_on(world(login=login), play)
    assert end.merged[-1] == last


def allowing(hub: Hub, *methods: str) -> None:
    settings = {f"allow_{name}": name in methods for name in ("merge_commit", "squash_merge", "rebase_merge")}
    asked(hub.github, "olga", "PATCH", "", settings)


def squash_only(hub: Hub) -> None:
    allowing(hub, "squash_merge")


def rebase_only(hub: Hub) -> None:
    allowing(hub, "rebase_merge")


def strict(hub: Hub) -> None:
    """Our check, by our App alone, on a branch that is up to date; a review too, of which the App is not excused."""
    check = {"context": "tidegate", "app_id": hub.github.app("tidegate").id}
    body = {
        "required_status_checks": {"strict": True, "contexts": [], "checks": [check]},
        "enforce_admins": True,
        "required_pull_request_reviews": {"required_approving_review_count": 1},
        "restrictions": None,
    }
    asked(hub.github, "olga", "PUT", "/branches/main/protection", body)


def queue(hub: Hub) -> None:
    parameters = {
        "check_response_timeout_minutes": 60,
        "grouping_strategy": "ALLGREEN",
        "max_entries_to_build": 5,
        "max_entries_to_merge": 5,
        "merge_method": "SQUASH",
        "min_entries_to_merge": 1,
        "min_entries_to_merge_wait_minutes": 5,
    }
    body = {
        "name": "queue",
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [{"type": "merge_queue", "parameters": parameters}],
    }
    asked(hub.github, "olga", "POST", "/rulesets", body)


@pytest.mark.parametrize(
    "arranged",
    [
        pytest.param(squash_only, id="squash-only"),
        pytest.param(rebase_only, id="rebase-only"),
        pytest.param(strict, id="F20-required-check-and-review-up-to-date"),
        pytest.param(queue, id="F18-merge-queue"),
    ],
)
def test_a_rollout_where_the_repository_has_rules_of_its_own(
    world: Callable[..., Hub], arranged: Callable[[Hub], None]
) -> None:
    hub = world()
    arranged(hub)
    for _ in range(60):
        if BETTER.over(hub):
            break
        BETTER.people(hub)
        hub.wait(STEP)
        report = reconcile(hub.ports)
        assert (report.failures, report.incidents) == ((), ())
    reconcile(hub.ports)
    end = seen(hub)
    assert {pull.rpartition(" ")[2] for pull in end.pulls} == {"merged"}
    assert end.pulls[-1] == "tidegate/digits/production/finish merged"
    assert end.branches == ()


def test_each_version_has_one_deployment_in_each_environment(world: Callable[..., Hub]) -> None:
    hub = world()
    go_on(hub, BETTER)
    hub.wait(STEP)
    reconcile(hub.connect())
    shown = {
        (each.environment, each.payload["version"]): each.statuses[-1].state
        for each in hub.github.repository(NAME).deployments
    }
    assert len(shown) == len(hub.github.repository(NAME).deployments)
    assert shown == {
        ("digits/staging", 1): "inactive",
        ("digits/staging", 2): "success",
        ("digits/production", 1): "inactive",
        ("digits/production", 2): "success",
    }


def test_F16_what_a_person_closed_stays_closed_until_somebody_lifts_the_veto(world: Callable[..., Hub]) -> None:
    hub = world()
    hub.train(1)
    hub.until(lambda: len(hub.pulls) == 2, approving=False)
    entry = hub.pulls[-1]
    asked(hub.github, "dana", "PATCH", f"/pulls/{entry.number}", {"state": "closed"})
    for ports in (hub.ports, hub.connect()):
        report = hub.tick(ports=ports)
        assert report.failures == ()
        (held,) = (d.environments["production"] for d in report.decisions)
        assert isinstance(held, Hold)
        assert f"@dana closed proposal #{entry.number}" in held.reason
    hub.ports.forge.lift(entry.number, "@dana", hub.clock.at)
    hub.tick()
    assert [pull.state for pull in hub.pulls[1:]] == ["closed", "open"]


def pushed_to(hub: Hub) -> Pull:
    """The entry into production, with a person's commit on its branch."""
    hub.train(1)
    hub.until(lambda: len(hub.pulls) == 2, approving=False)
    entry, clone = hub.pulls[-1], hub.clone()
    clone.git("fetch", "--quiet", "origin", entry.head_ref)
    clone.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
    clone.commit({"models/digits/note.md": "mine\n"}, "a note")
    clone.push(f"HEAD:{entry.head_ref}")
    clone.git("checkout", "--quiet", "main")
    return entry


def test_I5_an_approval_that_is_taken_back_during_the_pass_counts_no_more(
    world: Callable[..., Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = world()
    entry, listed = pushed_to(hub), GitHubForge.proposals
    hub.approve("@dana")

    def meanwhile(forge: GitHubForge) -> tuple[Proposal, ...]:
        found = listed(forge)
        review = {"event": "REQUEST_CHANGES", "body": "no"}
        asked(hub.github, "dana", "POST", f"/pulls/{entry.number}/reviews", review)
        return found

    monkeypatch.setattr(GitHubForge, "proposals", meanwhile)
    (done,) = hub.tick().done
    assert done.check is not None
    assert (done.proposal, done.check.state) == (entry.number, CheckState.PENDING)


def test_F16_a_branch_that_a_person_pushed_to_is_theirs_to_merge(world: Callable[..., Hub]) -> None:
    hub = world()
    entry = pushed_to(hub)
    for handle, state in (("@mallory", CheckState.PENDING), ("@dana", CheckState.PASSED)):
        hub.approve(handle)
        hub.tick()
        check = hub.ports.forge.proposal(entry.number).check
        assert check is not None
        assert (check.state, entry.state) == (state, "open"), check
    hub.ports.forge.merge(entry.number, entry.head_sha, "by hand", hub.clock.at)
    hub.tick()
    assert stable(hub) == 1


def test_F21_a_pass_that_github_asks_to_wait_says_until_when(world: Callable[..., Hub]) -> None:
    hub = world()
    hub.train(1)
    hub.github.fault("POST", "/pulls$", "secondary-limit", status=403, retry_after=60)
    (failure, *_) = hub.tick().failures
    assert "pause until" in failure
    assert hub.pulls == []
    hub.github.forget_calls()
    with pytest.raises(OutsideSystem, match="pause until"):
        hub.tick(timedelta(seconds=30))
    assert [call for call in hub.github.calls if ".git/" not in call.path] == []
    hub.tick(timedelta(seconds=40))
    assert [pull.merged for pull in hub.pulls] == [True]


def test_F10_a_revert_goes_through_when_our_budget_of_writes_is_used_up(world: Callable[..., Hub]) -> None:
    hub = world()
    while hub.pin().canary is None:
        WORSE.people(hub)
        hub.tick()
    spent = hub.ports.forge._session._limits._writes  # type: ignore[attr-defined]
    reverts: list[Done] = []
    for _ in range(30):
        spent.clear()
        spent.extend([hub.clock.at - timedelta(minutes=5)] * 400)
        reverts += [done for done in hub.tick().done if done.kind == "revert"]
        if reverts:
            break
    assert [done.merged is not None for done in reverts] == [True]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        pytest.param(422, "No more pull requests here", id="what-github-does-not-take"),
        pytest.param(403, "Resource not accessible by integration", id="what-we-may-not-do"),
    ],
)
def test_F8_a_revert_that_cannot_be_proposed_is_in_every_report(
    world: Callable[..., Hub], status: int, words: str
) -> None:
    hub = world()
    while hub.pin().canary is None:
        WORSE.people(hub)
        hub.tick()
    hub.github.fault("POST", "/pulls$", "before", times=99, status=status, message=words)
    while not any(t.kind is Kind.REVERT for d in hub.tick().decisions for t in d.transitions()):
        pass
    for _ in range(2):
        assert words in " ".join(hub.tick().failures)


def test_F13_a_transition_that_loses_every_race_is_in_every_report(world: Callable[..., Hub]) -> None:
    hub = world()
    hub.train(1)
    for _ in range(2):
        with taken_away(hub):
            (done,) = hub.tick().done
        assert (done.kind, done.environment, done.proposal) == ("promote", "staging", None)
        assert "moved" in (done.waiting or "")
    assert [done.merged is None for done in hub.tick().done] == [False]


def test_I2_what_died_after_its_squash_is_not_proposed_once_more_by_who_saw_the_old_main(
    world: Callable[..., Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = world()
    squash_only(hub)
    hub.train(1)
    hub.wait(STEP)
    slow, listed = hub.connect(), GitHubForge.proposals

    def meanwhile(forge: GitHubForge) -> tuple[Proposal, ...]:
        found = listed(forge)
        if forge is slow.forge and not hub.pulls:
            ports = handed_requests(hub, dying_after_its_merge)
            with pytest.raises(Died):
                reconcile(ports)
        return found

    monkeypatch.setattr(GitHubForge, "proposals", meanwhile)
    (done,) = reconcile(slow).done
    assert (done.proposal, done.merged) == (None, None)
    assert [pull.merged for pull in hub.pulls] == [True]
    reconcile(slow)
    assert sorted(pull.head_ref for pull in hub.pulls) == sorted({pull.head_ref for pull in hub.pulls})


def dying_after_its_merge(name: str, call: Callable[[], Any]) -> Any:
    answer = call()
    if name.startswith("PUT") and name.endswith("/merge"):
        raise Died
    return answer


@contextmanager
def taken_away(hub: Hub) -> Iterator[None]:
    """Somebody removes each branch of ours just before it is proposed."""

    def look(number: int, method: str, path: str) -> None:
        if method == "POST" and path.endswith("/pulls"):
            git = hub.github.repository(NAME).git
            for branch in [name for name in git.branches() if name != "main"]:
                git.move(f"refs/heads/{branch}", None)

    hub.github.on_call = look
    yield
    hub.github.on_call = None


def test_F19_a_merge_of_something_else_than_was_proposed_is_an_incident(world: Callable[..., Hub]) -> None:
    hub = world()
    hub.train(1)
    hub.wait(STEP)
    hub.github.fault("PUT", "/merge", "before", times=9)
    reconcile(hub.ports)
    (pull,) = hub.pulls
    clone = hub.clone()
    clone.git("fetch", "--quiet", "origin", pull.head_ref)
    clone.git("merge", "--quiet", "--no-ff", "--no-commit", "FETCH_HEAD")
    pin = "models/digits/staging.yaml"
    clone.commit({pin: clone.git("show", f"FETCH_HEAD:{pin}").replace("1@sha256:0", "1@sha256:f")}, "merged wrongly")
    clone.push("HEAD:main")
    report = reconcile(hub.ports)
    assert pull.merged
    (incident,) = report.incidents
    assert pin in incident


MODELS = 1000


def test_I10_a_pass_over_a_thousand_settled_models_costs_at_most_five_calls(
    tmp_path: Path, github: FakeGitHub, clock: Clock
) -> None:
    hub = Hub(tmp_path, github, clock)
    clone = hub.clone()
    digits = hub.ports.reader.read(hub.ports.repository.head() or "").model("digits").model
    names = [f"model-{number}" for number in range(MODELS)]
    clone.commit({path: text for name in names for path, text in settled(name, digits)}, "a thousand models")
    clone.push("HEAD:main")
    desired = hub.ports.reader.read(hub.ports.repository.head() or "")
    models = [wanted.model for wanted in desired.models if wanted.model.name != "digits"]
    records = [
        registered(model, key_at(hub.ports.repository, desired.commit, model), desired.commit) for model in models
    ]
    plumbing = Plumbing(hub.bare, identity=OURS, name="Tidegate")
    blobs = plumbing.write_blobs([encode(record) for record in records])
    plumbing.move({record.ref: (None, blob) for record, blob in zip(records, blobs, strict=True)})

    clone.git("checkout", "--quiet", "-b", "alice/readme")
    clone.commit({"README.md": "hello"}, "a change")
    clone.push("HEAD:alice/readme")
    asked(github, "alice", "POST", "/pulls", {"title": "Hello", "head": "alice/readme", "base": "main", "body": ""})

    for _ in range(2):  # the first one writes the check of @alice's
        assert reconcile(hub.ports).failures == ()
    github.forget_calls()
    report = reconcile(hub.ports)
    nothing = [d for d in report.decisions if all(isinstance(e, Nothing) for e in d.environments.values())]
    assert len(nothing) == MODELS
    calls = [call for call in github.calls if ".git/" not in call.path]
    assert len(calls) <= 5
    assert [f"{call.status} {call.path}" for call in calls if call.status != 304] == []


def settled(name: str, digits: Model) -> Iterator[tuple[str, str]]:
    """The files of a model whose version 1 serves everywhere."""
    folder = f"models/{name}"
    text = MANIFEST.replace("name: digits", f"name: {name}")
    yield f"{folder}/model.yaml", text
    yield f"{folder}/training/train.py", f"print('{name}')\n"
    model = replace(digits, name=name, folder=folder, registry_name=name)
    for environment in model.environments:
        pin = Pin(stable=VersionPin(version=1, digest=DIGEST))
        pin = stamped(name, environment.name, pin, mark(Kind.PROMOTE, None))
        yield model.pin_path(environment.name), splice.dump(content(pin))
        target = FileTarget()
        yield target.path(model, environment.name), target.render(model, environment.name, pin)


def registered(model: Model, key: str, commit: str) -> LaunchRecord:
    """The launch record of the version that a settled model serves."""
    return LaunchRecord(
        model=model.name,
        key=key,
        attempt=1,
        commit=commit,
        run_id="run",
        deadline=START,
        state=LaunchState.REGISTERED,
        artifact_digest=DIGEST,
        version=1,
    )
