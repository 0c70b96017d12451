"""The repository adapter on real git: what it reads, what it writes, and who wins a race."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from support.repositories import NOON, OURS, PERSON, Clone, git, new_bare
from tidegate.adapters.git import GitRepository, origin_of
from tidegate.errors import OutsideSystem, Raced, Refused, WrongUse
from tidegate.ports import FileVersion, Repository

pytestmark = pytest.mark.contract
PIN = "models/churn/production.yaml"
LATER = NOON + timedelta(hours=1)
RECORD = "refs/tidegate/runs/k1/1"
ODD_CONTENTS = [
    pytest.param("stable: 1\r\nprevious: 2\r\n", id="CRLF"),
    pytest.param("stable: 1\r\nprevious: 2\nmixed", id="mixed-line-ends-and-no-final-newline"),
    pytest.param("reason: latência ×2.4 – 遅い 🐢\n", id="not-ASCII"),
    pytest.param(b"caf\xe9 \xff\xfe\x80\n".decode("utf-8", "surrogateescape"), id="not-UTF-8"),
    pytest.param("", id="empty"),
    pytest.param("\ufeffstable: 1\n", id="byte-order-mark"),
]
ODD_PATHS = ["a file.yaml", "modèles/Größe ×2.yaml", "-n", "a:b", "*?[x]", "tab\there", 'quo"te', "deep/er/still/x"]


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    return new_bare(tmp_path, {PIN: "stable: 1\n", "models/churn/model.yaml": "kind: Model\n"})


@pytest.fixture
def repository(bare: Path) -> GitRepository:
    return GitRepository(bare, identity=OURS)


@pytest.fixture
def person(bare: Path, tmp_path: Path) -> Clone:
    return Clone.of(bare, tmp_path / "person")


def head(repository: Repository, branch: str = "main") -> str:
    found = repository.head(branch)
    assert found is not None
    return found


def on_main(repository: Repository, files: dict[str, str | None], message: str = "m") -> str:
    parent = head(repository)
    commit = repository.write_commit(parent, files, message, NOON)
    repository.move_branch("main", commit, parent)
    return commit


def test_the_adapter_is_a_repository(repository: Repository) -> None:
    assert repository.identity == OURS


@pytest.mark.parametrize("name", ["nope", "main~1", "main^", "main@{0}", "ma*n", "..", "a b", "x\ny"])
def test_a_branch_that_does_not_exist_has_no_head(repository: GitRepository, name: str) -> None:
    assert repository.head(name) is None


def test_what_others_push_is_seen_at_once_even_from_packed_refs(
    repository: GitRepository, person: Clone, bare: Path
) -> None:
    before = head(repository)
    pushed = person.commit({"new.txt": "new\n"})
    person.push("main")
    assert (head(repository), repository.read(pushed, "new.txt")) == (pushed, "new\n")
    git(bare, "gc", "--quiet", "--prune=now")
    assert head(repository) == pushed != before
    assert repository.read(pushed, "new.txt") == "new\n"


@pytest.mark.parametrize("text", ODD_CONTENTS)
def test_no_byte_is_lost_when_a_file_is_written_and_read(repository: GitRepository, bare: Path, text: str) -> None:
    commit = on_main(repository, {PIN: text})
    assert repository.read(commit, PIN) == text
    raw = subprocess.run(["git", "show", f"{commit}:{PIN}"], cwd=bare, capture_output=True, check=True).stdout
    assert raw == text.encode("utf-8", "surrogateescape")


@pytest.mark.parametrize("path", ODD_PATHS)
def test_any_path_can_be_written_read_listed_and_deleted(repository: GitRepository, path: str) -> None:
    commit = on_main(repository, {path: "x\n"})
    assert repository.read(commit, path) == "x\n"
    assert path in repository.paths(commit)
    assert [each.text for each in repository.history(commit, path)] == ["x\n"]
    assert repository.changed_paths(f"{commit}^", commit) == (path,)
    assert path not in repository.paths(on_main(repository, {path: None}))


def test_reading_many_leaves_out_what_is_not_a_file(repository: GitRepository) -> None:
    commit = head(repository)
    found = repository.read_many(commit, [PIN, "models", "missing.yaml", "./models/churn/model.yaml"])
    assert found == {PIN: "stable: 1\n", "./models/churn/model.yaml": "kind: Model\n"}


def test_reading_thousands_at_once_does_not_block(repository: GitRepository) -> None:
    files: dict[str, str | None] = {f"d/{place}": "x" * 2000 for place in range(1500)}
    commit = on_main(repository, files)
    assert repository.read_many(commit, list(files)) == files


def test_reading_many_files_gives_what_reading_each_gives(repository: GitRepository) -> None:
    """Many are looked up in a listing, few by their names."""
    files: dict[str, str | None] = {f"d/{place}": str(place) for place in range(300)}
    commit = on_main(repository, {**files, "d e/ü\tx": "odd", "top": "top"})
    asked = [*files, "d", "d/none", "none/d", "./d/1", "d//2", ".", "", "d e/ü\tx", "top", PIN, "top/x"]
    each = {path: text for path in asked if (text := repository.read(commit, path)) is not None}
    assert repository.read_many(commit, asked) == each
    assert len(each) == len(files) + 5
    with pytest.raises(WrongUse):
        repository.read_many("0" * 40, asked)


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "a/../../b", "two\nlines"])
def test_I14_a_path_that_leads_outside_is_wrong_use(repository: GitRepository, path: str) -> None:
    with pytest.raises(WrongUse, match="no path inside"):
        repository.read(head(repository), path)


def test_I14_a_commit_that_is_not_there_is_named_with_the_next_step(repository: GitRepository) -> None:
    missing = "1" * 40
    for read in (repository.read, repository.history, repository.object_id):
        with pytest.raises(WrongUse, match=rf"no commit {missing}.*fetch-depth"):
            read(missing, PIN)
    with pytest.raises(WrongUse, match=missing):
        repository.commits(head(repository), missing)


def test_paths_are_those_under_the_folders_asked_for(repository: GitRepository) -> None:
    commit = on_main(repository, {"models/other/model.yaml": "x", "README.md": "x"})
    assert repository.paths(commit, ["models/churn"]) == ("models/churn/model.yaml", PIN)
    assert repository.paths(commit, ["nowhere"]) == ()
    assert len(repository.paths(commit)) == 4


def test_the_id_of_a_folder_changes_with_content_and_mode(repository: GitRepository, person: Clone) -> None:
    first = repository.object_id(head(repository), "models/churn")
    person.git("update-index", "--chmod=+x", PIN)
    person.git("commit", "--quiet", "-m", "executable")
    person.push("main")
    second = repository.object_id(head(repository), "models/churn/")
    third = repository.object_id(on_main(repository, {PIN: "stable: 2\n"}), "models/churn")
    assert len({first, second, third, None}) == 4
    assert repository.object_id(head(repository), "models/missing") is None


def texts(versions: tuple[FileVersion, ...]) -> list[str | None]:
    return [version.text for version in versions]


def test_history_survives_deletion_and_recreation(repository: GitRepository) -> None:
    on_main(repository, {PIN: None}, "gone")
    on_main(repository, {"README.md": "unrelated\n"})
    last = on_main(repository, {PIN: "stable: 3\n"}, "back")
    versions = repository.history(last, PIN)
    assert texts(versions) == ["stable: 1\n", None, "stable: 3\n"]
    assert [version.message.strip() for version in versions] == ["first commit", "gone", "back"]
    assert (versions[-1].commit, versions[-1].at) == (last, NOON)


def test_I5_history_shows_merges_and_their_reverts_but_not_the_steps_on_a_branch(
    repository: GitRepository, person: Clone
) -> None:
    person.checkout("work", new=True)
    person.commit({PIN: "stable: half\n"})
    person.commit({PIN: "stable: 2\n"})
    person.checkout("main")
    person.git("merge", "--quiet", "--no-ff", "-m", "merge it", "work", at=LATER)
    merge = person.git("rev-parse", "HEAD")
    person.git("revert", "--no-edit", "-m", "1", "HEAD")
    person.push("main")
    versions = repository.history(head(repository), PIN)
    assert texts(versions) == ["stable: 1\n", "stable: 2\n", "stable: 1\n"]
    assert (versions[1].commit, versions[1].at, versions[1].message) == (merge, LATER, "merge it\n")
    assert f"This reverts commit {merge}" in versions[2].message


def test_history_that_grows_branches_and_is_rewritten_is_what_a_fresh_look_says(
    repository: GitRepository, person: Clone, bare: Path
) -> None:
    first = head(repository)
    second = on_main(repository, {PIN: "2\n"})
    third = repository.write_commit(second, {PIN: "on a branch\n"}, "m", NOON)
    fourth = on_main(repository, {PIN: "4\n"})
    person.pull()
    person.git("reset", "--quiet", "--hard", first)
    rewritten = person.commit({PIN: "rewritten\n"})
    person.git("merge", "--quiet", "-s", "ours", "-m", "foxtrot", second)
    foxtrot = person.git("rev-parse", "HEAD")
    person.push("HEAD:other")
    unrelated = git(bare, "commit-tree", f"{first}^{{tree}}", "-m", "another root")
    expected = {
        first: ["stable: 1\n"],
        second: ["stable: 1\n", "2\n"],
        third: ["stable: 1\n", "2\n", "on a branch\n"],
        fourth: ["stable: 1\n", "2\n", "4\n"],
        rewritten: ["stable: 1\n", "rewritten\n"],
        foxtrot: ["stable: 1\n", "rewritten\n"],
        unrelated: ["stable: 1\n"],
    }
    orders = [list(expected), list(reversed(expected)), [second, foxtrot, second, unrelated, third, fourth, first]]
    for order in orders:
        seen = GitRepository(bare, identity=OURS)
        assert {commit: texts(seen.history(commit, PIN)) for commit in order} == {
            commit: expected[commit] for commit in order
        }


def test_the_last_change_of_files_and_folders_is_found(repository: GitRepository) -> None:
    first = head(repository)
    second = on_main(repository, {"lib/a.py": "1"})
    third = on_main(repository, {"models/churn.md": "a neighbour by name"})
    assert repository.last_change(third, ["models/churn"]) == first
    assert repository.last_change(third, ["models/churn/", "lib"]) == second
    assert repository.last_change(first, ["lib"]) is None
    assert repository.last_change(third, ["."]) == third


def test_commits_of_a_branch_say_who_made_them(repository: GitRepository, person: Clone) -> None:
    ours = repository.write_commit(head(repository), {PIN: "2\n"}, "ours", NOON)
    repository.move_branch("work", ours, None)
    person.git("fetch", "--quiet")
    person.checkout("work")
    theirs = person.commit({PIN: "3\n"}, "theirs\n\nbody ✓", LATER)
    person.push()
    found = repository.commits(head(repository), head(repository, "work"))
    assert [(each.sha, each.author, each.committer) for each in found] == [
        (ours, OURS, OURS),
        (theirs, PERSON, PERSON),
    ]
    assert (found[1].parents, found[1].message, found[1].at) == ((ours,), "theirs\n\nbody ✓\n", LATER)
    assert repository.commit_info(theirs) == found[1]


def test_after_merges_that_cross_there_are_several_merge_bases(repository: GitRepository, bare: Path) -> None:
    start = head(repository)
    one = repository.write_commit(start, {"one.md": "x"}, "m", NOON)
    other = repository.write_commit(start, {"other.md": "x"}, "m", LATER)
    assert repository.merge_bases(one, other) == (start,)
    first, second = repository.merged(one, other) or "", repository.merged(other, one) or ""
    assert set(repository.merge_bases(first, second)) == {one, other}
    assert repository.merge_base(first, second) in (one, other)
    alone = git(bare, "commit-tree", f"{start}^{{tree}}", "-m", "no parent")
    assert repository.merge_bases(start, alone) == ()


def test_what_main_was_is_told_by_first_parents(repository: GitRepository) -> None:
    first = head(repository)
    branch = repository.write_commit(first, {"new.md": "x"}, "m", NOON)
    second = on_main(repository, {"README.md": "x"})
    merged = repository.merged(second, branch) or ""
    assert [repository.is_past(merged, commit) for commit in (first, second, merged)] == [True, True, True]
    assert [repository.is_past(second, commit) for commit in (merged, branch, "0" * 40, "main")] == [False] * 4
    assert not repository.is_past(merged, branch), "it came with a merge, and main never was it"


def test_links_and_submodules_are_told_from_files(repository: GitRepository, person: Clone) -> None:
    (person.folder / "link").symlink_to("models")
    (person.folder / "models/link").symlink_to("churn")
    person.git("add", "--all")
    person.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},models/module")
    person.git("commit", "--quiet", "-m", "links")
    person.push("main")
    paths = (PIN, "link", "models/link", "models/module", "models", "nowhere")
    assert repository.links(head(repository), paths) == {"link", "models/link", "models/module"}
    assert repository.links(head(repository), ()) == frozenset()


def test_changed_paths_are_measured_from_the_merge_base(repository: GitRepository) -> None:
    base = head(repository)
    work = repository.write_commit(base, {PIN: "2\n", "new.md": "x"}, "m", NOON)
    main = on_main(repository, {"README.md": "x"})
    assert repository.changed_paths(main, work) == (PIN, "new.md")


def test_I2_the_same_commit_is_written_whatever_the_person_s_configuration_says(
    repository: GitRepository, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent, files = head(repository), {PIN: "2\n", "models/churn/model.yaml": None}
    plain = repository.write_commit(parent, files, "m\n\nTrailer: x\n", NOON)
    (tmp_path / "gitconfig").write_text("[commit]\ngpgsign=true\n[core]\nautocrlf=true\n[user]\nname=Eve\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2001-01-01T00:00:00Z")
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    again = GitRepository(bare, identity=OURS).write_commit(parent, files, "m\n\nTrailer: x\n", NOON)
    assert again == plain
    info = repository.commit_info(plain)
    assert (info.author, info.committer, info.at, info.parents) == (OURS, OURS, NOON, (parent,))
    assert head(repository) == parent, "no ref moved"
    assert not (tmp_path / "index").exists()


def test_a_commit_changes_only_the_files_named_and_keeps_their_modes(repository: GitRepository, person: Clone) -> None:
    person.commit({"run.sh": "#!/bin/sh\n"})
    person.git("update-index", "--chmod=+x", "run.sh")
    person.git("commit", "--quiet", "-m", "executable")
    person.push("main")
    commit = on_main(repository, {"run.sh": "#!/bin/bash\n", "never/was": None})
    assert repository.changed_paths(f"{commit}^", commit) == ("run.sh",)
    assert repository.plumbing.entries(commit, ["run.sh"])["run.sh"][0] == "100755"


def test_a_file_may_become_a_folder_and_a_folder_a_file(repository: GitRepository) -> None:
    commit = on_main(repository, {PIN: None, f"{PIN}/x": "1"})
    assert repository.read(commit, f"{PIN}/x") == "1"
    commit = on_main(repository, {f"{PIN}/x": None, PIN: "2"})
    assert repository.read(commit, PIN) == "2"


@pytest.mark.parametrize("path", ["../out", ".git/config", "a/.GIT/b", "a/../../b"])
def test_I14_a_path_that_git_refuses_is_not_written(repository: GitRepository, path: str) -> None:
    with pytest.raises(WrongUse, match="path"):
        repository.write_commit(head(repository), {path: "x"}, "m", NOON)


def test_a_branch_moves_only_from_where_it_was_seen(repository: GitRepository) -> None:
    first = head(repository)
    second = repository.write_commit(first, {PIN: "2\n"}, "m", NOON)
    repository.move_branch("work", first, None)
    for new, expected in ((second, None), (second, second), (None, second)):
        with pytest.raises(Raced, match="refs/heads/work"):
            repository.move_branch("work", new, expected)
    with pytest.raises(Raced):
        repository.move_branch("missing", second, first)
    repository.move_branch("work", second, first)
    assert repository.head("work") == second
    repository.move_branch("work", None, second)
    assert repository.head("work") is None


def test_moves_are_all_made_or_none(repository: GitRepository) -> None:
    first = head(repository)
    second = repository.write_commit(first, {PIN: "2\n"}, "m", NOON)
    with pytest.raises(Raced):
        repository.plumbing.move({"refs/heads/main": (first, second), "refs/heads/x": (second, first)})
    assert (repository.head(), repository.head("x")) == (first, None)


def test_I2_of_two_threads_that_create_a_branch_one_loses(repository: GitRepository) -> None:
    commit, outcomes = head(repository), list[str]()
    start = threading.Barrier(2)

    def create(place: int) -> None:
        start.wait()
        try:
            repository.move_branch(f"race/{place}", commit, None)
            outcomes.append("won")
        except Raced:
            outcomes.append("lost")

    for place in range(10):
        threads = [threading.Thread(target=create, args=(place,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(outcomes) == ["lost"] * 10 + ["won"] * 10


def test_a_record_is_written_once_and_changed_only_by_who_read_it(repository: GitRepository) -> None:
    assert repository.read_record(RECORD) is None
    repository.write_record(RECORD, '{"run": "ü"}\r\n', None)
    assert repository.read_record(RECORD) == '{"run": "ü"}\r\n'
    for expected in (None, "something else"):
        with pytest.raises(Raced, match=RECORD):
            repository.write_record(RECORD, "mine", expected)
    repository.write_record(RECORD, "finished", '{"run": "ü"}\r\n')
    assert repository.read_record(RECORD) == "finished"


def test_records_are_found_by_the_beginning_of_their_name(repository: GitRepository) -> None:
    for name in ("runs/k1/1", "runs/k1/2", "runs/k10/1", "other/k1"):
        repository.write_record(f"refs/tidegate/{name}", name, None)
    assert repository.records("refs/tidegate/runs/k1/") == {
        "refs/tidegate/runs/k1/1": "runs/k1/1",
        "refs/tidegate/runs/k1/2": "runs/k1/2",
    }
    assert len(repository.records("refs/tidegate/runs/k1")) == 3
    assert len(repository.records("refs/tidegate/")) == 4
    assert repository.records("refs/tidegate/nothing/") == {}


def test_records_survive_garbage_collection(repository: GitRepository, bare: Path) -> None:
    repository.write_record(RECORD, "kept", None)
    git(bare, "gc", "--quiet", "--prune=now")
    assert repository.read_record(RECORD) == "kept"


def test_a_record_outside_our_refs_is_refused(repository: GitRepository) -> None:
    with pytest.raises(WrongUse, match="refs/tidegate/"):
        repository.write_record("refs/heads/main", "x", None)


def test_export_writes_these_files_and_nothing_else(repository: GitRepository, person: Clone, tmp_path: Path) -> None:
    person.write("src/train.py", "print('$Format:%H$')\r\n")
    person.write("src/run.sh", "#!/bin/sh\n")
    person.write("src/data.bin", bytes(range(256)))
    (person.folder / "src/link").symlink_to("train.py")
    (person.folder / "src/run.sh").chmod(0o755)
    commit = person.commit({".gitattributes": "* export-subst text eol=lf\nsrc/data.bin export-ignore -text\n"})
    person.push("main")
    into = tmp_path / "out"
    repository.export(commit, ["src/", "models/churn/model.yaml"], into)
    files = sorted(str(path.relative_to(into)) for path in into.rglob("*") if not path.is_dir())
    assert files == ["models/churn/model.yaml", "src/data.bin", "src/link", "src/run.sh", "src/train.py"]
    assert (into / "src/data.bin").read_bytes() == bytes(range(256))
    assert os.access(into / "src/run.sh", os.X_OK)
    assert not os.access(into / "src/train.py", os.X_OK)
    assert (into / "src/link").readlink() == Path("train.py")
    assert "$Format:%H$" in (into / "src/train.py").read_text()


def test_exporting_what_is_not_there_is_said_so(repository: GitRepository, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="nowhere is not in commit"):
        repository.export(head(repository), ["models", "nowhere"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_submodule_cannot_be_exported(repository: GitRepository, person: Clone, tmp_path: Path) -> None:
    person.git("update-index", "--add", "--cacheinfo", f"160000,{head(repository)[::-1]},src/lib")
    person.git("commit", "--quiet", "-m", "submodule")
    person.push("main")
    with pytest.raises(Refused, match="submodule"):
        repository.export(head(repository), ["src"], tmp_path / "out")


def test_a_reader_that_somebody_killed_is_started_again(repository: GitRepository) -> None:
    commit = head(repository)
    process = repository.plumbing._reader._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert repository.read(commit, PIN) == "stable: 1\n"


def test_no_process_is_left_when_the_repository_is_let_go(bare: Path) -> None:
    repository = GitRepository(bare, identity=OURS)
    head(repository)
    process = repository.plumbing._reader._process
    assert process is not None
    repository.plumbing._reader._end()
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_I14_a_repository_that_is_not_there_is_an_outside_system(tmp_path: Path) -> None:
    with pytest.raises(OutsideSystem, match=rf"no git repository answers at {tmp_path}/x; check"):
        GitRepository(tmp_path / "x", identity=OURS)


def test_I3_a_repository_that_went_away_is_no_empty_one(repository: GitRepository, bare: Path) -> None:
    commit = head(repository)
    bare.rename(bare.with_name("moved.git"))
    for ask in (
        repository.head,
        lambda: repository.read(commit, PIN),
        lambda: repository.records("refs/tidegate/"),
        lambda: repository.write_commit(commit, {PIN: "2"}, "m", NOON),
        lambda: repository.move_branch("x", commit, None),
    ):
        with pytest.raises(OutsideSystem, match="no git repository answers"):
            ask()


def test_I14_without_git_on_PATH_the_message_says_so(bare: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from tidegate.adapters.git import GitRepository\n"
        "from tidegate.errors import OutsideSystem\n"
        "try: GitRepository(pathlib.Path(sys.argv[1]), identity='a@b').head()\n"
        "except OutsideSystem as error: print(error)\n"
    )
    environment = {"PATH": "/nowhere", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program, str(bare)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "is git ≥ 2.38 on PATH" in done.stdout


def test_a_repository_of_SHA_256_objects_works_too(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "--object-format=sha256", "--initial-branch=main", "models.git")
    tree = git(tmp_path / "models.git", "mktree")
    git(tmp_path / "models.git", "update-ref", "refs/heads/main", git(tmp_path / "models.git", "commit-tree", tree))
    repository = GitRepository(tmp_path / "models.git", identity=OURS)
    commit = on_main(repository, {PIN: "stable: 1\n", "x": "y"})
    last = on_main(repository, {"x": None})
    repository.write_record(RECORD, "kept", None)
    assert len(commit) == 64
    assert repository.paths(last) == (PIN,)
    assert texts(repository.history(last, "x")) == ["y", None]


def test_the_git_directory_of_a_work_tree_will_do(person: Clone) -> None:
    commit = person.git("rev-parse", "HEAD")
    for path in (person.folder, person.folder / ".git"):
        assert head(GitRepository(path, identity=OURS)) == commit


def test_the_origin_of_a_clone_is_found(bare: Path, person: Clone, tmp_path: Path) -> None:
    assert origin_of(person.folder) == bare
    assert origin_of(person.folder / "models") == bare
    assert origin_of(bare) == bare
    person.git("remote", "set-url", "origin", f"file://{bare}")
    assert origin_of(person.folder) == bare
    person.git("remote", "set-url", "origin", "../models.git")
    assert origin_of(person.folder / "models") == bare


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        pytest.param("https://u:s3cret@h/o/r.git", "https://h/o/r.git", id="I11-without-credentials"),
        pytest.param("git@github.com:o/r.git", "git@github.com:o/r.git", id="scp-like"),
    ],
)
def test_an_origin_on_a_server_is_its_address(person: Clone, url: str, shown: str) -> None:
    person.git("remote", "set-url", "origin", url)
    assert origin_of(person.folder) == shown


def test_I14_a_folder_without_an_origin_is_wrong_use(person: Clone, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="no such folder"):
        origin_of(tmp_path / "missing")
    with pytest.raises(WrongUse, match=r"not a git repository.*clone"):
        origin_of(tmp_path)
    person.git("remote", "remove", "origin")
    with pytest.raises(WrongUse, match="git remote add origin"):
        origin_of(person.folder)
