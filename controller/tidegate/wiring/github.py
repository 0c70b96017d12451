"""GitHub as the forge: whether it is, which repository there, and with which credential."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tidegate.core.web_address import require_web_address
from tidegate.errors import WrongUse
from tidegate.settings import API_URL, SERVER_URL, GitHub, Settings, cache

if TYPE_CHECKING:
    from tidegate.adapters.git.remote import RemoteRepository
    from tidegate.adapters.github import AppKey, GitHubForge, Session, Token

APP_ID, APP_KEY, APP_KEY_FILE = "TIDEGATE_GITHUB_APP_ID", "TIDEGATE_GITHUB_APP_KEY", "TIDEGATE_GITHUB_APP_KEY_FILE"
LOGINS = "TIDEGATE_GITHUB_LOGINS"
TOKENS = ("TIDEGATE_GITHUB_TOKEN", "GITHUB_TOKEN", "GH_TOKEN")

_APP = re.compile(r"[0-9]+|Iv[0-9A-Za-z.]+")
_TOKEN = re.compile(r"[!-~]+")

# `git@github.com:acme/models.git`, `ssh://git@github.com/acme/models`, `https://github.com/acme/models.git`
_SCP = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/]+):(?P<path>[^/].*)")


class NotSignedIn(WrongUse):
    """No variable says who we are on GitHub, or one says what nobody can be."""


def repository_at(origin: Path | str | None, github: GitHub) -> str | None:
    """The `owner/name` that an origin is on this GitHub; None for a folder, and for another server.

    Without an origin the environment's GITHUB_REPOSITORY counts, where somebody can sign in. Raises WrongUse where the
    environment's GITHUB_SERVER_URL or GITHUB_API_URL is no address.
    """
    if isinstance(origin, Path):
        return None
    require_web_address(github.server, SERVER_URL)  # first: an API that nobody named is at this server
    require_web_address(github.api, API_URL)
    if origin is None:
        return github.repository if has_credential() else None
    host, path = _host_and_path(origin)
    if host != urlsplit(github.server).hostname:
        return None
    name = path.strip("/").removesuffix(".git")
    return name if name.count("/") == 1 else None


def _host_and_path(origin: str) -> tuple[str | None, str]:
    if "://" in origin:
        parts = urlsplit(origin)
        return parts.hostname, parts.path
    found = _SCP.fullmatch(origin)
    return (found["host"], found["path"]) if found else (None, "")


def has_credential() -> bool:
    return any(os.environ.get(name) for name in (APP_ID, *TOKENS))


def credential() -> AppKey | Token:
    """The App if there is one, else a token. Raises WrongUse with the names to set."""
    from tidegate.adapters.github import Token
    from tidegate.adapters.secrets import resolve

    if app_id := os.environ.get(APP_ID):
        return _app(app_id)
    name = next((name for name in TOKENS if os.environ.get(name)), None)
    if name is None:
        raise NotSignedIn(f"nobody is signed in to GitHub: set {APP_ID} and {APP_KEY}, or one of {', '.join(TOKENS)}")
    value = resolve({"env": name}).reveal()
    if not _TOKEN.fullmatch(value):
        raise NotSignedIn(f"{name} holds no token of GitHub, which is one word of ASCII; copy it again, whole")
    return Token(value=value)


def _app(app_id: str) -> AppKey:
    from tidegate.adapters.github import AppKey
    from tidegate.adapters.secrets import resolve

    if not _APP.fullmatch(app_id):
        form = "the App's id (a number) nor its client id (Iv…); both stand on the App's own settings page"
        raise NotSignedIn(f"{APP_ID} is {app_id!r}, which is neither {form}")
    file = os.environ.get(APP_KEY_FILE)
    return AppKey(app_id=app_id, private_key=resolve({"file": file} if file else {"env": APP_KEY}).reveal())


def logins() -> tuple[str, ...]:
    """Other logins of Tidegate in the repository."""
    return tuple(login for each in os.environ.get(LOGINS, "").split(",") if (login := each.strip()))


def session(settings: Settings, full_name: str) -> Session:
    """The session with the repository `owner/name`."""
    from tidegate.adapters.github import Address, Session
    from tidegate.adapters.memory import FolderMemory

    owner, _, name = full_name.partition("/")
    server = settings.github
    address = Address(owner=owner, name=name, api=server.api, server=server.server, logins=logins())
    folder = hashlib.sha256(f"{address.api} {address.full_name}".encode()).hexdigest()[:24]
    return Session(address, credential(), memory=FolderMemory(cache() / "github" / folder))


def repository(settings: Settings, signed_in: Session) -> RemoteRepository:
    """The repository behind a session, with its mirror in our cache folder."""
    from tidegate.adapters.git.remote import Remote, RemoteRepository, mirror_of
    from tidegate.adapters.github import SignedCommits

    url = signed_in.address.clone_url
    remote = Remote(url, mirror_of(url, cache()), signed_in.token)
    return RemoteRepository(remote, identity=settings.identity, signer=SignedCommits(signed_in))


def forge(signed_in: Session, behind: RemoteRepository) -> GitHubForge:
    from tidegate.adapters.github import GitHubForge

    return GitHubForge(signed_in, behind)
