"""All findings of one model's folder, or of `tidegate.yaml`: syntax, form, then every rule, in one pass.

Pure: bytes in, findings out. Which files there are, and what was found before, is `validate`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from tidegate.core import model_reading, pin, workspace_reading
from tidegate.core.checks import catalogue, foreign
from tidegate.core.checks.fleet import Member
from tidegate.core.checks.objectives import INCOMPLETE_OBJECTIVE
from tidegate.core.checks.subjects import Data, Lone, Manifest, PinFile, Settings, Surroundings, section
from tidegate.core.fault import Fault, placed
from tidegate.core.finding import Finding, Severity
from tidegate.core.manifest import Model
from tidegate.core.misread import Misread
from tidegate.core.pruning import pruned, whole
from tidegate.core.shape import faults as misshapen
from tidegate.core.workspace import Workspace
from tidegate.core.yaml.document import Document, decode
from tidegate.core.yaml.document import read as read_document
from tidegate.errors import InvalidManifest

Schemas = Mapping[str, Mapping[str, Any]]
Subject = TypeVar("Subject")
MODEL, SETTINGS = "model.yaml", "tidegate.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What was found in one folder, and what the rest of the workspace must know of its manifest."""

    findings: tuple[Finding, ...]
    member: Member | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspector:
    """What all inspections of one run share. `named` files were asked for one by one, and must be ours."""

    schemas: Schemas
    workspace: Workspace
    named: frozenset[str] = field(default=frozenset())

    def folder(self, files: Mapping[str, bytes], around: Surroundings) -> Inspected:
        """The YAML files of one folder, by path. What is nobody's business of ours is passed over."""
        manifest_path = next((path for path in files if path.rpartition("/")[2] == MODEL), None)
        orphan = not any(foreign.is_nearly_manifest(path) for path in files)
        findings: list[Finding] = []
        manifest = None
        if manifest_path is not None:
            manifest = self._manifest(manifest_path, files[manifest_path], around, findings)
        for path, raw in files.items():
            if path != manifest_path:
                self._beside(path, raw, manifest, findings, orphan=orphan)
        return Inspected(findings=tuple(findings), member=_member(manifest_path, manifest))

    def _manifest(self, path: str, raw: bytes, around: Surroundings, findings: list[Finding]) -> Manifest | None:
        document = self._opened(path, raw, findings)
        if document is None:
            return None
        folder = path.rpartition("/")[0]

        def subject(data: Data) -> Manifest:
            return Manifest(document=document, data=data, folder=folder, workspace=self.workspace, around=around)

        def parse(whole: Document) -> Model:
            return model_reading.parse(whole, folder, self.workspace)

        manifest, found = self._examined(document, subject, catalogue.MANIFEST, parse)
        findings += found
        return manifest

    def _beside(
        self, path: str, raw: bytes, manifest: Manifest | None, findings: list[Finding], *, orphan: bool
    ) -> None:
        """A pin file, a data lock or a contract."""
        if not self._is_meant(path, raw, manifest):
            return
        document = self._opened(path, raw, findings)
        if document is None:
            return
        stem = path.rpartition("/")[2].rpartition(".")[0]
        match document.data["kind"]:
            case "DataContract" as kind if manifest and stem in manifest.order:
                findings.append(placed(document, foreign.in_place_of_a_pin(kind, path)))
            case "Pin":
                findings += self._examined(
                    document,
                    lambda data: PinFile(
                        document=document, data=data, environment=stem, manifest=manifest, orphan=orphan
                    ),
                    catalogue.PIN,
                    pin.parse,
                )[1]
            case kind:
                checks = catalogue.LOCK if kind == "DataLock" else catalogue.CONTRACT
                findings += self._examined(
                    document, lambda data: Lone(document=document, data=data, manifest=manifest), checks, None
                )[1]

    def _is_meant(self, path: str, raw: bytes, manifest: Manifest | None) -> bool:
        """Whether the file is, or should be, ours: other programs may keep YAML beside a manifest."""
        stem = path.rpartition("/")[2].rpartition(".")[0]
        environments = manifest.order if manifest else ()
        return path in self.named or stem in environments or foreign.is_claimed(raw)

    def _opened(self, path: str, raw: bytes, findings: list[Finding]) -> Document | None:
        return _opened(path, raw, self.schemas, findings)

    def _examined(
        self,
        document: Document,
        subject: Callable[[Data], Subject],
        checks: Sequence[Callable[[Subject], Iterable[Fault]]],
        parse: Callable[[Document], object] | None,
    ) -> tuple[Subject, list[Finding]]:
        return _examined(document, self.schemas[document.data["kind"]], subject, checks, parse)


def inspect_settings(raw: bytes, schemas: Schemas, around: Surroundings) -> tuple[tuple[Finding, ...], Workspace]:
    """The findings of `tidegate.yaml`, and the workspace as far as it can be understood: models are held against it."""
    findings: list[Finding] = []
    document = _opened(SETTINGS, raw, schemas, findings)
    if document is None:
        return tuple(findings), Workspace()

    def subject(data: Data) -> Settings:
        return Settings(document=document, data=data, around=around)

    _, found = _examined(document, schemas["Workspace"], subject, catalogue.SETTINGS, workspace_reading.parse)
    return (*findings, *found), _understood(document, schemas["Workspace"])


def _understood(document: Document, schema: Mapping[str, Any]) -> Workspace:
    """The workspace without the parts that lack something or mean nothing."""
    while document.data and (misfits := misshapen(document, schema)):
        document = replace(document, data=whole(document.data, misfits))
    while True:
        try:
            return workspace_reading.parse(document)
        except Misread as error:
            if not error.path or error.path[0] not in document.data:
                return Workspace()
            document = replace(document, data={k: v for k, v in document.data.items() if k != error.path[0]})


def found_in(path: str, raw: object, fault: Fault) -> Finding:
    """A fault of a file as it lies there; at its beginning where the file cannot be read."""
    try:
        return placed(read_document(decode(raw if isinstance(raw, bytes) else b"", path), path), fault)
    except InvalidManifest:
        return Finding(
            rule=fault.rule,
            severity=fault.severity,
            path=path,
            line=1,
            column=1,
            message=fault.message,
            hint=fault.hint,
        )


def _opened(path: str, raw: bytes, schemas: Schemas, findings: list[Finding]) -> Document | None:
    """The document when it can be read, is of a kind that we know, and stands where that kind is looked for."""
    try:
        document = read_document(decode(raw, path), path)
    except InvalidManifest as error:
        findings += foreign.clear(error.findings, raw, path)
        return None
    fault = foreign.stranger(document, schemas) or foreign.misplaced(document.data["kind"], path)
    if fault is not None:
        findings.append(placed(document, fault))
        return None
    return document


def _examined(
    document: Document,
    schema: Mapping[str, Any],
    subject: Callable[[Data], Subject],
    checks: Sequence[Callable[[Subject], Iterable[Fault]]],
    parse: Callable[[Document], object] | None,
) -> tuple[Subject, list[Finding]]:
    """The subject of the checks, and every finding in the order of the text.

    What passes all checks is read as the controller reads it: nothing valid here is invalid there.
    """
    try:
        misfits = misshapen(document, schema)
        seen = subject(pruned(document.data, misfits))
        told = [fault for check in checks for fault in check(seen)]
        faults = [*_untold(misfits, told), *told]
        if parse and not any(fault.severity is Severity.ERROR for fault in faults):
            faults += _misread(document, parse)
        found = [placed(document, fault) for fault in dict.fromkeys(faults)]
    except InvalidManifest as error:  # the reader of record, asked where things stand, has the last word
        return subject({}), list(error.findings)
    return seen, sorted(found, key=lambda finding: (finding.line, finding.column))


def _untold(misfits: Sequence[Fault], told: Sequence[Fault]) -> list[Fault]:
    """Without the lists of what an objective might be, where a rule tells what it lacks to be what it is."""
    lacking = {fault.path for fault in told if fault.rule == INCOMPLETE_OBJECTIVE.id}
    return [fault for fault in misfits if fault.rule != "missing-key" or fault.path not in lacking]


def _misread(document: Document, parse: Callable[[Document], object]) -> list[Fault]:
    try:
        parse(document)
    except Misread as error:
        return [Fault("value", error.path, str(error))]
    except ValueError as error:
        return [Fault("value", (), str(error))]
    return []


def _member(path: str | None, manifest: Manifest | None) -> Member | None:
    """Without a name where there is a manifest that cannot be read; None where there is no manifest."""
    if path is None:
        return None
    data = manifest.data if manifest else {}
    name, spec = section(data, "metadata").get("name"), section(data, "spec")
    return Member(
        path=path,
        folder=path.rpartition("/")[0],
        name=name,
        registry_name=section(spec, "registry").get("name", name),
        depends_on=tuple(spec.get("dependsOn", ())) if name else (),
    )
