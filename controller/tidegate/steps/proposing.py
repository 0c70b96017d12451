"""From a transition to a merged proposal: branch, proposal, required check, merge, and the look behind the merge.

Every step may have been done before by a pass that died, or be done at the same time by another controller:
branches are created by compare-and-swap, proposals adopted, merges pinned to the head that was judged (I2, I4).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from tidegate.core import wording
from tidegate.core.approving.votes import UNLISTED
from tidegate.core.authorise import Edited, Head, required_check
from tidegate.core.guards import SAFETY
from tidegate.core.manifest import Model
from tidegate.core.observed import MAIN, Check, CheckState, Proposal, ProposalState
from tidegate.core.outcome import Decision
from tidegate.core.pin import Pin, content, digest, is_ours
from tidegate.core.transition import DECIDED, Branch, Kind, Transition, parse_branch
from tidegate.core.wording import asked_by
from tidegate.core.workspace import ApprovalSource
from tidegate.core.yaml import splice
from tidegate.errors import MergeConflict, Raced, Refused, TidegateError, WrongUse
from tidegate.ports import CommitInfo, Draft, Waiting, is_foreign
from tidegate.steps import approving
from tidegate.steps.approving import pin_at
from tidegate.steps.desired import WORKSPACE
from tidegate.steps.desk import Desk

ME = "tidegate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A proposal with what is decided for its environment, and the check that came of it."""

    model: Model
    proposal: Proposal
    decision: Decision
    check: Check


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A merge, and what was found when looking behind it: `incident` says what is not as proposed."""

    proposal: int
    commit: str
    incident: str | None = None


def propose(
    desk: Desk, model: Model, transition: Transition, *, author: str = ME, account: Sequence[str] = ()
) -> Proposal:
    """The open proposal that carries this transition: the one that is there already, or a new one."""
    head = _branch(desk, model, transition, author)
    title, body = wording.title(transition), wording.body(transition, account)
    draft = Draft(branch=transition.branch, head=head, title=title, body=body, author=author)
    if transition.adopts is None:
        return _created(desk, transition, draft)
    proposal = desk.forge.proposal(transition.adopts)
    if proposal.state is ProposalState.CLOSED:
        desk.forge.reopen(proposal.number, author, desk.now)
        # A forge that opens nothing again made a new one: whichever is open on this branch now is adopted.
        proposal = desk.forge.create(draft, desk.now)
    body = body if account else wording.keeping_account(body, proposal.body)
    if proposal.body != body:
        desk.forge.describe(proposal.number, title, body, desk.now)
    return desk.forge.proposal(proposal.number)


def _created(desk: Desk, transition: Transition, draft: Draft) -> Proposal:
    """The branch's open proposal. Raises Raced where a person's verb has another head there: they are about to approve
    it."""
    proposal = desk.forge.create(draft, desk.now)
    if transition.kind not in DECIDED and proposal.head != draft.head:
        raise Raced(f"{draft.branch} moved while #{proposal.number} was proposed; look at it, and ask again")
    return proposal


def _branch(desk: Desk, model: Model, transition: Transition, author: str) -> str:
    """The head of the transition's branch, made from main when it is not there, or is not what we would write by now.

    Raises Raced when main says otherwise by now, Refused where somebody else's commit is on the branch of a person's
    verb.
    """
    existing = desk.repository.head(transition.branch)
    if existing is not None and _is_kept(desk, model, transition, existing):
        _require_unmoved(desk, model, transition)
        return existing
    files = transition_files(desk, model, transition.environment, transition.after, desk.main)
    commit = desk.repository.write_commit(desk.main, files, wording.commit_message(transition, author), desk.now)
    try:
        desk.repository.move_branch(transition.branch, commit, existing)
    except Raced:
        existing = desk.repository.head(transition.branch)
        if existing is None or not _is_kept(desk, model, transition, existing):
            raise
        _require_unmoved(desk, model, transition)
        return existing
    try:
        _require_unmoved(desk, model, transition)
    except Raced:
        desk.repository.move_branch(transition.branch, None, commit)
        raise
    return commit


def _require_unmoved(desk: Desk, model: Model, transition: Transition) -> None:
    """Another controller may have merged this branch meanwhile, whether it took it away or died before: it would be
    proposed once more."""
    branch = parse_branch(transition.branch)
    if branch is not None and _moved(desk, model, branch):
        raise Raced(f"main moved while {transition.branch} was made; read again and decide again")


def _is_kept(desk: Desk, model: Model, transition: Transition, head: str) -> bool:
    """Whether a branch stays as it is: it holds exactly this transition, or somebody's commit, which is theirs.

    Raises Refused for somebody's commit on the branch of a person's verb: anybody who may push can tell its name, and
    whoever asks would approve what stands there.
    """
    commits = desk.repository.commits(desk.main, head)
    if not _is_foreign(desk, commits, transition.kind):
        return not commits or _is_exactly(desk, model, transition, head)
    if transition.kind in DECIDED:
        return True
    raise Refused(
        f"nothing was proposed, somebody else's commit {head[:12]} is on {transition.branch}: look at who pushed it, "
        f"take the branch away (`git push origin --delete {transition.branch}`), and ask again"
    )


def _is_exactly(desk: Desk, model: Model, transition: Transition, head: str) -> bool:
    """Whether a head sets the files of the transition as we would, and no other."""
    try:
        pairs = approving.sides(desk, head)
    except WrongUse:  # it comes from nowhere on main
        return False
    files = transition_files(desk, model, transition.environment, transition.after, _base(desk, head))
    changed = {path for before, after in pairs for path in desk.repository.changed_paths(before, after)}
    return changed <= files.keys() and all(desk.repository.read(head, path) == text for path, text in files.items())


def _base(desk: Desk, head: str) -> str:
    """The commit that a branch was made on."""
    oldest = next(iter(desk.repository.commits(desk.main, head)), None)
    return oldest.parents[0] if oldest is not None and oldest.parents else desk.main


def transition_files(desk: Desk, model: Model, environment: str, after: Pin, base: str) -> dict[str, str]:
    """The texts that a transition leads to: the pin file, edited in place, and the rendered file."""
    path = model.pin_path(environment)
    before = desk.repository.read(base, path)
    text = splice.dump(content(after)) if before is None else splice.rewrite(before, content(after), path)
    target = desk.targets[model.environment(environment).target.kind]
    return {path: text, target.path(model, environment): target.render(model, environment, after)}


def check(desk: Desk, model: Model, proposal: Proposal, decision: Decision) -> Checked:
    """Compute the required check and write it to the forge when it says something new."""
    result = computed(desk, model, proposal, decision)
    if result != proposal.check:
        desk.forge.set_check(proposal.number, result, desk.now)
    return Checked(model=model, proposal=proposal, decision=decision, check=result)


def computed(desk: Desk, model: Model, proposal: Proposal, decision: Decision) -> Check:
    """The required check of a proposal of ours."""
    branch = parse_branch(proposal.branch)
    assert branch is not None, "proposals of ours are known by their branch"
    head = _head(desk, model, proposal, branch)
    return required_check(head, decision, desk.workspace.approvals.get(branch.environment))


def _head(desk: Desk, model: Model, proposal: Proposal, branch: Branch) -> Head:
    commits = desk.repository.commits(desk.main, proposal.head)
    foreign = _is_foreign(desk, commits, branch.kind)
    proposal = replace(proposal, foreign=foreign, approvals=approving.given_to(desk, proposal, touched=foreign))
    base = _base(desk, proposal.head)
    pin_path = model.pin_path(branch.environment)
    pin = pin_at(desk, proposal.head, pin_path)
    expected: dict[str, str | None] = {}
    if pin is not None:
        expected.update(transition_files(desk, model, branch.environment, pin, base))
        expected = {path: text for path, text in expected.items() if desk.repository.read(base, path) != text}
    return Head(
        proposal=proposal,
        branch=branch,
        pin=pin,
        main_pin=pin_at(desk, desk.main, pin_path),
        changed=_changed(desk, proposal.head, pin_path),
        expected=expected,
        approved=_approved(desk, model, proposal, branch),
        panel=approving.panel_of_entry(desk, model, proposal, branch),
        edited=_edited(desk, model, proposal, branch) if foreign else None,
    )


def _is_foreign(desk: Desk, commits: Sequence[CommitInfo], kind: Kind) -> bool:
    return is_foreign(commits, desk.repository.identity, verb=kind not in DECIDED)


def _edited(desk: Desk, model: Model, proposal: Proposal, branch: Branch) -> Edited:
    """What a person made of a branch of ours; the environment's rule is asked whatever they changed.

    Who asked for a verb is one of its authors: by our commit, and by the proposal, whose text whoever may write can
    edit. Each alone can be taken away; both can only shut out.
    """
    rule = desk.workspace.approvals.get(branch.environment, UNLISTED)
    edited = approving.edited(desk, desk.forge.pull_request(proposal.number), rule)
    if branch.kind in DECIDED:
        return edited
    unknown = not _is_asker_proven(desk, model, proposal, branch)
    return replace(edited, authors=edited.authors | {proposal.author}, asker_unknown=unknown)


def _is_asker_proven(desk: Desk, model: Model, proposal: Proposal, branch: Branch) -> bool:
    """Whether a commit that is ours beyond doubt made this very transition, and says who asked for it."""
    path = model.pin_path(branch.environment)
    for commit in desk.repository.commits(desk.main, proposal.head):
        if asked_by(commit.message) is None or is_foreign([commit], desk.repository.identity):
            continue
        pin = pin_at(desk, commit.sha, path)
        if pin is not None and is_ours(model.name, branch.environment, pin) and _key(pin) == branch.key:
            return True
    return False


def _key(pin: Pin) -> str | None:
    return pin.transition.key if pin.transition else None


def _changed(desk: Desk, head: str, pin_path: str) -> dict[str, str | None]:
    """The files that differ from main, with their texts: those of the head, or what merging makes of them.

    A pin file that says the same after the merge counts as the head's: main may have another comment in it.
    """
    pin = pin_at(desk, head, pin_path)
    found: dict[str, str | None] = {}
    for before, after in approving.sides(desk, head):
        said = head if pin_at(desk, after, pin_path) == pin else after
        paths = desk.repository.changed_paths(before, after)
        found |= {path: desk.repository.read(said if path == pin_path else after, path) for path in paths}
    return found


def _approved(desk: Desk, model: Model, proposal: Proposal, branch: Branch) -> dict[str, str]:
    """The digest of the pin file at each head that somebody approved.

    A head that is gone proposed nothing, nor did one that somebody else wrote a part of: there the file proves nothing.
    """
    found: dict[str, str] = {}
    for head in {approval.head for approval in proposal.approvals}:
        with suppress(WrongUse):
            commits = desk.repository.commits(desk.main, head)
            pin = pin_at(desk, head, model.pin_path(branch.environment))
            if pin is None or _is_foreign(desk, commits, branch.kind):
                continue
            if is_ours(model.name, branch.environment, pin):
                found[head] = digest(pin)
    return found


def merge(desk: Desk, checked: Checked, *, by_person: bool = False) -> Merged | Waiting | None:
    """Merge exactly what was checked, then look at what merged. None when something moved: the next pass decides.

    A branch with somebody else's commit is that person's to merge, never ours (`by_person`). Raises MergeConflict where
    such a branch does not merge: it is never made again over what they wrote.
    """
    model, proposal, result = checked.model, checked.proposal, checked.check
    branch = parse_branch(proposal.branch)
    assert branch is not None
    commits = desk.repository.commits(desk.main, result.head)
    foreign = _is_foreign(desk, commits, branch.kind)
    if result.state is not CheckState.PASSED or (foreign and not by_person):
        return None
    if _moved(desk, model, branch):
        return None
    message = wording.merge_message(proposal.number, proposal.title, branch.key)
    try:
        commit = desk.forge.merge(
            proposal.number, result.head, message, desk.now, still=partial(_still_passes, desk, checked)
        )
    except Raced:
        return None
    except MergeConflict:
        if foreign:
            raise
        _rebuild(desk, model, proposal, branch)
        return None
    if isinstance(commit, Waiting):
        return commit
    found: str | None = None
    with suppress(TidegateError):  # it is merged, whatever else fails; the passes of the next hour look behind it too
        found = _incident(desk, model, branch, proposal.head, commit)
    return Merged(proposal=proposal.number, commit=commit, incident=found)


def _still_passes(desk: Desk, checked: Checked) -> bool:
    """Whether the check passes with what people have said since it was computed; where it does not, it says so now.

    What passed without an approval rests on none that could be taken back.
    """
    if not checked.proposal.approvals and desk.workspace.approval_source is ApprovalSource.REVIEWS:
        return True
    fresh = desk.forge.proposal(checked.proposal.number)
    again = check(desk, checked.model, fresh, checked.decision).check
    return (again.head, again.state, fresh.base) == (checked.check.head, CheckState.PASSED, MAIN)


def look_behind(desk: Desk, model: Model, proposal: Proposal) -> str | None:
    """What a merge holds instead of what was proposed, whoever made it: a merge queue, auto-merge, or a person."""
    branch = parse_branch(proposal.branch)
    if branch is None or proposal.merge_commit is None:
        return None
    if proposal.base != MAIN:
        where = f"into {proposal.base}, not into {MAIN}, as {proposal.merge_commit[:12]}"
        return f"#{proposal.number} was merged {where}; take it back there, unless that was meant"
    try:
        return _incident(desk, model, branch, proposal.head, proposal.merge_commit)
    except WrongUse:  # the head is gone, with the branch it was on
        return None


def _moved(desk: Desk, model: Model, branch: Branch) -> bool:
    """Whether main now differs, in what this decision rests on, from the state that was judged.

    Going back rests on its own environment; everything else on all of them, which may have rejected the version.
    """
    head = desk.repository.head()
    if head is None or head == desk.main:
        return head is None
    own = [branch.environment] if branch.kind in SAFETY else [e.name for e in model.environments]
    paths = (WORKSPACE, model.manifest_path, *(model.pin_path(name) for name in own))
    return any(desk.repository.object_id(head, path) != desk.repository.object_id(desk.main, path) for path in paths)


def _rebuild(desk: Desk, model: Model, proposal: Proposal, branch: Branch) -> None:
    """The branch does not merge any more though the transition is due: make it again from main (same key, same
    branch)."""
    pin = pin_at(desk, proposal.head, model.pin_path(branch.environment))
    if pin is None:
        return
    files = transition_files(desk, model, branch.environment, pin, desk.main)
    message = desk.repository.commit_info(proposal.head).message
    commit = desk.repository.write_commit(desk.main, files, message, desk.now)
    desk.repository.move_branch(proposal.branch, commit, proposal.head)


def _incident(desk: Desk, model: Model, branch: Branch, head: str, commit: str) -> str | None:
    """What the merge commit holds instead of what was judged (I4), in our files only: others may have moved
    honestly."""
    pin_path = model.pin_path(branch.environment)
    if pin_at(desk, commit, pin_path) != pin_at(desk, head, pin_path):
        return f"{pin_path} at {commit[:12]} does not say what proposal head {head[:12]} says"
    rendered = desk.targets[model.environment(branch.environment).target.kind].path(model, branch.environment)
    if desk.repository.read(commit, rendered) != desk.repository.read(head, rendered):
        return f"{rendered} at {commit[:12]} is not what proposal head {head[:12]} holds"
    return None
