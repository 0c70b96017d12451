"""Settings of a model that change what happens after training, and from when on each counts.

Objectives, rollout and `revert` are frozen for a rollout in flight by the commit that its pin file names; everything
else is read from main by the next pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.core.manifest import Environment, Model
from tidegate.core.planning import acting, objectives
from tidegate.core.planning.fields import Difference, differences, settings_of
from tidegate.core.planning.plan import Acts, Edit, Flight
from tidegate.core.planning.state import Facts, State

_POLICY = ("objectives", "rollout", "revert")
_OBJECTIVES = ("objectives", "late", "values")
_ENTRY = ("after", "approval", "enters")
_OF_MODEL = {
    "owners": Acts.NEVER,
    "labels": Acts.NEVER,
    "lease": Acts.NEXT_RUN,
    "hold": Acts.AT_ONCE,
    "dependsOn": Acts.AT_ONCE,
    "registry.name": Acts.AT_ONCE,
}


def edits(facts: Facts) -> tuple[Edit, ...]:
    """Each setting once, with the environments that it changes for; none for a model that comes or goes."""
    before, after = facts.before, facts.after
    if before is None or after is None:
        return ()
    return (*_of_model(before.model, after.model), *_merged(_of_environments(before, after, facts.flights)))


def _of_model(before: Model, after: Model) -> Iterator[Edit]:
    old, new = _settings(before), _settings(after)
    for name, acts in _OF_MODEL.items():
        for change in differences(old[name], new[name], name):
            yield _edit(change, acts)


def _settings(model: Model) -> Mapping[str, object]:
    return {
        "owners": model.owners,
        "labels": model.labels,
        "lease": model.training.lease if model.training else None,
        "hold": model.hold,
        "dependsOn": model.depends_on,
        "registry.name": model.registry_name,
    }


def _of_environments(before: State, after: State, flights: Mapping[str, Flight]) -> Iterator[Edit]:
    old = {environment.name: environment for environment in before.model.environments}
    for environment in after.model.environments:
        was, flight = old.get(environment.name), flights.get(environment.name)
        for change in _changes(was, environment) if was else ():
            rests = was is not None and acting.acts(change.setting, was, environment, canary=flight is not None)
            acts = _acts(change, environment, after, flight) if rests else Acts.NEVER
            yield _edit(change, acts, environment.name)


def _changes(before: Environment, after: Environment) -> Iterator[Difference]:
    yield from differences(_but_objectives(before), _but_objectives(after))
    yield from objectives.edits(before, after)


def _but_objectives(environment: Environment) -> Mapping[str, object]:
    return {name: value for name, value in settings_of(environment).items() if name not in _OBJECTIVES}


def _acts(change: Difference, environment: Environment, state: State, flight: Flight | None) -> Acts:
    head = change.setting.partition(".")[0]
    if head in _ENTRY:
        return Acts.NEXT_ENTRY
    if head not in _POLICY:
        return Acts.AT_ONCE
    if flight is not None:
        return Acts.FROZEN if flight.policy else Acts.AT_ONCE
    return Acts.AT_ONCE if _bakes(environment, state) else Acts.NEXT_ROLLOUT


def _bakes(environment: Environment, state: State) -> bool:
    """Whether a later environment waits for what this one serves: such a bake is judged by main's policy."""
    here = state.pins.get(environment.name)
    later = (other for other in state.model.environments if environment.name in other.after)
    there = [state.pins.get(other.name) for other in later]
    return here is not None and any(pin is None or pin.stable != here.stable for pin in there)


def _edit(change: Difference, acts: Acts, *environments: str) -> Edit:
    return Edit(setting=change.setting, before=change.before, after=change.after, acts=acts, environments=environments)


def _merged(all_edits: Iterator[Edit]) -> Iterator[Edit]:
    """The same edit of several environments as one; where it acts in one of them, the others are not told."""
    found: dict[tuple[str, str | None, str | None], dict[Acts, tuple[str, ...]]] = {}
    for edit in all_edits:
        by_acts = found.setdefault((edit.setting, edit.before, edit.after), {})
        by_acts[edit.acts] = (*by_acts.get(edit.acts, ()), *edit.environments)
    for (setting, before, after), by_acts in found.items():
        for acts, environments in by_acts.items():
            if acts is not Acts.NEVER or len(by_acts) == 1:
                yield Edit(setting=setting, before=before, after=after, acts=acts, environments=environments)
