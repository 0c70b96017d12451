"""What each verb of a person may change of a pin file.

A branch's name only says which verb it was: whoever may push writes the name and the file. What the verbs make is
`people`'s; who must approve it is `authorise`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tidegate.core.pin import Pin
from tidegate.core.transition import Kind

_CHANGES: Mapping[Kind, tuple[str, ...]] = {
    Kind.PIN: ("stable", "previous", "canary", "policy", "holdback", "override"),
    Kind.ROLLBACK: ("stable", "previous", "canary", "rejected", "policy", "holdback", "retried", "override"),
    Kind.HOLD: ("hold",),
    Kind.RESUME: ("hold",),
    Kind.UNREJECT: ("rejected",),
    Kind.RESTART: ("canary", "policy"),
    Kind.OVERRIDE: ("override",),
}
_FIELDS = tuple(name for name in Pin.__slots__ if name != "transition")


def not_of_kind(kind: Kind, before: Pin | None, after: Pin) -> str | None:
    """Why this change of a pin file is none that the verb makes, or None.

    Where no file was, the verbs write the rejections of the last one again.
    """
    was = Pin(rejected=after.rejected) if before is None else before
    changed = [name for name in _FIELDS if getattr(was, name) != getattr(after, name)]
    if strange := [name for name in changed if name not in _CHANGES[kind]]:
        return f"`{kind.value}` changes nothing in {', '.join(strange)} of a pin file"
    if not _ITS_WAY[kind](was, after):
        return f"the pin file is not what `{kind.value}` makes of main's"
    return None


def _takes_one_off(was: Pin, after: Pin) -> bool:
    gone = {entry.version for entry in was.rejected if entry not in after.rejected}
    return len(gone) == 1 and after.rejected == tuple(entry for entry in was.rejected if entry.version not in gone)


def _rejects_one_more(was: Pin, after: Pin) -> bool:
    return len(after.rejected) > 0 and after.rejected[:-1] == was.rejected


def _overrides_no_more(was: Pin, after: Pin) -> bool:
    return after.override in (None, was.override)


def _goes_on_with_the_same(was: Pin, after: Pin) -> bool:
    return was.canary is not None and after.canary is not None and after.canary.pin == was.canary.pin


_ITS_WAY: Mapping[Kind, Callable[[Pin, Pin], bool]] = {
    Kind.PIN: lambda was, after: after.stable is not None and after.canary is None and _overrides_no_more(was, after),
    Kind.ROLLBACK: lambda was, after: (
        after.canary is None and _rejects_one_more(was, after) and _overrides_no_more(was, after)
    ),
    Kind.HOLD: lambda _, after: after.hold is not None,
    Kind.RESUME: lambda _, after: after.hold is None,
    Kind.UNREJECT: _takes_one_off,
    Kind.RESTART: _goes_on_with_the_same,
    Kind.OVERRIDE: lambda _, after: after.override is not None,
}
"""Whether what a verb may change went the way that it moves it."""
