"""Train a model and leave it, with its metrics, in the MLflow run that already exists.

Replace the middle part with your own. `MLFLOW_TRACKING_URI` and `MLFLOW_RUN_ID` are set,
`TIDEGATE_PARAMETERS` is the path of a JSON file with the manifest's parameters, `TIDEGATE_SEED` is its seed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import mlflow
import mlflow.sklearn
import sklearn
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

parameters = json.loads(Path(os.environ["TIDEGATE_PARAMETERS"]).read_text(encoding="utf-8"))
seed = int(os.environ["TIDEGATE_SEED"])

rows, species = load_iris(return_X_y=True)
# The same rows are held out for every version, whatever its seed: else their metrics cannot be compared.
seen, held_out, answers, held_out_answers = train_test_split(rows, species, random_state=0, stratify=species)
model = LogisticRegression(max_iter=1000, random_state=seed, **parameters).fit(seen, answers)

with mlflow.start_run(run_id=os.environ["MLFLOW_RUN_ID"]):
    mlflow.log_metric("accuracy", model.score(held_out, held_out_answers))  # the gates read it by this name
    mlflow.sklearn.log_model(model, name="model", pip_requirements=[f"scikit-learn=={sklearn.__version__}"])
