"""The schemas are the public contract: they accept what the format says and name what is wrong.

How they are made (titles, examples, keywords) is tests/core/test_schema_files.py's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from tidegate import bundled
from tidegate.core.manifest import Rollout
from tidegate.core.read import read_model, read_workspace
from tidegate.core.shape import check
from tidegate.core.transition import Kind
from tidegate.core.workspace import Limits, Workspace
from tidegate.core.yaml.document import read

SCHEMAS: Mapping[str, Any] = bundled.schemas()
HEX = "0123456789abcdef" * 4

SHORT = """\
apiVersion: tidegate.dev/v1alpha1
kind: Model
metadata: {name: churn, owners: ["@acme/growth-ml"], labels: {team: growth}}
spec:
  training: {source: training, command: [python, train.py], environment: requirements.lock, lease: 30m}
  gates: {roc_auc: {minimum: 0.80, maxDrop: 0.005}}
  objectives:
    availability: {preset: http-availability, target: 99.5%}
    latency: {histogram: predict_seconds, under: 250ms, target: 99%}
  environments:
    staging: {}
    production: {approval: required}
"""

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
    environment: image@sha256:HEX
    parameters: {depth: 3, nested: {any: [1]}}
    data: {rows: {uri: s3://bucket/rows, digest: sha256:HEX, contract: rows.yaml, follow: latest}}
    seed: 7
    launcher: kubernetes
    resources: {cpu: 2, memory: 4Gi}
    lease: {deadline: 1h30m, maxCost: 5 EUR, attempts: 2}
    retrain: {schedule: {cron: "0 4 * * 1", timeZone: Europe/Berlin}, when: [drift]}
    adopt: true
  gates:
    recall: {minimum: 0.5, slice: new, severity: warning}
  objectives:
    accuracy:
      {bad: wrong_age, total: age, target: 0.85, labels: {served: all_total, delay: 7d, minimumCoverage: 60%}}
    revenue: {sum: revenue_sum, squares: revenue_squares, total: sessions_total, range: [0, 50], minimum: 1.2}
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
""".replace("HEX", HEX)

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
limits: {rollouts: 3, proposalsPerHour: 20, revertShare: 25%, trainingsPerMerge: 4, maximumLease: 12h}
freeze:
  - {from: 2026-12-23T18:00, until: 2027-01-02, timeZone: Europe/Berlin, reason: holidays}
  - {days: [fri, sat], from: "16:00", until: 23:59, timeZone: UTC}
notifyAfter: 30m
defaults: {bake: 10m, probation: {duration: 12h}}
dispersion: 2
hold: {reason: moving house}
"""

LOCK = f"""\
apiVersion: tidegate.dev/v1alpha1
kind: DataLock
data:
  customers: {{uri: "s3://bucket/customers/2026-03", digest: "sha256:{HEX}"}}
request: schedule 2026-03-02T03:00+01:00
transition: {{kind: retrain, before: "sha256:{HEX}", attempt: 1, key: k7c1e9a4b03d2f6a1}}
"""

CONTRACT = """\
apiVersion: tidegate.dev/v1alpha1
kind: DataContract
metadata: {name: customers, owners: ["@acme/data"]}
spec:
  columns:
    customer_id: {type: string, pattern: "[A-Z]{2}[0-9]{6}", unique: true}
    age: {type: integer, minimum: 18, maximum: 120}
    plan: {type: string, values: [free, pro], maximumMissing: 5%}
    updated_at: {type: timestamp, minimum: "2020-01-01", maximum: 2030-01-01T00:00:00Z}
    embedding: {}
  unknownColumns: refuse
  rows: {minimum: 1000, maximum: 5000000}
  freshness: {column: updated_at, maximumAge: 2d}
"""

TEXTS = {
    "Model": MODEL, "Pin": PIN, "Workspace": WORKSPACE, "DataLock": LOCK, "DataContract": CONTRACT,
}  # fmt: skip
VALID = {
    "a manifest of twelve lines": ("Model", SHORT),
    "the manifest of the design": ("Model", MODEL),
    "a manifest that says everything": ("Model", WHOLE_MODEL),
    "a pin that says everything": ("Pin", PIN),
    "the first pin": ("Pin", "apiVersion: tidegate.dev/v1alpha1\nkind: Pin\n"),
    "a workspace that says everything": ("Workspace", WORKSPACE),
    "an empty workspace": ("Workspace", "apiVersion: tidegate.dev/v1alpha1\nkind: Workspace\n"),
    "a data lock": ("DataLock", LOCK),
    "a data contract that says everything": ("DataContract", CONTRACT),
}


def findings(kind: str, text: str) -> list[str]:
    return [str(finding) for finding in check(read(text, "p"), SCHEMAS[kind])]


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


def test_a_manifest_of_twelve_lines_is_complete() -> None:
    model = read_model(SHORT, "models/churn/model.yaml", SCHEMAS, Workspace())
    assert len(SHORT.splitlines()) == 12
    assert [environment.name for environment in model.environments] == ["staging", "production"]
    assert all(environment.rollout == Rollout() for environment in model.environments)


def defaults(schema: Any) -> dict[str, Any]:
    """What holds for keys that are left out; a mapping in which some key is needed may be left out as a whole."""
    found: dict[str, Any] = {}
    for key, value in schema["properties"].items():
        if "default" in value:
            found[key] = value["default"]
        elif "properties" in value and "required" not in value and (below := defaults(value)):
            found[key] = below
    return found


def test_writing_every_default_of_a_rollout_changes_nothing() -> None:
    written = defaults(SCHEMAS["Model"]["$defs"]["rollout"])
    assert {"steps", "probation", "analysis"} <= written.keys()
    text = f"{SHORT}  rollout: {json.dumps(written)}\n"
    assert read_model(text, "m", SCHEMAS, Workspace()) == read_model(SHORT, "m", SCHEMAS, Workspace())


def test_writing_every_default_of_a_workspace_changes_nothing() -> None:
    written = defaults(SCHEMAS["Workspace"])
    assert {"limits", "notifyAfter", "metrics"} <= written.keys()
    del written["dispersion"]  # it becomes a default of every rollout, and is the same there
    text = json.dumps({"apiVersion": "tidegate.dev/v1alpha1", "kind": "Workspace", **written})
    assert read_workspace(text, "tidegate.yaml", SCHEMAS) == Workspace()


def test_the_limits_of_a_workspace_are_read() -> None:
    limits = read_workspace(WORKSPACE, "tidegate.yaml", SCHEMAS).limits
    assert limits == Limits(
        rollouts=3, proposals_per_hour=20, revert_share=0.25, trainings_per_merge=4, maximum_lease=timedelta(hours=12)
    )


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
            'p:5:13: error missing-key: training: the key "lease" is missing; fix: add `lease:` '
            "(When the run ends at the latest, whatever happens: a duration, or a mapping that says more)",
            id="a missing key",
        ),
        pytest.param(
            "Model",
            "lease: 30m",
            "lease: 30",
            "p:5:100: error wrong-type: lease: must be a text or a mapping, not a whole number; "
            'fix: write it like "30m" or {"deadline": "2h", "attempts": 3}',
            id="a duration without its unit",
        ),
        pytest.param(
            "Model",
            "target: 99%",
            "target: 199%",
            'p:10:65: error wrong-form: target: "199%" does not have the form of a percentage; '
            'fix: write it like "10%" or 0.1',
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
            "good + total + target; histogram + under + target; value + maximum; value + minimum; "
            "sum + total + range + minimum; sum + total + range + maximum",
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
            "p:3:9: error pin-without-digest: stable: its digest is missing (version 11); "
            "fix: write 11@sha256:…, or let `tidegate pin MODEL ENVIRONMENT 11` write it",
            id="a version without its digest",
        ),
        pytest.param(
            "Model",
            '"@acme/growth-ml"',
            "dana",
            'p:3:34: error not-a-handle: "dana" is no handle; fix: write "@dana", with the quotes',
            id="an owner that is no handle",
        ),
        pytest.param(
            "Model",
            "{histogram: predict_seconds, under: 250ms,",
            '{bad: "rate(errors_total[5m])", total: requests_total,',
            'p:10:20: error not-a-selector: bad: "rate(errors_total[5m])" is more than a selector of series; '
            "fix: write errors_total: the query is written for you",
            id="an expression where a selector belongs",
        ),
        pytest.param(
            "DataLock",
            f"sha256:{HEX}",
            "sha256:4c1f",
            'error wrong-form: digest: "sha256:4c1f" does not have the form of a digest; '
            'fix: write it like "sha256:06f1c4d20e264066b27fc95cd38daaaa737e4cc4289213aa0…',
            id="a digest that was shortened",
        ),
        pytest.param(
            "DataContract",
            "type: integer, ",
            "type: int, ",
            'p:7:17: error wrong-value: type: must be "string" or "integer" or "number" or "boolean" or "date" or '
            '"timestamp", not "int"; fix: write integer',
            id="a type of columns that we do not know",
        ),
        pytest.param(
            "DataContract",
            "maximumMissing",
            "nullable",
            'p:8:47: error unknown-key: unknown key "nullable"; fix: known here: type, maximumMissing, minimum, '
            "maximum, values, pattern, unique",
            id="another word for what may be missing",
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
    text = TEXTS[kind]
    assert old in text
    assert [expected] == [message[-len(expected) :] for message in findings(kind, text.replace(old, new, 1))]


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


def test_several_findings_come_in_the_order_of_the_text() -> None:
    text = MODEL.replace("source:", "sauce:").replace("labels:", "label:").replace("preset:", "prest:")
    assert [message.split(":")[1] for message in findings("Model", text)] == ["3", "5", "5", "9", "9"]


def test_an_empty_file_is_a_finding() -> None:
    assert findings("Model", "")[0].startswith("p:1:1: error wrong-type: must be a mapping, not empty")
