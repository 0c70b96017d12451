"""Rows of tables, made side by side. Each draws from a generator of its own, so that how many processes there are
changes nothing but the time."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Protocol, TypeVar

from promise import Size

Kind = TypeVar("Kind")
Row = TypeVar("Row")


class Rows(Protocol):
    """Of a size, one row by each kind, in their order. `make` and kinds travel to another process: no closures."""

    def __call__(self, make: Callable[[Size, Kind], Row], kinds: Iterable[Kind]) -> list[Row]: ...


@contextmanager
def rows(size: Size, processes: int) -> Iterator[Rows]:
    """One process is this one."""
    if processes == 1:
        yield lambda make, kinds: [make(size, kind) for kind in kinds]
        return
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as executor:

        def shared(make: Callable[[Size, Kind], Row], kinds: Iterable[Kind]) -> list[Row]:
            futures = [executor.submit(make, size, kind) for kind in kinds]
            return [future.result() for future in futures]

        try:
            yield shared
        except BaseException:  # also Ctrl-C: the rows that nobody waits for any more are not begun
            executor.shutdown(cancel_futures=True)
            raise
