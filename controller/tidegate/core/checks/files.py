"""Rules about files that cannot be read at all; who reads them finds them broken."""

from __future__ import annotations

from tidegate.core.checks.rule import Rule

UNREADABLE_FILE = Rule(
    id="unreadable-file",
    title="The file cannot be read",
    why="It is there, but it is no regular file, or this user may not read it.",
    bad="",
    good="",
)
SYMLINK_LEAVES_REPOSITORY = Rule(
    id="symlink-leaves-repository",
    title="A symbolic link that leads out of the repository",
    why="What a model should be is written in git. A link to a place outside of it means something else on every "
    "machine, and could show files of that machine to whoever reads the findings.",
    bad="",
    good="",
)

RULES = (UNREADABLE_FILE, SYMLINK_LEAVES_REPOSITORY)
"""Without examples: no text breaks them."""
