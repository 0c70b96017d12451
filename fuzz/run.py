"""`make fuzz`: throw broken files at `validate`, and hold what it reads against ruamel's round-trip loader.

Every input must end in findings or success: no exception, a line and a column for each finding, in time. Prints one
line of figures; exit code 1 with the input of each failure. `--inputs` and `--seed` choose how many and which.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.broken_yaml import broken, seeds
from support.inspecting import inspected
from support.round_trip import disagreement

PATHS = ("models/churn/model.yaml", "models/churn/production.yaml", "tidegate.yaml", "models/churn/data.lock.yaml")
SECONDS = 2.0


@dataclass
class Tally:
    """What one process saw."""

    inputs: int = 0
    clean: int = 0
    compared: int = 0
    slowest: float = 0.0
    rules: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    share = -(-asked.inputs // asked.processes)
    started = time.perf_counter()
    with ProcessPoolExecutor(asked.processes) as pool:
        tallies = list(
            pool.map(run, (asked.seed * 1000 + i for i in range(asked.processes)), [share] * asked.processes)
        )
    return report(tallies, time.perf_counter() - started)


def run(seed: int, inputs: int) -> Tally:
    random, sources, tally = Random(seed), seeds(), Tally()
    for _ in range(inputs):
        text, path = broken(random, sources), random.choice(PATHS)
        try:
            one(tally, path, text)
        except Exception:  # noqa: BLE001 - the very thing that is looked for
            tally.failures.append(f"{path} {text!r}\n{traceback.format_exc()}")
    return tally


def one(tally: Tally, path: str, text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    started = time.perf_counter()
    findings = inspected({path: raw})
    took = time.perf_counter() - started
    lines = text.count("\n") + 1
    wrong = [finding for finding in findings if not (1 <= finding.line <= lines and finding.column >= 1)]
    why = disagreement(raw)
    tally.inputs += 1
    tally.clean += not findings
    tally.compared += why is not None
    tally.slowest = max(tally.slowest, took)
    tally.rules.update(finding.rule for finding in findings)
    if wrong or took > SECONDS or why:
        tally.failures.append(f"{path} {text!r}\n{took:.1f} s {wrong} {why}")


def report(tallies: list[Tally], took: float) -> int:
    failures = [failure for tally in tallies for failure in tally.failures]
    rules: Counter[str] = sum((tally.rules for tally in tallies), Counter())
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    for failure in failures[:20]:
        print(failure, file=sys.stderr)
    print(
        f"{sum(tally.inputs for tally in tallies):,} inputs in {took:.0f} s: {len(failures)} failures; "
        f"{sum(tally.clean for tally in tallies):,} without findings, {len(rules)} rules broken; "
        f"{sum(tally.compared for tally in tallies):,} compared with ruamel; "
        f"slowest {max(tally.slowest for tally in tallies):.2f} s, {memory:.0f} MB at most"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
