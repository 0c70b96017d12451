"""Ways around the approval gate that GitHub's own facts close, with the whole loop in process on the fake GitHub."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from support.gating import MODEL, at_main, said, state
from support.github.server import FakeGitHub
from support.github.state import Pull
from support.github_hub import Hub, asked, handed_requests
from support.github_worlds import NAME, repository_of, session_of
from support.repositories import OURS, git
from support.worlds import MANIFEST, Clock, stable
from tidegate import people
from tidegate.adapters.git import GitRepository
from tidegate.adapters.github import Token
from tidegate.core.observed import CheckState
from tidegate.core.transition import Transition
from tidegate.people import Place
from tidegate.reconcile import Ports
from tidegate.steps.observe import environment_of
from tidegate.steps.proposing import propose

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


def review(hub: Hub, login: str, number: int, event: str = "APPROVE") -> None:
    asked(hub.github, login, "POST", f"/pulls/{number}/reviews", {"event": event, "body": "as said"})


def conclusion(hub: Hub, pull: Pull) -> str | None:
    """What GitHub shows of the check at the head; `missing` where there is none."""
    runs = [run for run in hub.github.repository(NAME).checks if run.sha == pull.head_sha]
    return runs[-1].conclusion if runs else "missing"


@pytest.mark.parametrize("event", ["REQUEST_CHANGES", "DISMISS"])
def test_I4_an_approval_that_is_taken_back_right_before_the_merge_counts_no_more(
    hub: Hub, entry: Pull, event: str
) -> None:
    """The last thing that the adapter asks before it merges is how the repository merges."""
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
    theirs.forge.approve(made.number, "@dana", hub.clock.at)
    hub.tick()
    assert hub.pulls[-1].merged


def proposed(hub: Hub, branch: str, text: str, path: str = MODEL) -> Pull:
    """@alice's pull request of one file."""
    clone = hub.clone()
    clone.git("checkout", "--quiet", "-B", branch, "origin/main")
    clone.commit({path: text}, "a change")
    clone.push(f"+HEAD:refs/heads/{branch}")
    clone.git("checkout", "--quiet", "main")
    opened = {"title": "A change", "head": branch, "base": "main", "body": ""}
    asked(hub.github, "alice", "POST", "/pulls", opened)
    return hub.pulls[-1]


def test_a_persons_pull_request_that_no_event_checked_is_checked_by_the_next_pass(hub: Hub) -> None:
    hold = MANIFEST + "  hold: {reason: audit}\n"
    pull, readme = proposed(hub, "alice/hold", hold), proposed(hub, "alice/readme", "hello", "README.md")
    assert conclusion(hub, pull) == "missing"
    hub.tick()
    assert (conclusion(hub, pull), conclusion(hub, readme)) == (None, "success")
    review(hub, "dana", pull.number)
    hub.tick()
    assert conclusion(hub, pull) == "success"


@pytest.mark.parametrize(
    "branch",
    [
        pytest.param("tidegate/nothing", id="of no transition"),
        pytest.param("tidegate/letters/production/pin-k0123456789abcdef", id="of a model that is not there"),
    ],
)
def test_one_on_a_branch_that_is_called_like_ours_is_checked_too(hub: Hub, branch: str) -> None:
    pull = proposed(hub, branch, "hello", "README.md")
    hub.tick()
    assert conclusion(hub, pull) == "success"


def test_comments_that_approve_are_seen_by_the_next_pass(hub: Hub) -> None:
    clone = hub.clone()
    settings = (hub.show("tidegate.yaml") or "") + "forge: {approvals: comments}\n"
    clone.commit({"tidegate.yaml": settings}, "comments")
    clone.push("HEAD:main")
    pull = proposed(hub, "alice/hold", MANIFEST + "  hold: {reason: audit}\n")
    hub.tick()
    assert conclusion(hub, pull) is None
    asked(hub.github, "dana", "POST", f"/issues/{pull.number}/comments", {"body": f"/tidegate approve {pull.head_sha}"})
    hub.tick()
    assert conclusion(hub, pull) == "success"


def test_one_that_shares_no_commit_with_main_fails_and_stops_no_other(hub: Hub) -> None:
    clone = hub.clone()
    clone.git("checkout", "--quiet", "--orphan", "eve/alone")
    clone.commit({"README.md": "alone"}, "alone")
    clone.push("HEAD:refs/heads/eve/alone")
    asked(hub.github, "eve", "POST", "/pulls", {"title": "t", "head": "eve/alone", "base": "main", "body": ""})
    clone.git("checkout", "--quiet", "--force", "main")
    other = proposed(hub, "alice/readme", "hello", "README.md")
    report = hub.tick()
    assert (report.failures, conclusion(hub, hub.pulls[0]), conclusion(hub, other)) == ((), "failure", "success")


def test_where_github_does_not_answer_the_pass_says_so_and_the_next_one_goes_on(hub: Hub) -> None:
    pulls = [proposed(hub, f"alice/readme-{number}", f"hello {number}", "README.md") for number in range(2)]
    hub.github.fault("GET", f"/pulls/{pulls[0].number}/reviews$", "before", times=9)
    (failure,) = hub.tick().failures
    hub.github.mend()
    assert f"#{pulls[0].number}: " in failure
    assert [conclusion(hub, pull) for pull in pulls] == ["missing", "missing"]
    assert hub.tick().failures == ()
    assert [conclusion(hub, pull) for pull in pulls] == ["success", "success"]


def test_what_is_settled_is_not_read_again(hub: Hub) -> None:
    proposed(hub, "alice/readme", "hello", "README.md")
    for _ in range(2):
        hub.tick(timedelta(0))
    hub.github.forget_calls()
    hub.tick(timedelta(0))
    asked_for = [f"{call.method} {call.path}" for call in hub.github.calls if ".git/" not in call.path]
    assert len(asked_for) == 3, asked_for


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
    assert "a second approval by somebody who may write" in said(hub, entry.number), "GitHub knows no author of it"
    review(hub, "sam", entry.number)
    hub.tick()
    assert entry.merged
