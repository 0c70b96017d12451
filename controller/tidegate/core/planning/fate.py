"""What becomes of a model that is deleted, renamed or moved, and of an environment that is removed.

Said as the controller does it today: it looks after what main names, and tidies up nothing behind the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from tidegate.core.pin import Pin
from tidegate.core.planning.plan import Added, Fate, Leaving, Renaming
from tidegate.core.planning.state import Facts, State


def fate_of(facts: Facts) -> Fate:
    before, after = facts.before, facts.after
    if before is None:
        return Fate.ADDED
    if after is None:
        return Fate.DELETED
    if before.model.name != after.model.name:
        return Fate.RENAMED
    return Fate.CHANGED if before.model.folder == after.model.folder else Fate.MOVED


def renaming(facts: Facts) -> Renaming | None:
    """None unless the name or the folder changes."""
    if fate_of(facts) not in (Fate.RENAMED, Fate.MOVED) or facts.before is None or facts.after is None:
        return None
    before, after = facts.before.model, facts.after.model
    pinned = tuple(facts.before.pins)
    follow = tuple(name for name in pinned if name in facts.after.pins)
    return Renaming(
        name=(before.name, after.name) if before.name != after.name else None,
        folder=(before.folder, after.folder) if before.folder != after.folder else None,
        follow=follow,
        stay=tuple(name for name in pinned if name not in follow),
    )


def leaving(facts: Facts) -> Leaving | None:
    """What stays behind of a model that is deleted, or goes on elsewhere; None while it stays where it is."""
    before, fate = facts.before, fate_of(facts)
    if before is None or fate is Fate.CHANGED:
        return None
    names = tuple(environment.name for environment in before.model.environments)
    left = _leaving(before, names, facts)
    running = facts.record.run_id if facts.record and facts.record.running else None
    return replace(left, running=running if fate is Fate.DELETED else None, dependants=facts.dependants)


def removed(facts: Facts) -> Mapping[str, Leaving]:
    """The environments that a model which stays has no more."""
    if facts.before is None or facts.after is None:
        return {}
    kept = {environment.name for environment in facts.after.model.environments}
    names = (environment.name for environment in facts.before.model.environments)
    return {name: _leaving(facts.before, (name,), facts) for name in names if name not in kept}


def added(facts: Facts) -> tuple[Added, ...]:
    """The environments that a model gets which had others."""
    if facts.before is None or facts.after is None:
        return ()
    known = {environment.name for environment in facts.before.model.environments}
    new = enumerate(environment.name for environment in facts.after.model.environments)
    return tuple(Added(environment=name, first=place == 0) for place, name in new if name not in known)


def _leaving(before: State, names: tuple[str, ...], facts: Facts) -> Leaving:
    """What is still in use under the same path or name after the change is not left behind."""
    after = facts.after
    used = {after.model.pin_path(e.name) for e in after.model.environments} if after else set()
    used |= {route.path for route in after.rendered.values()} if after else set()
    pins = {name: before.pins[name] for name in names if name in before.pins}
    routes = [before.rendered[name] for name in names if name in before.rendered]
    paths = (path for name in names if (path := before.model.pin_path(name)) not in used)
    return Leaving(
        registry_name=before.model.registry_name,
        serving={name: pin.stable.version for name, pin in pins.items() if pin.stable},
        aliases=tuple(_aliases(pins)) if _aliases_stay(before, names, after) else (),
        pins=tuple(path for path in paths if path in facts.files),
        rendered=tuple(r.path for r in routes if r.path in facts.files and r.path not in used),
        gone=tuple(r.path for r in routes if r.found is not None and r.path not in facts.files),
    )


def _aliases_stay(before: State, names: tuple[str, ...], after: State | None) -> bool:
    """Aliases are looked after by registered model and environment; what neither names any more stays as it is."""
    if after is None or before.model.registry_name != after.model.registry_name:
        return True
    return not {environment.name for environment in after.model.environments} & set(names)


def _aliases(pins: Mapping[str, Pin]) -> Iterator[str]:
    for name, pin in pins.items():
        yield from (name,) if pin.stable else ()
        yield from (f"{name}-canary",) if pin.canary else ()
