"""Reading objects through one `git cat-file` that stays open: a round trip through a pipe, not a process.

Text is UTF-8 with surrogateescape everywhere, so that no byte of a file is ever lost.
Not here: what the objects mean (repository.py), and starting git (plumbing.py).
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from subprocess import Popen, TimeoutExpired
from typing import IO

_HEADER = re.compile(rb"([0-9a-f]{40,64}) (\w+) (\d+)\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitObject:
    """One object: `kind` is blob, tree, commit or tag; `data` is empty when only its id was asked for."""

    id: str
    kind: str
    data: bytes

    @property
    def text(self) -> str:
        return decoded(self.data)


class Unanswered(Exception):
    """The process ended in the middle of an answer."""


class ObjectReader:
    """Objects by name. It sees what others write: git looks again for refs and packs it did not know."""

    def __init__(self, start: Callable[[], Popen[bytes]]) -> None:
        self._start = start
        self._lock = threading.Lock()
        self._process: Popen[bytes] | None = None
        self._owner = 0
        self._end: Callable[[], object] = lambda: None

    def ask(self, verb: str, names: Sequence[str]) -> list[GitObject | None]:
        """`verb` is `info` or `contents`. Answers in the order of the names, None for what is not there."""
        with self._lock:
            try:
                return self._ask(verb, names)
            except Unanswered:  # somebody ended it; a new one answers, or ends as well
                return self._ask(verb, names)

    def _ask(self, verb: str, names: Sequence[str]) -> list[GitObject | None]:
        process = self._running()
        answers: list[GitObject | None] = []
        try:
            for chunk in _chunks([encoded(f"{verb} {name}\n") for name in names]):
                _pipe(process.stdin).write(chunk)
                _pipe(process.stdin).flush()
                answers += [_answer(process, verb) for _ in range(chunk.count(b"\n"))]
        except (BrokenPipeError, Unanswered):
            self._process = None
            self._end()
            raise Unanswered from None
        return answers

    def _running(self) -> Popen[bytes]:
        if self._process is None or self._owner != os.getpid():  # a forked child must not share our pipes
            self._process, self._owner = self._start(), os.getpid()
            self._end = weakref.finalize(self, _ended, self._process, self._owner)
        return self._process


def _ended(process: Popen[bytes], owner: int) -> None:
    """Let the process see the end of its input, and wait until it is gone."""
    if os.getpid() == owner:
        with contextlib.suppress(OSError, ValueError, TimeoutExpired):
            process.communicate(timeout=5)


def _answer(process: Popen[bytes], verb: str) -> GitObject | None:
    header = _pipe(process.stdout).readline()
    if not header:
        raise Unanswered
    if not (found := _HEADER.fullmatch(header)):
        return None
    size = int(found[3]) + 1 if verb == "contents" else 0
    data = _pipe(process.stdout).read(size)
    if len(data) < size:
        raise Unanswered
    return GitObject(id=found[1].decode(), kind=found[2].decode(), data=data[:-1])


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise Unanswered
    return stream


def _chunks(requests: Sequence[bytes], limit: int = 4096) -> list[bytes]:
    """Requests joined so that a chunk fits into a pipe (pipe(7), PIPE_BUF) while nobody reads answers yet."""
    chunks = [b""]
    for request in requests:
        if len(chunks[-1]) + len(request) > limit:
            chunks.append(b"")
        chunks[-1] += request
    return [chunk for chunk in chunks if chunk]


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
