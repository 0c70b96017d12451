"""promtool, from the package that Prometheus comes in: rule files are checked and unit-tested with it.

A `Unit` says which series there are and what must come of them; `Unit(...).run(text of a rule file, folder)` tests it.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tidegate.adapters.system_packages import default_cache, find_promtool
from tidegate.core.yaml.scalars import UNPRINTABLE

_FIRING = 'count by (alertname, severity) (ALERTS{alertstate="firing"})'


@cache
def promtool() -> Path:
    return find_promtool(default_cache())


def check(text: str, folder: Path) -> None:
    """What Prometheus would say on loading the file, with promtool's lint on top: each of its warnings fails."""
    file = folder / "checked.rules.yaml"
    file.write_text(text, encoding="utf-8")
    _run("check", "rules", "--lint-fatal", str(file))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What comes out of rules for made-up series with a sample a minute, at instants from the start (`2h`).

    `firing`: exactly these alerts, as (name, severity). `values`: an instant, a PromQL expression, and the sum of what
    it selects (None: nothing). `alerts`: whole alerts in promtool's own words. Rules are evaluated every `step`; each
    minute of several days takes long.
    """

    series: Mapping[str, str]
    firing: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    values: Sequence[tuple[str, str, float | None]] = ()
    alerts: Sequence[Mapping[str, Any]] = ()
    step: str = "1m"

    def run(self, text: str, folder: Path) -> None:
        """`promtool test rules`; its words when something else comes out."""
        (folder / "tested.rules.yaml").write_text(text, encoding="utf-8")
        tests = {
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in self.series.items()],
            "promql_expr_test": [*self._firing(), *(_value(*wanted) for wanted in self.values)],
            "alert_rule_test": list(self.alerts),
        }
        unit = {"rule_files": ["tested.rules.yaml"], "evaluation_interval": self.step, "tests": [tests]}
        # JSON, except that YAML knows no pairs of surrogates and takes some characters for line breaks.
        words = UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(unit, ensure_ascii=False))
        (folder / "unit.yaml").write_text(words, encoding="utf-8")
        _run("test", "rules", str(folder / "unit.yaml"))

    def _firing(self) -> list[dict[str, Any]]:
        return [
            {
                "expr": _FIRING,
                "eval_time": at,
                "exp_samples": [{"labels": f'{{alertname="{n}",severity="{s}"}}', "value": 1} for n, s in alerts],
            }
            for at, alerts in self.firing.items()
        ]


def _value(at: str, expression: str, value: float | None) -> dict[str, Any]:
    """Rounded, because `rate` extrapolates in binary fractions."""
    rounded = f"round(sum({expression}), 1e-6)"
    return {
        "expr": rounded,
        "eval_time": at,
        "exp_samples": [] if value is None else [{"labels": "{}", "value": value}],
    }


def _run(*arguments: str) -> None:
    done = subprocess.run([promtool(), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
