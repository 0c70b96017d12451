"""What the fake remembers: accounts, apps, repositories, pull requests and what hangs on them. Plain mutable data.

What an answer looks like is in the subjects' modules; what git holds is in git.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from support.github.git import Git

Json = dict[str, Any]
"""An object of GitHub's API, on its way in or out."""

Role = Literal["none", "read", "triage", "write", "maintain", "admin"]
ROLES: tuple[Role, ...] = ("none", "read", "triage", "write", "maintain", "admin")


@dataclass(eq=False, kw_only=True)
class Account:
    """A person, an organization, or the bot of an App."""

    id: int
    login: str
    type: Literal["User", "Bot", "Organization"] = "User"
    created_at: datetime

    @property
    def node_id(self) -> str:
        return {"User": "U", "Bot": "BOT", "Organization": "O"}[self.type] + f"_{self.id}"

    @property
    def email(self) -> str:
        return f"{self.id}+{self.login}@users.noreply.github.com"


@dataclass(eq=False, kw_only=True)
class App:
    """A GitHub App, installed on every repository unless `repositories` names some."""

    id: int
    slug: str
    name: str
    private_key: str
    permissions: dict[str, str]
    installation_id: int
    bot: Account
    owner: Account
    created_at: datetime
    repositories: frozenset[str] | None = None

    @property
    def login(self) -> str:
        return self.bot.login


@dataclass(eq=False, kw_only=True)
class Credential:
    """What a request shows: a token, an App's own JWT, or nothing."""

    kind: Literal["personal", "fine-grained", "installation", "app", "anonymous"]
    token: str
    account: Account | None = None
    app: App | None = None
    permissions: Mapping[str, str] | None = None
    repositories: frozenset[str] | None = None
    expires_at: datetime | None = None
    refusals: list[int] = field(default_factory=list)
    """Statuses that the first uses get: a fresh token that is not yet known everywhere."""

    @property
    def key(self) -> str:
        """Whose limit it counts against."""
        if self.app is not None:
            return f"installation-{self.app.installation_id}"
        return self.account.login if self.account else "anonymous"


@dataclass(eq=False, kw_only=True)
class Comment:
    id: int
    user: Account
    app: App | None
    body: str
    created_at: datetime
    updated_at: datetime


@dataclass(eq=False, kw_only=True)
class IssueEvent:
    """What somebody did to an issue, in the REST API's words; `label` is "" where it is about none."""

    id: int
    user: Account
    event: Literal["labeled", "unlabeled", "base_ref_changed", "automatic_base_change_succeeded"]
    created_at: datetime
    label: str = ""


@dataclass(eq=False, kw_only=True)
class Issue:
    """An issue; a pull request is one too, and they share their numbers."""

    id: int
    number: int
    user: Account
    title: str
    body: str | None
    created_at: datetime
    updated_at: datetime
    state: Literal["open", "closed"] = "open"
    closed_at: datetime | None = None
    closed_by: Account | None = None
    labels: list[str] = field(default_factory=list)
    happened: list[IssueEvent] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)


@dataclass(eq=False, kw_only=True)
class Review:
    id: int
    user: Account
    body: str
    state: str
    commit: str
    submitted_at: datetime


@dataclass(eq=False, kw_only=True)
class AutoMerge:
    """Merge by itself once the rules allow it."""

    by: Account
    method: str
    title: str
    message: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something in a pull request's timeline; `kind` is GraphQL's name of its type."""

    id: int
    kind: str
    actor: Account | None
    at: datetime
    reason: str | None = None


@dataclass(eq=False, kw_only=True)
class Pull(Issue):
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    draft: bool = False
    merged_at: datetime | None = None
    merged_by: Account | None = None
    merge_commit: str | None = None
    reviews: list[Review] = field(default_factory=list)
    requested: list[Account] = field(default_factory=list)
    auto_merge: AutoMerge | None = None
    judged: tuple[str, str] | None = None
    """Head and base that `mergeable` and `merge_commit` speak of."""
    mergeable: bool | None = None
    unknown_reads: int = 0
    events: list[Event] = field(default_factory=list)

    @property
    def merged(self) -> bool:
        return self.merged_at is not None

    @property
    def node_id(self) -> str:
        return f"PR_{self.id}"


@dataclass(eq=False, kw_only=True)
class CheckRun:
    id: int
    app: App
    sha: str
    suite: int
    name: str
    status: str
    conclusion: str | None
    details_url: str | None
    external_id: str | None
    started_at: datetime | None
    completed_at: datetime | None
    output: Json


@dataclass(eq=False, kw_only=True)
class Status:
    id: int
    creator: Account
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    created_at: datetime


@dataclass(eq=False, kw_only=True)
class DeploymentStatus:
    id: int
    creator: Account
    state: str
    description: str
    log_url: str
    environment_url: str
    created_at: datetime


@dataclass(eq=False, kw_only=True)
class Deployment:
    id: int
    creator: Account
    sha: str
    ref: str
    task: str
    environment: str
    payload: Any
    description: str | None
    production: bool
    transient: bool
    created_at: datetime
    statuses: list[DeploymentStatus] = field(default_factory=list)


@dataclass(eq=False, kw_only=True)
class Label:
    id: int
    name: str
    color: str
    description: str | None


@dataclass(eq=False, kw_only=True)
class Ruleset:
    id: int
    name: str
    enforcement: str
    conditions: Json
    rules: list[Json]
    bypass: list[Json]
    created_at: datetime


@dataclass(eq=False, kw_only=True)
class QueueEntry:
    """A pull request in the merge queue of its base branch."""

    id: int
    pull: Pull
    by: Account
    at: datetime
    head: str
    base: str = ""
    group: str = ""
    """The commit that the group's checks run on; `branch` carries it, on top of `base`."""
    branch: str = ""


@dataclass(eq=False, kw_only=True)
class Settings:
    """What an owner clicks in a repository's settings."""

    allow_merge_commit: bool = True
    allow_squash_merge: bool = True
    allow_rebase_merge: bool = True
    allow_auto_merge: bool = False
    allow_update_branch: bool = False
    delete_branch_on_merge: bool = False
    private: bool = True
    default_workflow_permissions: str = "read"
    can_approve_pull_request_reviews: bool = False


@dataclass(eq=False, kw_only=True)
class Environment:
    """A deployment environment; `branches` are its name patterns, None where it has none."""

    id: int
    name: str
    branches: tuple[str, ...] | None = None
    protected_only: bool = False
    wait_minutes: int = 0
    reviewers: int = 0


@dataclass(eq=False, kw_only=True)
class Repository:
    id: int
    owner: Account
    name: str
    git: Git
    clone_url: str
    default_branch: str
    created_at: datetime
    settings: Settings = field(default_factory=Settings)
    variables: dict[str, str] = field(default_factory=dict)
    shared_variables: dict[str, str] = field(default_factory=dict)
    """Those of the organization."""
    environments: list[Environment] = field(default_factory=list)
    issues: dict[int, Issue] = field(default_factory=dict)
    checks: list[CheckRun] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    labels: dict[str, Label] = field(default_factory=dict)
    protections: dict[str, Json] = field(default_factory=dict)
    rulesets: list[Ruleset] = field(default_factory=list)
    queues: dict[str, list[QueueEntry]] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    suites: dict[tuple[str, int], int] = field(default_factory=dict)
    verified: set[str] = field(default_factory=set)
    """Commits that GitHub itself signed."""
    seen: dict[str, str] = field(default_factory=dict)
    """Branches as they were when the fake last looked."""
    pushed_at: datetime | None = None

    @property
    def full_name(self) -> str:
        return f"{self.owner.login}/{self.name}"

    @property
    def path(self) -> Path:
        """The bare repository on disk. A push straight to it is noticed at the next request."""
        return self.git.path

    @property
    def node_id(self) -> str:
        return f"R_{self.id}"

    @property
    def pulls(self) -> list[Pull]:
        return [issue for issue in self.issues.values() if isinstance(issue, Pull)]

    def next_number(self) -> int:
        return max(self.issues, default=0) + 1
