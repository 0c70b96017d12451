"""Commits that GitHub makes and signs for an App, and what it says about the signatures of others.

An App that names neither author nor committer gets a commit by its bot, committed and signed by GitHub (REST, "Create
a commit"). A token's owner gets no signature that way: git makes their commits. Not here: moving branches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.adapters.github.access import SIGNER, Json
from tidegate.adapters.github.session import Session
from tidegate.errors import Refused


class SignedCommits:
    """Satisfies `adapters.git.remote.Signer`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._verified: dict[str, bool] = {}

    def write(self, parent: str, tree: str, files: Mapping[str, tuple[str, str | None]], message: str) -> str | None:
        """A signed commit with these files (mode and text, None deletes) on the tree of its parent.

        None where GitHub signs nothing for us. Raises Refused where it should and does not: nobody could tell the
        commit from one that somebody made in our name.
        """
        if not self._session.account.bot:
            return None
        path = f"{self._session.address.path}/git"
        entries = [_entry(name, mode, text) for name, (mode, text) in files.items()]
        made = self._session.send("POST", f"{path}/trees", {"base_tree": tree, "tree": entries})
        body = {"message": message, "tree": made["sha"], "parents": [parent]}
        commit = self._session.send("POST", f"{path}/commits", body)
        self._verified[commit["sha"]] = _is_verified(commit)
        if not self._verified[commit["sha"]]:
            step = "turn on web commit signing in the server's settings, or sign in with a token"
            raise Refused(f"{self._session.who} does not sign what the App commits; {step}")
        return str(commit["sha"])

    @property
    def signs(self) -> bool:
        """GitHub signs what an App commits through it, and nothing for the owner of a token."""
        return self._session.account.bot

    def is_signed(self, author: str, committer: str, sha: str) -> bool:
        """Whether GitHub made this commit for our bot, by its own word: names alone anybody can write."""
        if committer != SIGNER or not self._session.account.wrote(author):
            return False
        if sha not in self._verified:
            found = self._session.find(f"{self._session.address.path}/git/commits/{sha}")
            self._verified[sha] = found is not None and _is_verified(found)
        return self._verified[sha]


def _entry(path: str, mode: str, text: str | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"path": path, "mode": mode, "type": "blob"}
    return {**entry, "sha": None} if text is None else {**entry, "content": text}


def _is_verified(commit: Json) -> bool:
    return bool((commit.get("verification") or {}).get("verified"))
