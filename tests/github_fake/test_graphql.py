"""GraphQL: auto-merge, the merge queue, signed commits, and lists of pull requests."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from support.github.callers import Caller, commit
from support.github.server import FakeGitHub, Violation
from support.github.state import Json, Repository

ARM = """mutation($id: ID!, $head: GitObjectID) {
  enablePullRequestAutoMerge(input: {pullRequestId: $id, expectedHeadOid: $head, mergeMethod: MERGE}) {
    pullRequest { autoMergeRequest { mergeMethod enabledBy { login } } }
  }
}"""
ENQUEUE = """mutation($id: ID!, $head: GitObjectID) {
  enqueuePullRequest(input: {pullRequestId: $id, expectedHeadOid: $head}) { mergeQueueEntry { state position } }
}"""
STATE = """query($number: Int!) {
  repository(owner: "acme", name: "models") {
    mergeQueue { entries(first: 10) { totalCount } }
    pullRequest(number: $number) {
      state isInMergeQueue mergeStateStatus reviewDecision mergeQueueEntry { state headCommit { oid } }
    }
  }
}"""
LIST = """query($after: String) {
  repository(owner: "acme", name: "models") {
    pullRequests(first: 2, after: $after, states: [OPEN], orderBy: {field: UPDATED_AT, direction: DESC}) {
      nodes { number } pageInfo { hasNextPage endCursor } totalCount
    }
  }
}"""
COMMIT = """mutation($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid signature { isValid wasSignedByGitHub } } ref { name } }
}"""
QUEUE: Json = {
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
CHECKS: Json = {
    "type": "required_status_checks",
    "parameters": {
        "strict_required_status_checks_policy": False,
        "required_status_checks": [{"context": "tidegate"}],
    },
}


def _rule(owner: Caller, *rules: Json) -> None:
    conditions = {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}
    body = {"name": "main", "enforcement": "active", "rules": list(rules), "conditions": conditions}
    assert owner.post("/rulesets", body).status_code == 201


def _report(robot: Caller, sha: str, conclusion: str) -> None:
    robot.post("/check-runs", {"name": "tidegate", "head_sha": sha, "status": "completed", "conclusion": conclusion})


def _pull(dana: Caller, repository: Repository, branch: str = "b") -> Json:
    commit(repository, branch, {branch: "1\n"})
    return dana.open(branch)


def _refusal(answer: Json) -> tuple[str, str]:
    error = answer["errors"][0]
    return error["type"], error["message"]


def test_auto_merge_is_refused_where_the_setting_is_off(dana: Caller, repository: Repository) -> None:
    pull = _pull(dana, repository)
    refused = dana.graphql(ARM, id=pull["node_id"])
    assert _refusal(refused) == ("UNPROCESSABLE", "Pull request Auto merge is not allowed for this repository")
    assert refused["data"] == {"enablePullRequestAutoMerge": None}


def test_auto_merge_is_refused_where_nothing_is_waited_for(dana: Caller, repository: Repository) -> None:
    repository.settings.allow_auto_merge = True
    pull = _pull(dana, repository)
    assert _refusal(dana.graphql(ARM, id=pull["node_id"]))[1] == "Pull request Pull request is in clean status"


def test_what_is_armed_merges_once_its_checks_pass(
    dana: Caller, robot: Caller, owner: Caller, repository: Repository
) -> None:
    repository.settings.allow_auto_merge = True
    _rule(owner, CHECKS)
    pull = _pull(dana, repository)
    head = pull["head"]["sha"]
    stale = dana.graphql(ARM, id=pull["node_id"], head="0" * 40)
    assert "didn't match expected" in _refusal(stale)[1]
    armed = dana.graphql(ARM, id=pull["node_id"], head=head)["data"]["enablePullRequestAutoMerge"]["pullRequest"]
    assert armed["autoMergeRequest"] == {"mergeMethod": "MERGE", "enabledBy": {"login": "dana"}}
    assert dana.get("/pulls/1").json()["auto_merge"]["merge_method"] == "merge"
    _report(robot, head, "success")
    assert dana.get("/pulls/1").json()["merged"] is True


def test_a_queue_takes_no_direct_merge_and_merges_the_group_that_passed(
    dana: Caller, robot: Caller, owner: Caller, github: FakeGitHub, repository: Repository
) -> None:
    _rule(owner, QUEUE, CHECKS)
    pull = _pull(dana, repository)
    _report(robot, pull["head"]["sha"], "success")
    direct = dana.put("/pulls/1/merge")
    assert (direct.status_code, "merge queue" in direct.json()["message"]) == (405, True)
    entry = dana.graphql(ENQUEUE, id=pull["node_id"], head=pull["head"]["sha"])["data"]["enqueuePullRequest"]
    assert entry["mergeQueueEntry"]["position"] == 1
    assert _refusal(dana.graphql(ENQUEUE, id=pull["node_id"]))[1] == "The pull request is already in the queue"
    seen = dana.graphql(STATE, number=1)["data"]["repository"]["pullRequest"]
    assert (seen["isInMergeQueue"], seen["mergeQueueEntry"]["state"]) == (True, "AWAITING_CHECKS")
    group = seen["mergeQueueEntry"]["headCommit"]["oid"]
    base = repository.git.branch("main")
    assert repository.git.branch(f"gh-readonly-queue/main/pr-1-{base}") == group
    assert "merge_group" in {event.name for event in github.events}
    _report(robot, group, "success")
    assert repository.git.branch("main") == group
    merged = dana.get("/pulls/1").json()
    assert (merged["merged"], merged["merge_commit_sha"]) == (True, group)
    assert not [name for name in repository.git.branches() if name.startswith("gh-readonly-queue")]


@pytest.mark.parametrize("cause", ["a failed check", "a push", "a conflict"])
def test_what_leaves_a_queue_without_being_merged(
    dana: Caller, robot: Caller, owner: Caller, repository: Repository, cause: str
) -> None:
    _rule(owner, QUEUE, CHECKS)
    pull = _pull(dana, repository)
    _report(robot, pull["head"]["sha"], "success")
    dana.graphql(ENQUEUE, id=pull["node_id"])
    group = repository.queues["main"][0].group
    if cause == "a failed check":
        _report(robot, group, "failure")
    elif cause == "a push":
        commit(repository, "b", {"b": "2\n"})
    else:
        commit(repository, "main", {"b": "other\n"})
    dana.post("/labels", {"name": "any-write"})
    seen = dana.graphql(STATE, number=1)["data"]["repository"]
    assert (seen["pullRequest"]["state"], seen["pullRequest"]["isInMergeQueue"]) == ("OPEN", False)
    assert seen["mergeQueue"]["entries"]["totalCount"] == 0


def test_the_second_in_a_queue_is_tested_on_top_of_the_first(
    dana: Caller, robot: Caller, owner: Caller, repository: Repository
) -> None:
    _rule(owner, QUEUE, CHECKS)
    for branch in ("one", "two"):
        pull = _pull(dana, repository, branch)
        _report(robot, pull["head"]["sha"], "success")
        dana.graphql(ENQUEUE, id=pull["node_id"])
    first, second = repository.queues["main"]
    assert repository.git.commit(second.group).parents[0] == first.group
    groups = (first.group, second.group)
    for group in groups:
        _report(robot, group, "success")
    assert repository.git.branch("main") == groups[1]
    assert [pull.merge_commit for pull in repository.pulls] == list(groups)


def test_lists_are_paged_by_cursor(dana: Caller, repository: Repository) -> None:
    for name in ("one", "two", "three"):
        _pull(dana, repository, name)
    dana.patch("/pulls/2", {"state": "closed"})
    _pull(dana, repository, "four")
    first = dana.graphql(LIST)["data"]["repository"]["pullRequests"]
    assert ([node["number"] for node in first["nodes"]], first["totalCount"]) == ([4, 3], 3)
    second = dana.graphql(LIST, after=first["pageInfo"]["endCursor"])["data"]["repository"]["pullRequests"]
    assert ([node["number"] for node in second["nodes"]], second["pageInfo"]["hasNextPage"]) == ([1], False)


def test_a_commit_made_by_github_is_signed_and_bound_to_the_head(robot: Caller, repository: Repository) -> None:
    head = repository.git.branch("main")
    addition = {"path": "pin.yaml", "contents": base64.b64encode(b"stable: 12\n").decode()}
    asked = {
        "branch": {"repositoryNameWithOwner": "acme/models", "branchName": "main"},
        "message": {"headline": "Promote churn"},
        "expectedHeadOid": head,
        "fileChanges": {"additions": [addition], "deletions": [{"path": "README.md"}]},
    }
    made = robot.graphql(COMMIT, input=asked)["data"]["createCommitOnBranch"]["commit"]
    assert made["signature"] == {"isValid": True, "wasSignedByGitHub": True}
    assert [entry.path for entry in repository.git.entries(repository.git.commit(made["oid"]).tree)] == ["pin.yaml"]
    assert _refusal(robot.graphql(COMMIT, input=asked))[0] == "STALE_DATA"


def test_a_weak_app_is_refused(github: FakeGitHub, dana: Caller, owner: Caller, repository: Repository) -> None:
    _rule(owner, QUEUE)
    pull = _pull(dana, repository)
    weak = Caller(github, github.installation_token(github.app("tidegate"), {"pull_requests": "read"}).token)
    assert _refusal(weak.graphql(ENQUEUE, id=pull["node_id"])) == (
        "FORBIDDEN",
        "Resource not accessible by integration",
    )


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        pytest.param('{repository(owner: "acme", name: "gone") {id}}', "NOT_FOUND", id="a-repository"),
        pytest.param('{node(id: "PR_1") {id}}', "NOT_FOUND", id="a-node"),
        pytest.param(
            '{repository(owner: "acme", name: "models") {pullRequest(number: 9) {id}}}',
            "NOT_FOUND",
            id="a-pull-request",
        ),
    ],
)
def test_what_is_not_there(dana: Caller, query: str, kind: str) -> None:
    assert _refusal(dana.graphql(query))[0] == kind


def test_a_query_that_githubs_schema_does_not_have_ends_the_test(tmp_path: Path) -> None:
    with pytest.raises(Violation, match="Cannot query field 'nonsense'"), FakeGitHub(tmp_path) as github:
        Caller(github, github.token("dana")).graphql("{nonsense}")
