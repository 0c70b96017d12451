"""Where the repository is on GitHub, and who we are there: a GitHub App, or the owner of a token.

An App's installation token lives an hour and is refused for the first seconds of its life where it has not got
around yet: it is tried before it is used, a few times in a few seconds, and made anew well before its end.
Not here: what a request may answer (`session`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tidegate.errors import WrongUse

Json = Mapping[str, Any]
"""An object of an answer, up to the line that parses it."""

PUBLIC_API = "https://api.github.com"
PUBLIC_SERVER = "https://github.com"
SHARED = "github-actions[bot]"
"""Every workflow of a repository can speak as this one."""
SIGNER = "noreply@github.com"
"""The committer of what GitHub commits and signs itself, on Enterprise Server too unless its owner changed it."""

# A token lives an hour (REST, "Create an installation access token for an app"). By our own clock, which need not
# be GitHub's: what ends earlier is answered with 401, and made anew then.
RENEWED_AFTER = timedelta(minutes=55)
# Fresh tokens answered 404 and 401 for up to some seconds (akuity/kargo#6630): six tries in about six seconds.
_WAITS = (0.1, 0.3, 0.8, 1.6, 3.2)
_NOT_YET = (401, 403, 404)
_NO_KEY = (
    "the App's private key cannot be read: give the whole PEM text as GitHub made it in TIDEGATE_GITHUB_APP_KEY, or "
    "the path of its file in TIDEGATE_GITHUB_APP_KEY_FILE"
)
_SIGNED_FOR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One repository on one GitHub. `api` and `server` are as Actions has them: GITHUB_API_URL, GITHUB_SERVER_URL.

    `logins` are others that Tidegate has or had there: an earlier account, or the App's to a person with a token.
    """

    owner: str
    name: str
    api: str = PUBLIC_API
    server: str = PUBLIC_SERVER
    logins: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    @property
    def path(self) -> str:
        return f"/repos/{self.owner}/{self.name}"

    @property
    def clone_url(self) -> str:
        return f"{self.server}/{self.owner}/{self.name}.git"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A personal access token, or an installation token that somebody else made (as in Actions)."""

    value: str = field(repr=False)


class UnreadableKey(WrongUse):
    """What should be an App's private key is none: GitHub was not asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppKey:
    """A GitHub App by its id (or client id) and private key in PEM."""

    app_id: str
    private_key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who we are: `bot` for Apps, whose check runs and signed commits GitHub takes. `number` is the account's id,
    `also` are other logins of ours."""

    login: str
    number: int
    bot: bool
    app_id: int | None = None
    also: tuple[str, ...] = ()

    def wrote(self, address: str) -> bool:
        """Whether GitHub puts this address into commits of ours. Its last part is the server's own name."""
        own = self.bot and address.startswith(f"{self.number}+{self.login}@users.noreply.")
        return own or any(f"+{login}@users.noreply." in address for login in self.also if login.endswith("[bot]"))

    @property
    def shared(self) -> bool:
        """Whether every workflow of the repository can speak as us: what we say of others then proves nothing."""
        return self.login == SHARED

    def is_of(self, user: object) -> bool:
        """Whether this user is the very account that we are signed in with."""
        return isinstance(user, dict) and user.get("login") == self.login

    def believes(self, user: object) -> bool:
        """Whether marks in what this user wrote count."""
        return isinstance(user, dict) and user.get("login") in (self.login, *self.also)

    def vouches(self, user: object) -> bool:
        """Whether this user is us, and nobody else: only then is it believed in whose name it speaks."""
        return isinstance(user, dict) and self.believes(user) and user.get("login") != SHARED


Ask = Callable[[str, str, str], tuple[int, Any]]
"""Verb, path and Authorization header to status and JSON."""


class AppTokens:
    """Installation tokens of an App, each used until shortly before its end."""

    def __init__(self, key: AppKey, address: Address, now: Callable[[], datetime]) -> None:
        self._key = key
        self._address = address
        self._now = now
        self._installation: int | None = None
        self._token = ""
        self._made: datetime | None = None
        self._signed: tuple[datetime, str] | None = None

    def __repr__(self) -> str:
        return f"AppTokens(app_id={self._key.app_id!r})"

    def bearer(self) -> str:
        """The header that says who the App itself is. GitHub takes it for ten minutes."""
        now = self._now()
        if self._signed is None or not timedelta(0) <= now - self._signed[0] < _SIGNED_FOR:
            self._signed = (now, self._sign(int(now.timestamp())))
        return self._signed[1]

    def _sign(self, at: int) -> str:
        """Valid from a minute back on, for clocks that differ. Raises UnreadableKey."""
        import jwt  # of PyGithub, whose own signing asks the machine's clock

        claims, key = {"iat": at - 60, "exp": at + 540, "iss": self._key.app_id}, self._key.private_key
        if "PRIVATE KEY-----" not in key:  # a public one would be read, and fails at signing
            raise UnreadableKey(_NO_KEY)
        try:
            return f"Bearer {jwt.encode(claims, key, algorithm='RS256')}"
        except (ValueError, TypeError, jwt.PyJWTError):
            raise UnreadableKey(_NO_KEY) from None

    def token(self, ask: Ask, wait: Callable[[float], None]) -> str | tuple[int, Any]:
        """A token that works, or the answer that refused it."""
        if self._made is not None and timedelta(0) <= self._now() - self._made < RENEWED_AFTER:
            return self._token
        if self._installation is None:
            status, found = ask("GET", f"{self._address.path}/installation", self.bearer())
            if status != 200:
                return status, found
            self._installation = int(found["id"])
        status, made = ask("POST", f"/app/installations/{self._installation}/access_tokens", self.bearer())
        if status != 201:
            return status, made
        return self._tried(str(made["token"]), ask, wait)

    def forget(self) -> None:
        """GitHub does not take the token any more: the next one is made anew."""
        self._made = None

    def _tried(self, token: str, ask: Ask, wait: Callable[[float], None]) -> str | tuple[int, Any]:
        for seconds in (*_WAITS, None):
            status, said = ask("GET", self._address.path, f"token {token}")
            if status not in _NOT_YET or seconds is None:
                break
            wait(seconds)
        if status != 200:
            return status, said
        self._token, self._made = token, self._now()
        return token
