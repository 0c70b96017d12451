"""The schemas are the public contract: valid themselves, they accept what DESIGN.md shows and name what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tidegate.core.document import read
from tidegate.core.shape import check
from tidegate.core.transition import Kind

FOLDER = Path(__file__).parent.parent.parent / "schemas"
SCHEMAS: dict[str, Any] = {
    kind: json.loads((FOLDER / f"{kind.lower()}.schema.json").read_text()) for kind in ("Model", "Pin", "Workspace")
}
HEX = "0123456789abcdef" * 4

MODEL = """\
apiVersion: tidegate.dev/v1alpha1
kind: Model
metadata: {name: churn, owners: ["@acme/growth-ml"], labels: {team: growth}}
spec:
  training: {source: training, command: [python, train.py], environment: requirements.lock, lease: 30m}
  gates:
    roc_auc: {minimum: 0.80, maxDrop: 0.005}          # maxDrop: versus the champion
  objectives:
    availability: {preset: http-availability, target: 99.5%}
    latency: {histogram: predict_seconds, under: 250ms, target: 99%}
  environments:
    staging: {}
    production: {approval: required}
"""

WHOLE_MODEL = """\
apiVersion: tidegate.dev/v1alpha1
kind: Model
metadata: {name: churn}
spec:
  training:
    source: training
    include: [shared/features]
    command: [python, train.py, --depth, "{{ parameters.depth }}", 3]
    environment: image@sha256:00
    parameters: {depth: 3, nested: {any: [1]}}
    data: {rows: {uri: s3://bucket/rows, digest: sha256:00, contract: rows.yaml, follow: latest}}
    seed: 7
    launcher: kubernetes
    resources: {cpu: 2, memory: 4Gi}
    lease: {deadline: 1h30m, maxCost: 5 EUR, attempts: 2}
    retrain: {schedule: "0 4 * * 1", when: [drift]}
    adopt: true
  gates:
    recall: {minimum: 0.5, slice: new, severity: warning}
  objectives:
    accuracy: {bad: wrong_total, total: all_total, target: 0.85, labels: {delay: 7d, minimumCoverage: 60%}}
    good: {good: fine_total, total: all_total, target: "0.9", window: 7d, effect: block}
    drift:
      value: |
        max(feature_drift)
      maximum: 0.2
      for: 1h
      effect: inform
  rollout:
    steps: [10%, 0.5]
    bake: 30m
    warmUp: 2m
    worseThan: 1.1
    ruleOut: 2
    falseRevertRate: 1%
    falseAdvanceRate: 5%
    minimumEffect: 0.1%
    minimumEvents: "200"
    maximumDuration: 24h
    progressDeadline: 10m
    onInconclusive: ask
    onAbsent: revert
    probation: {duration: 24h, holdback: 5%}
    analysis: {resolution: 1m, dispersion: 2}
    strategy: canary
    proposals: each
  environments:
    staging:
    canary: {after: staging, judge: smoke, smoke: {requests: requests.jsonl}, revert: approval}
    production: {after: [staging, canary], rollout: {bake: 1h}, target: {kind: file}, objectives: {drift: {maximum: 1}}}
  serving: {mode: online, target: {kind: file, ready: model_ready, options: {any: thing}}}
  hold: {scope: all, reason: audit, until: "2026-12-24T18:00:00+01:00"}
  dependsOn: [features]
  registry: {name: churn-prod}
  formerName: attrition
  deletionPolicy: delete
"""

PIN = f"""\
apiVersion: tidegate.dev/v1alpha1
kind: Pin
stable: 11@sha256:{HEX}
previous: 10@sha256:{HEX}
canary: {{pin: 12@sha256:{HEX}, weight: 10%}}
rejected:
  - {{version: 9, key: k0d3f000000000000, reason: "latency ×2.4", proposal: 41}}
policy: 3f2a9c04d1e87b653f2a9c04d1e87b653f2a9c04
transition: {{kind: advance, before: "sha256:{HEX}", attempt: 1, key: k7c1e9a4b03d2f6a1}}
holdback: 5%
retried: 12
hold: {{scope: promotions, reason: audit, by: "@ana"}}
"""

WORKSPACE = """\
apiVersion: tidegate.dev/v1alpha1
kind: Workspace
models: [models]
environments: [staging, production]
forge: {kind: local}
registry: {uri: "http://mlflow:5000", auth: {basic: {username: bot, password: {env: MLFLOW_PASSWORD}}}}
prometheus:
  url: https://prometheus.example
  auth: {mtls: {certificate: tls.crt, key: tls.key, authority: ca.crt}}
  headers: {X-Scope-OrgID: growth, X-Token: {file: /run/token}}
  timeout: 10s
metrics: {labels: {model: model, environment: env, version: model_version}}
presets: {checkout: {bad: failed_total, total: tried_total}, latency: {histogram: seconds}}
approvals: {production: {from: ["@ana", "@bo"], count: 2}}
limits: {rollouts: 3, proposalsPerHour: 20, revertShare: 25%}
freeze:
  - {from: 2026-12-23T18:00, until: 2027-01-02, timeZone: Europe/Berlin, reason: holidays}
  - {days: [fri, sat], from: "16:00", until: 23:59, timeZone: UTC}
notifyAfter: 30m
defaults: {bake: 10m, probation: {duration: 12h}}
dispersion: 2
hold: {reason: moving house}
"""

VALID = {
    "the manifest of the design": ("Model", MODEL),
    "a manifest that says everything": ("Model", WHOLE_MODEL),
    "a pin that says everything": ("Pin", PIN),
    "the first pin": ("Pin", "apiVersion: tidegate.dev/v1alpha1\nkind: Pin\n"),
    "a workspace that says everything": ("Workspace", WORKSPACE),
    "an empty workspace": ("Workspace", "apiVersion: tidegate.dev/v1alpha1\nkind: Workspace\n"),
}


def findings(kind: str, text: str) -> list[str]:
    return [str(finding) for finding in check(read(text, "p"), SCHEMAS[kind])]


@pytest.mark.parametrize("kind", SCHEMAS)
def test_schema_is_valid_and_names_itself(kind: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[kind])
    assert SCHEMAS[kind]["$id"] == f"https://tidegate.dev/schemas/v1alpha1/{kind.lower()}.schema.json"


@pytest.mark.parametrize(("kind", "text"), VALID.values(), ids=VALID)
def test_valid(kind: str, text: str) -> None:
    assert findings(kind, text) == []


@pytest.mark.parametrize(("kind", "text"), VALID.values(), ids=VALID)
def test_an_unknown_key_is_a_finding_in_every_closed_mapping(kind: str, text: str) -> None:
    data = read(text, "p").data
    for path in closed_mappings(SCHEMAS[kind], SCHEMAS[kind], data):
        changed = json.loads(json.dumps(data))
        inner = changed
        for key in path:
            inner = inner[key]
        inner["unheardOf"] = 1
        rules = [finding.rule for finding in check(read(json.dumps(changed), "p"), SCHEMAS[kind])]
        assert "unknown-key" in rules, path


def closed_mappings(whole: Any, schema: Any, data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of the mappings in `data` whose keys the schema lists."""
    if "$ref" in schema:
        schema = whole["$defs"][schema["$ref"].rpartition("/")[2]]
    found = [path] if isinstance(data, dict) and "properties" in schema else []
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inner:
        free = schema.get("additionalProperties") if isinstance(data, dict) else schema.get("items")
        below = schema.get("properties", {}).get(key, free or {})
        found += closed_mappings(whole, below, value, (*path, key))
    return found


def test_the_walk_over_closed_mappings_reaches_the_depths() -> None:
    paths = closed_mappings(SCHEMAS["Model"], SCHEMAS["Model"], read(WHOLE_MODEL, "p").data)
    assert ("spec", "environments", "production", "objectives", "drift") in paths
    assert ("spec", "rollout", "probation") in paths
    assert ("spec", "training", "parameters") not in paths


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_property_has_a_title_and_a_description(kind: str) -> None:
    bare = [name for name, schema in properties(SCHEMAS[kind]) if not {"title", "description"} <= schema.keys()]
    assert bare == []


def properties(schema: Any) -> list[tuple[str, Any]]:
    """All properties at any depth, but for those in `then` and `else`, which only add conditions."""
    if isinstance(schema, list):
        return [found for item in schema for found in properties(item)]
    if not isinstance(schema, dict):
        return []
    own = list(schema.get("properties", {}).items())
    below = [value for key, value in schema.items() if key not in ("then", "else", "properties", "default", "examples")]
    return own + properties(below) + properties([value for _, value in own])


def test_definitions_that_files_share_are_the_same() -> None:
    for name, definition in SCHEMAS["Model"]["$defs"].items():
        for kind in ("Pin", "Workspace"):
            assert SCHEMAS[kind]["$defs"].get(name, definition) == definition, (kind, name)


def test_the_pin_knows_every_kind_of_transition() -> None:
    kinds = SCHEMAS["Pin"]["properties"]["transition"]["properties"]["kind"]["enum"]
    assert {kind.value for kind in Kind} <= set(kinds)


@pytest.mark.parametrize(
    ("kind", "old", "new", "expected"),
    [
        pytest.param(
            "Model",
            "maxDrop: 0.005",
            "maxdrop: 0.005",
            'p:7:30: error unknown-key: unknown key "maxdrop"; fix: did you mean "maxDrop"?',
            id="a misspelt key",
        ),
        pytest.param(
            "Model",
            ", lease: 30m",
            "",
            'p:5:13: error missing-key: training: the key "lease" is missing; '
            "fix: add `lease:` (When the run ends at the latest, whatever happens; a duration, or more)",
            id="a missing key",
        ),
        pytest.param(
            "Model",
            "lease: 30m",
            "lease: 30",
            "p:5:100: error wrong-type: lease: must be a text or a mapping, not a whole number; "
            'fix: write it like "30m"',
            id="a duration without its unit",
        ),
        pytest.param(
            "Model",
            "target: 99%",
            "target: 199%",
            'p:10:65: error wrong-form: target: "199%" does not have the form of a share; '
            'fix: write it like "10%" or "0.1"',
            id="more than everything",
        ),
        pytest.param(
            "Model",
            "approval: required",
            "approval: require",
            'p:13:28: error wrong-value: approval: must be "required" or "none", not "require"; fix: write required',
            id="a misspelt word",
        ),
        pytest.param(
            "Model",
            "v1alpha1",
            "v2",
            'p:1:13: error wrong-value: apiVersion: must be "tidegate.dev/v1alpha1", not "tidegate.dev/v2"; '
            "fix: write tidegate.dev/v1alpha1",
            id="an unknown version of the format",
        ),
        pytest.param(
            "Model",
            "under: 250ms, ",
            "",
            "p:10:14: error missing-key: latency: not enough is given; fix: give one of: preset; bad + total + target; "
            "good + total + target; histogram + under + target; value + maximum; value + minimum",
            id="half an objective",
        ),
        pytest.param(
            "Model",
            "name: churn",
            "name: Churn Model",
            'p:3:18: error wrong-form: name: "Churn Model" does not have the form of a name; '
            'fix: write it like "churn" or "growth-ml"',
            id="a name that is none",
        ),
        pytest.param(
            "Model",
            "    staging: {}",
            "    Staging: {}",
            'p:12:5: error wrong-form: Staging: "Staging" does not have the form of a name; '
            'fix: write it like "churn" or "growth-ml"',
            id="a key that is no name, placed on the key",
        ),
        pytest.param(
            "Model",
            "command: [python, train.py]",
            "command: []",
            "p:5:41: error out-of-bounds: command: must have 1 or more items; "
            "fix: The program and its arguments; `{{ parameters.x }}` is filled in",
            id="an empty list",
        ),
        pytest.param(
            "Pin",
            "k7c1e9a4b03d2f6a1",
            "7c1e9a4b03d2f6a1",
            'error wrong-form: key: "7c1e9a4b03d2f6a1" does not have the form of a key; '
            'fix: write it like "k7c1e9a4b03d2f6a1"',
            id="a key without its letter",
        ),
        pytest.param(
            "Pin",
            f"stable: 11@sha256:{HEX}",
            "stable: 11",
            "p:3:9: error wrong-type: stable: must be a text, not a whole number; "
            'fix: write it like "12@sha256:<64 hex digits>"',
            id="a version without its digest",
        ),
        pytest.param(
            "Workspace",
            "until: 23:59",
            "until: 2026-01-01",
            'error wrong-form: until: "2026-01-01" does not have the form of a time of day; fix: write it like "16:00"',
            id="a date where a time of day belongs",
        ),
        pytest.param(
            "Workspace",
            "{env: MLFLOW_PASSWORD}",
            "{env: A, file: B}",
            "error out-of-bounds: password: must have only 1 of its keys; fix: A secret by reference; never its value",
            id="two references for one secret",
        ),
    ],
)
def test_finding(kind: str, old: str, new: str, expected: str) -> None:
    text = {"Model": MODEL, "Pin": PIN, "Workspace": WORKSPACE}[kind]
    assert old in text
    assert [expected] == [message[-len(expected) :] for message in findings(kind, text.replace(old, new))]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("{env: MLFLOW_PASSWORD}", "hunter2", id="as a text"),
        pytest.param("{env: MLFLOW_PASSWORD}", "[hunter2]", id="as a list"),
        pytest.param("{basic: {username: bot, password: {env: MLFLOW_PASSWORD}}}", "hunter2", id="in place of auth"),
        pytest.param("{basic: {username: bot,", "{bearer: hunter2, basic: {username: bot,", id="as a second way"),
        pytest.param("{file: /run/token}", "[hunter2]", id="in a header"),
    ],
)
def test_I11_a_secret_in_the_wrong_place_is_a_finding_that_does_not_repeat_it(old: str, new: str) -> None:
    assert old in WORKSPACE
    messages = findings("Workspace", WORKSPACE.replace(old, new))
    assert messages
    assert "hunter2" not in "".join(messages)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param('a"b', id="a double quotation mark"),
        pytest.param("it's", id="a single one"),
        pytest.param("a\nroutes: []", id="a line break"),
        pytest.param("churn\n", id="a line break at its end"),
        pytest.param("a\x85b", id="what YAML 1.1 takes for a line break"),
        pytest.param("../churn", id="a way out of its folder"),
        pytest.param("..", id="the folder above"),
        pytest.param("churn:3", id="a colon"),
        pytest.param("churn%2f3", id="an escaped slash"),
        pytest.param("", id="nothing"),
        pytest.param("x" * 256, id="more than the registry holds"),
    ],
)
def test_a_registry_s_name_is_one_that_the_registry_takes(name: str) -> None:
    (message,) = findings("Model", WHOLE_MODEL.replace("churn-prod", json.dumps(name)))
    assert "name" in message


@pytest.mark.parametrize("name", ["churn-prod", "Churn Model (new)", "1e5", "отток", "x" * 255])
def test_a_registry_s_own_names_are_taken(name: str) -> None:
    assert findings("Model", WHOLE_MODEL.replace("churn-prod", json.dumps(name))) == []


def test_a_line_break_at_the_end_of_a_name_is_no_part_of_its_form() -> None:
    (message,) = findings("Model", MODEL.replace("name: churn", r'name: "churn\n"'))
    assert "does not have the form of a name" in message


def test_patterns_are_anchored_because_they_are_matched_as_a_whole() -> None:
    patterns = [each for schema in SCHEMAS.values() for each in patterns_of(schema)]
    assert patterns
    assert not [pattern for pattern in patterns if not (pattern.startswith("^") and pattern.endswith("$"))]


def patterns_of(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [found for item in schema for found in patterns_of(item)]
    if not isinstance(schema, dict):
        return []
    own = [schema["pattern"]] if isinstance(schema.get("pattern"), str) else []
    return own + [found for value in schema.values() for found in patterns_of(value)]


def test_several_findings_come_in_the_order_of_the_text() -> None:
    text = MODEL.replace("source:", "sauce:").replace("labels:", "label:").replace("preset:", "prest:")
    assert [message.split(":")[1] for message in findings("Model", text)] == ["3", "5", "5", "9", "9"]


def test_an_empty_file_is_a_finding() -> None:
    assert findings("Model", "")[0].startswith("p:1:1: error wrong-type: must be a mapping, not empty")
