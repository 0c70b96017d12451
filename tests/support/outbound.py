"""What goes out to servers: a repository on the fake GitHub at an address of our choice, and one of each request to it.

`without_settings` takes away what this machine says of proxies and CAs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.forge_contract import FIRST_FILES, PIN
from support.github.server import FakeGitHub
from support.github_worlds import NAME
from support.repositories import NOON, OURS, Clone
from tidegate.adapters.git.remote import Remote, RemoteRepository
from tidegate.adapters.github import Address, AppKey, Session, SignedCommits, Token
from tidegate.errors import OutsideSystem

TOKEN = "ghp_0nobodyMaySeeThis"
_BRANCH = "tidegate/churn/production/promote-k0123456789abcdef"
_SETTINGS = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
             "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_FILE", "SSL_CERT_DIR")  # fmt: skip


def without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _SETTINGS:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@contextmanager
def github_with_models(folder: Path) -> Iterator[FakeGitHub]:
    """A GitHub with a first commit in `acme/models`."""
    with FakeGitHub(folder / "github") as github:
        person = Clone.of(github.repository(NAME).path, folder / "person")
        person.commit(FIRST_FILES)
        person.push("main")
        github.forget_calls()
        yield github


def app(github: FakeGitHub) -> AppKey:
    made = github.app("tidegate")
    return AppKey(app_id=str(made.id), private_key=made.private_key)


def session_at(server: str, credential: AppKey | Token | None = None) -> Session:
    """A session by the owner of TOKEN, unless told otherwise."""
    owner, name = NAME.split("/")
    address = Address(owner=owner, name=name, api=f"{server}/api/v3", server=server)
    return Session(address, credential or Token(value=TOKEN), wait=lambda _: None)


def a_day(session: Session, mirror: Path) -> None:
    """One of each: an App's sign-in, REST, GraphQL, a fetch, a commit that GitHub signs, a push."""
    assert session.account.login == "tidegate[bot]"
    assert session.graphql("query { viewer { login } }", {})
    remote = Remote(session.address.clone_url, mirror, session.token)
    repository = RemoteRepository(remote, identity=OURS, signer=SignedCommits(session))
    main = repository.head()
    assert main is not None
    made = repository.write_commit(main, {PIN: "stable: 2\n"}, "set", NOON)
    repository.move_branch(_BRANCH, made, None)
    assert repository.head(_BRANCH) == made


def refusals(session: Session, mirror: Path) -> tuple[str, str]:
    """What REST and git say where they do not get through."""
    with pytest.raises(OutsideSystem) as rest:
        session.get(session.address.path)
    with pytest.raises(OutsideSystem) as git:
        RemoteRepository(Remote(session.address.clone_url, mirror, lambda: TOKEN), identity=OURS).head()
    return str(rest.value), str(git.value)
