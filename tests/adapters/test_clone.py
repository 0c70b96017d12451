"""A person's clone on real git: what stands in it as a commit, and that looking changes nothing of theirs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.repositories import OURS, Clone, git, new_bare
from tidegate.adapters.git import GitRepository, clone_at
from tidegate.errors import WrongUse

pytestmark = pytest.mark.contract
LONG_AGO = 1_700_000_000
FILES = {".gitignore": "*.log\nsecret/\n", "a/b.txt": "one\n", "run.sh": "#!/bin/sh\n", "kept.log": "tracked\n"}


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    clone = Clone.of(new_bare(tmp_path / "git", {"README.md": "models\n"}), tmp_path / "clone")
    for path, text in FILES.items():
        clone.write(path, text)
    (clone.folder / "run.sh").chmod(0o755)
    clone.git("add", "--all", "--force")
    clone.git("commit", "--quiet", "--message", "files")
    return clone


def repository_at(folder: Path) -> GitRepository:
    found = clone_at(folder)
    return GitRepository(found.directory, identity=OURS, work_tree=found.work_tree)


def everything(clone: Clone) -> tuple[str, bytes, str]:
    """What a person could notice: refs and HEAD, the index, the files and their state."""
    refs = clone.git("for-each-ref") + clone.git("rev-parse", "HEAD")
    return (
        refs,
        (clone.folder / ".git" / "index").read_bytes(),
        clone.git("--no-optional-locks", "status", "--porcelain"),
    )


def test_a_clean_work_tree_is_heads_own_commit(clone: Clone) -> None:
    assert repository_at(clone.folder).snapshot() == clone.git("rev-parse", "HEAD")


def test_everything_that_is_not_ignored_is_in_it(clone: Clone) -> None:
    clone.write("a/b.txt", "two\n")
    clone.write("a/new.txt", "new\n")
    clone.write("debug.log", "ignored\n")
    clone.write("secret/key", "ignored\n")
    clone.write("kept.log", "tracked, though ignored\n")
    (clone.folder / "link").symlink_to("a/b.txt")
    clone.git("rm", "--quiet", "run.sh")
    repository = repository_at(clone.folder)
    commit = repository.snapshot()
    assert repository.paths(commit) == (".gitignore", "README.md", "a/b.txt", "a/new.txt", "kept.log", "link")
    assert repository.read(commit, "kept.log") == "tracked, though ignored\n"
    assert repository.changed_paths("HEAD", commit) == ("a/b.txt", "a/new.txt", "kept.log", "link", "run.sh")


def test_nothing_of_the_persons_own_moves(clone: Clone) -> None:
    clone.write("a/b.txt", "staged\n")
    clone.git("add", "a/b.txt")
    clone.write("a/b.txt", "and edited again\n")
    clone.write("new.txt", "new\n")
    before = everything(clone)
    repository_at(clone.folder).snapshot()
    assert everything(clone) == before


def test_the_same_files_give_the_same_commit(clone: Clone) -> None:
    clone.write("new.txt", "new\n")
    first = repository_at(clone.folder).snapshot()
    assert repository_at(clone.folder).snapshot() == first != clone.git("rev-parse", "HEAD")
    info = repository_at(clone.folder).commit_info(first)
    assert (info.parents, info.author, info.committer) == ((clone.git("rev-parse", "HEAD"),), OURS, OURS)


def test_an_edit_that_leaves_size_and_time_as_they_were_is_seen(clone: Clone) -> None:
    """git looks into a file that was written in the very second of the index (racy-git), and into no older one."""
    clone.git("config", "core.trustctime", "false")
    file, index = clone.folder / "a" / "b.txt", clone.folder / ".git" / "index"
    os.utime(file, (LONG_AGO, LONG_AGO))
    clone.git("update-index", "--refresh")
    os.utime(index, (LONG_AGO, LONG_AGO))
    clone.write("a/b.txt", "two\n")
    os.utime(file, (LONG_AGO, LONG_AGO))
    repository = repository_at(clone.folder)
    assert repository.read(repository.snapshot(), "a/b.txt") == "two\n"


def test_the_persons_own_filters_and_line_ends_count(clone: Clone) -> None:
    clone.git("config", "core.autocrlf", "true")
    clone.write("a/b.txt", "one\r\n")
    assert repository_at(clone.folder).snapshot() == clone.git("rev-parse", "HEAD")
    clone.commit({".gitattributes": "*.bin filter=upper\n"})
    clone.git("config", "filter.upper.clean", "tr a-z A-Z")
    clone.write("x.bin", "loud\n")
    repository = repository_at(clone.folder)
    assert repository.read(repository.snapshot(), "x.bin") == "LOUD\n"


def test_no_hook_of_the_clone_is_run(clone: Clone) -> None:
    hook = clone.folder / ".git" / "hooks" / "post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {clone.folder}/ran\n")
    hook.chmod(0o755)
    clone.write("a/b.txt", "two\n")
    repository_at(clone.folder).snapshot()
    assert not (clone.folder / "ran").exists()


def test_a_folder_inside_and_a_linked_work_tree_are_the_clone(clone: Clone, tmp_path: Path) -> None:
    clone.write("new.txt", "new\n")
    assert repository_at(clone.folder / "a").snapshot() == repository_at(clone.folder).snapshot()
    clone.git("worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "linked")
    linked = Clone(tmp_path / "linked")
    linked.write("other.txt", "other\n")
    repository = repository_at(linked.folder)
    assert repository.changed_paths("HEAD", repository.snapshot()) == ("other.txt",)


def test_a_variable_that_a_hook_is_given_leads_nowhere_else(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    clone.write("new.txt", "new\n")
    wanted = repository_at(clone.folder).snapshot()
    monkeypatch.setenv("GIT_INDEX_FILE", str(clone.folder / ".git" / "none"))
    assert repository_at(clone.folder).snapshot() == wanted


def test_a_bare_repository_is_its_head(clone: Clone, tmp_path: Path) -> None:
    bare = tmp_path / "git" / "models.git"
    assert clone_at(bare).work_tree is None
    assert repository_at(bare).snapshot() == git(bare, "rev-parse", "main")


@pytest.mark.parametrize("folder", ["none", "."])
def test_I14_no_repository_is_wrong_use(tmp_path: Path, folder: str) -> None:
    with pytest.raises(WrongUse):
        clone_at(tmp_path / folder)


def test_I14_what_git_cannot_take_says_so(clone: Clone) -> None:
    git(clone.folder, "init", "--quiet", "inner")
    with pytest.raises(WrongUse, match="inner"):
        repository_at(clone.folder).snapshot()


def test_I14_a_repository_without_a_commit_says_so(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "new")
    with pytest.raises(WrongUse, match="commit something first"):
        repository_at(tmp_path / "new").snapshot()


def test_a_sparse_checkout_holds_what_it_leaves_out_and_what_lies_there_all_the_same(clone: Clone) -> None:
    clone.commit({"b/kept.txt": "kept\n"})
    clone.git("sparse-checkout", "set", "a")
    clone.write("b/new.txt", "new\n")
    repository = repository_at(clone.folder)
    commit = repository.snapshot()
    assert repository.changed_paths("HEAD", commit) == ("b/new.txt",)
    assert repository.read(commit, "b/kept.txt") == "kept\n"


def test_the_merge_base_takes_names(clone: Clone) -> None:
    first = clone.git("rev-parse", "HEAD~1")
    repository = repository_at(clone.folder)
    assert repository.merge_base("HEAD", "refs/remotes/origin/main") == first
    assert repository.merge_base("main", "main") == clone.git("rev-parse", "HEAD")
    clone.git("checkout", "--quiet", "--orphan", "island")
    clone.git("commit", "--quiet", "--message", "alone")
    assert repository_at(clone.folder).merge_base("HEAD", "main") is None


@pytest.mark.parametrize("name", ["nowhere", "", "a b", "a\nb", "HEAD\n", "-p", "--all"])
def test_I14_a_name_of_no_commit_is_wrong_use(clone: Clone, name: str) -> None:
    with pytest.raises(WrongUse):
        repository_at(clone.folder).merge_base(name, "HEAD")
