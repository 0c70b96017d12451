"""The clone that we stand in: git's version, what of the history is here, and whose name our commits carry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tidegate.core.diagnosis.remark import Fine, Remark, Rule, Unknown, unseen
from tidegate.core.finding import Severity

OLDEST = (2, 38)
"""`git merge-tree --write-tree`, by which merges are tried without a work tree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutFacts:
    """`origin` is an address without credentials, None where there is none; `fetched` says whether launch records
    (refs/tidegate) are here, or need not be. `author` is the address in a person's own commits, `identity` in ours."""

    git: str | Unknown
    shallow: bool
    origin: str | None
    fetched: bool
    author: str | None
    identity: str


GIT_TOO_OLD = Rule(
    id="git-version",
    title="git is too old",
    why="Merges are tried without a work tree by `git merge-tree --write-tree`, which came with git 2.38.",
    fix="install git 2.38 or newer",
)
NO_ORIGIN = Rule(
    id="no-origin",
    title="The clone has no origin",
    why="Proposals are made in the repository that `origin` names.",
    fix="git remote add origin ADDRESS",
)
SHALLOW = Rule(
    id="shallow-clone",
    severity=Severity.WARNING,
    title="The clone has only a part of the history",
    why="A pin file's history tells what was set by hand and what was rejected, and `plan` and `validate "
    "--changed-since` compare with where a branch began.",
    fix="git fetch --unshallow; in a workflow, actions/checkout with `fetch-depth: 0`",
)
RECORDS_NOT_FETCHED = Rule(
    id="records-not-fetched",
    severity=Severity.WARNING,
    title="The launch records are not in this clone",
    why="They lie below refs/tidegate, which git does not fetch by itself. Without them `plan` takes every training "
    "for one that has not run.",
    fix="git config --add remote.origin.fetch '+refs/tidegate/*:refs/tidegate/*' && git fetch",
)
IDENTITY_OF_A_PERSON = Rule(
    id="identity-of-a-person",
    title="Our commits and a person's look the same",
    why="What our identity wrote counts as ours, and a person's commit as theirs: it stops a revert from merging by "
    "itself, or passes for untouched.",
    fix="give TIDEGATE_IDENTITY an address that no person commits with",
)

RULES = (GIT_TOO_OLD, NO_ORIGIN, SHALLOW, RECORDS_NOT_FETCHED, IDENTITY_OF_A_PERSON)


def examine(facts: CheckoutFacts, unread: Sequence[str] = ()) -> Iterator[Remark]:
    """`unread` are files that are not what they should be: nothing can be said about what they want."""
    for path in unread:
        yield unseen(path, Unknown(why="it is invalid; `tidegate validate` tells where"))
    yield from _git(facts.git)
    if facts.origin is None:
        yield NO_ORIGIN.broken("this clone has no remote `origin`")
    if facts.shallow:
        yield SHALLOW.broken("this clone is shallow")
    if not facts.fetched:
        yield RECORDS_NOT_FETCHED.broken("nothing of refs/tidegate is here, and nothing fetches it")
    if facts.author is not None and facts.author.lower() == facts.identity.lower():
        yield IDENTITY_OF_A_PERSON.broken(f"git here commits as {facts.author}, and so does Tidegate")
    else:
        yield Fine(what=f"our commits are those of {facts.identity}")


def _git(version: str | Unknown) -> Iterator[Remark]:
    if isinstance(version, Unknown):
        yield unseen("git's version", version)
        return
    parts = version.split(".")
    if tuple(int(part) for part in parts[:2] if part.isdigit()) < OLDEST:
        yield GIT_TOO_OLD.broken(f"git is {version}")
    else:
        yield Fine(what=f"git {version}")
