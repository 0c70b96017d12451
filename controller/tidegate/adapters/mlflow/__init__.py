"""MLflow over REST: the model registry and the tracking runs."""

from tidegate.adapters.mlflow.registry import MlflowRegistry
from tidegate.adapters.mlflow.runs import MlflowRuns
from tidegate.adapters.mlflow.server import MlflowServer, digest_of
from tidegate.adapters.mlflow.survey import MlflowSurvey

__all__ = ["MlflowRegistry", "MlflowRuns", "MlflowServer", "MlflowSurvey", "digest_of"]
