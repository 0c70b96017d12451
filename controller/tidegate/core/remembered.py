"""What one run of `validate` leaves for the next: the files it saw, and what it found in each folder.

Kept as text behind a checksum that takes in the key: whatever is not exactly what this program would have written for
these settings counts as nothing remembered. Reading it is part of every run over unchanged files, so what ten thousand
clean folders have to say stays text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple, Protocol, TypeAlias

from tidegate.core.finding import Finding, Severity
from tidegate.core.listing import Listing, above

SETTINGS = "tidegate.yaml"
"""Stands among the folders for the workspace's own file."""
Plain: TypeAlias = dict[str, Any]
Answer: TypeAlias = bool | str | None
_HEAD = 64


class Seen(NamedTuple):
    """One folder as it was found, in plain data.

    `member` is what the other models need to know of its manifest; `asked` are the questions that checks had about
    paths outside of it, with the answers; `files` counts what was read.
    """

    findings: list[Plain]
    member: Plain | None
    asked: dict[str, Answer]
    files: int


class Places(Protocol):
    """What can be asked about paths again."""

    def has(self, path: str) -> bool: ...
    def digest(self, path: str) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """`key` stands for everything that findings depend on beside the files: the program, its rules, the settings.

    `findings` and `asked` have only folders with some. `members` is one line of JSON a model: its folder, and what the
    others need to know. `clashes` are the findings about all models together. `files` counts them by folder.
    """

    key: str
    listing: Listing
    findings: Mapping[str, list[Plain]]
    asked: Mapping[str, Mapping[str, Answer]]
    members: str
    clashes: list[Plain]
    files: Mapping[str, int]

    def near(self, paths: Collection[str]) -> frozenset[str]:
        """Every folder above these paths, and every one that has asked about one of them or about what holds it."""
        places = {place for path in paths for place in above(path)}
        asking = (folder for folder, asked in self.asked.items() if not places.isdisjoint(asked))
        return frozenset(places.union(asking))

    def misled(self, paths: Collection[str], now: Places) -> frozenset[str]:
        """The folders that were told something about these paths, or what holds them, that is not true any more."""
        places = {place for path in paths for place in above(path)}
        return frozenset(
            folder
            for folder, asked in self.asked.items()
            if any(path in places and _answered(path, answer, now) != answer for path, answer in asked.items())
        )

    def told(self, folders: Collection[str] | None = None) -> tuple[Finding, ...]:
        """Findings in the order of files and lines: of some folders only, if these are given, and all clashes."""
        groups = [found for folder, found in self.findings.items() if folders is None or folder in folders]
        found = [_finding(one) for group in (*groups, self.clashes) for one in group]
        return tuple(sorted(found, key=lambda one: (one.path, one.line, one.column)))

    def renewed(self, places: Collection[str], seen: Mapping[str, Seen]) -> Remembered:
        """With these places as they are seen now; who is not among the seen is gone. Clashes and count stay."""
        findings = {folder: found for folder, found in self.findings.items() if folder not in places}
        asked = {folder: answers for folder, answers in self.asked.items() if folder not in places}
        members = self.members
        if any(_line(members, place) != _lines(seen, [place]) for place in places):
            kept = (line for line in members.split("\n") if line and json.loads(line)[0] not in places)
            members = "".join(f"{line}\n" for line in kept) + _lines(seen, sorted(places))
        return replace(
            self,
            findings=findings | {folder: one.findings for folder, one in seen.items() if one.findings},
            asked=asked | {folder: one.asked for folder, one in seen.items() if one.asked},
            members=members,
            files={folder: n for folder, n in self.files.items() if folder not in places}
            | {folder: one.files for folder, one in seen.items()},
        )


def remembering(key: str, listing: Listing, seen: Mapping[str, Seen]) -> Remembered:
    """What is to be remembered of folders that were all seen just now. No clashes yet."""
    nothing = Remembered(key=key, listing=listing, findings={}, asked={}, members="", clashes=[], files={})
    return nothing.renewed(seen, seen)


def plain(findings: Iterable[Finding]) -> list[Plain]:
    return [asdict(finding) for finding in findings]


def members_in(lines: str) -> list[Plain]:
    """In the order of their folders: no finding depends on who was looked at last."""
    return [json.loads(line)[1] for line in sorted(lines.split("\n")) if line]


def encode(remembered: Remembered) -> bytes:
    listing = remembered.listing
    head = {name: getattr(remembered, name) for name in ("findings", "asked", "clashes", "files")}
    head |= {"loose": dict(listing.loose), "members": len(remembered.members)}
    payload = f"{json.dumps(head)}\n{remembered.members}{listing.tracked}".encode("utf-8", "surrogateescape")
    return _checksum(remembered.key, payload) + payload


def decode(raw: bytes, key: str) -> Remembered | None:
    """What was remembered under this key; None for another key, and for damaged or foreign bytes."""
    payload = raw[_HEAD:]
    if _checksum(key, payload) != raw[:_HEAD]:
        return None
    text, _, rest = payload.decode("utf-8", "surrogateescape").partition("\n")
    head = json.loads(text)
    size = head.pop("members")
    listing = Listing(tracked=rest[size:], loose=head.pop("loose"))
    return Remembered(key=key, listing=listing, members=rest[:size], **head)


def _answered(path: str, before: Answer, now: Places) -> Answer:
    return now.has(path) if isinstance(before, bool) else now.digest(path)


def _lines(seen: Mapping[str, Seen], folders: Sequence[str]) -> str:
    named = ((folder, seen[folder].member) for folder in folders if folder in seen)
    return "".join(f"{json.dumps([folder, member])}\n" for folder, member in named if member)


def _line(lines: str, folder: str) -> str:
    """The line of one folder, with its end; empty where there is none."""
    begins = f"[{json.dumps(folder)}, "
    start = 0 if lines.startswith(begins) else lines.find(f"\n{begins}") + 1
    found = lines[start : lines.find("\n", start) + 1]
    return found if found.startswith(begins) else ""


def _finding(one: Plain) -> Finding:
    return Finding(**{**one, "severity": Severity(one["severity"])})


def _checksum(key: str, payload: bytes) -> bytes:
    return hashlib.sha256(key.encode() + payload).hexdigest().encode()
