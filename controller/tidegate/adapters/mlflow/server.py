"""One MLflow server over REST: JSON in, JSON out. Only bytes of artifacts go through mlflow itself.

Credentials come under MLflow's own variable names (`MLFLOW_TRACKING_USERNAME`, `_PASSWORD`, `_TOKEN`), each as a
function that reveals it at the moment of use, so that none is kept here and none can be printed (I11).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies, select_proxy
from urllib3.util.retry import Retry

from tidegate.core.web_address import require_proxy, require_web_address
from tidegate.errors import OutsideSystem, cause, without_credentials

Credentials = Mapping[str, Callable[[], str]]
Json = dict[str, Any]

SETTING = "registry.uri in tidegate.yaml"
"""Where its address stands, unless the environment names it."""
_CHUNK = 1 << 20
# The client's own defaults are 7 retries and 120 s a request; a pass must not hang on one download.
_CLIENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


class Answer(Exception):
    """MLflow understood the request and said no, with its own error code."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


class MlflowServer:
    """One MLflow server: JSON in, JSON out, and every failure as a sentence with the next step."""

    def __init__(
        self, uri: str, credentials: Credentials | None = None, timeout: float = 10, setting: str = SETTING
    ) -> None:
        """`setting` is where the address stands. Raises WrongUse for what is none, and for a proxy that is none."""
        require_web_address(uri, setting)
        require_proxy(select_proxy(uri, get_environ_proxies(uri)), uri, os.environ)
        self._setting = setting
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
        """The answer's JSON. Raises `Answer` for MLflow's own refusals, OutsideSystem for everything else."""
        return self._read(self.response(method, f"/api/2.0/mlflow/{path}", data))

    def response(self, method: str, path: str, data: Json) -> requests.Response:
        """Whatever MLflow answers. Raises OutsideSystem when it does not."""
        try:
            return self._session.request(
                method,
                f"{self.uri}{path}",
                auth=self._sign if self._credentials else None,
                timeout=self._timeout,
                params=data if method == "GET" else None,
                json=None if method == "GET" else data,
            )
        except requests.Timeout:
            raise OutsideSystem(f"MLflow at {self.address} did not answer in {self._timeout:g} s; try again") from None
        except OSError as error:  # all of requests' own, and a CA bundle that is not there
            raise OutsideSystem(
                f"MLflow at {self.address} does not answer ({cause(error)}); start it, or correct {self._setting}"
            ) from None

    def look(self, path: str, data: Json) -> Json | None:
        """A GET whose subject may be absent."""
        try:
            return self.call("GET", path, data)
        except Answer as answer:
            if answer.code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise self.refusal(answer) from None

    def ask(self, method: str, path: str, data: Json) -> Json:
        """A call that MLflow has no reason to refuse."""
        try:
            return self.call(method, path, data)
        except Answer as answer:
            raise self.refusal(answer) from None

    def refusal(self, answer: Answer) -> OutsideSystem:
        return OutsideSystem(f"MLflow at {self.address} refused: {answer} ({answer.code})")

    def digest(self, location: str) -> str | None:
        """The digest of the files at an artifact location; None when there are none."""
        with tempfile.TemporaryDirectory(prefix="tidegate-bytes-") as folder:
            return digest_of(self._download(location, folder))

    def require_files(self, location: str) -> None:
        """Raises OutsideSystem unless files can be listed at an artifact location; nothing is downloaded."""
        with self._client_environment():
            from mlflow.artifacts import list_artifacts  # 0.7 s: only when asked for

            with self._reading(location):
                if not list_artifacts(artifact_uri=location, tracking_uri=self.uri):
                    raise OutsideSystem(f"there are no files at {without_credentials(location)}; register it again")

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
            raise Answer(str(body["error_code"]), words)
        raise OutsideSystem(f"MLflow at {self.address} failed ({status}): {words or 'no words'}; see its log")

    def _download(self, location: str, folder: str) -> Path:
        with self._client_environment():
            from mlflow.artifacts import download_artifacts  # 0.7 s: only when bytes are asked for

            with self._reading(location):
                return Path(download_artifacts(artifact_uri=location, dst_path=folder, tracking_uri=self.uri))

    @contextmanager
    def _reading(self, location: str) -> Iterator[None]:
        """What mlflow's client and the store behind it raise, as a sentence."""
        from mlflow.exceptions import MlflowException

        try:
            yield
        except (MlflowException, OSError, ImportError, requests.RequestException) as error:
            unanswered = isinstance(error.__cause__ or error.__context__, requests.RequestException)
            words = cause(error) if unanswered else str(error).replace(self.uri, self.address)[:300]
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


def pairs(tags: Mapping[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def mapping(pairs: Iterable[Json]) -> dict[str, str]:
    return {pair["key"]: pair["value"] for pair in pairs}
