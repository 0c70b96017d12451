"""What passwords and tokens look like in a text: found by form, and blanked out before the text is shown (I11).

Only forms that nothing else has. Guessing by randomness would call digests and keys secrets, of which our files are
full.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from re import Pattern


@dataclass(frozen=True, slots=True)
class Credential:
    """What it is, and where it begins in the text. Its value is nowhere but there."""

    kind: str
    offset: int


# Each form with where it is described; a group is the secret where the form is more than that. Repetitions are bounded,
# or begin where no other may: a text of a million characters is read in one go.
_FORMS: tuple[tuple[str, Pattern[str]], ...] = tuple(
    (kind, re.compile(form))
    for kind, form in (
        # RFC 3986, 3.2.1: userinfo. What begins with `$`, `<`, `{` or `*` is filled in elsewhere; a digest behind the @
        # makes it the tag of an image.
        ("a password in an address", r"://[^\s/@:]*:(?![$<{*])([^\s/@]+)@(?!sha\d+:)"),
        # github.blog/2021-04-05-behind-githubs-new-authentication-token-formats, and its fine-grained successor.
        ("a token of GitHub", r"\bgh[pousr]_[A-Za-z0-9]{36,251}|\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
        # docs.gitlab.com/security/tokens, "Token prefixes".
        ("a token of GitLab", r"\bgl(?:pat|oas|dt|rt|cbt|ptt|ft|imt|agent|soat|ffct)-[A-Za-z0-9_-]{20,300}"),
        # docs.slack.dev/authentication/tokens.
        ("a token of Slack", r"\b(?:xox[abeprs]|xapp)-[A-Za-z0-9-]{20,300}"),
        # docs.aws.amazon.com/IAM, "Unique identifiers": long-term and temporary access keys. AWS's own examples end so.
        ("an access key of AWS", r"\b(?:AKIA|ASIA)(?![A-Z2-7]{9}EXAMPLE)[A-Z2-7]{16}\b"),
        # The rest by the public rules of gitleaks (github.com/gitleaks/gitleaks), which its makers try on real leaks.
        ("an API key of Google", r"\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
        ("a token of Hugging Face", r"\bhf_[A-Za-z]{34}\b"),
        ("a token of Databricks", r"\bdapi[0-9a-f]{32}\b"),
        ("a token of Grafana", r"\bglsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}\b|\bglc_[A-Za-z0-9+/]{32,400}"),
        ("an API key of OpenAI", r"(?<![A-Za-z0-9_-])sk-[A-Za-z0-9_-]{20,74}T3BlbkFJ[A-Za-z0-9_-]{20,74}"),
        ("an API key of Anthropic", r"\bsk-ant-[a-z]+\d\d-[A-Za-z0-9_-]{80,120}"),
        # RFC 7519: header and claims are JSON objects in base64, and `{"` is `eyJ`.
        ("a JSON web token", r"(?<![\w-])eyJ[\w-]{10,4000}\.eyJ[\w-]{10,4000}\.[\w-]{10,}"),
        # RFC 7468, 10 and 11; OpenSSH's and PGP's armour.
        ("a private key", r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
        # RFC 6750, 2.1 and RFC 7617, 2, in one text as curl takes it.
        (
            "a token in a header",
            r"(?<=['\"])(?i:authorization:[ \t]*(?:bearer|basic|token)[ \t])(?![$<{*])([^\s'\"]{8,})",
        ),
    )
)
# What no text without one of the forms needs more than microseconds to be cleared of: each begins with a letter, or a
# few, that are rare or looked for by the processor itself.
_TRACES = tuple(
    re.compile(trace).search
    for trace in (
        r"://[^\s/@]*@",
        r"_[A-Za-z0-9]{20}",
        r"-[A-Za-z0-9_-]{20}",
        r"A(?:KIA|SIA|Iza)",
        r"dapi[0-9a-f]",
        r"eyJ",
        r"-----BEGIN ",
        r"uthorization",
    )
)
# Names by which people keep secrets. `token` alone is no secret where text is the data.
_NAME = (
    r"(?:password|passwd|passphrase|api[-_]?key|secret[-_]?key|client[-_]?secret|secret[-_]access[-_]key"
    r"|(?:access|auth|api|vault)[-_]?token)"
)
_SECRET_NAME = re.compile(rf"(?:.*_)?{_NAME}", re.IGNORECASE)
# A name of a variable, a path, an address, or a text that is filled in: a reference, however it is meant.
_REFERENCE = re.compile(r"[A-Z][A-Z0-9_]*|.*[\s${}<>/*].*|", re.DOTALL)
_ASSIGNED = re.compile(
    rf"((?:\b|_)(?:{_NAME}|authorization|token|secret|cookie|bearer)[\w-]*['\"]?\s*[:=]\s*['\"]?)"
    r"((?:(?:bearer|basic|token)\s+)?[^\s'\"]+)",
    re.IGNORECASE,
)


def credentials(text: str) -> Iterator[Credential]:
    """Every credential in the text, in no order."""
    if any(trace(text) for trace in _TRACES):
        for kind, form in _FORMS:
            for found in form.finditer(text):
                yield Credential(kind, found.start(found.re.groups))


@lru_cache(maxsize=4096)
def names_a_secret(name: str) -> bool:
    """Whether what stands under this name is meant to be secret."""
    return _SECRET_NAME.fullmatch(name.replace("-", "_")) is not None


def is_literal(value: str) -> bool:
    """Whether a value under such a name is the secret itself, and not where to find it."""
    return not _REFERENCE.fullmatch(value)


def blanked(text: str) -> str:
    """The text with `*` for every character of a credential."""
    for _, form in _FORMS:
        text = form.sub(_blank, text)
    return text


def blanked_source(text: str) -> str:
    """A file's text as it may be shown: also without what follows a secret's name, whatever that is."""
    return _ASSIGNED.sub(_blank, blanked(text))


def _blank(found: re.Match[str]) -> str:
    """The match with its last group blanked out; without groups all of it."""
    start, end = (place - found.start() for place in found.span(found.re.groups))
    return found[0][:start] + "*" * (end - start) + found[0][end:]
