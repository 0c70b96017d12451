"""Files given as text, inspected as `validate` does it."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate import bundled
from tidegate.core.checks import examples
from tidegate.core.checks.examples import Folder, encoded, headed, split
from tidegate.core.finding import Finding
from tidegate.core.workspace import Workspace

__all__ = ["SCHEMAS", "Folder", "headed", "inspected", "rules", "split"]

SCHEMAS = bundled.schemas()


def inspected(files: Mapping[str, str | bytes], workspace: Workspace | None = None) -> list[Finding]:
    """Every finding of these files, `tidegate.yaml` and clashes between models included."""
    raw = {path: encoded(text) if isinstance(text, str) else text for path, text in files.items()}
    return examples.inspected(raw, SCHEMAS, workspace)


def rules(text: str, workspace: Workspace | None = None) -> set[str]:
    """The ids of all rules that the text breaks."""
    return {finding.rule for finding in inspected(split(text), workspace)}
