"""Files of older versions: steps in their order, every other byte kept. The version `v0test` exists in tests alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tidegate import bundled
from tidegate.core.migrations import MIGRATIONS, Migration, migrated, version_of
from tidegate.core.pin import API_VERSION
from tidegate.core.read import read_model
from tidegate.core.workspace import Workspace
from tidegate.core.yaml.difference import Change, Remove, Rename, Step
from tidegate.errors import EditRefused, InvalidManifest

GOLDEN = Path(__file__).parent.parent / "golden" / "migrations"


def from_v0test(data: Mapping[str, Any]) -> Iterator[Step]:
    spec = data.get("spec", {})
    for name, objective in spec.get("objectives", {}).items():
        if "good-share" in objective:
            yield Rename(("spec", "objectives", name, "good-share"), "target")
    if "legacy" in spec:
        yield Remove(("spec", "legacy"))


V0TEST = Migration(before="tidegate.dev/v0test", after=API_VERSION, steps=from_v0test)
V00TEST = Migration(
    before="tidegate.dev/v00test", after=V0TEST.before, steps=lambda data: [Change(("kind",), data["kind"].title())]
)


@pytest.mark.parametrize("name", sorted(path.name.split(".")[0] for path in GOLDEN.glob("*.before.yaml")))
def test_a_migrated_file_is_as_reviewed(name: str) -> None:
    before, after = ((GOLDEN / f"{name}.{side}.yaml").read_text(encoding="utf-8") for side in ("before", "after"))
    assert migrated(before, name, (V0TEST, *MIGRATIONS)) == after
    assert read_model(after, "models/churn/model.yaml", bundled.schemas(), Workspace()).name == "churn"


def test_a_file_takes_every_step_from_where_it_stands() -> None:
    text = "apiVersion: tidegate.dev/v00test\r\nkind: model\r\nspec: {legacy: 1, a: b}\r\n"
    assert migrated(text, "p", (V00TEST, V0TEST)) == f"apiVersion: {API_VERSION}\r\nkind: Model\r\nspec: {{a: b}}\r\n"
    assert migrated(text.replace("v00test", "v0test"), "p", (V00TEST, V0TEST)).endswith(
        "kind: model\r\nspec: {a: b}\r\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"apiVersion: {API_VERSION}\nkind: Model\n", id="the current version"),
        pytest.param("apiVersion: tidegate.dev/v9\nspec: {legacy: 1}\n", id="a version from which nothing leads here"),
        pytest.param("- apiVersion: tidegate.dev/v0test\n", id="a list"),
        pytest.param("apiVersion: [tidegate.dev/v0test]\n", id="a version that is none"),
        pytest.param("", id="nothing"),
    ],
)
def test_a_text_comes_back_as_it_is(text: str) -> None:
    assert migrated(text, "p", (V0TEST,)) == text


def test_what_cannot_be_read_is_told() -> None:
    with pytest.raises(InvalidManifest):
        migrated("apiVersion: tidegate.dev/v0test\nkind: [", "p", (V0TEST,))


def test_what_cannot_be_edited_is_refused() -> None:
    text = "apiVersion: tidegate.dev/v0test\nspec: {objectives: {a: {good-share: 1, target: 2}}}\n"
    with pytest.raises(EditRefused, match=r"objectives\.a\.good-share cannot be renamed: target is there already"):
        migrated(text, "p", (V0TEST,))


def test_the_migrations_lead_without_a_gap_to_the_current_version() -> None:
    """One that is added has to begin where the one before it ended."""
    assert all(one.after == other.before for one, other in pairwise(MIGRATIONS))
    assert all(one.after == API_VERSION for one in MIGRATIONS[-1:])


def test_a_version_is_a_text() -> None:
    written: list[object] = [{"apiVersion": "a"}, {"apiVersion": 1}, {}, [], None]
    assert [version_of(data) for data in written] == ["a", "", "", "", ""]
