"""The order of environments, overrides that meet nothing, approvals that nobody can give."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.inspecting import Folder, inspected, split
from tidegate.core.checks import environments
from tidegate.core.checks.subjects import Manifest
from tidegate.core.misread import Misread
from tidegate.core.model_reading import _environments
from tidegate.core.workspace import Approvals, Workspace
from tidegate.core.yaml.document import Document

RULES = {rule.id for rule in environments.RULES}


def found(text: str, workspace: Workspace | None = None) -> list[str]:
    findings = [finding for finding in inspected(split(text), workspace) if finding.rule in RULES]
    return [str(finding).removeprefix("models/churn/model.yaml:") for finding in findings]


def spec(environments: str, more: str = "") -> str:
    return f"spec:\n  environments: {{{environments}}}\n{more}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(spec("staging: {}, production: {after: staging}"), "", id="after the one above"),
        pytest.param(spec("staging: {}, production: {after: []}"), "", id="after none"),
        pytest.param(
            spec("production: {after: [shadow]}, shadow: {after: []}"),
            "4:39: error predecessor-comes-later: shadow comes later than production; "
            "fix: write shadow above production",
            id="a model's own environment comes after the workspace's",
        ),
        pytest.param(
            spec("staging: {after: stagign}, production: {}"),
            "4:35: error unknown-predecessor: this model has no environment stagign; fix: did you mean staging?",
            id="an environment that is not there",
        ),
        pytest.param(
            spec("production: {after: staging}"),
            "4:38: error unknown-predecessor: this model has no environment staging; fix: there are: production",
            id="the workspace's environment, which this model does not have",
        ),
        pytest.param(
            spec("staging: {after: production}, production: {}"),
            "4:35: error environments-in-a-circle: a circle: staging → production → staging; fix: take production out",
            id="a circle by default",
        ),
        pytest.param(
            spec("a: {after: [c]}, b: {}, c: {after: [b]}"),
            "4:30: error environments-in-a-circle: a circle: a → b → c → a; fix: take c out",
            id="a circle over three",
        ),
        pytest.param(
            spec("a: {}, b: {after: [a, b]}"),
            "4:40: error environments-in-a-circle: b comes after itself; fix: take it out",
            id="after itself, placed on the item",
        ),
        pytest.param(
            spec("production: {after: [staging]}, staging: {after: [], approval: 7}"),
            "",
            id="an environment in which something else is wrong is there all the same",
        ),
        pytest.param(
            spec("staging: {after: production, approval: 7}, production: {}"),
            "4:35: error environments-in-a-circle: a circle: staging → production → staging; fix: take production out",
            id="and is looked at all the same",
        ),
        pytest.param(
            spec("staging: {}, prodution: {}"),
            "4:31: warning misspelt-environment: prodution is not among the workspace's environments (staging, "
            "production); fix: did you mean production?",
            id="a misspelt name",
        ),
        pytest.param(
            spec("stagign: {}, production: {}"),
            "4:18: warning misspelt-environment: stagign is not among the workspace's environments (staging, "
            "production); fix: did you mean staging?",
            id="two letters that changed places",
        ),
        pytest.param(spec("staging: {}, stagings: {}, production: {}"), "", id="the one that was meant is there too"),
        pytest.param(spec("staging2: {}, production: {}"), "", id="a number is no slip"),
        pytest.param(spec("stage: {}, prod: {}"), "", id="short forms are names of their own"),
        pytest.param(spec("shadow: {}, edge: {}"), "", id="names of the model alone"),
        pytest.param(
            spec("production: {objectives: {latncy: {target: 95%}}}", "  objectives: {latency: {preset: p}}\n"),
            "4:44: error misspelt-override: the model has no objective latncy, and this says too little to be one of "
            "its own; fix: did you mean latency?",
            id="an override of a misspelt objective",
        ),
        pytest.param(
            spec("production: {objectives: {latency: }}"),
            "4:44: error misspelt-override: the model has no objective latency, and this says too little to be one of "
            "its own; fix: write what it counts, and its target",
            id="an empty override of nothing",
        ),
        pytest.param(
            spec("production: {objectives: {up: {preset: http-availability}}}"),
            "4:44: error misspelt-override: the model has no objective up, and this says too little to be one of its "
            "own; fix: write what it counts, and its target",
            id="a preset without a target",
        ),
        pytest.param(
            spec("production: {objectives: {up: {preset: http-availability, target: 99%}}}"),
            "",
            id="an objective of the environment alone",
        ),
        pytest.param(
            spec("production: {objectives: {up: {preset: nothing, target: 99%}}}"),
            "",
            id="an unknown preset is another finding",
        ),
        pytest.param(
            spec("production: {objectives: {up: {target: 99%}}}", "  objectives: {up: {preset: 7}}\n"),
            "",
            id="an override of an objective in which something is wrong",
        ),
    ],
)
def test_environments(text: str, expected: str) -> None:
    assert found(text) == expected.splitlines()


@pytest.mark.parametrize(
    ("environments", "expected"),
    [
        pytest.param("staging: {}, production: {}", "", id="listed"),
        pytest.param("staging: {approval: none}", "", id="none is asked"),
        pytest.param(
            "edge: {approval: none}, production: {}, lab: {approval: none}", "", id="none is asked at the end"
        ),
        pytest.param(
            "staging: {approval: required}, production: {}",
            "4:18: warning nobody-may-approve: nobody is listed who may let a version into staging; "
            'fix: list people under `approvals` in tidegate.yaml: `staging: {from: ["@…"]}`',
            id="asked for, and nobody is listed",
        ),
        pytest.param(
            "production: {}, edge: {}",
            "4:34: warning nobody-may-approve: nobody is listed who may let a version into edge; "
            'fix: list people under `approvals` in tidegate.yaml: `edge: {from: ["@…"]}`',
            id="asked for by default in the last one",
        ),
    ],
)
def test_approvals(environments: str, expected: str) -> None:
    listed = Workspace(approvals={"production": Approvals(handles=("@dana",))})
    assert found(spec(environments), listed) == expected.splitlines()
    assert found(spec(environments)) == []


names = st.sampled_from(["staging", "production", "a", "b", "c"])
afters = st.fixed_dictionaries({}, optional={"after": names | st.lists(names, max_size=3)})


@given(st.dictionaries(names, st.none() | afters, min_size=1))
def test_what_the_reader_refuses_has_a_finding_and_nothing_else_has(own: dict[str, Any]) -> None:
    spec = {"environments": own}
    data = {"kind": "Model", "spec": spec}
    document = Document(text="", path="p", data=data)
    manifest = Manifest(document=document, data=data, folder="", workspace=Workspace(), around=Folder({}))
    faults = list(environments.environments_can_be_passed(manifest))
    try:
        _environments(spec, Workspace())
    except Misread:
        assert faults
    else:
        assert not faults
