"""What a moved branch does to pull requests: new heads, merges by push, closings. And what settles by itself after
any change: armed auto-merges and the merge queue.
"""

from __future__ import annotations

from collections.abc import Callable

from support.github.protection import requirements
from support.github.state import Account, Event, Pull, Repository
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
        closed(world, repository, pull, actor)
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
