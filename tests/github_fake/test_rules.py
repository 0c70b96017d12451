"""Branch protection and rulesets: what they stop, in GitHub's words, and whom they let through."""

from __future__ import annotations

import subprocess

import pytest

from support.github.callers import Caller, commit
from support.github.git import environment
from support.github.server import FakeGitHub
from support.github.state import Json, Repository

NOTHING: Json = {
    "required_status_checks": None,
    "enforce_admins": True,
    "required_pull_request_reviews": None,
    "restrictions": None,
}


@pytest.fixture
def head(dana: Caller, repository: Repository) -> str:
    made = commit(repository, "b", {"models/churn/model.yaml": "1\n"})
    dana.open("b")
    return made


@pytest.fixture
def lee(github: FakeGitHub) -> Caller:
    return Caller(github, github.token("lee"))


def _protect(owner: Caller, **asked: object) -> None:
    answer = owner.put("/branches/main/protection", {**NOTHING, **asked})
    assert answer.status_code == 200, answer.text


def _ruleset(owner: Caller, *rules: Json, bypass: tuple[Json, ...] = ()) -> Json:
    body = {"name": "main", "enforcement": "active", "rules": list(rules), "bypass_actors": list(bypass)}
    conditions = {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}
    answer = owner.post("/rulesets", {**body, "conditions": conditions})
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


def _checks(*names: str, app: int | None = None) -> Json:
    each = [{"context": name} if app is None else {"context": name, "integration_id": app} for name in names]
    wanted = {"strict_required_status_checks_policy": False, "required_status_checks": each}
    return {"type": "required_status_checks", "parameters": wanted}


def _report(robot: Caller, head: str, conclusion: str, name: str = "tidegate") -> None:
    robot.post("/check-runs", {"name": name, "head_sha": head, "status": "completed", "conclusion": conclusion})


def test_a_required_check_is_expected_then_pending_then_failing_then_passed(
    dana: Caller, robot: Caller, owner: Caller, head: str
) -> None:
    _protect(owner, required_status_checks={"strict": False, "contexts": ["tidegate"]})
    said = [dana.put("/pulls/1/merge").json()["message"]]
    robot.post("/check-runs", {"name": "tidegate", "head_sha": head, "status": "in_progress"})
    said.append(dana.put("/pulls/1/merge").json()["message"])
    _report(robot, head, "failure")
    refused = dana.put("/pulls/1/merge")
    assert refused.status_code == 405
    said.append(refused.json()["message"])
    assert said == [f'Required status check "tidegate" is {word}.' for word in ("expected", "pending", "failing")]
    dana.get("/pulls/1")
    assert dana.get("/pulls/1").json()["mergeable_state"] == "blocked"
    _report(robot, head, "success")
    assert dana.put("/pulls/1/merge").status_code == 200


def test_a_status_of_the_name_will_do_unless_the_check_is_bound_to_an_app(
    dana: Caller, robot: Caller, owner: Caller, github: FakeGitHub, head: str
) -> None:
    bound = {"context": "tidegate", "app_id": github.app("tidegate").id}
    _protect(owner, required_status_checks={"strict": False, "contexts": [], "checks": [bound]})
    dana.post(f"/statuses/{head}", {"state": "success", "context": "tidegate"})
    assert dana.put("/pulls/1/merge").status_code == 405
    other = Caller(github, github.installation_token(github.app("other")).token)
    _report(other, head, "success")
    assert dana.put("/pulls/1/merge").status_code == 405
    _protect(owner, required_status_checks={"strict": False, "contexts": ["tidegate"]})
    assert dana.put("/pulls/1/merge").status_code == 200


def test_several_checks_are_counted(dana: Caller, owner: Caller, head: str) -> None:
    _protect(owner, required_status_checks={"strict": False, "contexts": ["a", "b"]})
    assert dana.put("/pulls/1/merge").json()["message"] == "2 of 2 required status checks are expected."


def test_strict_asks_for_a_branch_that_holds_its_base(
    dana: Caller, robot: Caller, owner: Caller, repository: Repository, head: str
) -> None:
    _protect(owner, required_status_checks={"strict": True, "contexts": ["tidegate"]})
    _report(robot, head, "success")
    commit(repository, "main", {"c": "1"})
    assert dana.put("/pulls/1/merge").status_code == 405
    dana.get("/pulls/1")
    assert dana.get("/pulls/1").json()["mergeable_state"] == "behind"


def test_reviews_are_asked_for_and_the_latest_of_each_person_counts(
    dana: Caller, lee: Caller, owner: Caller, head: str
) -> None:
    _protect(owner, required_pull_request_reviews={"required_approving_review_count": 1})
    wanted = "At least 1 approving review is required by reviewers with write access."
    assert dana.put("/pulls/1/merge").json()["message"] == wanted
    lee.post("/pulls/1/reviews", {"event": "APPROVE"})
    lee.post("/pulls/1/reviews", {"event": "REQUEST_CHANGES", "body": "no"})
    assert dana.put("/pulls/1/merge").json()["message"] == "Changes have been requested."
    lee.post("/pulls/1/reviews", {"event": "APPROVE"})
    assert dana.put("/pulls/1/merge").status_code == 200


def test_a_readers_approval_does_not_count(dana: Caller, owner: Caller, github: FakeGitHub, head: str) -> None:
    _protect(owner, required_pull_request_reviews={"required_approving_review_count": 1})
    Caller(github, github.token("rita", role="read")).post("/pulls/1/reviews", {"event": "APPROVE"})
    assert dana.put("/pulls/1/merge").status_code == 405


def test_a_push_dismisses_approvals_where_that_is_set(
    dana: Caller, lee: Caller, owner: Caller, repository: Repository, head: str
) -> None:
    _protect(owner, required_pull_request_reviews={"dismiss_stale_reviews": True})
    lee.post("/pulls/1/reviews", {"event": "APPROVE"})
    commit(repository, "b", {"more": "1"})
    assert dana.get("/pulls/1/reviews").json()[0]["state"] == "DISMISSED"


def test_code_owners_of_the_base_are_waited_for(
    dana: Caller, owner: Caller, github: FakeGitHub, repository: Repository, head: str
) -> None:
    github.team("acme/ml", "mia")
    commit(repository, "main", {".github/CODEOWNERS": "* @dana\n/models/**/model.yaml @acme/ml\n"})
    review = {"required_approving_review_count": 0, "require_code_owner_reviews": True}
    _protect(owner, required_pull_request_reviews=review)
    Caller(github, github.token("lee")).post("/pulls/1/reviews", {"event": "APPROVE"})
    assert dana.put("/pulls/1/merge").json()["message"] == "Waiting on code owner review from acme/ml."
    Caller(github, github.token("mia")).post("/pulls/1/reviews", {"event": "APPROVE"})
    assert dana.put("/pulls/1/merge").status_code == 200


def test_a_ruleset_says_so_and_lets_the_app_through_that_may_bypass_it(
    dana: Caller, robot: Caller, owner: Caller, github: FakeGitHub, head: str
) -> None:
    who = {"actor_id": github.app("tidegate").id, "actor_type": "Integration", "bypass_mode": "always"}
    _ruleset(owner, _checks("ci"), bypass=(who,))
    refused = dana.put("/pulls/1/merge").json()["message"]
    assert refused == 'Repository rule violations found\n\nRequired status check "ci" is expected.\n\n'
    assert robot.put("/pulls/1/merge").status_code == 200


def test_rules_of_a_branch_are_listed(owner: Caller, dana: Caller) -> None:
    made = _ruleset(owner, _checks("tidegate"), {"type": "deletion"})
    rules = dana.get("/rules/branches/main").json()
    assert [(rule["type"], rule["ruleset_id"]) for rule in rules] == [
        ("required_status_checks", made["id"]),
        ("deletion", made["id"]),
    ]
    assert dana.get("/rules/branches/other").json() == []
    assert "bypass_actors" not in dana.get(f"/rulesets/{made['id']}").json()
    assert owner.get(f"/rulesets/{made['id']}").json()["bypass_actors"] == []
    assert owner.delete(f"/rulesets/{made['id']}").status_code == 204
    assert dana.get("/rules/branches/main").json() == []


def test_classic_protection_is_for_administrators_to_read(owner: Caller, dana: Caller) -> None:
    _protect(owner, required_status_checks={"strict": True, "contexts": ["tidegate"]})
    assert dana.get("/branches/main/protection").status_code == 404
    assert owner.get("/branches/main/protection").json()["required_status_checks"]["strict"] is True
    seen = dana.get("/branches/main").json()["protection"]["required_status_checks"]
    assert (seen["contexts"], seen["enforcement_level"]) == (["tidegate"], "everyone")


def test_a_protected_branch_takes_no_push_and_no_direct_update(
    dana: Caller, owner: Caller, github: FakeGitHub, repository: Repository, head: str
) -> None:
    _protect(owner, required_pull_request_reviews={"required_approving_review_count": 1})
    url = repository.clone_url.replace("//", f"//x:{github.token('dana')}@", 1)
    command = ["git", "-c", "http.proxy=", "push", url, "b:main"]
    pushed = subprocess.run(
        command, cwd=repository.path, env=environment(), capture_output=True, text=True, check=False
    )
    assert "GH006: Protected branch update failed for refs/heads/main" in pushed.stderr
    refused = dana.patch("/git/refs/heads/main", {"sha": head})
    assert refused.status_code == 422
    assert "Changes must be made through a pull request." in refused.json()["message"]
