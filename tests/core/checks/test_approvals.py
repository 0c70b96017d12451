"""`approvals` and `changes` of `tidegate.yaml`."""

from __future__ import annotations

import pytest

from support.inspecting import inspected
from tidegate import bundled
from tidegate.core.checks import approvals

HEAD = "apiVersion: tidegate.dev/v1alpha1\nkind: Workspace\n"
RULES = {rule.id for rule in approvals.RULES}


def found(text: str) -> list[str]:
    return [
        f"{one.line}:{one.column} {one.severity} {one.rule}: {one.message}; {one.hint}"
        for one in inspected({"tidegate.yaml": f"{HEAD}{text}\n"})
        if one.rule in RULES
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("approvals: {production: {from: ['@dana', '@kim'], count: 2}}", id="as many people as are needed"),
        pytest.param("approvals: {production: {from: ['@acme/leads'], count: 3}}", id="a team may be many people"),
        pytest.param("approvals: {production: {from: ['@dana']}}", id="one person, who may approve what they trained"),
        pytest.param("approvals: {production: {from: ['@a/b'], notSoleAuthor: true}}", id="a team and its author"),
        pytest.param(
            "environments: [shadow]\napprovals: {shadow: {from: ['@dana']}}", id="an environment of one's own"
        ),
        pytest.param("environments: [a, a]\napprovals: {b: {from: ['@dana']}}", id="environments that cannot be read"),
        pytest.param("changes: {objectives.latency.target: {from: ['@a/b']}}", id="a name below a field"),
        pytest.param("changes: {metadata.owners: {from: ['@a/b']}}", id="what stands beside spec"),
        pytest.param("changes: {environments.staging.rollout.bake: {from: ['@a/b']}}", id="an environment's field"),
        pytest.param("changes: {environments: {from: ['@a/b']}}", id="all environments"),
    ],
)
def test_nothing_is_said_of(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "approvals: {prodution: {from: ['@dana']}}",
            '3:13 warning approvals-without-environment: `environments` has no "prodution"; did you mean production?',
            id="a misspelt environment",
        ),
        pytest.param(
            "environments: [a]\napprovals: {zzz: {from: ['@dana']}}",
            '4:13 warning approvals-without-environment: `environments` has no "zzz"; '
            "add it to `environments`, or remove it here",
            id="an environment that nobody knows",
        ),
        pytest.param(
            "approvals: {production: {from: ['@dana', '@DANA'], count: 2}}",
            "3:59 error approvals-out-of-reach: 2 approvals are needed, and 1 may give one; "
            "list more people, or lower `count`",
            id="one person twice",
        ),
        pytest.param(
            "changes: {gates: {from: ['@dana', '@kim'], count: 3}}",
            "3:51 error approvals-out-of-reach: 3 approvals are needed, and 2 may give one; "
            "list more people, or lower `count`",
            id="too few for a field",
        ),
        pytest.param(
            "approvals: {production: {from: ['@dana'], notSoleAuthor: true}}",
            "3:58 warning nobody-besides-the-author: what @dana trains never enters: nobody else may approve it; "
            "list another person",
            id="nobody but the author of a version",
        ),
        pytest.param(
            "changes: {gates: {from: ['@dana', '@Dana']}}",
            "3:25 warning nobody-besides-the-author: what @dana changes never merges: nobody else may approve it; "
            "list another person, or a team",
            id="nobody but the author of a change",
        ),
        pytest.param(
            "changes: {objective: {from: ['@a/b']}}",
            '3:11 warning changes-without-field: no manifest has "objective" there; did you mean objectives?',
            id="a misspelt field",
        ),
        pytest.param(
            "changes: {spec.gates: {from: ['@a/b']}}",
            '3:11 warning changes-without-field: no manifest has "spec" there; there are: training, gates, objectives, '
            "rollout, environments, serving, hold, dependsOn, registry, formerName, deletionPolicy, metadata",
            id="a path from the top of the file",
        ),
        pytest.param(
            "changes: {environments.prodution.rollout: {from: ['@a/b']}}",
            '3:11 warning changes-without-field: no manifest has "prodution" there; did you mean production?',
            id="a field of a misspelt environment",
        ),
        pytest.param(
            "changes: {environments.production.rolout: {from: ['@a/b']}}",
            '3:11 warning changes-without-field: no manifest has "rolout" there; did you mean rollout?',
            id="a misspelt field of an environment",
        ),
        pytest.param(
            "forge: {kind: local}\nchanges: {gates: {from: ['@dana', '@a/b']}}",
            "4:35 note team-on-local-forge: the local forge does not know who is in @a/b; list its people",
            id="a team where there are none",
        ),
    ],
)
def test_approvals_that_cannot_be_meant(text: str, expected: str) -> None:
    assert found(text) == [expected]


def test_a_rule_that_lacks_its_list_is_the_schemas_to_report() -> None:
    assert found("forge: {kind: local}\napprovals: {production: {count: 1}}") == []


def test_fields_are_those_of_the_schema() -> None:
    model = bundled.schemas()["Model"]
    assert set(approvals.FIELDS) == {*model["properties"]["spec"]["properties"], "metadata"}
    assert set(approvals.OVERRIDES) == set(model["$defs"]["environment"]["properties"])
