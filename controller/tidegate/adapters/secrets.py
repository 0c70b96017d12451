"""Secrets by reference: `{env: NAME}`, `{file: path}` or `{exec: [command, …]}`. Values never reach a message (I11)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tidegate.errors import OutsideSystem, WrongUse

_EXEC_SECONDS = 30


class Secret:
    """A value that shows itself only when asked by `reveal`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


def resolve(reference: Mapping[str, Any]) -> Secret:
    """The secret behind a reference; one final line break is not part of it."""
    match dict(reference):
        case {"env": str(name), **rest} if not rest:
            value = _from_environment(name)
        case {"file": str(path), **rest} if not rest:
            value = _from_file(Path(path))
        case {"exec": [str(), *_] as command, **rest} if not rest:
            value = _from_command([str(word) for word in command])
        case _:
            raise WrongUse("a secret is given as {env: NAME}, {file: path} or {exec: [command, …]}, never as a value")
    return Secret(value.removesuffix("\n").removesuffix("\r"))


def mlflow_credentials(auth: Mapping[str, Any]) -> Mapping[str, Secret]:
    """The secrets of `auth` under MLflow's own variable names; no auth, no secrets."""
    if not auth:
        return {}
    match dict(auth):
        case {"basic": {"username": username, "password": password}}:
            return {"MLFLOW_TRACKING_USERNAME": _named(username), "MLFLOW_TRACKING_PASSWORD": resolve(password)}
        case {"bearer": {} as token}:
            return {"MLFLOW_TRACKING_TOKEN": resolve(token)}
        case _:
            raise WrongUse("registry.auth is {basic: {username: …, password: {env: NAME}}} or {bearer: {env: NAME}}")


def _named(value: object) -> Secret:
    """A user name may stand in the file itself; it is no secret."""
    return resolve(value) if isinstance(value, Mapping) else Secret(str(value))


def _from_environment(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise WrongUse(f"the environment variable {name} holds no secret; set it and try again")
    return value


def _from_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse(
            f"the secret file {path} cannot be read ({type(error).__name__}); correct its path or mode"
        ) from None


def _from_command(command: list[str]) -> str:
    """The command's standard output. What it prints is never repeated: it may hold half a secret."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=_EXEC_SECONDS, check=True, text=True)
    except subprocess.CalledProcessError as error:
        raise OutsideSystem(f"the secret command {command[0]} ended with {error.returncode}; run it by hand") from None
    except subprocess.TimeoutExpired:
        raise OutsideSystem(f"the secret command {command[0]} took over {_EXEC_SECONDS} s; run it by hand") from None
    except OSError as error:
        raise WrongUse(f"the secret command {command[0]} cannot be started ({type(error).__name__})") from None
    return done.stdout
