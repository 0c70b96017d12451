"""A plan as one JSON document. Its keys are the fields of `core.planning.plan`; durations are as people write them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import timedelta

from tidegate.core.planning import wording
from tidegate.core.planning.effective import Effective, manifest, sources
from tidegate.core.planning.plan import ModelPlan, Plan
from tidegate.core.quantity import VersionPin, write_duration
from tidegate.reporters import json
from tidegate.reporters.plan_text import plain


def document(plan: Plan) -> str:
    """The whole plan; nothing is left out."""
    return json.text({"headline": wording.headline(plan), "asks": plan.asks, **_fields(plan)})


def effective(found: Iterable[Effective]) -> str:
    """Manifests with every default filled in, and where each value comes from."""
    return json.text([_effective(one) for one in found])


def _effective(one: Effective) -> Mapping[str, object]:
    told = {name: source.value for name, source in sources(one.tree)}
    return {"model": one.model, "path": one.path, "manifest": manifest(one.tree), "sources": told}


def _told(value: object) -> object:
    """Our types as data that JSON knows, but for instants and enums."""
    match value:
        case timedelta():
            return write_duration(value)
        case VersionPin():
            return str(value)
        case ModelPlan():
            summary = plain(wording.summary(value))
            return {"name": value.name, "summary": summary, "launches": value.launches, **_fields(value)}
        case tuple():
            return [_told(item) for item in value]
        case Mapping():
            return {name: _told(item) for name, item in value.items()}
        case _:
            return _fields(value) if dataclasses.is_dataclass(value) else value


def _fields(data: object) -> dict[str, object]:
    assert dataclasses.is_dataclass(data)
    return {field.name: _told(getattr(data, field.name)) for field in dataclasses.fields(data)}
