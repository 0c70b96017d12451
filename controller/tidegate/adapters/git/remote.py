"""`ports.Repository` on a server: reads from a bare mirror in our cache folder, writes by push with a lease.

Where a ref points is asked of the server; what a commit holds is read from the mirror, fetched once. Every move of a
ref says where it must be (`--force-with-lease=<ref>:<id>`), so that the server refuses the loser of a race.
The token goes to git in its environment, never in arguments, addresses or files (I11).
Not here: proposals, and how a forge signs commits (handed in as `Signer`).
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from tidegate.adapters.git.objects import decoded, encoded
from tidegate.adapters.git.plumbing import GitFailed
from tidegate.adapters.git.proxy import proxy_for
from tidegate.adapters.git.repository import GitRepository
from tidegate.errors import (
    NAME_THE_CA,
    OutsideSystem,
    Raced,
    Refused,
    TidegateError,
    WrongUse,
    without_credentials,
)
from tidegate.ports import CommitInfo

_RECORDS = "refs/tidegate/"
_ALL_BRANCHES, _ALL_RECORDS = "+refs/heads/*:refs/heads/*", "+refs/tidegate/*:refs/tidegate/*"
# Slower than 1 kB/s for 20 seconds is a dead connection: a controller that waits for it looks alive and does nothing.
_PATIENCE = {"GIT_HTTP_LOW_SPEED_LIMIT": "1000", "GIT_HTTP_LOW_SPEED_TIME": "20"}
# One that is fast enough may take its time: the first fetch of a large repository.
TRANSFER_SECONDS = 1800.0
_ID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")

# What git and GitHub's hooks say, each of which somebody else has to act on.
_LOST = re.compile(
    r"^remote: .*(incorrect old value|cannot lock ref|already exists)|couldn't find remote ref", re.MULTILINE
)
_STRANGER = re.compile(r"Authentication failed|could not read Username|HTTP 40[13]|error: 40[13]|Invalid username")
_NOT_THERE = re.compile(
    r"not our ref|[Rr]epository .*not found|not found: |error: 404|HTTP 404|does not appear to be a git"
)
_FORBIDDEN = re.compile(r"protected branch|GH\d{3}|hook declined|rule violations|Permission .* denied|shallow update")
# By GnuTLS and by OpenSSL; the last two of a bundle that cannot be read.
_UNTRUSTED = re.compile(r"certificate verif|SSL certificate problem|setting certificate|SSL CA cert")
# Git waits two seconds for a lock. Whoever is alone in the mirror and still meets one meets that of a dead process.
_LOCK = re.compile(r"'([^'\n]+\.lock)'")


class Signer(Protocol):
    """Who makes commits that the forge signs for us, and knows them again."""

    def write(self, parent: str, tree: str, files: Mapping[str, tuple[str, str | None]], message: str) -> str | None:
        """The id of a commit on the server, its tree that of the parent with these files (mode and text); None where
        the forge signs nothing for us."""
        ...

    def is_signed(self, author: str, committer: str, sha: str) -> bool:
        """Whether a commit with these names is one that the forge made and signed for us."""
        ...

    @property
    def signs(self) -> bool:
        """Whether the forge signs what we commit, so that what it did not sign is not ours."""
        ...


class NoSigner:
    """Commits are made and told apart by git alone."""

    def write(self, parent: str, tree: str, files: Mapping[str, tuple[str, str | None]], message: str) -> None:  # noqa: ARG002
        return None

    def is_signed(self, author: str, committer: str, sha: str) -> bool:  # noqa: ARG002
        return False

    @property
    def signs(self) -> bool:
        return False


class Remote:
    """A repository on a server, and git's commands that talk to it from a mirror."""

    def __init__(self, url: str, mirror: Path, token: Callable[[], str] | None = None) -> None:
        self.url = without_credentials(url) if urlsplit(url).scheme in ("http", "https") else url
        self.mirror = mirror
        self._token = token

    def __repr__(self) -> str:
        return f"Remote({self.url!r})"

    def prepare(self) -> Path:
        """The mirror, made where there is none yet."""
        if (self.mirror / "HEAD").is_file():
            return self.mirror
        command = ["git", "init", "--quiet", "--bare", "--initial-branch=main", str(self.mirror)]
        try:
            self.mirror.mkdir(parents=True, exist_ok=True, mode=0o700)
            subprocess.run(command, capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            words = (
                decoded(error.stderr).strip() if isinstance(error, subprocess.CalledProcessError) else error.strerror
            )
            step = "is git ≥ 2.38 on PATH, and may this user write to the cache folder (XDG_CACHE_HOME)?"
            raise OutsideSystem(f"no mirror can be made at {self.mirror}: {words}; {step}") from None
        return self.mirror

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Only one process at a time writes refs into the mirror."""
        with (self.mirror / "tidegate.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def unlock(self, words: str) -> bool:
        """Remove the locks of the mirror that git met, as it says; False where there is none to remove."""
        mirror = self.mirror.resolve()
        locks = [lock for name in _LOCK.findall(words) if (lock := Path(name).resolve()).is_relative_to(mirror)]
        try:
            for lock in locks:
                lock.unlink()
        except OSError:
            return False
        return bool(locks)

    def environment(self) -> dict[str, str]:
        """What git needs to sign in, and the way that the API's requests take, in no argument and no file."""
        given = {**_PATIENCE, **_authority()}
        settings = {"gc.autoDetach": "false", "http.proxy": proxy_for(self.url).address}
        if self._token is not None and urlsplit(self.url).scheme in ("http", "https"):
            basic = base64.b64encode(f"x-access-token:{self._token()}".encode()).decode()
            parts = urlsplit(self.url)
            settings[f"http.{parts.scheme}://{parts.netloc}/.extraHeader"] = f"Authorization: Basic {basic}"
        for place, (key, value) in enumerate(settings.items()):
            given |= {f"GIT_CONFIG_KEY_{place}": key, f"GIT_CONFIG_VALUE_{place}": value}
        return {**given, "GIT_CONFIG_COUNT": str(len(settings))}

    def failure(self, words: str, what: str) -> TidegateError:
        """What a failed command means, and who must act."""
        said = proxy_for(self.url).hidden(_said(words))
        if _LOST.search(words):
            return Raced(f"{what} on {self.url} moved meanwhile; read again and decide again")
        if _FORBIDDEN.search(words):
            return Refused(f"{self.url} does not take {what}: {said}; let the App or token write there")
        if _UNTRUSTED.search(words):
            return OutsideSystem(f"{self.url} is not trusted, by its certificate: {said}; {NAME_THE_CA}")
        if _STRANGER.search(words):
            return WrongUse(f"{self.url} does not take the token for {what}; make a new one with contents: write")
        if _NOT_THERE.search(words):
            return WrongUse(f"{self.url} is not there, or the token may not see it; correct origin, or the token")
        return OutsideSystem(f"git at {self.url} does not answer for {what}: {said}")


class RemoteRepository(GitRepository):
    """The desired state on a server. Branches are read anew, commits from the mirror."""

    def __init__(self, remote: Remote, *, identity: str, name: str = "Tidegate", signer: Signer | None = None) -> None:
        super().__init__(remote.prepare(), identity=identity, name=name)
        self._remote = remote
        self._signer: Signer = signer or NoSigner()
        self._gone: set[str] = set()

    def __repr__(self) -> str:
        return f"RemoteRepository({self._remote.url!r})"

    def head(self, branch: str = "main") -> str | None:
        found = self._at(f"refs/heads/{branch}")
        if found is not None:
            self._require_here(found, f"refs/heads/{branch}")
        return found

    def _at(self, ref: str) -> str | None:
        """Where a ref of the server points now."""
        rows = [line.split("\t") for line in self._asked("ls-remote", self._remote.url, ref, what=ref).splitlines()]
        return next((sha for sha, name in rows if name == ref), None)

    def _asked(self, *command: str, what: str) -> str:
        """Raises GitFailed where it is the mirror that is locked, not the server that says no."""
        environment = self._remote.environment()
        try:
            return decoded(self.plumbing.run(*command, environment=environment, seconds=TRANSFER_SECONDS))
        except GitFailed as failure:
            if _LOCK.search(failure.words):
                raise
            raise self._remote.failure(failure.words, what) from None

    def _fetch(self, *refspecs: str) -> None:
        # A branch that is gone would be in the way of one below its name.
        pruned = ("--prune",) if "*" in refspecs[0] else ()
        command = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", *pruned, self._remote.url, *refspecs)
        with self._remote.alone():
            while True:
                try:
                    self._asked(*command, what=refspecs[0].lstrip("+").partition(":")[0])
                    return
                except GitFailed as failure:
                    if not self._remote.unlock(failure.words):
                        raise

    def _require_here(self, commit: str, ref: str) -> None:
        if self._missing([commit]):
            self._fetch(_ALL_BRANCHES)
        if self._missing([commit]):
            raise Raced(f"{ref} on {self._remote.url} moved while it was read; read again and decide again")

    def have(self, commits: Iterable[str]) -> frozenset[str]:
        """Those of these commits that can be read here, fetched where they were not: from branches, else by id."""
        wanted = [commit for commit in sorted(set(commits)) if _ID.fullmatch(commit)]
        if set(self._missing(wanted)) - self._gone:
            self._fetch(_ALL_BRANCHES)
        missing = self._missing(wanted)
        self._gone |= {commit for commit in missing if commit not in self._gone and not self._brought(commit)}
        return frozenset(wanted) - self._gone.intersection(missing)

    def _brought(self, commit: str) -> bool:
        """Fetch a commit by its id alone; whether it is here now."""
        try:
            self._fetch(commit)
        except (WrongUse, Refused):
            return False  # gone, or a server that gives only what a ref names
        return not self._missing([commit])

    def _missing(self, commits: Sequence[str]) -> list[str]:
        ids = self.plumbing.ids([f"{commit}^{{commit}}" for commit in commits])
        return [commit for commit, found in zip(commits, ids, strict=True) if found is None]

    def commits(self, base: str, head: str) -> tuple[CommitInfo, ...]:
        """As in every repository; a commit that the forge made and signed for us shows as committed by us.

        Where the forge signs for us, our own address in any other commit proves nothing.
        """
        return tuple(self._as_ours(commit) for commit in super().commits(base, head))

    def _as_ours(self, commit: CommitInfo) -> CommitInfo:
        if self._signer.is_signed(commit.author, commit.committer, commit.sha):
            return replace(commit, author=self.identity, committer=self.identity)
        claims = self.identity in (commit.author, commit.committer)
        return replace(commit, proven=False) if claims and self._signer.signs else commit

    def write_commit(self, parent: str, files: Mapping[str, str | None], message: str, at: datetime) -> str:
        """A commit that the forge signs where it does so for us, else one of git's own.

        Raises OutsideSystem where the forge made another commit than was asked for, or does not give it out yet.
        """
        local = super().write_commit(parent, files, message, at)
        entries = self._entries(parent, files)
        base = self.plumbing.ids([f"{parent}^{{tree}}"])[0]
        assert base is not None, "the parent was read just now"
        made = self._signer.write(parent, base, entries, message) if entries is not None else None
        if made is None:
            return local
        same = self.plumbing.ids([f"{made}^{{tree}}", f"{local}^{{tree}}"]) if self._brought(made) else (None, local)
        if same[0] != same[1]:
            raise OutsideSystem(f"{self._remote.url} does not give back the commit that it signed; try again later")
        return made

    def _entries(self, parent: str, files: Mapping[str, str | None]) -> dict[str, tuple[str, str | None]] | None:
        """Mode and text of what changes; None where JSON cannot carry it."""
        before = self.plumbing.entries(parent, list(files))
        try:
            for text in files.values():
                (text or "").encode()
        except UnicodeEncodeError:
            return None
        there = {path: text for path, text in files.items() if text is not None or path in before}
        return {path: (before[path][0] if path in before else "100644", text) for path, text in there.items()}

    def move_branch(self, branch: str, new: str | None, expected: str | None) -> None:
        if new is not None or expected is not None:
            self._push(f"refs/heads/{branch}", expected, new)

    def _push(self, ref: str, expected: str | None, new: str | None) -> None:
        """Move a ref of the server. Raises Raced when it is not where it must be."""
        lease = f"--force-with-lease={ref}:{expected or ''}"
        command = ("push", "--porcelain", "--no-verify", lease, self._remote.url, f"{new or ''}:{ref}")
        try:
            environment = self._remote.environment()
            said = self.plumbing.run(*command, environment=environment, seconds=TRANSFER_SECONDS)
        except GitFailed as failure:
            raise self._not_pushed(ref, expected, failure.words) from None
        if any(line.startswith("=") for line in decoded(said).splitlines()):
            raise Raced(f"{ref} on {self._remote.url} is there already; read it and decide again")
        self._note(ref, new)

    def _not_pushed(self, ref: str, expected: str | None, words: str) -> TidegateError:
        """A push can have been taken by a server whose answer was lost: look before it is called a failure."""
        failure = self._remote.failure(words, ref)
        if not isinstance(failure, OutsideSystem) or self._at(ref) == expected:
            return failure
        return Raced(f"{ref} on {self._remote.url} moved meanwhile; read again and decide again")

    def _note(self, ref: str, new: str | None) -> None:
        """Have the mirror say what the server says by now. Where it cannot, the next fetch does."""
        with self._remote.alone(), suppress(GitFailed):
            self.plumbing.run("update-ref", *((ref, new) if new else ("-d", ref)))

    def read_record(self, ref: str) -> str | None:
        self._require_record(ref)
        found = self._at(ref)
        if found is None:
            return None
        if self.plumbing.ids([found])[0] is None:
            self._fetch(f"+{ref}:{ref}")
        blob = self.plumbing.objects([found])[0]
        return blob.text if blob else None

    def _require_record(self, ref: str) -> None:
        if not ref.startswith(_RECORDS):
            raise WrongUse(f"{ref} cannot hold a record; its name must begin with {_RECORDS}")

    def write_record(self, ref: str, text: str, expected: str | None) -> None:
        self._require_record(ref)
        found = self._at(ref)
        texts = [text] if expected is None else [text, expected]
        blob, *before = self.plumbing.write_blobs(texts)
        if found != (before[0] if before else None):
            raise Raced(f"{ref} on {self._remote.url} says something else by now; read it and decide again")
        if blob != found:
            self._push(ref, found, blob)

    def records(self, prefix: str) -> Mapping[str, str]:
        # Once a pass: what could not be found in the last one may have been pushed since.
        self._fetch(_ALL_RECORDS, *((_ALL_BRANCHES,) if self._gone else ()))
        return super().records(prefix)

    def conflicts(self, one: str, other: str) -> tuple[str, ...]:
        """The paths in which two commits do not merge."""
        options = ("--write-tree", "-z", "--name-only", "--no-messages")
        output = self.plumbing.run("merge-tree", *options, one, other, accepted=(0, 1))
        return tuple(part for part in decoded(output).split("\0") if part)[1:]

    def brought_by(self, commit: str, main: str) -> str | None:
        """The commit of main's first-parent history that brought another one; None while main does not have it."""
        if self.merge_base(commit, main) != commit:
            return None
        chain = self.plumbing.run("rev-list", "--first-parent", main, "--").decode().split()
        after = self.plumbing.run("rev-list", "--ancestry-path", main, f"^{commit}", "--").decode().split()
        with_it = {commit, *after}
        return [step for step in chain if step in with_it][-1]

    def diff(self, base: str, head: str) -> str:
        """What `head` changes since it left `base`."""
        plain = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")
        return decoded(self.plumbing.run("diff", *plain, f"{base}...{head}", "--"))


def mirror_of(url: str, cache: Path) -> Path:
    """Where the mirror of a repository lies, by its address."""
    return cache / "mirrors" / f"{hashlib.sha256(encoded(without_credentials(url))).hexdigest()[:24]}.git"


def _authority() -> dict[str, str]:
    """The user's own CA, as git calls it: one setting is enough for the API and for git."""
    bundle = os.environ.get("REQUESTS_CA_BUNDLE")
    return {"GIT_SSL_CAPATH" if Path(bundle).is_dir() else "GIT_SSL_CAINFO": bundle} if bundle else {}


def _said(words: str) -> str:
    """The lines of git's answer that say why, without addresses of others."""
    lines = [line.strip() for line in words.splitlines() if re.search(r"fatal|error|remote:|rejected|!", line)]
    return "; ".join(lines[:4]) or words.strip().partition("\n")[0]
