"""Where a headless Chromium comes from: PATH, or a package that carries the program, unpacked into the cache.

No root and nothing installed: `npm ci` checks the package against its hash in package-lock.json.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tidegate.adapters.system_packages import default_cache

HERE = Path(__file__).parent
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome-headless-shell")
_VERSION = "153.0.0"


def find_chromium() -> Path:
    """The program. Any number of processes may ask at once; the first one fetches."""
    if found := next(filter(None, map(shutil.which, _NAMES)), None):
        return Path(found)
    kept = default_cache() / f"chromium-{_VERSION}"
    with _alone(kept):
        if not (kept / "chromium").is_file():
            _fetch(kept)
    return kept / "chromium"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(kept: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, kept)
    programs = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["npm", "ci", "--silent", "--ignore-scripts"], cwd=kept, env=environment, check=True)
    package = kept / "node_modules" / "@sparticuz" / "chromium" / "bin"
    subprocess.run([programs / "node", HERE / "unpack.mjs", package, kept], check=True)
    with tarfile.open(kept / "libraries.tar") as libraries:
        libraries.extractall(kept, filter="data")
    shutil.rmtree(kept / "node_modules")
    (kept / "libraries.tar").unlink()
    (kept / "chromium.part").rename(kept / "chromium")  # last: whoever sees it may start it


def libraries(program: Path) -> dict[str, str]:
    """The environment for a program of the package: its own libraries stand beside it."""
    beside = program.parent / "lib"
    return {"LD_LIBRARY_PATH": str(beside)} if beside.is_dir() and program.parent.name.startswith("chromium-") else {}
