"""Models that clash with each other, and dependencies between them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.inspecting import inspected, split
from tidegate.core.checks.fleet import Member, check

RULES = {
    "model-name-twice",
    "registry-name-twice",
    "folders-differ-in-capitals",
    "unknown-dependency",
    "dependencies-in-a-circle",
}


def found(text: str) -> list[str]:
    return [str(finding) for finding in inspected(split(text)) if finding.rule in RULES]


def model(folder: str, name: str, spec: str = "") -> str:
    return f"# {folder}/model.yaml\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(model("models/churn", "churn") + model("models/fraud", "fraud"), "", id="two models"),
        pytest.param(
            model("models/churn", "churn") + model("models/copy", "churn"),
            "models/copy/model.yaml:3:18: error model-name-twice: the model of models/churn/model.yaml is named "
            "churn too; fix: give one of them another name",
            id="a copied folder whose name was not changed, and no word about the registry's name",
        ),
        pytest.param(
            model("models/churn", "churn") + model("models/fraud", "fraud", "registry: {name: churn}"),
            "models/fraud/model.yaml:4:25: error registry-name-twice: the registry's model churn belongs to "
            "models/churn/model.yaml already; fix: give each model a `registry.name` of its own",
            id="a name in the registry that is another model's",
        ),
        pytest.param(
            model("models/fraud", "fraud", "registry: {name: Churn}") + model("models/churn", "churn"),
            "models/churn/model.yaml:3:18: error registry-name-twice: the registry's model churn belongs to "
            "models/fraud/model.yaml already (Churn); fix: give each model a `registry.name` of its own",
            id="names in the registry that differ in capitals, placed on the model's name where that is the registry's",
        ),
        pytest.param(
            model("models/churn", "churn") + model("models/Churn", "fraud"),
            "models/Churn/model.yaml:3:18: warning folders-differ-in-capitals: models/Churn and models/churn are "
            "one folder on macOS and Windows; fix: rename one of the two",
            id="folders that differ in capitals",
        ),
        pytest.param(
            model("models/churn", "churn", "dependsOn: [feature, zebra]") + model("models/features", "features"),
            "models/churn/model.yaml:4:20: error unknown-dependency: there is no model feature in this workspace; "
            "fix: did you mean features?\n"
            "models/churn/model.yaml:4:29: error unknown-dependency: there is no model zebra in this workspace; "
            "fix: correct the name, or take it out",
            id="dependencies that are not there",
        ),
        pytest.param(
            model("models/churn", "churn", "dependsOn: [features]") + "# models/features/model.yaml\nmetadata: {\n",
            "",
            id="a dependency whose manifest cannot be read has findings of its own",
        ),
        pytest.param(
            model("models/churn", "churn", "dependsOn: [churn]"),
            "models/churn/model.yaml:4:20: error dependencies-in-a-circle: churn depends on itself; fix: take it out",
            id="a model that waits for itself",
        ),
        pytest.param(
            model("models/a", "a", "dependsOn: [d, b]")
            + model("models/b", "b", "dependsOn: [c]")
            + model("models/c", "c", "dependsOn: [d, a]")
            + model("models/d", "d"),
            "models/c/model.yaml:4:23: error dependencies-in-a-circle: a circle: a → b → c → a; "
            "fix: take one of these dependencies out",
            id="a circle is told once, where it closes",
        ),
        pytest.param(
            model("models/a", "a", "dependsOn: [b, c]")
            + model("models/b", "b", "dependsOn: [d]")
            + model("models/c", "c", "dependsOn: [d]")
            + model("models/d", "d"),
            "",
            id="two ways to one model are no circle",
        ),
    ],
)
def test_clashes(text: str, expected: str) -> None:
    assert found(text) == expected.splitlines()


def member(name: str | None, *depends_on: str) -> Member:
    return Member(
        path=f"{name}/model.yaml", folder=name or "broken", name=name, registry_name=name, depends_on=depends_on
    )


names = st.none() | st.sampled_from("abcdef")


@given(st.lists(st.tuples(names, st.lists(st.sampled_from("abcdefg"), max_size=3)), max_size=8))
def test_a_circle_is_found_exactly_where_there_is_one(drawn: list[tuple[str | None, list[str]]]) -> None:
    members = [member(name, *others) for name, others in drawn]
    reached = {one.name: set(one.depends_on) for one in reversed(members) if one.name}
    for _ in members:
        for name, others in reached.items():
            reached[name] = others.union(*(reached[other] for other in others if other in reached))
    circles = [fault for _, fault in check(members) if fault.rule == "dependencies-in-a-circle"]
    assert bool(circles) == any(name in others for name, others in reached.items())


def test_a_long_circle_is_shown_short() -> None:
    chain = [member(f"m{number}", f"m{(number + 1) % 5000}") for number in range(5000)]
    [(path, fault)] = check(chain)
    assert path == "m4999/model.yaml"
    assert fault.message == "a circle: m0 → m1 → m2 → m3 → m4 → m5 → … → m0"


def test_ten_thousand_models_take_a_moment() -> None:
    members = [member(f"model-{number}", f"model-{number // 2}", "nobody") for number in range(1, 10_001)]
    start = time.process_time()
    assert len(list(check(members))) == 10_001  # nobody, and model-0
    assert time.process_time() - start < 2
