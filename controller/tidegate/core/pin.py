"""The pin file: which versions an environment should serve, and the chain of transitions that led there.

A transition's key is a digest over model, environment and the whole pin file after it (without the key itself);
that file holds the digest of the file before. So one file proves whether it is what a transition wrote.
Digests are taken over the parsed content: a comment or another layout is no change.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from tidegate.core.instants import instant
from tidegate.core.misread import at
from tidegate.core.quantity import VersionPin, share, show_share
from tidegate.core.yaml.document import Document

API_VERSION = "tidegate.dev/v1alpha1"
NOTHING_BEFORE = "sha256:" + hashlib.sha256(b"").hexdigest()
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """The version that is being rolled out and its weight (0 to 1; 0 is paused and kept warm)."""

    pin: VersionPin
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A version that must never come back by itself, with its training key. `proposal` is the one it entered by."""

    version: int
    key: str
    reason: str
    proposal: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A hold that a person asked for. `scope` is `promotions` or `all`; `until` is an ISO 8601 instant."""

    scope: str = "promotions"
    reason: str
    until: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A listed person lets this version enter though the error budget is spent. Files written before `digest` was told
    have none."""

    version: int
    digest: str | None = None
    reason: str
    by: str | None = None

    def lets(self, entering: VersionPin) -> bool:
        return self.version == entering.version and self.digest in (None, entering.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """The transition that wrote the file."""

    kind: str
    before: str
    attempt: int
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """The content of one pin file."""

    stable: VersionPin | None = None
    previous: VersionPin | None = None
    canary: Canary | None = None
    rejected: tuple[Rejected, ...] = ()
    policy: str | None = None
    holdback: float | None = None
    retried: int | None = None
    hold: Hold | None = None
    override: Override | None = None
    transition: Stamp | None = None

    def serves(self) -> tuple[VersionPin, ...]:
        """Every version that should be loaded, stable first."""
        pins = (self.stable, self.canary.pin if self.canary else None, self.previous if self.holdback else None)
        return tuple(pin for pin in pins if pin is not None)

    def rejects(self, version: int) -> bool:
        return any(entry.version == version for entry in self.rejected)


def content(pin: Pin) -> dict[str, Any]:
    """The file's content as plain data, in the order in which it is written; absent parts are left out."""
    data: dict[str, Any] = {"apiVersion": API_VERSION, "kind": "Pin"}
    for name in ("stable", "previous"):
        if (value := getattr(pin, name)) is not None:
            data[name] = str(value)
    if pin.canary is not None:
        data["canary"] = {"pin": str(pin.canary.pin), "weight": show_share(pin.canary.weight)}
    if pin.rejected:
        data["rejected"] = [_plain(entry) for entry in pin.rejected]
    if pin.policy is not None:
        data["policy"] = pin.policy
    if pin.holdback is not None:
        data["holdback"] = show_share(pin.holdback)
    if pin.retried is not None:
        data["retried"] = pin.retried
    records = (("hold", pin.hold), ("budgetOverride", pin.override), ("transition", pin.transition))
    return data | {name: _plain(record) for name, record in records if record is not None}


def _plain(value: Rejected | Hold | Override | Stamp) -> dict[str, Any]:
    return {name: item for name in value.__slots__ if (item := getattr(value, name)) is not None}


def parse(document: Document) -> Pin:
    """Read a pin file whose shape was checked against the schema; values that the schema cannot judge are findings."""
    data = document.data
    canary, hold, stamp = data.get("canary"), data.get("hold"), data.get("transition")
    override = data.get("budgetOverride")
    return Pin(
        stable=VersionPin.parse(data["stable"]) if data.get("stable") else None,
        previous=VersionPin.parse(data["previous"]) if data.get("previous") else None,
        canary=Canary(pin=VersionPin.parse(canary["pin"]), weight=share(canary["weight"])) if canary else None,
        rejected=tuple(Rejected(**entry) for entry in data.get("rejected") or ()),
        policy=data.get("policy"),
        holdback=share(data["holdback"]) if data.get("holdback") is not None else None,
        retried=data.get("retried"),
        hold=read_hold(hold, ("hold",)) if hold else None,
        override=Override(**override) if override else None,
        transition=Stamp(**stamp) if stamp else None,
    )


def read_hold(data: Mapping[str, Any], path: tuple[str, ...]) -> Hold:
    """A hold, here and in the files that people write. Raises Misread where its end is no instant."""
    if "until" in data:
        at((*path, "until"), instant, data["until"])
    return Hold(**data)


def digest(pin: Pin | None) -> str:
    """The digest by which the next transition names this file; a file that does not exist yet has the empty digest."""
    return NOTHING_BEFORE if pin is None else f"sha256:{_hash(content(pin))}"


@lru_cache(maxsize=4096)
def key_of(model: str, environment: str, pin: Pin) -> str:
    """The transition key that this file must carry. Raises ValueError for a file without a transition.

    Remembered: every pass asks it of the same histories.
    """
    if pin.transition is None:
        raise ValueError("a pin without a transition has no key")
    return _key(model, environment, content(pin))


def _key(model: str, environment: str, data: Mapping[str, Any]) -> str:
    stamp = {name: value for name, value in data["transition"].items() if name != "key"}
    return f"k{_hash([model, environment, {**data, 'transition': stamp}])[:16]}"


def stamped(model: str, environment: str, after: Pin, stamp: Stamp) -> Pin:
    """`after` with its transition and the right key."""
    pin = replace(after, transition=stamp)
    return replace(pin, transition=replace(stamp, key=key_of(model, environment, pin)))


def is_ours(model: str, environment: str, pin: Pin) -> bool:
    """Whether the file is byte for meaning what the transition it names wrote; else a person edited it."""
    return pin.transition is not None and pin.transition.key == key_of(model, environment, pin)


def is_as_we_write(model: str, environment: str, data: Mapping[str, Any]) -> bool:
    """As `is_ours` of a file's plain data, with a transition, and faster; False also where the file is ours and says
    the same in other words (`0.1` for `10%`)."""
    return bool(data["transition"]["key"] == _key(model, environment, data))


def _hash(data: object) -> str:
    return hashlib.sha256(_canonical(data).encode()).hexdigest()
