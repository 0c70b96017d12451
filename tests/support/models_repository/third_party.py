"""What cannot run without github.com and a package index, and what stands in for each:

- actions/checkout: the same commit from the fake's folder, as shallow as asked, with origin's real address;
- actions/setup-python: a `python` whose new environments see the packages that are installed here; pip is one of them,
  really runs, and has nothing left to fetch;
- actions/create-github-app-token: a token of the fake's App with just the permissions that were asked for;
- actions/cache/restore and save: a cache that holds an installation already, made of this project's own environment.

Each checks the inputs that it is given.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from support.github.server import FakeGitHub
from support.repositories import git
from support.workflow_runner.composite import StandIn
from support.workflow_runner.workflow import Here, Stand

ROOT = Path(__file__).resolve().parents[3]
_PACKAGES = sysconfig.get_path("purelib")


@dataclass(frozen=True)
class ThirdParty:
    """The stand-ins for one repository on one fake GitHub."""

    github: FakeGitHub
    repository: str

    @property
    def stands(self) -> Mapping[str, Stand]:
        return {
            "actions/checkout": self._checkout,
            "actions/setup-python": _setup_python,
            "actions/create-github-app-token": self._app_token,
        }

    def _checkout(self, here: Here, inputs: Mapping[str, str]) -> dict[str, str]:
        assert inputs.keys() <= {"ref", "fetch-depth", "persist-credentials"}
        assert inputs["persist-credentials"] == "false", "a token would stay in the checkout"
        there = self.github.repository(self.repository)
        ref = inputs.get("ref", here.github["sha"])
        git(here.workspace, "init", "--quiet")
        git(here.workspace, "remote", "add", "origin", there.clone_url)
        depth, branches = ("--no-tags", "+refs/heads/*:refs/remotes/origin/*"), inputs.get("fetch-depth") == "0"
        asked = [*depth, ref] if branches else ["--depth=1", ref]
        git(here.workspace, "fetch", "--quiet", f"file://{there.path}", *asked)
        git(here.workspace, "checkout", "--quiet", "--detach", git(there.path, "rev-parse", ref))
        return {}

    def _app_token(self, _: Here, inputs: Mapping[str, str]) -> dict[str, str]:
        app = self.github.app("tidegate")
        permissions = {name: level for name, level in inputs.items() if name.startswith("permission-")}
        assert inputs.keys() - permissions.keys() == {"client-id", "private-key"}
        assert (inputs["client-id"], inputs["private-key"].strip()) == (str(app.id), app.private_key.strip())
        wanted = {name.removeprefix("permission-").replace("-", "_"): level for name, level in permissions.items()}
        assert wanted.keys() <= app.permissions.keys(), "GitHub makes no token with more than the App has"
        return {"token": self.github.installation_token(app, wanted).token}


def _setup_python(_: Here, inputs: Mapping[str, str]) -> dict[str, str]:
    assert inputs.keys() == {"python-version"}
    return {}


def python_of(folder: Path) -> Path:
    """A `python` in a folder of its own, for PATH, and the `python3` that it starts."""
    base = Path(sys.base_prefix) / "bin" / "python3"
    (folder / "python3").symlink_to(base)
    program = folder / "python"
    program.write_text(
        f"""#!/bin/sh
set -e
if [ "$1 $2" != "-m venv" ]; then exec "{base}" "$@"; fi
"{base}" -m venv --without-pip "$3"
packages=$("$3/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "{_PACKAGES}" >"$packages/installed-here.pth"
"""
    )
    program.chmod(0o755)
    return program


def cache() -> Mapping[str, StandIn]:
    """An installation of ours is in the cache, whatever its key."""
    return {"actions/cache/restore": _restored, "actions/cache/save": lambda _: {}}


def _restored(inputs: Mapping[str, str]) -> dict[str, str]:
    assert inputs.keys() == {"path", "key"}
    venv = Path(inputs["path"])
    base = Path(sys.base_prefix) / "bin" / "python3"
    subprocess.run([base, "-m", "venv", "--without-pip", venv], check=True)
    found = subprocess.run(
        [venv / "bin/python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    Path(found.stdout.strip(), "tidegate.pth").write_text(f"{_PACKAGES}\n{ROOT / 'controller'}\n")
    (venv / ".complete").touch()
    return {"cache-hit": "true", "cache-primary-key": inputs["key"], "cache-matched-key": inputs["key"]}
