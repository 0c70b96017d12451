"""What a change of policy would have done to the last rollouts: main's policy against the changed one, replayed.

How they are replayed is `core.replay`'s business.
"""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from tidegate.core.manifest import Model
from tidegate.core.planning.phrase import Line, quoted, typed
from tidegate.core.planning.plan import Acts, Backtested, ModelPlan, PastRollout
from tidegate.core.replay import wording
from tidegate.core.replay.past import Policy
from tidegate.core.replay.report import Backtest, EpisodeReport, Part

_POLICY = ("objectives", "rollout", "revert", "judge")
"""Settings by which rollouts are judged, by the first word of their names."""
_ANSWER = 600
"""So much of what a policy decided and why: what became of it stands at the end."""


def touches_policy(plan: ModelPlan) -> bool:
    """Whether rollouts will be judged by something else."""
    acting = (edit for edit in plan.edits if edit.environments and edit.acts is not Acts.NEVER)
    return any(edit.setting.partition(".")[0] in _POLICY for edit in acting)


def policy_of(model: Model, name: str) -> Policy:
    """The policy of a model as a plan replays it."""
    return Policy(name=name, environments={environment.name: environment for environment in model.environments})


def backtested(report: Backtest) -> Backtested:
    """What of a replay by two policies a plan tells."""
    found = [(one, _difference(one)) for one in report.episodes]
    unread = (replay.unread for one in report.episodes for replay in one.replays if replay.unread)
    return Backtested(
        rollouts=len(report.episodes),
        differing=tuple(difference for _, difference in found if difference is not None),
        incomparable=sum(1 for one, difference in found if difference is None and _unread(one)),
        older=report.passed_over,
        unread=report.unreachable or next(unread, ""),
    )


def _difference(one: EpisodeReport) -> PastRollout | None:
    """The first part of which both policies say something, and not the same."""
    for main, changed, unread in _parts(one):
        if not unread and wording.decision(main) != wording.decision(changed):
            episode = one.episode
            return PastRollout(
                environment=episode.environment,
                version=episode.version,
                entered=episode.entered,
                before=wording.answer(main),
                after=wording.answer(changed),
            )
    return None


def _unread(one: EpisodeReport) -> bool:
    """Whether a part is unread under one of the policies: that is no difference, and no agreement either."""
    return any(unread for _, _, unread in _parts(one))


def _parts(one: EpisodeReport) -> Iterator[tuple[Part, Part, bool]]:
    """Each part by both policies, and whether it is unread under one of them."""
    first, second = one.replays
    for main, changed in zip(first.parts, second.parts, strict=True):
        yield main, changed, first.unread_at_the_end(main) or second.unread_at_the_end(changed)


def _count(found: Backtested) -> str:
    """How many would have been decided the same, and of how many that cannot be said."""
    same, unread = found.rollouts - len(found.differing) - found.incomparable, found.incomparable
    if found.rollouts == 1:
        if unread:
            return "The last rollout cannot be compared: history is missing."
        return f"The last rollout would have been decided {'as' if same else 'otherwise than'} by main's policy."
    if unread == found.rollouts:
        return f"Of the last {unread} rollouts none can be compared: history is missing."
    behind = f"; {unread} cannot be compared: history is missing" if unread else ""
    return f"Of the last {found.rollouts} rollouts {same} would have been decided as by main's policy{behind}."


def lines(model: ModelPlan) -> Iterator[Line]:
    """Each rollout that would have gone another way; one line where none would, or none could be read."""
    found = model.backtest
    if found is None:
        return
    if not found.rollouts:
        nothing = f"no time was left for any of {found.older}" if found.older else "no rollout entered within 90 days"
        yield ("Not replayed: ", quoted(found.unread or nothing), ".")
        return
    if found.unread:
        yield ("Not all could be read: ", quoted(found.unread), ".")
    yield (_count(found),)
    if found.hurried:
        yield (f"No time was left for {found.older} older ones.",)
    for one in found.differing:
        where = (quoted(one.environment), f", version {one.version}, entered {wording.instant(one.entered)}: ")
        before, after = quoted(one.before, _ANSWER), quoted(one.after, _ANSWER)
        yield (*where, "main's: ", before, "; this change: ", after, ".")
    yield ("The changed policy is younger: it may have been tuned on what it is replayed on.",)
    policies = f"--policy {quote(found.head or model.path)} --compare {quote(found.base)}"
    yield ("In full: ", typed(f"tidegate backtest {model.name} --from 90d {policies}"), ".")
