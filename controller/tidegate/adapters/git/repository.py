"""`ports.Repository` on a git directory: a bare repository, or the `.git` of a work tree."""

from __future__ import annotations

import posixpath
import re
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path, PurePosixPath

from tidegate.adapters.git.clone import Clone, tree_of
from tidegate.adapters.git.history import FirstParentLog
from tidegate.adapters.git.objects import GitObject, decoded
from tidegate.adapters.git.plumbing import Plumbing
from tidegate.errors import Raced, Refused, WrongUse
from tidegate.ports import CommitInfo, FileVersion

_RECORDS = "refs/tidegate/"
_VERSIONS_KEPT = 50_000
_MANY = 200
_LINK = "120000"
_NO_FILE = (_LINK, "160000")
_SIGNATURE = re.compile(r"<(?P<mail>[^>]*)> (?P<seconds>-?\d+)")


class GitRepository:
    """The desired state. What is named by commit ids alone is kept in memory, because it never changes."""

    def __init__(self, path: Path, *, identity: str, name: str = "Tidegate", work_tree: Path | None = None) -> None:
        self.identity = identity
        self._clone = Clone(directory=path, work_tree=work_tree)
        self.plumbing = Plumbing(path, identity=identity, name=name)
        self._log = FirstParentLog()
        self._versions: dict[tuple[str, str | None], FileVersion] = {}
        self._lock = threading.Lock()
        self._paths = lru_cache(maxsize=64)(self._read_paths)
        self._changed = lru_cache(maxsize=256)(self._read_changed)

    def head(self, branch: str = "main") -> str | None:
        return self.plumbing.refs([f"refs/heads/{branch}"])[0]

    def read(self, commit: str, path: str) -> str | None:
        return self.read_many(commit, (path,)).get(path)

    def read_many(self, commit: str, paths: Sequence[str]) -> Mapping[str, str]:
        found = self.plumbing.objects(self._names(commit, paths))
        if None in found:
            self._require(commit)
        pairs = zip(paths, found, strict=True)
        return {path: blob.text for path, blob in pairs if blob is not None and blob.kind == "blob"}

    def _names(self, commit: str, paths: Sequence[str]) -> list[str]:
        """git walks through a folder from its first entry on for each `<commit>:<path>`: of many files in one folder,
        it is asked for the ids that a listing has."""
        names = [_name(commit, path) for path in paths]
        if len(names) < _MANY:
            return names
        self._require(commit)
        tops = dict.fromkeys(_plain(path).partition("/")[0] for path in paths)
        entries = self.plumbing.entries(commit, () if "." in tops else tuple(tops))
        ids = (entries.get(_plain(path)) for path in paths)
        return [found[1] if found else name for found, name in zip(ids, names, strict=True)]

    def paths(self, commit: str, under: Sequence[str] = ()) -> tuple[str, ...]:
        return self._paths(commit, tuple(under))

    def _read_paths(self, commit: str, under: tuple[str, ...]) -> tuple[str, ...]:
        self._require(commit)
        return tuple(self.plumbing.entries(commit, under))

    def links(self, commit: str, paths: Sequence[str]) -> frozenset[str]:
        self._require(commit)
        tops = tuple({_plain(path).partition("/")[0] for path in paths})
        entries = self.plumbing.entries(commit, tops) if tops else {}
        return frozenset(path for path in paths if path in entries and entries[path][0] in _NO_FILE)

    def object_id(self, commit: str, path: str) -> str | None:
        found = self.plumbing.ids([_name(commit, path)])[0]
        if found is None:
            self._require(commit)
        return found

    def history(self, commit: str, path: str) -> tuple[FileVersion, ...]:
        with self._lock:
            steps = self._log_to(commit).of(commit, _plain(path))
            self._read_versions(steps)
            return tuple(self._versions[step] for step in steps)

    def _read_versions(self, steps: Sequence[tuple[str, str | None]]) -> None:
        """Have the versions of these commits and blobs in memory."""
        if len(self._versions) > _VERSIONS_KEPT:
            self._versions.clear()
        new = [step for step in steps if step not in self._versions]
        infos = self._infos([commit for commit, _ in new])
        blobs = iter(self.plumbing.objects([blob for _, blob in new if blob]))
        for (commit, blob), info in zip(new, infos, strict=True):
            self._versions[commit, blob] = _file_version(info, next(blobs) if blob else None)

    def last_change(self, commit: str, paths: Sequence[str]) -> str | None:
        with self._lock:
            return self._log_to(commit).newest(commit, [_plain(path) for path in paths])

    def paths_ever(self, commit: str, folder: str) -> tuple[str, ...]:
        with self._lock:
            return self._log_to(commit).below(commit, f"{_plain(folder)}/")

    def is_past(self, main: str, commit: str) -> bool:
        with self._lock:
            place = self._log_to(main).place
            return commit in place and place[commit] <= place[main]

    def _log_to(self, commit: str) -> FirstParentLog:
        if commit not in self._log.place:
            self._require(commit)
            self._log = self._log.extended(commit, self.plumbing)
        return self._log

    def commits(self, base: str, head: str) -> tuple[CommitInfo, ...]:
        self._require(base, head)
        names = self.plumbing.run("rev-list", "--reverse", "--topo-order", head, f"^{base}", "--")
        return tuple(self._infos(names.decode().split()))

    def commit_info(self, commit: str) -> CommitInfo:
        return self._infos([commit])[0]

    def _infos(self, commits: Sequence[str]) -> list[CommitInfo]:
        found = self.plumbing.objects([f"{commit}^{{commit}}" for commit in commits])
        if None in found:
            self._require(*commits)
        return [_commit_info(item) for item in found if item is not None]

    def changed_paths(self, base: str, head: str) -> tuple[str, ...]:
        return self._changed(base, head)

    def _read_changed(self, base: str, head: str) -> tuple[str, ...]:
        self._require(base, head)
        output = self.plumbing.run("diff", "--name-only", "-z", "--no-renames", f"{base}...{head}", "--")
        return tuple(decoded(output).split("\0")[:-1])

    def _require(self, *commits: str) -> None:
        found = self.plumbing.ids([f"{commit}^{{commit}}" for commit in commits])
        for commit, sha in zip(commits, found, strict=True):
            if sha is None:
                step = "fetch its whole history (in actions/checkout: fetch-depth: 0)"
                raise WrongUse(f"git repository {self.plumbing.path} has no commit {commit}; {step}")

    def merge_base(self, one: str, other: str) -> str | None:
        return next(iter(self.merge_bases(one, other)), None)

    def merge_bases(self, one: str, other: str) -> tuple[str, ...]:
        first, second = (self._named(name) for name in (one, other))
        return tuple(self.plumbing.run("merge-base", "--all", first, second, accepted=(0, 1)).decode().split())

    def merged(self, main: str, head: str) -> str | None:
        main, head = self._named(main), self._named(head)
        base = self.merge_base(main, head)
        if base in (main, head):
            return head if base == main else main
        options = ("--write-tree", "-z", "--name-only", "--no-messages", "--allow-unrelated-histories")
        tree, *conflicts = decoded(self.plumbing.run("merge-tree", *options, main, head, accepted=(0, 1))).split("\0")
        if any(conflicts):
            return None
        return self.plumbing.write_commit(tree, (main, head), "The change merged\n", self.commit_info(head).at)

    def snapshot(self) -> str:
        if self.plumbing.ids(["HEAD"])[0] is None:
            raise WrongUse(f"git repository {self.plumbing.path} has no commit yet; commit something first")
        head = self._named("HEAD")
        tree = tree_of(self._clone)
        if tree is None or tree == self.plumbing.ids([f"{head}^{{tree}}"])[0]:
            return head
        return self.plumbing.write_commit(tree, (head,), "The work tree\n", self.commit_info(head).at)

    def _named(self, name: str) -> str:
        """The commit behind a name that a person gave: an id, a ref, `HEAD~1`."""
        if not name or any(character.isspace() for character in name):
            raise WrongUse(f"{name!r} names no commit; correct it")
        return self.commit_info(name).sha

    def write_commit(self, parent: str, files: Mapping[str, str | None], message: str, at: datetime) -> str:
        self._require(parent)
        tree = self.plumbing.write_tree(parent, {_plain(path): text for path, text in files.items()})
        return self.plumbing.write_commit(tree, (parent,), message, at)

    def move_branch(self, branch: str, new: str | None, expected: str | None) -> None:
        if new is not None or expected is not None:
            self.plumbing.move({f"refs/heads/{branch}": (expected, new)})

    def read_record(self, ref: str) -> str | None:
        blob = self._record(ref)
        return blob.text if blob else None

    def write_record(self, ref: str, text: str, expected: str | None) -> None:
        before = self._record(ref)
        if (before.text if before else None) != expected:
            raise Raced(f"{ref} in {self.plumbing.path} says something else by now; read it and decide again")
        (blob,) = self.plumbing.write_blobs([text])
        self.plumbing.move({ref: (before.id if before else None, blob)})

    def _record(self, ref: str) -> GitObject | None:
        if not ref.startswith(_RECORDS):
            raise WrongUse(f"{ref} cannot hold a record; its name must begin with {_RECORDS}")
        if (identifier := self.plumbing.refs([ref])[0]) is None:
            return None
        return self.plumbing.objects([identifier])[0]

    def records(self, prefix: str) -> Mapping[str, str]:
        shown = "--format=%(refname) %(objectname) %(objecttype)"
        listing = self.plumbing.run("for-each-ref", shown, prefix.rpartition("/")[0])
        rows = [line.split(" ") for line in decoded(listing).splitlines()]
        refs = {ref: blob for ref, blob, kind in rows if kind == "blob" and ref.startswith(prefix)}
        found = self.plumbing.objects(list(refs.values()))
        return {ref: blob.text for ref, blob in zip(refs, found, strict=True) if blob is not None}

    def export(self, commit: str, paths: Sequence[str], into: Path) -> None:
        """Bytes, executable bits and symbolic links as git holds them: `export-subst` alters none."""
        self._require(commit)
        plain = [_plain(path) for path in paths]
        entries = self.plumbing.entries(commit, () if "." in plain else plain) if plain else {}
        for path in plain:
            if path != "." and not any(PurePosixPath(entry).is_relative_to(path) for entry in entries):
                raise WrongUse(f"{path} is not in commit {commit}; correct the path, or commit the file")
        blobs = self.plumbing.objects([identifier for _, identifier in entries.values()])
        for (path, (mode, _)), blob in zip(entries.items(), blobs, strict=True):
            _write(into, path, mode, blob)


def _write(into: Path, path: str, mode: str, blob: GitObject | None) -> None:
    if blob is None:
        raise Refused(f"{path} is a submodule, its files are elsewhere; commit the files themselves")
    if ".." in PurePosixPath(path).parts:
        raise Refused(f"{path} leads out of its folder; remove it from the commit")
    file = into / path
    file.parent.mkdir(parents=True, exist_ok=True)
    if mode == _LINK:
        file.symlink_to(blob.text)
        return
    file.write_bytes(blob.data)
    if mode == "100755":
        file.chmod(0o755)


def _plain(path: str) -> str:
    """The path as git has it. `./x` and `../x` would be relative to a work tree that is not there."""
    plain = posixpath.normpath(path) if path else "."
    if "\n" in path or plain.startswith(("../", "/")) or plain == "..":
        raise WrongUse(f"{path!r} is no path inside the repository; correct it")
    return plain


def _name(commit: str, path: str) -> str:
    plain = _plain(path)
    return f"{commit}:{'' if plain == '.' else plain}"


def _commit_info(found: GitObject) -> CommitInfo:
    headers, _, message = found.text.partition("\n\n")
    rows = [line.partition(" ") for line in headers.split("\n")]
    signed = {key: _SIGNATURE.search(value) for key, _, value in rows if key in ("author", "committer")}
    author, committer = signed["author"], signed["committer"]
    return CommitInfo(
        sha=found.id,
        parents=tuple(value for key, _, value in rows if key == "parent"),
        author=author["mail"] if author else "",
        committer=committer["mail"] if committer else "",
        at=datetime.fromtimestamp(int(committer["seconds"]) if committer else 0, UTC),
        message=message,
    )


def _file_version(commit: CommitInfo, blob: GitObject | None) -> FileVersion:
    text = blob.text if blob else None
    return FileVersion(commit=commit.sha, at=commit.at, text=text, message=commit.message)
