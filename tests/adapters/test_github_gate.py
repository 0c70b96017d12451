"""What the approval gate reads on GitHub: any pull request, teams, and who wrote commits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.forge_contract import BRANCH, FIRST_FILES, LATER, World
from support.github.state import Role
from support.github_hub import asked
from support.github_worlds import NAME, GitHubWorld, github_world
from support.repositories import NOON
from tidegate.adapters.github import Address, Session, Token, gate
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


class Told(Session):
    """A session in which every list says the same."""

    told: tuple[dict[str, object], ...] = ()

    def pages(self, path: str, **parameters: str | int) -> Iterator[dict[str, object]]:
        yield from self.told if path.endswith("/events") else ()


def test_a_label_is_of_who_set_it_last() -> None:
    session = Told(Address(owner="acme", name="models"), Token(value="t"))
    session.told = tuple(
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
    found = list(gate._labels(session, 1, {"labels": [{"name": "tidegate/approved"}]}))
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
