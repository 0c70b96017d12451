"""What a moved branch does to pull requests: new heads, other bases, merges by push, closings. And what settles by
itself after any change: armed auto-merges and the merge queue.
"""

from __future__ import annotations

from collections.abc import Callable

from support.github.protection import requirements
from support.github.state import Account, Event, IssueEvent, Pull, Repository
from support.github.world import World

SETTLERS: list[Callable[[World, Repository], None]] = []
"""Called after every request that may have changed something: merging.py and merge_queue.py add theirs."""


def settle(world: World, repository: Repository) -> None:
    for each in SETTLERS:
        each(world, repository)


def noticed(world: World, repository: Repository, actor: Account | None = None) -> None:
    """Compare branches with what was seen last, and let pull requests follow."""
    now = repository.git.branches()
    before, repository.seen = repository.seen, now
    if now == before:
        return
    repository.pushed_at = world.now()
    for name in sorted({*before, *now}):
        if before.get(name) != now.get(name):
            payload = {"ref": f"refs/heads/{name}", "before": before.get(name), "after": now.get(name)}
            world.tell("push", repository, actor, **payload)
    for pull in repository.pulls:
        if pull.state == "open":
            _follow(world, repository, pull, actor)


def _follow(world: World, repository: Repository, pull: Pull, actor: Account | None) -> None:
    git = repository.git
    head, base = repository.seen.get(pull.head_ref), repository.seen.get(pull.base_ref)
    if base is None:
        _without_base(world, repository, pull, actor)
        return
    if head is not None and head != pull.head_sha:
        _synchronize(world, repository, pull, head, actor)
    if git.is_ancestor(pull.head_sha, base):
        if git.is_ancestor(pull.base_sha, pull.head_sha) and pull.head_sha != pull.base_sha:
            merged(world, repository, pull, actor, base)  # GitHub calls that merged, whoever pushed
        else:
            closed(world, repository, pull, actor)
    elif head is None:
        closed(world, repository, pull, actor)


def _without_base(world: World, repository: Repository, pull: Pull, actor: Account | None) -> None:
    """A base that was merged before it went leaves its pull requests to what it was merged into."""
    into = next((each.base_ref for each in repository.pulls if each.merged and each.head_ref == pull.base_ref), None)
    if into is None or into not in repository.seen:
        closed(world, repository, pull, actor)
        return
    retarget(world, repository, pull, into, actor)


def retarget(world: World, repository: Repository, pull: Pull, base: str, actor: Account | None) -> None:
    """Give it another base. The reviews stay, whatever diff they were of."""
    changes = {"base": {"ref": {"from": pull.base_ref}, "sha": {"from": pull.base_sha}}}
    by_itself = repository.git.branch(pull.base_ref) is None
    tip = repository.git.branch(base) or ""
    pull.base_ref, pull.base_sha = base, repository.git.merge_base(tip, pull.head_sha) or tip
    pull.judged, pull.mergeable, pull.merge_commit = None, None, None
    pull.updated_at = world.now()
    happened = IssueEvent(
        id=world.next_id(),
        user=actor or pull.user,
        event="automatic_base_change_succeeded" if by_itself else "base_ref_changed",
        created_at=world.now(),
    )
    pull.happened.append(happened)
    world.tell("pull_request", repository, actor, action="edited", changes=changes, pull_request=pull)


def _synchronize(world: World, repository: Repository, pull: Pull, head: str, actor: Account | None) -> None:
    before, pull.head_sha = pull.head_sha, head
    kind = "PullRequestCommit" if repository.git.is_ancestor(before, head) else "HeadRefForcePushedEvent"
    pull.events.append(Event(id=world.next_id(), kind=kind, actor=actor, at=world.now()))
    pull.base_sha = repository.git.merge_base(repository.seen[pull.base_ref], head) or pull.base_sha
    pull.updated_at = world.now()
    pull.judged, pull.mergeable, pull.merge_commit = None, None, None
    repository.git.move(f"refs/pull/{pull.number}/head", head)
    if requirements(world, repository, pull.base_ref).dismiss_stale:
        for review in pull.reviews:
            review.state = "DISMISSED" if review.state == "APPROVED" else review.state
    payload = {"action": "synchronize", "before": before, "after": head, "pull_request": pull}
    world.tell("pull_request", repository, actor, **payload)


def merged(world: World, repository: Repository, pull: Pull, actor: Account | None, commit: str) -> None:
    pull.state = "closed"
    pull.merged_at = pull.closed_at = pull.updated_at = world.now()
    pull.merged_by = pull.closed_by = actor
    pull.merge_commit = commit
    pull.auto_merge = None
    world.tell("pull_request", repository, actor, action="closed", pull_request=pull)


def closed(world: World, repository: Repository, pull: Pull, actor: Account | None) -> None:
    pull.state = "closed"
    pull.closed_at = pull.updated_at = world.now()
    pull.closed_by = actor
    pull.auto_merge = None
    world.tell("pull_request", repository, actor, action="closed", pull_request=pull)
