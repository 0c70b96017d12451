"""From text to Model, Pin and Workspace: syntax, then shape against the schema, then values. All findings, no
traceback.

`schemas` maps a kind to its JSON Schema; the caller reads them from where they are bundled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tidegate.core import model_reading, pin, workspace_reading
from tidegate.core.finding import Finding, Severity
from tidegate.core.manifest import Model
from tidegate.core.misread import Misread
from tidegate.core.pin import Pin
from tidegate.core.shape import check
from tidegate.core.workspace import Workspace
from tidegate.core.yaml.document import Document
from tidegate.core.yaml.document import read as read_document
from tidegate.errors import InvalidManifest

Schemas = Mapping[str, Mapping[str, Any]]
T = TypeVar("T")


def read_workspace(text: str, path: str, schemas: Schemas) -> Workspace:
    """The workspace's settings. Raises InvalidManifest with every finding."""
    return _read(text, path, schemas["Workspace"], workspace_reading.parse)


def read_model(text: str, path: str, schemas: Schemas, workspace: Workspace) -> Model:
    """A manifest with the workspace's defaults filled in. Raises InvalidManifest with every finding."""
    folder = path.rpartition("/")[0]
    return _read(text, path, schemas["Model"], lambda document: model_reading.parse(document, folder, workspace))


def read_pin(text: str, path: str, schemas: Schemas) -> Pin:
    """A pin file. Raises InvalidManifest with every finding."""
    return _read(text, path, schemas["Pin"], pin.parse)


def _read(text: str, path: str, schema: Mapping[str, Any], parse: Callable[[Document], T]) -> T:
    document = read_document(text, path)
    findings = check(document, schema)
    if findings:
        raise InvalidManifest(findings)
    try:
        return parse(document)
    except Misread as error:
        raise InvalidManifest([_finding(document, error.path, str(error), path)]) from None
    except ValueError as error:
        raise InvalidManifest([_finding(document, (), str(error), path)]) from None


def _finding(document: Document, where: tuple[str | int, ...], message: str, path: str) -> Finding:
    position = document.position(where)
    return Finding(
        rule="value",
        severity=Severity.ERROR,
        path=path,
        line=position.line,
        column=position.column,
        message=message,
    )
