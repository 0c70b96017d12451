"""The merge endpoint: what it makes, and every way in which it says no."""

from __future__ import annotations

import pytest

from support.github.callers import Caller, commit
from support.github.state import Repository


def _opened(dana: Caller, repository: Repository) -> str:
    head = commit(repository, "b", {"a": "1\n"})
    dana.open("b", "Promote churn 12")
    return head


def test_a_merge_makes_a_commit_of_both_in_githubs_words(dana: Caller, repository: Repository) -> None:
    head = _opened(dana, repository)
    main = commit(repository, "main", {"c": "1\n"})
    done = dana.put("/pulls/1/merge", {"sha": head})
    assert done.json()["merged"] is True
    made = repository.git.commit(repository.git.branch("main") or "")
    assert (made.sha, made.parents) == (done.json()["sha"], (main, head))
    assert made.message == "Merge pull request #1 from acme/b\n\nPromote churn 12"
    assert (made.author.name, made.committer.email) == ("dana", "noreply@github.com")
    pull = dana.get("/pulls/1").json()
    assert (pull["merged"], pull["state"], pull["merge_commit_sha"]) == (True, "closed", made.sha)
    assert pull["merged_by"]["login"] == "dana"
    assert dana.get("/pulls/1/merge").status_code == 204
    assert dana.get(f"/git/commits/{made.sha}").json()["verification"]["verified"] is True


def test_words_of_the_caller_are_taken(dana: Caller, repository: Repository) -> None:
    _opened(dana, repository)
    dana.put("/pulls/1/merge", {"commit_title": "Advance churn", "commit_message": "Tidegate-Key: k1"})
    assert repository.git.commit(repository.git.branch("main") or "").message == "Advance churn\n\nTidegate-Key: k1"


@pytest.mark.parametrize("method", ["squash", "rebase"])
def test_squash_and_rebase_leave_one_parent(dana: Caller, repository: Repository, method: str) -> None:
    _opened(dana, repository)
    main = commit(repository, "main", {"c": "1\n"})
    assert dana.put("/pulls/1/merge", {"merge_method": method}).status_code == 200
    made = repository.git.commit(repository.git.branch("main") or "")
    assert made.parents == (main,)
    assert made.message == {"squash": "Promote churn 12 (#1)\n\nWhy", "rebase": "A change"}[method]
    assert repository.git.lookup(made.sha, "a") is not None


def test_the_branch_goes_with_the_merge_if_the_setting_says_so(dana: Caller, repository: Repository) -> None:
    repository.settings.delete_branch_on_merge = True
    _opened(dana, repository)
    dana.put("/pulls/1/merge")
    assert repository.git.branch("b") is None
    assert dana.get("/pulls/1").json()["merged"] is True


def test_another_head_than_the_one_named_is_a_conflict(dana: Caller, repository: Repository) -> None:
    old = _opened(dana, repository)
    commit(repository, "b", {"a": "2\n"})
    refused = dana.put("/pulls/1/merge", {"sha": old})
    assert refused.status_code == 409
    assert refused.json()["message"] == "Head branch was modified. Review and try the merge again."


def test_what_cannot_be_merged_is_not_mergeable(dana: Caller, repository: Repository) -> None:
    _opened(dana, repository)
    commit(repository, "main", {"a": "other\n"})
    main = repository.git.branch("main")
    refused = dana.put("/pulls/1/merge")
    assert (refused.status_code, refused.json()["message"]) == (405, "Pull Request is not mergeable")
    assert repository.git.branch("main") == main


@pytest.mark.parametrize("state", ["merged", "closed"])
def test_what_is_closed_is_not_mergeable(dana: Caller, repository: Repository, state: str) -> None:
    _opened(dana, repository)
    if state == "merged":
        dana.put("/pulls/1/merge")
    else:
        dana.patch("/pulls/1", {"state": "closed"})
    assert dana.put("/pulls/1/merge").status_code == 405


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_method_that_is_switched_off(dana: Caller, owner: Caller, repository: Repository, method: str) -> None:
    _opened(dana, repository)
    setting = {"merge": "allow_merge_commit"}.get(method, f"allow_{method}_merge")
    assert owner.patch("", {setting: False}).json()[setting] is False
    refused = dana.put("/pulls/1/merge", {"merge_method": method})
    words = {"merge": "Merge commits", "squash": "Squash merges", "rebase": "Rebase merges"}[method]
    assert (refused.status_code, refused.json()["message"]) == (405, f"{words} are not allowed on this repository.")


def test_a_draft_is_not_merged(dana: Caller, repository: Repository) -> None:
    commit(repository, "b", {"a": "1"})
    dana.post("/pulls", {"title": "T", "head": "b", "base": "main", "draft": True})
    assert dana.put("/pulls/1/merge").json()["message"] == "Pull Request is still a draft"
