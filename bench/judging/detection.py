"""How many regressions are found within an hour, and how soon, beside the published method on the same traffic."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from dispersion import measured
from evidence import Array, first_reaching, reference_method, worse
from promise import FALSE_REVERTS, WORSE_THAN, Size
from rates import given, percent, table
from traffic import BASE_SWING, LOOK_SECONDS, Traffic, drawn, generator

RATIOS = (1.5, 2.0, 3.0, 5.0)
_DRAWN = (3.0, 2.0, 1.5, 1.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The first look with enough evidence, by rollout: ours divided by what was measured, by 2, undivided, and the
    method's."""

    ours: Array
    unmeasured: Array
    undivided: Array
    method: Array

    @property
    def not_worse(self) -> bool:
        """Not found less often than by the method, minus two standard errors."""
        mine, theirs = share(self.undivided), share(self.method)
        return mine >= theirs - 2 * math.sqrt(theirs * (1 - theirs) / len(self.method))


Row = tuple[tuple[str, ...], list["Found | None"]]


def rows(size: Size, base: float) -> list[Row]:
    """One base rate at all weights: what was measured before is the same."""
    history = _history(base, size)

    def row(weight: float) -> Row:
        traffic = Traffic(base=base, weights=(weight,))
        found = [_found(traffic, ratio, history, size) if possible(traffic, ratio) else None for ratio in RATIOS]
        return (given(base), given(weight)), found

    return [row(weight) for weight in size.weights()]


def possible(traffic: Traffic, ratio: float) -> bool:
    """Whether no rate would exceed 1."""
    return traffic.base * ratio * (1 + BASE_SWING) <= 1


def found_table(rows: list[Row]) -> str:
    head = ("base", "weight", *(f"×{ratio:g}" for ratio in RATIOS))
    return table(head, [(*what, *(_words(found) for found in line)) for what, line in rows])


def compared(rows: list[Row]) -> str:
    """One sentence on all cells together."""
    all_found = [found for _, line in rows for found in line if found is not None]
    worse_ones = sum(not found.not_worse for found in all_found)
    differing = sum(bool((found.undivided != found.method).any()) for found in all_found)
    return (
        f"Against the published method on the same traffic, both undivided: {len(all_found)} cells, detection worse "
        f"by more than two standard errors in {worse_ones}, a different look in any rollout in {differing}."
    )


def chart(size: Size) -> str:
    """One traffic, minute by minute; Mermaid has no legend, so that lines are named in words."""
    traffic, minutes_shown = Traffic(base=0.01, weights=(0.1,)), range(0, 61, 5)
    history, lines = _history(traffic.base, size), []
    for ratio in _DRAWN:
        counts = drawn(traffic, ratio, size.rollouts, generator(size.seed, f"found {traffic} {ratio}"))
        at = first_reaching(worse(counts, WORSE_THAN, history), -math.log(FALSE_REVERTS)) * LOOK_SECONDS / 60
        lines.append(f"    line [{', '.join(f'{(at <= minute).mean() * 100:.0f}' for minute in minutes_shown)}]")
    drawing = [
        "xychart-beta",
        f'    x-axis "minutes" [{", ".join(map(str, minutes_shown))}]',
        '    y-axis "reverted, %" 0 --> 100',
        *lines,
    ]
    named = ", ".join(f"×{ratio:g}" for ratio in _DRAWN)
    body = "\n".join(drawing)
    return (
        f"```mermaid\n{body}\n```\n\n"
        f"*Share of canaries reverted by so many minutes, base 1 %, weight 10 %. From the upper line to the lowest the "
        f"canary is {named} as bad as stable.*\n"
    )


def share(first: Array) -> float:
    return float(np.isfinite(first).mean())


def minutes(first: Array) -> float:
    """The median delay where there is one."""
    return float(np.median(first[np.isfinite(first)])) * LOOK_SECONDS / 60


def in_minutes(delay: float) -> str:
    return f"{delay:.0f} min" if delay >= 10 else f"{delay:.1f} min"


def _history(base: float, size: Size) -> Array:
    """Stable's dispersion as measured before each rollout; the weight comes later."""
    traffic = Traffic(base=base, weights=(0.0,))
    return measured(traffic, size.rollouts, generator(size.seed, f"found's history {base}"))


def _found(traffic: Traffic, ratio: float, history: Array, size: Size) -> Found:
    counts = drawn(traffic, ratio, size.rollouts, generator(size.seed, f"found {traffic} {ratio}"))
    needed = -math.log(FALSE_REVERTS)
    return Found(
        ours=first_reaching(worse(counts, WORSE_THAN, history), needed),
        unmeasured=first_reaching(worse(counts, WORSE_THAN, 2.0), needed),
        undivided=first_reaching(worse(counts, WORSE_THAN), needed),
        method=first_reaching(reference_method(counts, WORSE_THAN), 1 / FALSE_REVERTS),
    )


def _words(found: Found | None) -> str:
    return "–" if found is None else f"{_figure(found.ours)} ({_figure(found.unmeasured)})"


def _figure(first: Array) -> str:
    part = share(first)
    return f"{percent(part)}, {in_minutes(minutes(first))}" if part >= 0.01 else percent(part)
