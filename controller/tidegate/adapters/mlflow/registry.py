"""The model registry in MLflow: versions and aliases, written only where the name is ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from tidegate.adapters.mlflow.runs import MODEL, logged_model
from tidegate.adapters.mlflow.server import Answer, Json, MlflowServer, mapping, pairs
from tidegate.core.observed import ModelVersion
from tidegate.errors import OutsideSystem, Raced, Refused

OWNER_TAG, OWNER = "tidegate.owner", "tidegate"


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
        if mapping(found["registered_model"].get("tags", ())).get(OWNER_TAG) != OWNER:
            raise Refused(
                f"the registered model {name} in MLflow at {self._server.address} is not Tidegate's; "
                f"to hand it over, set its tag {OWNER_TAG} to {OWNER}"
            )

    def _create_name(self, name: str) -> Json | None:
        try:
            return self._server.call(
                "POST", "registered-models/create", {"name": name, "tags": pairs({OWNER_TAG: OWNER})}
            )
        except Answer as answer:
            if answer.code != "RESOURCE_ALREADY_EXISTS":
                raise self._server.refusal(answer) from None
        return self._server.look("registered-models/get", {"name": name})

    def _create(self, name: str, run_id: str, logged: Mapping[str, str], tags: Mapping[str, str]) -> int:
        where = {key: logged[key] for key in ("source", "model_id") if key in logged}
        data = {"name": name, "run_id": run_id, **where, "tags": pairs(tags)}
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
    tags = mapping(item.get("tags", ()))
    return ModelVersion(
        number=int(item["version"]),
        digest=tags.get("tidegate.digest", ""),
        training_key=tags.get("tidegate.key"),
        run_id=item.get("run_id") or "",
        created_at=datetime.fromtimestamp(int(item["creation_timestamp"]) / 1000, UTC),
        source=item.get("source", ""),
    )
