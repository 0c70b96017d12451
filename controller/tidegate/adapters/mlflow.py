"""MLflow over REST: the model registry and the tracking runs. Only bytes of artifacts go through mlflow itself.

Credentials come under MLflow's own variable names (`MLFLOW_TRACKING_USERNAME`, `_PASSWORD`, `_TOKEN`), each as a
function that reveals it at the moment of use, so that none is kept here and none can be printed (I11).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from tidegate.core.observed import ModelVersion
from tidegate.errors import OutsideSystem, Raced, Refused, WrongUse, without_credentials
from tidegate.ports import Run

OWNER_TAG, OWNER = "tidegate.owner", "tidegate"
MODEL = "model"
"""The name under which a training program logs its model (DESIGN.md 7)."""

Credentials = Mapping[str, Callable[[], str]]
Json = dict[str, Any]

_CHUNK = 1 << 20
# The client's own defaults are 7 retries and 120 s a request; a pass must not hang on one download.
_CLIENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


class _Answer(Exception):
    """MLflow understood the request and said no, with its own error code."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


class MlflowServer:
    """One MLflow server: JSON in, JSON out, and every failure as a sentence with the next step."""

    def __init__(self, uri: str, credentials: Credentials | None = None, timeout: float = 10) -> None:
        if urlsplit(uri).scheme not in ("http", "https"):
            raise WrongUse(
                f"registry.uri is {without_credentials(uri)!r}; give the http(s) address of an MLflow server"
            )
        self.uri = uri.rstrip("/")
        self.address = without_credentials(self.uri)
        self._credentials = credentials or {}
        self._timeout = timeout
        self._session = requests.Session()
        retry = Retry(connect=2, read=False, status=2, other=0, backoff_factor=0.2, status_forcelist=(502, 503, 504),
                      allowed_methods={"GET"}, raise_on_status=False)  # fmt: skip
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))

    def call(self, method: str, path: str, data: Json) -> Json:
        """The answer's JSON. Raises `_Answer` for MLflow's own refusals, OutsideSystem for everything else."""
        try:
            response = self._session.request(
                method,
                f"{self.uri}/api/2.0/mlflow/{path}",
                auth=self._sign if self._credentials else None,
                timeout=self._timeout,
                params=data if method == "GET" else None,
                json=None if method == "GET" else data,
            )
        except requests.Timeout:
            raise OutsideSystem(f"MLflow at {self.address} did not answer in {self._timeout:g} s; try again") from None
        except requests.RequestException as error:
            # The library's own text may repeat the address with its password.
            kind = type(error).__name__
            raise OutsideSystem(
                f"MLflow at {self.address} does not answer ({kind}); start it, or correct registry.uri"
            ) from None
        return self._read(response)

    def look(self, path: str, data: Json) -> Json | None:
        """A GET whose subject may be absent."""
        try:
            return self.call("GET", path, data)
        except _Answer as answer:
            if answer.code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise self.refusal(answer) from None

    def ask(self, method: str, path: str, data: Json) -> Json:
        """A call that MLflow has no reason to refuse."""
        try:
            return self.call(method, path, data)
        except _Answer as answer:
            raise self.refusal(answer) from None

    def refusal(self, answer: _Answer) -> OutsideSystem:
        return OutsideSystem(f"MLflow at {self.address} refused: {answer} ({answer.code})")

    def digest(self, location: str) -> str | None:
        """The digest of the files at an artifact location; None when there are none."""
        with tempfile.TemporaryDirectory(prefix="tidegate-bytes-") as folder:
            return digest_of(self._download(location, folder))

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        token, user = self._credentials.get("MLFLOW_TRACKING_TOKEN"), self._credentials.get("MLFLOW_TRACKING_USERNAME")
        if token is not None:
            request.headers["Authorization"] = f"Bearer {token()}"
        elif user is not None:
            requests.auth.HTTPBasicAuth(user(), self._credentials["MLFLOW_TRACKING_PASSWORD"]())(request)
        return request

    def _read(self, response: requests.Response) -> Json:
        if response.status_code == 401:
            raise OutsideSystem(f"MLflow at {self.address} asks for a sign-in (401); correct registry.auth")
        if response.status_code == 403 and "Invalid Host header" in response.text:
            host = urlsplit(self.address).netloc
            raise OutsideSystem(
                f"MLflow at {self.address} refuses this host name; start it with --allowed-hosts including {host}"
            )
        try:
            body = response.json()
        except requests.JSONDecodeError:
            raise OutsideSystem(
                f"MLflow at {self.address} answered {response.status_code} without JSON; is it an MLflow server?"
            ) from None
        if response.status_code < 400 and isinstance(body, dict):
            return body
        return self._say_no(response.status_code, body if isinstance(body, dict) else {})

    def _say_no(self, status: int, body: Json) -> Json:
        words = str(body.get("message", ""))[:300]
        if status == 403:
            raise OutsideSystem(f"MLflow at {self.address} denies this account (403): {words}; ask for EDIT permission")
        if status < 500 and "error_code" in body:
            raise _Answer(str(body["error_code"]), words)
        raise OutsideSystem(f"MLflow at {self.address} failed ({status}): {words or 'no words'}; see its log")

    def _download(self, location: str, folder: str) -> Path:
        with self._client_environment():
            from mlflow.artifacts import download_artifacts  # 0.7 s: only when bytes are asked for
            from mlflow.exceptions import MlflowException

            try:
                return Path(download_artifacts(artifact_uri=location, dst_path=folder, tracking_uri=self.uri))
            except (MlflowException, OSError, ImportError, requests.RequestException) as error:
                words = str(error).replace(self.uri, self.address)[:300]
                raise OutsideSystem(
                    f"the files at {without_credentials(location)} cannot be read from {self.address}: {words}"
                ) from None

    @contextmanager
    def _client_environment(self) -> Iterator[None]:
        """What mlflow's client reads from the environment, for as long as it is used."""
        wanted = _CLIENT | {name: reveal() for name, reveal in self._credentials.items()}
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)


def digest_of(folder: Path) -> str | None:
    """sha256 over the sorted lines `<sha256 of the file>  <relative path>`; None for a folder without files."""
    files = sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if path.is_file())
    lines = "".join(f"{_sha256(path)}  {name}\n" for name, path in files)
    return f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}" if files else None


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


class MlflowRuns:
    """ports.Runs on one MLflow server."""

    def __init__(self, server: MlflowServer) -> None:
        self._server = server

    def create(self, experiment: str, name: str, tags: Mapping[str, str], at: datetime) -> str:
        data = {"experiment_id": self._experiment(experiment), "run_name": name, "start_time": _milliseconds(at)}
        run = self._server.ask("POST", "runs/create", data | {"tags": _pairs(tags)})
        return str(run["run"]["info"]["run_id"])

    def run(self, run_id: str) -> Run | None:
        """A run that somebody deleted is kept by MLflow for a while, and is none for us."""
        found = self._server.look("runs/get", {"run_id": run_id})
        if found is None or found["run"]["info"].get("lifecycle_stage") == "deleted":
            return None
        data = found["run"].get("data", {})
        return Run(
            run_id=run_id,
            status=found["run"]["info"]["status"],
            metrics={metric["key"]: float(metric["value"]) for metric in data.get("metrics", ())},
            tags=_mapping(data.get("tags", ())),
        )

    def end(self, run_id: str, status: str, tags: Mapping[str, str], at: datetime) -> None:
        """Ending a run that somebody deleted is no failure."""
        if self.run(run_id) is None:
            return
        self._server.ask("POST", "runs/log-batch", {"run_id": run_id, "tags": _pairs(tags)})
        ending = {"run_id": run_id, "status": status, "end_time": _milliseconds(at)}
        self._server.ask("POST", "runs/update", ending)

    def model_digest(self, run_id: str) -> str | None:
        logged = logged_model(self._server, run_id)
        return self._server.digest(logged["location"]) if logged else None

    def _experiment(self, name: str) -> str:
        """Unique names are MLflow's only atomic primitive: losing the race means that it is there now."""
        found = self._server.look("experiments/get-by-name", {"experiment_name": name})
        if found is not None:
            return str(found["experiment"]["experiment_id"])
        try:
            return str(self._server.call("POST", "experiments/create", {"name": name})["experiment_id"])
        except _Answer as answer:
            if answer.code != "RESOURCE_ALREADY_EXISTS":
                raise self._server.refusal(answer) from None
        return self._experiment(name)


def logged_model(server: MlflowServer, run_id: str) -> dict[str, str] | None:
    """Where the run's `model` is: `location` of its files, and the source (and id) to register it by.

    MLflow 3 logs models beside the run, not below it; the newest one that is ready counts. A model logged by an older
    client lies among the run's artifacts.
    """
    found = server.look("runs/get", {"run_id": run_id})
    if found is None:
        return None
    info = found["run"]["info"]
    query = f"source_run_id = '{run_id}' AND name = '{MODEL}'"
    search = {"experiment_ids": [info["experiment_id"]], "filter": query}
    models = server.ask("POST", "logged-models/search", search)
    ready = [model["info"] for model in models.get("models", ()) if model["info"]["status"] == "LOGGED_MODEL_READY"]
    if ready:
        newest = max(ready, key=lambda model: int(model["creation_timestamp_ms"]))
        model_id = newest["model_id"]
        return {"location": newest["artifact_uri"], "source": f"models:/{model_id}", "model_id": model_id}
    if server.ask("GET", "artifacts/list", {"run_id": run_id, "path": MODEL}).get("files"):
        location = f"{info['artifact_uri']}/{MODEL}"
        return {"location": location, "source": location}
    return None


class MlflowRegistry:
    """ports.Registry on one MLflow server. Search results carry no aliases (mlflow #16734): they are read by name."""

    def __init__(self, server: MlflowServer) -> None:
        self._server = server

    def versions(self, name: str) -> tuple[ModelVersion, ...]:
        """Versions whose registration is complete, oldest number first."""
        ready = (item for item in self._search(name) if item.get("status", "READY") == "READY")
        return tuple(sorted(map(_version, ready), key=lambda version: version.number))

    def digest(self, name: str, number: int) -> str:
        """Read from where the version's bytes lie, not through `models:/…`, which adds a file of its own."""
        found = self._server.look("model-versions/get-download-uri", {"name": name, "version": str(number)})
        digest = self._server.digest(found["artifact_uri"]) if found else None
        if digest is None:
            what = "no version" if found is None else "no files for version"
            raise OutsideSystem(f"MLflow at {self._server.address} has {what} {number} of {name}; register it again")
        return digest

    def register(self, name: str, run_id: str, digest: str, tags: Mapping[str, str]) -> ModelVersion:
        """MLflow deduplicates nothing: of a run's versions the lowest number stays, the one we made too many goes."""
        self._own(name, create=True)
        logged = logged_model(self._server, run_id)
        if logged is None:
            raise OutsideSystem(f"run {run_id} in MLflow at {self._server.address} holds no model named {MODEL}")
        wanted = {**tags, "tidegate.digest": digest, "tidegate.run": run_id}
        if not (ours := self._of_run(name, run_id, digest)):
            made = self._create(name, run_id, logged, wanted)
            ours = self._of_run(name, run_id, digest)
            if made != min(version.number for version in ours):
                self._server.ask("DELETE", "model-versions/delete", {"name": name, "version": str(made)})
        return ours[0]

    def aliases(self, name: str) -> Mapping[str, int]:
        found = self._server.look("registered-models/get", {"name": name})
        listed = found["registered_model"].get("aliases", ()) if found else ()
        return {entry["alias"]: int(entry["version"]) for entry in listed}

    def set_alias(self, name: str, alias: str, number: int) -> None:
        """The last writer wins in MLflow (no expected value): what was written is read back."""
        self._own(name)
        if self.aliases(name).get(alias) == number:
            return
        self._server.ask("POST", "registered-models/alias", {"name": name, "alias": alias, "version": str(number)})
        self._read_back(name, alias, number)

    def delete_alias(self, name: str, alias: str) -> None:
        if alias in self.aliases(name):
            self._own(name)
            self._server.ask("DELETE", "registered-models/alias", {"name": name, "alias": alias})
            self._read_back(name, alias, None)

    def _read_back(self, name: str, alias: str, number: int | None) -> None:
        if (seen := self.aliases(name).get(alias)) != number:
            raise Raced(f"alias {alias} of {name} was set to {number} and reads {seen}: somebody else writes it too")

    def _own(self, name: str, *, create: bool = False) -> None:
        """Refuse names that are not ours; make the name when it may be made."""
        found = self._server.look("registered-models/get", {"name": name})
        if found is None and create:
            found = self._create_name(name)
        if found is None:
            raise Refused(f"MLflow at {self._server.address} has no registered model {name}; train it first")
        if _mapping(found["registered_model"].get("tags", ())).get(OWNER_TAG) != OWNER:
            raise Refused(
                f"the registered model {name} in MLflow at {self._server.address} is not Tidegate's; "
                f"to hand it over, set its tag {OWNER_TAG} to {OWNER}"
            )

    def _create_name(self, name: str) -> Json | None:
        try:
            return self._server.call(
                "POST", "registered-models/create", {"name": name, "tags": _pairs({OWNER_TAG: OWNER})}
            )
        except _Answer as answer:
            if answer.code != "RESOURCE_ALREADY_EXISTS":
                raise self._server.refusal(answer) from None
        return self._server.look("registered-models/get", {"name": name})

    def _create(self, name: str, run_id: str, logged: Mapping[str, str], tags: Mapping[str, str]) -> int:
        where = {key: logged[key] for key in ("source", "model_id") if key in logged}
        data = {"name": name, "run_id": run_id, **where, "tags": _pairs(tags)}
        return int(self._server.ask("POST", "model-versions/create", data)["model_version"]["version"])

    def _of_run(self, name: str, run_id: str, digest: str) -> tuple[ModelVersion, ...]:
        versions = self.versions(name)
        return tuple(version for version in versions if version.run_id == run_id and version.digest == digest)

    def _search(self, name: str) -> Iterator[Json]:
        query: Json = {"filter": f'name="{name}"', "max_results": 1000}
        while True:
            page = self._server.ask("GET", "model-versions/search", query)
            yield from page.get("model_versions", ())
            if not (token := page.get("next_page_token", "")):
                return
            query["page_token"] = token


def _version(item: Json) -> ModelVersion:
    tags = _mapping(item.get("tags", ()))
    return ModelVersion(
        number=int(item["version"]),
        digest=tags.get("tidegate.digest", ""),
        training_key=tags.get("tidegate.key"),
        run_id=item.get("run_id") or "",
        created_at=datetime.fromtimestamp(int(item["creation_timestamp"]) / 1000, UTC),
        source=item.get("source", ""),
    )


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _pairs(tags: Mapping[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _mapping(pairs: Iterable[Json]) -> dict[str, str]:
    return {pair["key"]: pair["value"] for pair in pairs}
