"""Rules about how a model is trained: its lease, its command, its image, its parameters, what its key covers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import lru_cache

from tidegate.core.checks.paths import is_image
from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Data, Manifest, section
from tidegate.core.fault import Fault, Way
from tidegate.core.finding import Severity
from tidegate.core.quantity import duration, show_duration
from tidegate.core.repository_path import covers, is_here, joined, stray
from tidegate.core.shown import shown

LEASE_TOO_SHORT = Rule(
    id="lease-too-short",
    title="A lease in which nothing can be trained",
    why="The run is ended when its lease is over, whatever it does then. Within less than a second not even the "
    "interpreter has started: every run would fail.",
    bad="spec: {training: {source: training, command: [python, train.py], lease: 0s}}",
    good="spec: {training: {source: training, command: [python, train.py], lease: 30m}}",
)

LEASE_TOO_LONG = Rule(
    id="lease-too-long",
    severity=Severity.WARNING,
    title="A lease of more than 30 days",
    why="The lease is what ends a run that hangs when nobody looks. Until then the run is paid for, and the model "
    "waits for it. Write a little more than the longest good run took.",
    bad="spec: {training: {source: training, command: [python, train.py], lease: 52w}}",
    good="spec: {training: {source: training, command: [python, train.py], lease: 12h}}",
)

LEASE_OVER_LIMIT = Rule(
    id="lease-over-limit",
    title="A lease beyond the workspace's limit",
    why="`limits.maximumLease` in `tidegate.yaml` says how long a training run of this workspace may live. Shorten "
    "the lease, or let those who answer for the limit raise it.",
    bad="# tidegate.yaml\nlimits: {maximumLease: 12h}\n"
    "# models/churn/model.yaml\nspec: {training: {source: training, command: [python, train.py], lease: 2d}}",
    good="# tidegate.yaml\nlimits: {maximumLease: 12h}\n"
    "# models/churn/model.yaml\nspec: {training: {source: training, command: [python, train.py], lease: 8h}}",
)

TOO_MANY_ATTEMPTS = Rule(
    id="too-many-attempts",
    severity=Severity.WARNING,
    title="More than ten attempts at one training",
    why="Another attempt is made only when the infrastructure failed. What fails ten times in a row fails for a "
    "reason that one more run does not mend, and each costs up to a whole lease.",
    bad="spec: {training: {source: training, command: [python, train.py], lease: {deadline: 2h, attempts: 100}}}",
    good="spec: {training: {source: training, command: [python, train.py], lease: {deadline: 2h, attempts: 3}}}",
)

PIN_FILES_IN_TRAINING = Rule(
    id="pin-files-in-training",
    title="Pin files among what a training depends on",
    why="The training key covers every file of `source` and `include`. Each promotion changes a pin file and a "
    "rendered file: if those are covered, each promotion changes the key and trains the model again.",
    bad="spec: {training: {source: training, include: [models/churn], command: [python, train.py], lease: 30m}}",
    good="spec: {training: {source: training, include: [shared/features], command: [python, train.py], lease: 30m}}",
)

IMAGE_WITHOUT_DIGEST = Rule(
    id="image-without-digest",
    title="An image without its digest",
    why="The environment is part of the training key. What stands behind a tag changes while its name stays: the key "
    "would not tell, and a run could not be repeated. `docker buildx imagetools inspect NAME` prints the digest.",
    bad="spec: {training: {source: training, command: [train], environment: 'ghcr.io/acme/train:1.4', lease: 30m}}",
    good="spec: {training: {source: training, command: [train], lease: 30m, environment: "
    "'ghcr.io/acme/train@sha256:06f1c4d20e264066b27fc95cd38daaaa737e4cc4289213aa00d9ee4a3d6d0485'}}",
)

PARAMETER_NOT_JSON = Rule(
    id="parameter-not-json",
    title="A parameter that JSON cannot say",
    why="The training program gets its parameters as JSON, which has no infinite numbers and no NaN. Write what the "
    'program should read instead: a text such as "inf", or null.',
    bad="spec: {training: {source: training, command: [python, train.py], lease: 30m, parameters: {clip: .inf}}}",
    good="spec: {training: {source: training, command: [python, train.py], lease: 30m, parameters: {clip: null}}}",
)

RULES = (
    LEASE_TOO_SHORT,
    LEASE_TOO_LONG,
    LEASE_OVER_LIMIT,
    TOO_MANY_ATTEMPTS,
    PIN_FILES_IN_TRAINING,
    IMAGE_WITHOUT_DIGEST,
    PARAMETER_NOT_JSON,
)

SHORTEST_LEASE = timedelta(seconds=1)
_LONGEST_LEASE = timedelta(days=30)
_MOST_ATTEMPTS = 10
_MANY = 100
"""More folders for models than anybody has; what lies in the others is not looked for."""
_RENDERED = "rendered"
"""The folder of the files that a deployer reads; promotions write there."""
_IMAGE = re.compile(r"[^@\s]+@(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})")


def training_can_run(manifest: Manifest) -> Iterator[Fault]:
    """Everything about `training` that shows before it is run."""
    training = section(manifest.spec, "training")
    if not training:
        return
    if "lease" in training:
        yield from _lease(training["lease"], manifest.workspace.limits.maximum_lease)
    yield from _sources(training, manifest)
    if "environment" in training:
        yield from _environment(training["environment"])
    if not _fits_json(training.get("parameters")):
        yield from _not_json(training["parameters"], ("spec", "training", "parameters"))


def _lease(lease: str | Data, limit: timedelta | None) -> Iterator[Fault]:
    way: Way = ("spec", "training", "lease")
    if isinstance(lease, Mapping):
        if (attempts := lease.get("attempts", 1)) > _MOST_ATTEMPTS:
            message = f"{shown(attempts)} attempts at one training are more than {_MOST_ATTEMPTS}"
            yield TOO_MANY_ATTEMPTS.at((*way, "attempts"), message, "write `attempts: 3`")
        lease, way = lease.get("deadline", ""), (*way, "deadline")
    if (lasts := lasting(lease)) is None:
        return
    words = show_duration(lasts)
    if lasts < SHORTEST_LEASE:
        yield LEASE_TOO_SHORT.at(
            way, f"nothing can be trained within {words}", "write what a run may take, such as 30m"
        )
    elif limit is not None and lasts > limit:
        message = f"{words} is longer than the workspace allows: {show_duration(limit)} (limits.maximumLease)"
        yield LEASE_OVER_LIMIT.at(way, message, f"write {show_duration(limit)} or less")
    elif lasts > _LONGEST_LEASE:
        message = f"a run that hangs would hold this model for {words}"
        yield LEASE_TOO_LONG.at(way, message, "write a little more than the longest good run took")


@lru_cache(maxsize=1024)
def lasting(text: str) -> timedelta | None:
    """The duration; None for a text that is none, which is the reader's finding."""
    try:
        return duration(text)
    except ValueError:
        return None


def _sources(training: Data, manifest: Manifest) -> Iterator[Fault]:
    way: Way = ("spec", "training")
    if "source" in training and is_here(training["source"]):
        message = "`source` is the manifest's own folder, where the pin files are: each promotion would train"
        yield PIN_FILES_IN_TRAINING.at((*way, "source"), message, "move the program into a folder, such as `training`")
    for index, path in enumerate(training.get("include", ())):
        if not stray(path) and (held := _held(joined("", path), manifest)):
            message = f"{shown(path)} holds {held}: each promotion there would train this model"
            hint = "name folders that hold shared code alone"
            yield PIN_FILES_IN_TRAINING.at((*way, "include", index), message, hint)


def _held(path: str, manifest: Manifest) -> str | None:
    """Which files that promotions change lie in a folder of the repository."""
    if covers(path, manifest.folder):
        return "this model's own pin files"
    models = manifest.workspace.models[:_MANY]
    if any(covers(path, joined("", folder)) for folder in models):
        return "the pin files of all models"
    if any(covers(joined("", folder), path) for folder in models) and manifest.around.has(f"{path}/model.yaml"):
        return "the pin files of another model"
    return "rendered files" if covers(path, _RENDERED) or covers(_RENDERED, path) else None


def _environment(environment: str) -> Iterator[Fault]:
    if not is_image(environment) or _IMAGE.fullmatch(environment):
        return
    name, at, _ = environment.partition("@")
    wrong = "and what stands behind its @ is no digest" if at else "and its digest is missing"
    hint = f"write {shown(name)[1:-1]}@sha256:<64 hex digits>, or name a lock file"
    yield IMAGE_WITHOUT_DIGEST.at(
        ("spec", "training", "environment"), f"{shown(environment)} is an image, {wrong}", hint
    )


def _fits_json(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(_fits_json, value.values()))
    return not isinstance(value, list) or all(map(_fits_json, value))


def _not_json(value: object, way: Way) -> Iterator[Fault]:
    """A key that is no text is no key of any file of ours: that is told elsewhere."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _not_json(inner, (*way, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _not_json(inner, (*way, index))
    elif isinstance(value, float) and not math.isfinite(value):
        hint = 'write a text ("inf"), null, or the largest number that is meant'
        yield PARAMETER_NOT_JSON.at(way, f"JSON has no number for {value}", hint)
