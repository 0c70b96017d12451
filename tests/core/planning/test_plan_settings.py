"""Settings that change, as a plan tells them: by the keys and names of the manifest, and where they act."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.changes import facts, ours, plan_of, settled, state
from support.situations import pin_of
from tidegate import bundled
from tidegate.core.manifest import Model
from tidegate.core.pin import Pin
from tidegate.core.planning.details import policy
from tidegate.core.planning.plan import Flight
from tidegate.core.read import read_model
from tidegate.core.workspace import Workspace
from tidegate.reporters.plan_text import plain

HEAD = "apiVersion: tidegate.dev/v1alpha1\nkind: Model\nmetadata: {name: churn}\nspec:\n"
GAUGED = "  serving: {target: {ready: model_ready}}\n"
ENVIRONMENTS = "  environments: {staging: {}, production: {}}\n"
RIGHT = "{good: right, total: scored, target: 90%}"
QUALITY = "{bad: wrong, total: scored, labels: {served: predictions, delay: 2h}, target: 80%}"
MEAN = "{sum: latency_sum, total: latency_count, range: [0, 5], maximum: 0.4}"
RECENT = "{value: recent_share, minimum: 0.3, for: 5m}"


def model(objectives: str = "{right: " + RIGHT + "}", more: str = "", environments: str = ENVIRONMENTS) -> Model:
    text = f"{HEAD}  objectives: {objectives}\n{more}{environments}{GAUGED}"
    return read_model(text, "models/churn/model.yaml", bundled.schemas(), Workspace())


def edited(before: Model, after: Model, flights: dict[str, Flight] | None = None) -> list[str]:
    """The lines under "Settings"; staging bakes, so what acts there acts at once."""
    pins = settled(after) | {"staging": ours(after, "staging", Pin(stable=pin_of(12)))}
    plans = plan_of(facts(state(before, pins), state(after, pins), flights=flights or {})).models
    return [plain(line) for each in plans for line in policy(each)]


NEXT = "With the next rollout: "


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        pytest.param(
            RIGHT,
            "{good: right, total: scored, target: 95%}",
            "objectives.a.target 90% → 95%",
            id="a-target",
        ),
        pytest.param(
            None,
            RIGHT,
            "objectives.a none → target 90%, good right, total scored",
            id="a-new-objective-says-no-more-than-its-keys",
        ),
        pytest.param(
            None,
            "{histogram: seconds, under: 250ms, target: 99%, window: 7d, effect: block}",
            "objectives.a none → target 99%, under 250ms, window 7d, effect block, histogram seconds",
            id="a-new-one-of-latency",
        ),
        pytest.param(
            None,
            QUALITY,
            "objectives.a none → target 80%, labels {served predictions, delay 2h}, bad wrong, total scored",
            id="a-new-one-whose-labels-come-late",
        ),
        pytest.param(
            QUALITY,
            QUALITY.replace("2h", "3h"),
            "objectives.a.labels.delay 2h → 3h",
            id="when-labels-come",
        ),
        pytest.param(
            None,
            MEAN,
            "objectives.a none → maximum 0.4, range [0, 5], sum latency_sum, total latency_count",
            id="a-new-mean-has-a-bound-and-no-target",
        ),
        pytest.param(MEAN, MEAN.replace("0.4", "0.3"), "objectives.a.maximum 0.4 → 0.3", id="the-bound-of-a-mean"),
        pytest.param(
            MEAN,
            MEAN.replace("maximum: 0.4", "minimum: 0.3"),
            "objectives.a.maximum 0.4 → none; objectives.a.minimum none → 0.3",
            id="a-mean-that-is-better-when-it-is-higher",
        ),
        pytest.param(
            None, RECENT, "objectives.a none → minimum 0.3, for 5m, value recent_share", id="a-new-one-of-a-figure"
        ),
        pytest.param(RECENT, RECENT.replace("5m", "10m"), "objectives.a.for 5m → 10m", id="how-long-a-figure-is-out"),
        pytest.param(RECENT, None, "objectives.a minimum 0.3, for 5m, value recent_share → none", id="one-that-goes"),
        pytest.param(
            RIGHT,
            RIGHT.replace("}", ", labels: {served: predictions, delay: 2h}}"),
            "objectives.a.labels none → served predictions, delay 2h, minimumCoverage 80%",
            id="an-objective-that-is-judged-by-late-labels-from-now-on",
        ),
    ],
)
def test_an_objective_is_told_by_its_own_keys(before: str | None, after: str | None, said: str) -> None:
    old, new = (f"{{other: {RIGHT}" + (f", a: {each}" if each else "") + "}" for each in (before, after))
    assert edited(model(old), model(new)) == [f"{NEXT}{line} in production" for line in said.split("; ")]


CANARIES = "  environments: {staging: {rollout: {steps: [50%]}}, production: {rollout: {steps: [50%]}}}\n"
JUDGED = "  environments: {staging: {judge: objectives}, production: {}}\n"
UNJUDGED = "  environments: {staging: {judge: none}, production: {}}\n"


@pytest.mark.parametrize(
    ("setting", "told", "plain_", "judged", "canaries"),
    [
        pytest.param("worseThan: 1.5", "rollout.worseThan 1.1 → 1.5", False, False, True, id="against-stable"),
        pytest.param("onAbsent: revert", "rollout.onAbsent ask → revert", False, False, True, id="of-a-canary"),
        pytest.param(
            "probation: {duration: 2h}", "rollout.probation.duration 24h → 2h", False, False, True, id="probation"
        ),
        pytest.param("minimumEvents: 9", "rollout.minimumEvents 200 → 9", False, True, True, id="by-objectives"),
        pytest.param(
            "analysis: {dispersion: 3}", "rollout.analysis.dispersion 2 → 3", False, True, True, id="how-events-scatter"
        ),
        pytest.param(
            "analysis: {resolution: 30s}", "rollout.analysis.resolution 1m → 30s", True, True, True, id="by-anything"
        ),
        pytest.param("bake: 9m", "rollout.bake 30m → 9m", True, True, True, id="how-long"),
    ],
)
def test_a_setting_is_told_where_it_acts(setting: str, told: str, plain_: bool, judged: bool, canaries: bool) -> None:
    """production has canaries and is settled; something bakes in staging, which judges in one of three ways."""
    for environments, acts in ((ENVIRONMENTS, plain_), (JUDGED, judged), (CANARIES, canaries)):
        before = model(environments=environments)
        after = model(more=f"  rollout: {{{setting}}}\n", environments=environments)
        at_once = [f"At once: {told} in staging"] if acts else []
        assert edited(before, after) == [*at_once, f"{NEXT}{told} in production"]


def test_where_nothing_is_judged_time_alone_counts() -> None:
    before = model(environments=UNJUDGED)
    after = model(more="  rollout: {bake: 9m, analysis: {resolution: 30s}}\n", environments=UNJUDGED)
    assert edited(before, after) == [
        "At once: rollout.bake 30m → 9m in staging",
        f"{NEXT}rollout.bake 30m → 9m in production",
        f"{NEXT}rollout.analysis.resolution 1m → 30s in production",
    ]


def test_steps_are_a_list() -> None:
    after = model(more="  rollout: {steps: [5%, 25%, 50%]}\n")
    assert edited(model(), after) == [f"{NEXT}rollout.steps [10%, 50%] → [5%, 25%, 50%] in production"]


@pytest.mark.parametrize("name", ["a", "p99.9"])
def test_objectives_judge_where_they_are_asked_and_values_too(name: str) -> None:
    before, after = (
        model(f"{{{name}: " + RECENT.replace("5m", each) + "}", environments=JUDGED) for each in ("5m", "6m")
    )
    assert edited(before, after) == [
        f"At once: objectives.{name}.for 5m → 6m in staging",
        f"{NEXT}objectives.{name}.for 5m → 6m in production",
    ]


def test_labels_that_come_late_compare_two_versions_so_they_need_a_canary() -> None:
    before, after = (model("{a: " + QUALITY.replace("2h", each) + "}", environments=JUDGED) for each in ("2h", "3h"))
    assert edited(before, after) == [f"{NEXT}objectives.a.labels.delay 2h → 3h in production"]


def without_gauge(wanted: Model) -> Model:
    bare = (replace(each, target=replace(each.target, ready=None)) for each in wanted.environments)
    return replace(wanted, environments=tuple(bare))


def test_events_show_that_a_version_serves_where_no_gauge_does() -> None:
    """What is read then acts, and not what it is held against."""
    before = without_gauge(model())
    after = without_gauge(model("{right: {good: correct, total: scored, target: 95%}}"))
    assert [line for line in edited(before, after) if "staging" in line] == [
        "At once: objectives.right.good right → correct in staging"
    ]


def test_what_acts_nowhere_is_told_as_such() -> None:
    environments = "  environments: {staging: {rollout: {worseThan: 1.5}}, production: {}}\n"
    assert edited(model(), model(environments=environments)) == [
        "Nothing acts on it: rollout.worseThan 1.1 → 1.5 in staging"
    ]


def test_a_canary_that_a_person_set_is_judged_as_one() -> None:
    after = model(more="  rollout: {worseThan: 1.5}\n")
    told = edited(model(), after, {"staging": Flight(version=12, weight=0.2)})
    assert told[0] == "At once: rollout.worseThan 1.1 → 1.5 in staging"
