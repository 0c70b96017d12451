"""Merging a pull request: by the merge endpoint, or by itself once auto-merge is armed and the rules allow it."""

from __future__ import annotations

from dataclasses import dataclass

from support.github.git import Person
from support.github.moves import SETTLERS, merged, noticed
from support.github.protection import blockers, requirements
from support.github.routing import REPOSITORY, Answer, Refused, Request, not_found, route
from support.github.state import Account, Credential, Pull, Repository
from support.github.world import WEB_FLOW, World

_METHOD_WORDS = {"merge": "Merge commits", "squash": "Squash merges", "rebase": "Rebase merges"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How to merge, and with which words."""

    method: str
    title: str | None
    message: str | None


@route("GET", f"{REPOSITORY}/pulls/{{pull_number}}/merge", "contents|pull_requests")
def is_merged(request: Request) -> Answer:
    if not request.pull.merged:
        raise not_found()
    return Answer(status=204)


@route("PUT", f"{REPOSITORY}/pulls/{{pull_number}}/merge", "contents", "write")
def merge(request: Request) -> Answer:
    body, pull = request.body, request.pull
    order = Order(
        method=body.get("merge_method", "merge"), title=body.get("commit_title"), message=body.get("commit_message")
    )
    _refuse(request, pull, order)
    commit = carry_out(request.world, request.repository, pull, request.actor, order)
    return Answer(body={"sha": commit, "merged": True, "message": "Pull Request successfully merged"})


def _refuse(request: Request, pull: Pull, order: Order) -> None:
    """Raise what GitHub answers to a merge that may not be."""
    repository, world = request.repository, request.world
    if pull.merged or pull.state == "closed":
        raise Refused(405, "Pull Request is not mergeable")
    if pull.draft:
        raise Refused(405, "Pull Request is still a draft")
    if request.body.get("sha", pull.head_sha) != pull.head_sha:
        raise Refused(409, "Head branch was modified. Review and try the merge again.")
    refuse_method(world, repository, pull, request.credential, order.method)
    wanted = requirements(world, repository, pull.base_ref, request.credential)
    if sentences := blockers(world, repository, pull, request.credential):
        raise Refused(405, worded(sentences, by_rule=wanted.rules))


def refuse_method(world: World, repository: Repository, pull: Pull, actor: Credential, method: str) -> None:
    """405 for a method that the settings or rules rule out, and for any where a merge queue is asked for."""
    wanted = requirements(world, repository, pull.base_ref, actor)
    if wanted.queue is not None:
        if wanted.rules:
            raise Refused(405, worded(["Changes must be made through the merge queue"], by_rule=True))
        raise Refused(405, f"{_METHOD_WORDS[method]} are not allowed on this repository.")
    allowed = getattr(repository.settings, _setting(method))
    if not allowed or method not in wanted.methods or (wanted.linear and method == "merge"):
        raise Refused(405, f"{_METHOD_WORDS[method]} are not allowed on this repository.")


def _setting(method: str) -> str:
    return "allow_merge_commit" if method == "merge" else f"allow_{method}_merge"


def worded(sentences: list[str], *, by_rule: bool) -> str:
    if not by_rule:
        return sentences[0]
    return "Repository rule violations found\n\n" + "".join(f"{sentence}\n\n" for sentence in sentences)


def carry_out(world: World, repository: Repository, pull: Pull, actor: Account, order: Order) -> str:
    """Make the commit, move the base, close the pull request; 405 when it conflicts."""
    base = repository.git.branch(pull.base_ref) or ""
    new = _commit(world, repository, pull, actor, order)
    if new is None:
        raise Refused(405, "Pull Request is not mergeable")
    repository.verified.add(new)
    repository.git.move(f"refs/heads/{pull.base_ref}", new, base)
    pull.base_sha = base
    merged(world, repository, pull, actor, new)
    if repository.settings.delete_branch_on_merge and repository.git.branch(pull.head_ref) == pull.head_sha:
        repository.git.move(f"refs/heads/{pull.head_ref}", None)
    noticed(world, repository, actor)
    return new


def _commit(world: World, repository: Repository, pull: Pull, actor: Account, order: Order) -> str | None:
    base = repository.git.branch(pull.base_ref) or ""
    flow = Person(name=WEB_FLOW[0], email=WEB_FLOW[1], at=world.now())
    who = Person(name=actor.login, email=actor.email, at=world.now())
    if order.method == "rebase":
        return repository.git.rebased(base, repository.git.between(base, pull.head_sha), who)
    tree = repository.git.merged_tree(base, pull.head_sha)
    if tree is None:
        return None
    if order.method == "squash":
        text = _text(order, f"{pull.title} (#{pull.number})", pull.body or "")
        return repository.git.write_commit(tree, [base], text, who, flow)
    title = f"Merge pull request #{pull.number} from {repository.owner.login}/{pull.head_ref}"
    text = _text(order, title, pull.title)
    return repository.git.write_commit(tree, [base, pull.head_sha], text, who, flow)


def _text(order: Order, title: str, message: str) -> str:
    first = order.title or title
    rest = message if order.message is None else order.message
    return f"{first}\n\n{rest}".rstrip() + "\n"


def merge_armed(world: World, repository: Repository) -> None:
    """Merge what was armed and is ready now."""
    for pull in repository.pulls:
        armed = pull.auto_merge
        if armed is None or pull.state == "closed":
            continue
        if requirements(world, repository, pull.base_ref).queue is not None:
            continue  # the queue merges it
        base = repository.git.branch(pull.base_ref) or ""
        if not blockers(world, repository, pull, None) and repository.git.merged_tree(base, pull.head_sha):
            order = Order(method=armed.method.lower(), title=armed.title or None, message=armed.message or None)
            carry_out(world, repository, pull, armed.by, order)


SETTLERS.append(merge_armed)
