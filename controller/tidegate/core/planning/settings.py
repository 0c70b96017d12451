"""Settings of `tidegate.yaml` that change, by their names there. What signs in anywhere is never shown (I11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tidegate.core.planning.fields import Difference, differences, settings_of
from tidegate.core.planning.plan import Acts, Edit
from tidegate.core.workspace import Freeze, Server, Workspace
from tidegate.errors import without_credentials

_THROUGH_MODELS = ("environments", "presets", "defaults", "models")


@dataclass(frozen=True, slots=True)
class _Hidden:
    """What may be told apart, and not shown."""

    value: object

    def __str__(self) -> str:
        return "set" if self.value else "none"


def workspace_edits(before: Workspace | None, after: Workspace) -> tuple[Edit, ...]:
    """Each setting that differs; none where there was no workspace before."""
    if before is None:
        return ()
    changes = (*differences(_plain(before), _plain(after)), *_freezes(before.freezes, after.freezes))
    return tuple(_edit(change) for change in changes)


def _plain(workspace: Workspace) -> Mapping[str, object]:
    found = dict(settings_of(workspace))
    del found["freeze"]
    registry, prometheus = _server(workspace.registry, "uri"), _server(workspace.prometheus, "url")
    return {**found, "metrics.labels": found.pop("labels"), "registry": registry, "prometheus": prometheus}


def _freezes(before: Sequence[Freeze], after: Sequence[Freeze]) -> Iterator[Difference]:
    """The windows that go, and those that come."""
    for freeze in before:
        if freeze not in after:
            yield Difference(setting="freeze", before=_window(freeze), after=None)
    for freeze in after:
        if freeze not in before:
            yield Difference(setting="freeze", before=None, after=_window(freeze))


def _window(freeze: Freeze) -> str:
    if freeze.start is not None and freeze.end is not None:
        when = f"{freeze.start:%Y-%m-%d %H:%M} to {freeze.end:%Y-%m-%d %H:%M}"
    else:
        when = f"{', '.join(freeze.days)} {freeze.opens:%H:%M} to {freeze.closes:%H:%M}"
    return f"{when} {freeze.zone} ({freeze.reason})"


def _server(server: Server | None, address: str) -> Mapping[str, object] | None:
    if server is None:
        return None
    hidden = {"auth": _Hidden(server.auth), "headers": _Hidden(server.headers)}
    return {address: without_credentials(server.url), "timeout": server.timeout, **hidden}


def _edit(change: Difference) -> Edit:
    through = change.setting.partition(".")[0] in _THROUGH_MODELS
    acts = Acts.THROUGH_MODELS if through else Acts.AT_ONCE
    return Edit(setting=change.setting, before=change.before, after=change.after, acts=acts)
