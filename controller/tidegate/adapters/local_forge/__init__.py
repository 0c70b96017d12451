"""The local forge: proposals inside a bare git repository, no server.

`records` is how a proposal is written down, `state` how they are read, `changes` what an event makes of one, `forge` is
`ports.Forge`. git itself is handed in (`git_directory`).
"""

from __future__ import annotations

from tidegate.adapters.local_forge.forge import LocalForge

__all__ = ["LocalForge"]
