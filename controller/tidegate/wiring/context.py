"""From settings to adapters: the only place that names them all. Each is made when first used, and those that load
heavy libraries when first asked: a settled model asks neither MLflow nor Prometheus, so its `status` loads neither."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urlsplit

from tidegate import bundled
from tidegate.adapters.targets.file import FileTarget
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.web_address import require_web_address
from tidegate.core.workspace import Server
from tidegate.errors import OutsideSystem, TidegateError, WrongUse, without_credentials
from tidegate.ports import Clock, Forge, Launcher, Metrics, Registry, Repository, Runs, Target
from tidegate.settings import PROMETHEUS_URL, REGISTRY_URI, Settings
from tidegate.steps.desired import Desired, DesiredReader
from tidegate.wiring import github

if TYPE_CHECKING:
    from tidegate.adapters.git import GitRepository
    from tidegate.adapters.git.remote import RemoteRepository
    from tidegate.adapters.github import Session
    from tidegate.adapters.mlflow import MlflowServer
    from tidegate.adapters.prometheus import Access
    from tidegate.reconcile import Ports
    from tidegate.steps.desk import Desk
    from tidegate.steps.observe import Sources
    from tidegate.train import TrainingPorts

_MLFLOW_VARIABLES = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
Reveals = dict[str, Callable[[], str]]
"""Secrets by MLflow's own variable names, each shown only when asked for."""


class SystemClock:
    """The machine's own clock, in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the clock that everybody else is handed


class _OnceAsked:
    """Stands in for an adapter until one of its methods is asked for."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make
        self._made: object | None = None

    def __getattr__(self, name: str) -> object:
        if self._made is None:
            self._made = self._make()
        return getattr(self._made, name)


class NoMetrics:
    """Stands in for a Prometheus that nobody can ask: each reading says why (I3)."""

    def __init__(self, why: str) -> None:
        self._unread = Unread(why=Why.ERROR, words=why)

    def now(self) -> Unread:
        return self._unread

    def samples(self, selector: str, start: datetime, end: datetime) -> Unread:  # noqa: ARG002 - the port's signature
        return self._unread

    def answers(self, expression: str, start: datetime, end: datetime, step: timedelta) -> Unread:  # noqa: ARG002
        return self._unread


class Context:
    """Everything that a command may need, made on first use and kept for the command's life."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock: Clock = SystemClock()
        self.targets: Mapping[str, Target] = {"file": FileTarget()}
        self.registry = cast(Registry, _OnceAsked(self._registry))
        self.runs = cast(Runs, _OnceAsked(self._runs))
        self.metrics = cast(Metrics, _OnceAsked(self._metrics))

    @cached_property
    def _origin(self) -> Path | str | None:
        from tidegate.adapters.git import origin_of

        try:
            return origin_of(self.settings.folder)
        except WrongUse:
            if self.settings.github.repository is None or not github.has_credential():
                raise
            return None  # no clone here, and the environment says which repository on GitHub is meant

    @cached_property
    def _local(self) -> GitRepository:
        from tidegate.adapters.git import GitRepository

        if not isinstance(self._origin, Path):
            server = self.settings.github.server
            step = f"name a bare repository with -C, or set GITHUB_SERVER_URL (it is {server})"
            raise WrongUse(f"origin is {self._origin}, which is neither a folder nor on our GitHub; {step}")
        return GitRepository(self._origin, identity=self.settings.identity)

    @cached_property
    def github(self) -> Session | None:
        """The session with GitHub, where the repository is on it."""
        full_name = github.repository_at(self._origin, self.settings.github)
        return github.session(self.settings, full_name) if full_name else None

    @cached_property
    def _remote(self) -> RemoteRepository | None:
        return github.repository(self.settings, self.github) if self.github else None

    @property
    def repository(self) -> Repository:
        return self._remote or self._local

    @cached_property
    def forge(self) -> Forge:
        if self.github is not None and self._remote is not None:
            return github.forge(self.github, self._remote)
        from tidegate.adapters.local_forge import LocalForge

        return LocalForge(self._local.plumbing)

    @cached_property
    def reader(self) -> DesiredReader:
        return DesiredReader(self.repository, bundled.schemas())

    def desired(self) -> Desired:
        """What main wants now. Raises OutsideSystem for a repository without a main."""
        main = self.repository.head()
        if main is None:
            raise OutsideSystem(f"the repository of {self.settings.folder} has no main branch yet; push a first commit")
        return self.reader.read(main)

    def desired_at(self, reference: str) -> Desired:
        """What a commit or branch of the origin wants. Raises WrongUse where there is none."""
        return self.reader.read(self.repository.commit_info(self._brought(reference)).sha)

    def _brought(self, reference: str) -> str:
        """A branch or commit of a server is fetched before it can be read."""
        if self._remote is None:
            return reference
        self._remote.have([reference])
        return self._remote.head(reference) or reference

    def sources(self, desired: Desired) -> Sources:
        """What a decision is made from, every proposal and launch record read once."""
        from tidegate.steps.approvals import proposals_of
        from tidegate.steps.observe import Sources
        from tidegate.steps.trainings import all_records

        return Sources(
            repository=self.repository,
            registry=self.registry,
            targets=self.targets,
            reader=self.reader,
            desired=desired,
            proposals=proposals_of(self.forge, desired.workspace),
            records=all_records(self.repository),
        )

    def desk(self, desired: Desired) -> Desk:
        from tidegate.steps.desk import Desk

        return Desk(
            repository=self.repository,
            forge=self.forge,
            reader=self.reader,
            targets=self.targets,
            workspace=desired.workspace,
            main=desired.commit,
            clock=self.clock,
        )

    def reconcile_ports(self) -> Ports:
        from tidegate.reconcile import Ports

        return Ports(
            repository=self.repository,
            forge=self.forge,
            registry=self.registry,
            metrics=self.metrics,
            targets=self.targets,
            clock=self.clock,
            reader=self.reader,
        )

    def training_ports(self) -> TrainingPorts:
        from tidegate.train import TrainingPorts

        return TrainingPorts(
            repository=self.repository,
            runs=self.runs,
            registry=self.registry,
            launcher=cast(Launcher, _OnceAsked(self._launcher)),
            work=self.settings.work,
        )

    def require_addresses(self) -> None:
        """Raises WrongUse where a variable that names a server holds no address, whether or not it will be asked."""
        named = {REGISTRY_URI: self.settings.registry_uri, PROMETHEUS_URL: self.settings.prometheus_url}
        for variable, address in named.items():
            if address is not None:
                require_web_address(address, variable)

    def _registry(self) -> Registry:
        from tidegate.adapters.mlflow import MlflowRegistry

        return MlflowRegistry(self._mlflow)

    def _runs(self) -> Runs:
        from tidegate.adapters.mlflow import MlflowRuns

        return MlflowRuns(self._mlflow)

    def _launcher(self) -> Launcher:
        from tidegate.adapters.launchers.local import LocalLauncher

        uri, credentials, _ = self._tracking
        return LocalLauncher(self.settings.work, uri, credentials, self.settings.programs)

    @cached_property
    def _mlflow(self) -> MlflowServer:
        from tidegate.adapters.mlflow.server import SETTING, MlflowServer

        return MlflowServer(*self._tracking, REGISTRY_URI if self.settings.registry_uri else SETTING)

    @cached_property
    def _tracking(self) -> tuple[str, Reveals, float]:
        """MLflow's address without user and password, the secrets apart from it, and the seconds to wait."""
        server = self.desired().workspace.registry
        uri = self.settings.registry_uri or (server.url if server else None)
        if uri is None:
            raise WrongUse(f"no MLflow server: set registry.uri in tidegate.yaml, or {REGISTRY_URI}")
        timeout = server.timeout.total_seconds() if server else 10.0
        return without_user(uri), self._sign_in(uri, server.auth if server else {}), timeout

    def _sign_in(self, uri: str, auth: Mapping[str, Any]) -> Reveals:
        """What the address itself says goes first, then `registry.auth`, then MLflow's own variables."""
        from tidegate.adapters.secrets import mlflow_credentials, resolve

        if (parts := urlsplit(uri)).username:
            user, password = unquote(parts.username), unquote(parts.password or "")
            return {"MLFLOW_TRACKING_USERNAME": lambda: user, "MLFLOW_TRACKING_PASSWORD": lambda: password}
        if auth:
            return {name: secret.reveal for name, secret in mlflow_credentials(auth).items()}
        return {name: resolve({"env": name}).reveal for name in _MLFLOW_VARIABLES if os.environ.get(name)}

    def metrics_within(self, patience: timedelta) -> Metrics:
        """Prometheus for what can do without it: each answer is waited for no longer than so."""
        try:
            return self._metrics(patience)
        except TidegateError as error:
            return NoMetrics(str(error))

    def _metrics(self, patience: timedelta | None = None) -> Metrics:
        from tidegate.adapters.prometheus import SETTING, Prometheus

        server, named = self.desired().workspace.prometheus, self.settings.prometheus_url
        if server is None and named is None:
            return NoMetrics(f"no Prometheus server: set prometheus.url in tidegate.yaml, or {PROMETHEUS_URL}")
        server = server or Server(url=named or "")
        try:
            access = prometheus_access(server)
        except TidegateError as error:
            return NoMetrics(f"{without_credentials(named or server.url)}: {error}")
        timeout = server.timeout if patience is None else min(patience, server.timeout)
        return Prometheus(named or server.url, access, timeout, PROMETHEUS_URL if named else SETTING)


def without_user(uri: str) -> str:
    """The address with its path and query, and without user and password."""
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def prometheus_access(server: Server) -> Access:
    """How to sign in at Prometheus, with the secrets that `prometheus.auth` and `prometheus.headers` refer to."""
    from tidegate.adapters.prometheus import Access

    headers = {name: _text(value) for name, value in server.headers.items()}
    match dict(server.auth):
        case {"basic": {"username": username, "password": password}}:
            return Access(headers=headers, basic=(_text(username), _text(password)))
        case {"bearer": token}:
            return Access(headers={**headers, "Authorization": f"Bearer {_text(token)}"})
        case {"mtls": {"certificate": str(certificate), "key": str(key)} as tls}:
            return Access(headers=headers, certificate=(certificate, key), authority=tls.get("authority", True))
        case _:
            return Access(headers=headers)


def _text(value: str | Mapping[str, Any]) -> str:
    """What is no secret may stand in the file itself; a secret is referred to."""
    from tidegate.adapters.secrets import resolve

    return value if isinstance(value, str) else resolve(value).reveal()
