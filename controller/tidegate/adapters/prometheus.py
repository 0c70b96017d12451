"""Prometheus over its HTTP API, as `ports.Metrics`. prometheus-api-client holds address, sign-in, TLS and session.

The answers are parsed here: the client drops `warnings`, by which Prometheus says that data is partial, and loses its
words on an error. Which series to ask for is `core.judging.queries`' work.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import requests
from prometheus_api_client import PrometheusConnect
from requests.utils import get_environ_proxies, select_proxy
from urllib3.util.retry import Retry

from tidegate.core.diagnosis.metrics import PrometheusFacts, Rejected
from tidegate.core.diagnosis.remark import Unknown
from tidegate.core.judging.reading import Sampled, Series, Unread, Why
from tidegate.core.web_address import require_proxy, require_web_address
from tidegate.errors import cause, without_credentials
from tidegate.ports import Clock

Told = TypeVar("Told")

_PART = re.compile(r"(\d+)(ms|[smhdwy])")
_LENGTH = re.compile(rf"(?:{_PART.pattern})+")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_MOVED = range(300, 400)
_DENIED = (401, 403)
_SECTION = "prometheus in tidegate.yaml"
SETTING = "prometheus.url in tidegate.yaml"
"""Where its address stands, unless the environment names it."""
_TIMEOUT_KEY = "prometheus.timeout in tidegate.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to sign in, secrets resolved. A bearer token or tenant is a header.

    `certificate` is the client's (a file, or file and key); `authority` a CA bundle, False to trust anyone.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    basic: tuple[str, str] | None = field(default=None, repr=False)
    certificate: str | tuple[str, str] | None = None
    authority: str | bool = True


ANYONE = Access()


class Prometheus:
    """One server. Each question is asked once: the next pass asks again, and a verdict must not wait for back-offs."""

    def __init__(
        self, url: str, access: Access = ANYONE, timeout: timedelta = timedelta(seconds=10), setting: str = SETTING
    ) -> None:
        """`setting` is where the address stands. Raises WrongUse for what is none, and for a proxy that is none."""
        require_web_address(url, setting)
        require_proxy(select_proxy(url, get_environ_proxies(url)), url, os.environ)
        self._setting = setting
        self.address = without_credentials(url).rstrip("/")
        self._timeout = timeout.total_seconds()
        self._session = requests.Session()
        self._session.verify, self._session.cert = access.authority, access.certificate
        self._connection = PrometheusConnect(
            url=self.address,
            headers=dict(access.headers),
            auth=access.basic or _user_in(url),
            session=self._session,
            retry=Retry(total=0),
        )

    def __repr__(self) -> str:
        return f"Prometheus({self.address!r})"

    @property
    def _who(self) -> str:
        return f"Prometheus at {self.address}"

    def close(self) -> None:
        self._session.close()

    def now(self) -> datetime | Unread:
        """The server's own time."""
        data = self._ask({"query": "time()"})
        if isinstance(data, Unread):
            return data
        try:
            return datetime.fromtimestamp(float(data["result"][1]), UTC)
        except (LookupError, TypeError, ValueError):
            return self._not_the_api()

    def samples(self, selector: str, start: datetime, end: datetime) -> Sampled | Unread:
        """Raw samples in (start, end], by an instant query of a range vector: `query_range` would resample them.

        Prometheus 2 includes a sample exactly at the start and 3 does not; here it is never included.
        """
        span = math.ceil((end - start) / timedelta(milliseconds=1))
        data = self._ask({"query": f"{selector}[{span}ms]", "time": f"{end.timestamp():.3f}"})
        if isinstance(data, Unread):
            return data
        try:
            series = tuple(_series(data, start.timestamp(), end.timestamp()))
        except (LookupError, TypeError, ValueError, AttributeError):
            return self._not_the_api()
        return Sampled(series=series, start=start, end=end, native=any("histograms" in each for each in data["result"]))

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Sampled | Unread:
        """`query_range`: at most 11,000 instants are answered at once. A scalar is a series without labels."""
        times = {
            "start": f"{start.timestamp():.3f}",
            "end": f"{end.timestamp():.3f}",
            "step": f"{step.total_seconds():g}",
        }
        data = self._ask({"query": expression, **times}, "query_range")
        if isinstance(data, Unread):
            return data
        try:
            series = tuple(_series(data, start.timestamp() - 1, end.timestamp()))
        except (LookupError, TypeError, ValueError, AttributeError):
            return self._not_the_api()
        return Sampled(series=series, start=start, end=end)

    def survey(self, clock: Clock) -> PrometheusFacts | Rejected | Unknown:
        """`ports.Surveyor`. Its clock is compared with ours at the middle of the question."""
        began = clock.now()
        there = self.now()
        if isinstance(there, Unread):
            silent = there.why is Why.UNREACHABLE
            return Unknown(why=there.words, silent=True) if silent else Rejected(words=there.words)
        return PrometheusFacts(
            address=self.address,
            version=self._told("buildinfo", "version", str),
            ahead=there - (began + (clock.now() - began) / 2),
            retention=self._told("runtimeinfo", "storageRetention", _retention),
            most_samples=self._told("flags", "query.max-samples", int),
        )

    def _told(self, page: str, key: str, parse: Callable[[str], Told]) -> Told | Unknown:
        """What Prometheus says of itself; many that speak its API (Thanos, Mimir) say less."""
        data = self._request("GET", f"status/{page}", {})
        if isinstance(data, Unread):
            return Unknown(why=data.words, silent=data.why is Why.UNREACHABLE)
        try:
            return parse(str(data[key]))
        except (LookupError, ValueError):
            return Unknown(why=f"{self._who} does not tell {key}")

    def _ask(self, form: Mapping[str, str], page: str = "query") -> Mapping[str, Any] | Unread:
        """The `data` of an answer that is whole and a success; everything else is Unread."""
        return self._request("POST", page, form)

    def _request(self, method: str, path: str, form: Mapping[str, str]) -> Mapping[str, Any] | Unread:
        try:
            response = self._session.request(
                method,
                f"{self.address}/api/v1/{path}",
                data=form,
                headers=self._connection.headers,
                auth=self._connection.auth or _as_it_is,
                timeout=self._timeout,
                verify=self._session.verify,  # said for each request, or REQUESTS_CA_BUNDLE would go before ours
                # Elsewhere, a sign-in page would answer 200 and our headers would have gone there.
                allow_redirects=False,
            )
        except requests.Timeout:
            words = f"{self._who} did not answer within {self._timeout:g} s; look at its load, or raise {_TIMEOUT_KEY}"
            return Unread(why=Why.UNREACHABLE, words=words)
        except OSError as error:  # all of requests' own, and a CA bundle that is not there
            words = f"{self._who} does not answer ({cause(error)}); start it, or correct {self._setting}"
            return Unread(why=Why.UNREACHABLE, words=words)
        return self._data(response, form)

    def _data(self, response: requests.Response, form: Mapping[str, str]) -> Mapping[str, Any] | Unread:
        try:
            answer = response.json()
        except requests.JSONDecodeError:
            answer = None
        if not isinstance(answer, dict) or "status" not in answer:
            return self._no_answer(response)
        if answer["status"] != "success":
            said = f"{answer.get('errorType', 'error')}: {answer.get('error', response.reason)}"
            asked = f"; it was asked {form['query']}" if "query" in form else ""
            return Unread(why=Why.ERROR, words=f"{self._who} says {said}{asked}")
        if warnings := answer.get("warnings"):
            return Unread(why=Why.PARTIAL, words=f"{self._who} warns: {'; '.join(map(str, warnings))}")
        data: object = answer.get("data")
        return data if isinstance(data, dict) else self._not_the_api()

    def _no_answer(self, response: requests.Response) -> Unread:
        """An answer that is not the API's: a proxy's, a sign-in page, or a server that is starting."""
        status = f"{response.status_code} {response.reason}"
        if response.status_code in _DENIED:
            return Unread(why=Why.ERROR, words=f"{self._who} answers {status}: check auth and headers of {_SECTION}")
        if response.status_code in _MOVED:
            there = without_credentials(response.headers.get("Location", ""))
            return Unread(why=Why.ERROR, words=f"{self._who} answers {status}: name {there} as {self._setting}")
        if response.status_code >= 500:
            words = f"{self._who} answers {status}; look at its log, or correct {self._setting}"
            return Unread(why=Why.UNREACHABLE, words=words)
        return self._not_the_api(f"{status}, {response.headers.get('Content-Type', 'no content type')}")

    def _not_the_api(self, seen: str = "unexpected JSON") -> Unread:
        words = f"{self._who} does not answer as Prometheus does ({seen}): is the address right? It is {self._setting}"
        return Unread(why=Why.ERROR, words=words)


def _series(data: Mapping[str, Any], start: float, end: float) -> Iterator[Series]:
    for found in data["result"]:
        samples = ((float(at), float(value)) for at, value in found.get("values", ()))
        # The server rounds times to milliseconds; what adjoining windows would both see belongs to one of them.
        if inside := tuple(sample for sample in samples if start < sample[0] <= end):
            yield Series(labels=dict(found["metric"]), samples=inside)


def _retention(words: str) -> timedelta | None:
    """`15d`, `1y or 10GiB`, `10GiB`: the time; None where only the size is limited."""
    first = words.partition(" or ")[0]
    if _LENGTH.fullmatch(first):
        return timedelta(seconds=sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(first)))
    if first.endswith("B"):
        return None
    raise ValueError(words)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No sign-in but our headers. Without any word of it, requests would put a person's ~/.netrc in their place."""
    return request


def _user_in(url: str) -> tuple[str, str] | None:
    parts = urlsplit(url)
    return (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
