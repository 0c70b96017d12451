"""GitHub as a forge: `ports.Forge` over its REST and GraphQL interfaces, on github.com and Enterprise Server.

`access` is where it is and who we are there, `session` what we ask through `transport`, and `limits` when we may;
`listing`, `proposals`, `marks` and `gate` read what stands on GitHub, `checks`, `merging`, `commits` and
`deployments` write, `forge` is the port itself, `survey` what doctor asks.
git is handed in (`git.Git`). Not here: what may merge (the core decides), and the approval rules.
"""

from __future__ import annotations

from tidegate.adapters.github.access import Address, AppKey, Token
from tidegate.adapters.github.commits import SignedCommits
from tidegate.adapters.github.forge import GitHubForge
from tidegate.adapters.github.session import Session

__all__ = ["Address", "AppKey", "GitHubForge", "Session", "SignedCommits", "Token"]
