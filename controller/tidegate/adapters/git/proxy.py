"""The proxy that git takes: the one that requests would take for the same address, as the environment names it.

Its password is in no words (I11): what is no plain address is refused before git could show parts of it, and what git
says is cleared of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from tidegate.errors import WrongUse

_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")


@dataclass(frozen=True, slots=True)
class Proxy:
    """Its address, with user and password as git needs them; "" where there is none."""

    address: str = field(repr=False)

    def hidden(self, words: str) -> str:
        """The words without the password, however it is written."""
        password = (_parsed(self.address).password or "") if self.address else ""
        for secret in (password, unquote(password)):
            words = words.replace(secret, "…") if secret else words
        return words


def proxy_for(url: str) -> Proxy:
    """The proxy for an address: git itself reads no HTTP_PROXY. Raises WrongUse for one that cannot be an address."""
    from requests.utils import get_environ_proxies, select_proxy

    address = select_proxy(url, get_environ_proxies(url)) or ""
    if address and not _is_plain(address):
        form = "http://user:password@host:port, what is special in the password percent-encoded (%2F for /)"
        raise WrongUse(f"the proxy that the environment names is no address; write HTTPS_PROXY as {form}")
    return Proxy(address)


def _is_plain(address: str) -> bool:
    try:
        parts = _parsed(address)
        there = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    user = parts.netloc.rpartition("@")[0]
    written = " " not in address and address.isprintable() and unquote(user).isprintable() and "@" not in user
    return there and written and parts.scheme in _SCHEMES and not parts.path.strip("/") + parts.query + parts.fragment


def _parsed(address: str) -> SplitResult:
    return urlsplit(address if "://" in address else f"http://{address}")
