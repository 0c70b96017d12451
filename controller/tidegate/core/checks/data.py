"""Rules about the inputs of a training: digests, names, and what is followed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from tidegate.core.checks.paths import data_entries
from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Data, Manifest, section
from tidegate.core.fault import Fault, Way
from tidegate.core.finding import Severity
from tidegate.core.manifest import data_variable
from tidegate.core.repository_path import joined, stray_from
from tidegate.core.shown import shown

_ROWS = "customer,churned\n1,0\n"
_TRAINING = "spec: {training: {source: training, command: [python, train.py], lease: 30m,\n  "

DATA_WITHOUT_DIGEST = Rule(
    id="data-without-digest",
    severity=Severity.WARNING,
    title="Data without a digest",
    why="The training key covers the `uri` and the `digest` of each input, and never looks at the data itself. "
    "Without a digest, data that changes under the same address trains nothing, and nobody can tell what a "
    "version learned from. `sha256sum FILE` prints it; with `follow: latest` it is found when a retraining is "
    "due.",
    bad=f"{_TRAINING}data: {{customers: {{uri: 's3://bucket/customers/2026-03'}}}}}}}}",
    good=f"{_TRAINING}data: {{customers: {{uri: 's3://bucket/customers/2026-03',\n"
    "    digest: 'sha256:06f1c4d20e264066b27fc95cd38daaaa737e4cc4289213aa00d9ee4a3d6d0485'}}}}",
)

DIGEST_MISMATCH = Rule(
    id="data-digest-mismatch",
    title="Data in the repository that is not what its digest says",
    why="The file is in the repository, and its bytes have another digest: it was changed and the manifest was not, "
    "or the other way round. A version would be recorded as trained on data that it never saw.",
    bad=f"{_TRAINING}data: {{customers: {{uri: customers.csv,\n"
    "    digest: 'sha256:06f1c4d20e264066b27fc95cd38daaaa737e4cc4289213aa00d9ee4a3d6d0485'}}}}\n"
    f"# models/churn/training/customers.csv\n{_ROWS}",
    good=f"{_TRAINING}data: {{customers: {{uri: customers.csv,\n"
    f"    digest: 'sha256:{hashlib.sha256(_ROWS.encode()).hexdigest()}'}}}}}}}}\n"
    f"# models/churn/training/customers.csv\n{_ROWS}",
)

DATA_NAMES_CLASH = Rule(
    id="data-names-clash",
    title="Two inputs under one name",
    why="The training program finds each input in an environment variable: the name in capitals, with `_` for all "
    "that is no letter or digit. Two inputs with the same variable are one input to the program.",
    bad=f"{_TRAINING}data: {{web-logs: {{uri: 's3://bucket/web'}}, web_logs: {{uri: 's3://bucket/logs'}}}}}}}}",
    good=f"{_TRAINING}data: {{web: {{uri: 's3://bucket/web'}}, logs: {{uri: 's3://bucket/logs'}}}}}}}}",
)

FOLLOW_WITHOUT_RETRAIN = Rule(
    id="follow-without-retrain",
    severity=Severity.WARNING,
    title="Data that is followed, and never looked for",
    why="`follow: latest` says that a retraining takes the newest data. Without `training.retrain` none is ever due.",
    bad=f"{_TRAINING}data: {{customers: {{uri: 's3://bucket/customers', follow: latest}}}}}}}}",
    good=f"{_TRAINING}data: {{customers: {{uri: 's3://bucket/customers', follow: latest}}}},\n"
    "  retrain: {schedule: {cron: '0 3 * * 1'}}}}",
)

RETRAIN_WITHOUT_FOLLOW = Rule(
    id="retrain-without-follow",
    severity=Severity.WARNING,
    title="A retraining that finds nothing new",
    why="A retraining takes the newest data of each input with `follow: latest`, and is proposed only when that is "
    "not what the model was trained on. Without such an input nothing is ever new.",
    bad=f"{_TRAINING}retrain: {{schedule: {{cron: '0 3 * * 1'}}}}}}}}",
    good=f"{_TRAINING}retrain: {{schedule: {{cron: '0 3 * * 1'}}}},\n"
    "  data: {customers: {uri: 's3://bucket/customers', follow: latest}}}}",
)

RULES = (DATA_WITHOUT_DIGEST, DIGEST_MISMATCH, DATA_NAMES_CLASH, FOLLOW_WITHOUT_RETRAIN, RETRAIN_WITHOUT_FOLLOW)

_WAY: Way = ("spec", "training", "data")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def data_is_known(manifest: Manifest) -> Iterator[Fault]:
    """Inputs are told apart by name and digest, and those in the repository are what they say."""
    training = section(manifest.spec, "training")
    if "data" not in training and "retrain" not in training:
        return
    entries = tuple(data_entries(training))
    variables: dict[str, str] = {}
    for key, entry in entries:
        yield from _clash((*_WAY, key), str(entry.get("name", key)), variables)
        if "digest" in entry and "uri" in entry:
            yield from _mismatch((*_WAY, key), entry, manifest)
        elif "uri" in entry and "follow" not in entry:
            hint = "add `digest: sha256:…`, as `sha256sum` prints it"
            yield DATA_WITHOUT_DIGEST.at((*_WAY, key), "the training key cannot tell when this data changes", hint)
    yield from _following(training, [(*_WAY, key) for key, entry in entries if "follow" in entry])


def _clash(way: Way, name: str, variables: dict[str, str]) -> Iterator[Fault]:
    """`variables` maps those of the entries above to their names, and gets this one."""
    variable = data_variable(name)
    if variable not in variables:
        variables[variable] = name
        return
    first = variables[variable]
    what = f"{shown(name)} is there already" if first == name else f"{shown(name)} and {shown(first)} are one variable"
    named_by_key = isinstance(way[-1], str)
    place = way if named_by_key else (*way, "name")
    hint = "give each input a name of its own"
    yield DATA_NAMES_CLASH.at(place, f"{what}: {variable}", hint, on_key=named_by_key)


def _mismatch(way: Way, entry: Data, manifest: Manifest) -> Iterator[Fault]:
    found = _digest(entry["uri"], manifest)
    if found is not None and found != entry["digest"]:
        message = f"{shown(entry['uri'])} is in the repository, and its digest is another one"
        yield DIGEST_MISMATCH.at((*way, "digest"), message, f"write {found}, if this is the data that is meant")


def _digest(uri: str, manifest: Manifest) -> str | None:
    """The digest of an input that is a file of the repository, None for others.

    The program finds a relative path from `source`, where it runs; people also write it from the manifest's folder.
    """
    if _ADDRESS.match(uri):
        return None
    source = section(manifest.spec, "training").get("source", "")
    for folder in (joined(manifest.folder, source), manifest.folder):
        if not stray_from(folder, uri) and (found := manifest.around.digest(joined(folder, uri))):
            return found
    return None


def _following(training: Data, followed: list[Way]) -> Iterator[Fault]:
    if followed and "retrain" not in training:
        hint = "add `retrain: {schedule: {cron: …}}` to `training`, or give the digest"
        yield FOLLOW_WITHOUT_RETRAIN.at((*followed[0], "follow"), "no retraining is ever due that looks for it", hint)
    if not followed and training.get("retrain"):
        hint = "add `follow: latest` to the inputs that grow"
        yield RETRAIN_WITHOUT_FOLLOW.at(
            ("spec", "training", "retrain"), "no input has `follow: latest`", hint, on_key=True
        )
