"""The actions of others that ours use: which, at which commit, with which inputs, and what stands in for them here.

They cannot run without GitHub's cache service. Inputs and outputs are those of their action.yml at that commit.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from support.workflow_runner.composite import StandIn


@dataclass(frozen=True)
class Known:
    """An action of others. `required` inputs must be given; `optional` ones may be."""

    commit: str
    version: str
    required: frozenset[str]
    optional: frozenset[str]
    outputs: frozenset[str]


_COMMIT, _VERSION = "27d5ce7f107fe9357f9df03efb73ab90386fccae", "v5.0.5"
KNOWN = {
    "actions/cache/restore": Known(
        commit=_COMMIT,
        version=_VERSION,
        required=frozenset({"path", "key"}),
        optional=frozenset({"restore-keys", "enableCrossOsArchive", "fail-on-cache-miss", "lookup-only"}),
        outputs=frozenset({"cache-hit", "cache-primary-key", "cache-matched-key"}),
    ),
    "actions/cache/save": Known(
        commit=_COMMIT,
        version=_VERSION,
        required=frozenset({"path", "key"}),
        optional=frozenset({"upload-chunk-size", "enableCrossOsArchive"}),
        outputs=frozenset(),
    ),
}


@dataclass(frozen=True)
class Cache:
    """Stands in for GitHub's cache: a folder a key. Like it, it never writes over a key."""

    folder: Path

    @property
    def stand_ins(self) -> Mapping[str, StandIn]:
        return {"actions/cache/restore": self._restore, "actions/cache/save": self._save}

    @property
    def keys(self) -> set[str]:
        return {entry.name for entry in self.folder.iterdir()}

    def _restore(self, inputs: Mapping[str, str]) -> dict[str, str]:
        kept, path = self.folder / inputs["key"], Path(inputs["path"])
        if not kept.exists():
            return {"cache-primary-key": inputs["key"]}
        shutil.copytree(kept, path, symlinks=True, dirs_exist_ok=True)
        return {"cache-hit": "true", "cache-primary-key": inputs["key"], "cache-matched-key": inputs["key"]}

    def _save(self, inputs: Mapping[str, str]) -> dict[str, str]:
        if not (self.folder / inputs["key"]).exists():
            shutil.copytree(inputs["path"], self.folder / inputs["key"], symlinks=True)
        return {}
