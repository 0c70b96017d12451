"""Selectors of objectives under a name: the workspace's own presets, and those that every workspace has."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.core.workspace import Workspace

BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "http-availability": {"bad": 'http_requests_total{code=~"5.."}', "total": "http_requests_total"}
}


def named(name: str, workspace: Workspace) -> Mapping[str, str] | None:
    """The preset of this name; the workspace's goes before the built-in one."""
    return workspace.presets.get(name, BUILT_IN.get(name))


def known(workspace: Workspace) -> list[str]:
    """All names, in order."""
    return sorted({*workspace.presets, *BUILT_IN})
