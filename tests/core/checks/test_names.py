"""Names that files, git or the registry take for something else, or refuse."""

from __future__ import annotations

import re
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException
from mlflow.utils.validation import (
    _validate_model_alias_name,
    _validate_model_alias_name_reserved,
    _validate_model_name,
)

from support.inspecting import SCHEMAS, Folder, inspected, split
from tidegate.core.checks import names
from tidegate.core.inspection import inspect_settings
from tidegate.core.slips import slip

RULES = {rule.id for rule in names.RULES}
NAME = SCHEMAS["Model"]["$defs"]["name"]["pattern"]


def found(text: str) -> list[str]:
    findings = [finding for finding in inspected(split(text)) if finding.rule in RULES]
    return [str(finding).removeprefix("models/churn/model.yaml:") for finding in findings]


def environments(*names: str) -> str:
    return f"spec: {{environments: {{{', '.join(f'{name}: {{}}' for name in names)}}}}}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            environments("staging", "latest"),
            "3:36: error reserved-environment-name: MLflow keeps the alias latest for itself; "
            "fix: give the environment another name",
            id="latest",
        ),
        pytest.param(
            environments("v12", "production"),
            "3:23: error reserved-environment-name: MLflow keeps the alias v12 for itself; "
            "fix: give the environment another name",
            id="the alias of a version",
        ),
        pytest.param(
            environments("model"),
            "3:23: error reserved-environment-name: model.yaml beside the manifest is another file, not the pin file "
            "of an environment; fix: give the environment another name",
            id="the manifest's own name",
        ),
        pytest.param(
            environments("data.lock"),
            "3:23: error reserved-environment-name: data.lock.yaml beside the manifest is another file, not the pin "
            "file of an environment; fix: give the environment another name",
            id="the name of the data lock",
        ),
        pytest.param(
            environments("eu.production"),
            "3:23: error environment-name-refused: eu.production can be no alias: the registry takes no dot; "
            "fix: write eu-production",
            id="a dot",
        ),
        pytest.param(
            environments("production", "production-canary"),
            "3:39: error alias-clash: production-canary is the registry's alias of production's canary; "
            "fix: give the environment another name",
            id="the alias of a canary",
        ),
        pytest.param(
            environments("site.lock"),
            "3:23: error name-refused-by-git: git refuses a branch with site.lock in it, because of the ending; "
            "fix: write site-lock",
            id="an environment that git takes for a lock",
        ),
        pytest.param(
            "metadata: {name: churn.lock}",
            "3:18: error name-refused-by-git: git refuses a branch with churn.lock in it, because of the ending; "
            "fix: write churn-lock",
            id="a model that git takes for a lock",
        ),
        pytest.param(
            "spec: {registry: {name: growth/churn}}",
            '3:25: error registry-name-refused: the registry takes no "/" in a model\'s name; '
            "fix: use letters, digits, spaces, `.`, `-` and `_`",
            id="a slash in the registry's name",
        ),
        pytest.param(
            "metadata: {owners: [acme/growth-ml]}",
            '3:21: error not-a-handle: "acme/growth-ml" is no handle; fix: write "@acme/growth-ml", with the quotes',
            id="a handle without its sign",
        ),
        pytest.param(
            "metadata: {owners: [dana@example.org]}",
            '3:21: error not-a-handle: "dana@example.org" is no handle; '
            'fix: write the name by which the forge knows them, like "@dana" or "@acme/ml-leads"',
            id="an address instead of a handle",
        ),
    ],
)
def test_names_that_break_something(text: str, expected: str) -> None:
    assert found(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(environments("staging", "production"), id="the usual ones"),
        pytest.param(environments("vnext", "v", "v1-eu", "latest-eu", "models"), id="almost reserved"),
        pytest.param(environments("production-canary"), id="a canary's alias without the environment"),
        pytest.param("metadata: {name: latest}", id="a model may be named latest"),
        pytest.param("metadata: {name: model}", id="or model"),
        pytest.param("spec: {registry: {name: 'Churn Model (new)'}}", id="spaces and brackets in the registry"),
    ],
)
def test_names_that_break_nothing(text: str) -> None:
    assert found(text) == []


def test_what_the_workspace_lists_is_told_there_and_not_in_every_manifest() -> None:
    files = split(
        "# tidegate.yaml\nenvironments: [v1, production, production-canary]\n"
        "# models/churn/model.yaml\nspec: {environments: {v1: {}, production: {}, production-canary: {}}}\n"
    )
    told = [(one.path, one.rule, one.line, one.column) for one in inspected(files) if one.rule in RULES]
    assert told == [
        ("tidegate.yaml", "reserved-environment-name", 3, 16),
        ("tidegate.yaml", "alias-clash", 3, 32),
    ]


def test_a_clash_with_an_environment_of_the_model_alone_is_told_in_its_manifest() -> None:
    files = split(
        "# tidegate.yaml\nenvironments: [shadow-canary]\n"
        "# models/churn/model.yaml\nspec: {environments: {shadow-canary: {}, shadow: {}}}\n"
    )
    assert [(one.path, one.rule) for one in inspected(files) if one.rule in RULES] == [
        ("models/churn/model.yaml", "alias-clash")
    ]


short_names = st.from_regex(NAME, fullmatch=True).filter(lambda name: len(name) <= 63)


@given(short_names | st.sampled_from(["latest", "v1", "v01", "v", "a.b", "x.lock", "model", "data.lock"]))
def test_what_is_left_of_the_environments_the_registry_takes(name: str) -> None:
    text = f"apiVersion: tidegate.dev/v1alpha1\nkind: Workspace\nenvironments: ['{name}']\n"
    findings, _ = inspect_settings(text.encode(), SCHEMAS, Folder({}))
    refused = {finding.rule for finding in findings} & RULES
    assert bool(refused - {"name-refused-by-git"}) == (not _is_alias(name) or name in ("model", "data.lock"))


def _is_alias(name: str) -> bool:
    try:
        _validate_model_alias_name(name)  # type: ignore[no-untyped-call]
        _validate_model_alias_name_reserved(name)  # type: ignore[no-untyped-call]
    except MlflowException:
        return name.endswith(".lock") and name != "data.lock"  # git's refusal is told instead
    return True


@given(st.text(max_size=20))
@example("..0")
@example(" ")
def test_a_name_that_the_registry_refuses_has_a_rule_of_its_own(name: str) -> None:
    try:
        _validate_model_name(name)
    except MlflowException:
        pattern = SCHEMAS["Model"]["properties"]["spec"]["properties"]["registry"]["properties"]["name"]["pattern"]
        assert not re.fullmatch(pattern, name)
        assert not name or slip(name, {}, ("spec", "registry", "name"))


@pytest.mark.parametrize("name", ["churn", "a.b-c_d", "churn.lock"])
def test_git_says_the_same_of_branches(name: str) -> None:
    command = ["git", "check-ref-format", "--branch", f"tidegate/{name}/production/promote-k7c1e9a4b03d2f6a1"]
    refused = subprocess.run(command, capture_output=True, check=False).returncode != 0
    assert refused == bool(found(f"metadata: {{name: {name}}}"))
