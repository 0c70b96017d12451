"""`make bench`: measure everything, print the tables, and write them into the docs with machine and date.

docs/benchmarks.md has one, docs/actions.md another one; `--actions` measures and writes only that. `--demo FILE` takes
the demo's figures from a report instead of a play (about a minute); `--no-demo` leaves them out. A missed aim is shown,
it is no failure: other work on the machine is no defect of the program.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import backtest
import decide
import demo
import forge
import judge
import startup
import validate

import actions
from tidegate.adapters.system_packages import find_prometheus
from tidegate.settings import cache

ROOT = Path(__file__).resolve().parents[1]
PAGE, ACTIONS = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "actions.md"
BEGIN, END = "<!-- make bench writes from here -->\n", "<!-- to here -->\n"
STARTS = 15
PROPOSALS = 200
RUNS = 5
INSTALLATIONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table; `met` is None where there is no aim."""

    what: str
    figure: str
    aim: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, str, str, str]:
        return self.what, self.figure, self.aim, "" if self.met is None else "yes" if self.met else "**no**"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", type=Path, metavar="FILE", help="a report of `tidegate demo --report FILE`")
    parser.add_argument("--no-demo", action="store_true", help="leave the demo's figures out")
    parser.add_argument("--models", type=int, default=10_000, help="so many models does validate look at")
    parser.add_argument("--actions", action="store_true", help="measure only the actions, for docs/actions.md")
    options = parser.parse_args()
    if not options.actions:
        rows = [*_core(), *_backtest(), *_starts(), *_files(options.models), *_forge()]
        if not options.no_demo:
            rows += _demo(options.demo)
        _write(PAGE, f"{_table(rows)}\n{_machine()}\n")
    _write(ACTIONS, f"{_table(list(_actions()))}\n{_machine()}\n")


def _core() -> Iterator[Row]:
    for rollouts in (3, 50):
        timing = decide.settled_model(rollouts)
        met = timing.per_second >= 20_000
        yield Row(what=timing.what, figure=f"{timing.per_second:,.0f} a second", aim="≥ 20,000 a second", met=met)
    for timing in (
        decide.rollout_of_240_cells(),
        judge.rollout_of_240_cells(),
        judge.rollout_of_240_cells(targets=4),
    ):
        yield Row(what=timing.what, figure=f"{timing.seconds * 1000:.1f} ms")


def _backtest() -> Iterator[Row]:
    figures = backtest.thirty_days()
    what = f"backtest: 30 days by steps of 1m, {figures.rollouts} rollouts, {figures.decisions:,} decisions"
    yield Row(what=what, figure=f"{figures.seconds:.1f} s", aim="≤ 10 s", met=figures.seconds <= 10)
    what = "judging and deciding of it, counting and git included"
    yield Row(what=what, figure=f"{figures.judging:.1f} s", aim="≤ 3 s", met=figures.judging <= 3)


def _starts() -> Iterator[Row]:
    medians = startup.starts(STARTS)
    libraries = medians.pop("libraries")
    yield Row(what="start of `python -c 'import click, ruamel.yaml, jsonschema, git'`", figure=_milliseconds(libraries))
    for command, seconds in medians.items():
        ratio = seconds / libraries
        figure = f"{_milliseconds(seconds)} = {ratio:.2f} ×"
        yield Row(what=f"start of `{command}`, against it", figure=figure, aim="≤ 1.3 ×", met=ratio <= 1.3)


def _files(models: int) -> Iterator[Row]:
    """check-jsonschema is the yardstick: the same files and schemas, side by side."""
    with TemporaryDirectory() as c_part:
        lock = ROOT / "requirements" / "bench.lock"
        pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        subprocess.run([sys.executable, *pip, "--target", c_part, "--requirement", str(lock)], check=True)
        times = validate.measure(models, RUNS, Path(c_part))
    ratio = times.ratios()
    yield Row(what=f"validate, {models:,} models and their pins, cold", figure=f"{times.cold:.1f} s")
    yield _faster("check-jsonschema there, as installed", times.theirs, ratio["default"], 10)
    yield _faster("check-jsonschema there, with ruamel's C part", times.theirs_with_c, ratio["c"], 3)
    figure = f"{_milliseconds(times.warm)}: {ratio['warm']:.0f} × faster"
    yield Row(what="validate there, one manifest changed since", figure=figure, aim="≥ 50 ×", met=ratio["warm"] >= 50)
    figure = f"{_milliseconds(times.one)} = {ratio['one']:.2f} ×"
    what = f"validate one manifest, against check-jsonschema ({_milliseconds(times.one_theirs)})"
    yield Row(what=what, figure=figure, aim="≤ 1.5 ×", met=ratio["one"] <= 1.5)


def _faster(what: str, seconds: float, ratio: float, least: int) -> Row:
    return Row(what=what, figure=f"{seconds:.0f} s = {ratio:.1f} ×", aim=f"≥ {least} ×", met=ratio >= least)


def _forge() -> Iterator[Row]:
    for verb, milliseconds in forge.proposals(PROPOSALS).medians().items():
        yield Row(what=f"local forge, {PROPOSALS} proposals: {verb}", figure=f"{milliseconds:.1f} ms")


def _demo(report: Path | None) -> Iterator[Row]:
    revert = demo.reported(report) if report else demo.played()
    aim = "≤ 1 s interval + 2 s"
    from_evidence, from_start = revert.from_evidence, revert.from_first_bad_event
    yield Row(
        what="demo: enough evidence to merged revert", figure=f"{from_evidence:.1f} s", aim=aim, met=from_evidence <= 3
    )
    yield Row(what="demo: first bad event to merged revert", figure=f"{from_start:.1f} s")


def _actions() -> Iterator[Row]:
    lean, full = (actions.measure(lock, INSTALLATIONS) for lock in ("lean", "full"))
    for what, seconds, most in (("cold", lean.cold, 40), ("warm", lean.warm, 15)):
        whole = seconds + lean.check
        figure = f"{whole:.1f} s, of which the check {lean.check:.1f} s"
        yield Row(what=f"`validate` on the template, {what}", figure=figure, aim=f"≤ {most} s", met=whole <= most)
    servers = "the environment of `train`, `evaluate`, `reconcile` and `approve`"
    yield Row(what=f"{servers}, cold", figure=f"{full.cold:.1f} s")
    yield Row(what=f"{servers}, warm", figure=f"{full.warm:.1f} s")
    figure = f"{lean.megabytes:.0f} MB and {full.megabytes:.0f} MB"
    yield Row(what=f"what the cache holds for each, installed with {actions.INSTALLER}", figure=figure)


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _table(rows: list[Row]) -> str:
    """Markdown that also reads well on a terminal."""
    lines = [("what", "figure", "aim", "met"), *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    rule = tuple("-" * width for width in widths)
    return "".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |\n"
        for line in (lines[0], rule, *lines[1:])
    )


def _machine() -> str:
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {_processor()}, {os.cpu_count()} cores (load {load:.1f} from all work on it), "
        f"{platform.system()}, Python {platform.python_version()}, {_said('git', '--version')}, {_prometheus()}."
    )


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    text = listing.read_text(encoding="utf-8") if listing.is_file() else ""
    names = (line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _prometheus() -> str:
    program = find_prometheus(cache(), lambda words: print(words, file=sys.stderr))
    return " ".join(_said(str(program), "--version").split()[1:3]).replace("version", "Prometheus").rstrip(",")


def _said(*command: str) -> str:
    """The first line of what a program prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return (done.stdout or done.stderr).splitlines()[0]


def _write(page: Path, table: str) -> None:
    print(table)
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
