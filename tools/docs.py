"""Writes docs/cli.md from the program's own help. `--check` writes nothing and exits 1 when the page is not current.

`make check` runs it. What the help says is reviewed in tests/golden/help.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
from click.testing import CliRunner

from tidegate.cli.program import SECTIONS, program

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cli.md"
HEAD = """\
# Command line

Written by `tools/docs.py` from `tidegate --help`; do not edit. What the words mean: [the manual](README.md).

"""


def main(arguments: list[str]) -> int:
    text = HEAD + "\n".join(_chapter(words) for words in _commands())
    if arguments == ["--check"]:
        return _checked(text)
    if arguments:
        print("usage: python tools/docs.py [--check]", file=sys.stderr)
        return 2
    PAGE.write_text(text, encoding="utf-8")
    return 0


def _checked(text: str) -> int:
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print(f"{PAGE} is not what --help says; `python tools/docs.py` writes it anew", file=sys.stderr)
    return 1


def _commands() -> Iterator[tuple[str, ...]]:
    """The words of every command, those of a group behind it."""
    yield ()
    context = click.Context(program)
    for name in (name for section in SECTIONS.values() for name in section):
        yield (name,)
        command = program.get_command(context, name)
        if isinstance(command, click.Group):
            yield from ((name, inner) for inner in command.list_commands(context))


def _chapter(words: tuple[str, ...]) -> str:
    said = CliRunner().invoke(program, [*words, "--help"], prog_name="tidegate", terminal_width=100)
    return f"{'#' * min(len(words) + 2, 3)} {' '.join(('tidegate', *words))}\n\n```text\n{said.output}```\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
