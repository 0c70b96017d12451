"""Whether a model is trained because of a change, and why: which parts of its training key differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from tidegate.core.manifest import Training
from tidegate.core.planning.plan import Part, TrainingPlan
from tidegate.core.planning.state import Facts, State
from tidegate.core.training_key import Inputs, differences, training_key

_CLIPPED = 60
_FULL_DIGEST = 64


def training_plan(facts: Facts) -> TrainingPlan | None:
    """None for a model that is trained neither before nor after, and where its source is not there."""
    before, after = _inputs(facts.before), _inputs(facts.after)
    unknown = after is None and facts.after is not None and facts.after.model.training is not None
    if unknown or (before is None and after is None):
        return None
    key = training_key(after) if after else None
    return TrainingPlan(
        before=training_key(before) if before else None,
        after=key,
        parts=tuple(_parts(before, after, facts)) if before and after else (),
        progress=facts.progress,
        rejected=_rejected(facts, key) if key else None,
    )


def _inputs(state: State | None) -> Inputs | None:
    return state.inputs if state else None


def _parts(before: Inputs, after: Inputs, facts: Facts) -> Iterator[Part]:
    old, new = before.parts(), after.parts()
    for name in differences(before, after):
        if name == "environment":
            yield _lock_file(facts)
        elif name.startswith("tree "):
            path = name.removeprefix("tree ")
            files = touched(facts.changed, path) if name in old and name in new else ()
            yield Part(name=name, before=_there(name in old), after=_there(name in new), files=files)
        else:
            yield Part(name=name, before=_shown(old.get(name)), after=_shown(new.get(name)))


def touched(changed: Sequence[str], path: str) -> tuple[str, ...]:
    """The changed paths that are this file, or lie in this folder."""
    return tuple(each for each in changed if each == path or each.startswith(f"{path}/"))


def _lock_file(facts: Facts) -> Part:
    """The file's name where its content differs, both texts where another one is named."""
    before, after = _environment(facts.before), _environment(facts.after)
    if before != after:
        return Part(name="environment", before=before, after=after)
    return Part(name="environment", files=(after,) if after else ())


def _environment(state: State | None) -> str | None:
    training: Training | None = state.model.training if state else None
    return training.environment if training else None


def _there(present: bool) -> str | None:
    return "there" if present else None


def _shown(value: object) -> str | None:
    """Short enough for one line; a digest is known by its beginning."""
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    head, sign, digest = text.rpartition("sha256:")
    if sign and len(digest) == _FULL_DIGEST:
        text = f"{head}{sign}{digest[:12]}…"
    return text if len(text) <= _CLIPPED else f"{text[: _CLIPPED - 1]}…"


def _rejected(facts: Facts, key: str) -> tuple[str, str] | None:
    """The first environment whose pin file rejects this key, or the version that it has led to already."""
    version = facts.progress.version if facts.progress else None
    pins = facts.after.pins if facts.after else {}
    for environment, pin in pins.items():
        for entry in pin.rejected:
            if entry.key == key or entry.version == version:
                return environment, entry.reason
    return None
