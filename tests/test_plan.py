"""Plans of real clones: what is compared, what is read, and that the controller then does what the plan said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from support.repositories import OURS, Clone, git, new_bare
from support.situations import pin_of
from support.worlds import MANIFEST, START, WORKSPACE, World, settle, stable
from tidegate import bundled
from tidegate.adapters.git import GitRepository
from tidegate.adapters.targets.file import FileTarget
from tidegate.core.outcome import Hold
from tidegate.core.pin import Pin, content
from tidegate.core.planning.plan import Acts, Fate, ModelPlan, Origin, Plan
from tidegate.core.transition import Kind, Transition
from tidegate.core.yaml.splice import dump
from tidegate.errors import WrongUse
from tidegate.plan import Compared, commit_of, compared, effective_manifests, only, plan
from tidegate.project import project
from tidegate.reporters.plan_text import lines
from tidegate.steps.changes import Changes, Sources
from tidegate.steps.trainings import all_records

PATH = "models/digits/model.yaml"
FILES = {"tidegate.yaml": WORKSPACE, PATH: MANIFEST, "models/digits/training/train.py": "print(1)\n"}
DEEPER = MANIFEST.replace("depth: 1", "depth: 2")


def repository_of(clone: Clone) -> GitRepository:
    return GitRepository(clone.folder / ".git", identity=OURS, work_tree=clone.folder)


def changes_in(clone: Clone, world: World | None = None, base: str | None = None, head: str | None = None) -> Changes:
    """What differs in a clone; launch records are the world's."""
    repository = repository_of(clone)
    there = commit_of(repository, head) if head else repository.snapshot()
    records = all_records(world.ports.repository) if world else ()
    sources = Sources(repository=repository, schemas=bundled.schemas(), targets={"file": FileTarget()}, records=records)
    commits = compared(repository, there, base)
    return Changes(sources, commits.base, commits.head)


def planned(clone: Clone, world: World | None = None) -> Plan:
    return plan(changes_in(clone, world), world.clock.at if world else START)


def the_model(found: Plan) -> ModelPlan:
    (model,) = found.models
    return model


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A clone in which nothing is changed yet."""
    return Clone.of(new_bare(tmp_path / "git", FILES), tmp_path / "clone")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Version 1 long stable everywhere."""
    world = World(tmp_path / "world")
    settle(world)
    return world


def test_a_clone_without_changes_has_an_empty_plan(clone: Clone) -> None:
    found = planned(clone)
    assert (found.models, found.workspace, found.findings) == ((), (), ())
    assert found.fine


def test_what_is_neither_committed_nor_added_counts(clone: Clone) -> None:
    clone.write("models/fraud/model.yaml", MANIFEST.replace("name: digits", "name: fraud"))
    clone.write("models/fraud/training/train.py", "print(2)\n")
    clone.write(PATH, DEEPER)
    found = planned(clone)
    assert [(model.name, model.fate, model.launches) for model in found.models] == [
        ("digits", Fate.CHANGED, True),
        ("fraud", Fate.ADDED, True),
    ]


def test_it_is_compared_as_a_pull_request_is(clone: Clone, tmp_path: Path) -> None:
    clone.checkout("deeper", new=True)
    clone.commit({PATH: DEEPER})
    other = Clone.of(tmp_path / "git" / "models.git", tmp_path / "other")
    other.commit({"models/digits/training/train.py": "print('somebody else')\n"})
    other.push("HEAD:main")
    clone.git("fetch", "--quiet", "origin")
    training = the_model(planned(clone)).training
    assert training is not None
    assert [part.name for part in training.parts] == ["parameter depth"]


def test_what_serves_is_told_as_main_has_it_by_now(clone: Clone, tmp_path: Path) -> None:
    clone.checkout("deeper", new=True)
    clone.commit({PATH: DEEPER})
    other = Clone.of(tmp_path / "git" / "models.git", tmp_path / "other")
    pin = "models/digits/staging.yaml"
    other.commit({pin: dump(content(Pin(stable=pin_of(7))))})
    other.push("HEAD:main")
    clone.git("fetch", "--quiet", "origin")
    changes = changes_in(clone)
    assert changes.before.commit == clone.git("rev-parse", "origin/main")
    staging = the_model(plan(changes, START)).walk[0]
    assert staging.serves == 7


def test_a_change_that_does_not_merge_is_compared_with_where_it_left_main(clone: Clone, tmp_path: Path) -> None:
    left = clone.git("rev-parse", "HEAD")
    clone.checkout("deeper", new=True)
    clone.commit({PATH: DEEPER})
    other = Clone.of(tmp_path / "git" / "models.git", tmp_path / "other")
    other.commit({PATH: MANIFEST.replace("depth: 1", "depth: 3")})
    other.push("HEAD:main")
    clone.git("fetch", "--quiet", "origin")
    commits = compared(repository_of(clone), clone.git("rev-parse", "HEAD"), None)
    assert commits == Compared(main="origin/main", base=left, head=clone.git("rev-parse", "HEAD"), conflict=True)
    found = plan(changes_in(clone), START, conflict=True)
    assert the_model(found).launches
    assert next(line for line in lines(found) if "conflicts" in line) == (
        f"It conflicts with main: this compares it with {left[:12]}, where it left main. Merge main to see more."
    )


def test_another_base_and_another_head(clone: Clone) -> None:
    first = clone.git("rev-parse", "HEAD")
    deeper = clone.commit({PATH: DEEPER})
    clone.push("HEAD:main")
    assert planned(clone).models == ()
    assert the_model(plan(changes_in(clone, base="HEAD~1"), START)).launches
    clone.write(PATH, MANIFEST)
    assert the_model(plan(changes_in(clone, base=first, head=deeper), START)).launches


def test_a_bare_repository_has_no_work_tree(clone: Clone, tmp_path: Path) -> None:
    clone.commit({PATH: DEEPER})
    clone.push("HEAD:refs/heads/deeper")
    bare = GitRepository(tmp_path / "git" / "models.git", identity=OURS)
    assert bare.snapshot() == bare.head()
    deeper, main = commit_of(bare, "deeper"), commit_of(bare, "main")
    assert compared(bare, deeper, None) == Compared(main="main", base=main, head=deeper)
    assert compared(bare, main, "deeper") == Compared(main="deeper", base=deeper, head=deeper)


@pytest.mark.parametrize(
    "reference", ["nowhere", "refs/heads/no", "", "two words", "line\nbreak", "-x", "HEAD:tidegate.yaml"]
)
def test_I14_a_base_that_is_none_is_wrong_use(clone: Clone, reference: str) -> None:
    with pytest.raises(WrongUse):
        changes_in(clone, base=reference)


def test_histories_that_never_met_are_wrong_use(clone: Clone) -> None:
    clone.git("checkout", "--quiet", "--orphan", "island")
    clone.commit({PATH: DEEPER})
    with pytest.raises(WrongUse, match="share no commit"):
        changes_in(clone)


def test_a_clone_that_knows_no_main_says_what_to_do(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=trunk", "alone")
    alone = Clone(tmp_path / "alone")
    alone.commit(FILES)
    with pytest.raises(WrongUse, match="--base"):
        changes_in(alone)
    assert planned_since_nothing(alone) == ()


def planned_since_nothing(alone: Clone) -> tuple[ModelPlan, ...]:
    return plan(changes_in(alone, base="HEAD"), START).models


def test_a_change_that_brings_the_workspace_brings_all_its_models(tmp_path: Path) -> None:
    clone = Clone.of(new_bare(tmp_path / "git", {"README.md": "code\n"}), tmp_path / "clone")
    for path, text in FILES.items():
        clone.write(path, text)
    found = planned(clone)
    assert the_model(found).fate is Fate.ADDED
    assert found.workspace == ()


def test_a_change_without_a_workspace_is_wrong_use(clone: Clone) -> None:
    clone.write("tidegate.yaml", None)
    with pytest.raises(WrongUse, match="tidegate init"):
        planned(clone)


def test_what_cannot_be_read_is_a_finding_and_no_model(clone: Clone) -> None:
    clone.write(PATH, MANIFEST.replace("lease: 5m", "lease: 5"))
    found = planned(clone)
    assert found.models == ()
    assert [(finding.path, finding.line) for finding in found.findings] == [(PATH, 5)]
    assert not found.fine


def test_a_workspace_that_cannot_be_read_is_a_finding(clone: Clone) -> None:
    clone.write("tidegate.yaml", WORKSPACE + "modles: []\n")
    found = planned(clone)
    assert [finding.path for finding in found.findings] == ["tidegate.yaml"]
    assert found.models == ()


def test_findings_of_others_are_told_once(clone: Clone) -> None:
    clone.write(PATH, MANIFEST.replace("source: training,", "source: trainnig,"))
    (missing,) = planned(clone).findings
    assert (missing.rule, missing.line) == ("missing-file", 5)
    assert "models/digits/trainnig" in missing.message
    again = replace(missing, hint="correct it to `training`")
    assert plan(changes_in(clone), START, findings=[again]).findings == (again,)


def test_an_include_that_is_not_there_is_found_on_its_own_line(clone: Clone) -> None:
    with_include = MANIFEST.replace("lease: 5m}", "lease: 5m,\n    include: [shared/a,\n      shared/b]}")
    clone.write(PATH, with_include)
    clone.write("shared/a/x.py", "x = 1\n")
    (missing,) = planned(clone).findings
    assert (missing.line, "shared/b" in missing.message) == (7, True)


def test_what_main_says_counts_by_its_last_valid_text(clone: Clone) -> None:
    clone.commit({PATH: MANIFEST.replace("bake: 1m", "bake: 1")})
    clone.push("HEAD:main")
    clone.write(PATH, MANIFEST.replace("bake: 1m", "bake: 2m"))
    (edit,) = the_model(planned(clone)).edits
    assert (edit.setting, edit.before, edit.after) == ("rollout.bake", "1m", "2m")


INCLUDING = MANIFEST.replace("lease: 5m", "lease: 5m, include: [./shared//features]")


def test_shared_code_trains_every_model_that_includes_it(tmp_path: Path) -> None:
    names = [f"m{number:02}" for number in range(12)]
    files = {"tidegate.yaml": WORKSPACE, "shared/features/x.py": "x = 1\n", "shared/other/y.py": "y = 1\n"}
    for name in names:
        files |= {f"models/{name}/model.yaml": INCLUDING.replace("name: digits", f"name: {name}")}
        files |= {f"models/{name}/training/train.py": "print(1)\n"}
    clone = Clone.of(new_bare(tmp_path / "git", files), tmp_path / "clone")
    clone.write("shared/other/y.py", "y = 2\n")
    assert planned(clone).models == ()
    clone.write("shared/features/x.py", "x = 2\n")
    found = planned(clone)
    assert found.trained == tuple(names)
    assert found.asks
    assert not plan(changes_in(clone), START, allowed=12).asks
    assert plan(changes_in(clone), START, allowed=11).asks
    training = the_model(only(found, ["m03"], changes_in(clone))).training
    assert training is not None
    assert [(part.name, part.files) for part in training.parts] == [("tree shared/features", ("shared/features/x.py",))]


def test_defaults_of_the_workspace_reach_the_models_that_leave_them_open(clone: Clone) -> None:
    own = MANIFEST.replace("name: digits", "name: own")
    clone.commit({"models/own/model.yaml": own, "models/own/training/train.py": "print(1)\n", PATH: MANIFEST})
    open_one = MANIFEST.replace("    bake: 1m\n", "")
    clone.commit({PATH: open_one})
    clone.push("HEAD:main")
    clone.write("tidegate.yaml", WORKSPACE + "defaults: {bake: 3h}\n")
    found = planned(clone)
    assert [model.name for model in found.models] == ["digits"]
    assert [(edit.setting, edit.acts) for edit in found.workspace] == [("defaults.bake", Acts.THROUGH_MODELS)]


def test_a_name_that_is_none_is_wrong_use_and_one_that_does_not_change_is_not(clone: Clone) -> None:
    found, changes = planned(clone), changes_in(clone)
    assert only(found, ["digits"], changes).models == ()
    with pytest.raises(WrongUse, match="no model 'digit'"):
        only(found, ["digit"], changes)
    clone.write("models/digit/model.yaml", MANIFEST.replace("name: digits", "name: digit").replace("lease: 5m", ""))
    broken = changes_in(clone)
    assert only(plan(broken, START), ["digit"], broken).findings, "its findings are shown instead"


def test_effective_manifests_are_those_of_the_names(clone: Clone) -> None:
    clone.write("models/fraud/model.yaml", MANIFEST.replace("name: digits", "name: fraud"))
    changes = changes_in(clone)
    assert [one.model for one in effective_manifests(changes, ())] == ["digits", "fraud"]
    assert [one.path for one in effective_manifests(changes, ("fraud",))] == ["models/fraud/model.yaml"]
    with pytest.raises(WrongUse, match="no model 'frau'"):
        list(effective_manifests(changes, ("frau",)))


def test_the_same_files_give_the_same_plan(clone: Clone) -> None:
    clone.write(PATH, DEEPER)
    assert planned(clone) == planned(clone)


# What the plan says, and what the controller then does.


def merged(world: World, clone: Clone, message: str) -> None:
    """The change as a person merges it."""
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "--message", message, at=world.clock.at)
    clone.push("HEAD:main")


def test_a_key_that_was_trained_is_known(world: World) -> None:
    clone = world.clone()
    text = (clone.folder / PATH).read_text()
    world.train(2)
    clone = world.clone()
    clone.write(PATH, text)
    training = the_model(planned(clone, world)).training
    assert training is not None
    assert training.progress is not None
    assert (training.launches, training.progress.version) == (False, 1)


def test_an_edit_of_stable_is_obeyed_and_holds(world: World) -> None:
    clone = world.clone()
    path = "models/digits/production.yaml"
    text = (clone.folder / path).read_text()
    clone.write(path, text.replace("stable: 1@sha256:", "stable: 2@sha256:"))
    model = the_model(planned(clone, world))
    (edit,), (render,) = model.pins, model.renders
    assert (edit.origin, edit.holds, render.asks, render.carried) == (Origin.BY_HAND, True, False, False)
    merged(world, clone, "serve 2")
    world.tick()
    assert world.show(render.path) == render.after
    decision = world.tick().decisions[0].environments["production"]
    assert isinstance(decision, Hold)
    assert decision.reason.startswith("manual")


def test_a_file_that_git_revert_brings_back_holds(world: World) -> None:
    world.train(2)
    world.until(lambda: stable(world, "staging") == 2, approving=False)
    clone = world.clone()
    log = clone.git("log", "--first-parent", "--format=%H %s").splitlines()
    promoted = next(line.split()[0] for line in log if "staging: promote 2" in line)
    clone.git("revert", "--no-edit", "--mainline=1", promoted, at=world.clock.at)
    model = the_model(planned(clone, world))
    (edit,) = model.pins
    assert (edit.environment, edit.origin, edit.holds) == ("staging", Origin.BROUGHT_BACK, True)
    assert [(render.carried, render.environment) for render in model.renders] == [(True, "staging")]
    clone.push("HEAD:main")
    decision = world.tick().decisions[0].environments["staging"]
    assert isinstance(decision, Hold)
    assert decision.reason.startswith("manual")


def test_a_proposal_of_ours_is_no_edit_by_hand(world: World) -> None:
    world.train(2)
    world.until(lambda: any(p.state.value == "open" for p in world.ports.forge.proposals()), approving=False)
    branch = next(p.branch for p in world.ports.forge.proposals() if p.state.value == "open")
    clone = world.clone()
    clone.git("fetch", "--quiet", "origin")
    clone.checkout(branch)
    (edit,) = the_model(planned(clone, world)).pins
    assert (edit.origin, edit.holds) == (Origin.TRANSITION, False)


def test_what_is_renamed_is_held_and_rendered_under_its_new_name(world: World) -> None:
    clone = world.clone()
    clone.write(PATH, (clone.folder / PATH).read_text().replace("name: digits", "name: numbers"))
    model = the_model(planned(clone, world))
    assert (model.fate, model.launches) == (Fate.RENAMED, False)
    assert model.renaming is not None
    assert model.renaming.follow == ("staging", "production")
    assert model.leaving is not None
    assert model.leaving.rendered == ("rendered/staging/digits.yaml", "rendered/production/digits.yaml")
    assert [(render.asks, render.carried) for render in model.renders] == [(True, False)] * 2
    merged(world, clone, "rename")
    asked = world.tick().decisions[0].environments.values()
    assert [(d.kind, d.needs_person) for d in asked if isinstance(d, Transition)] == [(Kind.RENDER, True)] * 2
    for render in model.renders:
        clone.write(render.path, render.after)
    merged(world, clone, "render")
    assert all(world.show(path) for path in model.leaving.rendered)
    decisions = world.tick().decisions[0].environments
    assert all(isinstance(d, Hold) and d.reason.startswith("manual") for d in decisions.values())


def test_what_is_moved_trains_again_and_is_not_held(world: World) -> None:
    clone = world.clone()
    clone.git("mv", "models/digits", "models/numbers")
    model = the_model(planned(clone, world))
    assert (model.fate, model.launches, model.pins) == (Fate.MOVED, True, ())
    assert [(render.asks, render.carried) for render in model.renders] == [(True, False)] * 2
    merged(world, clone, "move")
    decisions = world.tick().decisions[0].environments
    assert [d.kind for d in decisions.values() if isinstance(d, Transition)] == [Kind.RENDER] * 2
    assert all(d.needs_person for d in decisions.values() if isinstance(d, Transition))


def test_what_is_deleted_leaves_its_aliases_and_files(world: World) -> None:
    project(world.ports.repository, world.registry, world.ports.reader)
    aliases = dict(world.registry.named)
    clone = world.clone()
    clone.write(PATH, None)
    left = the_model(planned(clone, world)).leaving
    assert left is not None
    assert left.serving == {"staging": 1, "production": 1}
    assert left.aliases == tuple(aliases)
    assert left.pins == ("models/digits/staging.yaml", "models/digits/production.yaml")
    merged(world, clone, "delete")
    assert world.tick().decisions == ()
    project(world.ports.repository, world.registry, world.ports.reader)
    assert world.registry.named == aliases
    assert all(world.show(path) for path in (*left.pins, *left.rendered))


def test_models_that_depend_on_one_that_goes_are_told(world: World) -> None:
    clone = world.clone()
    other = MANIFEST.replace("name: digits", "name: kyc").replace("spec:\n", "spec:\n  dependsOn: [digits]\n")
    clone.commit({"models/kyc/model.yaml": other, "models/kyc/training/train.py": "print(1)\n"})
    clone.push("HEAD:main")
    clone.write(PATH, None)
    left = the_model(planned(clone, world)).leaving
    assert left is not None
    assert left.dependants == ("kyc",)


def test_another_registered_model_asks_a_person_for_the_rendered_files(world: World) -> None:
    clone = world.clone()
    text = (clone.folder / PATH).read_text()
    clone.write(PATH, text.replace("spec:\n", "spec:\n  registry: {name: digits-eu}\n"))
    model = the_model(planned(clone, world))
    assert [(render.asks, render.carried) for render in model.renders] == [(True, False)] * 2
    merged(world, clone, "elsewhere")
    decisions = world.tick().decisions[0].environments.values()
    assert [(d.kind, d.needs_person) for d in decisions if isinstance(d, Transition)] == [(Kind.RENDER, True)] * 2


def test_a_rendered_file_that_the_change_spoils_is_put_back(world: World) -> None:
    clone = world.clone()
    path = "rendered/production/digits.yaml"
    clone.write(path, "routes: []\n")
    (render,) = the_model(planned(clone, world)).renders
    assert (render.path, render.spoilt, render.asks, render.before) == (path, True, True, "routes: []\n")


def in_flight(world: World) -> Clone:
    """Version 2 is canary in production."""
    world.train(2)
    world.until(lambda: world.pin().canary is not None)
    return world.clone()


def test_a_policy_is_frozen_for_the_canary_and_not_for_what_comes_next(world: World) -> None:
    clone = in_flight(world)
    policy = world.pin().policy
    clone.write(PATH, (clone.folder / PATH).read_text().replace("bake: 1m", "bake: 9m"))
    model = the_model(planned(clone, world))
    assert {edit.environments: edit.acts for edit in model.edits} == {
        ("production",): Acts.FROZEN,
        ("staging",): Acts.AT_ONCE,
    }
    flight = model.flights["production"]
    assert (flight.version, flight.weight, flight.policy) == (2, 0.25, policy)
    merged(world, clone, "slower")
    world.until(lambda: stable(world) == 2, passes=12)


def test_probation_is_in_flight_until_it_ends(world: World) -> None:
    in_flight(world)
    world.until(lambda: stable(world) == 2)
    clone = world.clone()
    clone.write(PATH, (clone.folder / PATH).read_text().replace("depth: 2", "depth: 3").replace("5m}", "7m}"))
    walk = {entry.environment: entry for entry in the_model(planned(clone, world)).walk}
    flight = walk["production"].flight
    assert flight is not None
    assert (flight.version, flight.weight) == (2, None)
    assert flight.until is not None
    world.clock.at = flight.until
    assert the_model(planned(clone, world)).walk[1].flight is None


@pytest.mark.parametrize(
    ("edit", "holds"),
    [
        pytest.param(("weight: 25%", "weight: 50%"), False, id="a-weight"),
        pytest.param(("canary: {pin: 2@sha256:", "canary: {pin: 1@sha256:"), True, id="another-canary"),
    ],
)
def test_an_edit_of_the_canary(world: World, edit: tuple[str, str], holds: bool) -> None:
    clone = in_flight(world)
    path = "models/digits/production.yaml"
    text = (clone.folder / path).read_text()
    assert edit[0] in text
    clone.write(path, text.replace(*edit))
    (found,) = the_model(planned(clone, world)).pins
    assert (found.origin, found.holds) == (Origin.BY_HAND, holds)
    merged(world, clone, "by hand")
    world.tick()
    decision = world.tick().decisions[0].environments["production"]
    assert (isinstance(decision, Hold) and decision.reason.startswith("manual")) is holds


def test_a_pin_file_that_cannot_be_read_is_a_finding_and_not_a_deletion(world: World) -> None:
    clone = world.clone()
    path = "models/digits/production.yaml"
    clone.write(path, (clone.folder / path).read_text().replace("stable: 1@", "stable: one@"))
    found = planned(clone, world)
    assert [finding.path for finding in found.findings] == [path]
    assert [model.pins for model in found.models] == []


def test_an_environment_that_leaves(world: World) -> None:
    clone = world.clone()
    text = (clone.folder / PATH).read_text()
    clone.write(PATH, text.replace("    staging: {}\n", ""))
    clone.write("models/digits/staging.yaml", None)
    model = the_model(planned(clone, world))
    left = model.removed["staging"]
    assert (left.serving, left.pins, left.rendered) == ({"staging": 1}, (), ("rendered/staging/digits.yaml",))
    assert model.leaving is None
