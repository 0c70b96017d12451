"""How a proposal is written down: one JSON file, indented and with sorted keys, so that its history reads well."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from enum import Enum
from typing import Any

from tidegate.core.observed import Approval, Check, CheckState, Comment, Proposal, ProposalState


def path_of(number: int) -> str:
    return f"proposals/{number}.json"


def text_of(proposal: Proposal) -> str:
    data = asdict(proposal)
    del data["foreign"]  # seen from the branch's commits by whoever decides, nothing to remember
    return json.dumps(data, default=_scalar, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _scalar(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return str(value.value)
    raise TypeError(f"a proposal holds no {type(value).__name__}")


def parse(text: str) -> Proposal:
    """Raises ValueError, KeyError or TypeError for what `text_of` did not write."""
    data = json.loads(text)
    check = data["check"]
    parsed = {
        **data,
        "state": ProposalState(data["state"]),
        "created_at": _at(data["created_at"]),
        "updated_at": _at(data["updated_at"]),
        "merged_at": _at(data["merged_at"]) if data["merged_at"] else None,
        "check": Check(**{**check, "state": CheckState(check["state"])}) if check else None,
        "approvals": tuple(Approval(**_dated(item)) for item in data["approvals"]),
        "comments": tuple(Comment(**_dated(item)) for item in data["comments"]),
    }
    return Proposal(**parsed)


def _dated(item: Mapping[str, Any]) -> dict[str, Any]:
    return {**item, "at": _at(item["at"])}


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
