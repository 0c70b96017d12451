"""No rule raises, whatever stands in a file of the schema's shape, or of no shape at all; and none takes long."""

from __future__ import annotations

import time
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.inspecting import SCHEMAS, inspected
from support.schema_data import shaped
from support.yaml_styles import values
from tidegate.core.finding import Finding
from tidegate.core.yaml.splice import dump

PATHS = {
    "Model": "models/churn/model.yaml",
    "Workspace": "tidegate.yaml",
    "Pin": "models/churn/production.yaml",
    "DataLock": "models/churn/data.lock.yaml",
    "DataContract": "models/churn/customers.contract.yaml",
}
FILES: dict[str, str | bytes] = {"models/churn/training/train.py": "", "shared/features.py": "", "models/churn/a": ""}
thorough = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def many(number: int = 10_000) -> dict[str, dict[str, Any]]:
    """Files whose lists and mappings have many entries, none of which is as it should be."""
    names = [f"a{index}" for index in range(number)]
    training = {
        "source": "training",
        "command": names,
        "include": names,
        "parameters": dict.fromkeys(names, "x"),
        "data": {name: {"uri": name, "contract": name} for name in names},
        "lease": "1h",
    }
    entry = {"uri": "a", "digest": f"sha256:{'0' * 64}"}
    columns = {name: {"minimum": 2, "maximum": 1, "values": [3]} for name in names}
    return {
        "Model": {"metadata": {"name": "churn"}, "spec": {"training": training, "environments": {"staging": {}}}},
        "Workspace": {
            "models": names,
            "environments": names,
            "approvals": {f"b{name}": {"from": ["@dana"]} for name in names},
        },
        "DataLock": {"data": dict.fromkeys(names, entry)},
        "DataContract": {"metadata": {"name": "a"}, "spec": {"columns": columns}},
    }


def looked_at(kind: str, data: Any) -> list[Finding]:
    head = {"apiVersion": "tidegate.dev/v1alpha1", "kind": kind}
    text = dump(head | data)
    files = FILES | {PATHS[kind]: text}
    if kind != "Model":
        files[PATHS["Model"]] = dump(
            head | {"kind": "Model", "metadata": {"name": "churn"}, "spec": {"environments": {"production": {}}}}
        )
    return inspected(files)


@pytest.mark.parametrize("kind", PATHS)
@thorough
@given(data=st.data())
def test_of_the_schema_s_shape(kind: str, data: st.DataObject) -> None:
    began = time.process_time()
    found = looked_at(kind, data.draw(shaped(SCHEMAS[kind])))
    assert all(finding.line >= 1 and finding.column >= 1 for finding in found)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("kind", PATHS)
@thorough
@given(data=st.data())
def test_of_nearly_the_schema_s_shape(kind: str, data: st.DataObject) -> None:
    """One value somewhere is another one."""
    whole = deepcopy(data.draw(shaped(SCHEMAS[kind])))
    inner = whole
    while isinstance(inner, dict | list) and inner:
        key = data.draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
        if data.draw(st.booleans()) or not isinstance(inner[key], dict | list):
            inner[key] = data.draw(values)
            break
        inner = inner[key]
    looked_at(kind, whole)


@pytest.mark.parametrize("kind", many(1))
def test_of_thousands_of_entries(kind: str) -> None:
    began = time.process_time()
    assert looked_at(kind, many(3000)[kind])
    assert time.process_time() - began < 4
