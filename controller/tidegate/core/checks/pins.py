"""Rules about pin files: versions that contradict each other, edits by hand, files that belong to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tidegate.core import pin
from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Data, PinFile, section
from tidegate.core.fault import Fault, Way
from tidegate.core.finding import Severity
from tidegate.core.nearest import nearest
from tidegate.core.quantity import share

_MANIFEST = "# models/churn/model.yaml\nmetadata: {name: churn}\nspec: {environments: {production: {}}}\n"
_PIN = f"{_MANIFEST}# models/churn/production.yaml\n"
_10 = "10@sha256:0d0e0516788506beef5b03616ee1a6e84114eb4a9db91a56379131fc91c6bed4"
_11 = "11@sha256:06f1c4d20e264066b27fc95cd38daaaa737e4cc4289213aa00d9ee4a3d6d0485"
_12 = "12@sha256:854760e4915ea66318f5b7500049b062507582f43e96b4c08134239f066ae4b9"

PIN_WITHOUT_DIGEST = Rule(
    id="pin-without-digest",
    title="A version without the digest of its bytes",
    why="A registry's version can be written over; the digest says which bytes were judged. A pin is both: "
    "`11@sha256:` and 64 hex digits. `tidegate pin MODEL ENVIRONMENT VERSION` looks the digest up and makes the "
    "proposal.",
    bad=f"{_PIN}stable: 11",
    good=f"{_PIN}stable: {_11}",
)
ONE_VERSION_TWO_DIGESTS = Rule(
    id="one-version-two-digests",
    title="One version with two digests",
    why="A version has one digest. Where a file names two, one of them is wrong, and Tidegate takes the bytes of the "
    "other for damaged.",
    bad=f"{_PIN}stable: {_11}\nprevious: 11@{_10[3:]}",
    good=f"{_PIN}stable: {_11}\nprevious: {_10}",
)
CANARY_IS_STABLE = Rule(
    id="canary-is-stable",
    title="The canary is the stable version",
    why="A canary is compared with the stable version. Compared with itself it is never better or worse, and the "
    "rollout ends nowhere. Take the canary out.",
    bad=f"{_PIN}stable: {_11}\ncanary: {{pin: {_11}, weight: 10%}}",
    good=f"{_PIN}stable: {_11}\ncanary: {{pin: {_12}, weight: 10%}}",
)
CANARY_WITHOUT_STABLE = Rule(
    id="canary-without-stable",
    title="A canary without a stable version",
    why="A canary takes its share of the traffic, and the stable version the rest. Without one the rest goes nowhere. "
    "The first version of an environment is stable at once.",
    bad=f"{_PIN}canary: {{pin: {_12}, weight: 10%}}",
    good=f"{_PIN}stable: {_12}",
)
CANARY_TAKES_ALL = Rule(
    id="canary-takes-all",
    severity=Severity.WARNING,
    title="A canary at 100%",
    why="A canary is compared with the stable version while both serve. At 100% the stable one serves nothing, and the "
    "comparison waits for events that do not come. Give it less, or make it stable by `tidegate pin`.",
    bad=f"{_PIN}stable: {_11}\ncanary: {{pin: {_12}, weight: 100%}}",
    good=f"{_PIN}stable: {_11}\ncanary: {{pin: {_12}, weight: 50%}}",
)
PREVIOUS_IS_STABLE = Rule(
    id="previous-is-stable",
    severity=Severity.WARNING,
    title="The previous version is the stable one",
    why="A revert goes back to `previous`. Where that is what serves already, a revert changes nothing, and the "
    "version that breached goes on.",
    bad=f"{_PIN}stable: {_11}\nprevious: {_11}",
    good=f"{_PIN}stable: {_11}\nprevious: {_10}",
)
PINNED_AND_REJECTED = Rule(
    id="pinned-and-rejected",
    title="A version that is pinned and rejected",
    why="A rejected version never comes back by itself. As canary it is reverted at the next pass. As stable it stays, "
    "goes no further, and whoever reads the file wonders; as `previous` it is no way back: these two are warnings. "
    "`tidegate unreject` takes a version off the list.",
    bad=f"{_PIN}stable: {_11}\ncanary: {{pin: {_12}, weight: 10%}}\n"
    "rejected: [{version: 12, key: k0d3f5a1be27c9846, reason: latency}]",
    good=f"{_PIN}stable: {_11}\nrejected: [{{version: 12, key: k0d3f5a1be27c9846, reason: latency}}]",
)
REJECTED_TWICE = Rule(
    id="rejected-twice",
    severity=Severity.NOTE,
    title="A version that is rejected twice",
    why="Once is enough, and twice does no harm. `tidegate unreject` takes both entries off.",
    bad=f"{_PIN}stable: {_11}\nrejected:\n  - {{version: 9, key: k0d3f5a1be27c9846, reason: latency}}\n"
    "  - {version: 9, key: k0d3f5a1be27c9846, reason: errors}",
    good=f"{_PIN}stable: {_11}\nrejected:\n  - {{version: 9, key: k0d3f5a1be27c9846, reason: latency and errors}}",
)
HOLDBACK_WITHOUT_PREVIOUS = Rule(
    id="holdback-without-previous",
    severity=Severity.WARNING,
    title="A holdback without a previous version",
    why="`holdback` is the share of traffic that stays on `previous` while the stable version is on probation. Without "
    "a previous version it changes nothing.",
    bad=f"{_PIN}stable: {_11}\nholdback: 5%",
    good=f"{_PIN}stable: {_11}\nprevious: {_10}\nholdback: 5%",
)
EDITED_BY_HAND = Rule(
    id="edited-by-hand",
    severity=Severity.WARNING,
    title="A pin file that was edited by hand",
    why="The `key` under `transition` is a digest over model, environment and the whole file, and no longer fits. "
    "Tidegate obeys: other versions are served at once, and the environment is held until the training key changes or "
    "`tidegate resume`. The verbs `pin`, `rollback`, `hold` and `unreject` make the same change with its reason.",
    bad=f"{_PIN}stable: {_11}\n"
    'transition: {kind: promote, before: "sha256:00d7d8800091e8785cb2e6c18af6aba9abea33fd944d81e990a8c0d718c2b341", '
    "attempt: 1, key: k7456427e77f9d5d1}",
    good=f"{_PIN}stable: {_11}\n"
    'transition: {kind: promote, before: "sha256:00d7d8800091e8785cb2e6c18af6aba9abea33fd944d81e990a8c0d718c2b341", '
    "attempt: 1, key: k774b0931a95ec86d}",
)
PIN_WITHOUT_MODEL = Rule(
    id="pin-without-model",
    title="A pin file without its model",
    why="A pin file belongs to the manifest `model.yaml` in the same folder. Without one nothing reads it, and what it "
    "pins goes on being served by whoever followed it. When a model is deleted, its pin files go in the same commit.",
    bad=f"# models/churn/production.yaml\nstable: {_11}",
    good=f"{_PIN}stable: {_11}",
)
PIN_WITHOUT_ENVIRONMENT = Rule(
    id="pin-without-environment",
    title="A pin file for an environment that the model does not have",
    why="A pin file is named after one of the manifest's environments. When an environment is removed, its pin file "
    "goes in the same commit: nothing judges or reverts what it pins any more.",
    bad=f"{_MANIFEST}# models/churn/staging.yaml\nstable: {_11}",
    good=f"{_PIN}stable: {_11}",
)

RULES = (
    PIN_WITHOUT_DIGEST,
    ONE_VERSION_TWO_DIGESTS,
    CANARY_IS_STABLE,
    CANARY_WITHOUT_STABLE,
    CANARY_TAKES_ALL,
    PREVIOUS_IS_STABLE,
    PINNED_AND_REJECTED,
    REJECTED_TWICE,
    HOLDBACK_WITHOUT_PREVIOUS,
    EDITED_BY_HAND,
    PIN_WITHOUT_MODEL,
    PIN_WITHOUT_ENVIRONMENT,
)

_CANARY: Way = ("canary", "pin")


def pin_belongs_to_a_model(file: PinFile) -> Iterator[Fault]:
    """The manifest is there, and has the environment."""
    if file.orphan:
        message = f"there is no model.yaml in {file.document.path.rpartition('/')[0] or 'this folder'}"
        yield PIN_WITHOUT_MODEL.at((), message, "delete the pin files together with the manifest, or bring it back")
    if file.manifest is None:
        return
    environments = section(file.manifest.document.data, "spec", "environments")
    if environments and file.environment not in environments:
        close = nearest(file.environment, list(map(str, environments)))
        meant = f"; or name it {close}.yaml, if that is meant" if close else ""
        message = f"the manifest has no environment {file.environment}"
        hint = f"delete this file in the commit that removes the environment{meant}"
        yield PIN_WITHOUT_ENVIRONMENT.at((), message, hint)


def pin_is_as_written(file: PinFile) -> Iterator[Fault]:
    """A file that says what its transition wrote. One without a transition was never ours, and no edit of anything."""
    name = section(file.manifest.data, "metadata").get("name") if file.manifest else None
    whole = file.data is file.document.data and "key" in section(file.data, "transition")
    if name is None or not whole or _is_ours(name, file):
        return
    message = "this file is not what the transition wrote that it names"
    hint = "make the change by `tidegate pin`, `rollback`, `hold` or `unreject`; or go on with `tidegate resume`"
    yield EDITED_BY_HAND.at(("transition", "key"), message, hint)


def _is_ours(model: str, file: PinFile) -> bool:
    if pin.is_as_we_write(model, file.environment, file.data):
        return True
    try:
        return pin.is_ours(model, file.environment, pin.parse(file.document))
    except (ValueError, KeyError, TypeError):  # something is missing or means nothing: another finding says so
        return True


def versions_fit_each_other(file: PinFile) -> Iterator[Fault]:
    data = file.data
    canary, rejected = data.get("canary"), data.get("rejected")
    pins = {way: data[way[0]] for way in (("stable",), ("previous",)) if way[0] in data}
    if canary is not None:
        yield from _canary(file, canary)
        pins |= {_CANARY: canary["pin"]} if "pin" in canary else {}
    if len(pins) > 1:
        yield from _digests(pins)
    if "stable" in data and data["stable"] == data.get("previous"):
        message = "previous is the stable version: a revert would change nothing"
        yield PREVIOUS_IS_STABLE.at(("previous",), message, "name the version to go back to, or leave it out")
    if "holdback" in data and "previous" not in file.document.data:
        message = "there is no previous version that anything could be held back for"
        yield HOLDBACK_WITHOUT_PREVIOUS.at(("holdback",), message, "take it out")
    if rejected:
        yield from _rejected(rejected, pins)


def _canary(file: PinFile, canary: Data) -> Iterator[Fault]:
    if "stable" not in file.document.data:
        message = "no stable version takes the rest of the traffic"
        yield CANARY_WITHOUT_STABLE.at(("canary",), message, "write it as `stable` instead")
    elif "pin" in canary and canary["pin"] == file.data.get("stable"):
        yield CANARY_IS_STABLE.at(_CANARY, "the canary is the stable version", "take the canary out")
    if "weight" in canary and share(canary["weight"]) == 1:
        message = "at 100% nothing is left for the stable version to be compared with"
        yield CANARY_TAKES_ALL.at(("canary", "weight"), message, "write less, or make it stable by `tidegate pin`")


def _digests(pins: dict[Way, str]) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for way, text in pins.items():
        version, _, digest = text.partition("@")
        if seen.setdefault(version, digest) != digest:
            message = f"version {version} has another digest above"
            yield ONE_VERSION_TWO_DIGESTS.at(way, message, "look it up in the registry, and write one of the two")


def _rejected(rejected: list[Data], pins: dict[Way, str]) -> Iterator[Fault]:
    versions = {int(text.partition("@")[0]): way for way, text in reversed(pins.items())}
    seen: set[int] = set()
    for index, entry in enumerate(rejected):
        version: int = entry.get("version", 0)
        if version in seen:
            message = f"version {version} is rejected above already"
            yield REJECTED_TWICE.at(("rejected", index), message, "it does no harm; `tidegate unreject` removes both")
        elif version in versions:
            way = versions[version]
            fault = PINNED_AND_REJECTED.at(way, f"version {version} is {way[0]} and rejected", _way_out(version, way))
            yield fault if way == _CANARY else replace(fault, severity=Severity.WARNING)
        seen.add(version)


def _way_out(version: int, way: Way) -> str:
    lift = f"`tidegate unreject` version {version}"
    match way[0]:
        case "canary":
            return f"take the canary out, or {lift}"
        case "previous":
            return f"{lift}, if it may be gone back to"
        case _:
            return f"{lift}, if it may go on to other environments"
