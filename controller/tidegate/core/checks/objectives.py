"""Rules about objectives: whether each says one thing and says it whole, and whether anything judges it.

Expressions and selectors are looked at in `promql` and `selectors`, values and labels in `readings`, alerts in
`alerts`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tidegate.core import bounds, objective_keys, presets
from tidegate.core.checks import form
from tidegate.core.checks.effective import Objective, awaited, entries, objectives, understood
from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Manifest, section
from tidegate.core.fault import Fault
from tidegate.core.finding import Severity
from tidegate.core.nearest import nearest
from tidegate.core.quantity import duration
from tidegate.core.shown import shown

UNKNOWN_PRESET = Rule(
    id="unknown-preset",
    title="A preset that is not there",
    why="A preset is a name for selectors that several models share: one of the `presets` in `tidegate.yaml`, or the "
    "built-in ones, such as `http-availability` (docs/metrics.md has them all).",
    bad="spec: {objectives: {availability: {preset: http-avalability, target: 99.5%}}}",
    good="spec: {objectives: {availability: {preset: http-availability, target: 99.5%}}}",
)

CANNOT_JUDGE = Rule(
    id="cannot-judge",
    title="A preset by which nothing can be judged",
    why="Some sources do not say which version of a model answered, or count no errors. A version is judged by its own "
    "events, so there is nothing to go by. Measure at the gateway, or have Prometheus add the labels while it scrapes: "
    "the preset of the same name with `-relabelled` reads such series. docs/metrics.md has all sources.",
    bad="spec: {objectives: {latency: {preset: vllm-latency, under: 10s, target: 95%}}}",
    good="spec: {objectives: {latency: {preset: vllm-latency-relabelled, under: 10s, target: 95%}}}",
)

PRESET_WITHOUT_EFFECT = Rule(
    id="preset-without-effect",
    severity=Severity.WARNING,
    title="A preset of which nothing is left",
    why="What an objective writes itself goes before its preset. If it writes every selector that the preset has, the "
    "preset does nothing: take it out, or take out the selectors that it should give.",
    bad="spec: {objectives: {errors: {preset: http-availability, bad: failed_total, total: tried_total, target: 99%}}}",
    good="spec: {objectives: {errors: {bad: failed_total, total: tried_total, target: 99%}}}",
)

INCOMPLETE_OBJECTIVE = Rule(
    id="incomplete-objective",
    title="An objective that lacks something",
    why="An objective counts bad or good events among all of them, or reads a histogram at a bound, and has a target; "
    "or it reads a mean or a value, and has a bound. A preset gives selectors, never the target, and never `under`.",
    bad="spec: {objectives: {availability: {preset: http-availability}}}",
    good="spec: {objectives: {availability: {preset: http-availability, target: 99.5%}}}",
)

MIXED_OBJECTIVE = Rule(
    id="mixed-objective",
    title="An objective of two kinds",
    why="An objective is one of five: `bad` and `total`, `good` and `total`, `histogram` and `under`, `sum` and "
    "`total` with `range`, or a `value`; the last two with `minimum` or `maximum`. Keys of another kind beside them "
    "would go unheard. Keys of its preset count as well.",
    bad="spec: {objectives: {errors: {bad: failed_total, good: answered_total, total: tried_total, target: 99%}}}",
    good="spec: {objectives: {errors: {bad: failed_total, total: tried_total, target: 99%}}}",
)

TARGET_OUT_OF_RANGE = Rule(
    id="target-out-of-range",
    title="A target of nothing or of everything",
    why="At 100% the error budget is empty: a single bad event is a breach for ever, and no amount of good ones makes "
    "up for it. At 0% nothing is asked for. Write what users would still call good, such as 99.9%.",
    bad="spec: {objectives: {availability: {preset: http-availability, target: 100%}}}",
    good="spec: {objectives: {availability: {preset: http-availability, target: 99.9%}}}",
)

JUDGED_NOWHERE = Rule(
    id="judged-nowhere",
    severity=Severity.WARNING,
    title="Objectives that nothing judges",
    why="Objectives are judged while a version is canary or on probation, and where an environment says `judge: "
    "objectives`. Without any of these they are only recorded and alerted on, and revert nothing.",
    bad="spec:\n"
    "  objectives: {availability: {preset: http-availability, target: 99.5%}}\n"
    "  rollout: {steps: []}\n"
    "  environments: {production: {judge: none}}",
    good="spec:\n"
    "  objectives: {availability: {preset: http-availability, target: 99.5%}}\n"
    "  environments: {production: {}}",
)

NOTHING_TO_JUDGE = Rule(
    id="nothing-to-judge",
    severity=Severity.WARNING,
    title="A canary without an objective",
    why="A canary goes on when its objectives say so, after enough of the events that they count. Without objectives "
    "there is no event and no verdict: after the first version, every step waits for a person. An environment in "
    "which nothing should be compared has `steps: []`.",
    bad="spec: {environments: {production: {}}}",
    good="spec:\n"
    "  objectives: {availability: {preset: http-availability, target: 99.5%}}\n"
    "  environments: {production: {}}",
)

RULES = (
    UNKNOWN_PRESET,
    CANNOT_JUDGE,
    PRESET_WITHOUT_EFFECT,
    INCOMPLETE_OBJECTIVE,
    MIXED_OBJECTIVE,
    TARGET_OUT_OF_RANGE,
    JUDGED_NOWHERE,
    NOTHING_TO_JUDGE,
)

_NAMED = 10
"""So many presets are listed for somebody who named none of them."""


def objectives_say_one_thing(manifest: Manifest) -> Iterator[Fault]:
    """Each objective in every form in which it holds."""
    for objective in objectives(manifest):
        if "preset" in objective.data:
            yield from _preset(objective, manifest)
        if objective_keys.fault(objective.keys) is not None and not _misspelt(objective, manifest):
            yield from _keys(objective, manifest)
        yield from _quantities(objective)


def objectives_are_judged(manifest: Manifest) -> Iterator[Fault]:
    """There is something to judge by, and something that judges."""
    canarying = [entry.environment for entry in entries(manifest) if entry.canaries]
    written = section(manifest.document.data, "spec")
    if not written.get("objectives"):
        for name in canarying:
            if not section(written, "environments", name).get("objectives"):
                message = f"versions enter {name} as canaries, and no objective says when they may go on"
                hint = "add an objective, or `rollout: {steps: []}` where nothing is to be compared"
                yield NOTHING_TO_JUDGE.at(("spec", "environments", name), message, hint, on_key=True)
    elif manifest.order and not canarying and not any(_judges(manifest, name) for name in awaited(manifest)):
        message = "nothing judges by objectives: no version is ever a canary, and none bakes with `judge: objectives`"
        yield JUDGED_NOWHERE.at(("spec", "objectives"), message, "give `steps` a weight, such as [50%]", on_key=True)


def _judges(manifest: Manifest, environment: str) -> bool:
    """Whether a version that bakes here for the next environment is held against its objectives."""
    default = "objectives" if environment == manifest.order[-1] else "ready"
    judge: str = section(manifest.environments, environment).get("judge", default)
    return judge == "objectives"


def _misspelt(objective: Objective, manifest: Manifest) -> bool:
    """An override of no objective is another rule's finding, as long as it does not stand for itself."""
    common = section(manifest.spec, "objectives")
    return objective.name not in common and objective_keys.missing(objective.keys) is not None


def _preset(objective: Objective, manifest: Manifest) -> Iterator[Fault]:
    name = objective.data["preset"]
    preset = presets.named(name, manifest.workspace)
    way = objective.way("preset")
    if preset is None:
        known = presets.known(manifest.workspace)
        meant = nearest(name, known)
        hint = f"did you mean {meant}?" if meant else f"there are: {_listed(known)}"
        yield UNKNOWN_PRESET.at(way, f"there is no preset {shown(name)}", hint)
    elif (refusal := preset.refusal(manifest.workspace)) is not None:
        yield CANNOT_JUDGE.at(way, f"cannot judge: {refusal}", preset.remedy(name, manifest.workspace))
    elif not preset.labels and all(any(key in data for _, data in objective.layers) for key in preset.selectors):
        written = ", ".join(sorted(preset.selectors))
        message = f"{written} are written beside it: nothing of the preset {shown(name)} is used"
        yield PRESET_WITHOUT_EFFECT.at(way, message, "take it out")


def _listed(names: Sequence[str]) -> str:
    some = ", ".join(shown(name)[1:-1] for name in names[:_NAMED])
    return some if len(names) <= _NAMED else f"{some}, and {len(names) - _NAMED} more"


def _keys(objective: Objective, manifest: Manifest) -> Iterator[Fault]:
    way = objective.layers[-1][0]
    missing = objective_keys.missing(objective.keys)
    if missing is not None and not _gives_nothing(objective, manifest):
        message = f"{objective.title} lacks {missing}"
        yield INCOMPLETE_OBJECTIVE.at(way, message, "add what is missing", on_key=True)
    for key in objective_keys.strangers(objective.keys):
        one, other = (_with_source(name, objective) for name in (key, objective.lead or ""))
        message = f"{one} has nothing to do with {other}: {objective.title} is of one kind or the other"
        yield MIXED_OBJECTIVE.at(objective.way(key), message, "keep the keys of one kind", on_key=True)


def _gives_nothing(objective: Objective, manifest: Manifest) -> bool:
    """Whether its preset is unknown or refused, which is another rule's finding."""
    if "preset" not in objective.data:
        return False
    preset = presets.named(objective.data["preset"], manifest.workspace)
    return preset is None or preset.refusal(manifest.workspace) is not None


def _with_source(key: str, objective: Objective) -> str:
    return key if any(key in data for _, data in objective.layers) else f"{key} (of its preset)"


def _quantities(objective: Objective) -> Iterator[Fault]:
    """What the reader would refuse, in its words."""
    for key, convert in _READ:
        if key not in objective.data or understood(convert, objective.data[key]) is not None:
            continue
        try:
            convert(objective.data[key])
        except ValueError as error:
            if key == "target":
                hint = "write what users would still call good, such as 99.9%"
                yield TARGET_OUT_OF_RANGE.at(objective.way(key), str(error), hint)
            else:
                yield form.VALUE.at(objective.way(key), str(error))


_READ = (
    ("target", bounds.target),
    ("window", bounds.window),
    ("under", bounds.under),
    ("for", duration),
    ("minimum", bounds.number),
    ("maximum", bounds.number),
    ("range", bounds.span_of_figures),
)
