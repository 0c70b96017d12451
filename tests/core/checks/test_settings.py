"""`tidegate.yaml`: limits and folders."""

from __future__ import annotations

import pytest

from support.inspecting import inspected
from tidegate.core.checks import paths, settings, training

HEAD = "apiVersion: tidegate.dev/v1alpha1\nkind: Workspace\n"
MODEL = "apiVersion: tidegate.dev/v1alpha1\nkind: Model\nmetadata: {name: churn}\nspec: {environments: {staging: {}}}\n"
RULES = {rule.id for rule in (*settings.RULES, *paths.RULES, *training.RULES)}


def found(text: str) -> list[str]:
    everything = inspected({"tidegate.yaml": f"{HEAD}{text}\n", "models/growth/churn/model.yaml": MODEL})
    return [
        f"{one.line}:{one.column} {one.severity} {one.rule}: {one.message}; {one.hint}"
        for one in everything
        if one.rule in RULES
    ]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("models: [models/]", id="a folder that is there"),
        pytest.param("models: [.]", id="the whole repository"),
        pytest.param("limits: {revertShare: 99%, maximumLease: 1s}\nnotifyAfter: 1ms", id="limits that leave a little"),
    ],
)
def test_nothing_is_said_of(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "models: [models, modles]",
            "3:18 warning missing-models-folder: there is no folder modles in the repository; "
            "correct the path, or add the first model",
            id="a folder that is not there",
        ),
        pytest.param(
            "models: [models, ../models]",
            '3:18 error path-leaves-repository: "../models" leaves the repository: it goes up by `..`; '
            "write a path from the repository's root",
            id="a folder outside",
        ),
        pytest.param(
            "models: [models/growth, models]",
            '3:10 warning models-folders-overlap: "models/growth" lies in "models", which holds the same models; '
            "take it out of the list",
            id="a folder in a folder",
        ),
        pytest.param(
            "models: [models, Models]",
            '3:18 warning models-folders-overlap: "Models" lies in "models", which holds the same models; '
            "take it out of the list",
            id="a folder in capitals",
        ),
        pytest.param(
            "limits: {revertShare: 1.0}",
            "3:23 error limits-leave-nothing: all proposals are kept for reverts: nothing is ever promoted; "
            "write `revertShare: 20%`, or a `hold` with its reason",
            id="everything for reverts",
        ),
        pytest.param(
            "limits: {maximumLease: 30ms}",
            "3:24 error lease-too-short: no lease is as short as 30ms: nothing could be trained; "
            "write the longest that a run may take, such as 12h",
            id="no lease at all",
        ),
        pytest.param(
            "notifyAfter: 0m",
            "3:14 note notifies-at-once: every hold is told at once; write `notifyAfter: 30m`",
            id="no quiet time",
        ),
    ],
)
def test_settings_that_cannot_be_meant(text: str, expected: str) -> None:
    assert found(text) == [expected]
