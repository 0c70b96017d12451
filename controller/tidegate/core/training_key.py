"""What a training run depends on, and the key that names it: same inputs, same key, one run (I2).

The commit is not an input: a commit that touches none of these trains nothing. Reading the inputs from git is the
business of `train.py`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Everything that a training run may see. `trees` maps each path of source and include to its git object id.

    `environment` is the lock file's git object id, or an image with its digest. `request` tells apart trainings that
    a person or a schedule asked for on equal inputs.
    """

    trees: Mapping[str, str]
    command: tuple[str, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    environment: str | None = None
    request: str = ""

    def parts(self) -> Mapping[str, object]:
        """Each part by the name that a person sees, in the order in which it is explained."""
        return {
            **{f"tree {path}": self.trees[path] for path in sorted(self.trees)},
            "command": list(self.command),
            **{f"parameter {name}": self.parameters[name] for name in sorted(self.parameters)},
            **{f"data {name}": self.data[name] for name in sorted(self.data)},
            "seed": self.seed,
            "environment": self.environment,
            "request": self.request,
        }


def training_key(inputs: Inputs) -> str:
    """The letter `k` and 16 hex digits, so that YAML always reads a string."""
    return f"k{_digest(inputs.parts())[:16]}"


def explain(inputs: Inputs) -> str:
    """One line for each part with its digest; equal inputs give equal text."""
    parts = inputs.parts()
    width = max(len(name) for name in parts)
    lines = [f"{name:<{width}}  {_digest(value)[:16]}  {_shown(value)}" for name, value in parts.items()]
    return "\n".join([training_key(inputs), *lines])


def differences(before: Inputs, after: Inputs) -> tuple[str, ...]:
    """The names of the parts that are not the same, in the order of `explain`; empty when the keys are equal."""
    old, new = before.parts(), after.parts()
    return tuple(name for name in {**old, **new} if _digest(old.get(name)) != _digest(new.get(name)))


def _shown(value: object) -> str:
    return value if isinstance(value, str) else _canonical(value)


def _digest(value: object) -> str:
    return hashlib.sha256(_canonical(value).encode("utf-8", "surrogateescape")).hexdigest()


def _canonical(value: object) -> str:
    """JSON with one spelling for each value: sorted keys, no blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
