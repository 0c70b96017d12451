"""The repository on a server: everything over git's smart HTTP, with a token, against real `git http-backend`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.forge_contract import FIRST_FILES, PIN
from support.github.faults import Kind
from support.github_hub import asked
from support.github_worlds import NAME, GitHubWorld, github_world, repository_of, session_of
from support.repositories import NOON, OURS, git, new_bare
from tidegate.adapters.git import GitRepository, plumbing, remote
from tidegate.adapters.git.remote import Remote, RemoteRepository
from tidegate.adapters.github import Token
from tidegate.errors import OutsideSystem, Raced, Refused, WrongUse
from tidegate.ports import is_foreign

pytestmark = pytest.mark.contract
BRANCH = "tidegate/churn/production/promote-k0123456789abcdef"
RECORD = "refs/tidegate/runs/k0123456789abcdef/1"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[GitHubWorld]:
    with github_world(tmp_path, FIRST_FILES) as world:
        yield world


@pytest.fixture
def other(hub: GitHubWorld, tmp_path: Path) -> RemoteRepository:
    """Another process on another machine."""
    return repository_of(session_of(hub.github, hub.clock.now), tmp_path / "other.git")


def main_of(repository: GitRepository) -> str:
    main = repository.head()
    assert main is not None
    return main


def changed(repository: GitRepository, text: str = "stable: 2\n") -> str:
    return repository.write_commit(main_of(repository), {PIN: text}, "set", NOON)


def test_what_is_pushed_by_others_is_seen_at_once(hub: GitHubWorld) -> None:
    before = hub.repository.head()
    pushed = hub.person.commit({PIN: "stable: 7\n"})
    hub.person.push("main")
    assert before != pushed == hub.repository.head()
    assert hub.repository.read(pushed, PIN) == "stable: 7\n"


def test_a_branch_that_is_not_there_has_no_head(hub: GitHubWorld) -> None:
    assert hub.repository.head("nowhere") is None
    hub.repository.move_branch(BRANCH, changed(hub.repository), None)
    hub.person.git("push", "--quiet", "origin", "--delete", BRANCH)
    assert hub.repository.head(BRANCH) is None


@pytest.mark.parametrize(
    ("expected", "new"),
    [
        pytest.param(None, "second", id="made-by-two"),
        pytest.param("first", "second", id="moved-by-two"),
        pytest.param("first", None, id="deleted-after-it-moved"),
    ],
)
def test_F13_of_two_who_move_a_branch_one_loses(
    hub: GitHubWorld, other: RemoteRepository, expected: str | None, new: str | None
) -> None:
    named = {"first": changed(hub.repository), "second": changed(hub.repository, "stable: 3\n")}
    theirs = changed(other, "stable: 4\n")
    if expected is not None:
        hub.repository.move_branch(BRANCH, named[expected], None)
    other.move_branch(BRANCH, theirs, named.get(expected or ""))
    with pytest.raises(Raced, match=BRANCH):
        hub.repository.move_branch(BRANCH, named.get(new or ""), named.get(expected or ""))
    assert hub.repository.head(BRANCH) == theirs


def test_the_one_who_makes_the_very_same_branch_second_is_told(hub: GitHubWorld) -> None:
    head = changed(hub.repository)
    hub.repository.move_branch(BRANCH, head, None)
    with pytest.raises(Raced):
        hub.repository.move_branch(BRANCH, head, None)


def test_records_are_written_once_and_read_by_others(hub: GitHubWorld, other: RemoteRepository) -> None:
    hub.repository.write_record(RECORD, "launched ✓", None)
    assert other.read_record(RECORD) == "launched ✓"
    with pytest.raises(Raced, match="says something else"):
        other.write_record(RECORD, "mine", None)
    other.write_record(RECORD, "done", "launched ✓")
    assert hub.repository.read_record(RECORD) == "done"
    assert hub.repository.records("refs/tidegate/runs/") == {RECORD: "done"}
    assert hub.repository.read_record(f"{RECORD}0") is None


def test_a_record_that_somebody_deleted_is_no_record_any_more(hub: GitHubWorld) -> None:
    hub.repository.write_record(RECORD, "launched", None)
    git(hub.github.repository(NAME).path, "update-ref", "-d", RECORD)
    assert hub.repository.records("refs/tidegate/") == {}
    assert hub.repository.read_record(RECORD) is None


def test_an_app_s_commits_are_signed_by_github_and_ours(hub: GitHubWorld) -> None:
    main, head = main_of(hub.repository), changed(hub.repository)
    assert head in hub.github.repository(NAME).verified
    assert not is_foreign(hub.repository.commits(main, head), OURS)
    assert hub.repository.commit_info(head).committer == "noreply@github.com"
    assert hub.repository.read(head, PIN) == "stable: 2\n"
    assert hub.repository.read(head, "README.md") == "models\n"


def test_a_signed_commit_can_delete_and_keeps_executable_bits(hub: GitHubWorld) -> None:
    hub.person.write("run.sh", "#!/bin/sh\n")
    (hub.person.folder / "run.sh").chmod(0o755)
    hub.person.commit({"old.md": "old\n"})
    hub.person.push("main")
    main = main_of(hub.repository)
    head = hub.repository.write_commit(main, {"run.sh": "#!/bin/sh\ntrue\n", "old.md": None}, "both", NOON)
    assert head in hub.github.repository(NAME).verified
    assert hub.repository.plumbing.entries(head, ["run.sh", "old.md"]).keys() == {"run.sh"}
    assert hub.repository.plumbing.entries(head, ["run.sh"])["run.sh"][0] == "100755"


def test_a_commit_with_our_names_that_github_did_not_sign_is_foreign(hub: GitHubWorld) -> None:
    main, account = main_of(hub.repository), hub.session.account
    who = {"EMAIL": f"{account.number}+{account.login}@users.noreply.github.com", "NAME": account.login}
    names = {f"GIT_AUTHOR_{part}": value for part, value in who.items()}
    names |= {"GIT_COMMITTER_EMAIL": "noreply@github.com", "GIT_COMMITTER_NAME": "GitHub"}
    hub.person.write("note.md", "forged\n")
    hub.person.git("add", "--all")
    command = ["git", "-C", str(hub.person.folder), "commit", "--quiet", "--message", "forged"]
    subprocess.run(command, check=True, env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", **names})
    hub.person.push(f"HEAD:{BRANCH}")
    head = hub.repository.head(BRANCH)
    assert head is not None
    assert is_foreign(hub.repository.commits(main, head), OURS)


def test_our_address_in_a_commit_that_github_did_not_sign_proves_nothing_where_it_signs_ours(hub: GitHubWorld) -> None:
    main, head = main_of(hub.repository), changed(GitRepository(hub.github.repository(NAME).path, identity=OURS))
    git(hub.github.repository(NAME).path, "update-ref", f"refs/heads/{BRANCH}", head)
    assert hub.repository.head(BRANCH) == head
    commits = hub.repository.commits(main, head)
    assert [(commit.author, commit.committer) for commit in commits] == [(OURS, OURS)]
    assert is_foreign(commits, OURS)
    assert not is_foreign(commits, OURS, verb=True), "a person's verb may be run with a token"


def test_a_server_that_signs_nothing_for_the_app_is_told_of(hub: GitHubWorld) -> None:
    hub.github.signs_commits = False
    with pytest.raises(Refused, match="web commit signing"):
        changed(hub.repository)


def test_a_token_s_commits_are_made_by_git_with_our_identity(hub: GitHubWorld, tmp_path: Path) -> None:
    token = Token(value=hub.github.token("dana"))
    repository = repository_of(session_of(hub.github, hub.clock.now, token), tmp_path / "token.git")
    main, head = main_of(repository), changed(repository)
    assert head == changed(repository), "same inputs, same commit"
    repository.move_branch(BRANCH, head, None)
    (commit,) = repository.commits(main, head)
    assert (commit.author, commit.committer) == (OURS, OURS)


def test_commits_of_a_closed_pull_request_are_fetched_by_id(hub: GitHubWorld, other: RemoteRepository) -> None:
    head = changed(hub.repository)
    hub.repository.move_branch(BRANCH, head, None)
    hub.forge.proposals()
    asked(hub.github, "dana", "POST", "/pulls", {"title": "t", "head": BRANCH, "base": "main"})
    hub.repository.move_branch(BRANCH, None, head)
    assert other.have((head, "f" * 40, "not an id")) == {head}
    assert other.read(head, PIN) == "stable: 2\n"


def test_conflicts_name_the_files_and_merges_who_brought_what(hub: GitHubWorld) -> None:
    main, head = main_of(hub.repository), changed(hub.repository)
    other = hub.repository.write_commit(main, {PIN: "stable: 9\n"}, "another", NOON + timedelta(hours=1))
    assert hub.repository.conflicts(head, other) == (PIN,)
    assert hub.repository.conflicts(head, main) == ()
    assert hub.repository.brought_by(main, head) == main
    assert hub.repository.brought_by(head, main) is None


# What goes wrong.


@dataclass(frozen=True)
class Wrong:
    """A remote that does not work, and the error it ends in."""

    make: Callable[[GitHubWorld, Path], Remote]
    error: type[Exception]
    words: str


def unsigned(hub: GitHubWorld, mirror: Path) -> Remote:
    return Remote(hub.session.address.clone_url, mirror, lambda: "ghp_wrong")


def missing(hub: GitHubWorld, mirror: Path) -> Remote:
    return Remote(f"{hub.github.url}/acme/nothing.git", mirror, hub.session.token)


def nobody(_: GitHubWorld, mirror: Path) -> Remote:
    return Remote("http://127.0.0.1:1/acme/models.git", mirror)


WRONG = [
    pytest.param(Wrong(unsigned, WrongUse, "token"), id="a-token-that-is-none"),
    pytest.param(Wrong(missing, WrongUse, "there"), id="a-repository-that-is-not-there"),
    pytest.param(Wrong(nobody, OutsideSystem, "answer"), id="nobody-at-the-address"),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_remote_that_does_not_answer_says_who_must_act(hub: GitHubWorld, tmp_path: Path, wrong: Wrong) -> None:
    repository = RemoteRepository(wrong.make(hub, tmp_path / "wrong.git"), identity=OURS)
    with pytest.raises(wrong.error, match=wrong.words) as failed:
        repository.head()
    assert "ghp_wrong" not in str(failed.value)


def test_who_may_not_write_is_refused_in_githubs_words(hub: GitHubWorld, tmp_path: Path) -> None:
    token = Token(value=hub.github.token("reader", role="read"))
    repository = repository_of(session_of(hub.github, hub.clock.now, token), tmp_path / "reader.git")
    with pytest.raises((Refused, WrongUse), match="write"):
        repository.move_branch(BRANCH, changed(repository), None)


def test_a_protected_branch_is_refused_not_raced(hub: GitHubWorld) -> None:
    body = {
        "required_status_checks": None,
        "enforce_admins": True,
        "required_pull_request_reviews": {"required_approving_review_count": 1},
        "restrictions": None,
    }
    asked(hub.github, "olga", "PUT", "/branches/main/protection", body)
    main = main_of(hub.repository)
    with pytest.raises(Refused, match="GH006"):
        hub.repository.move_branch("main", changed(hub.repository), main)


@pytest.mark.parametrize("kind", ["after", "cut-after"])
def test_a_push_that_was_taken_though_its_answer_was_lost_is_raced(hub: GitHubWorld, kind: Kind) -> None:
    head = changed(hub.repository)
    hub.github.fault("GIT", "git-receive-pack$", kind)
    with pytest.raises(Raced):
        hub.repository.move_branch(BRANCH, head, None)
    assert hub.repository.head(BRANCH) == head


def test_a_push_that_was_not_taken_is_an_outage(hub: GitHubWorld) -> None:
    head = changed(hub.repository)
    hub.github.fault("GIT", "git-receive-pack$", "before", times=9)
    with pytest.raises(OutsideSystem):
        hub.repository.move_branch(BRANCH, head, None)
    hub.github.mend()
    assert hub.repository.head(BRANCH) is None


def killed_in(mirror: Path, *refs: str) -> None:
    """What a git that was killed leaves behind in a mirror."""
    for ref in refs:
        lock = mirror / f"{ref}.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.write_text("")


def test_F13_a_lock_that_a_killed_git_left_in_the_mirror_stops_nothing(
    hub: GitHubWorld, other: RemoteRepository, tmp_path: Path
) -> None:
    other.write_record(RECORD, "launched", None)
    hub.repository.records("refs/tidegate/")
    head = changed(other)
    other.write_record(RECORD, "done", "launched")
    other.move_branch(BRANCH, head, None)
    killed_in(tmp_path / "mirror.git", RECORD, f"refs/heads/{BRANCH}", "packed-refs")
    assert hub.repository.records("refs/tidegate/") == {RECORD: "done"}
    assert hub.repository.head(BRANCH) == head
    killed_in(tmp_path / "mirror.git", f"refs/heads/{BRANCH}")
    hub.repository.move_branch(BRANCH, None, head)
    assert hub.repository.head(BRANCH) is None


def test_F13_a_branch_below_the_name_of_one_that_went_is_no_race(hub: GitHubWorld, other: RemoteRepository) -> None:
    above = BRANCH.rpartition("/")[0]
    head = changed(other)
    other.move_branch(above, head, None)
    assert hub.repository.head(above) == head
    other.move_branch(above, None, head)
    moved = changed(other, "stable: 3\n")
    other.move_branch(BRANCH, moved, None)
    assert hub.repository.head(BRANCH) == moved
    assert hub.repository.read(moved, PIN) == "stable: 3\n"


def test_a_branch_that_goes_while_it_is_fetched_is_a_lost_race(
    hub: GitHubWorld, other: RemoteRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = changed(other)
    other.move_branch(BRANCH, head, None)
    fetch = hub.repository._fetch

    def too_late(*refspecs: str) -> None:
        other.move_branch(BRANCH, None, head)
        fetch(*refspecs)

    monkeypatch.setattr(hub.repository, "_fetch", too_late)
    with pytest.raises(Raced, match=BRANCH):
        hub.repository.head(BRANCH)


def test_what_was_not_there_yet_is_found_in_the_next_pass(hub: GitHubWorld) -> None:
    head = hub.person.commit({PIN: "stable: 7\n"})
    assert hub.repository.have((head,)) == frozenset()
    hub.person.push("HEAD:later")
    hub.repository.records("refs/tidegate/")
    assert hub.repository.have((head,)) == {head}


@pytest.mark.parametrize("verb", ["fetch", "push"])
def test_F26_a_transfer_may_take_longer_than_git_s_other_commands(
    hub: GitHubWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr(plumbing, "TIMEOUT_SECONDS", 0.5)
    repository = repository_of(hub.session, tmp_path / "slow.git")
    hub.github.fault("GIT", "git-(upload|receive)-pack$", "slow", times=1, seconds=1)
    if verb == "fetch":
        assert hub.repository.head() == repository.head()
    else:
        head = changed(hub.repository)
        hub.repository.move_branch(BRANCH, head, None)
        assert hub.repository.head(BRANCH) == head


def test_F26_of_a_git_that_is_given_up_nothing_stays(
    hub: GitHubWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "TRANSFER_SECONDS", 0.5)
    monkeypatch.setattr(plumbing, "GRACE_SECONDS", 0.5)
    hub.github.fault("GIT", "git-upload-pack", "slow", times=9, seconds=5)
    with pytest.raises(OutsideSystem, match=r"no end after 0\.5 seconds"):
        repository_of(hub.session, tmp_path / "slow.git").head()
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert hub.github.url not in running


def test_I11_the_token_is_in_no_argument_and_no_file(
    hub: GitHubWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = subprocess.Popen

    def watched(command: list[str], **options: object) -> object:
        seen.append(" ".join(command))
        return real(command, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", watched)
    token = hub.github.token("dana")
    session = session_of(hub.github, hub.clock.now, Token(value=token))
    repository = repository_of(session, tmp_path / "mirror.git")
    repository.move_branch(BRANCH, changed(repository), None)
    assert any("push" in command for command in seen)
    texts = [*seen, (tmp_path / "mirror.git" / "config").read_text()]
    assert not [text for text in texts if token in text or "Basic" in text]


def test_a_file_s_address_works_without_a_token(tmp_path: Path) -> None:
    bare = new_bare(tmp_path, FIRST_FILES)
    repository = RemoteRepository(Remote(bare.as_uri(), tmp_path / "mirror.git"), identity=OURS)
    head = changed(repository)
    repository.move_branch(BRANCH, head, None)
    assert git(bare, "rev-parse", BRANCH) == head
