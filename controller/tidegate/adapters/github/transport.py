"""One HTTP request to GitHub, by PyGithub's Requester: proxies and REQUESTS_CA_BUNDLE as requests has them.

Its defaults are overridden where they hurt: it would wait a second between writes, sleep for hours on a limit, and
repeat a POST or PUT that did its work before it failed. Not here: who asks, and what a status means (`session`).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import requests
from requests.utils import get_environ_proxies, select_proxy
from urllib3.util import Retry

from tidegate.adapters.github.access import Json
from tidegate.core.web_address import require_proxy
from tidegate.errors import OutsideSystem, WrongUse, cause

if TYPE_CHECKING:
    from types import TracebackType

    from github.Requester import Requester
    from urllib3.connectionpool import ConnectionPool
    from urllib3.response import BaseHTTPResponse

TIMEOUT_SECONDS = 10
_ACCEPTED = 202
_REDIRECTS = (301, 302, 303, 307, 308)
_ALWAYS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str


class Transport:
    """The connection with one GitHub, made when the first request goes out."""

    def __init__(self, api: str) -> None:
        self._api = api

    @cached_property
    def _requester(self) -> Requester:
        from github.Requester import Requester

        require_proxy(select_proxy(self._api, get_environ_proxies(self._api)), self._api, os.environ)
        # At level DEBUG it would log our headers, and the answers that hold tokens (I11).
        silent = logging.getLogger("tidegate.github")
        silent.setLevel(logging.CRITICAL)
        Requester.injectLogger(silent)
        return Requester(
            auth=None,
            base_url=self._api,
            timeout=TIMEOUT_SECONDS,
            user_agent="tidegate",
            per_page=100,
            verify=True,
            retry=_tries(),
            pool_size=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
        )

    def ask(self, verb: str, path: str, headers: Mapping[str, str], body: Json | None) -> Reply:
        """One answer, whatever its status; `/graphql` is the one address outside the REST API.

        Raises OutsideSystem without an answer, WrongUse where what is asked for has moved, or the proxy is no address.
        """
        url = self._requester.graphql_url if path == "/graphql" else path
        try:
            status, found, text = self._requester.requestJson(verb, url, headers={**_ALWAYS, **headers}, input=body)
        except OSError as error:  # all of requests' own, and a CA bundle that is not there
            where = f"{verb} {path.partition('?')[0]}"
            raise OutsideSystem(f"GitHub at {self._api} does not answer {where} ({_why(error)})") from None
        except _Moved as moved:
            where, step = f"{path.partition('?')[0]} has moved to {moved}", "was the repository renamed or transferred?"
            raise WrongUse(f"GitHub at {self._api}: {where}; {step} Correct origin, or GITHUB_API_URL") from None
        except _NotDone:
            where = f"{verb} {path.partition('?')[0]}"
            raise OutsideSystem(f"GitHub at {self._api} is not done with {where} yet (202); try again later") from None
        except (RuntimeError, AssertionError) as error:  # PyGithub's word for an answer it cannot take
            raise OutsideSystem(f"GitHub at {self._api}: {error}; correct GITHUB_API_URL") from None
        return Reply(status=status, headers=found, text=text)


class _Moved(Exception):
    """An answer that leads elsewhere, with the address."""


class _NotDone(Exception):
    """A read that GitHub answered with 202: what is asked for is not worked out yet."""


class _Tries(Retry):
    """PyGithub would follow a 301 and forget the query on the way: another list would come back. At a 202 it would
    sleep, and ask again for as long as that is the answer."""

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        ours = status_code in _REDIRECTS or (status_code == _ACCEPTED and method == "GET")
        return ours or super().is_retry(method, status_code, has_retry_after)

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        if response is not None and response.status in _REDIRECTS:
            response.drain_conn()
            raise _Moved(response.headers.get("location", "another place").partition("?")[0])
        if response is not None and response.status == _ACCEPTED:
            response.drain_conn()
            raise _NotDone
        return super().increment(method, url, response, error, _pool, _stacktrace)


def _tries() -> Retry:
    """Connections that failed are tried again at once, and reads; a write may have done its work before it failed."""
    return _Tries(
        total=2,
        redirect=0,
        other=0,
        allowed_methods=frozenset({"GET"}),
        status_forcelist=(500, 502, 503, 504),
        backoff_factor=0.1,
        respect_retry_after_header=False,
        raise_on_status=False,
    )


def _why(error: OSError) -> str:
    # After the last of several tries, a time-out comes wrapped as a ConnectionError.
    late = isinstance(error, requests.Timeout) or "timed out" in str(error)
    return "no answer in time" if late else cause(error)
