"""What a change does to pin files, and to the files rendered from them: DESIGN.md 5, "People"."""

from __future__ import annotations

from dataclasses import replace

from tidegate.core.history import set_by_hand
from tidegate.core.observed import PinChange
from tidegate.core.pin import Pin, is_ours
from tidegate.core.planning.plan import Origin, PinEdit, RenderChange
from tidegate.core.planning.state import Facts, Rendered

_THIS_CHANGE = "this change"


def pin_edits(facts: Facts) -> tuple[PinEdit, ...]:
    """The pin files that the change touches in meaning, of environments that the model has after it."""
    state = facts.after
    if state is None:
        return ()
    names = (environment.name for environment in state.model.environments)
    return tuple(edit for name in names if name in facts.histories and (edit := _edit(name, facts)))


def _edit(environment: str, facts: Facts) -> PinEdit | None:
    state, history = facts.either, facts.histories[environment]
    before = history[-1].pin if history else None
    after = state.pins.get(environment)
    moved = facts.before.pins.get(environment) if facts.before else None
    if after in (before, moved):
        return None
    change = PinChange(commit=_THIS_CHANGE, at=facts.now, pin=after)
    hand = set_by_hand(state.model.name, environment, (*history, change))
    return PinEdit(
        environment=environment,
        path=state.model.pin_path(environment),
        before=before,
        after=after,
        origin=_origin(state.model.name, environment, after, history),
        holds=hand is change,
    )


def _origin(model: str, environment: str, pin: Pin | None, history: tuple[PinChange, ...]) -> Origin:
    if pin is None or pin.transition is None or not is_ours(model, environment, pin):
        return Origin.BY_HAND
    merged = {change.pin.transition.key for change in history if change.pin and change.pin.transition}
    return Origin.BROUGHT_BACK if pin.transition.key in merged else Origin.TRANSITION


def render_changes(facts: Facts, edited: tuple[PinEdit, ...]) -> tuple[RenderChange, ...]:
    """Rendered files whose text should be another one after the change, or that the change itself alters."""
    if facts.after is None:
        return ()
    before, state = facts.before.rendered if facts.before else {}, facts.after
    obeyed = {edit.environment for edit in edited if edit.holds}
    by_pin = {edit.environment for edit in edited}
    by_pin |= {name for name, route in state.rendered.items() if _leads_on(before.get(name), route)}
    obeyed |= {name for name, pin in state.pins.items() if name in by_pin and _is_persons(state.model.name, name, pin)}
    found = (_change(name, before.get(name), after) for name, after in state.rendered.items())
    return tuple(replace(change, asks=change.environment not in obeyed) for change in found if change)


def _is_persons(model: str, environment: str, pin: Pin) -> bool:
    """Whether a person wrote it, as an edit or by `tidegate pin`: then its rendered file follows unasked."""
    return pin.transition is None or pin.transition.kind == "pin" or not is_ours(model, environment, pin)


def _leads_on(before: Rendered | None, after: Rendered) -> bool:
    """Whether main led to the same file: where the manifest leads a pin file to another one, a person is asked."""
    return before is not None and (before.path, before.wanted) == (after.path, after.wanted)


def _change(environment: str, before: Rendered | None, after: Rendered) -> RenderChange | None:
    """What main had, `found`, and what it has after the merge are both held against what the pin file asks for."""
    there = before if before and before.path == after.path else None
    found = there.found if there else None
    if after.wanted is None or (found == after.wanted and after.found == after.wanted):
        return None
    if there and (there.wanted, there.found) == (after.wanted, after.found):
        return None  # as far out of step as it was: not this change's doing
    return RenderChange(
        environment=environment,
        path=after.path,
        before=after.found if found == after.wanted else found,
        after=after.wanted,
        carried=after.found == after.wanted,
        spoilt=after.found not in (found, after.wanted),
    )
