"""How long `tidegate validate` takes over thousands of models, beside check-jsonschema on the same files and schemas.

check-jsonschema checks shapes alone, one process, and is timed once (it takes minutes); ours is the median of several
runs. `c_part` is a folder with ruamel.yaml.clib, without which ruamel reads YAML in Python.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import workspace

ROOT = Path(__file__).resolve().parents[1]
SCHEMAS = ROOT / "schemas"
BATCH = 2_000
"""Files for one command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds of wall time. `cold`: nothing remembered; `warm`: remembered, one manifest changed since."""

    cold: float
    warm: float
    theirs: float
    theirs_with_c: float
    one: float
    one_theirs: float

    def ratios(self) -> Mapping[str, float]:
        return {
            "default": self.theirs / self.cold,
            "c": self.theirs_with_c / self.cold,
            "warm": self.cold / self.warm,
            "one": self.one / self.one_theirs,
        }


def measure(models: int, runs: int, c_part: Path) -> Times:
    with TemporaryDirectory() as name:
        home, root = Path(name), Path(name) / "workspace"
        workspace.make(root, models)
        shell = Shell(root=root, environment=_environment(home))
        shell.tidegate("--help")  # compiled once
        with_c = Shell(root=root, environment={**shell.environment, "PYTHONPATH": f"{shell.controller}:{c_part}"})
        cold = [shell.cold() for _ in range(runs)]
        warm = [shell.warm(turn) for turn in range(runs)]
        pairs = [
            (shell.tidegate("models/model-00000/model.yaml"), shell.check(_manifests(root)[:1])) for _ in range(15)
        ]
        return Times(
            cold=median(cold),
            warm=median(warm),
            theirs=shell.check_all(),
            theirs_with_c=with_c.check_all(),
            one=median(ours for ours, _ in pairs),
            one_theirs=median(theirs for _, theirs in pairs),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """Runs commands in the workspace, and says how many seconds they took."""

    root: Path
    environment: Mapping[str, str]
    controller: str = str(ROOT / "controller")

    def cold(self) -> float:
        for remembered in Path(self.environment["XDG_CACHE_HOME"]).rglob("validate/*"):
            remembered.unlink()
        return self.tidegate()

    def warm(self, turn: int) -> float:
        manifest = self.root / "models" / "model-00000" / "model.yaml"
        text = manifest.read_text(encoding="utf-8")
        manifest.write_text(text.replace("seed: ", f"seed: {turn + 1}"), encoding="utf-8")
        return self.tidegate()

    def tidegate(self, *arguments: str) -> float:
        return self._seconds([sys.executable, "-m", "tidegate", "validate", *arguments])

    def check(self, files: Sequence[str], schema: str = "model") -> float:
        program = Path(sys.executable).with_name("check-jsonschema")
        return self._seconds([str(program), "--schemafile", str(SCHEMAS / f"{schema}.schema.json"), *files])

    def check_all(self) -> float:
        """All manifests and pin files, as many on one command line as it takes."""
        pins = [str(path) for name in ("staging", "production") for path in self.root.glob(f"models/*/{name}.yaml")]
        batches = [("model", part) for part in _parts(_manifests(self.root))] + [("pin", part) for part in _parts(pins)]
        return sum(self.check(files, schema) for schema, files in batches)

    def _seconds(self, command: Sequence[str]) -> float:
        start = time.perf_counter()
        subprocess.run(command, cwd=self.root, env=self.environment, stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - start


def _manifests(root: Path) -> list[str]:
    return sorted(str(path) for path in root.glob("models/*/model.yaml"))


def _parts(files: Sequence[str]) -> Iterator[Sequence[str]]:
    return (files[start : start + BATCH] for start in range(0, len(files), BATCH))


def _environment(home: Path) -> dict[str, str]:
    paths = {"PYTHONPATH": str(ROOT / "controller"), "PYTHONPYCACHEPREFIX": str(home / "compiled"), "HOME": str(home)}
    return {"PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(home / "cache"), **paths}
