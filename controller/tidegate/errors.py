"""Failures a person can meet, grouped by who must act; each kind has one exit code.

A message says what is wrong, where, and the next step. It never holds a credential: addresses go through
`without_credentials`. Whatever is not one of these is a bug (exit code 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from tidegate.core.finding import Finding

FINE, FINDINGS, WRONG_USE, OUTSIDE, BUG, INTERRUPTED = 0, 1, 2, 3, 4, 130


NAME_THE_CA = "name a file with your CA's certificate in REQUESTS_CA_BUNDLE"


class TidegateError(Exception):
    """A failure that a person can meet."""

    exit_code = BUG


class InvalidManifest(TidegateError):
    """The author of a file must act: it cannot be read as what it should be."""

    exit_code = FINDINGS

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class EditRefused(TidegateError):
    """An edit could not be made without touching something else; nothing was written."""

    exit_code = FINDINGS


class Refused(TidegateError):
    """A rule says no: a gate, a guard, a missing approval, a failed training command."""

    exit_code = FINDINGS


class WrongUse(TidegateError):
    """The person at the keyboard must act: wrong flags, no workspace, no such model."""

    exit_code = WRONG_USE


class OutsideSystem(TidegateError):
    """A named system does not answer; trying again later may help."""

    exit_code = OUTSIDE


class Raced(TidegateError):
    """Somebody else moved the reference first; read again and decide again."""

    exit_code = OUTSIDE


class MergeConflict(TidegateError):
    """The change does not merge with what main holds now."""

    exit_code = FINDINGS


def without_credentials(address: str) -> str:
    """The address as it may be printed: no user, no password, no query, no fragment (I11)."""
    if "://" not in address:
        return address.rpartition("@")[2].partition("?")[0]
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def cause(error: BaseException) -> str:
    """Why a request got no answer: the system's own short words, out of layers that name addresses with their queries.

    Who must name a CA or mend a proxy is told so. No password is in any of these words (I11).
    """
    words, by_proxy = type(error).__name__, False
    link: BaseException | None = error
    while link is not None:
        if untrusted := getattr(link, "verify_message", ""):  # ssl.SSLCertVerificationError
            return f"its certificate is not trusted: {untrusted}; {NAME_THE_CA}"
        by_proxy = by_proxy or type(link).__name__ == "ProxyError"
        words = _own_words(link) or words
        link = link.__cause__ or link.__context__
    return f"the proxy does not let it through: {words}; correct HTTPS_PROXY, or NO_PROXY" if by_proxy else words


def _own_words(link: BaseException) -> str:
    if not isinstance(link, OSError):
        return ""
    if link.strerror:
        return link.strerror
    plain = type(link) is OSError  # of the standard library (a tunnel's status), or requests (no such bundle)
    return f"{link}" + (f"; {NAME_THE_CA}" if "CA certificate bundle" in str(link) else "") if plain else ""
