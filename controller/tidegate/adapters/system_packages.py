"""Programs from the system's own package tool: Prometheus, for the demo and the tests, and a pip for the set-up.
No root and no service: what apt-get downloads is unpacked into a cache, never installed.

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
from dataclasses import dataclass
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
    if _has_apt():
        progress("Fetching Prometheus with apt-get (nothing is installed)")
        return _from_apt(_PROMETHEUS, kept, progress)
    if shutil.which("brew"):
        return _from_brew(progress)
    raise OutsideSystem(f"Prometheus is not on PATH, and neither apt-get nor brew is there: {_BY_HAND}")


def find_promtool(cache: Path, progress: Progress = _silent) -> Path:
    """promtool, which checks rule files: beside Prometheus, where each release and each package has it."""
    prometheus = find_prometheus(cache, progress)
    for program in (prometheus, prometheus.resolve()):
        if os.access(beside := program.with_name("promtool"), os.X_OK):
            return beside
    if cache in prometheus.parents:  # kept by a version of Tidegate that did not need promtool
        return _from_apt(_PROMETHEUS, prometheus, progress).with_name("promtool")
    raise OutsideSystem(f"promtool is not beside {prometheus}: take both from one release")


def default_cache() -> Path:
    """Where fetched programs are kept unless settings say otherwise (XDG base directory specification)."""
    # The specification: a relative path is invalid and must be ignored.
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "tidegate"


def find_pip(cache: Path, progress: Progress = _silent) -> Path:
    """A pip that runs from its wheel, for the set-up: Debian's Python makes virtual environments without one.

    The system's own wheel, else fetched before into `cache`, else fetched now. Raises OutsideSystem without apt-get.
    """
    for wheel in sorted(Path("/usr/share/python-wheels").glob("pip-*.whl")):
        return wheel
    kept = cache / "pip" / "pip.whl"
    if kept.is_file():
        return kept
    by_hand = "apt-get install python3-venv, or put uv on PATH"
    if not _has_apt():
        raise OutsideSystem(f"this Python has no pip, and apt-get is not there to fetch one: {by_hand}")
    progress("Fetching pip with apt-get (nothing is installed)")
    return _from_apt(_Wanted("python3-pip-whl", "usr/share/python-wheels/pip-*.whl", by_hand), kept, progress)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One file (a pattern) of one package, and what a person can do when it cannot be had."""

    package: str
    file: str
    by_hand: str
    beside: tuple[str, ...] = ()
    """Files of the same package that are kept in the same folder, under their own names."""


_PROMETHEUS = _Wanted("prometheus", "usr/bin/prometheus", _BY_HAND, beside=("usr/bin/promtool",))


def _has_apt() -> bool:
    return bool(shutil.which("apt-get") and shutil.which("dpkg-deb"))


def _from_apt(wanted: _Wanted, kept: Path, progress: Progress) -> Path:
    """Downloads the package with lists and archives of our own, and moves its file to `kept`."""
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent, prefix="fetch-") as folder:
            file = _download(wanted, Path(folder), progress)
            for other in wanted.beside:
                place = Path(folder) / "unpacked" / other
                place.replace(kept.with_name(place.name))
            file.replace(kept)  # same file system, hence atomic: whoever comes second changes nothing
    except OSError as error:
        why = f"cannot keep {wanted.package} in {kept.parent}: {error.strerror}"
        raise OutsideSystem(f"{why}; {wanted.by_hand}") from error
    return kept


def _download(wanted: _Wanted, folder: Path, progress: Progress) -> Path:
    apt = ["apt-get", *_apt_options(folder)]
    _run([*apt, "update"], folder, progress, wanted)
    _run([*apt, "download", wanted.package], folder, progress, wanted)
    packages = [str(package) for package in folder.glob(f"{wanted.package}_*.deb")]
    _run(["dpkg-deb", "--extract", *packages, str(folder / "unpacked")], folder, progress, wanted)
    file = next((folder / "unpacked").glob(wanted.file), folder / wanted.file)
    if os.access(file, os.X_OK):
        _run([str(file), "--version"], folder, _silent, wanted)  # one that does not start is not worth keeping
    return file


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
    wanted = _Wanted("prometheus", "bin/prometheus", _BY_HAND)
    prefix = _run(["brew", "--prefix", "prometheus"], Path.home(), _silent, wanted)
    program = Path(prefix) / "bin" / "prometheus"
    if not os.access(program, os.X_OK):
        progress("Fetching Prometheus with brew (no service is started)")
        _run(["brew", "install", "prometheus"], Path.home(), progress, wanted)
    if not os.access(program, os.X_OK):
        raise OutsideSystem(f"brew installed no program at {program}: {_BY_HAND}")
    return program


def _run(command: Sequence[str], folder: Path, progress: Progress, wanted: _Wanted) -> str:
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
        raise OutsideSystem(f"{Path(command[0]).name} could not get {wanted.package} ({last}): {wanted.by_hand}")
    return last


def main() -> int:
    """Prints where Prometheus (or, for the set-up, `pip`) is, fetching it if need be."""
    find = find_pip if sys.argv[1:] == ["pip"] else find_prometheus
    try:
        print(find(default_cache(), lambda line: print(line, file=sys.stderr)))
    except OutsideSystem as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
