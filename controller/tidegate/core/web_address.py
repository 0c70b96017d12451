"""The address of a server that is asked over HTTP, and of the proxy before it. What is asked is each adapter's work."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import SplitResult, unquote, urlsplit

from tidegate.errors import WrongUse

_PROXIES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")


class WrongProxy(WrongUse):
    """A variable names a proxy that cannot be one: nobody was asked anything."""


def require_web_address(address: str, setting: str) -> None:
    """Raises WrongUse unless this is http:// or https:// and a host; `setting` is what names it.

    The message does not show it: without a scheme nobody can tell where a password in it would stand (I11).
    """
    if not _names_a_host(address):
        raise WrongUse(f"{setting} is no address of a server: it must begin with http:// or https:// and name a host")


def require_proxy(proxy: str | None, url: str, environment: Mapping[str, str]) -> str:
    """The proxy that was picked for an address, "" for none.

    Raises WrongProxy, with the name of the variable that it stands in, for what git and requests would fail at: what
    they say then shows parts of it (I11).
    """
    if proxy and not _is_plain(proxy):
        form = "http://host:port, with user:password@ before the host if it asks for them, percent-encoded (%2F for /)"
        raise WrongProxy(f"{_variable(proxy, url, environment)} is no address of a proxy; write it as {form}")
    return proxy or ""


def proxy_parts(proxy: str) -> SplitResult:
    """A proxy without a scheme is one of plain HTTP."""
    return urlsplit(proxy if "://" in proxy else f"http://{proxy}")


def _names_a_host(address: str) -> bool:
    try:
        parts = urlsplit(address)
        host = bool(parts.hostname) and parts.port != 0 and not any(map(str.isspace, address))
    except ValueError:  # brackets that do not close, or a port that is none
        return False
    return host and parts.scheme in ("http", "https")


def _is_plain(proxy: str) -> bool:
    try:
        parts = proxy_parts(proxy)
        there = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    user, at, _ = parts.netloc.rpartition("@")
    written = " " not in proxy and proxy.isprintable() and unquote(user).isprintable() and "@" not in user
    told = "://" in proxy or not at  # requests takes the user's name for a scheme
    whole = not parts.path.strip("/") + parts.query + parts.fragment
    return there and written and told and whole and parts.scheme in _PROXIES


def _variable(proxy: str, url: str, environment: Mapping[str, str]) -> str:
    """What the environment calls it: HTTPS_PROXY, https_proxy, ALL_PROXY and their like."""
    for name in (f"{urlsplit(url).scheme}_proxy", "all_proxy"):
        for each, value in environment.items():
            if (each.lower(), value) == (name, proxy):
                return each
    return "the proxy that the environment names"
