"""The hook for models repositories, run by pre-commit itself, which clones and installs this repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.repositories import ISOLATED, git
from tidegate import bundled

ROOT = Path(__file__).resolve().parents[1]
CONFIGURATION = """\
repos:
  - repo: {repository}
    rev: {commit}
    hooks:
      - id: tidegate-validate
"""


@dataclass(frozen=True)
class Sample:
    """A models repository that uses the hook."""

    folder: Path
    home: Path

    def stage(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)
        git(self.folder, "add", "--all")

    def run(self, *options: str) -> tuple[int, str]:
        """What pre-commit does at a commit, and what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "pre_commit", "run", "--color", "never", *options],
            cwd=self.folder, env=self._environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def _environment(self) -> dict[str, str]:
        """pip installs this project alone, and finds what it is built with and needs where these tests find it."""
        return {
            **ISOLATED,
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PRE_COMMIT_HOME": str(self.home / "pre-commit"),
            "PIP_NO_INDEX": "1",
            "PIP_NO_DEPS": "1",
            "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it as the value of what the option turns off
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path.endswith("site-packages")),
        }


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The hook's configuration: a repository with the files of this one as they are now, at its only commit."""
    folder = tmp_path_factory.mktemp("published")
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "published")
    return CONFIGURATION.format(repository=folder, commit=git(folder, "rev-parse", "HEAD"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """pre-commit installs a hook once, for all repositories."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def sample(tmp_path: Path, published: str, home: Path) -> Sample:
    bundled.copy_tree("repo-template", tmp_path / "models")
    sample = Sample(tmp_path / "models", home)
    git(sample.folder, "init", "--quiet")
    sample.stage(".pre-commit-config.yaml", published)
    git(sample.folder, "commit", "--quiet", "--message", "a models repository")
    return sample


@pytest.mark.timeout(300)
def test_a_good_repository_passes_with_other_programs_yaml_in_it(sample: Sample) -> None:
    sample.stage("deploy/route.yaml", "apiVersion: v1\nkind: Service\n")
    sample.stage("models/example/values.yaml", "replicas: 2\n")
    code, said = sample.run()
    assert (code, "tidegate validate" in said, "Passed" in said) == (0, True, True), said


@pytest.mark.timeout(300)
def test_a_mistake_stops_the_commit_and_is_shown_on_its_line(sample: Sample) -> None:
    manifest = sample.folder / "models" / "example" / "model.yaml"
    sample.stage("models/example/model.yaml", manifest.read_text().replace("minimum: 0.90", "minimun: 0.90"))
    code, said = sample.run()
    assert code == 1, said
    assert "models/example/model.yaml" in said
    assert 'fix: did you mean "minimum"?' in said


@pytest.mark.timeout(300)
def test_a_pin_file_is_checked_with_the_manifest_that_did_not_change(sample: Sample) -> None:
    pin = f"apiVersion: tidegate.dev/v1alpha1\nkind: Pin\nstable: 1@sha256:{'0' * 64}\n"
    sample.stage("models/example/nowhere.yaml", pin)
    code, said = sample.run()
    assert code == 1, said
    assert "models/example/nowhere.yaml" in said


@pytest.mark.timeout(300)
def test_a_file_that_goes_is_missed_by_the_manifest_that_stays(sample: Sample) -> None:
    git(sample.folder, "rm", "--quiet", "models/example/requirements.lock")
    code, said = sample.run()
    assert code == 1, said
    assert "there is no models/example/requirements.lock in the repository" in said
