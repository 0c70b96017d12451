"""One comment of ours on a pull request, found by its first line: made, edited in place, its doubles removed.

Whatever else is said to GitHub is the forge adapter's. REST, https://docs.github.com/rest/issues/comments
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import requests
from requests.utils import get_environ_proxies, select_proxy

from tidegate.core.web_address import require_proxy
from tidegate.errors import OutsideSystem, Refused, cause

_SECONDS = 10
_PAGES = 20
_VERSION = "2022-11-28"


class Comments:
    """Comments of one repository, as its API at `api` shows them to the owner of the token."""

    def __init__(self, *, api: str, repository: str, token: str) -> None:
        self._api = api.rstrip("/")
        self._repository = f"{self._api}/repos/{repository}"
        self._session = requests.Session()
        self._session.auth = lambda request: request  # or a person's ~/.netrc would stand instead of the token
        self._session.headers.update(
            {
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {token}",
                "X-GitHub-Api-Version": _VERSION,
            }
        )

    def keep(self, number: int, marker: str, body: str, *, new: bool) -> str | None:
        """Bring the comment that starts with the marker up to date; without one, make it where `new`.

        Returns its address, None without a comment. Raises Refused where the token may not, WrongUse for a proxy that
        is no address, else OutsideSystem.
        """
        require_proxy(select_proxy(self._api, get_environ_proxies(self._api)), self._api, os.environ)
        found = [one for one in self._all(number) if self._starts(one, marker)]
        ours = [one for one in found if self._is_ours(one)]
        if not ours:
            return self._address(self._ask("POST", self._issue(number), {"body": body})) if new else None
        first, *doubles = ours
        for double in doubles:
            self._ask("DELETE", f"{self._repository}/issues/comments/{double['id']}")
        if first["body"] != body:
            self._ask("PATCH", f"{self._repository}/issues/comments/{first['id']}", {"body": body})
        return self._address(first)

    def _all(self, number: int) -> Iterator[Mapping[str, Any]]:
        page: str | None = f"{self._issue(number)}?per_page=100"
        for _ in range(_PAGES):
            if page is None:
                return
            answer = self._send("GET", page)
            yield from _data(answer)
            page = answer.links.get("next", {}).get("url")

    def _starts(self, comment: Mapping[str, Any], marker: str) -> bool:
        return str(comment["body"] or "").startswith(marker)

    def _is_ours(self, comment: Mapping[str, Any]) -> bool:
        """Anybody can write the marker. Installations cannot ask who they are; what they write, a bot wrote."""
        author = comment["user"] or {}
        me = self._me()
        return author.get("type") == "Bot" if me is None else author.get("login") == me

    def _me(self) -> str | None:
        """The login of a person's token, None for an installation's."""
        try:
            return str(self._ask("GET", f"{self._api}/user")["login"])
        except Refused:
            return None

    def _issue(self, number: int) -> str:
        return f"{self._repository}/issues/{number}/comments"

    def _ask(self, method: str, address: str, data: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        answer = self._send(method, address, data)
        told: Mapping[str, Any] = _data(answer) if answer.content else {}
        return told

    def _send(self, method: str, address: str, data: Mapping[str, str] | None = None) -> requests.Response:
        what = f"{method} {address.partition('?')[0]}"
        try:
            answer = self._session.request(method, address, json=data, timeout=_SECONDS)
        except OSError as error:  # all of requests' own, and a CA bundle that is not there
            raise OutsideSystem(f"{what} got no answer ({cause(error)})") from None
        if answer.status_code in (401, 403, 404) and "rate limit" not in answer.text:
            raise Refused(f"{what} was refused ({answer.status_code}); give the job `pull-requests: write`")
        if not answer.ok:
            raise OutsideSystem(f"{what} failed ({answer.status_code})")
        return answer

    @staticmethod
    def _address(comment: Mapping[str, Any]) -> str:
        return str(comment["html_url"])


def _data(answer: requests.Response) -> Any:  # noqa: ANN401 - what JSON holds
    try:
        return answer.json()
    except requests.JSONDecodeError:
        raise OutsideSystem(f"{answer.url.partition('?')[0]} answered with what is no JSON") from None
