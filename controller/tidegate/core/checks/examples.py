"""The texts of rules as the files that they stand for, inspected as `validate` does it: tests try them, and pages of
docs/ show them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tidegate.core.checks import fleet
from tidegate.core.fault import placed
from tidegate.core.finding import Finding
from tidegate.core.inspection import Inspector, Schemas, inspect_settings
from tidegate.core.workspace import Workspace
from tidegate.core.yaml.document import decode, read

MANIFEST, WORKSPACE = "models/churn/model.yaml", "tidegate.yaml"
_KINDS = {"model.yaml": "Model", "tidegate.yaml": "Workspace", "data.lock.yaml": "DataLock"}
_PATH = re.compile(r"^# ([\w.-]+(?:/[\w.-]+)*\.\w+)\n", re.MULTILINE)
_YAML = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Folder:
    """A repository's files as a mapping, for rules that ask what is around."""

    files: Mapping[str, bytes]

    def has(self, path: str) -> bool:
        return any(file == path or file.startswith(f"{path}/") for file in self.files)

    def digest(self, path: str) -> str | None:
        raw = self.files.get(path)
        return None if raw is None else f"sha256:{hashlib.sha256(raw).hexdigest()}"


def split(text: str) -> dict[str, str]:
    """The files of a text in which comment lines of their own name paths; what stands before the first is the manifest.

    YAML that does not say what it is gets the two lines that say so: rules show the part that matters.
    """
    first, *rest = _PATH.split(text)
    files = dict(zip(rest[::2], rest[1::2], strict=True))
    if first or not files:
        files = {MANIFEST: first, **files}
    return {path: headed(path, text) for path, text in files.items()}


def headed(path: str, text: str) -> str:
    """The text of the file with `apiVersion` and `kind`, where it has none and should."""
    if "apiVersion" in text or not path.endswith(_YAML):
        return text
    kind = "DataContract" if path.endswith("contract.yaml") else _KINDS.get(path.rpartition("/")[2], "Pin")
    return f"apiVersion: tidegate.dev/v1alpha1\nkind: {kind}\n{text}"


def encoded(text: str) -> bytes:
    """Half a pair of UTF-16 (U+DC80 to U+DCFF) stands for a byte that is not UTF-8."""
    return text.encode(errors="surrogateescape")


def inspected(files: Mapping[str, bytes], schemas: Schemas, workspace: Workspace | None = None) -> list[Finding]:
    """Every finding of these files, those of `tidegate.yaml` and clashes between models included.

    Models are held against `workspace`, by default against what `tidegate.yaml` says.
    """
    findings: list[Finding] = []
    if WORKSPACE in files:
        told, own = inspect_settings(files[WORKSPACE], schemas, Folder(files))
        findings, workspace = list(told), workspace or own
    inspector = Inspector(schemas=schemas, workspace=workspace or Workspace(), named=frozenset(files))
    folders: dict[str, dict[str, bytes]] = {}
    for path, raw in files.items():
        if path != WORKSPACE and path.endswith(_YAML):
            folders.setdefault(path.rpartition("/")[0], {})[path] = raw
    seen = [inspector.folder(inside, Folder(files)) for inside in folders.values()]
    members = [one.member for one in seen if one.member is not None]
    clashes = (placed(read(decode(files[path], path), path), fault) for path, fault in fleet.check(members))
    return [*findings, *(finding for one in seen for finding in one.findings), *clashes]
