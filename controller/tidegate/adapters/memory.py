"""What may be forgotten at any time: bytes by name in the user's cache folder.

Written whole and renamed into place, so that a reader sees an old text or a new one. Nothing here is ever needed: a
folder that cannot be written remembers nothing.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


class FolderMemory:
    """One file a name. Names are ours, and safe as file names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recall(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except OSError:
            return None

    def keep(self, name: str, content: bytes) -> None:
        import tempfile

        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            descriptor, draft = tempfile.mkstemp(prefix=f".{name}-", dir=self._folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                Path(draft).replace(self._folder / name)
            except OSError:
                Path(draft).unlink(missing_ok=True)
                raise
