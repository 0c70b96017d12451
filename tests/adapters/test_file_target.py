"""The route file: whatever the names are, it reads back as the same texts, and in the demo's model server too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from support.program import CONTROLLER
from support.repositories import new_bare
from tidegate.adapters.targets.file import FileTarget
from tidegate.core.manifest import Environment, Model
from tidegate.core.pin import Canary, Pin
from tidegate.core.quantity import VersionPin
from tidegate.core.yaml.document import read

SERVING = CONTROLLER.parent / "examples" / "digits" / "serving"
AS_IT_IS = """\
# Rendered by Tidegate from models/churn/production.yaml. Do not edit: the next proposal writes it again.
apiVersion: tidegate.dev/v1alpha1
kind: Route
model: churn
environment: production
routes:
  - {version: 11, digest: "sha256:…", source: "models:/churn-prod/11", weight: 90}
  - {version: 12, digest: "sha256:…", source: "models:/churn-prod/12", weight: 10}
"""
LIKE_NUMBERS = ("123", "1e5", "true", "null", "no", "1.5", "0x1f", "2026-01-01", "1_000")


def model(name: str, registry_name: str, environment: str = "production", folder: str = "models/churn") -> Model:
    environments = (Environment(name=environment),)
    return Model(name=name, folder=folder, owners=(), environments=environments, registry_name=registry_name)


def rendered(model: Model, digest: str = "sha256:…") -> str:
    stable, canary = (VersionPin(version=number, digest=digest) for number in (11, 12))
    pin = Pin(stable=stable, canary=Canary(pin=canary, weight=0.1))
    return FileTarget().render(model, model.environments[0].name, pin)


def test_a_route_file_looks_like_this() -> None:
    assert rendered(model("churn", "churn-prod")) == AS_IT_IS


names = st.text(st.characters(codec="utf-8"), min_size=1) | st.sampled_from(LIKE_NUMBERS)


@given(name=names, registry_name=names, environment=names, folder=names)
@example(name="1e5", registry_name='a"b', environment="true", folder="models/a\x85kind: b")
@example(name="null", registry_name="a\nroutes: []", environment="123", folder="models/a\nroutes: []")
def test_a_route_file_reads_back_as_what_was_written(
    name: str, registry_name: str, environment: str, folder: str
) -> None:
    text = rendered(model(name, registry_name, environment, folder), digest=registry_name)
    # Deployers read it with YAML 1.1 as well as with 1.2.
    for data in (read(text, "route").data, yaml_1_1(text)):
        assert (data["model"], data["environment"]) == (name, environment)
        assert [route["source"] for route in data["routes"]] == [f"models:/{registry_name}/{n}" for n in (11, 12)]
        assert [route["digest"] for route in data["routes"]] == [registry_name] * 2
        assert [(route["version"], route["weight"]) for route in data["routes"]] == [(11, 90), (12, 10)]


def yaml_1_1(text: str) -> Any:
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 1)
    return reader.load(text)


@pytest.mark.parametrize("name", LIKE_NUMBERS)
def test_the_demo_s_model_server_reads_the_same_names(name: str, tmp_path: Path) -> None:
    bare = new_bare(tmp_path, {f"rendered/production/{name}.yaml": rendered(model(name, 'a "b'))})
    assert routes(bare) == f"production {name} [(11, 'models:/a \"b/11', 90.0), (12, 'models:/a \"b/12', 10.0)]\n"


def routes(bare: Path) -> str:
    """What the example's own reader finds; it is run by itself, because it knows nothing of Tidegate."""
    program = (
        "import sys; from pathlib import Path; from routes import RouteFiles\n"
        "for place, routes in RouteFiles(Path(sys.argv[1]), 'main').changes().items():\n"
        "    print(place.environment, place.model, [(r.version, r.source, r.weight) for r in routes])"
    )
    command = [sys.executable, "-c", program, str(bare)]
    return subprocess.run(command, cwd=SERVING, capture_output=True, text=True, check=True).stdout
