"""Ways around the approval gate that GitHub's own facts close, with the whole loop in process on the fake GitHub."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from support.gating import MODEL, PIN, at_main, gate, said, state
from support.github.server import FakeGitHub
from support.github.state import Pull
from support.github_hub import Hub, asked, handed_requests
from support.github_worlds import NAME, repository_of, session_of
from support.peoples_pulls import conclusion, review
from support.repositories import OURS, git
from support.worlds import MANIFEST, Clock, stable
from tidegate import people
from tidegate.adapters.git import GitRepository
from tidegate.adapters.github import Token
from tidegate.core.observed import CheckState
from tidegate.core.transition import Transition
from tidegate.errors import Raced, Refused
from tidegate.people import Place
from tidegate.reconcile import Ports
from tidegate.steps.observe import environment_of
from tidegate.steps.proposing import propose, transition_files

pytestmark = pytest.mark.contract
PENDING, PASSED, FAILED = CheckState.PENDING, CheckState.PASSED, CheckState.FAILED


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """Main has a workspace in which @dana lets versions into production."""
    clock = Clock()
    with FakeGitHub(tmp_path / "github", now=clock.now) as github:
        yield Hub(tmp_path, github, clock)


@pytest.fixture
def entry(hub: Hub) -> Pull:
    """Version 1 asks to enter production."""
    hub.train(1)
    hub.until(lambda: len(hub.pulls) == 2, approving=False)
    return hub.pulls[-1]


@pytest.mark.parametrize("event", ["REQUEST_CHANGES", "DISMISS"])
def test_I4_an_approval_that_is_taken_back_right_before_the_merge_counts_no_more(
    hub: Hub, entry: Pull, event: str
) -> None:
    """Right before it merges, the adapter asks how the repository merges."""
    hub.approve("@dana")
    (given,) = entry.reviews
    taken: list[str] = []

    def around(name: str, call: Callable[[], Any]) -> Any:
        answer = call()
        if name.startswith("POST /graphql") and not taken:
            taken.append(name)
            if event == "DISMISS":
                asked(
                    hub.github, "kim", "PUT", f"/pulls/{entry.number}/reviews/{given.id}/dismissals", {"message": "no"}
                )
            else:
                review(hub, "dana", entry.number, event)
        return answer

    hub.tick(ports=handed_requests(hub, around))
    assert taken
    assert (entry.merged, conclusion(hub, entry)) == (False, None)
    assert stable(hub) is None


def place(ports: Ports, hub: Hub, handle: str) -> Place:
    _, sources = at_main(hub)
    model = ports.reader.read(ports.repository.head() or "").model("digits").model
    return Place(
        model=model,
        environment="production",
        history=environment_of(model, "production", sources).history,
        handle=handle,
    )


def held_by(hub: Hub, ports: Ports, handle: str) -> Transition:
    return people.hold(place(ports, hub, handle), hub.clock.at, scope="promotions", reason="audit", until=None)


@pytest.fixture
def asked_for(hub: Hub, entry: Pull) -> Pull:
    """A hold of production that @dana asked for, with @lee's commit on its branch."""
    hub.until(lambda: stable(hub) == 1)
    desk, sources = at_main(hub)
    propose(desk, sources.desired.model("digits").model, held_by(hub, hub.ports, "@dana"), author="@dana")
    pull, clone = hub.pulls[-1], hub.clone()
    clone.git("fetch", "--quiet", "origin", pull.head_ref)
    clone.git("checkout", "--quiet", "--detach", "FETCH_HEAD")
    clone.commit({"models/digits/note.md": "mine\n"}, "a note")
    clone.push(f"HEAD:{pull.head_ref}")
    clone.git("checkout", "--quiet", "main")
    return pull


def test_who_asked_for_a_proposal_is_its_author_whatever_somebody_writes_into_its_text(
    hub: Hub, asked_for: Pull
) -> None:
    asked(hub.github, "dana", "PATCH", f"/pulls/{asked_for.number}", {"body": "Nothing to see."})
    review(hub, "dana", asked_for.number)
    assert state(hub, asked_for.number) is PENDING


def test_what_the_loop_decided_has_no_person_for_an_author_whatever_somebody_writes_into_its_text(
    hub: Hub, entry: Pull
) -> None:
    """Else the one who may approve could be shut out, and the proposal be taken for a person's."""
    body = '<!-- tidegate {"author":"@dana"} -->\nThe same.'
    asked(hub.github, "mallory", "PATCH", f"/pulls/{entry.number}", {"body": body})
    assert hub.ports.forge.proposal(entry.number).author == "tidegate"
    review(hub, "dana", entry.number)
    assert state(hub, entry.number) is PASSED


def test_a_commit_in_our_name_that_github_did_not_sign_is_somebodys(hub: Hub) -> None:
    """The very files that are due, by an address that anybody can write: a person is asked, and we do not merge it."""
    hub.train(1)
    hub.github.fault("PUT", "/merge$", "before")
    hub.tick()
    (pull,) = hub.pulls
    assert (pull.merged, conclusion(hub, pull)) == (False, "success")
    tree, parent = (git(hub.bare, "rev-parse", f"{pull.head_sha}{of}") for of in ("^{tree}", "^"))
    repository = GitRepository(hub.bare, identity=OURS)
    forged = repository.plumbing.write_commit(tree, (parent,), "the same", hub.clock.at)
    git(hub.bare, "update-ref", f"refs/heads/{pull.head_ref}", forged)
    assert state(hub, pull.number) is PENDING
    hub.tick()
    assert not pull.merged


def test_a_verb_that_a_person_runs_with_a_token_of_theirs_goes_through_the_app(hub: Hub, entry: Pull) -> None:
    """Git makes that commit, and nobody signs it; their own approval is enough as ever."""
    hub.until(lambda: stable(hub) == 1)
    session = session_of(hub.github, hub.clock.now, Token(value=hub.github.token("dana")))
    theirs = hub.connected(session, repository_of(session, hub.new_mirror()))
    desk, _ = at_main(hub)
    desk = replace(desk, repository=theirs.repository, forge=theirs.forge, reader=theirs.reader)
    made = propose(desk, place(theirs, hub, "@dana").model, held_by(hub, theirs, "@dana"), author="@dana")
    hub.tick()
    assert not hub.pulls[-1].merged, "nobody approved"
    theirs.forge.approve(made.number, "@dana", made.head, hub.clock.at)
    hub.tick()
    assert hub.pulls[-1].merged


def pushed(hub: Hub, branch: str, files: dict[str, str], *, by: str = "mallory@example.org") -> str:
    """A branch with one commit on main, whatever was there."""
    repository = GitRepository(hub.bare, identity=by)
    head = repository.write_commit(repository.head() or "", dict(files), "innocent", hub.clock.at)
    git(hub.bare, "update-ref", f"refs/heads/{branch}", head)
    return head


HELD_BACK = {MODEL: MANIFEST + "  hold: {reason: mine}\n"}


def test_I4_who_asks_for_a_verb_does_not_approve_what_somebody_pushed_to_its_branch_before(
    hub: Hub, entry: Pull
) -> None:
    """Whoever may push can tell the branch's name."""
    hub.until(lambda: stable(hub) == 1)
    hold = held_by(hub, hub.ports, "@dana")
    head = pushed(hub, hold.branch, HELD_BACK)
    desk, sources = at_main(hub)
    with pytest.raises(Refused, match=f"somebody else's commit {head[:12]} is on {hold.branch}"):
        people.ask(desk, sources.desired.model("digits").model, hold, "@dana")
    asked(hub.github, "mallory", "POST", "/pulls", {"title": "A hold", "head": hold.branch, "base": "main", "body": ""})
    assert (state(hub, hub.pulls[-1].number), hub.pulls[-1].head_sha) == (PENDING, head)


@pytest.mark.parametrize(
    "more", [pytest.param(HELD_BACK, id="another file"), pytest.param({PIN: ""}, id="another pin")]
)
def test_I4_what_somebody_pushed_in_our_name_gives_way_to_what_the_verb_makes(
    hub: Hub, entry: Pull, more: dict[str, str]
) -> None:
    hub.until(lambda: stable(hub) == 1)
    hold = held_by(hub, hub.ports, "@dana")
    desk, sources = at_main(hub)
    model = sources.desired.model("digits").model
    files = transition_files(desk, model, "production", hold.after, desk.main)
    pushed(hub, hold.branch, files | more, by=OURS)
    asked_for = people.ask(desk, model, hold, "@dana")
    assert asked_for.merged is not None
    assert (hub.pin().hold, hub.show(MODEL)) == (hold.after.hold, MANIFEST)


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        pytest.param("POST", r"/pulls$", id="while it is proposed"),
        pytest.param("GET", r"/pulls/\d+$", id="while it is approved"),
    ],
)
def test_I4_who_asks_for_a_verb_does_not_approve_what_somebody_pushes_meanwhile(
    hub: Hub, entry: Pull, verb: str, path: str
) -> None:
    hub.until(lambda: stable(hub) == 1)
    hold, heads = held_by(hub, hub.ports, "@dana"), list[str]()

    def around(name: str, call: Callable[[], Any]) -> Any:
        if not heads and re.search(f"^{verb} .*{path}", name):
            heads.append(pushed(hub, hold.branch, HELD_BACK))
        return call()

    ports = handed_requests(hub, around)
    ports.repository.head()
    desk, sources = at_main(hub)
    desk = replace(desk, repository=ports.repository, forge=ports.forge, reader=ports.reader)
    with pytest.raises(Raced, match=r"moved while|by now, not at"):
        people.ask(desk, sources.desired.model("digits").model, hold, "@dana")
    assert [hub.pulls[-1].head_sha] == heads
    assert (state(hub, hub.pulls[-1].number), conclusion(hub, hub.pulls[-1])) == (PENDING, None)


@pytest.mark.parametrize(
    ("text", "who_is_enough"),
    [
        pytest.param(None, ("kim", "sam"), id="and leaves the text"),
        pytest.param("Nothing to see.", ("dana", "kim"), id="and edits the text"),
    ],
)
def test_who_takes_our_commit_off_the_branch_of_their_verb_does_not_let_their_own_in(
    hub: Hub, entry: Pull, text: str | None, who_is_enough: tuple[str, str]
) -> None:
    """What said that they asked for it is gone with the commit: it takes one approval more."""
    hub.until(lambda: stable(hub) == 1)
    settings = (hub.show("tidegate.yaml") or "").replace('"@dana"', '"@dana", "@kim", "@sam"')
    pushed(hub, "main", {"tidegate.yaml": settings}, by="dana@example.org")
    desk, sources = at_main(hub)
    propose(desk, sources.desired.model("digits").model, held_by(hub, hub.ports, "@dana"), author="@dana")
    pull = hub.pulls[-1]
    pushed(hub, pull.head_ref, {PIN: (hub.show(PIN) or "") + "# mine\n"})
    if text is not None:
        asked(hub.github, "dana", "PATCH", f"/pulls/{pull.number}", {"body": text})
    review(hub, "dana", pull.number)
    assert (state(hub, pull.number), "nobody can tell who asked for it" in said(hub, pull.number)) == (PENDING, True)
    for login in who_is_enough:
        assert state(hub, pull.number) is PENDING
        review(hub, login, pull.number)
    assert state(hub, pull.number) is PASSED


@pytest.mark.parametrize("listed", [True, False])
def test_who_proposes_the_head_of_a_proposal_of_ours_once_more_gets_its_check(
    hub: Hub, entry: Pull, listed: bool
) -> None:
    """GitHub has one check for a commit: as a person's change, it would pass for both where nobody is listed."""
    if not listed:
        settings = (hub.show("tidegate.yaml") or "").partition("approvals:")[0]
        pushed(hub, "main", {"tidegate.yaml": settings}, by="dana@example.org")
    git(hub.bare, "update-ref", "refs/heads/alice/same", entry.head_sha)
    asked(
        hub.github, "alice", "POST", "/pulls", {"title": "The same", "head": "alice/same", "base": "main", "body": ""}
    )
    assert gate(hub, hub.pulls[-1].number).check == gate(hub, entry.number).check
    hub.tick(timedelta(0))
    assert (conclusion(hub, entry), entry.merged) == (None, False)


def test_where_nobody_is_listed_whoever_may_write_lets_a_version_in(hub: Hub, entry: Pull) -> None:
    clone = hub.clone()
    settings = (hub.show("tidegate.yaml") or "").partition("approvals:")[0]
    clone.commit({"tidegate.yaml": settings}, "nobody")
    clone.push("HEAD:main")
    review(hub, "mallory", entry.number)
    hub.github.repository(NAME).roles["mallory"] = "read"
    hub.tick()
    assert conclusion(hub, entry) is None
    assert "nobody is listed under approvals.production" in said(hub, entry.number)
    review(hub, "kim", entry.number)
    hub.tick()
    assert entry.merged
