"""The words of alerts: their summary and description, as the Go templates that Prometheus takes annotations for.

When they fire is said in `alerting`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tidegate.core.alerting.burn_rate import Burn, budget
from tidegate.core.alerting.queries import number, span
from tidegate.core.manifest import Objective
from tidegate.core.quantity import show_share


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an objective holds, in names."""

    model: str
    environment: str


def burning(objective: Objective, place: Place, burns: Sequence[Burn]) -> Mapping[str, str]:
    """`$value` is the bad share in the long window of the pair that fires."""
    model, environment, name = literal(place.model), literal(place.environment), literal(objective.name)
    allowed = show_share(float(budget(objective.target)))
    limits = " or ".join(f"{number(b.factor)} × (over {span(b.pair.long)} and {span(b.pair.short)})" for b in burns)
    return {
        "summary": f"{model} in {environment} spends the error budget of {name} too fast",
        "description": (
            f"{{{{ $value | humanizePercentage }}}} of the events are bad, where {allowed} may be over"
            f" {span(objective.window)}: more than {limits}. `tidegate status {model}` shows what serves,"
            f" `tidegate rollback {model} {environment}` goes back to the version before."
        ),
    }


def absent(objective: Objective, place: Place) -> Mapping[str, str]:
    model, environment, name = literal(place.model), literal(place.environment), literal(objective.name)
    return {
        "summary": f"{model} in {environment} is not measured any more by {name}",
        "description": (
            f"Events of {name} were counted within the last {span(objective.window)}, and their series are gone."
            " Nothing is known of them since, good or bad. Look at the scrape target, and at the labels of its series."
        ),
    }


def literal(text: str) -> str:
    """The text as a Go template prints it: labels and annotations of alerts are templates."""
    return text.replace("{{", '{{"{{"}}')
