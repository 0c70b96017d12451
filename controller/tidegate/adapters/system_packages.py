"""Programs that are no Python packages, from the system's own package tool: so far Prometheus, for the demo
and the tests. No root and no service: what apt-get downloads is unpacked into a cache, never installed.

Not here: starting Prometheus (the demo), or asking it anything (adapters/prometheus.py).
`python -m tidegate.adapters.system_packages` fetches ahead, with progress, and prints the path.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tidegate.errors import OutsideSystem

Progress = Callable[[str], None]

# Hooks of the machine's own configuration clean its archives and refresh its indexes: none of our business.
_APT_CONFIGURATION = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
"""
_BY_HAND = "put `prometheus` on PATH (apt-get install prometheus, brew install prometheus, or a release of it)"


def _silent(_: str) -> None: ...


def find_prometheus(cache: Path, progress: Progress = _silent) -> Path:
    """The Prometheus program: on PATH, else fetched before into `cache`, else fetched now.

    Any number of processes may call this at once. Raises OutsideSystem if it cannot be had.
    """
    if on_path := shutil.which("prometheus"):
        return Path(on_path)
    kept = cache / f"prometheus-{platform.system()}-{platform.machine()}".lower() / "prometheus"
    if os.access(kept, os.X_OK):
        return kept
    if shutil.which("apt-get") and shutil.which("dpkg-deb"):
        return _from_apt(kept, progress)
    if shutil.which("brew"):
        return _from_brew(progress)
    raise OutsideSystem(f"Prometheus is not on PATH, and neither apt-get nor brew is there: {_BY_HAND}")


def default_cache() -> Path:
    """Where fetched programs are kept unless settings say otherwise (XDG base directory specification)."""
    # The specification: a relative path is invalid and must be ignored.
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "tidegate"


def _from_apt(kept: Path, progress: Progress) -> Path:
    """Downloads the package with lists and archives of our own, and moves its program to `kept`."""
    progress("Fetching Prometheus with apt-get (nothing is installed)")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent, prefix="fetch-") as folder:
            program = _download(Path(folder), progress)
            program.replace(kept)  # same file system, hence atomic: whoever comes second changes nothing
    except OSError as error:
        why = f"cannot keep Prometheus in {kept.parent}: {error.strerror}"
        raise OutsideSystem(f"{why}; {_BY_HAND}") from error
    return kept


def _download(folder: Path, progress: Progress) -> Path:
    apt = ["apt-get", *_apt_options(folder)]
    _run([*apt, "update"], folder, progress)
    _run([*apt, "download", "prometheus"], folder, progress)
    packages = [str(package) for package in folder.glob("prometheus_*.deb")]
    _run(["dpkg-deb", "--extract", *packages, str(folder / "unpacked")], folder, progress)
    program = folder / "unpacked" / "usr" / "bin" / "prometheus"
    _run([str(program), "--version"], folder, _silent)  # a program that does not start is not worth keeping
    return program


def _apt_options(folder: Path) -> list[str]:
    """Options that make apt-get work on `folder` only, as whoever we are, with the machine's own sources."""
    configuration = folder / "apt.conf"
    configuration.write_text(_APT_CONFIGURATION, encoding="utf-8")
    for needed in ("state/lists/partial", "cache/archives/partial"):
        (folder / needed).mkdir(parents=True)
    status = folder / "state" / "status"
    status.touch()
    directories = {
        "Dir::State": folder / "state",
        # Nothing is installed, as far as we ask: else an installed version that no source offers is wanted.
        "Dir::State::status": status,
        "Dir::Cache": folder / "cache",
        # As root, apt-get downloads as the user _apt, who may not write here.
        "APT::Sandbox::User": "root",
        "Debug::NoLocking": "true",
    }
    options = [f"--option={name}={value}" for name, value in directories.items()]
    return ["--quiet=1", f"--config-file={configuration}", *options]


def _from_brew(progress: Progress) -> Path:
    prefix = _run(["brew", "--prefix", "prometheus"], Path.home(), _silent)
    program = Path(prefix) / "bin" / "prometheus"
    if not os.access(program, os.X_OK):
        progress("Fetching Prometheus with brew (no service is started)")
        _run(["brew", "install", "prometheus"], Path.home(), progress)
    if not os.access(program, os.X_OK):
        raise OutsideSystem(f"brew installed no program at {program}: {_BY_HAND}")
    return program


def _run(command: Sequence[str], folder: Path, progress: Progress) -> str:
    """Runs a command, telling each line as it comes; returns the last line, or raises with it."""
    last = ""
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            last = line.strip() or last
            progress(f"  {last}")
    if process.returncode != 0:
        raise OutsideSystem(f"{Path(command[0]).name} could not get Prometheus ({last}): {_BY_HAND}")
    return last


def main() -> int:
    """Prints where Prometheus is, fetching it if need be."""
    try:
        print(find_prometheus(default_cache(), lambda line: print(line, file=sys.stderr)))
    except OutsideSystem as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
