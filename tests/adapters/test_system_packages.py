"""Prometheus from the system's package tool: real apt-get and dpkg-deb, on a package source of our own.

brew is a stand-in script, for there is none on Linux; what it prints and where it puts things is Homebrew's.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tidegate.adapters.system_packages import default_cache, find_pip, find_prometheus, find_promtool
from tidegate.errors import OutsideSystem

needs_apt = pytest.mark.skipif(
    not (shutil.which("apt-get") and shutil.which("dpkg-deb")), reason="apt-get and dpkg-deb are not here"
)
APT_NEEDS = ("apt-get", "dpkg", "dpkg-deb", "tar", "rm")
ABOUT = """\
Package: prometheus
Version: 0.1
Architecture: all
Maintainer: Nobody <nobody@localhost>
Description: stands for Prometheus
"""
STARTS = "#!/bin/sh\necho 'prometheus, version 0.1'\n"


def write_program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PATH is this one empty folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def apt_path(bare_path: Path) -> Path:
    """PATH holds what apt-get needs, and no Prometheus."""
    for name in APT_NEEDS:
        (bare_path / name).symlink_to(shutil.which(name, path=os.defpath + ":/usr/sbin:/sbin") or name)
    return bare_path


def offer_package(source: Path, program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package source with a `prometheus` in it, and apt-get told to know no other."""
    tree, package = source / "tree", source / "prometheus_0.1_all.deb"
    for name in ("prometheus", "promtool"):
        write_program(tree / "usr" / "bin" / name, program)
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN" / "control").write_text(ABOUT)
    subprocess.run(["dpkg-deb", "--build", "-Znone", str(tree), str(package)], check=True, capture_output=True)
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    size = package.stat().st_size
    (source / "Packages").write_text(f"{ABOUT}Filename: ./{package.name}\nSize: {size}\nSHA256: {digest}\n")
    know_only(source, f"deb [trusted=yes] file:{source} ./\n", monkeypatch)


def know_only(folder: Path, sources: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "sources.list").write_text(sources)
    (folder / "apt.conf").write_text(f'Dir::Etc::sourcelist "{folder}/sources.list";\nDir::Etc::sourceparts "-";\n')
    monkeypatch.setenv("APT_CONFIG", str(folder / "apt.conf"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


def test_what_is_on_path_is_used_as_it_is(bare_path: Path, tmp_path: Path) -> None:
    here = write_program(bare_path / "prometheus", STARTS)

    assert find_prometheus(tmp_path / "cache") == here
    assert not (tmp_path / "cache").exists()


@needs_apt
@pytest.mark.usefixtures("apt_path")
def test_apt_fetches_once_and_the_second_time_needs_no_apt(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "a cache"
    offer_package(source, STARTS, monkeypatch)
    told: list[str] = []

    fetched = find_prometheus(cache, told.append)

    assert fetched.read_text() == STARTS
    assert told[0].startswith("Fetching Prometheus")
    promtool = fetched.with_name("promtool")
    assert set(fetched.parent.iterdir()) == {fetched, promtool}, "nothing else is left in the cache"
    monkeypatch.setenv("PATH", "/nowhere")
    assert find_prometheus(cache) == fetched
    assert find_promtool(cache) == promtool


@needs_apt
@pytest.mark.usefixtures("apt_path")
def test_promtool_is_fetched_where_only_prometheus_was_kept(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer_package(source, STARTS, monkeypatch)
    find_promtool(tmp_path).unlink()

    assert find_promtool(tmp_path).read_text() == STARTS


@needs_apt
@pytest.mark.usefixtures("apt_path")
def test_two_processes_that_fetch_at_once_both_get_it(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer_package(source, STARTS, monkeypatch)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    command = [sys.executable, "-m", "tidegate.adapters.system_packages"]

    def fetch(_: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(fetch, range(2))

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert first.stdout == second.stdout
    assert Path(first.stdout.strip()).read_text() == STARTS


@needs_apt
@pytest.mark.usefixtures("apt_path")
def test_a_source_without_prometheus_says_so_and_what_to_do(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_only(source, "", monkeypatch)

    with pytest.raises(OutsideSystem, match=r"Unable to locate package prometheus.*put `prometheus` on PATH"):
        find_prometheus(tmp_path / "cache")


@needs_apt
@pytest.mark.usefixtures("apt_path")
def test_a_program_that_does_not_start_is_not_kept(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer_package(source, "#!/bin/sh\necho 'no such libc'\nexit 1\n", monkeypatch)

    with pytest.raises(OutsideSystem, match="no such libc"):
        find_prometheus(tmp_path / "cache")

    assert not list(tmp_path.glob("cache/*/*"))


@needs_apt
@pytest.mark.usefixtures("apt_path")
def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")

    with pytest.raises(OutsideSystem, match=f"cannot keep prometheus in {tmp_path}/cache"):
        find_prometheus(tmp_path / "cache")


def test_brew_installs_it_when_it_is_not_there_yet(bare_path: Path, tmp_path: Path) -> None:
    program = tmp_path / "opt" / "prometheus" / "bin" / "prometheus"
    write_program(
        bare_path / "brew",
        f"""#!/bin/sh
case "$*" in
    "--prefix prometheus") echo {program.parent.parent} ;;
    "install prometheus") /bin/mkdir -p {program.parent} && /bin/cp -p "$0" {program} ;;
    *) exit 1 ;;
esac
""",
    )

    assert find_prometheus(tmp_path / "cache") == program
    assert find_prometheus(tmp_path / "cache", pytest.fail) == program, "the second time nothing is done"


@pytest.mark.usefixtures("bare_path")
def test_without_a_package_tool_one_line_says_how_to_get_it(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}

    said = subprocess.run(
        [sys.executable, "-m", "tidegate.adapters.system_packages"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )

    assert said.returncode == OutsideSystem.exit_code == 3
    assert said.stdout == ""
    assert said.stderr.count("\n") == 1
    assert "apt-get install prometheus, brew install prometheus" in said.stderr


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        pytest.param("/var/tmp/c", "/var/tmp/c/tidegate", id="an-absolute-setting-is-used"),
        pytest.param("relative", "/home/ann/.cache/tidegate", id="a-relative-one-is-ignored-as-specified"),
        pytest.param("", "/home/ann/.cache/tidegate", id="an-empty-one-is-not-set"),
    ],
)
def test_the_cache_follows_the_base_directory_specification(
    monkeypatch: pytest.MonkeyPatch, setting: str, expected: str
) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("XDG_CACHE_HOME", setting)

    assert default_cache() == Path(expected)


def test_a_pip_for_pythons_without_one_comes_from_the_system_and_runs(tmp_path: Path) -> None:
    if shutil.which("apt-get") is None:
        with pytest.raises(OutsideSystem, match="put uv on PATH"):
            find_pip(tmp_path)
        return
    wheel = find_pip(tmp_path)
    said = subprocess.run([sys.executable, str(wheel / "pip"), "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("pip ")
