"""Rules about the training command: words for a program, not for a shell, and a program that the run can see."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Data, Manifest, section
from tidegate.core.fault import Fault, Way
from tidegate.core.finding import Severity
from tidegate.core.repository_path import covers, joined, stray
from tidegate.core.shown import shown

COMMAND_FOR_A_SHELL = Rule(
    id="command-for-a-shell",
    severity=Severity.WARNING,
    title="A command that only a shell would understand",
    why="`command` is a list of words: the program and its arguments, each exactly as the program gets it. No shell "
    "reads it, so that `&&`, `|` and `>` are arguments like others, and a whole command line in one word is the "
    "name of a program that does not exist. For a shell's ways, write a script, or `[sh, -c, '…']`.",
    bad="spec: {training: {source: training, command: [pip, install, '.', '&&', python, train.py], lease: 30m}}",
    good="spec: {training: {source: training, command: [sh, -c, 'pip install . && python train.py'], lease: 30m}}",
)

PROGRAM_NOT_IN_SOURCE = Rule(
    id="program-not-in-source",
    severity=Severity.WARNING,
    title="The program is not among what it is run from",
    why="The command runs in `source`, in a clean folder that holds `source` and `include` and nothing else. A path "
    "in the command is relative to `source`.",
    bad="spec: {training: {source: training, command: [python, training/train.py], lease: 30m}}\n"
    "# models/churn/training/train.py\nprint('trained')\n",
    good="spec: {training: {source: training, command: [python, train.py], lease: 30m}}\n"
    "# models/churn/training/train.py\nprint('trained')\n",
)

RULES = (COMMAND_FOR_A_SHELL, PROGRAM_NOT_IN_SOURCE)

_COMMAND: Way = ("spec", "training", "command")
_SCRIPT = "write a script, or `[sh, -c, '…']`"
_SHELL_WORDS = frozenset({"&&", "||", "|", ";", "&", ">", ">>", "<", "2>", "2>&1", "&>", ">/dev/null", "2>/dev/null"})
_BUILT_IN = frozenset({"cd", "export", "source", "set", "unset"})
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_PLACEHOLDER = re.compile(r"\{\{[^{}]*\}\}")
_INTERPRETER = re.compile(r"(?:.*/)?(?:python[\d.]*|bash|sh|zsh|Rscript|julia|node|perl|ruby)")
_UNSURE = re.compile(r"[-/~]|.*[\s${]", re.DOTALL)
"""An option, a place outside of the repository, or a word that is filled in."""
_FLAGS = frozenset({"-u", "-B", "-E", "-I", "-O", "-OO", "-P", "-s", "-S", "-e", "-x"})
"""Options of interpreters that take no value, so that the program stands behind them."""


def command_is_for_a_program(manifest: Manifest) -> Iterator[Fault]:
    """No word is meant for a shell, and the program lies where the run sees it."""
    training = section(manifest.spec, "training")
    if "command" in training:
        yield from _shell(training["command"])
        yield from _program(training, manifest)


def _shell(command: Sequence[str | float]) -> Iterator[Fault]:
    """The program, or the first other word, that is meant for a shell."""
    program = str(command[0])
    if " " in program and " " in _PLACEHOLDER.sub("", program).strip():
        message = f"{shown(program)} is taken for the name of one program"
        yield COMMAND_FOR_A_SHELL.at((*_COMMAND, 0), message, "write each word for itself: [python, train.py]")
    elif program in _BUILT_IN or _ASSIGNMENT.match(program):
        yield COMMAND_FOR_A_SHELL.at((*_COMMAND, 0), f"{shown(program)} is no program: only a shell knows it", _SCRIPT)
    if _SHELL_WORDS.isdisjoint(command):
        return
    for index in range(1, len(command)):
        # Behind an option it is the option's value: `--sep "|"`.
        if command[index] in _SHELL_WORDS and not str(command[index - 1]).startswith("-"):
            message = f"{shown(command[index])} is handed to the program as an argument: no shell reads the command"
            yield COMMAND_FOR_A_SHELL.at((*_COMMAND, index), message, _SCRIPT)
            return


def _program(training: Data, manifest: Manifest) -> Iterator[Fault]:
    """The file that the command names as its program lies in `source` or `include`."""
    index, word = _script(training["command"])
    if not word or "source" not in training or stray(training["source"]):
        return
    source = joined(manifest.folder, training["source"])
    place = joined(source, word)
    seen = covers(source, place) or any(covers(joined("", path), place) for path in training.get("include", ()))
    if not seen:
        message = f"{shown(word)} lies outside of `source` and `include`: the run does not see it"
        hint = "move it into `source`, or name its folder under `include`"
        yield PROGRAM_NOT_IN_SOURCE.at((*_COMMAND, index), message, hint)
    elif not manifest.around.has(place) and manifest.around.has(source):
        message = f"there is no {shown(place)[1:-1]} in the repository"
        yield PROGRAM_NOT_IN_SOURCE.at((*_COMMAND, index), message, _in_source(source, word, manifest))


def _script(command: Sequence[str | float]) -> tuple[int, str]:
    """The word that names a file to run by a relative path, with its index; no word where that is not sure."""
    program, index = str(command[0]), 0
    if _INTERPRETER.fullmatch(program):
        index = next((i for i, word in enumerate(command) if i and word not in _FLAGS), 0)
    word = str(command[index])
    named = index > 0 or "/" in program
    return (index, word) if named and not _UNSURE.match(word) else (0, "")


def _in_source(source: str, word: str, manifest: Manifest) -> str:
    """Where it is: people write the path from the manifest, or from the root."""
    name = posixpath.basename(word)
    there = manifest.around.has(f"{source}/{name}")
    return f"the path is relative to {source}: write {name}" if there else f"add it to {source}, or correct its name"
