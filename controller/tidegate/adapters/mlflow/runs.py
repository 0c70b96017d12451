"""Tracking runs in MLflow, and the model that a run logged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from tidegate.adapters.mlflow.server import Answer, MlflowServer, mapping, pairs
from tidegate.ports import Run

MODEL = "model"
"""The name under which a training program logs its model (DESIGN.md 7)."""


class MlflowRuns:
    """ports.Runs on one MLflow server."""

    def __init__(self, server: MlflowServer) -> None:
        self._server = server

    def create(self, experiment: str, name: str, tags: Mapping[str, str], at: datetime) -> str:
        data = {"experiment_id": self._experiment(experiment), "run_name": name, "start_time": _milliseconds(at)}
        run = self._server.ask("POST", "runs/create", data | {"tags": pairs(tags)})
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
            tags=mapping(data.get("tags", ())),
        )

    def end(self, run_id: str, status: str, tags: Mapping[str, str], at: datetime) -> None:
        """Ending a run that somebody deleted is no failure."""
        if self.run(run_id) is None:
            return
        self._server.ask("POST", "runs/log-batch", {"run_id": run_id, "tags": pairs(tags)})
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
        except Answer as answer:
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


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)
