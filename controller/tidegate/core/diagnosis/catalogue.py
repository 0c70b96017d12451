"""All rules of doctor, by subject and by id."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.core.diagnosis import (
    access,
    actions,
    checkout,
    expectation,
    gateways,
    metrics,
    protection,
    registry,
    repository,
    series,
    values,
)
from tidegate.core.diagnosis.remark import Rule

SUBJECTS: Mapping[str, tuple[Rule, ...]] = {
    "Checkout": checkout.RULES,
    "GitHub: who we are": access.RULES,
    "GitHub: the repository": repository.RULES,
    "GitHub: the way into main": protection.RULES,
    "GitHub: what the workflows need": actions.RULES,
    "MLflow": registry.RULES,
    "Prometheus": metrics.RULES,
    "Series": (*series.RULES, *values.RULES, *gateways.RULES),
    "Judgement": expectation.RULES,
}

RULES: Mapping[str, Rule] = {rule.id: rule for rules in SUBJECTS.values() for rule in rules}
