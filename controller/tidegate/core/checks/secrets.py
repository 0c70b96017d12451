"""Rules about secrets that stand in a file instead of a reference to them. What they look like: `credentials`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Lone, Manifest, PinFile, Settings, section
from tidegate.core.credentials import credentials, is_literal, names_a_secret
from tidegate.core.fault import Fault, Way

SECRET_INLINE = Rule(
    id="secret-inline",
    title="A secret in a file",
    why="What stands in git is read by everybody who reads the repository, now and in all of its history. Revoke the "
    "secret: removing it here does not unsay it. In `tidegate.yaml` a secret is a reference, `{env: NAME}`, "
    "`{file: path}` or `{exec: [command, …]}`. A training program takes its own from where it runs, not from its "
    "parameters, which also stand in the registry.",
    bad="# tidegate.yaml\nprometheus: {url: 'https://tidegate:correct-horse@prometheus.example.org'}",
    good="# tidegate.yaml\nprometheus:\n  url: https://prometheus.example.org\n"
    "  auth: {basic: {username: tidegate, password: {env: PROMETHEUS_PASSWORD}}}",
)

RULES = (SECRET_INLINE,)

_REFER = "revoke it, and refer to it: {env: NAME}, {file: path} or {exec: [command, …]}"
_OUTSIDE = "revoke it; the program should take it from where it runs"
_SECRET_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "api-key", "x-api-key", "x-auth-token", "private-token"}
)


def no_credential_in_the_text(subject: Manifest | PinFile | Settings | Lone) -> Iterator[Fault]:
    """Nothing in a file of ours has the form of a credential, comments included."""
    for credential in credentials(subject.document.text):
        fault = SECRET_INLINE.at((), f"this is {credential.kind}, for everybody to read", _REFER)
        yield replace(fault, offset=credential.offset)


def no_secret_header(settings: Settings) -> Iterator[Fault]:
    """A header that signs in is a reference."""
    for name, value in section(settings.data, "prometheus", "headers").items():
        if isinstance(value, str) and name.lower() in _SECRET_HEADERS and not any(credentials(value)):
            yield SECRET_INLINE.at(
                ("prometheus", "headers", name), f"the header {name} signs in, and its value stands here", _REFER
            )


def no_secret_for_the_program(manifest: Manifest) -> Iterator[Fault]:
    """Neither parameters nor options of the command carry a secret by name."""
    training = section(manifest.spec, "training")
    way: Way = ("spec", "training")
    if parameters := training.get("parameters"):
        for place in _named_secret(parameters, (*way, "parameters")):
            yield SECRET_INLINE.at(place, f"the parameter {place[-1]} holds a secret, for everybody to read", _OUTSIDE)
    for index in _secret_options([str(word) for word in training.get("command", ())]):
        yield SECRET_INLINE.at((*way, "command", index), "this option holds a secret, for everybody to read", _OUTSIDE)


def _is_secret(value: object) -> bool:
    """Whether a value under a secret's name is one, and was not found by its form already."""
    return isinstance(value, str) and is_literal(value) and not any(credentials(value))


def _named_secret(value: Any, way: Way) -> Iterator[Way]:  # noqa: ANN401 - data of a YAML file
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(key, str) and names_a_secret(key) and _is_secret(inner):
                yield (*way, key)
            yield from _named_secret(inner, (*way, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _named_secret(inner, (*way, index))


def _secret_options(words: Sequence[str]) -> Iterator[int]:
    """`--password=…`, or the word behind `--password`."""
    for index, word in enumerate(words):
        if not word.startswith("--"):
            continue
        name, given, value = word[2:].partition("=")
        following = words[index + 1] if index + 1 < len(words) else ""
        if names_a_secret(name):
            if _is_secret(value):
                yield index
            elif not given and _is_secret(following) and not following.startswith("-"):
                yield index + 1
