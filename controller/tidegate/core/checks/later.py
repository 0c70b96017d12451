"""The rule about settings that this version cannot honour; `core/later.py` knows them."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.core import later
from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Manifest
from tidegate.core.fault import Fault

NOT_AVAILABLE = Rule(
    id="not-available",
    title="A setting that is not available yet",
    why="The format has it already, and this version of Tidegate cannot do it. Rather than ignore what a file asks "
    "for, it refuses the file. Leave the setting out, or wait for the version that has it.",
    bad="spec: {training: {source: training, command: [python, train.py], lease: {deadline: 30m, maxCost: 5 EUR}}}",
    good="spec: {training: {source: training, command: [python, train.py], lease: {deadline: 30m}}}",
)

RULES = (NOT_AVAILABLE,)


def model_asks_for_nothing_later(manifest: Manifest) -> Iterator[Fault]:
    yield from map(_told, later.in_model(manifest.spec))


def _told(found: later.Later) -> Fault:
    return NOT_AVAILABLE.at(found.path, f"{found.what} is not available in this version", found.instead, on_key=True)
