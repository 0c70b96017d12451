"""Target `file`: a route file, the desired split of traffic, for a gateway or model server of your own to follow.

A revert is instant: the old version is kept loaded at weight 0 while a new one may still go back to it.
The digest stands in the file; enforcing it is up to what serves.
"""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.core.manifest import Model
from tidegate.core.pin import API_VERSION, Pin
from tidegate.core.quantity import VersionPin
from tidegate.core.yaml.scalars import written

_HEADER = "# Rendered by Tidegate from {pin}. Do not edit: the next proposal writes it again."


class FileTarget:
    """Satisfies ports.Target."""

    instant_revert = True
    enforces_digest = False

    def path(self, model: Model, environment: str) -> str:
        return f"rendered/{environment}/{model.name}.yaml"

    def render(self, model: Model, environment: str, pin: Pin) -> str:
        """The whole text of the route file for this pin file."""
        lines = [
            _HEADER.format(pin=written(model.pin_path(environment))),
            f"apiVersion: {API_VERSION}",
            "kind: Route",
            f"model: {written(model.name)}",
            f"environment: {written(environment)}",
            "routes:",
        ]
        lines += [_route(model, version, weight) for version, weight in routes(pin)]
        return "\n".join(lines) + "\n"


def routes(pin: Pin) -> Iterator[tuple[VersionPin, float]]:
    """Versions to keep loaded with their share of traffic (0 to 1), stable first; shares sum to 1."""
    canary = pin.canary.weight if pin.canary else 0.0
    holdback = pin.holdback if pin.holdback and pin.previous and not pin.canary else 0.0
    if pin.stable is not None:
        yield pin.stable, 1 - canary - holdback
    if pin.canary is not None:
        yield pin.canary.pin, canary
    if pin.previous is not None and pin.canary is None and pin.previous != pin.stable:
        yield pin.previous, holdback


def _route(model: Model, version: VersionPin, weight: float) -> str:
    digest = written(version.digest, '"')
    source = written(f"models:/{model.registry_name}/{version.version}", '"')
    share = f"{round(weight * 100, 6):g}"
    return f"  - {{version: {version.version}, digest: {digest}, source: {source}, weight: {share}}}"
