"""Where we are and who we are: from the folder we stand in, the environment and flags. Secrets are never read here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

IDENTITY = "tidegate@localhost"
REGISTRY_URI, PROMETHEUS_URL = "MLFLOW_TRACKING_URI", "TIDEGATE_PROMETHEUS_URL"
SERVER_URL, API_URL = "GITHUB_SERVER_URL", "GITHUB_API_URL"
PUBLIC_SERVER, PUBLIC_API = "https://github.com", "https://api.github.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHub:
    """Which GitHub is ours, by the names that Actions gives: GITHUB_SERVER_URL, GITHUB_API_URL, GITHUB_REPOSITORY."""

    server: str = PUBLIC_SERVER
    api: str = PUBLIC_API
    repository: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`folder` is where the command runs (a clone, or the bare repository); `handle` is the person at the keyboard.

    `identity` is the e-mail address of our own commits; `work` is where the local launcher keeps checkouts and logs;
    `programs` are folders that training commands find before all others, as PATH has them.
    """

    folder: Path
    handle: str | None
    identity: str
    work: Path
    registry_uri: str | None = None
    prometheus_url: str | None = None
    github: GitHub = GitHub()
    programs: str | None = None


def read_settings(folder: str | None = None, handle: str | None = None) -> Settings:
    """Flags before environment (`TIDEGATE_HANDLE`, `TIDEGATE_IDENTITY`, `TIDEGATE_WORK`, …) before defaults."""
    environment = os.environ
    work = environment.get("TIDEGATE_WORK")
    return Settings(
        folder=Path(folder) if folder else Path.cwd(),
        handle=_handle(handle or environment.get("TIDEGATE_HANDLE")),
        identity=environment.get("TIDEGATE_IDENTITY", IDENTITY),
        work=Path(work) if work else cache() / "work",
        registry_uri=environment.get(REGISTRY_URI) or None,
        prometheus_url=environment.get(PROMETHEUS_URL) or None,
        github=_github(environment),
        programs=environment.get("TIDEGATE_TRAINING_PATH") or None,
    )


def _github(environment: Mapping[str, str]) -> GitHub:
    """An Enterprise Server's API is at `<server>/api/v3` unless somebody says otherwise."""
    server = (environment.get(SERVER_URL) or PUBLIC_SERVER).rstrip("/")
    usual = PUBLIC_API if server == PUBLIC_SERVER else f"{server}/api/v3"
    return GitHub(
        server=server,
        api=(environment.get(API_URL) or usual).rstrip("/"),
        repository=environment.get("GITHUB_REPOSITORY") or None,
    )


def cache() -> Path:
    """Our folder for what can be fetched or made again. A relative one is ignored (XDG Base Directory, section 2)."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "tidegate"


def _handle(name: str | None) -> str | None:
    """Handles are written with their @, typed with or without it."""
    return None if not name else name if name.startswith("@") else f"@{name}"
