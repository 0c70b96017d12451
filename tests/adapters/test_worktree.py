"""A checkout on disk: which files count, what is read of them, and that git is asked in a way that nothing can bend."""

from __future__ import annotations

import hashlib
import os
import socket
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.checkouts import Checkout
from support.repositories import Clone, Files, git
from tidegate.adapters.worktree import MAXIMUM_BYTES, WorkTree, root_of
from tidegate.core.listing import Index, Listing, Unfit, changed
from tidegate.errors import OutsideSystem, WrongUse

pytestmark = pytest.mark.contract
FILES = {".gitignore": "*.log\nsecret/\n", "a/kept.yaml": "a: 1\n", "a/gone.yaml": "a: 1\n", "kept.log": "tracked\n"}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    checkout = Checkout.at(tmp_path, FILES)
    checkout.clone.git("add", "--force", "kept.log")
    checkout.clone.git("commit", "--quiet", "--message", "tracked, though ignored")
    return checkout


def tree(checkout: Checkout) -> WorkTree:
    """As it lies there now."""
    work = WorkTree(checkout.folder)
    work.listing()
    return work


def listed(checkout: Checkout) -> Listing:
    return tree(checkout).listing()


def digest(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


@contextmanager
def anybody() -> Iterator[None]:
    """Not the superuser, who may read everything."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


# Which files there are


def test_what_git_tracks_and_what_it_does_not_know(checkout: Checkout) -> None:
    assert listed(checkout).paths() == FILES.keys()
    checkout.write({"a/new.yaml": "a: 1\n", "debug.log": "ignored\n", "secret/key": "ignored\n", "a/gone.yaml": None})
    assert listed(checkout).paths() == {".gitignore", "a/kept.yaml", "a/new.yaml", "kept.log"}
    checkout.clone.commit({})
    assert listed(checkout).paths() == {".gitignore", "a/kept.yaml", "a/new.yaml", "kept.log"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({}, set(), id="nothing"),
        pytest.param({"a/kept.yaml": "a: 2\n"}, {"a/kept.yaml"}, id="another content"),
        pytest.param({"a/kept.yaml": "a: 1\r\n"}, {"a/kept.yaml"}, id="other line ends"),
        pytest.param({"a/gone.yaml": None}, {"a/gone.yaml"}, id="a file that goes"),
        pytest.param({"new": ""}, {"new"}, id="an empty file that comes"),
        pytest.param({"new.log": ""}, set(), id="an ignored file that comes"),
        pytest.param({"kept.log": "2\n"}, {"kept.log"}, id="an ignored file that is tracked"),
    ],
)
def test_what_differs_is_told(checkout: Checkout, files: Files, expected: set[str]) -> None:
    before = listed(checkout)
    checkout.write(files)
    assert changed(before, listed(checkout)) == expected
    assert changed(listed(checkout), listed(checkout)) == set()


def test_what_differed_before_and_differs_in_another_way_now_is_told(checkout: Checkout) -> None:
    checkout.write({"a/kept.yaml": "a: 2\n", "new": "1\n"})
    before = listed(checkout)
    checkout.write({"a/kept.yaml": "a: 3\n", "new": "2\n"})
    assert changed(before, listed(checkout)) == {"a/kept.yaml", "new"}


def test_looking_changes_nothing(checkout: Checkout) -> None:
    os.utime(checkout.folder / "a/kept.yaml", (1, 1))
    checkout.write({"new": "1\n"})
    index = checkout.folder / ".git/index"
    before = index.read_bytes(), sorted(checkout.folder.rglob("*"))
    listed(checkout)
    tree(checkout).changed_since("HEAD")
    assert (index.read_bytes(), sorted(checkout.folder.rglob("*"))) == before


@pytest.mark.parametrize("loose", [pytest.param(False, id="tracked"), pytest.param(True, id="untracked")])
@pytest.mark.parametrize(
    "name",
    [
        *("a b.yaml", " .yaml", "größe.yaml", "e\u0301.yaml", "\udcff.yaml", "a\nb.yaml", 'a".yaml', "a\\b.yaml"),
        *(
            "a\tb.yaml",
            "-a.yaml",
            "--.yaml",
            ":(top)a.yaml",
            ":!a.yaml",
            "*.yaml",
            "[a].yaml",
            "a\x1b[31m.yaml",
            "0.yaml",
        ),
        *("160000 a", "deep/er/a.yaml", "a.yaml/model.yaml", "'.yaml", "$HOME.yaml", "${{ x }}.yaml", "a\u2028b.yaml"),
    ],
)
def test_any_name(checkout: Checkout, name: str, *, loose: bool) -> None:
    checkout.write({name: "a: 2\n"})
    if not loose:
        checkout.clone.commit({})
    work = tree(checkout)
    listing = work.listing()
    for places in (listing, Index(listing)):
        assert places.has(name)
        assert name in places.inside(name.rpartition("/")[0])
        assert not places.has(f"{name}x")
    assert listing.paths() == {*FILES, name}
    assert work.read(name) == b"a: 2\n"
    assert work.digest(name) == digest(b"a: 2\n")
    assert work.changed_since("HEAD") == ({name} if loose else set())


def test_a_listing_and_its_index_answer_alike(checkout: Checkout) -> None:
    checkout.clone.commit({"b/c/one": "", "b/two": "", "d/e/f": "", "g": ""})
    checkout.remove("b/c")
    checkout.remove("d")
    checkout.remove("g")
    checkout.write({"g/h": "", "d": "", "i/j/k": ""})
    listing = listed(checkout)
    index = Index(listing)
    places = [
        "",
        "a",
        "b",
        "b/c",
        "b/c/one",
        "b/two",
        "b/tw",
        "d",
        "d/e",
        "d/e/f",
        "g",
        "g/h",
        "i",
        "i/j",
        "i/j/k",
        "x",
    ]
    assert {place: listing.has(place) for place in places[1:]} == {place: index.has(place) for place in places[1:]}
    assert {place: listing.inside(place) for place in places} == {place: index.inside(place) for place in places}
    assert not listing.has("b/c")
    assert listing.has("d")
    assert index.inside("i/j") == ("i/j/k",)


def test_links_are_listed_as_such(checkout: Checkout) -> None:
    (checkout.folder / "folder").symlink_to("a")
    (checkout.folder / "file").symlink_to("a/kept.yaml")
    (checkout.folder / "nowhere").symlink_to("x")
    (checkout.folder / "loop").symlink_to("loop")
    (checkout.folder / "outside").symlink_to("/etc")
    links = {"folder", "file", "nowhere", "loop", "outside"}
    assert listed(checkout).paths() == FILES.keys() | links, "nothing is listed below a link"
    checkout.clone.commit({})
    before = listed(checkout)
    assert before.paths() == FILES.keys() | links
    (checkout.folder / "folder").unlink()
    (checkout.folder / "folder").symlink_to("b")
    assert changed(before, listed(checkout)) == {"folder"}


def test_other_repositories_inside_are_not_looked_into(checkout: Checkout, tmp_path: Path) -> None:
    library = Checkout.at(tmp_path / "library", {"lib/model.yaml": "a: 1\n"})
    checkout.clone.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library.folder), "module")
    git(tmp_path, "clone", "--quiet", str(library.folder), str(checkout.folder / "nested"))
    for _ in range(2):
        listing = listed(checkout)
        assert listing.paths() == {*FILES, ".gitmodules"}
        for place in ("module", "module/lib", "nested", "nested/lib/model.yaml"):
            assert not listing.has(place)
            assert not Index(listing).has(place)
        checkout.clone.git("commit", "--quiet", "--all", "--allow-empty", "--message", "a module")
        (checkout.folder / "module/lib/model.yaml").write_text("a: 2\n")


def test_a_second_work_tree_of_the_repository(checkout: Checkout, tmp_path: Path) -> None:
    checkout.clone.git("worktree", "add", "--quiet", "-b", "other", str(tmp_path / "second"))
    second = Clone(tmp_path / "second")
    second.commit({"second.yaml": "a: 1\n"})
    second.write("third.yaml", "a: 1\n")
    assert root_of(second.folder / "a") == second.folder
    work = WorkTree(second.folder)
    assert work.in_git
    assert work.listing().paths() == {*FILES, "second.yaml", "third.yaml"}
    assert work.changed_since("main") == {"second.yaml", "third.yaml"}
    assert listed(checkout).paths() == FILES.keys()


def test_a_conflict_is_one_file(checkout: Checkout) -> None:
    clone = checkout.clone
    clone.checkout("other", new=True)
    clone.commit({"a/kept.yaml": "a: 2\n"})
    clone.checkout("main")
    clone.commit({"a/kept.yaml": "a: 3\n"})
    with pytest.raises(Exception, match="merge"):
        clone.git("merge", "--quiet", "other")
    listing = listed(checkout)
    assert listing.inside("a") == Index(listing).inside("a") == ("a/gone.yaml", "a/kept.yaml")
    raw = tree(checkout).read("a/kept.yaml")
    assert isinstance(raw, bytes)
    assert b"<<<<<<<" in raw


def test_files_that_are_not_checked_out_are_read_as_missing(checkout: Checkout) -> None:
    checkout.clone.commit({"b/model.yaml": "a: 1\n"})
    checkout.clone.git("sparse-checkout", "set", "b")
    work = tree(checkout)
    assert work.read("a/kept.yaml") is None
    assert work.read("b/model.yaml") == b"a: 1\n"
    assert work.listing().has("b/model.yaml")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("core.quotePath", "true"),
        ("core.autocrlf", "true"),
        ("core.eol", "crlf"),
        ("core.fileMode", "false"),
        ("core.ignoreCase", "true"),
        ("core.pager", "false"),
        ("color.ui", "always"),
        ("status.showUntrackedFiles", "no"),
        ("diff.external", "false"),
        ("diff.relative", "true"),
        ("diff.noprefix", "true"),
        ("diff.renames", "copies"),
        ("diff.ignoreSubmodules", "none"),
        ("index.sparse", "true"),
        ("trace2.normalTarget", "2"),
    ],
)
def test_no_setting_of_git_bends_it(checkout: Checkout, key: str, value: str) -> None:
    checkout.write({"größe.yaml": "a: 1\n", "a/kept.yaml": "a: 2\r\n"})
    expected, since = listed(checkout), tree(checkout).changed_since("HEAD")
    checkout.clone.git("config", key, value)
    assert listed(checkout) == expected
    assert tree(checkout).changed_since("HEAD") == since == {"größe.yaml", "a/kept.yaml"}


def test_nothing_of_the_repository_is_run(checkout: Checkout, tmp_path: Path) -> None:
    """Whoever looks at a checkout has not agreed to run what its settings name."""
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch '{ran}'\n")
    program.chmod(0o755)
    checkout.clone.git("config", "diff.external", str(program))
    checkout.clone.git("config", "diff.x.textconv", str(program))
    checkout.clone.git("config", "diff.x.command", str(program))
    checkout.write({".gitattributes": "*.yaml diff=x\n", "a/kept.yaml": "a: 2\n"})
    listed(checkout)
    tree(checkout).changed_since("HEAD")
    assert not ran.exists()


def test_git_that_refuses_the_folder_is_named(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a checkout of another user: `safe.directory`."""
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(OutsideSystem, match=r"dubious ownership[\s\S]*safe\.directory"):
        listed(checkout)


def test_git_that_is_not_there_is_named(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout.folder))
    with pytest.raises(OutsideSystem, match="install git"):
        listed(checkout)


def test_an_index_that_is_damaged_is_named(checkout: Checkout) -> None:
    (checkout.folder / ".git/index").write_bytes(b"DIRC\0\0\0\2\0\0")
    with pytest.raises(OutsideSystem, match="index"):
        listed(checkout)


def test_without_git_every_file_below_counts(tmp_path: Path) -> None:
    for path in ("a/model.yaml", ".hidden/x", "a/.hidden/x", "a/.env", "b.log"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    (tmp_path / "up").symlink_to("..")
    (tmp_path / "a/file").symlink_to("model.yaml")
    assert WorkTree(tmp_path).listing().paths() >= {"a/model.yaml", "a/.env", "a/file", "b.log"}
    assert not any("hidden" in path or path.startswith("up/") for path in WorkTree(tmp_path).listing().paths())


# What they hold


def fifo(place: Path) -> None:
    os.mkfifo(place)


def plug(place: Path) -> None:
    """A socket that nobody listens to any more."""
    with socket.socket(socket.AF_UNIX) as end:
        here = Path.cwd()
        os.chdir(place.parent)  # its path may be no longer than a hundred bytes
        try:
            end.bind(place.name)
        finally:
            os.chdir(here)


def link(target: str) -> Callable[[Path], None]:
    return lambda place: place.symlink_to(target)


def large(place: Path) -> None:
    with place.open("wb") as file:
        file.truncate(20_000_000_000)


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        pytest.param(fifo, "unreadable-file", id="a pipe"),
        pytest.param(plug, "unreadable-file", id="a socket"),
        pytest.param(large, "too-large", id="twenty gigabytes"),
        pytest.param(link("/etc/passwd"), "symlink-leaves-repository", id="a link to another place"),
        pytest.param(link("/dev/zero"), "symlink-leaves-repository", id="a link to a device"),
        pytest.param(
            link("../../checkout.txt"), "symlink-leaves-repository", id="a link to a file beside the checkout"
        ),
        pytest.param(link("../../checkout/../x"), "symlink-leaves-repository", id="a link that goes up and comes back"),
        pytest.param(link("../.git/config"), "symlink-leaves-repository", id="a link to git's own settings"),
        pytest.param(link("model.yaml"), "unreadable-file", id="a link to itself"),
        pytest.param(link("."), "unreadable-file", id="a link to its folder"),
        pytest.param(link("../pipe"), "unreadable-file", id="a link to a pipe"),
    ],
)
def test_what_is_no_plain_file_is_not_read(checkout: Checkout, make: Callable[[Path], None], rule: str) -> None:
    """Tracked before, untracked, or without git: no time, no memory, and a finding."""
    (checkout.folder.parent / "checkout.txt").write_text("outside\n")
    fifo(checkout.folder / "pipe")
    checkout.clone.commit({"a/model.yaml": "a: 1\n"})
    (checkout.folder / "a/model.yaml").unlink()
    make(checkout.folder / "a/model.yaml")
    work = tree(checkout)
    found = work.read("a/model.yaml")
    assert isinstance(found, Unfit)
    assert found.rule == rule
    assert found.message
    assert work.digest("a/model.yaml") is None
    assert work.text("a/model.yaml") is None
    assert work.listing().has("a/model.yaml")


def test_a_link_inside_the_repository(checkout: Checkout) -> None:
    (checkout.folder / "a/model.yaml").symlink_to("kept.yaml")
    found = tree(checkout).read("a/model.yaml")
    assert found == b"a: 1\n" or isinstance(found, Unfit)


@pytest.mark.parametrize("path", ["x", "a/x", "a/kept.yaml/x", "x" * 300, "/".join(["x"] * 3000)])
def test_what_is_not_there_is_none(checkout: Checkout, path: str) -> None:
    assert not isinstance(tree(checkout).read(path), bytes)
    assert tree(checkout).digest(path) is None
    assert not listed(checkout).has(path)


def test_the_largest_file_that_is_read(checkout: Checkout) -> None:
    checkout.write({"most": b"x" * MAXIMUM_BYTES, "more": b"x" * (MAXIMUM_BYTES + 1)})
    work = tree(checkout)
    assert work.read("most") == b"x" * MAXIMUM_BYTES
    found = work.read("more")
    assert isinstance(found, Unfit)
    assert "4,000,001 bytes" in found.message


def test_a_file_that_this_user_may_not_read() -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to everybody else
        root = Path(name).resolve()
        root.chmod(0o755)
        (root / "model.yaml").write_text("a: 1\n")
        (root / "model.yaml").chmod(0)
        with anybody():
            found = WorkTree(root).read("model.yaml")
            assert WorkTree(root).digest("model.yaml") is None
        assert isinstance(found, Unfit)
        assert (found.rule, found.message) == ("unreadable-file", "the file cannot be read: Permission denied")


def test_a_folder_that_this_user_may_not_enter() -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve()
        root.chmod(0o755)
        (root / "a").mkdir()
        (root / "a/model.yaml").write_text("a: 1\n")
        (root / "a").chmod(0)
        with anybody():
            found = WorkTree(root).read("a/model.yaml")
            assert WorkTree(root).listing().paths() == set()
        assert isinstance(found, Unfit)
        (root / "a").chmod(stat.S_IRWXU)


def test_bytes_that_are_no_text_are_shown_as_far_as_they_can(checkout: Checkout) -> None:
    checkout.write({"a/kept.yaml": b"a: \xff\n"})
    assert tree(checkout).read("a/kept.yaml") == b"a: \xff\n"
    assert tree(checkout).text("a/kept.yaml") == "a: \ufffd\n"


def test_digests_are_those_of_sha256sum(checkout: Checkout) -> None:
    assert tree(checkout).digest("a/kept.yaml") == digest(b"a: 1\n")
    assert tree(checkout).digest("a") is None


# What changed


def test_what_changed_since_a_commit(checkout: Checkout) -> None:
    checkout.clone.git("tag", "base")
    assert tree(checkout).changed_since("base") == set()
    checkout.clone.commit({"a/kept.yaml": "a: 2\n", "committed": "1\n"})
    checkout.write({"a/gone.yaml": None, "new": "1\n", "new.log": "ignored\n"})
    (checkout.folder / "committed").rename(checkout.folder / "moved")
    assert tree(checkout).changed_since("base") == {"a/kept.yaml", "a/gone.yaml", "committed", "new", "moved"}
    checkout.write({"a/kept.yaml": "a: 1\n"})
    assert "a/kept.yaml" in tree(checkout).changed_since("HEAD")


def test_a_clone_that_lacks_the_history_says_so(checkout: Checkout, tmp_path: Path) -> None:
    """As actions/checkout makes it: one commit deep."""
    checkout.clone.commit({"new": "1\n"})
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{checkout.folder}", str(tmp_path / "shallow"))
    with pytest.raises(WrongUse, match="HEAD~1"):
        tree(Checkout(tmp_path / "shallow", tmp_path)).changed_since("HEAD~1")


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "a").write_text("")
    work = tree(Checkout(tmp_path, tmp_path))
    assert work.listing().paths() == {"a"}
    with pytest.raises(WrongUse, match="main"):
        work.changed_since("main")


# Where it begins


def test_the_top_of_the_checkout(checkout: Checkout, tmp_path: Path) -> None:
    checkout.write({"a/tidegate.yaml": "", "a/deep/er/x": ""})
    assert root_of(checkout.folder) == checkout.folder
    assert root_of(checkout.folder / "a/deep/er") == checkout.folder, "git's root, whatever lies on the way"
    (tmp_path / "link").symlink_to(checkout.folder / "a")
    assert root_of(tmp_path / "link/deep") == checkout.folder


def test_the_top_without_git(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    assert root_of(tmp_path / "a/b") == tmp_path / "a/b"
    (tmp_path / "tidegate.yaml").write_text("")
    assert root_of(tmp_path / "a/b") == tmp_path
    with pytest.raises(WrongUse, match="no folder"):
        root_of(tmp_path / "tidegate.yaml")
