"""The merge queue of a branch: entries, the group commit that each is tested on, and the merge when it passes."""

from __future__ import annotations

from support.github.git import Person
from support.github.moves import SETTLERS, merged, noticed
from support.github.protection import check_states, requirements
from support.github.state import Account, Event, Pull, QueueEntry, Repository
from support.github.world import WEB_FLOW, World


def enqueue(world: World, repository: Repository, pull: Pull, by: Account) -> QueueEntry:
    """Put a pull request at the end; the caller has checked that it may."""
    entry = QueueEntry(id=world.next_id(), pull=pull, by=by, at=world.now(), head=pull.head_sha)
    repository.queues.setdefault(pull.base_ref, []).append(entry)
    world.tell("pull_request", repository, by, action="enqueued", pull_request=pull)
    return entry


def entry_of(repository: Repository, pull: Pull) -> QueueEntry | None:
    return next((entry for entry in repository.queues.get(pull.base_ref, []) if entry.pull is pull), None)


def remove(world: World, repository: Repository, entry: QueueEntry, reason: str, actor: Account | None = None) -> None:
    """Take it out, with the branch of its group. `reason` is a word of the `dequeued` event."""
    removed = Event(
        id=world.next_id(), kind="RemovedFromMergeQueueEvent", actor=actor, at=world.now(), reason=reason.lower()
    )
    entry.pull.events.append(removed)
    queue = repository.queues[entry.pull.base_ref]
    queue.remove(entry)
    _drop_group(world, repository, entry, "merged" if reason == "MERGE" else "dequeued")
    world.tell("pull_request", repository, None, action="dequeued", reason=reason, pull_request=entry.pull)


def _drop_group(world: World, repository: Repository, entry: QueueEntry, reason: str) -> None:
    if entry.branch and repository.git.branch(entry.branch):
        repository.git.move(f"refs/heads/{entry.branch}", None)
        world.tell("merge_group", repository, None, action="destroyed", reason=reason, merge_group=entry)
    entry.branch = entry.group = entry.base = ""


def advance(world: World, repository: Repository) -> None:
    """Let every queue go as far as its checks allow."""
    for branch, queue in repository.queues.items():
        while queue and _step(world, repository, branch, queue):
            pass


def _step(world: World, repository: Repository, branch: str, queue: list[QueueEntry]) -> bool:
    """One change to a queue; False when it waits."""
    for entry in list(queue):
        if entry.pull.state == "closed" or entry.pull.head_sha != entry.head:
            remove(world, repository, entry, "MANUAL" if entry.pull.state == "closed" else "BRANCH_PROTECTIONS")
            return True
    onto = repository.git.branch(branch) or ""
    for entry in list(queue):
        if entry.base != onto and not _build(world, repository, entry, onto):
            remove(world, repository, entry, "MERGE_CONFLICT")
            return True
        onto = entry.group
    return _settle_first(world, repository, branch, queue[0])


def _settle_first(world: World, repository: Repository, branch: str, first: QueueEntry) -> bool:
    state = state_of(world, repository, first)
    if state == "UNMERGEABLE":
        remove(world, repository, first, "CI_FAILURE")
        return True
    if state != "MERGEABLE":
        return False
    group, pull = first.group, first.pull
    pull.base_sha = repository.git.branch(branch) or ""
    repository.verified.add(group)
    repository.git.move(f"refs/heads/{branch}", group)
    merged(world, repository, pull, first.by, group)
    remove(world, repository, first, "MERGE")
    if repository.settings.delete_branch_on_merge and repository.git.branch(pull.head_ref) == pull.head_sha:
        repository.git.move(f"refs/heads/{pull.head_ref}", None)
    noticed(world, repository, first.by)
    return True


def state_of(world: World, repository: Repository, entry: QueueEntry) -> str:
    """GraphQL's MergeQueueEntryState."""
    if not entry.group:
        return "QUEUED"
    wanted = requirements(world, repository, entry.pull.base_ref)
    states = set(check_states(repository, entry.group, wanted).values())
    if "failing" in states:
        return "UNMERGEABLE"
    return "MERGEABLE" if states <= {"passed"} else "AWAITING_CHECKS"


def _build(world: World, repository: Repository, entry: QueueEntry, onto: str) -> bool:
    """Make the group's commit on its base and its branch; False when it conflicts."""
    _drop_group(world, repository, entry, "invalidated")
    pull, git = entry.pull, repository.git
    tree = git.merged_tree(onto, pull.head_sha)
    if tree is None:
        return False
    flow = Person(name=WEB_FLOW[0], email=WEB_FLOW[1], at=world.now())
    who = Person(name=pull.user.login, email=pull.user.email, at=world.now())
    squash = method_of(world, repository, pull.base_ref) == "SQUASH"
    parents = [onto] if squash else [onto, pull.head_sha]
    title = f"Merge pull request #{pull.number} from {repository.owner.login}/{pull.head_ref}\n\n{pull.title}"
    message = f"{pull.title} (#{pull.number})" if squash else title
    entry.group = git.write_commit(tree, parents, f"{message}\n", who, flow)
    entry.base = onto
    entry.branch = f"gh-readonly-queue/{pull.base_ref}/pr-{pull.number}-{onto}"
    git.move(f"refs/heads/{entry.branch}", entry.group)
    repository.seen = git.branches()
    world.tell("merge_group", repository, entry.by, action="checks_requested", merge_group=entry)
    return True


def method_of(world: World, repository: Repository, branch: str) -> str:
    queue = requirements(world, repository, branch).queue or {}
    return str(queue.get("merge_method", "MERGE"))


SETTLERS.append(advance)
