"""Work spread over the machine's cores. The work must not depend on the order in which its parts are done."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")

_PARTS_A_CORE = 8
"""Parts differ in what they cost: the core that is done first takes the next one."""
_work: Callable[[Any], Any] | None = None


def cores() -> int:
    """Those this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(work: Callable[[Sequence[Part]], list[Result]], items: Sequence[Part], least: int) -> list[Result]:
    """`work` over all items in runs, results in the order of the items. Fewer than `least` are not worth a process."""
    workers = min(cores(), len(items) // least)
    if workers < 2 or sys.platform != "linux":  # elsewhere a fork is not safe, and a fresh process knows nothing
        return work(items)
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    size = -(-len(items) // (workers * _PARTS_A_CORE))
    parts = [items[start : start + size] for start in range(0, len(items), size)]
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(workers, mp_context=fork, initializer=_begin, initargs=(work,)) as pool:
        return [result for results in pool.map(_do, parts) for result in results]


def _begin(work: Callable[[Any], Any]) -> None:
    global _work  # noqa: PLW0603 - handed over once a process, not once a part
    _work = work


def _do(part: Any) -> Any:  # noqa: ANN401
    assert _work is not None
    return _work(part)
