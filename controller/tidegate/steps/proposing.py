"""From a transition to a merged proposal: branch, proposal, required check, merge, and the look behind the merge.

Every step may have been done before by a pass that died, or be done at the same time by another controller:
branches are created by compare-and-swap, proposals adopted, merges pinned to the head that was judged (I2, I4).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tidegate.core import wording
from tidegate.core.authorise import Head, required_check
from tidegate.core.guards import SAFETY
from tidegate.core.manifest import Model
from tidegate.core.observed import Check, CheckState, Proposal, ProposalState
from tidegate.core.outcome import Decision
from tidegate.core.pin import Pin, content
from tidegate.core.transition import Branch, Transition, parse_branch
from tidegate.core.workspace import Workspace
from tidegate.core.yaml import splice
from tidegate.errors import InvalidManifest, MergeConflict, Raced
from tidegate.ports import Clock, Draft, Forge, Repository, Target, is_foreign
from tidegate.steps.desired import WORKSPACE, DesiredReader

ME = "tidegate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What it takes to propose: the state that was judged (`main` is its commit), and where proposals go."""

    repository: Repository
    forge: Forge
    reader: DesiredReader
    targets: Mapping[str, Target]
    workspace: Workspace
    main: str
    clock: Clock

    @property
    def now(self) -> datetime:
        """The instant of the write at hand."""
        return self.clock.now()


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A merge, and what was found when looking behind it: `incident` says what is not as proposed."""

    proposal: int
    commit: str
    incident: str | None = None


def propose(
    desk: Desk, model: Model, transition: Transition, *, author: str = ME, queries: Sequence[str] = ()
) -> Proposal:
    """The open proposal that carries this transition: the one that is there already, or a new one."""
    head = _branch(desk, model, transition)
    title, body = wording.title(transition), wording.body(transition, queries)
    if transition.adopts is None:
        draft = Draft(branch=transition.branch, head=head, title=title, body=body, author=author)
        return desk.forge.create(draft, desk.now)
    proposal = desk.forge.proposal(transition.adopts)
    if proposal.state is ProposalState.CLOSED:
        desk.forge.reopen(proposal.number, author, desk.now)
    if proposal.body != body:
        desk.forge.describe(proposal.number, title, body, desk.now)
    return desk.forge.proposal(proposal.number)


def _branch(desk: Desk, model: Model, transition: Transition) -> str:
    """The head of the transition's branch, made from main when it is not there, or is not what we would write by now.

    Raises Raced when main says otherwise by now.
    """
    existing = desk.repository.head(transition.branch)
    if existing is not None and not _is_outdated(desk, model, transition, existing):
        return existing
    files = transition_files(desk, model, transition.environment, transition.after, desk.main)
    commit = desk.repository.write_commit(desk.main, files, wording.commit_message(transition), desk.now)
    try:
        desk.repository.move_branch(transition.branch, commit, existing)
    except Raced:
        existing = desk.repository.head(transition.branch)
        if existing is None:
            raise
        return existing
    made = parse_branch(transition.branch)
    if made is not None and _moved(desk, model, made):
        # Another controller made, merged and deleted this branch meanwhile: ours would propose it once more.
        desk.repository.move_branch(transition.branch, None, commit)
        raise Raced(f"main moved while {transition.branch} was made; read again and decide again")
    return commit


def _is_outdated(desk: Desk, model: Model, transition: Transition, head: str) -> bool:
    """Whether a branch of ours alone holds other files than this transition's. Somebody's commit on it is theirs."""
    commits = desk.repository.commits(desk.main, head)
    if not commits or is_foreign(commits, desk.repository.identity):
        return False
    files = transition_files(desk, model, transition.environment, transition.after, commits[0].parents[0])
    return any(desk.repository.read(head, path) != text for path, text in files.items())


def transition_files(desk: Desk, model: Model, environment: str, after: Pin, base: str) -> dict[str, str]:
    """The texts that a transition leads to: the pin file, edited in place, and the rendered file."""
    path = model.pin_path(environment)
    before = desk.repository.read(base, path)
    text = splice.dump(content(after)) if before is None else splice.rewrite(before, content(after), path)
    target = desk.targets[model.environment(environment).target.kind]
    return {path: text, target.path(model, environment): target.render(model, environment, after)}


def check(desk: Desk, model: Model, proposal: Proposal, decision: Decision) -> Check:
    """Compute the required check and write it to the forge when it says something new."""
    branch = parse_branch(proposal.branch)
    assert branch is not None, "proposals of ours are known by their branch"
    head = _head(desk, model, proposal, branch)
    result = required_check(head, decision, desk.workspace.approvals.get(branch.environment))
    if result != proposal.check:
        desk.forge.set_check(proposal.number, result, desk.now)
    return result


def _head(desk: Desk, model: Model, proposal: Proposal, branch: Branch) -> Head:
    commits = desk.repository.commits(desk.main, proposal.head)
    proposal = replace(proposal, foreign=is_foreign(commits, desk.repository.identity))
    base = commits[0].parents[0] if commits else desk.main
    pin_path = model.pin_path(branch.environment)
    pin = _pin(desk, proposal.head, pin_path)
    changed = {
        path: desk.repository.read(proposal.head, path) for path in desk.repository.changed_paths(base, proposal.head)
    }
    expected: dict[str, str | None] = {}
    if pin is not None:
        expected.update(transition_files(desk, model, branch.environment, pin, base))
        expected = {path: text for path, text in expected.items() if desk.repository.read(base, path) != text}
    return Head(
        proposal=proposal,
        branch=branch,
        pin=pin,
        main_pin=_pin(desk, desk.main, pin_path),
        changed=changed,
        expected=expected,
        approvals=_approvals(desk, proposal, pin_path),
    )


def _approvals(desk: Desk, proposal: Proposal, pin_path: str) -> tuple[tuple[str, str, str], ...]:
    """Each approval with the head it was given at and that head's transition key."""
    found: list[tuple[str, str, str]] = []
    for approval in proposal.approvals:
        pin = _pin(desk, approval.head, pin_path)
        if pin is not None and pin.transition is not None:
            found.append((approval.handle, approval.head, pin.transition.key))
    return tuple(found)


def _pin(desk: Desk, commit: str, path: str) -> Pin | None:
    text = desk.repository.read(commit, path)
    try:
        return desk.reader.pin(text, path) if text is not None else None
    except InvalidManifest:
        return None


def merge(desk: Desk, model: Model, proposal: Proposal, result: Check, *, by_person: bool = False) -> Merged | None:
    """Merge exactly what was checked, then look at what merged. None when something moved: the next pass decides.

    A branch with somebody else's commit is that person's to merge, never ours (`by_person`).
    """
    commits = desk.repository.commits(desk.main, result.head)
    if result.state is not CheckState.PASSED or (is_foreign(commits, desk.repository.identity) and not by_person):
        return None
    branch = parse_branch(proposal.branch)
    assert branch is not None
    if _moved(desk, model, branch):
        return None
    message = wording.merge_message(proposal.number, proposal.title, branch.key)
    try:
        commit = desk.forge.merge(proposal.number, result.head, message, desk.now)
    except Raced:
        return None
    except MergeConflict:
        _rebuild(desk, model, proposal, branch)
        return None
    return Merged(
        proposal=proposal.number, commit=commit, incident=_incident(desk, model, branch, proposal.head, commit)
    )


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
    pin = _pin(desk, proposal.head, model.pin_path(branch.environment))
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
    if _pin(desk, commit, pin_path) != _pin(desk, head, pin_path):
        return f"{pin_path} at {commit[:12]} does not say what proposal head {head[:12]} says"
    rendered = desk.targets[model.environment(branch.environment).target.kind].path(model, branch.environment)
    if desk.repository.read(commit, rendered) != desk.repository.read(head, rendered):
        return f"{rendered} at {commit[:12]} is not what proposal head {head[:12]} holds"
    return None
