"""Which rules a person's change touches. The rules are main's; what the change says of rules is a change itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.approving.needs import Change, Field, covers, needs_of
from tidegate.core.workspace import Approvals, Workspace

RULE = Approvals(handles=("@dana",))
RULES = Workspace(
    approvals={"staging": RULE, "production": RULE},
    changes={"objectives": RULE, "environments.production.rollout": RULE, "training.data": RULE},
)
ENTRIES = ["approvals.staging", "approvals.production"]
MODEL = "models/churn/model.yaml"
SPEC = {
    "training": {"source": "training", "data": {"events": {"digest": "sha256:1"}}},
    "objectives": {"latency": {"target": "99%"}},
    "rollout": {"bake": "30m"},
    "environments": {"staging": {}, "production": {"approval": "required", "rollout": {"bake": "1h"}}},
}
MANIFEST = {"kind": "Model", "metadata": {"name": "churn", "owners": ["@dana"]}, "spec": SPEC}
SETTINGS = {
    "environments": ["staging", "production"],
    "approvals": {"staging": {"from": ["@dana"]}, "production": {"from": ["@dana"]}},
    "changes": {"objectives": {"from": ["@dana"]}, "gates": {"from": ["@dana"]}},
    "defaults": {"bake": "30m"},
    "limits": {"rollouts": 20},
}


def touched(change: Change, rules: Workspace = RULES) -> list[str]:
    return [need.name for need in needs_of([change], rules)]


def with_value(data: Any, path: str, value: object) -> Any:
    """A copy with the value at the dotted path; None takes it out."""
    name, _, rest = path.partition(".")
    inner = with_value(data.get(name) or {}, rest, value) if rest else value
    return {**{key: item for key, item in data.items() if key != name}, **({} if inner is None else {name: inner})}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        pytest.param("training.seed", 7, [], id="a field without a rule"),
        pytest.param("objectives.latency.target", "98%", ["changes.objectives"], id="inside the field of a rule"),
        pytest.param("objectives", None, ["changes.objectives"], id="the field goes"),
        pytest.param("objectives.errors.target", "99%", ["changes.objectives"], id="something new inside it"),
        pytest.param(
            "environments.staging.objectives.latency.target",
            "90%",
            ["changes.objectives"],
            id="an override of an environment is a change of the field",
        ),
        pytest.param(
            "environments.production.rollout.bake",
            "1s",
            ["changes.environments.production.rollout"],
            id="the environment's own field",
        ),
        pytest.param(
            "rollout.bake",
            "1s",
            ["changes.environments.production.rollout"],
            id="what the environment of a rule inherits",
        ),
        pytest.param("environments.staging.rollout.bake", "1s", [], id="the same field of another environment"),
        pytest.param("training.data", {"events": {"digest": "sha256:2"}}, ["changes.training.data"], id="data"),
        pytest.param("training", None, ["changes.training.data"], id="what holds the field of a rule goes"),
        pytest.param("hold", {"reason": "audit"}, ENTRIES, id="a hold of the model"),
        pytest.param("registry.name", "other", ENTRIES, id="the name in the registry"),
        pytest.param("serving.target.kind", "gateway", ENTRIES, id="what serves it"),
        pytest.param("environments.staging.target.kind", "gateway", ENTRIES, id="what serves it in one environment"),
    ],
)
def test_fields_of_a_manifest(path: str, value: object, expected: list[str]) -> None:
    after = {**MANIFEST, "spec": with_value(SPEC, path, value)}
    for before, then in ((MANIFEST, after), (after, MANIFEST)):
        assert touched(Change(paths=(MODEL,), before={MODEL: before}, after={MODEL: then})) == expected


ALL_CHANGES = ["changes.objectives", "changes.environments.production.rollout", "changes.training.data"]
EVERY = [*ENTRIES, *ALL_CHANGES]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({}, {MODEL: MANIFEST}, ALL_CHANGES, id="a new model has fields"),
        pytest.param({MODEL: MANIFEST}, {}, [*ENTRIES, *ALL_CHANGES], id="a model that is deleted leaves environments"),
        pytest.param({MODEL: MANIFEST}, {MODEL: "x"}, EVERY, id="a manifest that is none any more"),
        pytest.param({MODEL: MANIFEST}, {MODEL: None}, EVERY, id="an empty manifest"),
        pytest.param({MODEL: MANIFEST}, {MODEL: {**MANIFEST, "spec": []}}, EVERY, id="a spec that is no mapping"),
        pytest.param(
            {MODEL: MANIFEST},
            {MODEL: {**MANIFEST, "metadata": {"name": "other", "owners": ["@dana"]}}},
            ENTRIES,
            id="another name",
        ),
        pytest.param(
            {MODEL: MANIFEST}, {MODEL: {**MANIFEST, "metadata": {"name": "churn", "owners": []}}}, [], id="other owners"
        ),
        pytest.param({MODEL: MANIFEST}, {MODEL: MANIFEST}, [], id="other blanks and comments"),
        pytest.param(
            {MODEL: {"spec": {"objectives": {"o": {"window": 1}}}}},
            {MODEL: {"spec": {"objectives": {"o": {"window": True}}}}},
            ["changes.objectives"],
            id="what python takes for equal",
        ),
    ],
)
def test_whole_manifests(before: Any, after: Any, expected: list[str]) -> None:
    assert touched(Change(paths=(MODEL,), before=before, after=after)) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("models/churn/production.yaml", ["approvals.production"], id="a pin file"),
        pytest.param("models/growth/churn/staging.yaml", ["approvals.staging"], id="a pin file further down"),
        pytest.param("rendered/production/churn.yaml", ["approvals.production"], id="a rendered file"),
        pytest.param("models/churn/data.lock.yaml", ["changes.training.data"], id="the data lock"),
        pytest.param("models/churn/canary.yaml", [], id="an environment without a rule"),
        pytest.param("models/churn/training/train.py", [], id="training code"),
        pytest.param("docs/production.yaml", [], id="a file elsewhere"),
        pytest.param("modelsx/churn/production.yaml", [], id="a folder that begins alike"),
        pytest.param("rendered/README.md", [], id="beside the rendered files"),
    ],
)
def test_files(path: str, expected: list[str]) -> None:
    assert touched(Change(paths=(path,), before={}, after={})) == expected


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        pytest.param("approvals.production.from", ["@mallory"], ["approvals.production"], id="a rule: whom it listed"),
        pytest.param("approvals.production", None, ["approvals.production"], id="a rule goes"),
        pytest.param("approvals.production.notSoleAuthor", False, ["approvals.production"], id="a rule is weakened"),
        pytest.param("approvals.canary", {"from": ["@mallory"]}, [], id="a rule where none was"),
        pytest.param("approvals", None, ENTRIES, id="all rules go"),
        pytest.param("approvals", "x", EVERY, id="rules that are none any more"),
        pytest.param("changes.objectives", None, ["changes.objectives"], id="the rule of a field goes"),
        pytest.param("hold", {"reason": "audit"}, ENTRIES, id="a hold of everything"),
        pytest.param("environments", ["production"], ENTRIES, id="the order of environments"),
        pytest.param("forge", {"approvals": "labels"}, EVERY, id="what counts as an approval"),
        pytest.param("prometheus", {"url": "http://x"}, ENTRIES, id="what the judges believe"),
        pytest.param("freeze", [{"days": ["fri"]}], ENTRIES, id="freeze windows"),
        pytest.param("models", ["elsewhere"], EVERY, id="where models are"),
        pytest.param("limits.rollouts", 1, [], id="limits"),
        pytest.param("notifyAfter", "1h", [], id="notifications"),
        pytest.param(
            "defaults.bake", "1s", ["changes.environments.production.rollout"], id="the default of every rollout"
        ),
        pytest.param("dispersion", 1, ["changes.environments.production.rollout"], id="the dispersion"),
        pytest.param("presets", {"x": {"histogram": "h"}}, ["changes.objectives"], id="presets are objectives"),
        pytest.param("metrics", {"labels": {"model": "m"}}, ["changes.objectives"], id="labels of every query"),
    ],
)
def test_settings(path: str, value: object, expected: list[str]) -> None:
    after = with_value(SETTINGS, path, value)
    change = Change(paths=("tidegate.yaml",), before={"tidegate.yaml": SETTINGS}, after={"tidegate.yaml": after})
    assert touched(change) == expected


def test_a_workspace_that_goes_needs_everybody_whom_it_listed() -> None:
    gone = Change(paths=("tidegate.yaml",), before={"tidegate.yaml": SETTINGS}, after={})
    assert touched(gone) == [*ENTRIES, "changes.objectives", "changes.environments.production.rollout"]


def test_an_environment_that_is_opened_needs_its_approvers() -> None:
    assert touched(Change(paths=(), before={}, after={}, opened=(("production", "a name"),))) == [
        "approvals.production"
    ]


def test_an_environment_that_leaves_a_manifest_is_asked_for() -> None:
    after = with_value(MANIFEST, "spec.environments.staging", None)
    assert touched(Change(paths=(MODEL,), before={MODEL: MANIFEST}, after={MODEL: after})) == ["approvals.staging"]


@pytest.mark.parametrize(
    ("path", "linked", "expected"),
    [
        pytest.param("rendered", False, ENTRIES, id="what was the folder of routes"),
        pytest.param("models", False, ENTRIES, id="what was the folder of models"),
        pytest.param("rendered/other", True, ENTRIES, id="a link beside the routes"),
        pytest.param("models/churn", True, ENTRIES, id="a link in place of a model"),
        pytest.param("model", False, [], id="a file called nearly so"),
    ],
)
def test_what_leads_elsewhere_reaches_every_environment(path: str, *, linked: bool, expected: list[str]) -> None:
    links = frozenset({path}) if linked else frozenset()
    assert touched(Change(paths=(path,), before={}, after={}, linked=links)) == expected


def test_each_rule_is_asked_once_with_all_that_touches_it() -> None:
    paths = ("models/a/production.yaml", "models/b/production.yaml", "rendered/production/a.yaml")
    (need,) = needs_of([Change(paths=paths, before={}, after={})], RULES)
    assert need.what == paths


def test_models_may_be_anywhere() -> None:
    everywhere = Workspace(models=(".",), approvals={"production": RULE})
    assert touched(Change(paths=("churn/production.yaml",), before={}, after={}), everywhere) == [
        "approvals.production"
    ]
    below = Workspace(models=("./models/",), approvals={"production": RULE})
    assert touched(Change(paths=("models/churn/production.yaml",), before={}, after={}), below) == [
        "approvals.production"
    ]


NAMES = st.sampled_from(["environments", "production", "staging", "rollout", "objectives", "a"])
FIELDS = st.lists(NAMES, min_size=1, max_size=5).map(tuple)


@given(rule=FIELDS, inside=FIELDS)
def test_a_rule_covers_its_field_what_is_inside_and_what_holds_it(rule: Field, inside: Field) -> None:
    assert covers(".".join(rule), (*rule, *inside))
    assert all(covers(".".join(rule), rule[:length]) for length in range(len(rule) + 1))


@pytest.mark.parametrize(
    ("rule", "field", "covered"),
    [
        pytest.param("rollout", ("environments", "production", "rollout", "bake"), True, id="an override"),
        pytest.param("serving.target", ("environments", "production", "target", "kind"), True, id="a target"),
        pytest.param("environments", ("objectives", "a"), True, id="what all environments inherit"),
        pytest.param("environments.production", ("gates", "a"), False, id="what no environment has"),
        pytest.param(
            "environments.production", ("environments", "staging", "rollout"), False, id="another environment"
        ),
        pytest.param("environments.production", ("rollout", "bake"), True, id="what a whole environment inherits"),
        pytest.param("objectives.a.b", ("objectives", "a.b", "target"), True, id="a name with a dot"),
        pytest.param("metadata.owners", ("metadata", "owners"), True, id="the owners"),
        pytest.param("objectives", ("objective",), False, id="a name that begins alike"),
    ],
)
def test_what_covers_what(rule: str, field: Field, *, covered: bool) -> None:
    assert covers(rule, field) is covered
