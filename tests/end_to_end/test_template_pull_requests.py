"""What people propose, through the template's workflows: a merge queue, and a pull request of a stranger's.

On the fake GitHub. Nothing is trained yet, so that no other server is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.models_repository.desk import MANIFEST, creates_the_repository, with_an_app, without_an_app
from support.models_repository.forks import GitHubWithForks
from support.models_repository.site import ModelsRepository, Person, annotated
from support.workflow_runner.engine import Engine

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]

QUEUE = {
    "type": "merge_queue",
    "parameters": {
        "check_response_timeout_minutes": 60,
        "grouping_strategy": "ALLGREEN",
        "max_entries_to_build": 5,
        "max_entries_to_merge": 5,
        "merge_method": "MERGE",
        "min_entries_to_merge": 1,
        "min_entries_to_merge_wait_minutes": 0,
    },
}


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHubWithForks]:
    with GitHubWithForks(tmp_path / "github") as github:
        yield github


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.close()


@pytest.fixture
def people(tmp_path: Path, github: GitHubWithForks, engine: Engine) -> ModelsRepository:
    addresses = dict.fromkeys(("MLFLOW_TRACKING_URI", "TIDEGATE_PROMETHEUS_URL"), "http://127.0.0.1:9")
    (tmp_path / "site").mkdir()
    return ModelsRepository(github, engine, tmp_path / "site", addresses)


@pytest.mark.parametrize("app", [True, False], ids=["with-an-app", "without-an-app"])
def test_a_merge_queue_merges_what_is_approved(people: ModelsRepository, app: bool) -> None:
    """A queue asks once more, on a commit that it made; whoever writes the check there, the queue merges by it."""
    dana, kim = people.person("dana", role="admin"), people.person("kim")
    creates_the_repository(dana, *(with_an_app() if app else without_an_app()))
    people.protect(QUEUE)
    moves_prometheus(dana)
    kim.types("$ gh pr review 1 --approve\n")
    reviewed = people.reviewed(1)
    assert reviewed.result("checks") == "success", reviewed.said
    if app:
        people.ran(reviewed, "pull_request_review", 1)
    assert people.check(1) == "success", people.runs[-1].said
    before = people.main()
    dana.types("$ gh pr merge 1 --merge\n")
    assert people.main() == before, "a queue guards main"
    group = people.queued()
    assert (group.result("checks"), group.result("candidate")) == ("success", "skipped"), group.said
    assert group.result("approve") == ("skipped" if app else "success"), group.said
    if app:
        assert people.main() == before, "the queue waits for the App's check"
        people.ran(group, "merge_group")
    assert people.state("Another Prometheus") == "merged", people.runs[-1].said
    assert people.main() != before


def test_a_strangers_pull_request_is_looked_at_and_never_run(people: ModelsRepository, github: GitHubWithForks) -> None:
    """No secret, no training, no comment: a summary and annotations instead, and its check is written from main."""
    dana, kim = people.person("dana", role="admin"), people.person("kim")
    creates_the_repository(dana, *with_an_app(), settings="forge: {approvals: comments}\n")
    clone = github.forked(people.there, "stranger")
    manifest = clone.folder.joinpath(MANIFEST).read_text()
    clone.commit({MANIFEST: manifest.replace("seed: 1,", "seed: 1, leas: 20m,")})
    clone.push()
    number = github.proposed(people.there, "stranger", "Faster")
    wrong = people.proposed(number, "opened")
    assert [wrong.result(job) for job in ("validate", "plan", "checks")] == ["failure"] * 3, wrong.said
    assert any(MANIFEST in line and "leas" in line for line in annotated(wrong.said)), wrong.said
    eager = manifest.replace("seed: 1,", "seed: 2,").replace("{approval: required}", "{approval: none}")
    github.pushed(people.there, number, clone, {MANIFEST: eager})
    dana.types(f"$ gh pr edit {number} --add-label 'tidegate: train'\n")
    right = people.proposed(number, "labeled")
    assert right.jobs["plan"][0].outputs["trained"] == '["example"]', right.said
    ran = {job for job in right.jobs if right.result(job) != "skipped"}
    assert ran == {"validate", "plan", "checks"}
    assert "example" in right.jobs["plan"][0].summary
    assert people.comments(number) == []
    people.ran(right, "pull_request", number)
    assert people.check(number) == "in_progress", people.runs[-1].said
    yes = f"/tidegate approve {people.pull(number)['head']['sha']}"
    kim.types(f"$ gh pr comment {number} --body '{yes}'\n…\n")
    people.commented()
    assert people.check(number) == "success", people.runs[-1].said
    kim.types(f"$ gh pr comment {number} --edit-last --body 'On second thoughts, no'\n…\n")
    people.commented(before=yes)
    assert people.check(number) == "in_progress", people.runs[-1].said


def moves_prometheus(dana: Person) -> None:
    """A change that those must approve who let versions into production."""
    dana.types(
        "$ git switch --quiet --create moved\n"
        "$ sed -i 's/:9090/:9091/' tidegate.yaml\n"
        "$ git commit --quiet --all --message 'Another Prometheus'\n"
        "$ git push --quiet --set-upstream origin moved\n"
        "$ gh pr create --fill\n…\n"
    )
