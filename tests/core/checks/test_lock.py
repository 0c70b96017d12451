"""A data lock, and the manifest beside it."""

from __future__ import annotations

import pytest

from support.inspecting import inspected
from tidegate.core.checks import lock

HEAD = "apiVersion: tidegate.dev/v1alpha1\nkind: "
MODEL = f"{HEAD}Model\nmetadata: {{name: churn}}\nspec:\n  environments: {{staging: {{}}}}\n  training:\n    data: "
ENTRY = f"{{uri: a, digest: 'sha256:{'0' * 64}'}}"


def found(data: str | None, locked: str) -> list[str]:
    files = {"models/churn/data.lock.yaml": f"{HEAD}DataLock\ndata:\n  {locked}: {ENTRY}\n"}
    everything = inspected(files | ({} if data is None else {"models/churn/model.yaml": f"{MODEL}{data}\n"}))
    rules = {rule.id for rule in lock.RULES}
    return [
        f"{one.line}:{one.column} {one.severity} {one.rule}: {one.message}; {one.hint}"
        for one in everything
        if one.rule in rules
    ]


@pytest.mark.parametrize(
    ("data", "locked"),
    [
        pytest.param("{a: {uri: x, follow: latest}}", "a", id="an input that is followed"),
        pytest.param("[{name: a, uri: x, follow: latest}]", "a", id="in a list"),
        pytest.param("{a: 5}", "a", id="an input that cannot be read"),
        pytest.param("[{name: 5, uri: x}]", "a", id="a list that cannot be read"),
        pytest.param("5", "a", id="data that is none"),
        pytest.param(None, "a", id="no manifest"),
    ],
)
def test_nothing_is_said_of(data: str | None, locked: str) -> None:
    assert found(data, locked) == []


@pytest.mark.parametrize(
    ("data", "locked", "expected"),
    [
        pytest.param(
            "{customers: {uri: x, follow: latest}}",
            "customer",
            '4:3 warning lock-of-unknown-data: model.yaml names no data "customer"; did you mean customers?',
            id="another name",
        ),
        pytest.param(
            "{}",
            "a",
            '4:3 warning lock-of-unknown-data: model.yaml names no data "a"; '
            "remove it, or name the input in model.yaml",
            id="a manifest without data",
        ),
        pytest.param(
            "[{name: a, uri: x}]",
            "a",
            '4:3 warning lock-of-fixed-data: model.yaml does not follow "a"; '
            "remove it, or write `follow: latest` in model.yaml",
            id="an input that is not followed",
        ),
    ],
)
def test_a_lock_of_nothing(data: str, locked: str, expected: str) -> None:
    assert found(data, locked) == [expected]
