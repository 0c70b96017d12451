"""Manifests with every default filled in: each is read as the same Model, and says where its values come from."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from tidegate import bundled
from tidegate.core.manifest import Model
from tidegate.core.planning.effective import Effective, Source, effective, manifest, sources, text
from tidegate.core.read import read_model, read_workspace
from tidegate.core.workspace import Workspace
from tidegate.core.yaml.document import read as read_document
from tidegate.core.yaml.layout import dump
from tidegate.errors import InvalidManifest
from tidegate.reporters import plan_markdown

PATH = "models/churn/model.yaml"
SHORTEST = (
    "apiVersion: tidegate.dev/v1alpha1\nkind: Model\nmetadata: {name: churn}\nspec:\n  environments: {production: }\n"
)
ORDINARY = """\
apiVersion: tidegate.dev/v1alpha1
kind: Model
metadata: {name: churn, owners: ["@acme/growth-ml"], labels: {team: growth}}
spec:
  training: {source: training, command: [python, train.py], environment: requirements.lock, lease: 30m}
  gates:
    roc_auc: {minimum: 0.80, maxDrop: 0.005}
  objectives:
    availability: {preset: http-availability, target: 99.5%}
    latency: {histogram: predict_seconds, under: 250ms, target: 99%}
  environments:
    staging: {}
    production: {approval: required}
"""
FULL = """\
apiVersion: tidegate.dev/v1alpha1
kind: Model
metadata: {name: churn}
spec:
  training:
    source: training
    command: [python, "train.py", --depth, "{{ parameters.depth }}", 3]
    include: [shared/features]
    parameters: {depth: 6, "no": "yes", nested: {list: [1, {a: b}], empty: {}}, text: "a\\nb: # c"}
    data: [{name: year, uri: "s3://data/x y"}]
    seed: 7
    lease: {deadline: 1h30m}
  gates: {brier: {maximum: 0.2, slice: eu, severity: warning}}
  objectives:
    errors: {preset: grpc, target: 0.99, effect: block}
    quick: {good: ok_total, total: all_total, target: 90%}
  rollout: {bake: 45m, probation: {holdback: 5%}, analysis: {dispersion: 3}, minimumEffect: 0.1%}
  environments:
    canary: {rollout: {steps: [1%, 2.5%], probation: {duration: 2h}}, after: [staging], revert: approval}
    staging: {judge: none, objectives: {own: {bad: b, total: t, target: 80%}, quick: {target: 95%}}}
    production: {target: {ready: up}, after: staging}
  serving: {target: {ready: model_ready}}
  hold: {reason: audit}
  dependsOn: [kyc]
  registry: {name: churn eu}
"""
PRESETS = """\
apiVersion: tidegate.dev/v1alpha1
kind: Workspace
environments: [staging, production]
presets: {grpc: {bad: 'grpc_total{code="Internal"}', total: grpc_total}}
defaults: {bake: 1h, steps: [5%, 25%, 50%], probation: {duration: 3d}}
dispersion: 4
"""


def workspace(source: str = "") -> Workspace:
    return read_workspace(source, "tidegate.yaml", bundled.schemas()) if source else Workspace()


def read(source: str, of: Workspace) -> Model:
    return read_model(source, PATH, bundled.schemas(), of)


def filled(source: str, of: Workspace) -> str:
    return text(effective(read_document(source, PATH).data, read(source, of), of), PATH)


@pytest.mark.parametrize("settings_of", [pytest.param("", id="no-defaults"), pytest.param(PRESETS, id="own-defaults")])
@pytest.mark.parametrize(
    "source",
    [
        pytest.param(SHORTEST, id="the-shortest"),
        pytest.param(ORDINARY, id="an-ordinary-one"),
        pytest.param(FULL.replace("preset: grpc", "preset: http-availability"), id="one-that-says-everything"),
    ],
)
def test_it_is_read_as_the_same_model_and_stays_as_it_is(source: str, settings_of: str) -> None:
    of = workspace(settings_of)
    once = filled(source, of)
    assert read(once, of) == read(source, of)
    assert manifest_of(filled(once, of)) == manifest_of(once)


def manifest_of(source: str) -> Any:
    return read_document(source, PATH).data


def test_presets_of_the_workspace_are_told_and_stay_named() -> None:
    of = workspace(PRESETS)
    once = filled(FULL, of)
    assert read(once, of) == read(FULL, of)
    assert "preset: grpc\n" in once
    assert """# bad: "grpc_total{code=\\"Internal\\"}" (tidegate.yaml)""" in once


def test_what_a_built_in_preset_reads_is_told_with_its_labels() -> None:
    source = ORDINARY.replace("preset: http-availability", "preset: knative-latency, under: 250ms")
    assert "knative-latency" in source
    once = filled(source, workspace())
    assert read(once, workspace()) == read(source, workspace())
    assert "# histogram: revision_request_latencies (default)" in once
    assert "# unit: ms (default)" in once
    assert '# dialect: "namespace_name, revision_name={model}-{version}" (default)' in once


def test_every_value_says_where_it_comes_from() -> None:
    of = workspace(PRESETS)
    told = dict(sources(effective(read_document(FULL, PATH).data, read(FULL, of), of)))
    assert {name: told[name] for name in told if name.startswith("spec.rollout.")} == {
        "spec.rollout.bake": Source.MANIFEST,
        "spec.rollout.probation.holdback": Source.MANIFEST,
        "spec.rollout.probation.duration": Source.WORKSPACE,
        "spec.rollout.analysis.dispersion": Source.MANIFEST,
        "spec.rollout.analysis.resolution": Source.DEFAULT,
        "spec.rollout.minimumEffect": Source.MANIFEST,
        "spec.rollout.steps": Source.WORKSPACE,
        "spec.rollout.proposals": Source.DEFAULT,
        "spec.rollout.strategy": Source.DEFAULT,
        **{
            f"spec.rollout.{name}": Source.DEFAULT
            for name in ("falseAdvanceRate", "falseRevertRate", "maximumDuration", "minimumEvents", "onAbsent")
        },
        **{
            f"spec.rollout.{name}": Source.DEFAULT
            for name in ("onInconclusive", "progressDeadline", "ruleOut", "warmUp", "worseThan")
        },
    }


def test_what_holds_where_nothing_is_set_stands_in_a_comment() -> None:
    once = filled(SHORTEST, Workspace())
    assert '# minimumEffect: "a tenth of 1 - target" (default)' in once
    assert "# holdback: none (default)" in once


def test_an_ordinary_manifest_reads_as_reviewed(golden: Any) -> None:
    golden("plan/effective.yaml", filled(ORDINARY, workspace(PRESETS)))


names = st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True).filter(lambda name: name != "model")
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
rollouts = st.fixed_dictionaries(
    {},
    optional={
        "bake": st.sampled_from(["30m", "1h30m", "0s"]),
        "steps": st.sampled_from([["10%"], ["5%", 0.25], []]),
        "worseThan": st.sampled_from([1.1, 2, 1.5]),
        "minimumEffect": st.sampled_from(["1%", 0.5]),
        "onAbsent": st.sampled_from(["ask", "revert"]),
        "probation": st.fixed_dictionaries({}, optional={"duration": st.just("2h"), "holdback": st.just("5%")}),
        "analysis": st.fixed_dictionaries({}, optional={"resolution": st.just("30s"), "dispersion": st.just(3)}),
    },
)
objectives = st.dictionaries(
    names,
    st.sampled_from(
        [
            {"preset": "http-availability", "target": "99%"},
            {"bad": "b", "total": "t", "target": 0.9, "effect": "inform"},
            {"histogram": "h", "under": "250ms", "target": "95%"},
            {"sum": "s", "total": "t", "range": [0, 50], "minimum": 1.5},
            {"value": "max(x)", "maximum": 0.2, "for": "1h", "effect": "block"},
            {"bad": "b", "total": "t", "target": 0.9, "labels": {"served": "p", "delay": "7d"}},
        ]
    ),
    max_size=2,
)
environments = st.dictionaries(
    names,
    st.none()
    | st.fixed_dictionaries(
        {},
        optional={
            "approval": st.sampled_from(["required", "none"]),
            "revert": st.sampled_from(["automatic", "approval"]),
            "judge": st.sampled_from(["none", "ready", "objectives"]),
            "rollout": rollouts,
            "objectives": objectives,
            "target": st.just({"ready": "up"}),
        },
    ),
    min_size=1,
    max_size=3,
)
trainings = st.fixed_dictionaries(
    {"source": st.just("training"), "command": st.just(["python", "train.py"]), "lease": st.just("30m")},
    optional={
        "parameters": st.dictionaries(st.text(min_size=1, max_size=5), values, max_size=3),
        "seed": st.integers(),
        "include": st.just(["shared"]),
    },
)
specs = st.fixed_dictionaries(
    {"environments": environments},
    optional={"training": trainings, "rollout": rollouts, "objectives": objectives, "dependsOn": st.just(["kyc"])},
)


@settings(max_examples=150, deadline=None)
@given(spec=specs, default=rollouts)
def test_whatever_a_manifest_says_it_is_read_as_the_same_model(spec: dict[str, Any], default: dict[str, Any]) -> None:
    of = Workspace(defaults=default)
    metadata = {"name": "churn"}
    source = dump({"apiVersion": "tidegate.dev/v1alpha1", "kind": "Model", "metadata": metadata, "spec": spec})
    try:
        wanted = read(source, of)
    except InvalidManifest:  # an environment's own keys beside a common objective of another kind
        reject()
    once = filled(source, of)
    assert read(once, of) == wanted
    assert manifest_of(once) == manifest(effective(manifest_of(source), wanted, of))


def test_a_comment_holds_as_many_as_there_is_room_for() -> None:
    tree = effective(read_document(ORDINARY, PATH).data, read(ORDINARY, Workspace()), Workspace())
    found = [Effective(model=f"model-{number}", path=PATH, tree=tree) for number in range(100)]
    whole = plan_markdown.effective(found[:2])
    assert "Left out" not in whole
    cut = plan_markdown.effective(found)
    assert 60_000 < len(cut) <= 65_535
    shown = cut.count("<details>")
    assert cut.endswith(f"Left out for want of room: {100 - shown} models.\n")
