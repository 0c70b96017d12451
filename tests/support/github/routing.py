"""How the subjects hang together: what a request and an answer are, and which handler a method and path lead to.

A subject's module declares `@route("GET", "/repos/{owner}/{repo}/pulls", "pull_requests", "read")` with the path as
GitHub's description has it, and the permission that GitHub demands of an App there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from support.github.state import Account, Credential, Issue, Json, Pull, Repository

if TYPE_CHECKING:
    from support.github.world import World

REPOSITORY = "/repos/{owner}/{repo}"
DOCUMENTATION = "https://docs.github.com/rest"
_MANY_SEGMENTS = {"basehead", "branch", "path", "ref"}


@dataclass(frozen=True, slots=True)
class Links:
    """Where the addresses in an answer point: to the host that the request was sent to."""

    api: str
    html: str


@dataclass(slots=True, kw_only=True)
class Answer:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None


class Refused(Exception):
    """GitHub says no: a status, its words, and for 422 what is wrong with which field."""

    def __init__(self, status: int, message: str, errors: Sequence[Json | str] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = list(errors)

    def answer(self) -> Answer:
        body: Json = {"message": self.message, "documentation_url": DOCUMENTATION, "status": str(self.status)}
        if self.errors:
            body["errors"] = self.errors
        return Answer(status=self.status, body=body)


def not_found() -> Refused:
    return Refused(404, "Not Found")


def invalid(resource: str, field_name: str, code: str = "invalid", message: str = "") -> Refused:
    """422 in the form GitHub gives for a field; `custom` carries a sentence."""
    error: Json = {"resource": resource, "code": code}
    if field_name:
        error["field"] = field_name
    if message:
        error["message"] = message
    return Refused(422, "Validation Failed", [error])


@dataclass(slots=True, kw_only=True)
class Request:
    """One call of the API, after its credential was looked up."""

    world: World
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Json
    credential: Credential
    links: Links
    arguments: Mapping[str, str] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        return self.world.now()

    @property
    def actor(self) -> Account:
        if self.credential.account is None:
            raise Refused(401, "Requires authentication")
        return self.credential.account

    @property
    def repository(self) -> Repository:
        return self.world.find_repository(self.arguments["owner"], self.arguments["repo"])

    def number(self, name: str) -> int:
        if not self.arguments[name].isdigit():
            raise not_found()
        return int(self.arguments[name])

    @property
    def pull(self) -> Pull:
        issue = self.repository.issues.get(self.number("pull_number"))
        if not isinstance(issue, Pull):
            raise not_found()
        return issue

    @property
    def issue(self) -> Issue:
        issue = self.repository.issues.get(self.number("issue_number"))
        if issue is None:
            raise not_found()
        return issue

    def page(self, items: Sequence[Any]) -> tuple[Sequence[Any], dict[str, str]]:
        """One page of a list, and the Link header that leads to the others."""
        size = min(max(_whole(self.query.get("per_page"), 30), 1), 100)
        page = max(_whole(self.query.get("page"), 1), 1)
        last = max((len(items) + size - 1) // size, 1)
        places = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        wanted = [name for name in places if (page > 1 if name in {"prev", "first"} else page < last)]
        header = ", ".join(f'<{self._at(places[name])}>; rel="{name}"' for name in wanted)
        return items[(page - 1) * size : page * size], {"Link": header} if header else {}

    def _at(self, page: int) -> str:
        return f"{self.links.api}{self.path}?{urlencode({**self.query, 'page': page})}"

    def listed(self, items: Sequence[Any], shown: Callable[[Any], Json]) -> Answer:
        page, headers = self.page(items)
        return Answer(body=[shown(item) for item in page], headers=headers)


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() else default


Handler = Callable[[Request], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A handler, and who may call it: `permissions` are alternatives, each enough."""

    method: str
    template: str
    pattern: re.Pattern[str]
    permissions: tuple[str, ...]
    level: str
    role: str
    handler: Handler

    @property
    def weight(self) -> int:
        """Fixed words count before placeholders, so that `/commits/{ref}/status` wins over `/commits/{ref}`."""
        return sum(not part.startswith("{") for part in self.template.split("/"))


ROUTES: list[Route] = []


def route(
    method: str, template: str, permissions: str = "", level: str = "read", *, role: str = ""
) -> Callable[[Handler], Handler]:
    """Declare the handler of an operation. `role` is what a person needs; it follows from the level if not said."""

    def declare(handler: Handler) -> Handler:
        names = tuple(filter(None, permissions.split("|")))
        ROUTES.append(
            Route(
                method=method,
                template=template,
                pattern=re.compile(re.sub(r"\{(\w+)\}", _placeholder, template) + "$"),
                permissions=names,
                level=level,
                role=role or ("admin" if "administration" in names else level),
                handler=handler,
            )
        )
        ROUTES.sort(key=lambda each: -each.weight)
        return handler

    return declare


def _placeholder(match: re.Match[str]) -> str:
    return f"(?P<{match[1]}>{'.+' if match[1] in _MANY_SEGMENTS else '[^/]+'})"


def find(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route of a call; 404 where GitHub (as far as the fake knows it) has none."""
    for each in ROUTES:
        if each.method == method and (match := each.pattern.match(path)):
            return each, match.groupdict()
    raise not_found()


def stamp(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")
