"""The address of a server that is asked over HTTP. What is asked there is each adapter's work."""

from __future__ import annotations

from urllib.parse import urlsplit

from tidegate.errors import WrongUse


def require_web_address(address: str, setting: str) -> None:
    """Raises WrongUse unless this is http:// or https:// and a host; `setting` is what names it.

    The message does not show it: without a scheme nobody can tell where a password in it would stand (I11).
    """
    if not _names_a_host(address):
        raise WrongUse(f"{setting} is no address of a server: it must begin with http:// or https:// and name a host")


def _names_a_host(address: str) -> bool:
    try:
        parts = urlsplit(address)
        host = bool(parts.hostname) and parts.port != 0 and not any(map(str.isspace, address))
    except ValueError:  # brackets that do not close, or a port that is none
        return False
    return host and parts.scheme in ("http", "https")
