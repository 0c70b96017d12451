"""The local forge: proposals inside a bare git repository, no server.

`records` is how a proposal is written down, `forge` is `ports.Forge`. git itself is handed in (`forge.GitDirectory`).
"""

from __future__ import annotations

from tidegate.adapters.local_forge.forge import LocalForge

__all__ = ["LocalForge"]
