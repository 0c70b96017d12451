"""What a change of policy would have done to the last rollouts: main's policy against the changed one, replayed.

How they are replayed is `core.replay`'s business.
"""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.core.manifest import Model
from tidegate.core.planning.phrase import Line, quoted, typed
from tidegate.core.planning.plan import Backtested, ModelPlan, PastRollout
from tidegate.core.replay import wording
from tidegate.core.replay.past import Policy
from tidegate.core.replay.report import Backtest, EpisodeReport

_POLICY = ("objectives", "late", "values", "rollout", "revert", "judge")
"""Settings by which rollouts are judged, by the first word of their names."""


def touches_policy(plan: ModelPlan) -> bool:
    """Whether rollouts will be judged by something else."""
    return any(edit.environments and edit.setting.partition(".")[0] in _POLICY for edit in plan.edits)


def policy_of(model: Model, name: str) -> Policy:
    """The policy of a model as a plan replays it."""
    return Policy(name=name, environments={environment.name: environment for environment in model.environments})


def backtested(report: Backtest) -> Backtested:
    """What of a replay by two policies a plan tells."""
    differing = (one for each in report.episodes if (one := _rollout(each)) is not None)
    unread = (replay.unread for one in report.episodes for replay in one.replays if replay.unread)
    return Backtested(
        rollouts=len(report.episodes),
        differing=tuple(differing),
        older=report.passed_over,
        unread=report.unreachable or next(unread, ""),
    )


def _rollout(one: EpisodeReport) -> PastRollout | None:
    """The first stretch of which the two policies say different things."""
    first, second = one.replays
    for main, changed in zip(first.parts, second.parts, strict=True):
        before, after = wording.answer(main), wording.answer(changed)
        if before != after:
            episode = one.episode
            return PastRollout(
                environment=episode.environment,
                version=episode.version,
                entered=episode.entered,
                before=before,
                after=after,
            )
    return None


def _count(found: Backtested) -> str:
    same = found.rollouts - len(found.differing)
    if found.rollouts == 1:
        return f"The last rollout would have been decided {'as' if same else 'otherwise than'} by main's policy."
    return f"Of the last {found.rollouts} rollouts {same} would have been decided as by main's policy."


def lines(model: ModelPlan) -> Iterator[Line]:
    """Each rollout that would have gone another way; one line where none would, or none could be read."""
    found = model.backtest
    if found is None:
        return
    if not found.rollouts:
        nothing = f"no time was left for {found.older} of them" if found.older else "no rollout entered within 90 days"
        yield ("Not replayed: ", quoted(found.unread or nothing), ".")
        return
    if found.unread:
        yield ("Not all could be read: ", quoted(found.unread), ".")
    yield (_count(found),)
    for one in found.differing:
        where = (quoted(one.environment), f", version {one.version}, entered {wording.instant(one.entered)}: ")
        yield (*where, "main's: ", quoted(one.before), "; this change: ", quoted(one.after), ".")
    yield ("The changed policy is younger: it may have been tuned on what it is replayed on.",)
    yield ("In full: ", typed(f"tidegate backtest {model.name} --compare REF"), ".")
