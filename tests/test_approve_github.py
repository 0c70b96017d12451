"""The approval gate on GitHub: reviews, teams and comments of a person's pull request, over HTTP and git."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.github_hub import asked
from support.github_worlds import GitHubWorld, github_world
from support.worlds import MANIFEST, WORKSPACE, Clock, Service, Shelf, Tape
from tidegate import bundled
from tidegate.adapters.targets.file import FileTarget
from tidegate.approve import Answer, approve, record
from tidegate.core.observed import CheckState
from tidegate.steps.approvals import proposals_of
from tidegate.steps.deciding import Judges
from tidegate.steps.desired import DesiredReader
from tidegate.steps.desk import Desk
from tidegate.steps.observe import Sources
from tidegate.steps.trainings import all_records

pytestmark = pytest.mark.contract
MODEL = "models/digits/model.yaml"
PENDING, PASSED = CheckState.PENDING, CheckState.PASSED
RULES = """\
forge: {approvals: comments}
changes:
  objectives: {from: ["@acme/sre", "@dana"]}
"""
FILES = {"tidegate.yaml": WORKSPACE + RULES, MODEL: MANIFEST, "models/digits/training/train.py": "print('trained')\n"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[GitHubWorld]:
    """Main holds the rules; @alice, a member of the team herself, asks for looser objectives by pull request 1."""
    with github_world(tmp_path, FILES) as world:
        world.github.team("acme/sre", "sam", "alice")
        propose(world, "90%")
        opened = {"title": "Looser", "head": "alice/looser", "base": "main", "body": ""}
        asked(world.github, "alice", "POST", "/pulls", opened)
        yield world


def propose(hub: GitHubWorld, target: str) -> str:
    """@alice's branch with this target: her commit."""
    hub.person.git("checkout", "--quiet", "-B", "alice/looser", "origin/main")
    head = hub.person.commit({MODEL: MANIFEST.replace("95%", target)}, f"target {target}")
    hub.person.push("+HEAD:refs/heads/alice/looser")
    return head


def gate(hub: GitHubWorld) -> Answer:
    desk, answer = _gate(hub)
    return record(desk, answer, lambda: _gate(hub)[1])


def _gate(hub: GitHubWorld) -> tuple[Desk, Answer]:
    """The answer, not written yet. Nothing in it asks the registry or Prometheus."""
    reader = DesiredReader(hub.repository, bundled.schemas())
    desired, targets = reader.read(hub.repository.head() or ""), {"file": FileTarget()}
    desk = Desk(
        repository=hub.repository,
        forge=hub.forge,
        reader=reader,
        targets=targets,
        workspace=desired.workspace,
        main=desired.commit,
        clock=hub.clock,
    )
    sources = Sources(
        repository=hub.repository,
        registry=Shelf(),
        reader=reader,
        targets=targets,
        desired=desired,
        proposals=proposals_of(hub.forge, desired.workspace),
        records=all_records(hub.repository),
    )
    return desk, approve(desk, sources, Judges(metrics=Tape(Service(), Clock())), 1)


def state(hub: GitHubWorld) -> CheckState:
    """As GitHub shows it, for the head of the pull request."""
    answer = gate(hub)
    assert answer.check is not None
    runs = asked(hub.github, "alice", "GET", f"/commits/{answer.check.head}/check-runs").json()["check_runs"]
    (run,) = (run for run in runs if run["name"] == "tidegate")
    assert {PENDING: None, PASSED: "success"}[answer.check.state] == run["conclusion"]
    return answer.check.state


def review(hub: GitHubWorld, login: str, event: str = "APPROVE") -> None:
    asked(hub.github, login, "POST", "/pulls/1/reviews", {"event": event, "body": "as said"})


def comment(hub: GitHubWorld, login: str, text: str) -> int:
    made: int = asked(hub.github, login, "POST", "/issues/1/comments", {"body": text}).json()["id"]
    return made


def test_a_member_of_the_team_approves_by_review_until_the_next_push(hub: GitHubWorld) -> None:
    assert state(hub) is PENDING
    review(hub, "mallory")
    assert state(hub) is PENDING
    review(hub, "sam")
    assert state(hub) is PASSED
    propose(hub, "80%")
    assert state(hub) is PENDING


def test_who_asks_for_changes_takes_an_approval_back(hub: GitHubWorld) -> None:
    review(hub, "sam")
    review(hub, "sam", "REQUEST_CHANGES")
    assert state(hub) is PENDING


def test_a_team_that_may_not_be_read_is_named(hub: GitHubWorld) -> None:
    review(hub, "sam")
    hub.github.teams.clear()
    check = gate(hub).check
    assert check is not None
    assert (check.state, "@acme/sre cannot be read" in check.summary) == (PENDING, True)
    review(hub, "dana")
    assert state(hub) is PASSED


def test_a_comment_that_names_the_head_approves_until_somebody_edits_it(hub: GitHubWorld) -> None:
    head = asked(hub.github, "alice", "GET", "/pulls/1").json()["head"]["sha"]
    comment(hub, "dana", "/tidegate approve")
    comment(hub, "alice", f"/tidegate approve {head}")
    comment(hub, "dana", f"/tidegate approve {head[:7]}")
    assert state(hub) is PENDING, "who looks for it finds another commit that begins alike"
    made = comment(hub, "dana", f"/tidegate approve {head}")
    assert state(hub) is PASSED
    hub.clock.at = hub.clock.at.replace(hour=20)
    asked(hub.github, "mallory", "PATCH", f"/issues/comments/{made}", {"body": f"Yes\n/tidegate approve {head}"})
    assert state(hub) is PENDING


def test_who_added_a_commit_is_an_author(hub: GitHubWorld) -> None:
    sam = hub.github.account("sam")
    hub.person.write("README.md", "more")
    hub.person.git("add", "--all")
    hub.person.git("commit", "--quiet", "-m", "more", "--author", f"Sam <{sam.email}>")
    hub.person.push("HEAD:refs/heads/alice/looser")
    review(hub, "sam")
    assert state(hub) is PENDING
    review(hub, "dana")
    assert state(hub) is PASSED


def test_a_closed_one_gets_no_check(hub: GitHubWorld) -> None:
    asked(hub.github, "alice", "PATCH", "/pulls/1", {"state": "closed"})
    assert gate(hub).check is None


def test_the_commit_of_a_merge_queue_gets_the_check_of_its_pull_request(hub: GitHubWorld) -> None:
    queued = hub.repository.head() or ""
    desk, answer = _gate(hub)
    record(desk, answer.at(queued), lambda: answer.at(queued))
    runs = asked(hub.github, "alice", "GET", f"/commits/{queued}/check-runs").json()["check_runs"]
    assert [(run["name"], run["conclusion"]) for run in runs] == [("tidegate", None)]
