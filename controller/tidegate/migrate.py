"""Files of older versions of the format, rewritten in the current one. What differs between versions: `migrations`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tidegate.core.checks.foreign import is_claimed, stranger
from tidegate.core.fault import placed
from tidegate.core.listing import above
from tidegate.core.migrations import MIGRATIONS, Migration, migrated, version_of
from tidegate.core.pin import API_VERSION
from tidegate.core.yaml.document import decode, read
from tidegate.errors import EditRefused, InvalidManifest, WrongUse
from tidegate.ports import WorkTree

_ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """One file of ours: its version, and its text in the current one, None where that is what it has.

    A file with `problems` stays as it is.
    """

    path: str
    before: str = ""
    text: str | None = None
    problems: tuple[str, ...] = ()


def migrate(tree: WorkTree, paths: Sequence[str], migrations: Sequence[Migration] = MIGRATIONS) -> Iterator[Migrated]:
    """Every file of ours at or below these paths, in order; without paths every one there is. Nothing is written.

    Raises WrongUse for a path that is not there.
    """
    listed = sorted(tree.listing().paths())
    for path in paths:
        if not any(path in above(file) for file in listed):
            raise WrongUse(f"{path} is not there, or git ignores it")
    for file in listed:
        raw = tree.read(file) if file.endswith(_ENDINGS) and _is_below(file, paths) else None
        if isinstance(raw, bytes) and is_claimed(raw):
            yield _one(file, raw, migrations)


def _is_below(file: str, paths: Sequence[str]) -> bool:
    return not paths or any(path in paths for path in above(file))


def _one(path: str, raw: bytes, migrations: Sequence[Migration]) -> Migrated:
    try:
        before = decode(raw, path)
        text = migrated(before, path, migrations)
        document = read(text, path)
    except InvalidManifest as error:
        return Migrated(path=path, problems=tuple(map(str, error.findings)))
    except EditRefused as error:
        return Migrated(path=path, problems=(str(error),))
    if version_of(document.data) != API_VERSION and (fault := stranger(document, frozenset())):
        return Migrated(path=path, problems=(str(placed(document, fault)),))
    return Migrated(path=path, before=version_of(read(before, path).data), text=None if text == before else text)


def write(root: Path, file: Migrated) -> None:
    """Put the new text in the place of the old one, whole or not at all. Raises WrongUse where that cannot be done."""
    if file.text is None:
        return
    place = (root / file.path).resolve()
    new = place.with_name(f".{place.name}.migrating")
    try:
        new.write_bytes(file.text.encode())
        shutil.copymode(place, new)
        new.replace(place)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise WrongUse(f"{place} cannot be written: {error.strerror}") from None
