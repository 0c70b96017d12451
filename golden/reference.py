"""The reference files of Sloth (github.com/slok/sloth, Apache-2.0), as far as we are held against them: its rule files,
and the objectives that they were made from, in our words.

Its expressions over recorded series are written out: each such series is replaced by what is recorded under its name,
so that any instant of any history can be asked without recording first. The same is done with ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from tidegate.core.alerting.alerts import Alert, Group, Recording, group
from tidegate.core.manifest import Environment, Model, Objective
from tidegate.core.quantity import duration
from tidegate.core.workspace import MetricLabels

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "golden"
SLOTH = FOLDER / "sloth-rules"
STEP = "5m"
"""How far apart recorded samples would stand, where a period sums them."""

_COUNTER = re.compile(r"rate\((?P<selector>[^\[\]]+)\[\{\{\.window\}\}\]\)")
_RECORDED = re.compile(r"(?P<name>[a-z_]+(?::[a-zA-Z0-9_]+)+)\{[^{}]*\}(?P<range>\[[^\[\]]+\])?")


def content(path: Path) -> str:
    assert path.is_file(), f"{path} is not there: these tests compare with reference files beside this repository"
    return path.read_text(encoding="utf-8")


def burn_rate_table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(content(SLOTH / "burn_rate_table.json"))
    return table


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules of one objective: what is recorded under which name, and what alerts, by severity."""

    recorded: Mapping[str, str]
    alerts: Mapping[str, str]

    def written_out(self, expression: str) -> str:
        """The expression over scraped counters alone."""

        def definition(found: re.Match[str]) -> str:
            inner = self.written_out(self.recorded[found["name"]])
            return f"({inner})" + (found["range"] or "").replace("]", f":{STEP}]")

        return _RECORDED.sub(definition, expression)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One objective of one of Sloth's outputs, as Sloth and as we write its rules."""

    name: str
    objective: Objective
    theirs: Rules
    ours: Rules


def cases() -> Iterator[Case]:
    """Every objective of every output that is no error. One output has only alerts, over what the first one records."""
    first: dict[str, Mapping[str, str]] = {}
    for case in json.loads(content(SLOTH / "manifest.json"))["cases"]:
        if case["expected"] == "error":
            continue
        output = list(yaml.safe_load_all(content(SLOTH / case["expected"])))
        wanted = dict(_objectives(content(SLOTH / case["input"]), _period(case["args"])))
        for identity, rules in (found for document in output if document for found in _theirs(document)):
            recorded = rules.recorded or first[identity]
            first.setdefault(identity, recorded)
            theirs = Rules(recorded=recorded, alerts=rules.alerts)
            name = f"{Path(case['expected']).stem}/{identity}"
            yield Case(name=name, objective=wanted[identity], theirs=theirs, ours=ours(wanted[identity]))


def ours(objective: Objective) -> Rules:
    """Counters of the reference carry no label of ours."""
    return in_brief(made(objective, MetricLabels(model="", environment="", version="")))


def made(objective: Objective, names: MetricLabels, model: str = "model") -> Group:
    owner = Model(name=model, folder="models/model", owners=(), environments=())
    return group(owner, Environment(name="production"), objective, names)


def in_brief(rules: Group) -> Rules:
    recorded = {rule.name: rule.expression for rule in rules.rules if isinstance(rule, Recording)}
    burning = [rule for rule in rules.rules if isinstance(rule, Alert) and rule.name == "TidegateErrorBudgetBurn"]
    return Rules(recorded=recorded, alerts={rule.labels["severity"]: rule.expression for rule in burning})


def _theirs(document: Mapping[str, Any]) -> Iterator[tuple[str, Rules]]:
    """By identity. An output may leave out recordings, or alerts."""
    recorded: dict[str, dict[str, str]] = {}
    alerts: dict[str, dict[str, str]] = {}
    for found in document["groups"]:
        identity = re.sub(r"^sloth-slo-(sli-recordings|meta-recordings|alerts)-", "", found["name"])
        for rule in found["rules"]:
            if "record" in rule:
                recorded.setdefault(identity, {})[rule["record"]] = rule["expr"]
            else:
                alerts.setdefault(identity, {})[rule["labels"]["sloth_severity"]] = rule["expr"]
    for identity in {**recorded, **alerts}:
        yield identity, Rules(recorded=recorded.get(identity, {}), alerts=alerts.get(identity, {}))


def _period(arguments: list[str]) -> timedelta:
    named = [found[1] for text in arguments if (found := re.fullmatch(r"default period (\w+)", text))]
    return duration(named[0] if named else "30d")


def _objectives(text: str, period: timedelta) -> Iterator[tuple[str, Objective]]:
    for document in yaml.safe_load_all(text):
        if document and "slos" in document:
            for wanted in document["slos"]:
                yield f"{document['service']}-{wanted['name']}", _of_sloth(wanted, period)
        elif document:
            name, service = document["metadata"]["name"], document["spec"]["service"]
            for number, wanted in enumerate(document["spec"]["objectives"]):
                yield f"{service}-{name}-{number}", _of_openslo(wanted, period)


def _of_sloth(wanted: Mapping[str, Any], period: timedelta) -> Objective:
    bad, total = _COUNTER.findall(str(wanted["sli"]).replace("\\n", "\n"))
    return Objective(name=wanted["name"], target=wanted["objective"] / 100, window=period, bad=bad, total=total)


def _of_openslo(wanted: Mapping[str, Any], period: timedelta) -> Objective:
    (good,) = _COUNTER.findall(wanted["ratioMetrics"]["good"]["query"])
    (total,) = _COUNTER.findall(wanted["ratioMetrics"]["total"]["query"])
    return Objective(name="slo", target=wanted["target"], window=period, good=good, total=total)
