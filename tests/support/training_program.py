"""A training program as a user would write it, small enough to run often: it logs figures and a model to MLflow.

It logs through MLflow's client, not a flavour, which saves seconds; examples/ holds a program with a real model.
"""

from __future__ import annotations

PROGRAM = """
import json, os, signal, subprocess, sys, tempfile, time
from pathlib import Path

mode = json.loads(Path(os.environ["TIDEGATE_PARAMETERS"]).read_text())
print("training", mode, flush=True)

if mode.get("fail"):
    print("url http://user:hunter2@db/x")
    sys.exit("no such column: tenure")
if mode.get("hang"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    children = [subprocess.Popen([sys.executable, "-c", child], start_new_session=away) for away in (False, True)]
    Path(mode["hang"]).write_text(" ".join(str(pid) for pid in (os.getpid(), *(child.pid for child in children))))
    time.sleep(600)

from mlflow import MlflowClient

client, run_id = MlflowClient(), os.environ["MLFLOW_RUN_ID"]
for name, value in mode.get("metrics", {}).items():
    client.log_metric(run_id, name, value)
if mode.get("model"):
    experiment = client.get_run(run_id).info.experiment_id
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "MLmodel").write_text("flavors: {}\\n")
        (Path(folder) / "weights.txt").write_text(mode["model"])
        logged = client.create_logged_model(experiment, name="model", source_run_id=run_id)
        client.log_model_artifacts(logged.model_id, folder)
        client.finalize_logged_model(logged.model_id, "READY")
"""
