"""One pass over a folder: what is well shaped is checked although something else is not, each finding stands on a line
of its file, and what has no errors is what the controller can read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

import pytest

from support.broken_yaml import broken, seeds
from support.inspecting import SCHEMAS, Folder, inspected
from tidegate.core.finding import Finding, Severity
from tidegate.core.inspection import Inspector, inspect_settings
from tidegate.core.read import read_model, read_pin, read_workspace
from tidegate.core.workspace import Workspace
from tidegate.core.yaml.document import decode
from tidegate.errors import InvalidManifest

MODEL, PIN, SETTINGS = "models/churn/model.yaml", "models/churn/staging.yaml", "tidegate.yaml"
LOCK, CONTRACT = "models/churn/data.lock.yaml", "models/churn/customers.contract.yaml"
PATHS = (MODEL, PIN, SETTINGS, LOCK, CONTRACT)
HEAD = "apiVersion: tidegate.dev/v1alpha1\nkind: "
MANIFEST = (
    f'{HEAD}Model\nmetadata: {{name: churn, owners: ["@dana"]}}\nspec:\n'
    "  training: {source: training, command: [python, train.py], environment: requirements.lock, lease: 30m}\n"
    "  objectives:\n    availability: {preset: http-availability, target: 99.5%}\n"
    "  rollout: {steps: [10%, 50%], bake: 30m, maximumDuration: 24h}\n"
    "  serving: {target: {kind: file, ready: model_ready}}\n"
    "  environments:\n    staging: {}\n    production: {}\n"
)
WORKSPACE = (
    f'{HEAD}Workspace\nregistry: {{uri: "http://127.0.0.1:5000"}}\nprometheus: {{url: "http://127.0.0.1:9090"}}\n'
    'approvals: {production: {from: ["@dana"]}}\n'
)
CONTRACT_TEXT = f"{HEAD}DataContract\nmetadata: {{name: customers}}\nspec: {{columns: {{id: {{type: string}}}}}}\n"
DIGEST = f"sha256:{'12' * 32}"
FILES = {
    SETTINGS: WORKSPACE,
    MODEL: MANIFEST,
    "models/churn/requirements.lock": "numpy==2.1.0\n",
    "models/churn/training/train.py": "print(1)\n",
}


def changed(*edits: tuple[str, str], text: str = MANIFEST) -> str:
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return text


def found(files: Mapping[str, str | bytes]) -> set[tuple[str, str]]:
    """Where which rule is broken, in a repository whose other files are good."""
    return {(finding.path, finding.rule) for finding in inspected({**FILES, **files})}


def unnamed(files: Mapping[str, str | bytes]) -> set[tuple[str, str]]:
    """As `found`, of the model's folder, whose files nobody has asked for by name."""
    raw = {path: text.encode() if isinstance(text, str) else text for path, text in {**FILES, **files}.items()}
    folder = {
        path: content for path, content in raw.items() if path.startswith("models/churn/") and path.count("/") == 2
    }
    inspector = Inspector(schemas=SCHEMAS, workspace=Workspace())
    yaml = {path: content for path, content in folder.items() if path.endswith((".yaml", ".yml"))}
    return {(finding.path, finding.rule) for finding in inspector.folder(yaml, Folder(raw)).findings}


def in_manifest(*edits: tuple[str, str]) -> set[str]:
    return {rule for path, rule in found({MODEL: changed(*edits)}) if path == MODEL}


def test_a_good_repository_has_no_findings() -> None:
    assert found({}) == set()


STEPS, LEAVES = ("[10%, 50%]", "[50%, 10%]"), ("source: training", "source: ../training")
UNKNOWN, MISSING = (
    ("    production: {}", "    production: {aproval: none}"),
    ("metadata: {name: churn, ", "metadata: {"),
)
TYPE, SECTION = ("lease: 30m", "lease: 30"), ("{steps: [10%, 50%], bake: 30m, maximumDuration: 24h}", "soon")


@pytest.mark.parametrize(
    ("edits", "rules"),
    [
        pytest.param([STEPS], {"steps-do-not-rise"}, id="a rule"),
        pytest.param([LEAVES], {"path-leaves-repository"}, id="another rule"),
        pytest.param([STEPS, LEAVES], {"steps-do-not-rise", "path-leaves-repository"}, id="two rules"),
        pytest.param([UNKNOWN, STEPS], {"unknown-key", "steps-do-not-rise"}, id="an unknown key elsewhere"),
        pytest.param([MISSING, STEPS, LEAVES], {"missing-key", "steps-do-not-rise", "path-leaves-repository"},
                     id="a missing key elsewhere"),
        pytest.param([TYPE, STEPS, LEAVES], {"wrong-type", "steps-do-not-rise", "path-leaves-repository"},
                     id="a wrong type in the same mapping"),
        pytest.param([("[10%, 50%]", "[10%, fifty]"), LEAVES], {"wrong-form", "path-leaves-repository"},
                     id="an item of a wrong form: its list is not looked at"),
        pytest.param([SECTION, LEAVES], {"wrong-type", "path-leaves-repository"}, id="a text in place of a section"),
        pytest.param([("name: churn", "name: Churn"), STEPS, LEAVES],
                     {"wrong-form", "steps-do-not-rise", "path-leaves-repository"}, id="a name of a wrong form"),
    ],
)  # fmt: skip
def test_rules_look_at_what_is_well_shaped(edits: Sequence[tuple[str, str]], rules: set[str]) -> None:
    assert in_manifest(*edits) == rules


@pytest.mark.parametrize(
    ("objective", "lacks"),
    [
        pytest.param("{sum: income_total, total: visits_total, minimum: 3}", "range", id="a range"),
        pytest.param("{sum: income_total, total: visits_total, range: [0, 9]}", "minimum or maximum", id="a bound"),
        pytest.param('{value: "max(drift)", effect: block}', "minimum or maximum", id="the bound of a value"),
        pytest.param("{histogram: seconds, target: 99%}", "under", id="the bound of a latency"),
    ],
)
def test_what_an_objective_lacks_is_told_once(objective: str, lacks: str) -> None:
    text = changed(("{preset: http-availability, target: 99.5%}", objective))
    told = [f.message for f in inspected({**FILES, MODEL: text}) if f.rule in ("missing-key", "incomplete-objective")]
    assert told == [f"availability lacks {lacks}"]


def test_findings_come_in_the_order_of_the_text_and_once() -> None:
    text = changed(STEPS, LEAVES, UNKNOWN, ('"@dana"', "dana"))
    findings = inspected({**FILES, MODEL: text})
    places = [(finding.line, finding.column) for finding in findings]
    assert places == sorted(places)
    assert len(findings) == len(set(findings)) >= 4


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param("kind: [\n", id="no YAML"),
        pytest.param("", id="empty"),
        pytest.param(b"\xff\xfe", id="no UTF-8"),
        pytest.param("- a\n", id="a list"),
        pytest.param(f"{HEAD}Model\n", id="another kind"),
        pytest.param("apiVersion: apps/v1\nkind: Deployment\n", id="another program's"),
        pytest.param(WORKSPACE.replace("registry", "registri"), id="an unknown key"),
        pytest.param(WORKSPACE + "environments: [staging, 7]\n", id="a list with an item of a wrong type"),
        pytest.param(WORKSPACE + "limits: {maximumLease: soon}\n", id="a value of a wrong form"),
        pytest.param(WORKSPACE + "freeze: [{from: 2027-02-30, until: 2027-03-30, reason: x}]\n", id="no such day"),
    ],
)
def test_models_are_checked_whatever_is_wrong_with_the_settings(settings: str | bytes) -> None:
    everything = found({SETTINGS: settings, MODEL: changed(STEPS, LEAVES)})
    assert {rule for path, rule in everything if path == MODEL} == {"steps-do-not-rise", "path-leaves-repository"}
    assert any(path == SETTINGS for path, _ in everything)


def test_models_are_held_against_what_is_right_in_the_settings() -> None:
    lease = "limits: {maximumLease: 10m}\n"
    assert found({SETTINGS: WORKSPACE + lease}) == {(MODEL, "lease-over-limit")}
    broken_settings = WORKSPACE.replace("registry", "registri") + lease + "environments: 7\n"
    _, workspace = inspect_settings(broken_settings.encode(), SCHEMAS, Folder({}))
    assert workspace.limits.maximum_lease is not None
    assert workspace.environments == Workspace().environments
    assert (MODEL, "lease-over-limit") in found({SETTINGS: broken_settings})


@pytest.mark.parametrize("name", ["values.yaml", "params.yaml", "dvc.yaml", "x.yml", "canary.yaml", "Staging.yaml"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: 1\n", id="something"),
        pytest.param("a: [\n", id="no YAML"),
        pytest.param("", id="nothing"),
        pytest.param(b"\xff\xfe\0", id="no text"),
        pytest.param("apiVersion: v1\nkind: Service\n---\nkind: Pod\n", id="several documents"),
        pytest.param("# for tidegate.dev/v1alpha1\na: {{ x }}\n", id="a word about us"),
    ],
)
def test_files_of_others_beside_a_manifest_are_passed_over(name: str, text: str | bytes) -> None:
    assert unnamed({f"models/churn/{name}": text}) == set()


@pytest.mark.parametrize("text", ["a: 1\n", "a: [\n", "", b"\xff\xfe\0", "kind: Pod\napiVersion: v1\n---\na: 1\n"])
def test_what_is_named_like_a_pin_file_must_be_one(text: str | bytes) -> None:
    ((path, _),) = unnamed({PIN: text})
    assert path == PIN


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param("models/churn/churn.yaml", MANIFEST, id="a manifest of another name"),
        pytest.param(MODEL, WORKSPACE, id="settings in place of a manifest"),
        pytest.param(MODEL, f"{HEAD}Pin\nstable: 12@{DIGEST}\n", id="a pin file in place of a manifest"),
        pytest.param(PIN, MANIFEST, id="a manifest in place of a pin file"),
        pytest.param(PIN, CONTRACT_TEXT, id="a contract in place of a pin file"),
        pytest.param("models/churn/tidegate.yaml", WORKSPACE, id="settings in a model's folder"),
        pytest.param(SETTINGS, MANIFEST, id="a manifest in place of the settings"),
    ],
)
def test_what_stands_where_it_is_not_looked_for_has_one_finding(path: str, text: str) -> None:
    rules = [finding.rule for finding in inspected({**FILES, path: text}) if finding.path == path]
    assert rules == ["misplaced-file"]


@pytest.mark.parametrize(
    "kind", ["[Model]", "{Model: 1}", "7", "~", "!!str Model", '"Model"', "true", ".nan", "*x", "&x Model"]
)
@pytest.mark.parametrize("path", PATHS)
def test_any_kind_of_kind(path: str, kind: str) -> None:
    assert inspected({path: f"apiVersion: tidegate.dev/v1alpha1\nkind: {kind}\n"})


@pytest.mark.parametrize("manifest", ["kind: [\n", "", b"\xff", "a: 1\n", f"{HEAD}Pin\n", f"{HEAD}Model\nspec: 7\n"])
def test_a_broken_manifest_makes_no_orphans(manifest: str | bytes) -> None:
    """Its pin files are checked for themselves, and nothing is said about what it may hold."""
    good, bad = f"{HEAD}Pin\nstable: 12@{DIGEST}\n", f"{HEAD}Pin\nstable: 12\n"
    assert {path for path, _ in found({MODEL: manifest, PIN: good})} == {MODEL}
    assert {path for path, _ in found({MODEL: manifest, PIN: bad})} == {MODEL, PIN}


def errors(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def readable(path: str, raw: bytes) -> bool:
    """Whether the controller can work with the file."""
    try:
        text = decode(raw, path)
        match path:
            case "tidegate.yaml":
                read_workspace(text, path, SCHEMAS)
            case "models/churn/model.yaml":
                read_model(text, path, SCHEMAS, Workspace())
            case _:
                read_pin(text, path, SCHEMAS)
    except InvalidManifest:
        return False
    return True


@pytest.mark.parametrize("seed", range(4))
def test_broken_files_have_findings_on_their_lines(seed: int) -> None:
    """Each has a place in the text; what the controller cannot read has an error, and without one it can."""
    random, sources = Random(seed), seeds()
    rules: set[str] = set()
    for _ in range(500):
        text, path = broken(random, sources), random.choice(PATHS)
        raw = text.encode("utf-8", "surrogatepass")
        findings = inspected({path: raw})
        lines = text.split("\n")
        for finding in findings:
            assert 1 <= finding.line <= len(lines), (path, text, finding)
            assert 1 <= finding.column <= len(lines[finding.line - 1]) + 1, (path, text, finding)
            assert finding.message, (path, text, finding)
        rules |= {finding.rule for finding in findings}
        if path in (MODEL, PIN, SETTINGS) and "kind: Data" not in text:
            assert readable(path, raw) or errors(findings), (path, text)
    assert len(rules) > 20, rules
