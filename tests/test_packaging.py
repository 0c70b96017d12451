"""What is shipped: the wheel built from the sdist holds exactly the committed files, and runs by itself."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest

import tidegate

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = {
    "controller/tidegate": "tidegate",
    "examples": "tidegate/_bundled/examples",
    "repo-template": "tidegate/_bundled/repo-template",
    "schemas": "tidegate/_bundled/schemas",
}
# Written with a gap, so that this file does not find itself.
REGISTRY_MARKS = [mark.replace(" ", "") for mark in ("pypi .org", "python hosted", "--index -url", "--find -links")]


def run(*command: str, folder: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def committed(*folders: str) -> set[str]:
    """The files git knows or would take with `git add`, so that the tests say the same before a commit."""
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *folders)
    return {name for name in listed.split("\0") if name and (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sdist, with the build tools of the lock file."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder))
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_exactly_the_committed_files(wheel: Path) -> None:
    expected = {name.replace(folder, place, 1) for folder, place in SHIPPED.items() for name in committed(folder)}

    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert held == expected


def test_the_wheel_carries_its_licence_and_the_lean_dependencies(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(metadata).decode().splitlines()
        assert any(name.endswith("/licenses/LICENSE") for name in archive.namelist())

    needed = [line for line in lines if line.startswith("Requires-Dist:") and "extra ==" not in line]
    names = {re.split(r"[<>=! ]", line.split()[1])[0].lower() for line in needed}

    assert f"Version: {tidegate.__version__}" in lines
    assert "mlflow-skinny" in names
    assert names.isdisjoint({"mlflow", "scikit-learn", "pytest"})


def test_the_installed_wheel_runs_from_anywhere(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path, with_pip=False, symlinks=True)
    python = str(tmp_path / "bin" / "python")
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", str(wheel))
    # Our dependencies but not our editable install: a folder named in a .pth file has its own .pth unread.
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    assert tidegate.__version__ in run(str(tmp_path / "bin" / "tidegate"), "--version", folder=Path("/"))
    where = run(python, "-c", "import tidegate; print(tidegate.__file__)", folder=Path("/"))
    assert Path(where.strip()).is_relative_to(tmp_path)


def test_no_committed_file_holds_a_registry_address() -> None:
    texts = {name: (ROOT / name).read_bytes() for name in committed()}

    found = [(name, mark) for name, text in texts.items() for mark in REGISTRY_MARKS if mark.encode() in text]

    assert found == []


def test_every_locked_package_carries_hashes_and_no_option() -> None:
    for lock in sorted((ROOT / "requirements").glob("*.lock")):
        lines = lock.read_text(encoding="utf-8").splitlines()
        pins = [(line, after) for line, after in pairwise(lines) if line and line[0] not in " #"]

        assert pins, f"{lock.name} locks nothing"
        bare = [line for line, after in pins if "==" not in line or "--hash=sha256:" not in after]
        assert bare == [], f"{lock.name}: no pin, or no hash"
