"""Facts for doctor that break no rule, to be changed one at a time, and the rules that some remarks break."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from tidegate.core.diagnosis.access import NEEDED, USEFUL, Access, TokenKind
from tidegate.core.diagnosis.actions import ActionsFacts, Protection
from tidegate.core.diagnosis.checkout import CheckoutFacts
from tidegate.core.diagnosis.metrics import PrometheusFacts
from tidegate.core.diagnosis.protection import BranchRules, Files, Gateway
from tidegate.core.diagnosis.registry import RegistryFacts
from tidegate.core.diagnosis.remark import Complaint, Remark, Unknown, Unseen
from tidegate.core.diagnosis.repository import ForgeFacts
from tidegate.core.diagnosis.workflows import Workflow
from tidegate.core.judging.reading import Sampled, Series
from tidegate.core.manifest import Environment, Model, Objective, Rollout

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
NOT_TOLD = Unknown(why="nobody tells")
APP = 4711

APP_ACCESS = Access(
    kind=TokenKind.APP,
    login="tidegate[bot]",
    permissions={name: level for name, (level, _) in (NEEDED | USEFUL).items()},
    scopes=NOT_TOLD,
    may_push=NOT_TOLD,
    app_id=APP,
)
PERSON = Access(
    kind=TokenKind.FINE_GRAINED, login="dana", permissions=NOT_TOLD, scopes=NOT_TOLD, may_push=True, app_id=None
)
RULES = BranchRules(source="the ruleset 'main'", checks={"tidegate": APP})
GATEWAY = Gateway(rules=(RULES,))
APPROVES = Workflow(
    path=".github/workflows/pull-request.yml",
    triggers=frozenset({"pull_request", "merge_group"}),
    filtered=frozenset(),
    jobs=frozenset({"approve"}),
    runs_tidegate=True,
)
FILES = Files(
    workflows=(APPROVES,), code_owners="* @acme/ml\n**/production.yaml\n", pins=("models/churn/production.yaml",)
)
ACTIONS = ActionsFacts(knows_app=True, environments={"tidegate": Protection(branches=frozenset({"main"}))})
FORGE = ForgeFacts(
    name="acme/models",
    private=True,
    archived=False,
    default_branch="main",
    auto_merge=True,
    actions_may_propose=True,
    ahead=timedelta(0),
    access=APP_ACCESS,
    gateway=GATEWAY,
    actions=ACTIONS,
)
MLFLOW = RegistryFacts(
    address="http://mlflow:5000", version="3.17.2", store="mlflow-artifacts", proxied=True, unreadable=None
)
PROMETHEUS = PrometheusFacts(
    address="http://prometheus:9090",
    version="3.5.0",
    ahead=timedelta(0),
    retention=timedelta(days=60),
    most_samples=50_000_000,
)
CHECKOUT = CheckoutFacts(
    git="2.43.0",
    shallow=False,
    origin="/srv/models.git",
    fetched=True,
    author="dana@acme.example",
    identity="bot@acme.example",
)


def broken(remarks: Iterable[Remark]) -> list[str]:
    """The ids of the rules that are complained about, in order."""
    return [remark.rule for remark in remarks if isinstance(remark, Complaint)]


def not_seen(remarks: Iterable[Remark]) -> list[str]:
    return [remark.what for remark in remarks if isinstance(remark, Unseen)]


def model(rollout: Rollout | None = None, window: timedelta = timedelta(days=30)) -> Model:
    """One that canaries in production, with one objective."""
    objective = Objective(name="availability", target=0.99, window=window, bad="errors_total", total="requests_total")
    production = Environment(name="production", canaries=True, objectives=(objective,), rollout=rollout or Rollout())
    return Model(name="churn", folder="models/churn", owners=("@dana",), environments=(production,))


def sampled(*labels: dict[str, str], every: float = 15, number: int = 20) -> Sampled:
    """One series for each set of labels, scraped so often."""
    end = NOW.timestamp()
    times = [end - every * index for index in range(number - 1, -1, -1)]
    series = tuple(Series(labels=each, samples=tuple((at, float(i)) for i, at in enumerate(times))) for each in labels)
    return Sampled(series=series, start=NOW - timedelta(hours=1), end=NOW)
