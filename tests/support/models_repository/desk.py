"""How a repository is made, by the blocks of docs/getting-started.md."""

from __future__ import annotations

import re

from support.models_repository.site import Person, parts

MANIFEST = "models/example/model.yaml"

# Seconds where a real model would say minutes and hours.
QUICKLY = """\
  rollout: {steps: [50%], bake: 3s, warmUp: 2s, progressDeadline: 2m, probation: {duration: 4s},
            analysis: {resolution: 2s, dispersion: 1}}
"""


def with_an_app() -> tuple[str, ...]:
    return parts()["environments"], parts()["app"], parts()["push"]


def without_an_app() -> tuple[str, ...]:
    _, _, *variables = re.findall(r"^\$ .*\n", parts()["app"], re.MULTILINE)
    push = parts()["push"].replace(' "$APP_ID"', "").replace("tidegate: people: created\n", "")
    return parts()["environments"], "".join(variables), push


def creates_the_repository(dana: Person, *blocks: str, settings: str = "") -> None:
    """The blocks come behind the first one; `settings` is added to tidegate.yaml."""
    dana.types(parts()["create"])
    manifest = dana.folder / "models" / MANIFEST
    manifest.write_text(manifest.read_text().replace("  serving:", f"{QUICKLY}  serving:"))
    with dana.folder.joinpath("models/tidegate.yaml").open("a") as workspace:
        workspace.write(settings)
    for block in blocks:
        dana.types(block)
