"""The fingerprint by which GitHub knows a line again when the lines before it change: `primaryLocationLineHash`.

Code scanning looks at no other fingerprint, and its uploader computes this one itself and warns for each result that
has another value (github/codeql-action, src/fingerprints.ts, and issue 4052 there). So it is computed as they do.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import islice

WINDOW = 100
"""Characters that a hash covers, from the start of its line on; blanks and tabs do not count."""

_BASE = 37
_END = 0xFFFF
"""Stands behind the last character; zeros follow, so that the last lines have a whole window."""

_BLANKS = str.maketrans("", "", " \t")


def line_hashes(text: str, wanted: Collection[int]) -> Mapping[int, str]:
    """For each wanted line (from 1) that the text has: the hash, and how many lines so far have had the same."""
    seen: Counter[bytes] = Counter()
    hashes = {}
    for number, window in enumerate(islice(_windows(text), max(wanted, default=0)), start=1):
        seen[window] += 1
        if number in wanted:
            hashes[number] = f"{_hash(window):x}:{seen[window]}"
    return hashes


def _windows(text: str) -> Iterator[bytes]:
    """What each line's hash covers, in UTF-16 code units: that is what JavaScript calls characters."""
    stripped = text.replace("\r\n", "\n").replace("\r", "\n").translate(_BLANKS)
    units = stripped.encode("utf-16-be", "surrogatepass") + struct.pack(">H", _END) + bytes(2 * WINDOW)
    start = 0
    for line in stripped.split("\n"):
        yield units[start : start + 2 * WINDOW]
        start += len(line.encode("utf-16-be", "surrogatepass")) + 2


def _hash(window: bytes) -> int:
    value = 0
    for (unit,) in struct.iter_unpack(">H", window):
        value = value * _BASE + unit
    return value % 2**64
