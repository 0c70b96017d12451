"""MLflow: whether it lets us in, which version it is, and whether the bytes of a model can be read from here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from tidegate.core.diagnosis.remark import Fine, Remark, Rule, Unknown, unseen
from tidegate.core.finding import Severity

OLDEST = (3, 1)
"""Models that are logged beside a run, which we read, came with MLflow 3."""

NOT_SET = Unknown(why="no MLflow is named: set registry.uri in tidegate.yaml, or MLFLOW_TRACKING_URI")
_PROXY = "mlflow-artifacts"
_LOCAL = ("", "file")


class Refusal(Enum):
    """How MLflow turned us away."""

    HOST = "host"
    SIGN_IN = "sign-in"
    DENIED = "denied"
    NOT_MLFLOW = "not MLflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnedAway:
    """It answers, and not to us."""

    address: str
    host: str
    how: Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryFacts:
    """An MLflow that lets us in. `store` is the scheme of where artifacts go, `proxied` whether it serves them itself.

    `unreadable` says why the files of a registered model cannot be listed; None where they can.
    """

    address: str
    version: str | Unknown
    store: str | Unknown
    proxied: bool | Unknown
    unreadable: str | Unknown | None


HOST_REFUSED = Rule(
    id="mlflow-host",
    title="MLflow refuses this host name",
    why="MLflow 3 answers 403 to names that it was not told of (a guard against DNS rebinding); unless told otherwise "
    "it knows localhost and private addresses only, no name of a service.",
    fix="start it with --allowed-hosts, or set MLFLOW_SERVER_ALLOWED_HOSTS",
)
SIGN_IN = Rule(
    id="mlflow-sign-in",
    title="MLflow asks for a sign-in",
    why="Without one no model can be registered, and no bytes can be checked.",
    fix="registry.auth in tidegate.yaml, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD (or _TOKEN)",
)
DENIED = Rule(
    id="mlflow-denied",
    title="MLflow denies this account",
    why="Registering a version and setting an alias take EDIT on the model; reading takes READ.",
    fix="have MLflow's administrator give the account EDIT",
)
NOT_MLFLOW = Rule(
    id="not-mlflow",
    title="What answers is not MLflow",
    why="A proxy or another program stands at this address.",
    fix="correct registry.uri in tidegate.yaml, or MLFLOW_TRACKING_URI",
)
TOO_OLD = Rule(
    id="mlflow-version",
    title="MLflow is too old",
    why="A model that a run logs lies beside the run since MLflow 3, and is found by a search that older servers do "
    "not have.",
    fix="run MLflow 3.1 or newer",
)
PROXY_OFF = Rule(
    id="mlflow-artifact-proxy",
    severity=Severity.WARNING,
    title="MLflow does not serve artifacts",
    why="Everybody who logs or reads a model then reaches the store by themselves: each runner needs its address, its "
    "client library and its credentials.",
    fix="start it with --serve-artifacts and --artifacts-destination; for what is registered already, keep the store "
    "readable from here",
)
LOCAL_STORE = Rule(
    id="mlflow-local-store",
    title="Artifacts go to a folder of whoever logs them",
    why="The store is a path of a file system, and each machine has its own: what a training logs on one is not there "
    "on another.",
    fix="start MLflow with --serve-artifacts and --artifacts-destination, and new experiments go through it",
)
UNREADABLE = Rule(
    id="artifacts-unreadable",
    title="The files of a registered model cannot be read from here",
    why="Bytes are hashed at registration and before each entry. What cannot be read cannot be promoted.",
    fix="give this machine the store's client library and credentials, or have MLflow serve artifacts",
)

RULES = (HOST_REFUSED, SIGN_IN, DENIED, NOT_MLFLOW, TOO_OLD, PROXY_OFF, LOCAL_STORE, UNREADABLE)


def examine(facts: RegistryFacts | TurnedAway | Unknown) -> Iterator[Remark]:
    match facts:
        case Unknown():
            yield unseen("the registry", facts)
        case TurnedAway():
            yield _turned_away(facts)
        case RegistryFacts():
            yield from _version(facts)
            yield from _store(facts)
            yield from _files(facts)
            yield unseen("whether models can be registered", Unknown(why="doctor writes nothing"))


def _turned_away(refused: TurnedAway) -> Remark:
    match refused.how:
        case Refusal.HOST:
            fix = (
                f"start it with --allowed-hosts including {refused.host}, or name it so in MLFLOW_SERVER_ALLOWED_HOSTS"
            )
            return HOST_REFUSED.broken(f"MLflow at {refused.address} refuses the host name {refused.host}", fix)
        case Refusal.SIGN_IN:
            return SIGN_IN.broken(f"MLflow at {refused.address} asks for a sign-in, or does not take ours")
        case Refusal.DENIED:
            return DENIED.broken(f"MLflow at {refused.address} denies this account")
        case Refusal.NOT_MLFLOW:
            return NOT_MLFLOW.broken(f"what answers at {refused.address} does not speak as MLflow does")


def _version(facts: RegistryFacts) -> Iterator[Remark]:
    if isinstance(facts.version, Unknown):
        yield unseen("MLflow's version", facts.version)
        return
    numbers = _numbers(facts.version)
    if numbers and numbers < OLDEST:
        yield TOO_OLD.broken(f"MLflow at {facts.address} is {facts.version}")
    else:
        yield Fine(what=f"MLflow {facts.version} at {facts.address} answers")


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split(".")[:2]
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else ()


def _store(facts: RegistryFacts) -> Iterator[Remark]:
    if isinstance(facts.store, Unknown):
        yield unseen("where MLflow keeps artifacts", facts.store)
    elif facts.store in _LOCAL:
        yield LOCAL_STORE.broken(f"MLflow at {facts.address} sends artifacts to a folder")
    elif facts.store != _PROXY:
        yield PROXY_OFF.broken(f"MLflow at {facts.address} sends artifacts to {facts.store}: directly")
    if facts.store == _PROXY:
        yield from _proxy(facts)


def _proxy(facts: RegistryFacts) -> Iterator[Remark]:
    """Artifacts are said to go through MLflow: does it let them through?"""
    if isinstance(facts.proxied, Unknown):
        yield unseen("whether MLflow serves artifacts", facts.proxied)
    elif not facts.proxied:
        yield PROXY_OFF.broken(f"artifacts are said to be at MLflow itself, and {facts.address} does not serve them")
    else:
        yield Fine(what="MLflow serves artifacts")


def _files(facts: RegistryFacts) -> Iterator[Remark]:
    if isinstance(facts.unreadable, Unknown):
        yield unseen("whether the files of a model can be read", facts.unreadable)
    elif facts.unreadable is not None:
        yield UNREADABLE.broken(facts.unreadable)
    else:
        yield Fine(what="the files of a registered model can be read")
