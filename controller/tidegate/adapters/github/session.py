"""Everything that is asked of GitHub goes through one session: who asks, what it costs, and what no answer means.

Reads are conditional: an answer that did not change costs nothing (304).
Not here: HTTP itself (`transport`), and what the JSON means.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from tidegate.adapters.github.access import Account, Address, AppKey, AppTokens, Json, Token
from tidegate.adapters.github.limits import Limits, Memory
from tidegate.adapters.github.transport import Reply, Transport
from tidegate.errors import OutsideSystem, Refused, TidegateError, WrongUse

PAGE = 100
_KEPT = 4_000
_PAGES = 50
_OF_ALL = ("pulls", "trees", "commits", "check-runs", "deployments")
_VIEWER = "query { viewer { login } }"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What GitHub said: anything but an outage, a limit, or that it does not know us."""

    status: int
    data: Any

    @property
    def ok(self) -> bool:
        return self.status < 300

    @property
    def words(self) -> str:
        """GitHub's message, with the messages of its parts (where a 422 says what is wrong)."""
        if not isinstance(self.data, dict):
            return f"status {self.status}"
        parts = [each.get("message", "") if isinstance(each, dict) else each for each in self.data.get("errors") or ()]
        said = [str(self.data.get("message", f"status {self.status}")), *map(str, parts)]
        return "; ".join(dict.fromkeys(part for part in said if part))


class GraphQlSaysNo(Exception):
    """GitHub refused a GraphQL request: its own words. The caller says what that means."""


class Session:
    """Everything that is asked of one repository's GitHub. Secrets are in no repr and no message (I11)."""

    def __init__(
        self,
        address: Address,
        credential: Token | AppKey,
        *,
        memory: Memory | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.address = address
        self._credential = credential
        self._now = now
        self._wait = wait
        self._tokens = AppTokens(credential, address, now) if isinstance(credential, AppKey) else None
        self._limits = Limits("github-pause", now, memory)
        self._seen: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._transport = Transport(address.api)
        self._account: Account | None = None

    def __repr__(self) -> str:
        return f"Session({self.address.full_name!r} at {self.address.api!r})"

    @property
    def who(self) -> str:
        return f"GitHub at {self.address.api}"

    def now(self) -> datetime:
        return self._now()

    @property
    def account(self) -> Account:
        """Who we are to GitHub, asked once."""
        if self._account is None:
            found = self._app_account() if self._tokens else self._token_account()
            self._account = replace(found, also=self.address.logins)
        return self._account

    def urgently(self) -> AbstractContextManager[None]:
        """Within it, the share of our budget of writes that is kept for what is urgent may be used."""
        return self._limits.urgently()

    def sparingly(self) -> AbstractContextManager[None]:
        """Within it, OutsideSystem is raised where no more requests are left than are kept for what must not wait."""
        return self._limits.sparingly()

    def _app_account(self) -> Account:
        assert self._tokens is not None
        status, app = self._raw("GET", "/app", self._tokens.bearer())
        if status != 200:
            raise self._stranger(status, app)
        login = f"{app['slug']}[bot]"
        user = self.get(f"/users/{login}").data
        return Account(login=login, number=int(user["id"]), bot=True, app_id=int(app["id"]))

    def _token_account(self) -> Account:
        answer = self.call("GET", "/user")
        if answer.ok:
            user = answer.data
            return Account(login=user["login"], number=int(user["id"]), bot=user.get("type") == "Bot")
        # Installation tokens, as in Actions, may not ask /user; GraphQL tells them.
        login = self.graphql(_VIEWER, {})["viewer"]["login"]
        login = login if login.endswith("[bot]") else f"{login}[bot]"  # GraphQL calls bots by either name
        return Account(login=login, number=int(self.get(f"/users/{login}").data["id"]), bot=True)

    def token(self) -> str:
        """The token of this moment, for git's own requests."""
        if isinstance(self._credential, Token):
            return self._credential.value
        assert self._tokens is not None
        found = self._tokens.token(self._raw, self._wait)
        if not isinstance(found, str):
            raise self._stranger(*found)
        return found

    def get(self, path: str, **parameters: str | int) -> Answer:
        """A conditional read, required to be there."""
        return self._required("GET", path, self.call("GET", _with(path, parameters)))

    def find(self, path: str, **parameters: str | int) -> Json | None:
        """What is there; None where nothing is."""
        answer = self.call("GET", _with(path, parameters))
        return None if answer.status == 404 else self._required("GET", path, answer).data

    def send(self, verb: str, path: str, body: Json | None = None) -> Json:
        """A write that is required to go through."""
        made: Json = self._required(verb, path, self.call(verb, path, body)).data
        return made

    def pages(self, path: str, **parameters: str | int) -> Iterator[Any]:
        """Every entry of a list. The addresses of Link headers are never followed: they could lead elsewhere."""
        for page in range(1, _PAGES + 1):
            more = {"page": page} if page > 1 else {}
            found = self.get(path, **parameters, per_page=PAGE, **more).data
            yield from found
            if len(found) < PAGE:
                return
        raise OutsideSystem(f"{self.who}: {path} has more than {_PAGES * PAGE} entries, which nobody reads; close some")

    def graphql(self, query: str, variables: Json) -> Json:
        """The data of a GraphQL request. Raises GraphQlSaysNo."""
        return self._graphql(query, variables, None)

    def mutate(self, name: str, given: Json, shape: str, subject: str) -> Json:
        """One GraphQL mutation. Raises GraphQlSaysNo."""
        kind = f"{name[0].upper()}{name[1:]}Input!"
        query = f"mutation($input: {kind}) {{ {name}(input: $input) {{ {shape} }} }}"
        done: Json = self._graphql(query, {"input": dict(given)}, subject)[name]
        return done

    def _graphql(self, query: str, variables: Json, subject: str | None) -> Json:
        self._limits.require(self.who)
        if subject is not None:
            self._limits.spend(self.who, subject)
        body = {"query": query, "variables": dict(variables)}
        reply = self._signed("POST", "/graphql", {}, body)
        answer = self._answered("POST", "/graphql", reply)
        if not answer.ok or not isinstance(answer.data, dict):
            raise OutsideSystem(f"{self.who} answered GraphQL with {answer.status}: {answer.words}; try again later")
        if errors := answer.data.get("errors"):
            if any(error.get("type") == "RATE_LIMITED" for error in errors):  # GraphQL says so with status 200
                self._heed(replace(reply, status=429))
            raise GraphQlSaysNo("; ".join(str(error.get("message")) for error in errors))
        data: Json = answer.data["data"]
        return data

    def call(self, verb: str, path: str, body: Json | None = None) -> Answer:
        """One request. Raises OutsideSystem for outages and limits, WrongUse where GitHub does not know us."""
        self._limits.require(self.who)
        if verb != "GET":
            self._limits.spend(self.who, _subject(path, body))
        known = self._seen.get(path) if verb == "GET" else None
        reply = self._signed(verb, path, {"If-None-Match": known[0]} if known is not None else {}, body)
        if known is not None and reply.status == 304:
            self._seen.move_to_end(path)
            return Answer(status=200, data=json.loads(known[1]))
        answer = self._answered(verb, path, reply)
        if verb == "GET" and answer.status == 200 and (tag := reply.headers.get("etag")):
            self._remember(path, tag, reply.text)
        return answer

    def _remember(self, path: str, tag: str, text: str) -> None:
        self._seen[path] = (tag, text)
        self._seen.move_to_end(path)
        if len(self._seen) > _KEPT:
            self._seen.popitem(last=False)

    def _signed(self, verb: str, path: str, headers: Mapping[str, str], body: Json | None) -> Reply:
        """One request with our token. An App's that ended before its time is made anew, once."""
        reply = self._http(verb, path, {**headers, "Authorization": f"token {self.token()}"}, body)
        if reply.status == 401 and self._tokens is not None:
            self._tokens.forget()
            reply = self._http(verb, path, {**headers, "Authorization": f"token {self.token()}"}, body)
        self._limits.note(reply.headers)
        return reply

    def _raw(self, verb: str, path: str, authorization: str) -> tuple[int, Any]:
        """A request of the App itself, or with a token that is being tried: every status is an answer."""
        self._limits.require(self.who)
        reply = self._http(verb, path, {"Authorization": authorization}, None)
        self._heed(reply)
        data = _json(reply.text)
        if not isinstance(data, dict):
            raise self._no_json(verb, path, reply.status)
        return reply.status, data

    def _no_json(self, verb: str, path: str, status: int) -> OutsideSystem:
        shown = f"{status}" if status >= 500 else f"{status} and no JSON"
        return OutsideSystem(f"{self.who} answered {verb} {_plain(path)} with {shown}; the next pass tries again")

    def _http(self, verb: str, path: str, headers: Mapping[str, str], body: Json | None) -> Reply:
        return self._transport.ask(verb, path, headers, body)

    def _answered(self, verb: str, path: str, reply: Reply) -> Answer:
        answer = Answer(status=reply.status, data=_json(reply.text))
        if answer.status == 401:
            raise self._stranger(answer.status, answer.data)
        self._heed(reply)
        if answer.status >= 500 or (reply.text and answer.data is None):
            raise self._no_json(verb, path, answer.status)
        return answer

    def _heed(self, reply: Reply) -> None:
        until = self._limits.heed(reply.status, reply.headers, reply.text)
        if until is not None:
            raise OutsideSystem(f"{self.who}: a rate limit is reached, it asks for a pause until {until:%H:%M:%S} UTC")

    def _required(self, verb: str, path: str, answer: Answer) -> Answer:
        if answer.ok:
            return answer
        where = f"{self.who}: {verb} {_plain(path)}: {answer.words}"
        if answer.status == 404:
            raise WrongUse(f"{where}; it is not there, or the token may not see it (`tidegate doctor` tells)")
        if answer.status == 403:
            raise Refused(f"{where}; give the App or token that permission (`tidegate doctor` lists them)")
        raise Refused(where)

    def _stranger(self, status: int, said: object) -> TidegateError:
        words = Answer(status=status, data=said).words
        if status >= 500:
            return OutsideSystem(f"{self.who} answered {status}; the next pass tries again")
        if self._tokens is None:
            return WrongUse(f"{self.who} does not take the token ({words}); make a new one")
        step = f"is the App installed on {self.address.full_name}, and the private key its own?"
        return WrongUse(f"{self.who} does not take the App ({words}); {step}")


def _with(path: str, parameters: Mapping[str, str | int]) -> str:
    return f"{path}?{urlencode(parameters)}" if parameters else path


def _plain(path: str) -> str:
    return path.partition("?")[0]


def _subject(path: str, body: Json | None) -> str:
    """What a write is about, for the budget: the pull request or issue, the branch of a new one, else the path.

    Nothing where the path is one of all models.
    """
    parts = _plain(path).split("/")
    if len(parts) > 5 and parts[4] in ("pulls", "issues") and parts[5].isdigit():
        return f"#{parts[5]}"
    if parts[-1] in _OF_ALL:
        return str((body or {}).get("head", ""))
    return _plain(path)


def _json(text: str) -> object:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None
