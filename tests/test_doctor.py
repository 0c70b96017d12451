"""The verb: what the files of a real repository make doctor ask, and of whom; what is fine and what is not seen."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest

from support.diagnosing import APP_ACCESS, CHECKOUT, FORGE, GATEWAY, MLFLOW, PROMETHEUS, RULES
from support.program import CONTROLLER
from support.repositories import git
from support.worlds import Service, Tape, World, settle
from tidegate import bundled
from tidegate.adapters.git import GitRepository
from tidegate.core.diagnosis import protection
from tidegate.core.diagnosis.actions import PLACEHOLDER, unfilled
from tidegate.core.diagnosis.catalogue import SUBJECTS
from tidegate.core.diagnosis.metrics import Rejected
from tidegate.core.diagnosis.protection import Files
from tidegate.core.diagnosis.remark import Fine, Rule, Section, Unknown
from tidegate.core.diagnosis.repository import TurnedAway
from tidegate.core.diagnosis.workflows import parse
from tidegate.core.finding import Severity
from tidegate.doctor import Report, Sample, Surveyors, Wishes, doctor, read_wishes
from tidegate.ports import Clock, Surveyor
from tidegate.steps.desired import DesiredReader

SILENT = Unknown(why="Connection refused", silent=True)
T = TypeVar("T")


@dataclass
class Sees(Generic[T]):
    """A surveyor that sees this."""

    fact: T

    def survey(self, clock: Clock) -> T:
        return self.fact


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Version 1 of `digits` serves in both environments."""
    world = World(tmp_path_factory.mktemp("world"))
    settle(world)
    world.wait(timedelta(minutes=5))
    return world


def wishes_of(world: World) -> Wishes:
    tree = GitRepository(world.bare, identity="bot@acme.example")
    commit = git(world.bare, "rev-parse", "main")
    return read_wishes(DesiredReader(tree, bundled.schemas()), tree, commit, world.ports.targets)


def surveyors(world: World, asked: list[Sample | None] | None = None) -> Surveyors:
    def registry(sample: Sample | None) -> Surveyor[object]:
        if asked is not None:
            asked.append(sample)
        return Sees(MLFLOW)

    return Surveyors(
        checkout=Sees(CHECKOUT),
        forge=Sees(FORGE),
        registry=registry,  # type: ignore[arg-type]
        prometheus=Sees(PROMETHEUS),
        metrics=world.ports.metrics,
    )


def examined(world: World, **others: Any) -> Report:
    return doctor(wishes_of(world), replace(surveyors(world), **others), world.clock)


def of(report: Report, subject: str) -> Section:
    return next(section for section in report.sections if section.subject == subject)


def test_a_loop_as_it_should_be_has_no_complaint(world: World) -> None:
    report = examined(world)
    assert [complaint.what for section in report.sections for complaint in section.complaints] == []
    assert (report.has_errors, report.has_silence) == (False, False)
    assert [fine.what for fine in of(report, "Series").fine] == [
        "availability of digits in staging is measured",
        "latency of digits in staging is measured",
        "readiness of digits in staging is measured",
        "availability of digits in production is measured",
        "latency of digits in production is measured",
        "readiness of digits in production is measured",
    ]


def test_mlflow_is_asked_for_the_bytes_of_what_serves(world: World) -> None:
    asked: list[Sample | None] = []
    doctor(wishes_of(world), surveyors(world, asked), world.clock)
    assert asked == [("digits", 1)]


def test_a_server_that_does_not_answer_keeps_no_other_from_being_asked(world: World) -> None:
    report = examined(world, prometheus=Sees(SILENT), forge=Sees(SILENT))
    assert report.has_silence
    assert [unseen.what for unseen in of(report, "Proposals").unseen] == ["GitHub"]
    assert [unseen.what for unseen in of(report, "Prometheus").unseen] == ["readings"]
    assert [unseen.what for unseen in of(report, "Series").unseen] == ["the series of objectives"]
    assert of(report, "MLflow").fine


def test_being_turned_away_is_an_error_and_no_silence(world: World) -> None:
    report = examined(world, forge=Sees(TurnedAway(words="who are you?")), prometheus=Sees(Rejected(words="no")))
    assert (report.has_errors, report.has_silence) == (True, False)
    assert [complaint.rule for complaint in of(report, "Proposals").complaints] == ["github-refuses"]


def test_the_local_forge_needs_nothing(world: World) -> None:
    (fine,) = of(examined(world, forge=None), "Proposals").fine
    assert "local forge" in fine.what


def test_series_that_are_not_there_are_complained_about_one_by_one(world: World) -> None:
    found = of(examined(world, metrics=Tape(Service(), world.clock)), "Series")
    assert {complaint.rule for complaint in found.complaints} == {"no-series"}
    assert len(found.complaints) == 8  # two totals, the good events of one objective, readiness; twice


def test_where_nothing_serves_nothing_need_be_measured(tmp_path: Path) -> None:
    report = examined(World(tmp_path))
    assert [fine.what for fine in of(report, "Series").fine] == [
        "no version with objectives serves yet: nothing need be measured"
    ]


def test_files_that_cannot_be_read_are_said_to_be_unseen(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.clone().commit({"models/digits/staging.yaml": "kind: Pin\n", "models/other/model.yaml": "kind: Model\n"})
    world.clone().push("HEAD:main")
    assert [unseen.what for unseen in of(examined(world), "Checkout").unseen] == [
        "models/other/model.yaml",
        "models/digits/staging.yaml",
    ]


def test_workflows_and_code_owners_are_read_from_the_repository(tmp_path: Path) -> None:
    world = World(tmp_path)
    queue = "on: [pull_request, merge_group]\njobs: {approve: {steps: [{uses: acme/tidegate/actions/approve@v1}]}}\n"
    world.clone().commit({
        ".github/workflows/pull-request.yml": queue,
        ".github/workflows/README.md": "no workflow\n",
        "CODEOWNERS": "* @nobody\n",
        ".github/CODEOWNERS": "* @acme/ml\n",
    })  # fmt: skip
    world.clone().push("HEAD:main")
    files = wishes_of(world).files
    assert [workflow.path for workflow in files.workflows] == [".github/workflows/pull-request.yml"]
    assert files.code_owners == "* @acme/ml\n"
    assert files.pins == (
        "models/digits/staging.yaml",
        "models/digits/production.yaml",
        "rendered/staging/digits.yaml",
        "rendered/production/digits.yaml",
    )


def test_the_template_has_nothing_to_complain_about() -> None:
    template = CONTROLLER.parent / "repo-template"
    found = (parse(str(path), path.read_text()) for path in sorted((template / ".github/workflows").glob("*.yml")))
    files = Files(
        workflows=tuple(workflow for workflow in found if workflow is not None),
        code_owners=(template / ".github/CODEOWNERS").read_text(),
        pins=("models/example/staging.yaml", "models/example/production.yaml", "rendered/production/example.yaml"),
    )
    gateway = replace(GATEWAY, queue=True, rules=(replace(RULES, code_owners=True),))
    remarks = list(protection.examine(gateway, APP_ACCESS, files))
    assert [type(remark) for remark in remarks] == [Fine] * len(remarks)


def test_the_templates_placeholders_are_found_and_its_environments(tmp_path: Path) -> None:
    template = CONTROLLER.parent / "repo-template"
    world = World(tmp_path)
    names = (
        ".github/CODEOWNERS",
        *(f".github/workflows/{name}.yml" for name in ("pull-request", "train", "reconcile")),
    )
    world.clone().commit({name: (template / name).read_text() for name in names})
    world.clone().push("HEAD:main")
    files = wishes_of(world).files
    assert [place.partition(":")[0] for place in files.unfilled] == sorted(names)
    assert files.environments == {"tidegate", "tidegate-pull-requests"}
    assert files.environments_of_pulls == {"tidegate-pull-requests"}
    assert any("TIDEGATE_APP_ID" in workflow.variables for workflow in files.workflows)


def test_the_fix_for_the_templates_placeholders_fills_them_in(tmp_path: Path) -> None:
    workflows = shutil.copytree(CONTROLLER.parent / "repo-template/.github/workflows", tmp_path / ".github/workflows")
    before = sorted(workflows.iterdir())
    command = PLACEHOLDER.fix.split("`")[1].replace("COMMIT", "5e1" + "a" * 37)
    subprocess.run(["bash", "-ec", command], cwd=tmp_path, check=True)
    assert sorted(workflows.iterdir()) == before
    assert [unfilled(path.name, path.read_text()) for path in before] == [None] * len(before)
    assert f"acme/tidegate/actions/reconcile@5e1{'a' * 37} #" in (workflows / "reconcile.yml").read_text()


def test_placeholders_are_complained_about_even_where_github_is_silent(world: World) -> None:
    wishes = wishes_of(world)
    unfilled = replace(wishes, files=replace(wishes.files, unfilled=("tidegate.yaml:3 says @you",)))
    report = doctor(unfilled, replace(surveyors(world), forge=Sees(SILENT)), world.clock)
    assert [complaint.rule for complaint in of(report, "Proposals").complaints] == ["placeholder"]


def test_rollouts_are_counted_from_the_history_of_pin_files(tmp_path: Path) -> None:
    """Going further, and the finish, begin none."""
    world = World(tmp_path)
    settle(world)
    assert wishes_of(world).rollouts == ()
    world.train(2)
    world.until(lambda: world.pin().canary is not None)
    (first,) = wishes_of(world).rollouts
    assert (first.environment, first.rate) == ("production", 0.01)
    world.until(lambda: world.pin().stable == world.registry.found[2].pin, passes=200)
    assert wishes_of(world).rollouts == (first,)


PAGE = CONTROLLER.parent / "docs" / "doctor.md"
MARK = "<!-- rules: tests/test_doctor.py compares what follows with the program's -->\n"


def chapter(subject: str, rules: tuple[Rule, ...]) -> str:
    ranked = sorted(rules, key=lambda rule: list(Severity).index(rule.severity))
    rows = "".join(f"| `{r.id}` | {r.severity} | {r.title}. {r.why} | {r.fix} |\n" for r in ranked)
    return f"\n### {subject}\n\n| rule | | what, and why it matters | fix |\n|---|---|---|---|\n{rows}"


def test_the_page_lists_every_rule(request: pytest.FixtureRequest) -> None:
    expected = "".join(chapter(subject, rules) for subject, rules in SUBJECTS.items())
    head, mark, listed = PAGE.read_text(encoding="utf-8").partition(MARK)
    if request.config.getoption("--update-golden"):
        PAGE.write_text(head + mark + expected, encoding="utf-8")
        listed = expected
    assert listed == expected
