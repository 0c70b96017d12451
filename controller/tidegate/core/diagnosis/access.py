"""Who we are to GitHub, and whether that is enough: kinds of tokens, permissions of Apps, scopes, and who may push."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from tidegate.core.diagnosis.remark import Fine, Remark, Rule, Unknown, unseen
from tidegate.core.finding import Severity


class TokenKind(Enum):
    """By what we sign in, in words."""

    APP = "a GitHub App"
    INSTALLATION = "an installation token of a GitHub App"
    ACTIONS = "the GITHUB_TOKEN of a workflow"
    FINE_GRAINED = "a fine-grained personal access token"
    CLASSIC = "a classic personal access token"
    OTHER = "a token of a kind that GitHub does not tell"


PERSONAL = (TokenKind.FINE_GRAINED, TokenKind.CLASSIC, TokenKind.OTHER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """An account on GitHub. `permissions` are an App's (name to level), `scopes` a classic token's.

    `app_id` is known where we sign in as the App itself, `also` are other logins that count as ours.
    """

    kind: TokenKind
    login: str
    permissions: Mapping[str, str] | Unknown
    scopes: frozenset[str] | Unknown
    may_push: bool | Unknown
    app_id: int | None = None
    also: tuple[str, ...] = ()

    @property
    def is_person(self) -> bool:
        return self.kind in PERSONAL

    def __str__(self) -> str:
        return f"{self.login}, by {self.kind.value}"


_RANKS = {"read": 1, "write": 2, "admin": 3}

NEEDED = {
    "contents": ("write", "branches, commits and merges"),
    "pull_requests": ("write", "proposals"),
    "checks": ("write", "the one required check `tidegate`"),
}
"""Permissions of an App without which the loop stands still: level, and what for."""

MEMBERS = "members"
USEFUL = {
    "administration": ("read", "branch protection and rulesets cannot be read, so that this command sees less"),
    MEMBERS: ("read", "approvals by the teams that tidegate.yaml names cannot be counted"),
}
"""Permissions that something is better with: level, and what is worse without. MEMBERS only where a rule names a team;
whom CODEOWNERS names GitHub counts itself."""

_SETTINGS = "the App's settings, Permissions & events; then accept the change where the App is installed"

MISSING_PERMISSION = Rule(
    id="missing-permission",
    title="The App may not do what the loop needs",
    why="A proposal is a branch, a pull request and a check. Where the App may not write one of them, every pass "
    "fails at the same place.",
    fix=_SETTINGS,
)
LIMITED_PERMISSION = Rule(
    id="limited-permission",
    severity=Severity.WARNING,
    title="The App may not do something useful",
    why="The loop goes on without it, and something that people count on is missing.",
    fix=_SETTINGS,
)
MISSING_SCOPE = Rule(
    id="missing-scope",
    title="The classic token lacks the scope for repositories",
    why="Without `repo` (or `public_repo`, where the repository is public) a classic token reads at most.",
    fix="GitHub, your settings, Developer settings, Personal access tokens (classic): make one with the scope `repo`",
)
CLASSIC_TOKEN = Rule(
    id="classic-token",
    severity=Severity.WARNING,
    title="A classic personal access token",
    why="It reaches every repository that its owner reaches. Who steals it has them all.",
    fix="use a GitHub App, or a fine-grained token for this repository alone",
)
PERSONAL_TOKEN = Rule(
    id="personal-token",
    severity=Severity.NOTE,
    title="Proposals in a person's name",
    why="GitHub takes check runs from Apps only: a commit status of the same name stands in. Commits are not signed "
    "by GitHub, and who owns the token cannot approve the proposals, for they are theirs.",
    fix="use a GitHub App; a token will do to try things out",
)
MAY_NOT_PUSH = Rule(
    id="may-not-push",
    title="The token may not push",
    why="Each proposal begins with a branch.",
    fix="give the token's owner the role Write in the repository's settings, Collaborators and teams",
)
WORKFLOW_TOKEN = Rule(
    id="workflow-token",
    severity=Severity.WARNING,
    title="The GITHUB_TOKEN of a workflow stands in for an App",
    why="What it does starts no workflow, or one that waits until somebody with write access lets it run: required "
    "checks of its proposals do not come by themselves, and so neither do reverts. It ends with the job.",
    fix="make a GitHub App, install it here, and have the workflow sign in with its id and private key",
)
ACTIONS_MAY_NOT_PROPOSE = Rule(
    id="actions-may-not-propose",
    title="Workflows may not create pull requests",
    why="With the GITHUB_TOKEN every proposal is refused until the repository allows it.",
    fix="the repository's settings, Actions, General: Allow GitHub Actions to create and approve pull requests",
)

RULES = (
    MISSING_PERMISSION,
    LIMITED_PERMISSION,
    MISSING_SCOPE,
    CLASSIC_TOKEN,
    PERSONAL_TOKEN,
    MAY_NOT_PUSH,
    WORKFLOW_TOKEN,
    ACTIONS_MAY_NOT_PROPOSE,
)


def examine(
    access: Access, *, private: bool, actions_may_propose: bool | Unknown, teams: Collection[str] = ()
) -> Iterator[Remark]:
    """All about the account. `actions_may_propose` is the repository's setting for the GITHUB_TOKEN, `teams` are those
    whose members may approve something."""
    yield Fine(what=f"signed in as {access}")
    if access.kind is TokenKind.ACTIONS:
        yield from _workflow_token(access, actions_may_propose)
    elif access.is_person:
        yield from _personal(access, private=private)
    else:
        yield from _app(access, teams)


def _workflow_token(access: Access, actions_may_propose: bool | Unknown) -> Iterator[Remark]:
    yield WORKFLOW_TOKEN.broken("proposals are made with the GITHUB_TOKEN of a workflow")
    if isinstance(actions_may_propose, Unknown):
        yield unseen("whether workflows may create pull requests", actions_may_propose)
    elif not actions_may_propose:
        yield ACTIONS_MAY_NOT_PROPOSE.broken("this repository does not let workflows create pull requests")
    if isinstance(access.permissions, Unknown):
        yield unseen("the permissions of the GITHUB_TOKEN", access.permissions)


def _personal(access: Access, *, private: bool) -> Iterator[Remark]:
    yield PERSONAL_TOKEN.broken(f"proposals are made in the name of {access.login}")
    if access.kind is TokenKind.CLASSIC:
        yield CLASSIC_TOKEN.broken(f"{access.login} signs in by a classic token")
    yield from _scopes(access, private=private)
    if isinstance(access.may_push, Unknown):
        yield unseen(f"whether {access.login} may push", access.may_push)
    elif not access.may_push:
        yield MAY_NOT_PUSH.broken(f"{access.login} may read this repository, and not push to it")
    if access.kind is TokenKind.FINE_GRAINED and isinstance(access.permissions, Unknown):
        yield unseen("the permissions of the token", access.permissions)


def _scopes(access: Access, *, private: bool) -> Iterator[Remark]:
    if isinstance(access.scopes, Unknown):
        if access.kind is TokenKind.CLASSIC:
            yield unseen("the scopes of the token", access.scopes)
        return
    enough = {"repo"} if private else {"repo", "public_repo"}
    if access.kind is TokenKind.CLASSIC and not access.scopes & enough:
        found = ", ".join(sorted(access.scopes)) or "none"
        yield MISSING_SCOPE.broken(f"the token's scopes are: {found}")


def _app(access: Access, teams: Collection[str]) -> Iterator[Remark]:
    granted = access.permissions
    if isinstance(granted, Unknown):
        yield unseen("the permissions of the App", granted)
        return
    missing = {name: each for name, each in NEEDED.items() if not _has(granted, name, each[0])}
    for name, (level, purpose) in missing.items():
        what = f"{access.login} lacks {_title(name)}: {level}, for {purpose}"
        yield MISSING_PERMISSION.broken(what, f"grant {_title(name)}: {level} in {_SETTINGS}")
    for name, (level, worse) in USEFUL.items():
        if not _has(granted, name, level) and (teams or name != MEMBERS):
            what = f"{access.login} lacks {_title(name)}: {level}; {worse}"
            yield LIMITED_PERMISSION.broken(what, f"grant {_title(name)}: {level} in {_SETTINGS}")
    if not missing:
        yield Fine(what="the App has the permissions that the loop needs")


def _has(granted: Mapping[str, str], name: str, level: str) -> bool:
    return _RANKS.get(granted.get(name, ""), 0) >= _RANKS[level]


def _title(permission: str) -> str:
    """As GitHub's pages write it."""
    return permission.replace("_", " ").capitalize()
