"""Plans as reviewed: each situation as Markdown, as text and, for some, as JSON. `pytest --update-golden` rewrites."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.changes import CHURN, GATES, TRAINING, TREES, facts, history, ours, plan_of, settled, state, trained
from support.situations import NOW, WORKSPACE, pin_of
from tidegate.core.finding import Finding, Severity
from tidegate.core.gates import digest
from tidegate.core.launch_record import LaunchRecord, LaunchState
from tidegate.core.manifest import Data, Gate, Model
from tidegate.core.observed import Training as Progress
from tidegate.core.observed import TrainingState
from tidegate.core.pin import Canary, Hold, Pin, Rejected, stamped
from tidegate.core.planning.change import in_order
from tidegate.core.planning.freezes import next_window
from tidegate.core.planning.plan import Flight, Plan
from tidegate.core.planning.settings import workspace_edits
from tidegate.core.planning.state import Facts
from tidegate.core.training_key import training_key
from tidegate.core.transition import Kind, mark
from tidegate.core.workspace import Approvals, Freeze, Limits, Server
from tidegate.reporters import plan_json, plan_markdown, plan_text

DEEPER = trained({"depth": 8})
PINS = settled(CHURN)
ROLLING = PINS | {
    "production": ours(
        CHURN,
        "production",
        Pin(stable=pin_of(11), canary=Canary(pin=pin_of(12), weight=0.1), policy="3f2a9c" + "0" * 34),
    )
}
FLYING = {"production": Flight(version=12, weight=0.1, policy="3f2a9c" + "0" * 34)}
FRIDAYS = Freeze(
    zone="Europe/Berlin", reason="no Friday evenings", days=("fri",),
    opens=time(16), closes=time(23, 59),
)  # fmt: skip


def of_key(wanted: Model, reached: TrainingState, **more: Any) -> Facts:
    """A change of churn to a key that a run has had already."""
    after = state(wanted)
    assert after.inputs is not None
    key = training_key(after.inputs)
    return facts(state(), after, progress=replace(Progress(key=key, state=reached), **more))


def training(**changes: Any) -> Model:
    """Churn trained otherwise."""
    return replace(CHURN, training=replace(TRAINING, **changes))


def softer(wanted: Model) -> Model:
    """Another bake everywhere, and another latency in production."""
    staging, production = wanted.environments
    objectives = (production.objectives[0], replace(production.objectives[1], target=0.9))
    longer = replace(staging.rollout, bake=timedelta(hours=1))
    return replace(
        wanted,
        environments=(replace(staging, rollout=longer), replace(production, rollout=longer, objectives=objectives)),
    )


def including(number: int) -> list[Facts]:
    """Models that all include the code that changed."""
    names = [f"model-{place:02}" for place in range(number)]
    models = [replace(CHURN, name=name, folder=f"models/{name}", registry_name=name) for name in names]
    changed = ("shared/features/age.py", "shared/features/tenure.py")
    trees = TREES | {"shared/features": "c" * 40}
    return [facts(state(each), state(each, trees=trees), changed=changed) for each in models]


def gated() -> Facts:
    lower = replace(
        CHURN, gates=(Gate(metric="roc_auc", minimum=0.75), Gate(metric="brier", maximum=0.2, max_drop=0.01))
    )
    record = LaunchRecord(
        model="churn", key="k" * 17, attempt=1, commit="c" * 40, run_id="run12", deadline=NOW, state=LaunchState.GATED,
        gates=digest(GATES),
    )  # fmt: skip
    return facts(state(), state(lower), record=record)


def by_hand(after: Pin | None, *before: Pin) -> Facts:
    """A change of production's pin file alone."""
    known = before or (PINS["production"],)
    old = PINS | {"production": known[-1]}
    new = old | {"production": after} if after else {"staging": PINS["staging"]}
    return facts(
        state(pins=old), state(pins=new, found={"production": state(pins=old).rendered["production"].found}),
        histories={"production": history(*known)},
    )  # fmt: skip


def without_staging() -> Facts:
    alone = replace(CHURN, environments=(replace(CHURN.environments[1], after=()),))
    return facts(state(), state(alone), files=frozenset({"models/churn/staging.yaml"}))


def with_shadow() -> Facts:
    staging, production = CHURN.environments
    shadow = replace(staging, name="shadow", after=("staging",))
    three = replace(CHURN, environments=(staging, shadow, replace(production, after=("shadow",))))
    return facts(state(), state(three, pins=PINS))


FROZEN_ON_FRIDAYS = replace(WORKSPACE, freezes=(FRIDAYS,))
YEAR = Data(name="year", uri="s3://data/2026.parquet", digest="sha256:" + "d" * 64)
REJECTING = PINS | {
    "production": replace(PINS["production"], rejected=(Rejected(version=9, key="k1", reason="latency ×2.4"),))
}
NOT_RENDERED = {"staging": None, "production": None}
RENAMED = replace(CHURN, name="attrition", registry_name="attrition")
MOVED = replace(CHURN, folder="models/growth/churn")
FILES = frozenset(
    {"rendered/staging/churn.yaml", "rendered/production/churn.yaml", "models/churn/staging.yaml",
     "models/churn/production.yaml"}
)  # fmt: skip
NEXT = ours(CHURN, "production", Pin(stable=pin_of(12), previous=pin_of(11)))
PROMOTED = stamped(
    "churn", "production", replace(PINS["production"], canary=Canary(pin=pin_of(12), weight=0.1)),
    mark(Kind.PROMOTE, PINS["production"]),
)  # fmt: skip
EVERYBODY = replace(
    WORKSPACE,
    environments=("staging", "canary", "production"),
    defaults={"bake": "1h"},
    freezes=(FRIDAYS,),
    limits=Limits(rollouts=5),
    approvals={"production": Approvals(handles=("@dana", "@kim"), count=2)},
    registry=Server(url="https://user:secret@mlflow.example.org", auth={"bearer": {"env": "TOKEN"}}),
    hold=Hold(reason="audit", scope="all"),
)
BROKEN = Finding(
    rule="value", severity=Severity.ERROR, path="models/kyc/model.yaml", line=7, column=12,
    message="'thirty' is not a duration such as 30s, 15m or 1h30m", hint="write a number with its unit",
)  # fmt: skip

CASES: dict[str, Plan] = {
    "nothing": plan_of(facts(state(), state())),
    "parameter": plan_of(facts(state(), state(DEEPER)), freeze=next_window(FROZEN_ON_FRIDAYS, NOW)),
    "shared-code": plan_of(*including(12)),
    "shared-code-allowed": plan_of(*including(12), allowed=12),
    "new-model": plan_of(facts(None, state(pins={}))),
    "lock-file-and-data": plan_of(
        facts(state(), state(training(environment="cuda.lock", seed=7, command=("python", "x.py"), data=(YEAR,))))
    ),
    "trained-already": plan_of(of_key(DEEPER, TrainingState.SUCCEEDED, version=12)),
    "training-failed-before": plan_of(of_key(DEEPER, TrainingState.FAILED, words="exit 1; its last lines:\nboom")),
    "training-runs": plan_of(of_key(DEEPER, TrainingState.RUNNING)),
    "gates-said-no": plan_of(of_key(DEEPER, TrainingState.GATED, words="roc_auc 0.7 < minimum 0.8")),
    "rejected-key": plan_of(
        replace(of_key(DEEPER, TrainingState.SUCCEEDED, version=9), after=state(DEEPER, pins=REJECTING))
    ),
    "no-training-any-more": plan_of(facts(state(), state(replace(CHURN, training=None)))),
    "gates": plan_of(gated()),
    "policy": plan_of(facts(state(), state(softer(CHURN)))),
    "policy-in-flight": plan_of(facts(state(pins=ROLLING), state(softer(CHURN), pins=ROLLING), flights=FLYING)),
    "training-in-flight": plan_of(facts(state(pins=ROLLING), state(DEEPER, pins=ROLLING), flights=FLYING)),
    "hold-and-owners": plan_of(
        facts(state(), state(replace(DEEPER, hold=Hold(reason="audit"), owners=("@dana", "@kim"), depends_on=("kyc",))))
    ),
    "pin-by-hand": plan_of(by_hand(replace(PINS["production"], stable=pin_of(12), previous=pin_of(11)))),
    "pin-deleted": plan_of(by_hand(None)),
    "pin-brought-back": plan_of(by_hand(PINS["production"], PINS["production"], NEXT)),
    "pin-weight-and-rejections": plan_of(
        by_hand(
            replace(
                ROLLING["production"], canary=Canary(pin=pin_of(12), weight=0.0), hold=Hold(reason="wait"),
                rejected=(Rejected(version=9, key="k1", reason="slow"),),
            ),
            ROLLING["production"],
        )
    ),
    "pin-by-a-proposal": plan_of(by_hand(PROMOTED)),
    "deleted": plan_of(facts(state(), None, files=FILES, dependants=("kyc",))),
    "deleted-with-its-files": plan_of(facts(state(), None)),
    "renamed": plan_of(facts(state(), state(RENAMED, pins=PINS, found=NOT_RENDERED), files=FILES)),
    "moved": plan_of(facts(state(), state(MOVED, pins=PINS), files=FILES)),
    "moved-without-its-pins": plan_of(facts(state(), state(MOVED, pins={}), files=FILES)),
    "environment-removed": plan_of(without_staging()),
    "environment-added": plan_of(with_shadow()),
    "registered-elsewhere": plan_of(
        facts(state(), state(replace(CHURN, registry_name="churn-eu"), found={"staging": "routes: []\n"}))
    ),
    "workspace": plan_of(workspace=workspace_edits(WORKSPACE, EVERYBODY)),
    "findings": plan_of(facts(state(), state(DEEPER)), findings=(BROKEN,)),
}  # fmt: skip
AS_JSON = ("nothing", "parameter", "policy-in-flight", "pin-by-hand", "renamed", "workspace")


@pytest.mark.parametrize("name", CASES)
def test_a_plan_reads_as_reviewed(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"plan/{name}.md", plan_markdown.document(CASES[name]))
    golden(f"plan/{name}.txt", "".join(f"{line}\n" for line in plan_text.lines(CASES[name])))


@pytest.mark.parametrize("name", AS_JSON)
def test_a_plan_for_programs_is_as_reviewed(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"plan/{name}.json", plan_json.document(CASES[name]) + "\n")


def test_I11_what_signs_in_anywhere_is_not_shown() -> None:
    """An address loses its user, and a reference to a secret is only said to change."""
    other = replace(
        EVERYBODY, registry=Server(url="https://mlflow.example.org", auth={"bearer": {"env": "OTHER_TOKEN"}})
    )
    changed = plan_of(workspace=workspace_edits(EVERYBODY, other))
    assert [(edit.setting, edit.before, edit.after) for edit in changed.workspace] == [("registry.auth", "set", "set")]
    for plan in (changed, CASES["workspace"]):
        for text in (plan_markdown.document(plan), plan_json.document(plan), *plan_text.lines(plan)):
            assert not any(secret in text for secret in ("secret", "TOKEN", "user"))


def test_the_order_is_by_what_nobody_may_overlook() -> None:
    plans = [CASES[name].models[0] for name in ("policy", "parameter", "pin-by-hand", "deleted", "new-model")]
    named = [replace(plan, name=f"{place}") for place, plan in enumerate(plans)]
    assert [plan.name for plan in in_order(reversed(named))] == ["3", "2", "1", "4", "0"]


NUMBERS = (0.75, 0.8)


@given(
    depth=st.sampled_from((6, 8)),
    bound=st.sampled_from(NUMBERS),
    owner=st.sampled_from(("@dana", "@kim")),
    events=st.sampled_from((200, 300)),
    hold=st.sampled_from((None, Hold(reason="audit"))),
)
def test_a_plan_names_exactly_what_differs(
    depth: int, bound: float, owner: str, events: int, hold: Hold | None
) -> None:
    environments = tuple(replace(e, rollout=replace(e.rollout, minimum_events=events)) for e in CHURN.environments)
    gates = (replace(GATES[0], minimum=bound),)
    after = replace(trained({"depth": depth}), gates=gates, owners=(owner,), environments=environments, hold=hold)
    found = plan_of(facts(state(), state(after, pins=PINS))).models
    assert bool(found) is (after != CHURN)
    for model in found:
        assert model.launches is (depth != 6)
        assert {edit.setting for edit in model.edits} == {
            *(["owners"] if owner != "@dana" else []),
            *(["hold"] if hold else []),
            *(["rollout.minimumEvents"] if events != 200 else []),
        }
        assert any(gate.before != gate.after for gate in model.gates) is (bound != GATES[0].minimum)
