"""The proxy that git takes: the one that requests would take for the same address, as the environment names it.

Its password is in no words (I11): what is no plain address is refused before git could show parts of it, and what git
says is cleared of it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from urllib.parse import unquote

from tidegate.core.web_address import proxy_parts, require_proxy


@dataclass(frozen=True, slots=True)
class Proxy:
    """Its address, with user and password as git needs them; "" where there is none."""

    address: str = field(repr=False)

    def hidden(self, words: str) -> str:
        """The words without the password, however it is written."""
        password = (proxy_parts(self.address).password or "") if self.address else ""
        for secret in (password, unquote(password)):
            words = words.replace(secret, "…") if secret else words
        return words


def proxy_for(url: str) -> Proxy:
    """The proxy for an address: git itself reads no HTTP_PROXY. Raises WrongUse for one that cannot be an address."""
    from requests.utils import get_environ_proxies, select_proxy

    return Proxy(require_proxy(select_proxy(url, get_environ_proxies(url)), url, os.environ))
