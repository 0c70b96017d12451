"""Rules about a data lock: what it resolves is what the manifest beside it follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.core.checks.paths import data_entries
from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Data, Lone, Manifest, section
from tidegate.core.fault import Fault
from tidegate.core.finding import Severity
from tidegate.core.nearest import nearest
from tidegate.core.shown import shown

_MANIFEST = (
    "# models/churn/model.yaml\nspec: {training: {source: training, command: [python, train.py], lease: 30m,\n  "
)
_LOCK = "# models/churn/data.lock.yaml\n"
_ENTRY = (
    "{uri: 's3://bucket/customers/2026-03',\n"
    "  digest: 'sha256:06f1c4d20e264066b27fc95cd38daaaa737e4cc4289213aa00d9ee4a3d6d0485'}"
)

LOCK_OF_UNKNOWN_DATA = Rule(
    id="lock-of-unknown-data",
    severity=Severity.WARNING,
    title="A lock for data that the manifest does not name",
    why="`data.lock.yaml` holds what a retraining found for each input of the manifest. What the manifest does not "
    "name is used by nothing; after a renaming, the input has no lock under its new name.",
    bad=f"{_MANIFEST}data: {{customers: {{uri: 's3://bucket/customers', follow: latest}}}}}}}}\n"
    f"{_LOCK}data: {{clients: {_ENTRY}}}",
    good=f"{_MANIFEST}data: {{customers: {{uri: 's3://bucket/customers', follow: latest}}}}}}}}\n"
    f"{_LOCK}data: {{customers: {_ENTRY}}}",
)

LOCK_OF_FIXED_DATA = Rule(
    id="lock-of-fixed-data",
    severity=Severity.WARNING,
    title="A lock for data that is not followed",
    why="Only an input with `follow: latest` is resolved by a retraining. For any other the manifest's own `uri` and "
    "`digest` hold, and what the lock says of it is used by nothing.",
    bad=f"{_MANIFEST}data: {{customers: {{uri: 's3://bucket/customers'}}}}}}}}\n{_LOCK}data: {{customers: {_ENTRY}}}",
    good=f"{_MANIFEST}data: {{customers: {{uri: 's3://bucket/customers', follow: latest}}}}}}}}\n"
    f"{_LOCK}data: {{customers: {_ENTRY}}}",
)

RULES = (LOCK_OF_UNKNOWN_DATA, LOCK_OF_FIXED_DATA)


def lock_fits_the_manifest(lock: Lone) -> Iterator[Fault]:
    """Every entry is an input of the manifest that a retraining resolves."""
    inputs = _inputs(lock.manifest) if lock.manifest else None
    if inputs is None:
        return
    for name in section(lock.data, "data"):
        if name not in inputs:
            meant = nearest(name, inputs)
            hint = f"did you mean {meant}?" if meant else "remove it, or name the input in model.yaml"
            message = f"model.yaml names no data {shown(name)}"
            yield LOCK_OF_UNKNOWN_DATA.at(("data", name), message, hint, on_key=True)
        elif "follow" not in inputs[name]:
            hint = "remove it, or write `follow: latest` in model.yaml"
            message = f"model.yaml does not follow {shown(name)}"
            yield LOCK_OF_FIXED_DATA.at(("data", name), message, hint, on_key=True)


def _inputs(manifest: Manifest) -> Mapping[str, Data] | None:
    """The manifest's inputs by name; None where one has not the schema's shape, so that its name is not sure."""
    entries = {entry.get("name", key): entry for key, entry in data_entries(section(manifest.spec, "training"))}
    written = section(manifest.document.data, "spec", "training").get("data", {})
    if not isinstance(written, list | dict) or len(entries) < len(written):
        return None
    return entries if all(isinstance(name, str) for name in entries) else None
