"""Everything a fake GitHub holds, and how a test fills it: people, tokens, Apps, teams, repositories.

How a request is answered is in dispatch.py and in the subjects' modules.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from support.github.git import Git, Person
from support.github.limits import Limits
from support.github.routing import Links, not_found
from support.github.state import Account, App, Credential, Repository, Role

WEB_FLOW = ("GitHub", "noreply@github.com")
"""Who commits what GitHub makes itself: merges, and commits of the API without a committer."""

APP_PERMISSIONS = {
    "actions": "read",
    "checks": "write",
    "contents": "write",
    "deployments": "write",
    "issues": "write",
    "members": "read",
    "merge_queues": "write",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}


def real_time() -> datetime:
    return datetime.now(UTC)


class World:
    """One GitHub: its accounts and repositories, and the lock under which every request runs."""

    def __init__(self, folder: Path, now: Callable[[], datetime] = real_time) -> None:
        self.folder = folder
        self.now = now
        self.lock = threading.RLock()
        self.accounts: dict[str, Account] = {}
        self.apps: dict[str, App] = {}
        self.credentials: dict[str, Credential] = {}
        self.repositories: dict[str, Repository] = {}
        self.everywhere: dict[str, Role] = {}
        self.teams: dict[str, list[str]] = {}
        self.limits = Limits(now)
        self.links = Links("", "")
        self.violations: list[str] = []
        self.events: list[Event] = []
        self.subscribers: list[Callable[[Event], None]] = []
        self.signs_commits = True
        """On Enterprise Server its owner turns web commit signing on."""
        self.fresh_token_refusals: list[int] = []
        self._ids = iter(range(1001, 10**9))

    def next_id(self) -> int:
        return next(self._ids)

    def account(self, login: str, kind: Literal["User", "Bot", "Organization"] = "User") -> Account:
        """The account of that name, made if it is not there."""
        key = login.lower()
        if key not in self.accounts:
            self.accounts[key] = Account(id=self.next_id(), login=login, type=kind, created_at=self.now())
        return self.accounts[key]

    def token(
        self,
        login: str,
        *,
        role: Role = "write",
        permissions: Mapping[str, str] | None = None,
        repositories: frozenset[str] | None = None,
    ) -> str:
        """A personal access token: a classic one, or with `permissions` a fine-grained one.

        `role` is what the person may do in every repository; `Repository.roles` overrides it for one.
        """
        account = self.account(login)
        self.everywhere[login.lower()] = role
        text = f"{'ghp' if permissions is None else 'github_pat'}_{secrets.token_hex(18)}"
        kind: Literal["personal", "fine-grained"] = "personal" if permissions is None else "fine-grained"
        self.credentials[text] = Credential(
            kind=kind, token=text, account=account, permissions=permissions, repositories=repositories
        )
        return text

    def role(self, account: Account, repository: Repository) -> Role:
        """What a person may do here; nothing unless a token or `Repository.roles` gave it."""
        login = account.login.lower()
        if login == repository.owner.login.lower():
            return "admin"
        return repository.roles.get(login, self.everywhere.get(login, "none"))

    def app(
        self, slug: str, *, permissions: Mapping[str, str] | None = None, repositories: frozenset[str] | None = None
    ) -> App:
        """A GitHub App with a private key; asking again for the same slug gives the same App."""
        if slug not in self.apps:
            self.apps[slug] = App(
                id=self.next_id(),
                slug=slug,
                name=slug,
                private_key=_private_key(slug),
                permissions={**APP_PERMISSIONS, **(permissions or {})},
                installation_id=self.next_id(),
                bot=self.account(f"{slug}[bot]", "Bot"),
                owner=self.account("acme", "Organization"),
                created_at=self.now(),
                repositories=repositories,
            )
        return self.apps[slug]

    def installation_token(self, app: App, permissions: Mapping[str, str] | None = None) -> Credential:
        """What `POST /app/installations/{id}/access_tokens` makes: good for an hour."""
        text = f"ghs_{secrets.token_hex(18)}"
        self.credentials[text] = Credential(
            kind="installation",
            token=text,
            account=app.bot,
            app=app,
            permissions=dict(app.permissions if permissions is None else {"metadata": "read", **permissions}),
            repositories=app.repositories,
            expires_at=self.now() + timedelta(hours=1),
            refusals=list(self.fresh_token_refusals),
        )
        return self.credentials[text]

    def actions_token(self, repository: str, permissions: Mapping[str, str] | None = None) -> str:
        """The GITHUB_TOKEN of a workflow run: the App github-actions, in one repository."""
        app = self.app("github-actions")
        granted = {"contents": "read", "metadata": "read"} if permissions is None else permissions
        credential = self.installation_token(app, granted)
        credential.repositories = frozenset({repository.lower()})
        return credential.token

    def team(self, name: str, *logins: str) -> None:
        """`team("acme/ml-leads", "dana")` makes a team, or replaces who is in it."""
        organization, _, slug = name.partition("/")
        self.account(organization, "Organization")
        for login in logins:
            self.account(login)
        self.teams[f"{organization}/{slug}".lower()] = list(logins)

    def repository(self, full_name: str, *, default_branch: str = "main") -> Repository:
        """The repository of that name, made with a first commit if it is not there."""
        owner, _, name = full_name.partition("/")
        if full_name.lower() not in self.repositories:
            git = Git(self.folder / owner / f"{name}.git")
            git.create(default_branch)
            made = Repository(
                id=self.next_id(),
                owner=self.account(owner, "Organization"),
                name=name,
                git=git,
                clone_url=f"{self.links.html}/{full_name}.git",
                default_branch=default_branch,
                created_at=self.now(),
            )
            first = Person(name=WEB_FLOW[0], email=WEB_FLOW[1], at=self.now())
            readme = git.write_blob(f"# {name}\n".encode())
            tree = git.write_tree(None, [("README.md", "100644", readme)])
            git.move(f"refs/heads/{default_branch}", git.write_commit(tree, [], "Initial commit\n", first))
            made.seen = git.branches()
            self.repositories[full_name.lower()] = made
        return self.repositories[full_name.lower()]

    def find_repository(self, owner: str, name: str) -> Repository:
        try:
            return self.repositories[f"{owner}/{name}".lower()]
        except KeyError:
            raise not_found() from None

    def by_email(self, email: str) -> Account | None:
        """Whose commits GitHub takes these for."""
        return next((account for account in self.accounts.values() if account.email == email), None)

    def tell(self, name: str, repository: Repository, sender: Account | None, **payload: Any) -> None:
        """Something happened: remembered, and told to whoever listens."""
        event = Event(name=name, repository=repository, sender=sender, payload=payload)
        self.events.append(event)
        for told in self.subscribers:
            told(event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A webhook event before it is put into words: the payload holds the fake's own objects."""

    name: str
    repository: Repository
    sender: Account | None
    payload: Mapping[str, Any]


@lru_cache
def _private_key(_slug: str) -> str:
    """One key for each App name and test session: making one takes a tenth of a second."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()
