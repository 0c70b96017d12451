"""From `tidegate.yaml`'s document (its shape already checked) to a Workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tidegate.core import bounds, instants
from tidegate.core.dialects import fault, with_labels
from tidegate.core.misread import Misread, at
from tidegate.core.model_reading import rollout_of
from tidegate.core.pin import read_hold
from tidegate.core.quantity import duration, share
from tidegate.core.workspace import Approvals, ApprovalSource, Freeze, Limits, MetricLabels, Server, Workspace
from tidegate.core.yaml.document import Document


def parse(document: Document) -> Workspace:
    """The workspace with its defaults filled in."""
    data = document.data
    return Workspace(
        models=tuple(data.get("models", ("models",))),
        environments=tuple(data.get("environments", ("staging", "production"))),
        registry=_server(data.get("registry"), "uri", "registry"),
        prometheus=_server(data.get("prometheus"), "url", "prometheus"),
        labels=_labels(data.get("metrics", {}).get("labels", {})),
        presets=data.get("presets", {}),
        approvals={name: _entry(rule) for name, rule in data.get("approvals", {}).items()},
        approval_source=ApprovalSource(data.get("forge", {}).get("approvals", "reviews")),
        changes={field: _approvals(rule) for field, rule in data.get("changes", {}).items()},
        limits=_limits(data.get("limits", {})),
        freezes=tuple(_freeze(entry, index) for index, entry in enumerate(data.get("freeze", ()))),
        notify_after=at(("notifyAfter",), duration, data.get("notifyAfter", "30m")),
        defaults=_defaults(data),
        hold=read_hold(data["hold"], ("hold",)) if "hold" in data else None,
    )


def _labels(data: Mapping[str, Any]) -> MetricLabels:
    labels = with_labels(MetricLabels(), data)
    if (lacking := fault(labels)) is not None:
        raise Misread(("metrics", "labels"), f"nothing can be judged: {lacking}")
    return labels


def _defaults(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """A model's `rollout` as the workspace has it; `dispersion` stands at the top for want of a measured one."""
    defaults: Mapping[str, Any] = data.get("defaults", {})
    rollout_of(("defaults",), defaults)  # what means nothing here would be a finding in every model
    if "dispersion" not in data:
        return defaults
    at(("dispersion",), bounds.number, data["dispersion"])
    return {**defaults, "analysis": {"dispersion": data["dispersion"], **defaults.get("analysis", {})}}


def _server(data: Mapping[str, Any] | None, address: str, section: str) -> Server | None:
    if data is None:
        return None
    timeout = at((section, "timeout"), duration, data["timeout"]) if "timeout" in data else timedelta(seconds=10)
    return Server(url=data[address], auth=data.get("auth", {}), headers=data.get("headers", {}), timeout=timeout)


def _entry(rule: Mapping[str, Any]) -> Approvals:
    """Where a single person is listed there is nobody else to ask: `notSoleAuthor` is then off by default."""
    approvals = _approvals(rule)
    several = len(approvals.people) > 1 or bool(approvals.teams)
    return replace(approvals, not_sole_author=rule.get("notSoleAuthor", several))


def _approvals(rule: Mapping[str, Any]) -> Approvals:
    return Approvals(handles=tuple(rule["from"]), count=rule.get("count", 1))


def _limits(data: Mapping[str, Any]) -> Limits:
    default = Limits()
    kept = at(("limits", "revertShare"), share, data["revertShare"]) if "revertShare" in data else default.revert_share
    lease = at(("limits", "maximumLease"), duration, data["maximumLease"]) if "maximumLease" in data else None
    return Limits(
        rollouts=data.get("rollouts", default.rollouts),
        proposals_per_hour=data.get("proposalsPerHour", default.proposals_per_hour),
        revert_share=kept,
        trainings_per_merge=data.get("trainingsPerMerge", default.trainings_per_merge),
        maximum_lease=lease,
    )


def _freeze(entry: Mapping[str, Any], index: int) -> Freeze:
    path = ("freeze", index)
    zone = at((*path, "timeZone"), instants.zone, entry.get("timeZone", "UTC"))
    reason = entry.get("reason", "frozen")
    if "days" in entry:
        opens = at((*path, "from"), instants.time_of_day, entry.get("from", "00:00"))
        closes = at((*path, "until"), instants.time_of_day, entry.get("until", "23:59:59.999999"))
        return Freeze(zone=zone, reason=reason, days=tuple(entry["days"]), opens=opens, closes=closes)
    start = at((*path, "from"), instants.local, entry["from"]).replace(tzinfo=ZoneInfo(zone))
    end = at((*path, "until"), instants.local, entry["until"]).replace(tzinfo=ZoneInfo(zone))
    return Freeze(zone=zone, reason=reason, start=start, end=end)
