"""What GitHub's runner reads: its files for outputs and the job summary, and the commands in the log."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tidegate.reporters.printable import printable


class Runner:
    """The runner around this step, found by its environment."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._outputs = environment.get("GITHUB_OUTPUT")
        self._summary = environment.get("GITHUB_STEP_SUMMARY")

    def outputs(self, values: Mapping[str, str]) -> None:
        """Each between delimiters that nobody can know, so that no value ends early and adds outputs of its own."""
        mark = f"tidegate_{secrets.token_hex(16)}"
        _append(self._outputs, "".join(f"{name}<<{mark}\n{value}\n{mark}\n" for name, value in values.items()))

    def summary(self, markdown: str) -> None:
        _append(self._summary, markdown)

    def lines(self, lines: Iterable[str]) -> None:
        """Lines that may be commands: the caller has escaped what others wrote."""
        print(*lines, sep="\n", flush=True)

    def error(self, title: str, words: str) -> None:
        self.lines([f"::error title={_property(title)}::{_data(words)}"])

    def warning(self, title: str, words: str) -> None:
        self.lines([f"::warning title={_property(title)}::{_data(words)}"])

    def notice(self, title: str, words: str) -> None:
        self.lines([f"::notice title={_property(title)}::{_data(words)}"])

    def untrusted(self, text: str) -> None:
        """Text that others may have written parts of."""
        with self.stopped_commands():
            print(text, flush=True)

    @contextmanager
    def stopped_commands(self) -> Iterator[None]:
        """What is printed meanwhile is text to the runner, whatever it looks like."""
        mark = secrets.token_hex(16)
        print(f"::stop-commands::{mark}", flush=True)
        try:
            yield
        finally:
            print(f"\n::{mark}::", flush=True)


def _append(file: str | None, text: str) -> None:
    if file is not None:
        with Path(file).open("a", encoding="utf-8", errors="backslashreplace") as opened:
            opened.write(text)


def _data(text: str) -> str:
    told = "\n".join(printable(line) for line in text.splitlines())
    return told.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
