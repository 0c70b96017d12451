"""The champion: the version that the last environment runs as stable, against which candidates are held."""

from __future__ import annotations

from tidegate.core.manifest import Model
from tidegate.core.observed import ModelVersion
from tidegate.steps.observe import Sources, environment_of


def champion_of(model: Model, sources: Sources) -> ModelVersion | None:
    """None while nothing was pinned there. One that the registry lost has no run: nothing compares with it."""
    state = environment_of(model, model.environments[-1].name, sources)
    if state.pin is None or state.pin.stable is None:
        return None
    stable = state.pin.stable
    for version in sources.registry.versions(model.registry_name):
        if version.number == stable.version:
            return version
    return ModelVersion(
        number=stable.version, digest=stable.digest, training_key=None, run_id="", created_at=state.history[-1].at
    )
