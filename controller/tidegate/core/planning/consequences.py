"""The sentences about what an edited pin file leads to, and what a deletion, a renaming or the end of an environment
does. They say what the controller does today: where it tidies nothing up, what to do by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.core.pin import Pin
from tidegate.core.planning.phrase import LISTED, Line, joined, quoted, some, typed
from tidegate.core.planning.plan import Fate, Leaving, ModelPlan, Origin, PinEdit, Renaming
from tidegate.core.planning.wording import versions


def pins(model: ModelPlan) -> Iterator[Line]:
    """What each edited pin file leads to."""
    for edit in model.pins:
        yield (quoted(edit.path), ": ", *_origin(edit))
        yield from versions(edit.before, edit.after)
        yield from _effects(edit.before or Pin(), edit.after or Pin())
        if edit.holds:
            resume = typed(f"tidegate resume {model.name} {edit.environment}")
            yield ("Obeyed at once. The environment is held until the training key changes, or ", resume, ".")
        if edit.after is None:
            yield ("Nothing is pinned there any more: its aliases go, its rendered file stays as it is.",)


def _origin(edit: PinEdit) -> Line:
    if edit.after is None:
        return ("deleted by hand.",)
    match edit.origin:
        case Origin.TRANSITION:
            kind = edit.after.transition.kind if edit.after.transition else ""
            return ("written by Tidegate: ", quoted(kind), ".")
        case Origin.BROUGHT_BACK:
            return ("an older state is brought back, which counts as set by hand.",)
        case Origin.BY_HAND:
            return ("edited by hand.",)


def _effects(before: Pin, after: Pin) -> Iterator[Line]:
    """What changes besides versions."""
    if after.canary and before.canary and after.canary.pin == before.canary.pin and after.canary != before.canary:
        zero = after.canary.weight == 0
        yield ("The canary is paused, and kept warm." if zero else "A weight set by hand starts a new bake.",)
    for entry in after.rejected:
        if entry not in before.rejected:
            yield (f"Version {entry.version} is a candidate nowhere any more: ", quoted(entry.reason), ".")
    for entry in before.rejected:
        if entry not in after.rejected:
            yield (f"Version {entry.version} is rejected here no more.",)
    if after.hold is not None and after.hold != before.hold:
        yield ("Held (", quoted(after.hold.scope), "): ", quoted(after.hold.reason), ".")
    if after.hold is None and before.hold is not None:
        yield ("Its hold is lifted.",)


def fate(model: ModelPlan) -> Iterator[Line]:
    """What a deletion, a renaming or the end of an environment does and leaves to be done."""
    if model.fate is Fate.DELETED:
        yield ("Nothing trains, promotes or reverts it any more.",)
    if model.renaming is not None:
        yield from _renaming(model, model.renaming)
    if model.leaving is not None:
        yield from _leaving(model.leaving, model.fate)
    for name, left in model.removed.items():
        yield ("Nothing is promoted to ", quoted(name), " or reverted there any more; what it rejects stays rejected.")
        yield from _leaving(left, model.fate)


def _renaming(model: ModelPlan, changed: Renaming) -> Iterator[Line]:
    if changed.name:
        yield from _new_name(model.name, changed)
    if changed.folder and changed.follow:
        yield ("The history of its pin files starts anew: bakes and probation count from the merge on.",)
        if model.flights:
            yield ("The rollout in flight goes on by main's policy: the frozen one is not found in the new folder.",)
    if changed.stay:
        where = some(changed.stay, LISTED)
        yield ("It starts with nothing in ", *where, ": the pin files stay behind, and their rejections with them.")


def _new_name(name: str, changed: Renaming) -> Iterator[Line]:
    yield ("To Tidegate it is another model: ", typed("formerName"), " is not available in this version.")
    if changed.follow:
        yield ("Its pin files do not hash to the new name: ", *some(changed.follow, LISTED),
               " count as set by hand. They are held, reverts too, until the training key changes, or ",
               typed(f"tidegate resume {name} {changed.follow[0]}"), ".")  # fmt: skip


def _leaving(left: Leaving, what: Fate) -> Iterator[Line]:
    yield from _traffic(left)
    if left.pins:
        yield ("Left behind, and read by nothing: ", *some(left.pins, LISTED), ". Delete them in the same change.")
    if left.aliases:
        registered = quoted(left.registry_name)
        yield ("Aliases that stay in the registry, of ", registered, ": ", *some(left.aliases, LISTED), ".")
    if what in (Fate.DELETED, Fate.RENAMED):
        yield ("Its open proposals stay open: close them.",)
    if left.running:
        yield ("The run ", quoted(left.running), " goes on until its lease ends; nobody collects it.")
    if left.dependants:
        yield ("What depends on it enters nowhere while it is gone: ", *some(left.dependants, LISTED), ".")


def _traffic(left: Leaving) -> Iterator[Line]:
    serving = _serving(left.serving)
    if left.rendered:
        yield ("Rendered files that stay, and the traffic with them: ", *some(left.rendered, LISTED), *serving, ".")
    if left.gone:
        yield ("Rendered files that this change deletes, so that nothing is served by them: ",
               *some(left.gone, LISTED), *serving, ".")  # fmt: skip


def _serving(versions_there: Mapping[str, int]) -> Line:
    if not versions_there:
        return ()
    named = joined([(quoted(name), f" {version}") for name, version in versions_there.items()])
    return (" (", *named, ")")
