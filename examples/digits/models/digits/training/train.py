"""Fit a classifier of handwritten digits and log it to MLflow.

An ordinary training program. What it is told: `TIDEGATE_PARAMETERS` (a JSON file), `TIDEGATE_SEED`,
`MLFLOW_TRACKING_URI` and `MLFLOW_RUN_ID` (the run exists already). What it must leave in that run: its
metrics by name, and the model as `model`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import mlflow
import mlflow.sklearn
import sklearn
from mlflow.models import infer_signature
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsOneClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC

# Of every five rows three are for training, the fourth for the gate, the fifth is left for live traffic.
TRAINING = (0, 1, 2)
GATE = 3


def main() -> None:
    """Train what the parameters ask for, and log its accuracy on rows it has not seen."""
    parameters = json.loads(Path(os.environ["TIDEGATE_PARAMETERS"]).read_text(encoding="utf-8"))
    seed = int(os.environ["TIDEGATE_SEED"])
    rows, digits = load_digits(return_X_y=True)
    fold = [row % 5 for row in range(len(rows))]
    seen = [part in TRAINING for part in fold]
    held_out = [part == GATE for part in fold]

    model = classifier(parameters["algorithm"], seed).fit(rows[seen], digits[seen])
    accuracy = model.score(rows[held_out], digits[held_out])

    with mlflow.start_run(run_id=os.environ["MLFLOW_RUN_ID"]):
        mlflow.log_params({**parameters, "seed": seed})
        mlflow.log_metric("accuracy", accuracy)
        mlflow.sklearn.log_model(
            model,
            name="model",
            signature=infer_signature(rows[:1], digits[:1]),
            pip_requirements=[f"scikit-learn=={sklearn.__version__}"],  # inferring them takes seconds
            serialization_format="cloudpickle",  # skops needs 12 s and 100 MB for the committee
        )
    print(f"accuracy {accuracy:.4f}")


def classifier(algorithm: str, seed: int) -> ClassifierMixin:
    """The untrained classifier of that name."""
    match algorithm:
        case "logistic":
            return make_pipeline(MinMaxScaler(), LogisticRegression(C=0.1, random_state=seed))
        case "svm":
            return make_pipeline(MinMaxScaler(), SVC(random_state=seed))
        case "committee":
            # 35 bags of 45 pairwise machines each: as accurate as one machine, 1,575 times the calls.
            pairwise = make_pipeline(PCA(24, random_state=seed), OneVsOneClassifier(SVC(C=10)))
            return BaggingClassifier(pairwise, n_estimators=35, max_samples=0.6, random_state=seed)
        case _:
            raise SystemExit(f"no algorithm {algorithm!r}: use logistic, svm or committee")


if __name__ == "__main__":
    main()
