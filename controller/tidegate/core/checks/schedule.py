"""Rules about schedules: those that cannot be read, never come, or come all the time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise

from tidegate.core.checks.clock import there_is_zone
from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Manifest, section
from tidegate.core.fault import Fault, Way
from tidegate.core.finding import Severity
from tidegate.core.quantity import show_duration
from tidegate.core.shown import shown

_TRAINING = "spec: {training: {source: training, command: [python, train.py], lease: 30m, retrain: "

BAD_CRON = Rule(
    id="bad-cron",
    title="A cron expression that cannot be read",
    why="Five fields: minute (0 to 59), hour (0 to 23), day of the month (1 to 31), month (1 to 12, or jan to dec), "
    "day of the week (0 to 7, or sun to sat). A field is `*`, a number, a range `1-5`, a step `*/15`, or "
    "several of them with commas.",
    bad=f"{_TRAINING}{{schedule: {{cron: '0 25 * * 1'}}}}}}}}",
    good=f"{_TRAINING}{{schedule: {{cron: '0 3 * * 1'}}}}}}}}",
)

CRON_NEVER_FIRES = Rule(
    id="cron-never-fires",
    title="A schedule that never comes",
    why="The expression can be read, and no day fits it: no month that it names has such a day. Nothing would ever be "
    "trained by it.",
    bad=f"{_TRAINING}{{schedule: {{cron: '0 3 30 2 *'}}}}}}}}",
    good=f"{_TRAINING}{{schedule: {{cron: '0 3 28 2 *'}}}}}}}}",
)

CRON_FIRES_OFTEN = Rule(
    id="cron-fires-often",
    severity=Severity.WARNING,
    title="A schedule that trains all the time",
    why="Each time the newest data is looked up, and a training is proposed if it has changed. More often than every "
    "ten minutes, proposals come faster than anything is trained, judged and promoted. A `*` in the first field means "
    "every minute.",
    bad=f"{_TRAINING}{{schedule: {{cron: '* 3 * * *'}}}}}}}}",
    good=f"{_TRAINING}{{schedule: {{cron: '0 3 * * *'}}}}}}}}",
)

RULES = (BAD_CRON, CRON_NEVER_FIRES, CRON_FIRES_OFTEN)

_WAY: Way = ("spec", "training", "retrain", "schedule")
_DAY, _OFTEN = timedelta(days=1), timedelta(minutes=10)
_LONGEST, _ENOUGH = 200, 60
_SOME_DAY = datetime(2024, 1, 1, tzinfo=UTC)
"""Firing times are counted from here: no clock is asked."""
_NO_DAY = "its day-of-month"


def schedule_comes(manifest: Manifest) -> Iterator[Fault]:
    """The schedule of retraining comes, and not all the time."""
    schedule = section(manifest.spec, "training", "retrain", "schedule")
    if "timeZone" in schedule:
        yield from there_is_zone(schedule["timeZone"], (*_WAY, "timeZone"))
    if "cron" in schedule:
        rule, message = _cron(schedule["cron"])
        if rule is not None:
            yield rule.at((*_WAY, "cron"), message, "write it like `0 3 * * 1`: Mondays at three")


@lru_cache(maxsize=512)
def _cron(text: str) -> tuple[Rule | None, str]:
    """What is wrong with an expression. `cronsim` calls a day that no month has unreadable; we tell them apart."""
    expression, fields = shown(text)[1:-1], text.split()
    if (why := _unread(text)) is not None:
        if why == _NO_DAY and _unread(" ".join((*fields[:3], "*", fields[4]))) is None:
            return CRON_NEVER_FIRES, f"{expression}: the months of `{fields[3]}` have no day `{fields[2]}`"
        return BAD_CRON, f"{expression} cannot be read: {why}"
    times = _times(text)
    if len(times) < 2:
        return CRON_NEVER_FIRES, f"{expression}: no such day comes within fifty years"
    gap = min(after - before for before, after in pairwise(times))
    return (CRON_FIRES_OFTEN, f"{expression} fires {show_duration(gap)} apart") if gap < _OFTEN else (None, "")


def _unread(text: str) -> str | None:
    from cronsim import CronSim, CronSimError

    if len(text) > _LONGEST:
        return "it is too long"
    try:
        CronSim(text, _SOME_DAY)
    except CronSimError as error:
        return str(error).replace("Bad ", "its ", 1)
    return None


def _times(text: str) -> list[datetime]:
    """Those of a day; two at least, if there are two within fifty years."""
    from cronsim import CronSim

    times: list[datetime] = []
    for at in CronSim(text, _SOME_DAY):
        times.append(at)
        if len(times) > _ENOUGH or (len(times) > 1 and at - times[0] > _DAY):
            break
    return times
