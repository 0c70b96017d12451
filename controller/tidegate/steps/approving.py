"""What the approval gate needs to know of a pull request: what it changes, who approved, and who is in which team.

Read from git and forge; whether that is enough is `core.authorise`'s to say. Who wrote a training change: `authorship`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from tidegate import bundled
from tidegate.core.approving.needs import Change, is_looked_into, may_lead_elsewhere, needs_of
from tidegate.core.approving.votes import UNLISTED, Panel, approvals_of, folded, missing, people
from tidegate.core.authorise import Edited
from tidegate.core.manifest import Model
from tidegate.core.observed import Approval, Proposal, PullRequest
from tidegate.core.pin import Pin
from tidegate.core.transition import Branch, Kind
from tidegate.core.wording import asked_by
from tidegate.core.workspace import Approvals
from tidegate.core.yaml.document import read as read_document
from tidegate.errors import InvalidManifest, OutsideSystem, WrongUse
from tidegate.ports import CommitInfo, Forge
from tidegate.steps.approvals import given
from tidegate.steps.authorship import training_authors
from tidegate.steps.changes import Side, Sources
from tidegate.steps.desired import Desired, Wanted
from tidegate.steps.desk import Desk

MANY_COMMITS = 250
"""GitHub lists no more of a pull request's commits than these either (REST docs, "List commits on a pull request")."""


def owner(branch: Branch | None, desired: Desired) -> Wanted | None:
    """The model that a branch names; None where main has no such model, or no such environment of it."""
    if branch is None:
        return None
    wanted = next((wanted for wanted in desired.models if wanted.model.name == branch.model), None)
    there = wanted is not None and any(e.name == branch.environment for e in wanted.model.environments)
    return wanted if there else None


def given_to(desk: Desk, proposal: Proposal, *, touched: bool) -> tuple[Approval, ...]:
    """The approvals of one proposal of ours, `touched` where somebody else's commit is on its branch."""
    return given(proposal, desk.forge, desk.workspace, touched=touched)


def panel_of_entry(desk: Desk, model: Model, proposal: Proposal, branch: Branch) -> Panel:
    """Who is who among those that may approve a proposal of ours; nobody is asked before somebody approved."""
    rule = desk.workspace.approvals.get(branch.environment, UNLISTED)
    if not proposal.approvals:
        return Panel()
    panel = panel_of([rule], desk.forge, proposal.approvals)
    asks_who_trained = rule.not_sole_author and branch.kind is Kind.PROMOTE
    if not asks_who_trained or not _suffice([rule], people(each.handle for each in proposal.approvals), panel):
        return panel
    path = model.pin_path(branch.environment)
    new = _versions(desk, proposal.head, path) - _versions(desk, desk.main, path)
    return replace(panel, trained_by=training_authors(desk, model, new))


def _suffice(rules: Iterable[Approvals], approving: frozenset[str], panel: Panel) -> bool:
    """Whether these are enough unless some of them wrote it: who did costs a request a commit, and is asked only where
    it matters. Anybody can approve."""
    return all(missing(rule, approving, panel) is None for rule in rules)


class Unrelated(WrongUse):
    """A head that shares no commit with main."""


def sides(desk: Desk, head: str) -> tuple[tuple[str, str], ...]:
    """The commits, before and after, between which a merge into main is judged: what the head changes since each commit
    that it comes from as main does, and what merging makes of main.

    The first alone would not do: after merges criss-cross, merging brings back what the other one took away. The last
    alone would not either: main may go back, after the check, on what it has in common with the head.
    Raises Unrelated where the head shares no commit with main.
    """
    bases, merged = desk.repository.merge_bases(desk.main, head), desk.repository.merged(desk.main, head)
    if not bases:
        raise Unrelated(f"{head[:12]} and main share no commit; make the branch from main")
    return tuple(dict.fromkeys([*((base, head) for base in bases), *([(desk.main, merged)] if merged else [])]))


def edited(desk: Desk, request: PullRequest, *also: Approvals) -> Edited:
    """A pull request as a person's, with what it takes to tell whether rules are met: of what it changes, and `also`.

    One that shares no commit with main is not valid. Raises OutsideSystem where its head is not here yet.
    """
    _require_here(desk, request)
    try:
        pairs = sides(desk, request.head)
    except Unrelated as error:
        return Edited(head=request.head, authors=frozenset(), needs=(), invalid=(str(error),))
    changes = [_change(desk, before, after) for before, after in pairs]
    needs = needs_of(changes, desk.workspace)
    approvals = approvals_of(request, desk.workspace.approval_source, touched=True)
    rules = [*also, *(need.rule for need in needs)] if approvals else []
    found = Edited(
        head=request.head,
        authors=frozenset({request.author}),
        needs=needs,
        invalid=tuple(dict.fromkeys(wrong for change in changes for wrong in change.invalid)),
        approvals=approvals,
        panel=panel_of(rules, desk.forge, approvals),
    )
    approving = people((each.handle for each in approvals if each.head == request.head), without=found.authors)
    if not rules or not _suffice(rules, approving, found.panel):
        return found
    if any(rule.not_sole_author for rule in rules):
        found = replace(found, panel=replace(found.panel, trained_by=_trained_by(desk, pairs)))
    return _with_authors(desk, request, found)


def _require_here(desk: Desk, request: PullRequest) -> None:
    try:
        desk.repository.commit_info(request.head)
    except WrongUse:
        where = f"the head of #{request.number}, {request.head[:12]},"
        raise OutsideSystem(f"{where} is not given out by the forge yet; the next pass looks again") from None


def _with_authors(desk: Desk, request: PullRequest, found: Edited) -> Edited:
    """With all who wrote it, as far as that can be asked for."""
    commits = desk.repository.commits(desk.main, request.head)
    if len(commits) > MANY_COMMITS:
        untold = (
            f"it has {len(commits)} commits, and the authors of no more than {MANY_COMMITS} are asked for; squash it"
        )
        return replace(found, untold=untold)
    return replace(found, authors=_authors(desk, request, commits))


def _authors(desk: Desk, request: PullRequest, commits: Sequence[CommitInfo]) -> frozenset[str]:
    """Who opened it, whose commits it carries, and who asked us for those of them that are ours."""
    asked = {handle for commit in commits if (handle := asked_by(commit.message)) is not None}
    return desk.forge.authors([commit.sha for commit in commits]) | {request.author} | asked


def _trained_by(desk: Desk, pairs: Sequence[tuple[str, str]]) -> frozenset[str] | None:
    """Who wrote the training changes of the versions that a person's change lets in; None where nobody can tell."""
    trained = [training_authors(desk, model, new) for model, new in _entering(desk, pairs)]
    known = [authors for authors in trained if authors is not None]
    return frozenset().union(*known) if len(known) == len(trained) else None


def _entering(desk: Desk, pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[Model, frozenset[int]]]:
    """The versions that a person's change of pin files lets in, with their model."""
    changed = {path for before, after in pairs for path in desk.repository.changed_paths(before, after)}
    for model in (wanted.model for wanted in desk.reader.read(desk.main).models):
        paths = [path for e in model.environments if (path := model.pin_path(e.name)) in changed]
        new = (
            _versions(desk, after, path) - _versions(desk, before, path) for before, after in pairs for path in paths
        )
        if versions := frozenset().union(*new):
            yield model, versions


def panel_of(rules: Collection[Approvals], forge: Forge, approvals: Iterable[Approval]) -> Panel:
    """The teams of these rules; where one lists nobody, also who of those that approved may write."""
    teams: dict[str, frozenset[str]] = {}
    unreadable: dict[str, str] = {}
    for team in sorted({team for rule in rules for team in rule.teams}):
        try:
            teams[team] = frozenset(map(folded, forge.members(team)))
        except WrongUse as error:
            unreadable[team] = str(error)
    asked = people(approval.handle for approval in approvals) if not all(rule.handles for rule in rules) else ()
    writers = frozenset(handle for handle in asked if forge.may_write(handle))
    return Panel(teams=teams, unreadable=unreadable, writers=writers)


def _change(desk: Desk, before: str, after: str) -> Change:
    """What differs between the two commits; what a file says must be valid after the change."""
    repository, rules = desk.repository, desk.workspace
    paths = repository.changed_paths(before, after)
    looked_into = [path for path in paths if is_looked_into(path, rules)]
    old, _ = _contents(desk, before, looked_into)
    new, wrong = _contents(desk, after, looked_into)
    change = Change(
        paths=paths,
        before=old,
        after=new,
        linked=repository.links(after, [path for path in paths if may_lead_elsewhere(path, rules)]),
    )
    if not looked_into:
        return change
    sources = Sources(repository=repository, schemas=bundled.schemas(), targets=desk.targets, records=())
    was, then = Side(before, sources, merged=True), Side(after, sources, merged=False)
    opened = tuple(_opened(was, then))
    return replace(change, opened=opened, invalid=(*wrong, *map(str, then.findings)))


def _contents(desk: Desk, commit: str, paths: Sequence[str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What the files say, and what is wrong with those that are no YAML: before the change they say nothing."""
    found: dict[str, Any] = {}
    wrong: list[str] = []
    for path, text in desk.repository.read_many(commit, paths).items():
        try:
            found[path] = read_document(text, path).data
        except InvalidManifest as error:
            wrong.append(str(error.findings[0]))
    return found, tuple(wrong)


def _opened(before: Side, after: Side) -> Iterator[tuple[str, str]]:
    """Environments that manifests of the change reach, and how; what is not valid is among the findings of `after`."""
    for path, text in after.manifests.items():
        if text == before.manifests.get(path) and _order(before) == _order(after):
            continue
        new = after.model(path)
        if new is None:
            continue
        yield from (
            (name, f"{new.name} would enter {name} without an approval") for name in _let_in(before.model(path), new)
        )
        if path not in before.manifests and _is_taken(new, before):
            yield from ((e.name, f"{path} has the name of another model") for e in new.environments)


def _order(side: Side) -> tuple[str, ...]:
    """Of the environments; whether one needs an approval by default depends on its place."""
    return side.workspace.environments if side.workspace else ()


def _let_in(old: Model | None, new: Model) -> Iterator[str]:
    """The environments that versions enter without an approval by now, of a model that had it otherwise or not at all:
    one that was taken out of the manifest, or its whole manifest, comes back as it was guarded."""
    open_before = {e.name for e in old.environments if not e.approval_required} if old else set()
    return (e.name for e in new.environments if not e.approval_required and e.name not in open_before)


def _is_taken(new: Model, before: Side) -> bool:
    """Whether another model answers to a new one's name, or to its name in the registry."""
    wanted = {new.name, new.registry_name}
    others = (before.model(path) for path, text in before.manifests.items() if any(name in text for name in wanted))
    return any(not wanted.isdisjoint({other.name, other.registry_name}) for other in others if other is not None)


def _versions(desk: Desk, commit: str, path: str) -> frozenset[int]:
    """The versions that a pin file would serve at a commit."""
    pin = pin_at(desk, commit, path)
    return frozenset(served.version for served in pin.serves()) if pin else frozenset()


def pin_at(desk: Desk, commit: str, path: str) -> Pin | None:
    """The pin file at a commit; None where there is none, or none that can be read."""
    text = desk.repository.read(commit, path)
    try:
        return desk.reader.pin(text, path) if text is not None else None
    except InvalidManifest:
        return None
