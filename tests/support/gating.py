"""The approval gate in a world: pull requests of people and of ours, what is said of them, and who approves."""

from __future__ import annotations

from functools import partial

from support.repositories import OURS, PERSON
from support.worlds import WORKSPACE, World
from tidegate.adapters.git import GitRepository
from tidegate.approve import Answer, approve, record
from tidegate.core.observed import CheckState, Proposal, ProposalState
from tidegate.ports import Draft
from tidegate.steps.approvals import proposals_of
from tidegate.steps.deciding import Judges
from tidegate.steps.desk import Desk
from tidegate.steps.observe import Sources
from tidegate.steps.trainings import all_records

RULES = """\
approvals:
  production: {from: ["@dana", "@kim", "@acme/leads"]}
changes:
  objectives: {from: ["@sam", "@acme/sre"]}
"""
RULED = WORKSPACE.partition("approvals:")[0] + RULES
MODEL, SETTINGS = "models/digits/model.yaml", "tidegate.yaml"
Files = dict[str, str | None]
PIN, ROUTE = "models/digits/production.yaml", "rendered/production/digits.yaml"


def gate(world: World, number: int) -> Answer:
    """The answer, by fresh adapters, as a workflow's run has them."""
    desk, sources = at_main(world)
    computed = partial(approve, desk, sources, Judges(metrics=world.metrics), number)
    return record(desk, computed(), computed)


def at_main(world: World) -> tuple[Desk, Sources]:
    """Main as it is now."""
    ports = world.connect()
    desired = ports.reader.read(ports.repository.head() or "")
    desk = Desk(
        repository=ports.repository,
        forge=ports.forge,
        reader=ports.reader,
        targets=ports.targets,
        workspace=desired.workspace,
        main=desired.commit,
        clock=ports.clock,
    )
    sources = Sources(
        repository=ports.repository,
        registry=ports.registry,
        reader=ports.reader,
        targets=ports.targets,
        desired=desired,
        proposals=proposals_of(ports.forge, desired.workspace),
        records=all_records(ports.repository),
    )
    return desk, sources


def state(world: World, number: int) -> CheckState:
    """As the forge shows it."""
    check = gate(world, number).check
    assert check is not None
    assert world.ports.forge.proposal(number).check == check
    return check.state


def said(world: World, number: int) -> str:
    """The words of the check."""
    check = gate(world, number).check
    assert check is not None
    return check.summary


def ours(world: World) -> Proposal:
    """The one open proposal for production."""
    (found,) = (
        p for p in world.ports.forge.proposals() if p.state is ProposalState.OPEN and "/production/" in p.branch
    )
    return found


def commit(world: World, branch: str, files: Files, *, by: str = PERSON, onto: str | None = None) -> str:
    """A branch with one commit by this address, on top of main or of another commit."""
    repository = GitRepository(world.bare, identity=by)
    head = repository.write_commit(onto or repository.head() or "", files, "a change", world.clock.at)
    repository.move_branch(branch, head, repository.head(branch))
    return head


def opened(world: World, files: Files, branch: str = "alice/change", *, by: str = PERSON) -> int:
    """The pull request of a branch with these files: a new one, or the one that is open there."""
    head = commit(world, branch, files, by=by)
    author = "tidegate" if by == OURS else "@alice"
    draft = Draft(branch=branch, head=head, title="a change", body="", author=author)
    return world.ports.forge.create(draft, world.clock.at).number


def approved(world: World, number: int, *handles: str) -> CheckState:
    """The state after these people approved."""
    for handle in handles:
        approve_now(world, number, handle)
    return state(world, number)


def approve_now(world: World, number: int, handle: str) -> None:
    """Approve whatever the head is now."""
    forge = world.ports.forge
    forge.approve(number, handle, forge.proposal(number).head, world.clock.at)


def open_branches(world: World) -> str:
    """The branches of what is open."""
    return " ".join(p.branch for p in world.ports.forge.proposals() if p.state is ProposalState.OPEN)


def edit(world: World, path: str, old: str, new: str) -> Files:
    """The file with other words in it."""
    text = world.show(path) or ""
    assert old in text
    return {path: text.replace(old, new)}
