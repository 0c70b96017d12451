"""Ports of which every call goes through somebody else's hands: to be counted, to die at, to wait for a turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from support.worlds import World
from tidegate import bundled
from tidegate.reconcile import Ports
from tidegate.steps.desired import DesiredReader

WRITES = frozenset(
    {"write_commit", "move_branch", "write_record"}
    | {"create", "describe", "comment", "set_check", "approve", "merge", "close", "reopen", "lift"}
    | {"register", "set_alias", "delete_alias"}
)
"""Every method of a port that changes something."""

Around = Callable[[str, Callable[[], Any]], Any]
"""Called with the method's name and the call itself, in its place."""


class Died(BaseException):
    """The end of a process in the middle of a call. No Exception: nobody may catch it and go on."""


class Handed:
    """A port whose calls go through `around`."""

    def __init__(self, port: object, around: Around) -> None:
        self._port = port
        self._around = around

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found
        return lambda *arguments, **options: self._around(name, partial(found, *arguments, **options))


def handed(world: World, around: Around) -> Ports:
    """Fresh ports on a world, as a process of its own has them, with every call through `around`."""
    fresh = world.connect()
    repository = cast("Any", Handed(fresh.repository, around))
    return Ports(
        repository=repository,
        forge=cast("Any", Handed(fresh.forge, around)),
        registry=cast("Any", Handed(fresh.registry, around)),
        metrics=cast("Any", Handed(fresh.metrics, around)),
        targets={name: cast("Any", Handed(target, around)) for name, target in fresh.targets.items()},
        clock=cast("Any", Handed(fresh.clock, around)),
        reader=DesiredReader(repository, bundled.schemas()),
    )


@dataclass
class Mortal:
    """Counts calls, and dies at one of them: before it takes effect, or after that but before it answers."""

    dies_at: int | None = None
    after: bool = False
    calls: list[str] = field(default_factory=list)

    def __call__(self, name: str, call: Callable[[], Any]) -> Any:
        place = len(self.calls)
        self.calls.append(name)
        if place == self.dies_at and not self.after:
            raise Died
        answer = call()
        if place == self.dies_at:
            raise Died
        return answer
