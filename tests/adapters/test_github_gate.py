"""What the approval gate reads on GitHub: any pull request, teams, and who wrote commits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from adapters.forge_contract import BRANCH, FIRST_FILES, LATER, World
from support.github.state import Role
from support.github_hub import asked
from support.github_worlds import NAME, GitHubWorld, github_world
from support.repositories import NOON
from tidegate.adapters.github import gate
from tidegate.adapters.github.listing import _strangeness
from tidegate.core.observed import Check, CheckState, ProposalState
from tidegate.errors import WrongUse

pytestmark = pytest.mark.contract


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[GitHubWorld]:
    with github_world(tmp_path, FIRST_FILES) as world:
        yield world


@pytest.fixture
def world(hub: GitHubWorld) -> World:
    return hub.contract


def opened_by(hub: GitHubWorld, login: str, branch: str = "feature") -> int:
    """A person's pull request of a branch of their own."""
    hub.person.checkout(branch, new=True)
    hub.person.commit({"README.md": f"{login}'s\n"})
    hub.person.push(branch)
    made = asked(hub.github, login, "POST", "/pulls", {"title": "Mine", "head": branch, "base": "main"})
    return int(made.json()["number"])


def test_a_person_s_pull_request_is_read_as_it_stands(hub: GitHubWorld, world: World) -> None:
    number = opened_by(hub, "eve")
    asked(hub.github, "dana", "POST", f"/pulls/{number}/reviews", {"event": "APPROVE"})
    asked(hub.github, "dana", "POST", f"/issues/{number}/comments", {"body": "/tidegate approve"})
    found = world.forge.pull_request(number)
    assert (found.base, found.branch, found.author, found.fork) == ("main", "feature", "@eve", False)
    assert found.state is ProposalState.OPEN
    assert [(each.handle, each.head) for each in found.approvals] == [("@dana", found.head)]
    assert [(each.author, each.text) for each in found.comments] == [("@dana", "/tidegate approve")]
    assert hub.repository.read(found.head, "README.md") == "eve's\n", "its head is here to be read"


def test_a_comment_that_somebody_edited_is_left_out(hub: GitHubWorld, world: World) -> None:
    number = opened_by(hub, "eve")
    said = asked(hub.github, "dana", "POST", f"/issues/{number}/comments", {"body": "no"}).json()
    world.it_is(LATER)
    asked(hub.github, "eve", "PATCH", f"/issues/comments/{said['id']}", {"body": "/tidegate approve"})
    assert world.forge.pull_request(number).comments == ()


def test_our_proposal_is_read_with_who_opened_it_and_its_check(world: World) -> None:
    draft = world.draft()
    number = world.forge.create(draft, NOON).number
    check = Check(head=draft.head, state=CheckState.PENDING, summary="needs a person")
    world.forge.set_check(number, check, NOON)
    world.forge.approve(number, "@dana", draft.head, NOON)
    found = world.forge.pull_request(number)
    assert (found.branch, found.author, found.check) == (BRANCH, "@tidegate[bot]", check)
    assert [each.handle for each in found.approvals] == ["@dana"]
    assert found.comments == (), "the record of an approval is none"


def all_said(hub: GitHubWorld, number: int) -> None:
    """@dana approves in every way there is."""
    asked(hub.github, "dana", "POST", f"/pulls/{number}/reviews", {"event": "APPROVE"})
    asked(hub.github, "dana", "POST", f"/issues/{number}/comments", {"body": "/tidegate approve"})
    asked(hub.github, "dana", "PUT", f"/issues/{number}/labels", {"labels": ["tidegate/approved"]})


def counts(world: World, number: int) -> tuple[int, int, int]:
    found = world.forge.pull_request(number)
    return len(found.approvals), len(found.comments), len(found.labels)


def test_I4_what_was_said_when_it_went_to_another_branch_is_of_another_diff(hub: GitHubWorld, world: World) -> None:
    number = opened_by(hub, "eve")
    hub.person.push("HEAD~1:refs/heads/release")
    asked(hub.github, "eve", "PATCH", f"/pulls/{number}", {"base": "release"})
    world.it_is(NOON + timedelta(minutes=1))
    all_said(hub, number)
    assert counts(world, number) == (1, 1, 1)
    asked(hub.github, "eve", "PATCH", f"/pulls/{number}", {"base": "main"})
    assert counts(world, number) == (0, 0, 0), "in the same second nobody can tell which came first"
    world.it_is(NOON + timedelta(minutes=2))
    assert counts(world, number) == (0, 0, 0)
    asked(hub.github, "eve", "PUT", f"/issues/{number}/labels", {"labels": ["bug"]})
    all_said(hub, number)
    assert counts(world, number) == (1, 1, 1)


def test_I4_so_does_a_base_that_github_itself_changed(hub: GitHubWorld, world: World) -> None:
    hub.person.checkout("stack", new=True)
    hub.person.commit({"STACK.md": "below\n"})
    hub.person.push("stack")
    below = asked(hub.github, "eve", "POST", "/pulls", {"title": "Below", "head": "stack", "base": "main"}).json()
    hub.person.checkout("top", new=True)
    hub.person.commit({"TOP.md": "above\n"})
    hub.person.push("top")
    above = asked(hub.github, "eve", "POST", "/pulls", {"title": "Above", "head": "top", "base": "stack"}).json()
    all_said(hub, above["number"])
    world.it_is(NOON + timedelta(minutes=1))
    asked(hub.github, "kim", "PUT", f"/pulls/{below['number']}/merge", {})
    asked(hub.github, "kim", "DELETE", "/git/refs/heads/stack")
    assert world.forge.pull_request(above["number"]).base == "main"
    assert counts(world, above["number"]) == (0, 0, 0)


def test_I4_an_approval_of_a_proposal_of_ours_ends_with_its_base_too(hub: GitHubWorld, world: World) -> None:
    """A branch of ours that somebody pushed to is theirs: what it shows depends on where it goes."""
    proposal = world.proposed()
    world.forge.approve(proposal.number, "@dana", proposal.head, NOON)
    hub.person.push("HEAD:refs/heads/release")
    world.it_is(NOON + timedelta(minutes=1))
    for base in ("release", "main"):
        asked(hub.github, "eve", "PATCH", f"/pulls/{proposal.number}", {"base": base})
    assert world.forge.proposal(proposal.number).approvals == ()
    assert world.forge.proposals()[0].approvals == ()
    world.forge.approve(proposal.number, "@dana", proposal.head, NOON + timedelta(minutes=2))
    assert [each.handle for each in world.forge.proposals()[0].approvals] == ["@dana"]


def test_the_check_is_written_for_a_pull_request_of_anybody(hub: GitHubWorld, world: World) -> None:
    number = opened_by(hub, "eve")
    head = world.forge.pull_request(number).head
    check = Check(head=head, state=CheckState.FAILED, summary="needs an approval")
    world.forge.set_check(number, check, NOON)
    assert world.forge.pull_request(number).check == check


def test_no_such_pull_request_is_said_so(world: World) -> None:
    with pytest.raises(WrongUse, match="99"):
        world.forge.pull_request(99)


def test_a_team_is_read_by_its_name(hub: GitHubWorld, world: World) -> None:
    hub.github.team("acme/ml-leads", "dana", "kim")
    assert world.forge.members("@acme/ml-leads") == {"@dana", "@kim"}


@pytest.mark.parametrize("permissions", [{"members": ""}, {}])
def test_a_team_that_may_not_be_read_says_what_to_give(
    hub: GitHubWorld, world: World, permissions: dict[str, str]
) -> None:
    hub.github.app("tidegate").permissions.update(permissions)
    with pytest.raises(WrongUse, match="members: read"):
        world.forge.members("@acme/nobody")


def test_a_label_is_of_who_set_it_last() -> None:
    events = (
        {"event": event, "label": {"name": name}, "actor": {"login": login}, "created_at": f"2026-03-01T1{hour}:00:00Z"}
        for hour, (event, name, login) in enumerate(
            [
                ("labeled", "tidegate/approved", "eve"),
                ("unlabeled", "tidegate/approved", "eve"),
                ("labeled", "tidegate/approved", "dana"),
                ("labeled", "gone", "eve"),
            ]
        )
    )
    found = list(gate._labels(events, {"labels": [{"name": "tidegate/approved"}]}))
    assert [(each.name, each.author, each.at.hour) for each in found] == [("tidegate/approved", "@dana", 12)]


@pytest.mark.parametrize(
    ("role", "may"),
    [("none", False), ("read", False), ("triage", False), ("write", True), ("maintain", True), ("admin", True)],
)
def test_who_may_write_is_told_by_their_role(hub: GitHubWorld, world: World, role: Role, *, may: bool) -> None:
    hub.github.account("kim")
    hub.github.repository(NAME).roles["kim"] = role
    assert world.forge.may_write("@kim") is may
    assert not world.forge.may_write("@nobody/../kim")


def test_others_pull_requests_are_unchecked_until_their_check_has_come_to_its_end(
    hub: GitHubWorld, world: World
) -> None:
    world.proposed()
    number = opened_by(hub, "eve")
    head = world.forge.pull_request(number).head
    for state, unchecked in ((None, True), (CheckState.PENDING, True), (CheckState.PASSED, False)):
        if state is not None:
            world.forge.set_check(number, Check(head=head, state=state, summary="as said"), NOON)
        world.forge.proposals()
        assert world.forge.is_checked(head) is not unchecked
        assert world.forge.unchecked() == ({number: head} if unchecked else {})
        assert world.forge.at_head(head) == [number], "checked or not"
    assert world.forge.at_head(world.forge.proposals()[0].head) == [], "a proposal is no other's"


@pytest.mark.parametrize(
    ("writers", "order"),
    [
        pytest.param(None, [5, 4, 3, 1, 2], id="by-how-they-stand-where-nobody-tells-who-may-write"),
        pytest.param(frozenset({"eve2", "eve5"}), [5, 4, 2, 1, 3], id="by-who-may-write"),
    ],
)
def test_F21_of_those_with_one_head_strangers_are_looked_at_last(
    writers: frozenset[str] | None, order: list[int]
) -> None:
    """However many they are, and however early they were."""
    opened = [
        {
            "number": number,
            "head": {"ref": "patch", "sha": "c0ffee", "repo": {"id": 2} if fork else here},
            "base": {"repo": here},
            "user": {"login": f"eve{number}"},
            "author_association": stands,
        }
        for here in [{"id": 1}]
        for number, fork, stands in [
            (1, True, "NONE"), (2, True, "CONTRIBUTOR"), (3, True, "MEMBER"), (4, False, "NONE"), (5, False, "OWNER")
        ]
    ]  # fmt: skip
    by = partial(_strangeness, writers=writers)
    assert [each["number"] for each in sorted(opened, key=by)] == order


def test_who_wrote_commits_is_told_by_their_addresses(hub: GitHubWorld, world: World) -> None:
    kim, lee = (hub.github.account(login) for login in ("kim", "lee"))
    hub.person.git("config", "user.email", kim.email)
    hub.person.write("a.md", "a\n")
    hub.person.git("add", "--all")
    message = f"Both\n\nCo-authored-by: Lee <{lee.email}>"
    hub.person.git("-c", f"user.email={kim.email}", "commit", "--quiet", f"--author=Kim <{kim.email}>", "-m", message)
    hub.person.push("HEAD:main")
    assert world.forge.authors([world.main()]) == {"@kim", "@lee"}
    nobody = hub.person.commit({"b.md": "b\n"})
    hub.person.push("HEAD:main")
    assert world.forge.authors([nobody]) == frozenset()
