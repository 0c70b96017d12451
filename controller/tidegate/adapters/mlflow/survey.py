"""What `doctor` wants to know of an MLflow server. Reads only."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import requests

from tidegate.adapters.mlflow.server import Json, MlflowServer
from tidegate.core.diagnosis.registry import Refusal, RegistryFacts, TurnedAway
from tidegate.core.diagnosis.remark import Unknown
from tidegate.errors import OutsideSystem
from tidegate.ports import Clock

_VERSION = re.compile(r"\d+\.\d+[\w.]*$")


class MlflowSurvey:
    """ports.Surveyor on one MLflow server. `sample` is a registered version whose files are listed, if there is one."""

    def __init__(self, server: MlflowServer, sample: tuple[str, int] | None) -> None:
        self._server = server
        self._sample = sample

    def survey(self, clock: Clock) -> RegistryFacts | TurnedAway | Unknown:  # noqa: ARG002 - MLflow tells no time
        try:
            response = self._server.response("GET", "/api/2.0/mlflow/experiments/get", {"experiment_id": "0"})
            if (how := _refusal(response)) is not None:
                host = urlsplit(self._server.address).netloc
                return TurnedAway(address=self._server.address, host=host, how=how)
            store = _store(response)
            return RegistryFacts(
                address=self._server.address,
                version=self._version(),
                store=store,
                proxied=self._proxied(),
                unreadable=self._unreadable(),
            )
        except OutsideSystem as error:
            return Unknown(why=str(error), silent=True)

    def _version(self) -> str | Unknown:
        response = self._server.response("GET", "/version", {})
        words = response.text.strip()
        return words if response.ok and _VERSION.match(words) else Unknown(why="MLflow does not tell it at /version")

    def _proxied(self) -> bool | Unknown:
        """MLflow answers 503 there when it does not serve artifacts (handlers, `_disable_unless_serve_artifacts`)."""
        response = self._server.response("GET", "/api/2.0/mlflow-artifacts/artifacts", {"path": ""})
        if response.status_code in (200, 503):
            return response.ok
        return Unknown(why=f"MLflow answers {response.status_code} when it is asked for a list of them")

    def _unreadable(self) -> str | Unknown | None:
        if self._sample is None:
            return Unknown(why="no environment has a version pinned yet")
        name, number = self._sample
        try:
            found = self._server.look("model-versions/get-download-uri", {"name": name, "version": str(number)})
            if found is None:
                return f"MLflow at {self._server.address} has no version {number} of {name}, which is pinned"
            self._server.require_files(found["artifact_uri"])
        except OutsideSystem as error:
            return f"version {number} of {name}: {error}"
        return None


def _refusal(response: requests.Response) -> Refusal | None:
    if response.status_code == 401:
        return Refusal.SIGN_IN
    if response.status_code == 403:
        return Refusal.HOST if "Invalid Host header" in response.text else Refusal.DENIED
    return Refusal.NOT_MLFLOW if _json(response) is None else None


def _store(response: requests.Response) -> str | Unknown:
    """The scheme of where new artifacts go, by the default experiment; one that was deleted tells nothing."""
    experiment = (_json(response) or {}).get("experiment")
    if not isinstance(experiment, dict):
        return Unknown(why="MLflow's default experiment is gone")
    return urlsplit(str(experiment.get("artifact_location", ""))).scheme


def _json(response: requests.Response) -> Json | None:
    try:
        body = response.json()
    except requests.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None
