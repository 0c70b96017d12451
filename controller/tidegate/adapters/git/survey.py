"""What doctor asks of the clone that we stand in: git's version, how much of the history is here, who commits here.

Here the user's own git configuration counts, as in any git command of theirs.
"""

from __future__ import annotations

import re
from pathlib import Path

from tidegate.adapters.git.clone import ask, parsed, printed
from tidegate.adapters.git.origin import origin_of
from tidegate.core.diagnosis.checkout import CheckoutFacts
from tidegate.core.diagnosis.remark import Unknown
from tidegate.errors import WrongUse
from tidegate.ports import Clock

_VERSION = re.compile(r"\d+(?:\.\d+)+")


class CloneSurvey:
    """ports.Surveyor on a clone, or a bare repository, which is its own origin. `identity` is our commits' address."""

    def __init__(self, folder: Path, identity: str) -> None:
        self._folder = folder
        self._identity = identity

    def survey(self, clock: Clock) -> CheckoutFacts:  # noqa: ARG002 - git tells no time
        """Raises WrongUse where no repository is."""
        shallow = parsed(self._folder, "--is-shallow-repository") == "true"
        origin = self._origin()
        return CheckoutFacts(
            git=self._git(),
            shallow=shallow,
            origin=None if origin is None else str(origin),
            # A folder is read where it lies; only what a server has must be fetched.
            fetched=not isinstance(origin, str) or self._is_fetched(),
            author=self._printed("config", "user.email"),
            identity=self._identity,
        )

    def _git(self) -> str | Unknown:
        said = self._printed("version") or ""
        found = _VERSION.search(said)
        return found[0] if found else Unknown(why=f"`git version` says {said!r}")

    def _origin(self) -> Path | str | None:
        try:
            return origin_of(self._folder)
        except WrongUse:
            return None

    def _is_fetched(self) -> bool:
        fetched = self._printed("config", "--get-all", "remote.origin.fetch") or ""
        return "refs/tidegate/" in fetched or bool(self._printed("for-each-ref", "--count=1", "refs/tidegate/"))

    def _printed(self, *arguments: str) -> str | None:
        said = ask(self._folder, *arguments)
        return printed(said) or None if said.returncode == 0 else None
