"""The verb: what the files of a real repository make doctor ask, and of whom; what is fine and what is not seen."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest

from support.diagnosing import APP_ACCESS, CHECKOUT, FORGE, GATEWAY, MLFLOW, PROMETHEUS, RULES
from support.program import CONTROLLER
from support.prometheus_server import PrometheusServer, Written
from support.repositories import git
from support.worlds import MANIFEST, Service, Tape, World, settle
from tidegate import bundled
from tidegate.adapters.git import GitRepository
from tidegate.adapters.prometheus import Prometheus
from tidegate.core.diagnosis import expectation, protection
from tidegate.core.diagnosis.actions import PLACEHOLDER, unfilled
from tidegate.core.diagnosis.catalogue import SUBJECTS
from tidegate.core.diagnosis.metrics import Rejected
from tidegate.core.diagnosis.protection import Files
from tidegate.core.diagnosis.remark import Fine, Rule, Section, Unknown
from tidegate.core.diagnosis.repository import TurnedAway
from tidegate.core.diagnosis.workflows import parse
from tidegate.core.finding import Severity
from tidegate.core.manifest import Judge, Labels, Objective, Target, ValueObjective
from tidegate.core.workspace import Approvals
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


@pytest.mark.parametrize(
    ("rules", "complaints"),
    [
        pytest.param({}, 0, id="where-nobody-is-asked"),
        pytest.param({"approvals": {"production": Approvals(handles=("@dana",))}}, 0, id="where-people-are-named"),
        pytest.param({"approvals": {"production": Approvals(handles=("@acme/leads",))}}, 1, id="where-a-team-approves"),
        pytest.param({"changes": {"objectives": Approvals(handles=("@acme/sre",))}}, 1, id="where-it-guards-a-field"),
    ],
)
def test_members_of_teams_must_be_readable_where_a_rule_names_one(
    world: World, rules: dict[str, Any], complaints: int
) -> None:
    assert isinstance(APP_ACCESS.permissions, dict)
    permissions = {name: level for name, level in APP_ACCESS.permissions.items() if name != "members"}
    forge = replace(FORGE, access=replace(APP_ACCESS, permissions=permissions))
    wishes = wishes_of(world)
    workspace = replace(wishes.desired.workspace, **{"approvals": {}, **rules})
    wishes = replace(wishes, desired=replace(wishes.desired, workspace=workspace))
    report = doctor(wishes, replace(surveyors(world), forge=Sees(forge)), world.clock)
    said = [each.what for each in of(report, "Proposals").complaints]
    assert len([what for what in said if "lacks Members: read" in what]) == len(said) == complaints


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
    assert [complaint.what.partition(" finds")[0] for complaint in found.complaints] == [
        "readiness of digits in staging: `target.ready`",
        "availability of digits in production: `total`",
        "latency of digits in production: `total`",
        "latency of digits in production: `good`",
        "readiness of digits in production: `target.ready`",
        "availability of digits in staging: `total`",  # notes: readiness judges there
        "latency of digits in staging: `total`",
        "latency of digits in staging: `good`",
    ]
    assert {complaint.why for complaint in found.complaints[5:]} == {
        "Nothing waits for it: staging is judged by readiness."
    }
    assert found.fine == ()


LABELS = {"model": "doctored", "instance": "a:80"}
OBJECTIVES = {
    "right": Objective(name="right", target=0.9, bad='doctored_total{code=~"5.."}', total="doctored_total"),
    "misspelt": Objective(name="misspelt", target=0.9, bad='doctored_total{cod=~"5.."}', total="doctored_total"),
    "renamed": Objective(name="renamed", target=0.9, bad="doctored_errors_total", total="doctored_total"),
    "quick": Objective(name="quick", target=0.9, histogram="doctored_seconds", under=timedelta(milliseconds=120)),
}
LATE = Objective(
    name="late",
    target=0.9,
    bad="doctored_wrong",
    total="doctored_truth",
    labels=Labels(served="doctored_total", delay=timedelta(days=1)),
)
VALUES = (
    ValueObjective(name="drift", value='doctored_drift{version="{{ version }}"}', maximum=1),
    ValueObjective(name="lost", value="max(doctored_nothing)", maximum=1),
)


def doctored(world: World, server: PrometheusServer) -> Section:
    """What is said of a model whose objectives are right and wrong, and that has no traffic in staging."""
    readings = Prometheus(server.url)
    now = readings.now()
    assert isinstance(now, datetime)
    times = [now.timestamp() - 15 * back for back in range(60, -1, -1)]

    def written(name: str, **more: str) -> Written:
        labels = {**LABELS, "environment": "production", "version": "1", **more}
        return {"__name__": name, **labels}, [(at, float(index)) for index, at in enumerate(times)]

    buckets = [written("doctored_seconds_bucket", le=bound) for bound in ("0.1", "0.25", "+Inf")]
    server.write([
        written("doctored_total", code="200"), *buckets, written("doctored_seconds_count"), written("doctored_drift"),
    ])  # fmt: skip
    wishes = wishes_of(world)
    (wanted,) = wishes.desired.models
    staging, production = wanted.model.environments
    own: dict[str, Any] = {
        "objectives": tuple(OBJECTIVES.values()),
        "late": (LATE,),
        "values": VALUES,
        "target": Target(),
    }
    model = replace(
        wanted.model,
        name="doctored",
        environments=(replace(staging, judge=Judge.NONE, **own), replace(production, **own)),
    )
    desired = replace(wishes.desired, models=(replace(wanted, model=model),))
    pins = {("doctored", environment): pin for (_, environment), pin in wishes.pins.items()}
    report = doctor(
        replace(wishes, desired=desired, pins=pins), replace(surveyors(world), metrics=readings), world.clock
    )
    readings.close()
    return of(report, "Series")


def test_a_real_prometheus_shows_what_each_kind_of_objective_lacks(world: World, prometheus: PrometheusServer) -> None:
    found = doctored(world, prometheus)
    said = [f"{each.rule} {each.what}" for each in found.complaints if each.severity is Severity.WARNING]
    here, has = " of doctored in production", "they have code, environment, instance, model, version"
    buckets, there = "doctored_seconds_bucket", "there are: +Inf, 0.1, 0.25"
    assert said == [
        f"bad-never-seen misspelt{here}: `bad` finds nothing: no series of doctored_total has a label cod; {has}",
        f"bad-never-seen renamed{here}: `bad` finds nothing: Prometheus has no metric doctored_errors_total",
        f'no-series quick{here}: `under` finds nothing: no series of {buckets} with le=~"0[.]120*"; {there}',
        f"no-series late{here}: `total` finds nothing: Prometheus has no metric doctored_truth_bucket",
        f"value-without-answer lost{here}: Prometheus answers nothing to max(doctored_nothing)",
    ]


def test_what_is_measured_is_said_to_be_and_nothing_else(world: World, prometheus: PrometheusServer) -> None:
    seen = 'no series with code=~"5.."; there are: 200'
    assert [fine.what for fine in doctored(world, prometheus).fine if "production" in fine.what] == [
        f"right of doctored in production is measured; no bad event seen so far ({seen})",
        "drift of doctored in production is measured",
    ]


def test_an_environment_without_traffic_that_nothing_judges_has_no_error(
    world: World, prometheus: PrometheusServer
) -> None:
    found = doctored(world, prometheus)
    staging = [complaint for complaint in found.complaints if "staging" in complaint.what]
    assert {(each.severity, each.why) for each in staging} == {
        (Severity.NOTE, "Nothing waits for it: nothing is judged in staging (judge: none).")
    }
    assert staging[0].what == (
        "right of doctored in staging: `total` finds nothing: "
        'no series of doctored_total with environment="staging"; there are: production'
    )


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
    assert (first.environment, first.rate, first.comparisons, first.alone) == ("production", 0.01, 1, 1.5)
    world.until(lambda: world.pin().stable == world.registry.found[2].pin, passes=200)
    assert wishes_of(world).rollouts == (first,)
    held_back = MANIFEST.replace("{duration: 5m}", "{duration: 5m, holdback: 5%}")
    person = world.clone()
    person.commit({"models/digits/model.yaml": held_back}, "hold back", at=world.clock.at)
    person.push("HEAD:main")
    assert wishes_of(world).rollouts == (replace(first, comparisons=2),)


def test_a_gateway_that_counts_the_same_requests_is_pointed_at(world: World, prometheus: PrometheusServer) -> None:
    readings = Prometheus(prometheus.url)
    now = readings.now()
    assert isinstance(now, datetime)
    labels = {"destination_canonical_service": "gated", "destination_canonical_revision": "1", "reporter": "source"}
    requests = {"__name__": "istio_requests_total", **labels, "destination_service_namespace": "production"}
    prometheus.write([(requests, [(now.timestamp() - 15, 1.0)])])
    wishes = wishes_of(world)
    (wanted,) = wishes.desired.models
    counted = Objective(name="answered", target=0.9, bad="nothing", total="bentoml_service_request_total")
    environments = tuple(replace(each, objectives=(counted,)) for each in wanted.model.environments)
    gated = replace(wanted, model=replace(wanted.model, name="gated", environments=environments))
    pins = {("gated", environment): pin for (_, environment), pin in wishes.pins.items()}
    asked = replace(wishes, desired=replace(wishes.desired, models=(gated,)), pins=pins)
    report = doctor(asked, replace(surveyors(world), metrics=readings), world.clock)
    readings.close()
    (note,) = (each for each in of(report, "Series").complaints if each.rule == "gateway-not-read")
    assert note.severity is Severity.NOTE
    assert note.what.startswith("answered of gated in production is counted by the server, and istio")


def test_where_a_manifest_writes_the_rate_it_is_named(tmp_path: Path) -> None:
    world = World(tmp_path)
    settle(world)
    world.train(2)
    world.until(lambda: world.pin().canary is not None)
    assert [rollout.where for rollout in wishes_of(world).rollouts] == [expectation.DEFAULTS]
    manifest = git(world.bare, "show", "main:models/digits/model.yaml")
    clone = world.clone()
    clone.commit({"models/digits/model.yaml": manifest.replace("rollout:", "rollout:\n    falseRevertRate: 20%")})
    clone.push("HEAD:main")
    (rollout,) = wishes_of(world).rollouts
    assert (rollout.rate, rollout.where) == (0.2, "models/digits/model.yaml (spec.rollout)")


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
