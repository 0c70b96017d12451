"""How a plan is laid out, whatever it is printed as: each model's line, and blocks of details by their importance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from tidegate.core.planning.backtest import lines as backtest
from tidegate.core.planning.consequences import fate, pins
from tidegate.core.planning.details import gates, policy, training, way
from tidegate.core.planning.diff import difference
from tidegate.core.planning.phrase import Line, quoted, some
from tidegate.core.planning.plan import ModelPlan, RenderChange
from tidegate.core.planning.wording import summary


class Weight(IntEnum):
    """How much a block matters: what weighs least is left out first where there is no room."""

    RENDERED = 1
    SETTINGS = 2
    BACKTEST = 3
    WAY = 4
    GATES = 5
    TRAINING = 6
    PINS = 7
    FATE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One subject: its title, its lines, and a text that is shown as it is (a diff)."""

    weight: Weight
    title: str
    lines: tuple[Line, ...]
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One model: its name, its line, its blocks."""

    name: str
    summary: Line
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Models of which the same is said; most have one member."""

    members: tuple[Outline, ...]

    @property
    def first(self) -> Outline:
        """The one that stands for all."""
        return self.members[0]

    @property
    def title(self) -> Line:
        names = [member.name for member in self.members]
        if len(names) == 1:
            return (quoted(names[0]), ": ", *self.first.summary)
        return (f"{len(names)} models (", *some(names, _NAMED), "), each: ", *self.first.summary)

    @property
    def note(self) -> Line:
        """Who they are, and of whom the details are."""
        names = [member.name for member in self.members]
        return (*some(names, len(names)), ". In full for ", quoted(names[0]), ":") if len(names) > 1 else ()


_NAMED = 3
_ALIKE = 4
"""From so many models on, of which the same is said, they are told of together."""


def groups(models: Iterable[ModelPlan]) -> tuple[Group, ...]:
    """The models in their order, those that are alike where the first of them stands."""
    alike: dict[Line, list[Outline]] = {}
    for each in map(outline, models):
        alike.setdefault(each.summary, []).append(each)
    found: list[Group] = []
    for members in alike.values():
        together = len(members) >= _ALIKE
        found += [Group(members=tuple(members))] if together else [Group(members=(one,)) for one in members]
    return tuple(found)


def outline(model: ModelPlan) -> Outline:
    """The blocks stand in the order in which they are read; empty ones are left out."""
    blocks = (
        Block(weight=Weight.FATE, title="What becomes of it", lines=tuple(fate(model))),
        Block(weight=Weight.TRAINING, title="Training", lines=tuple(training(model))),
        Block(weight=Weight.GATES, title="Gates", lines=tuple(gates(model))),
        Block(weight=Weight.WAY, title="Way of the new version", lines=tuple(way(model))),
        Block(weight=Weight.PINS, title="Pin files", lines=tuple(pins(model))),
        Block(weight=Weight.SETTINGS, title="Settings", lines=tuple(policy(model))),
        Block(weight=Weight.BACKTEST, title="Past rollouts, replayed", lines=tuple(backtest(model))),
        *(_rendered(change) for change in model.renders),
    )
    return Outline(name=model.name, summary=summary(model), blocks=tuple(block for block in blocks if block.lines))


def _rendered(change: RenderChange) -> Block:
    return Block(
        weight=Weight.RENDERED,
        title="Rendered file",
        lines=((quoted(change.path), ": ", *_brought(change)),),
        text=difference(change.path, change.before, change.after),
    )


def _brought(change: RenderChange) -> Line:
    """Who writes the file."""
    if change.carried:
        return ("written by this change.",)
    who = "and asks a person" if change.asks else "and needs nobody"
    if change.spoilt:
        return (f"this change writes something else into it; Tidegate proposes this text, {who}.",)
    return (f"after the merge Tidegate proposes this text, {who}.",)
