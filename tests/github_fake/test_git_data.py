"""Refs, commits, trees, blobs and contents over the API, and git over HTTP."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from support.github.callers import Caller, commit
from support.github.git import environment
from support.github.server import FakeGitHub
from support.github.state import Repository, Role


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    who = {f"GIT_{role}_{part}": "dana" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    command = ["git", "-c", "http.proxy=", *arguments]
    return subprocess.run(
        command, cwd=folder, env={**environment(), **who}, capture_output=True, text=True, check=False
    )


def _remote(repository: Repository, token: str) -> str:
    return repository.clone_url.replace("//", f"//x-access-token:{token}@", 1)


def test_a_commit_by_an_app_is_its_bots_signed_by_github(robot: Caller, repository: Repository) -> None:
    head = repository.git.branch("main")
    blob = robot.post("/git/blobs", {"content": "pin: 12\n", "encoding": "utf-8"}).json()
    entry = {"path": "models/churn/production.yaml", "mode": "100644", "type": "blob", "sha": blob["sha"]}
    tree = robot.post("/git/trees", {"base_tree": head, "tree": [entry]}).json()
    made = robot.post("/git/commits", {"message": "Promote", "tree": tree["sha"], "parents": [head]}).json()
    assert made["verification"]["verified"] is True
    assert made["committer"]["email"] == "noreply@github.com"
    assert made["author"]["name"] == "tidegate[bot]"
    assert repository.git.lookup(made["sha"], "README.md") is not None
    content = robot.get(f"/contents/models/churn/production.yaml?ref={made['sha']}").json()["content"]
    assert base64.b64decode(content) == b"pin: 12\n"


@pytest.mark.parametrize("custom", ["author", "committer"])
def test_a_commit_with_an_author_of_its_own_is_not_signed(robot: Caller, repository: Repository, custom: str) -> None:
    head = repository.git.branch("main") or ""
    tree = repository.git.commit(head).tree
    person = {"name": "Dana", "email": "dana@example.org", "date": "2026-03-02T11:00:00Z"}
    made = robot.post("/git/commits", {"message": "m", "tree": tree, "parents": [head], custom: person}).json()
    assert made["verification"]["verified"] is False
    assert made[custom]["email"] == "dana@example.org"


def test_a_tree_takes_deletions(robot: Caller, repository: Repository) -> None:
    head = commit(repository, "main", {"gone": "1", "kept": "1"})
    gone = {"path": "gone", "mode": "100644", "type": "blob", "sha": None}
    tree = robot.post("/git/trees", {"base_tree": head, "tree": [gone]}).json()
    assert [entry["path"] for entry in tree["tree"]] == ["README.md", "kept"]


def test_refs_are_made_once_moved_forward_and_deleted(dana: Caller, repository: Repository) -> None:
    main = repository.git.branch("main") or ""
    new = {"ref": "refs/heads/tidegate/churn", "sha": main}
    assert dana.post("/git/refs", new).status_code == 201
    again = dana.post("/git/refs", new)
    assert (again.status_code, again.json()["message"]) == (422, "Reference already exists")
    ahead = commit(repository, "tidegate/churn", {"a": "1"})
    other = commit(repository, "other", {"b": "1"})
    back = dana.patch("/git/refs/heads/tidegate/churn", {"sha": other})
    assert (back.status_code, back.json()["message"]) == (422, "Update is not a fast forward")
    assert dana.patch("/git/refs/heads/tidegate/churn", {"sha": other, "force": True}).status_code == 200
    assert dana.get("/git/ref/heads/tidegate/churn").json()["object"]["sha"] == other != ahead
    assert [r["ref"] for r in dana.get("/git/matching-refs/heads/tidegate/").json()] == ["refs/heads/tidegate/churn"]
    assert dana.delete("/git/refs/heads/tidegate/churn").status_code == 204
    assert dana.delete("/git/refs/heads/tidegate/churn").status_code == 422
    assert dana.get("/git/matching-refs/heads/tidegate/").json() == []


def test_a_ref_beside_a_ref_of_its_own_name_is_refused(dana: Caller, repository: Repository) -> None:
    main = repository.git.branch("main")
    dana.post("/git/refs", {"ref": "refs/heads/tidegate", "sha": main})
    assert dana.post("/git/refs", {"ref": "refs/heads/tidegate/churn", "sha": main}).status_code == 422


def test_comparing_says_how_far_apart(dana: Caller, repository: Repository) -> None:
    commit(repository, "b", {"a": "1\n"})
    commit(repository, "main", {"c": "1\n"})
    compared = dana.get("/compare/main...b").json()
    assert (compared["status"], compared["ahead_by"], compared["behind_by"]) == ("diverged", 1, 1)
    assert [f["filename"] for f in compared["files"]] == ["a"]


def test_git_clones_and_pushes_with_a_token_and_pull_requests_follow(
    github: FakeGitHub, dana: Caller, repository: Repository, tmp_path: Path
) -> None:
    url = _remote(repository, github.token("dana"))
    assert _git(tmp_path, "clone", "--quiet", url, "clone").returncode == 0
    clone = tmp_path / "clone"
    (clone / "a").write_text("1")
    _git(clone, "checkout", "-q", "-b", "b")
    _git(clone, "add", "a")
    _git(clone, "commit", "-qm", "one")
    assert _git(clone, "push", "-q", "origin", "b").returncode == 0
    dana.open("b")
    _git(clone, "commit", "-q", "--amend", "-m", "two")
    assert _git(clone, "push", "-q", "--force", "origin", "b").returncode == 0
    head = _git(clone, "rev-parse", "HEAD").stdout.strip()
    assert next(p for p in repository.pulls if p.number == 1).head_sha == head


@pytest.mark.parametrize(
    ("role", "command", "works"),
    [
        pytest.param("none", "fetch", False, id="a-stranger-sees-nothing"),
        pytest.param("read", "fetch", True, id="a-reader-fetches"),
        pytest.param("read", "push", False, id="a-reader-does-not-push"),
        pytest.param("write", "push", True, id="a-writer-pushes"),
    ],
)
def test_git_asks_for_the_role(
    github: FakeGitHub, repository: Repository, role: Role, command: str, works: bool
) -> None:
    url = _remote(repository, github.token("dana", role=role))
    ready = {"fetch": ("ls-remote", url), "push": ("push", url, "main:refs/heads/new")}[command]
    assert (_git(repository.path, *ready).returncode == 0) is works


def test_git_without_a_token_is_asked_for_one(repository: Repository, tmp_path: Path) -> None:
    assert "could not read Username" in _git(tmp_path, "ls-remote", repository.clone_url).stderr
