"""The repository on the forge: its own settings, and the forge's clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from tidegate.core.diagnosis.access import Access
from tidegate.core.diagnosis.actions import ActionsFacts
from tidegate.core.diagnosis.protection import Gateway
from tidegate.core.diagnosis.remark import Fine, Remark, Rule, Unknown, unseen
from tidegate.core.finding import Severity
from tidegate.core.quantity import show_duration

TOLERANCE = timedelta(seconds=30)
"""Clocks may differ by so much: half a cell of the default resolution, and half of what GitHub takes of an App."""

MAIN = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgeFacts:
    """What GitHub says about the repository and us. `ahead`: how far its clock is before ours."""

    name: str
    private: bool
    archived: bool
    default_branch: str
    auto_merge: bool | Unknown
    actions_may_propose: bool | Unknown
    ahead: timedelta | Unknown
    access: Access
    gateway: Gateway
    actions: ActionsFacts


NOT_TAKEN = Rule(
    id="github-refuses",
    title="GitHub does not take us",
    why="Without an account that it knows no proposal is made, checked or merged.",
    fix="install the App on this repository, or make a new token that may see it: TIDEGATE_GITHUB_APP_ID and "
    "TIDEGATE_GITHUB_APP_KEY, or TIDEGATE_GITHUB_TOKEN, GITHUB_TOKEN or GH_TOKEN",
)
NOT_SIGNED_IN = Rule(
    id="not-signed-in",
    title="Nobody is signed in to GitHub",
    why="Without an account no proposal is made, checked or merged.",
    fix="set TIDEGATE_GITHUB_APP_ID and TIDEGATE_GITHUB_APP_KEY, or a token as TIDEGATE_GITHUB_TOKEN, GITHUB_TOKEN or "
    "GH_TOKEN",
)
KEY_UNREADABLE = Rule(
    id="app-key-unreadable",
    title="The App's private key cannot be read",
    why="The App signs in with it: without it no proposal is made, checked or merged.",
    fix="the whole PEM text as TIDEGATE_GITHUB_APP_KEY, or the path of a file with it as TIDEGATE_GITHUB_APP_KEY_FILE; "
    "the App's settings, Private keys, make a new one",
)
ELSEWHERE = Rule(
    id="origin-elsewhere",
    title="The origin is neither on our GitHub nor a folder",
    why="Proposals are made in the repository that `origin` names, by GitHub or in a folder; no other server has them.",
    fix="set GITHUB_SERVER_URL to the address of your GitHub Enterprise Server, or git remote set-url origin ADDRESS",
)
ARCHIVED = Rule(
    id="archived",
    title="The repository is archived",
    why="It is read-only: no proposal can be made.",
    fix="the repository's settings, General, Danger Zone: unarchive it",
)
ANOTHER_MAIN = Rule(
    id="default-branch",
    title="The default branch is not `main`",
    why="What is wanted is read from `main`, and proposals go into it. Whatever stands on another branch does nothing.",
    fix="the repository's settings, General, Default branch: rename it to `main`",
)
AUTO_MERGE_OFF = Rule(
    id="auto-merge-off",
    severity=Severity.WARNING,
    title="Auto-merge is off",
    why="A proposal whose checks still run cannot be left to GitHub to merge: it waits for the next pass.",
    fix="the repository's settings, General, Pull Requests: Allow auto-merge",
)
CLOCKS_DIFFER = Rule(
    id="forge-clock",
    severity=Severity.WARNING,
    title="GitHub's clock and ours differ",
    why="GitHub refuses an App whose clock is a minute ahead, and pauses that it asks for are told by its clock.",
    fix="have this machine's clock set by NTP (timedatectl set-ntp true)",
)

RULES = (
    NOT_TAKEN,
    NOT_SIGNED_IN,
    KEY_UNREADABLE,
    ELSEWHERE,
    ARCHIVED,
    ANOTHER_MAIN,
    AUTO_MERGE_OFF,
    CLOCKS_DIFFER,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnedAway:
    """We do not get in, by which rule, and in what words; credentials are in none."""

    words: str
    rule: Rule = NOT_TAKEN


def examine(facts: ForgeFacts) -> Iterator[Remark]:
    """The settings. The account and the rules of main have modules of their own."""
    if facts.archived:
        yield ARCHIVED.broken(f"{facts.name} is archived")
    if facts.default_branch != MAIN:
        yield ANOTHER_MAIN.broken(f"the default branch of {facts.name} is {facts.default_branch}")
    yield from _auto_merge(facts)
    yield from _clock(facts.ahead)


def _auto_merge(facts: ForgeFacts) -> Iterator[Remark]:
    if isinstance(facts.auto_merge, Unknown):
        yield unseen("whether auto-merge is allowed", facts.auto_merge)
    elif not facts.auto_merge:
        yield AUTO_MERGE_OFF.broken("the repository does not allow auto-merge")
    else:
        yield Fine(what="auto-merge is allowed")


def _clock(ahead: timedelta | Unknown) -> Iterator[Remark]:
    if isinstance(ahead, Unknown):
        yield unseen("GitHub's clock", ahead)
    elif abs(ahead) > TOLERANCE:
        side = "ahead of" if ahead > timedelta(0) else "behind"
        yield CLOCKS_DIFFER.broken(f"GitHub's clock is {show_duration(abs(ahead))} {side} ours")
    else:
        yield Fine(what="GitHub's clock and ours agree")
