"""Rules about `tidegate.yaml`: limits and folders that cannot work as they are written. People are `approvals`'."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from tidegate.core.checks.paths import PATH_LEAVES_REPOSITORY
from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Settings, section
from tidegate.core.checks.training import LEASE_TOO_SHORT, SHORTEST_LEASE, lasting
from tidegate.core.fault import Fault, Way
from tidegate.core.finding import Severity
from tidegate.core.quantity import share, show_duration, show_share
from tidegate.core.repository_path import joined, stray
from tidegate.core.shown import shown
from tidegate.core.workspace import Limits

LIMITS_LEAVE_NOTHING = Rule(
    id="limits-leave-nothing",
    title="Limits that leave no promotion",
    why="`revertShare` of the proposals is kept for reverts. Where that is all of them, nothing is ever promoted. To "
    "stop promotions for a while, write a `hold` with its reason.",
    bad="# tidegate.yaml\nlimits: {revertShare: 100%}",
    good="# tidegate.yaml\nlimits: {revertShare: 20%}",
)

NOTIFIES_AT_ONCE = Rule(
    id="notifies-at-once",
    severity=Severity.NOTE,
    title="Every hold is told at once",
    why="`notifyAfter` is how long a hold on a person or an outside system stays quiet. With 0 each approval that is "
    "waited for, and each short outage, is a notification.",
    bad="# tidegate.yaml\nnotifyAfter: 0s",
    good="# tidegate.yaml\nnotifyAfter: 30m",
)

MISSING_MODELS_FOLDER = Rule(
    id="missing-models-folder",
    severity=Severity.WARNING,
    title="A folder for models that is not there",
    why="A `model.yaml` is a model when it lies below one of the folders in `models`. In a folder that is not there "
    "is none. git keeps no empty folders: before its first model the folder is missing, and this may be left "
    "alone.",
    bad="# tidegate.yaml\nmodels: [modles]\n# models/churn/model.yaml\nspec: {environments: {production: {}}}",
    good="# tidegate.yaml\nmodels: [models]\n# models/churn/model.yaml\nspec: {environments: {production: {}}}",
)

MODELS_FOLDERS_OVERLAP = Rule(
    id="models-folders-overlap",
    severity=Severity.WARNING,
    title="A folder for models inside another one",
    why="Every `model.yaml` below a folder in `models` counts, at any depth. A folder inside another one adds "
    "nothing; two that differ in capitals alone are one folder on many machines.",
    bad="# tidegate.yaml\nmodels: [models, models/growth]\n# models/growth/churn/model.yaml\nspec: {}",
    good="# tidegate.yaml\nmodels: [models]\n# models/growth/churn/model.yaml\nspec: {}",
)

RULES = (
    LIMITS_LEAVE_NOTHING,
    NOTIFIES_AT_ONCE,
    MISSING_MODELS_FOLDER,
    MODELS_FOLDERS_OVERLAP,
)


def limits_leave_something(settings: Settings) -> Iterator[Fault]:
    limits = section(settings.data, "limits")
    if "revertShare" in limits and share(limits["revertShare"]) == 1:
        message = "all proposals are kept for reverts: nothing is ever promoted"
        hint = f"write `revertShare: {show_share(Limits().revert_share)}`, or a `hold` with its reason"
        yield LIMITS_LEAVE_NOTHING.at(("limits", "revertShare"), message, hint)
    longest = lasting(limits["maximumLease"]) if "maximumLease" in limits else None
    if longest is not None and longest < SHORTEST_LEASE:
        message = f"no lease is as short as {show_duration(longest)}: nothing could be trained"
        yield LEASE_TOO_SHORT.at(
            ("limits", "maximumLease"), message, "write the longest that a run may take, such as 12h"
        )
    quiet = settings.data.get("notifyAfter")
    if quiet is not None and lasting(quiet) == timedelta():
        yield NOTIFIES_AT_ONCE.at(("notifyAfter",), "every hold is told at once", "write `notifyAfter: 30m`")


def models_have_folders(settings: Settings) -> Iterator[Fault]:
    paths = settings.data.get("models", ())
    folders = {index: joined("", path) for index, path in enumerate(paths) if not stray(path)}
    first: dict[str, int] = {}
    for index, folder in folders.items():
        first.setdefault(folder.lower(), index)
    for index, path in enumerate(paths):
        way: Way = ("models", index)
        if index not in folders:
            message = f"{shown(path)} leaves the repository: it {stray(path)}"
            yield PATH_LEAVES_REPOSITORY.at(way, message, "write a path from the repository's root")
        elif (other := _holder(folders[index].lower(), index, first)) is not None:
            message = f"{shown(path)} lies in {shown(paths[other])}, which holds the same models"
            yield MODELS_FOLDERS_OVERLAP.at(way, message, "take it out of the list")
        elif folders[index] and not settings.around.has(folders[index]):
            message = f"there is no folder {shown(folders[index])[1:-1]} in the repository"
            yield MISSING_MODELS_FOLDER.at(way, message, "correct the path, or add the first model")


def _holder(folder: str, index: int, first: Mapping[str, int]) -> int | None:
    """Which folder of the list holds another one; of two that are the same, the first."""
    if first[folder] != index:
        return first[folder]
    while folder:
        folder = folder.rpartition("/")[0]
        if folder in first:
            return first[folder]
    return None
