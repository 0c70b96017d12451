"""Writes the pages that are made from the program. `--check` writes nothing; it exits 1 when one is stale.

`make check` runs it. docs/cli.md is the program's own help (reviewed in tests/golden/help); docs/reference.md is made
from the schemas by `reference`, docs/rules from the rules by `rules`, the tables in actions/ from each action.yml by
`action_tables`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import action_tables
import click
import reference
import rules
from click.testing import CliRunner

from tidegate.cli.program import SECTIONS, program

DOCS = Path(__file__).resolve().parents[1] / "docs"
HEAD = """\
# Command line

Written by `tools/docs.py` from `tidegate --help`; do not edit. What the words mean: [the manual](README.md).

"""


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print("usage: python tools/docs.py [--check]", file=sys.stderr)
        return 2
    made = {"cli.md": _command_line(), "reference.md": reference.page(), **rules.pages()}
    pages = {DOCS / name: text for name, text in made.items()} | action_tables.pages()
    stale = {page: text for page, text in pages.items() if not _is_current(page, text)}
    orphans = sorted(page for page in (DOCS / "rules").glob("*") if page not in pages)
    if arguments:
        for page in (*stale, *orphans):
            print(f"{page} is not current; `python tools/docs.py` writes it anew or removes it", file=sys.stderr)
        return 1 if stale or orphans else 0
    for page, text in stale.items():
        page.parent.mkdir(exist_ok=True)
        page.write_text(text, encoding="utf-8")
    for page in orphans:
        page.unlink()
    return 0


def _is_current(page: Path, text: str) -> bool:
    return page.is_file() and page.read_text(encoding="utf-8") == text


def _command_line() -> str:
    return HEAD + "\n".join(_chapter(words) for words in _commands())


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
