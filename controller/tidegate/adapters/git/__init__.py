"""git, the repository that holds the desired state: read by commit, written by compare-and-swap.

`plumbing` runs git's own commands on one git directory, `objects` reads through one process kept open,
`history` knows which commits changed which file, `repository` is `ports.Repository` on top of them, `clone`
finds a person's clone and what stands in it, `origin` where it came from. Not here: proposals (local_forge.py), which
is handed the same `Plumbing`.
"""

from __future__ import annotations

from tidegate.adapters.git.clone import Clone, clone_at
from tidegate.adapters.git.origin import origin_of
from tidegate.adapters.git.plumbing import Plumbing
from tidegate.adapters.git.repository import GitRepository

__all__ = ["Clone", "GitRepository", "Plumbing", "clone_at", "origin_of"]
