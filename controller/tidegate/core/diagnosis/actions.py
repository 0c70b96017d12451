"""GitHub Actions as the workflows here need it: the variable that names the App, environments, placeholders filled in.

What an environment must be follows from the files: pull requests start the jobs of one, and must reach it; another's
jobs run on main alone, and so its secrets are kept from every other branch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase

from tidegate.core.diagnosis.access import Access, TokenKind
from tidegate.core.diagnosis.protection import Files
from tidegate.core.diagnosis.remark import Fine, Remark, Rule, Unknown, unseen
from tidegate.core.finding import Severity
from tidegate.core.quantity import show_duration

APP_ID = "TIDEGATE_APP_ID"
_MAIN = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """What GitHub asks of a job before it may use an environment. `branches` are the patterns that a branch must fit,
    None where any branch may come; `protected_only` is the choice that counts classic branch protection."""

    branches: frozenset[str] | None = None
    protected_only: bool = False
    wait: timedelta = timedelta(0)
    reviewers: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionsFacts:
    """`knows_app`: whether the variable TIDEGATE_APP_ID has a value. An environment that is not there is None."""

    knows_app: bool | Unknown
    environments: Mapping[str, Protection | Unknown | None]


_WRITE_PEOPLE = "for `@you` write your own people and teams"
PLACEHOLDER = Rule(
    id="placeholder",
    title="A placeholder of the template is still there",
    why="It names nobody: GitHub starts no workflow that uses OWNER/tidegate, and `@you` is whoever has that name.",
    fix=r"in the workflows, with your repository of the actions and its commit for acme/tidegate and COMMIT: "
    r"`sed -i.bak 's#OWNER/tidegate\([a-z/]*\)@0*#acme/tidegate\1@COMMIT#' .github/workflows/*.yml && "
    rf"rm .github/workflows/*.bak`; {_WRITE_PEOPLE}",
)
APP_NOT_NAMED = Rule(
    id="app-not-named",
    severity=Severity.WARNING,
    title="The workflows do not know the App",
    why="They sign in as the App that the variable TIDEGATE_APP_ID names. Without it they work with the job's "
    "GITHUB_TOKEN: what that opens starts no workflow, and every workflow can write the check `tidegate`.",
    fix="gh variable set TIDEGATE_APP_ID --body ID, with the App's key as the secret TIDEGATE_APP_PRIVATE_KEY of the "
    "environment that reconcile.yml names",
)
ENVIRONMENT_MISSING = Rule(
    id="environment-missing",
    severity=Severity.WARNING,
    title="An environment of the workflows is not there",
    why="The first job that names it has GitHub make it: without its secrets, and open to every branch.",
    fix="the repository's settings, Environments: make it, with its secrets",
)
ENVIRONMENT_OPEN = Rule(
    id="environment-open",
    severity=Severity.WARNING,
    title="Other branches than main reach the secrets of main's workflows",
    why="Whoever may push a branch can have a workflow there read them; with the App's key it is Tidegate. "
    "`Protected branches only` counts classic branch protection, and without any lets every branch in.",
    fix="the repository's settings, Environments, Deployment branches and tags: Selected branches and tags, `main` "
    "alone",
)
ENVIRONMENT_REFUSES = Rule(
    id="environment-refuses",
    title="An environment refuses the runs that need it",
    why="A job on a branch that its environment does not take fails before it starts. Pull requests run on "
    "refs/pull/NUMBER/merge.",
    fix="the repository's settings, Environments, Deployment branches and tags: `main` for main's workflows, No "
    "restriction for those of pull requests",
)
ENVIRONMENT_WAITS = Rule(
    id="environment-waits",
    title="An environment makes every run wait",
    why="Each pass waits for a person or a timer, reverts too. Who lets a version in is said by `approvals` in "
    "tidegate.yaml, once a version.",
    fix="the repository's settings, Environments: no required reviewers and no wait timer",
)
OTHER_LOGINS = Rule(
    id="other-logins",
    severity=Severity.NOTE,
    title="The App is a stranger to this personal token",
    why="Marks count where our own login wrote them. Without the App's, what it closed looks like a person's veto.",
    fix="export TIDEGATE_GITHUB_LOGINS='NAME[bot]', the App's login",
)

RULES = (
    PLACEHOLDER,
    ENVIRONMENT_REFUSES,
    ENVIRONMENT_WAITS,
    APP_NOT_NAMED,
    ENVIRONMENT_MISSING,
    ENVIRONMENT_OPEN,
    OTHER_LOGINS,
)

# As repo-template has them: an owner, a commit, a handle (not the beginning of one).
_PLACEHOLDERS = re.compile(r"OWNER/tidegate|@0{40}\b|(?<![\w./-])@you(?![\w/-])")


def unfilled(path: str, text: str) -> str | None:
    """The first placeholder in a file, and how many lines have one; None where there is none."""
    lines = [
        (number, found.group())
        for number, line in enumerate(text.splitlines(), start=1)
        if not line.lstrip().startswith("#") and (found := _PLACEHOLDERS.search(line))
    ]
    if not lines:
        return None
    number, placeholder = lines[0]
    more = f", and {len(lines) - 1} more" if len(lines) > 1 else ""
    return f"{path}:{number} says {placeholder}{more}"


def fill_in(files: Files) -> Iterator[Remark]:
    """What can be said of the files without asking GitHub."""
    for each in files.unfilled:
        yield PLACEHOLDER.broken(each, _WRITE_PEOPLE if each.partition(" says ")[2].startswith("@you") else "")


def examine(facts: ActionsFacts, access: Access, files: Files) -> Iterator[Remark]:
    """The settings that workflows read. A workflow's own token is `access`' subject, and sees no variables."""
    if any(APP_ID in workflow.variables for workflow in files.workflows) and access.kind is not TokenKind.ACTIONS:
        yield from _app(facts.knows_app)
        if access.is_person and not access.also and facts.knows_app is not False:
            yield OTHER_LOGINS.broken(f"proposals are the App's, and {access.login} does not know its login")
    for name, protection in facts.environments.items():
        yield from _environment(name, protection, by_pulls=name in files.environments_of_pulls)


def _app(known: bool | Unknown) -> Iterator[Remark]:
    if isinstance(known, Unknown):
        yield unseen(f"the variable {APP_ID}", known)
    elif not known:
        yield APP_NOT_NAMED.broken(f"the variable {APP_ID} is not set")
    else:
        yield Fine(what=f"the variable {APP_ID} is set")


def _environment(name: str, protection: Protection | Unknown | None, *, by_pulls: bool) -> Iterator[Remark]:
    if isinstance(protection, Unknown):
        yield unseen(f"the environment `{name}`", protection)
        return
    if protection is None:
        yield ENVIRONMENT_MISSING.broken(f"there is no environment `{name}`", _made(name, by_pulls=by_pulls))
        return
    complaints = [*_waiting(name, protection), *_branches(name, protection, by_pulls=by_pulls)]
    yield from complaints or [Fine(what=f"the environment `{name}` takes the runs that it is for")]


def _made(name: str, *, by_pulls: bool) -> str:
    limit = "" if by_pulls else ", and limit it to the branch `main`"
    return f"the repository's settings, Environments: make `{name}` with its secrets{limit}"


def _waiting(name: str, protection: Protection) -> Iterator[Remark]:
    if protection.reviewers:
        yield ENVIRONMENT_WAITS.broken(f"each run waits for a reviewer of the environment `{name}`")
    if protection.wait:
        yield ENVIRONMENT_WAITS.broken(f"each run waits {show_duration(protection.wait)} for the environment `{name}`")


def _branches(name: str, protection: Protection, *, by_pulls: bool) -> Iterator[Remark]:
    taken = protection.branches
    needed = "refs/pull/1/merge" if by_pulls else _MAIN
    if taken is not None and not any(fnmatchcase(needed, pattern) for pattern in taken):
        whom = "pull requests" if by_pulls else _MAIN
        listed = ", ".join(sorted(taken)) or "no branch"
        yield ENVIRONMENT_REFUSES.broken(f"the environment `{name}` takes {listed}, and not {whom}")
    elif not by_pulls and taken != frozenset({_MAIN}):
        listed = ", ".join(sorted(taken)) if taken is not None else "every branch"
        shown = "protected branches, by classic protection" if protection.protected_only else listed
        yield ENVIRONMENT_OPEN.broken(f"the environment `{name}` takes {shown}")
