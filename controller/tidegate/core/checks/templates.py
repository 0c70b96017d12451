"""Rules about `{{ … }}` and `$…`: what is filled in, and what reaches the program or Prometheus as it stands."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Manifest, section
from tidegate.core.fault import Fault, Way
from tidegate.core.finding import Severity
from tidegate.core.nearest import nearest
from tidegate.core.shown import shown

UNKNOWN_VARIABLE = Rule(
    id="unknown-variable",
    title="A variable that nothing fills in",
    why="In a training command `{{ parameters.NAME }}` becomes the parameter of that name, and nothing else is filled "
    "in. In a value `{{ model }}`, `{{ environment }}` and `{{ version }}` are, between quotes. In selectors nothing "
    "is: the labels of model, environment and version are added to them.",
    bad="spec: {training: {source: training, lease: 30m, parameters: {depth: 6},\n"
    "  command: [python, train.py, '{{ parameters.dept }}']}}",
    good="spec: {training: {source: training, lease: 30m, parameters: {depth: 6},\n"
    "  command: [python, train.py, '{{ parameters.depth }}']}}",
)

SHELL_VARIABLE = Rule(
    id="shell-variable",
    severity=Severity.WARNING,
    title="A variable that only a shell fills in",
    why="No shell reads the command: `$HOME` reaches the program as these five characters. The program finds what it "
    "needs in its environment; for a shell's ways, write a script, or `[sh, -c, '…']`.",
    bad="spec: {training: {source: training, command: [python, train.py, --out, $TIDEGATE_CHECKPOINT], lease: 30m}}",
    good="spec: {training: {source: training, command: [sh, -c, 'python train.py --out $TIDEGATE_CHECKPOINT'], "
    "lease: 30m}}",
)

RULES = (UNKNOWN_VARIABLE, SHELL_VARIABLE)

_TEMPLATE = re.compile(r"(?P<dollar>\$?)\{\{-?\s*(?P<name>[A-Za-z_][\w.\[\]'\"-]*+)[^{}]*+\}\}")
_PARAMETER = re.compile(r"\{\{\s*parameters\.(?P<name>[\w.-]+)\s*\}\}")
"""What `train` fills in."""
_DASHBOARD = re.compile(r"\$(?:\{\w+(?::\w+)?\}|[A-Za-z_]\w*)|\[\[\w+\]\]")
"""Grafana's variables."""
_SHELL_VARIABLE = re.compile(r"\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\}|\()")
_SHELL = re.compile(r"(?:.*/)?(?:ba|da|z|k|fi)?sh")
_COMMAND: Way = ("spec", "training", "command")


def commands_are_filled_in(manifest: Manifest) -> Iterator[Fault]:
    """Every `{{ … }}` of the command names a parameter, and nothing waits for a shell."""
    training = section(manifest.spec, "training")
    for index, word in enumerate(training.get("command", ())):
        if not isinstance(word, str):
            continue
        if "{{" in word:
            yield from _parameters(word, (*_COMMAND, index), manifest)
        if "$" in word and not _SHELL.fullmatch(str(training["command"][0])):
            yield from _for_a_shell(word, (*_COMMAND, index))


def _parameters(word: str, way: Way, manifest: Manifest) -> Iterator[Fault]:
    written = section(manifest.document.data, "spec", "training").get("parameters")
    parameters = written if isinstance(written, dict) else {}
    for found in _TEMPLATE.finditer(word):
        parameter = _PARAMETER.fullmatch(found[0].removeprefix("$"))
        if parameter and not found["dollar"]:
            if parameter["name"] not in parameters:
                message = f"there is no parameter {shown(parameter['name'])}"
                yield UNKNOWN_VARIABLE.at(way, message, _meant(parameter["name"], parameters))
            continue
        message = f"nothing fills in {shown(found[0])[1:-1]}"
        yield UNKNOWN_VARIABLE.at(way, message, _instead(found["dollar"], found["name"]))


def _meant(name: str, parameters: Collection[object]) -> str:
    meant = nearest(name, parameters)
    return f"did you mean {meant}?" if meant else f"add `{name}:` to `parameters`"


def _instead(dollar: str, name: str) -> str:
    if dollar:
        return "GitHub fills in `${{ … }}` in workflows only: pass it as a parameter, or in the environment"
    if name.startswith("data."):
        return "the program finds data in TIDEGATE_DATA_<NAME>"
    return "`{{ parameters.NAME }}` is the only form there is"


def _for_a_shell(word: str, way: Way) -> Iterator[Fault]:
    found = _SHELL_VARIABLE.search(_TEMPLATE.sub("", word))
    if found is not None:
        message = f"{shown(word)} reaches the program as it stands: no shell reads the command"
        yield SHELL_VARIABLE.at(way, message, "let the program read its environment, or write `[sh, -c, '…']`")


def unfilled(text: str, way: Way) -> Fault | None:
    """The first variable of PromQL: another program's, or one that was hoped for."""
    if "{{" not in text and "$" not in text and "[[" not in text:
        return None
    found = _TEMPLATE.search(text) or _DASHBOARD.search(text)
    if found is None:
        return None
    hint = "write what is meant"
    if way[-1] != "value":
        hint = "take it out: the labels of model, environment and version are added"
    elif "interval" in found[0] or "range" in found[0]:
        hint = "write a duration, such as 5m"
    elif "{{" in found[0]:
        hint = "there are `{{ model }}`, `{{ environment }}` and `{{ version }}`"
    return UNKNOWN_VARIABLE.at(
        way, f"nothing fills in {shown(found[0])[1:-1]}: it goes to Prometheus as it stands", hint
    )
