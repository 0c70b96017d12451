"""The one required check `tidegate`: may this pull request merge? Computed here only, for every forge (DESIGN.md
section 8).

The key identifies, it never authorises. A proposal passes without a person only if every commit is by our identity, the
diff is exactly the pin file and the rendered file of its transition, and `decide` on main's head still yields it.
Anything else is a person's, and needs the approvals that main's rules ask for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from tidegate.core.approving.needs import Need, entry
from tidegate.core.approving.votes import UNLISTED, Panel, counted, missing, people
from tidegate.core.observed import OURSELVES, Approval, Check, CheckState, Proposal
from tidegate.core.outcome import Decision, Hold, Nothing
from tidegate.core.pin import Pin, Stamp, digest, is_ours
from tidegate.core.transition import DECIDED, Branch, Kind, Transition
from tidegate.core.verbs import not_of_kind
from tidegate.core.workspace import Approvals

_SHOWN = 3
_Judged = tuple[CheckState, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """What a person changes: the head, what of it needs whose approval, and what is wrong with files of ours there.

    `authors` wrote it: their own approval does not count. `asker_unknown` is True where it was a person's verb, and
    nobody can tell any more whose. `approvals` are those of any head; this one's count. `untold` says why not all who
    wrote it are known: then nobody's approval counts.
    """

    head: str
    authors: frozenset[str]
    asker_unknown: bool = False
    needs: tuple[Need, ...]
    invalid: tuple[str, ...] = ()
    approvals: tuple[Approval, ...] = ()
    panel: Panel = field(default_factory=Panel)
    untold: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a proposal's head holds: the pin file there, the files that differ from main, and whose commits they are.

    `expected` are the files that the pin file at the head must lead to (None: must be absent). `approved` are the
    digests of the pin files at the heads that somebody approved. `edited` is what the head is as a person's change,
    where somebody else's commit is on the branch.
    """

    proposal: Proposal
    branch: Branch
    pin: Pin | None
    main_pin: Pin | None
    changed: Mapping[str, str | None]
    expected: Mapping[str, str | None]
    approved: Mapping[str, str] = field(default_factory=dict)
    panel: Panel = field(default_factory=Panel)
    edited: Edited | None = None


def required_check(head: Head, decision: Decision, rule: Approvals | None) -> Check:
    """Passed, pending (a person must approve) or failed (not due, or not what it says it is), with the reason."""
    state, summary = _judge(head, decision, rule)
    return Check(head=head.proposal.head, state=state, summary=summary)


def edited_check(edited: Edited) -> Check:
    """The same check of a person's pull request: passed or pending; failed where nobody can tell what it would do."""
    state, summary = _judge_edited(edited)
    return Check(head=edited.head, state=state, summary=summary)


def _judge(head: Head, decision: Decision, rule: Approvals | None) -> _Judged:
    if head.edited is not None:
        return _taken_over(head.edited, head.branch, rule)
    if (wrong := _not_what_it_says(head)) is not None:
        return CheckState.FAILED, wrong
    if head.branch.kind not in DECIDED:
        return _asked_for(head, rule)
    return _decided(head, decision, rule)


def _not_what_it_says(head: Head) -> str | None:
    """Why the head is not exactly the transition that its branch names, or None."""
    if head.pin is None or head.pin.transition is None:
        return "the pin file at the head cannot be read"
    if (wrong := _not_its_transition(head, head.pin, head.pin.transition)) is not None:
        return wrong
    if dict(head.changed) != dict(head.expected):
        return "the diff is not exactly the pin file and the rendered file of the transition"
    return None if head.branch.kind in DECIDED else not_of_kind(head.branch.kind, head.main_pin, head.pin)


def _not_its_transition(head: Head, pin: Pin, stamp: Stamp) -> str | None:
    if stamp.kind != head.branch.kind.value:
        return "the pin file names another kind of transition than the branch"
    if stamp.key != head.branch.key or not is_ours(head.branch.model, head.branch.environment, pin):
        return "the pin file does not hash to the transition that the branch names"
    if stamp.before != digest(head.main_pin):
        return "main's pin file has changed since: the transition no longer follows from it"
    return None


def _taken_over(edited: Edited, branch: Branch, rule: Approvals | None) -> _Judged:
    """Somebody else's commit is on the branch: it is theirs, and the environment's rule holds whatever they changed.

    Who asked for a verb approves nothing of it then. Where nobody can tell who that was, it takes one person more.
    """
    why, rule = "somebody else's commit is on the branch", rule or UNLISTED
    if edited.asker_unknown:
        why, rule = f"{why}, and nobody can tell who asked for it", replace(rule, count=rule.count + 1)
    own = Need(name=entry(branch.environment), rule=rule, what=(why,))
    others = (need for need in edited.needs if need.name != own.name)
    return _judge_edited(replace(edited, needs=(own, *others)))


def _judge_edited(edited: Edited) -> _Judged:
    if edited.invalid:
        return CheckState.FAILED, f"nobody can tell what it would do: {_some(edited.invalid)}"
    if not edited.needs:
        return CheckState.PASSED, "changes nothing that tidegate.yaml asks an approval for"
    if edited.untold:
        return CheckState.PENDING, f"nobody can tell who wrote it: {edited.untold}"
    given = (approval.handle for approval in edited.approvals if approval.head == edited.head)
    return _with_approvals(edited.needs, people(given, without=edited.authors), edited.panel)


def _decided(head: Head, decision: Decision, rule: Approvals | None) -> _Judged:
    match decision:
        case Transition() if decision.key == head.branch.key:
            if decision.needs_person:
                return _entering(head, rule, decision.reasons[0])
            return CheckState.PASSED, "; ".join(decision.reasons)
        case Transition():
            return CheckState.FAILED, f"not due any more: {decision.reasons[0]}"
        case Hold(unknown=True):
            return CheckState.PENDING, f"cannot be judged now: {decision.reason}"
        case Hold():
            return CheckState.FAILED, f"not now: {decision.reason}"
        case Nothing():
            return CheckState.FAILED, "not due any more: the desired state is reached without it"


def _entering(head: Head, rule: Approvals | None, why: str) -> _Judged:
    """What the loop decided: whoever's token proposed it, no person is its author."""
    need = Need(name=entry(head.branch.environment), rule=rule or UNLISTED, what=(why,))
    return _with_approvals((need,), people(_approving(head), without=(OURSELVES,)), head.panel)


def _asked_for(head: Head, rule: Approvals | None) -> _Judged:
    """A person's verb: their own approval counts where they are listed, whatever they trained. A spent budget is
    overridden by nobody who is not listed."""
    why, name = "asked for by a person", entry(head.branch.environment)
    if rule is None and head.branch.kind is Kind.OVERRIDE:
        return (
            CheckState.PENDING,
            f"only who is listed may override a budget, and nobody is (see {name} in tidegate.yaml)",
        )
    if rule is None:
        return CheckState.PASSED, why
    need = Need(name=name, rule=replace(rule, not_sole_author=False), what=(why,))
    return _with_approvals((need,), people(_approving(head)), head.panel)


def _approving(head: Head) -> Iterable[str]:
    """Who approved this very content, at whatever head it was proposed. A key would not do: it is short, and who writes
    both contents can make them share one."""
    proposed = digest(head.pin)
    return (each.handle for each in head.proposal.approvals if head.approved.get(each.head) == proposed)


def _with_approvals(needs: Iterable[Need], approving: frozenset[str], panel: Panel) -> _Judged:
    given: dict[str, None] = {}
    asked: list[str] = []
    for need in needs:
        given |= dict.fromkeys(counted(need.rule, approving, panel))
        if (more := missing(need.rule, approving, panel)) is not None:
            unlisted = "" if need.rule.handles else f" (nobody is listed under {need.name} in tidegate.yaml)"
            asked.append(f"{more}{unlisted}: {_some(need.what)}")
    if asked:
        return CheckState.PENDING, f"needs {'; and '.join(asked)}"
    return CheckState.PASSED, f"approved by {', '.join(given)}: {'; '.join(_some(need.what) for need in needs)}"


def _some(what: tuple[str, ...]) -> str:
    """The first few of them, and how many more there are."""
    more = len(what) - _SHOWN
    return ", ".join(what[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
