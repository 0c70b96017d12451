"""Rules about files and folders that our files name: inside the repository, and there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Manifest, section
from tidegate.core.fault import Fault, Way
from tidegate.core.repository_path import is_here, joined, stray, stray_from
from tidegate.core.shown import shown

PATH_LEAVES_REPOSITORY = Rule(
    id="path-leaves-repository",
    title="A path that may leave the repository",
    why="What a model is made from is read from one commit, so that everybody gets the same from it. A path that is "
    "absolute, goes up by `..` or begins in a home folder means something else on another machine. Put the file "
    "into the repository; code that several models share is named under `include`, from the repository's root.",
    bad="spec: {training: {source: ../../shared/churn, command: [python, train.py], lease: 30m}}",
    good="spec: {training: {source: training, include: [shared/churn], command: [python, train.py], lease: 30m}}",
)

MISSING_FILE = Rule(
    id="missing-file",
    title="A file or folder that is not there",
    why="`source`, `environment`, `contract` and `requests` are looked for in the manifest's folder, `include` at the "
    "repository's root. Without them nothing can be trained. A file that git ignores is not in the repository.",
    bad="spec: {training: {source: trainnig, command: [python, train.py], lease: 30m}}\n"
    "# models/churn/training/train.py\nprint('trained')\n",
    good="spec: {training: {source: training, command: [python, train.py], lease: 30m}}\n"
    "# models/churn/training/train.py\nprint('trained')\n",
)

RULES = (PATH_LEAVES_REPOSITORY, MISSING_FILE)


class _Named(NamedTuple):
    """A path, where it stands in the manifest, and the folder that it is relative to. `below` that it must stay."""

    way: Way
    path: str
    folder: str
    below: bool = True


def named_files_are_there(manifest: Manifest) -> Iterator[Fault]:
    """Every path that a manifest names stays in the repository and leads somewhere."""
    for named in _named(manifest):
        why = stray(named.path) if named.below else stray_from(named.folder, named.path)
        if why:
            hint = (
                "write a path from the repository's root" if not named.folder else "name what lies beside the manifest"
            )
            yield PATH_LEAVES_REPOSITORY.at(named.way, f"{shown(named.path)} leaves the repository: it {why}", hint)
        elif not is_here(named.path) and not manifest.around.has(joined(named.folder, named.path)):
            yield MISSING_FILE.at(
                named.way,
                f"there is no {joined(named.folder, named.path)} in the repository",
                _elsewhere(manifest, named),
            )


def _named(manifest: Manifest) -> Iterator[_Named]:
    training, folder = section(manifest.spec, "training"), manifest.folder
    way: Way = ("spec", "training")
    if "source" in training:
        yield _Named((*way, "source"), training["source"], folder)
    if "environment" in training and not is_image(training["environment"]):
        yield _Named((*way, "environment"), training["environment"], folder)
    for index, path in enumerate(training.get("include", ())):
        yield _Named((*way, "include", index), path, "")
    for key, entry in data_entries(training):
        if "contract" in entry:
            yield _Named((*way, "data", key, "contract"), entry["contract"], folder, below=False)
    for name, environment in manifest.environments.items():
        requests = section(environment, "smoke").get("requests") if environment else None
        if requests is not None:
            place = ("spec", "environments", name, "smoke", "requests")
            yield _Named(place, requests, folder, below=False)


def data_entries(training: Mapping[str, Any]) -> Iterator[tuple[str | int, Mapping[str, Any]]]:
    """Each input with its key in the mapping, or its index in the list."""
    data = training.get("data", {})
    yield from data.items() if isinstance(data, Mapping) else enumerate(data)


def is_image(environment: str) -> bool:
    """Whether an `environment` is meant as an image: no lock file has a tag or a digest behind its name."""
    return "@" in environment or ":" in environment.rpartition("/")[2]


def _elsewhere(manifest: Manifest, named: _Named) -> str:
    """Where it is, if it was written from the wrong folder or in capitals."""
    at_root = joined("", named.path)
    if named.folder and manifest.around.has(at_root):
        below = at_root.removeprefix(f"{named.folder}/")
        if below != at_root:
            return f"the path is relative to {named.folder}: write {below}"
        return f"{at_root} is there, but the path is relative to {named.folder}; name shared code under `include`"
    beside = joined(manifest.folder, named.path)
    if not named.folder and manifest.around.has(beside):
        return f"`include` is relative to the repository's root: write {beside}"
    small = joined(named.folder, named.path.lower())
    if manifest.around.has(small):
        return f"small and capital letters differ: write {named.path.lower()}"
    return "add it, or correct the path"
