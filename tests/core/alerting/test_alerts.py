"""Rules do what they say: each file passes `promtool check rules`, and alerts as it should in `promtool test rules`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.promtool import Unit, check
from tidegate.core.alerting.alerts import Alert, Group, group
from tidegate.core.alerting.queries import span
from tidegate.core.alerting.rule_file import text
from tidegate.core.manifest import Effect, Environment, Model, Objective
from tidegate.core.workspace import MetricLabels
from tidegate.core.yaml.document import read

CHURN = Model(
    name="churn",
    folder="models/churn",
    owners=("@acme/growth-ml", "@dana"),
    labels={"team": "growth"},
    environments=(),
)
PRODUCTION = Environment(name="production")
AVAILABILITY = Objective(name="availability", target=0.99, bad='requests_total{code="500"}', total="requests_total")
LATENCY = Objective(name="latency", target=0.99, histogram="predict_seconds", under=timedelta(milliseconds=250))
QUICK = Objective(name="quick", target=0.99, good="quick_total", total="requests_total")

PAGE, TICKET = ("TidegateErrorBudgetBurn", "page"), ("TidegateErrorBudgetBurn", "ticket")
ABSENT = ("TidegateAbsent", "page")


def made(*objectives: Objective, model: Model = CHURN, names: MetricLabels | None = None) -> str:
    return text([made_group(objective, model, names) for objective in objectives])


def made_group(objective: Objective, model: Model = CHURN, names: MetricLabels | None = None) -> Group:
    return group(model, PRODUCTION, objective, names or MetricLabels())


def series(name: str, version: int = 11, **labels: str) -> str:
    """One counter of the model in production."""
    all_labels = {"model": "churn", "environment": "production", "version": str(version), **labels}
    matchers = ",".join(f'{label}="{value}"' for label, value in all_labels.items())
    return f"{name}{{{matchers}}}"


def test_the_file_is_as_reviewed(golden: Callable[[str, str], None], tmp_path: Path) -> None:
    ninety = replace(LATENCY, target=0.9, window=timedelta(days=28))
    file = made(AVAILABILITY, ninety, replace(QUICK, effect=Effect.INFORM))
    check(file, tmp_path)
    golden("rules/churn.rules.yaml", file)


def test_nothing_alerts_while_all_is_well(tmp_path: Path) -> None:
    healthy = {series("requests_total", code="200"): "0+998x600", series("requests_total", code="500"): "0+2x600"}
    Unit(
        series=healthy,
        firing={"10m": [], "2h": [], "9h": []},
        values=[
            ("9h", "tidegate:bad_events_per_events:ratio_rate1h", 0.002),
            ("9h", "tidegate:bad_events_per_events:ratio_period", 0.002),
            ("9h", "tidegate:error_budget:ratio", 0.01),
            ("9h", "tidegate:error_budget:remaining", 0.8),
        ],
    ).run(made(AVAILABILITY), tmp_path)


def test_a_burn_pages_soon_and_stops_paging_soon_after_it_ends(tmp_path: Path) -> None:
    """Half of the events fail for 30 minutes: 14.4 % of an hour are reached after 18 of them.

    All there is of three days is these seven hours, so that the slow ticket is in as well.
    """
    burning = {
        series("requests_total", code="200"): "0+100x360 36050+50x29 37600+100x60",
        series("requests_total", code="500"): "0+0x360 50+50x29 1500+0x60",
    }
    Unit(
        series=burning,
        firing={"6h": [], "6h16m": [TICKET], "6h19m": [PAGE, TICKET], "6h30m": [PAGE, TICKET], "6h37m": [TICKET]},
    ).run(made(AVAILABILITY), tmp_path)


def test_a_slow_burn_opens_a_ticket_and_pages_nobody(tmp_path: Path) -> None:
    burning = {series("requests_total", code="200"): "0+98x6000", series("requests_total", code="500"): "0+2x6000"}
    Unit(series=burning, firing={"6h": [TICKET], "4d": [TICKET]}, step="2h").run(made(AVAILABILITY), tmp_path)


@pytest.mark.parametrize(
    ("target", "firing"),
    [
        pytest.param(0.99, {"30m": [PAGE]}, id="within-the-hour-where-the-fast-page-can-fire"),
        pytest.param(0.90, {"3h30m": [], "4h": [PAGE]}, id="where-it-cannot-the-slow-one-does-after-3h36m"),
        pytest.param(0.80, {"14h": [], "14h30m": [TICKET]}, id="where-no-page-can-a-ticket-does-after-14h24m"),
    ],
)
def test_an_outage_alerts_as_soon_as_a_pair_in_reach_trips(
    target: float, firing: Mapping[str, list[tuple[str, str]]], tmp_path: Path
) -> None:
    """Three days of health, then every event fails; instants count from the failure."""
    outage = {
        series("requests_total", code="200"): "0+100x4320 432000+0x1000",
        series("requests_total", code="500"): "0+0x4320 100+100x1000",
    }
    instants = {f"3d{at}": alerts for at, alerts in firing.items()}
    Unit(series=outage, firing=instants, step="30m").run(made(replace(AVAILABILITY, target=target)), tmp_path)


def test_what_cannot_fire_or_fires_inside_the_objective_is_not_there(tmp_path: Path) -> None:
    out_of_reach, inside = replace(AVAILABILITY, target=0.8), replace(LATENCY, window=timedelta(days=7))
    for objective, missing in (
        (out_of_reach, {"ratio_rate5m", "ratio_rate30m"}),
        (inside, {"ratio_rate1d", "ratio_rate3d"}),
    ):
        file = made(objective)
        check(file, tmp_path)
        assert not [name for name in missing if name in file]
        assert all(f"# {remark}" in file for remark in made_group(objective).remarks)
        assert made_group(objective).remarks


def test_an_objective_without_a_pair_is_recorded_and_its_absence_is_a_ticket(tmp_path: Path) -> None:
    a_day = replace(AVAILABILITY, window=timedelta(days=1))
    file = made(a_day)
    check(file, tmp_path)
    alerts = [rule for rule in made_group(a_day).rules if isinstance(rule, Alert)]
    assert [(alert.name, alert.labels["severity"]) for alert in alerts] == [("TidegateAbsent", "ticket")]


GONE = {series("requests_total", code="200"): "0+100x120 _x90", series("requests_total", code="500"): "0+0x120 _x90"}
"""Scraped for two hours, then gone; a sample is shown for five minutes more."""


def test_counters_that_are_gone_alert_when_an_outage_would(tmp_path: Path) -> None:
    """2 % of the budget of 1 % over 30 days are spent by an outage of 8.64 minutes."""
    Unit(series=GONE, firing={"2h": [], "2h13m": [], "2h16m": [ABSENT], "3h20m": [ABSENT]}).run(
        made(AVAILABILITY), tmp_path
    )


def test_a_restart_of_a_few_minutes_is_no_absence_even_where_an_outage_would_alert_sooner(tmp_path: Path) -> None:
    """2 % of the budget of 0.01 % are spent by an outage of five seconds."""
    strict = replace(AVAILABILITY, target=0.9999)
    Unit(series=GONE, firing={"2h9m": [], "2h13m": [ABSENT]}).run(made(strict), tmp_path)


def test_counters_that_never_were_there_are_not_missed(tmp_path: Path) -> None:
    Unit(series={'requests_total{model="other"}': "0+100x120"}, firing={"2h": []}).run(made(AVAILABILITY), tmp_path)


def test_counters_that_stand_still_are_idle_not_absent(tmp_path: Path) -> None:
    idle = {series("requests_total", code="200"): "0+100x60 6000+0x180"}
    Unit(
        series=idle,
        firing={"4h": []},
        values=[("4h", "tidegate:bad_events_per_events:ratio_rate1h", None), ("4h", "tidegate:events:increase5m", 0)],
    ).run(made(AVAILABILITY), tmp_path)


def test_no_bad_counter_yet_means_no_bad_events(tmp_path: Path) -> None:
    Unit(
        series={series("requests_total", code="200"): "0+100x120"},
        values=[
            ("2h", "tidegate:bad_events:increase5m", 0),
            ("2h", "tidegate:bad_events_per_events:ratio_rate5m", 0),
            ("2h", "tidegate:error_budget:remaining", 1),
        ],
    ).run(made(AVAILABILITY), tmp_path)


@pytest.mark.parametrize(
    ("objective", "total", "good"),
    [
        pytest.param(QUICK, ("requests_total", {}), ("quick_total", {}), id="good-and-total"),
        pytest.param(
            LATENCY, ("predict_seconds_count", {}), ("predict_seconds_bucket", {"le": "0.25"}), id="histogram"
        ),
    ],
)
def test_where_good_events_are_counted_the_others_are_bad(
    objective: Objective, total: tuple[str, dict[str, str]], good: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    """Version 11 has 5 % bad events; 12 has no good one, and has no such series."""
    counted = {
        series(total[0], 11, **total[1]): "0+100x120",
        series(good[0], 11, **good[1]): "0+95x120",
        series(total[0], 12, **total[1]): "0+10x120",
    }
    Unit(
        series=counted,
        values=[
            ("2h", 'tidegate:bad_events:increase5m{version="11"}', 25),
            ("2h", 'tidegate:bad_events:increase5m{version="12"}', 50),
            ("2h", 'tidegate:events:increase5m{version="11"}', 500),
            ("2h", "tidegate:bad_events_per_events:ratio_rate1h", round(15 / 110, 6)),
            ("2h", "tidegate:bad_events_per_events:ratio_period", round(15 / 110, 6)),
        ],
    ).run(made(objective), tmp_path)


def test_good_counters_that_are_gone_are_no_reading_and_alert_as_such(tmp_path: Path) -> None:
    """As after a restart since which nothing went well: the total is there, and nothing says what was good.

    Windows that reach back to good events see fewer and fewer of them, so that the burn is noticed as well.
    """
    counted = {
        series("requests_total"): "0+100x240",
        series("quick_total"): "0+99x120 _x120",
    }
    Unit(
        series=counted,
        firing={"2h": [], "2h16m": [ABSENT, PAGE, TICKET]},
        values=[
            ("4h", "tidegate:events:increase5m", None),
            ("4h", "tidegate:bad_events:increase5m", None),
            ("4h", "tidegate:bad_events_per_events:ratio_rate5m", None),
        ],
    ).run(made(QUICK), tmp_path)


def test_a_restart_is_no_bad_event(tmp_path: Path) -> None:
    restarted = {
        series("requests_total", code="200"): "0+100x60 0+100x60",
        series("requests_total", code="500"): "0+1x60 0+1x60",
    }
    Unit(series=restarted, firing={"2h": []}, values=[("1h30m", "tidegate:bad_events:increase5m", 5)]).run(
        made(replace(AVAILABILITY, target=0.98)), tmp_path
    )


def test_a_quiet_bad_hour_weighs_what_its_events_weigh(tmp_path: Path) -> None:
    """60,000 good events in one hour, 600 bad ones in the next: 1 % of events, where the mean of ratios is 50 %."""
    uneven = {
        series("requests_total", code="200"): "0+1000x60 60000+0x60",
        series("requests_total", code="500"): "0+0x60 10+10x59",
    }
    ratio = round(600 / 60600, 3)
    values = [("2h", "round(tidegate:bad_events_per_events:ratio_period, 0.001)", ratio)]
    Unit(series=uneven, values=values).run(made(AVAILABILITY), tmp_path)


def test_versions_are_told_apart_in_counts_and_summed_in_ratios(tmp_path: Path) -> None:
    counted = {
        series("requests_total", 11, code="200"): "0+90x120",
        series("requests_total", 12, code="200"): "0+5x120",
        series("requests_total", 12, code="500"): "0+5x120",
    }
    Unit(
        series=counted,
        values=[
            ("2h", 'tidegate:bad_events:increase5m{version="11",objective="availability"}', 0),
            ("2h", 'tidegate:bad_events:increase5m{version="12",objective="availability"}', 25),
            ("2h", "count(tidegate:bad_events_per_events:ratio_rate1h)", 1),
            ("2h", "tidegate:bad_events_per_events:ratio_rate1h", 0.05),
        ],
    ).run(made(AVAILABILITY), tmp_path)


@pytest.mark.parametrize(
    ("names", "counter", "recorded"),
    [
        pytest.param(MetricLabels(model="app", environment="env", version="v"), 'app="churn",env="production",v="11"',
                     'app="churn",env="production",v="11"', id="names-of-the-workspace"),
        pytest.param(MetricLabels(environment=""), 'model="churn",version="11"',
                     'model="churn",environment="production",version="11"', id="no-environment"),
        pytest.param(MetricLabels(model="", environment="", version=""), 'pod="a"',
                     'model="churn",environment="production"', id="no-label-at-all"),
    ],
)  # fmt: skip
def test_counters_have_the_workspace_s_labels(names: MetricLabels, counter: str, recorded: str, tmp_path: Path) -> None:
    counted = {f"requests_total{{{counter}}}": "0+100x60"}
    values = [
        ("1h", f"tidegate:events:increase5m{{{recorded}}}", 500),
        ("1h", "tidegate:bad_events_per_events:ratio_period", 0),
    ]
    file = made(AVAILABILITY, names=names)
    check(file, tmp_path)
    Unit(series=counted, values=values).run(file, tmp_path)


def test_an_objective_that_only_informs_pages_nobody(tmp_path: Path) -> None:
    inform = replace(AVAILABILITY, effect=Effect.INFORM)
    Unit(series=GONE, firing={"2h16m": [("TidegateAbsent", "ticket")]}).run(made(inform), tmp_path)
    severities = {rule.labels["severity"] for rule in made_group(inform).rules if isinstance(rule, Alert)}
    assert severities == {"ticket"}


def test_an_alert_says_what_is_wrong_whose_it_is_and_what_to_do(tmp_path: Path) -> None:
    burning = {series("requests_total", code="200"): "0+80x60", series("requests_total", code="500"): "0+20x60"}
    labels = {"model": "churn", "environment": "production", "objective": "availability"}
    routing = {"severity": "page", "owners": "@acme/growth-ml,@dana", "team": "growth"}
    description = (
        "20% of the events are bad, where 1% may be over 30d: more than 14.4 × (over 1h and 5m) or"
        " 6 × (over 6h and 30m). `tidegate status churn` shows what serves, `tidegate rollback churn production` goes"
        " back to the version before."
    )
    annotations = {
        "summary": "churn in production spends the error budget of availability too fast",
        "description": description,
    }
    wanted = {"exp_labels": {**labels, **routing}, "exp_annotations": annotations}
    page = {"eval_time": "1h", "alertname": "TidegateErrorBudgetBurn", "exp_alerts": [wanted]}
    Unit(series=burning, alerts=[page]).run(without_tickets(AVAILABILITY), tmp_path)


def without_tickets(objective: Objective) -> str:
    """Promtool compares every alert of a name at once: the others are left out."""
    whole = made_group(objective)
    kept = [rule for rule in whole.rules if rule.labels.get("severity") != "ticket"]
    return text([replace(whole, rules=tuple(kept))])


NASTY = [
    "{{ $value }}",
    "{{",
    'a "quoted" \\ name',
    "two\nlines",
    "tab\tand \x07 bell",
    "\u2028",
    "é 漢 🙂",
    "no",
    "1e3",
    "#",
    "a: b",
    "x" * 300,
]
"""Names of objectives that some layer could take for more than a name: YAML, PromQL, Go templates."""


@pytest.mark.parametrize("name", NASTY, ids=ascii)
def test_any_name_is_only_a_name_to_prometheus(name: str, tmp_path: Path) -> None:
    objective = replace(AVAILABILITY, name=name)
    owners = ("{{ .Labels.model }}",)
    file = made(objective, model=replace(CHURN, owners=owners, labels={"team": name}))
    check(file, tmp_path)
    labels = {"model": "churn", "environment": "production", "objective": name}
    wanted = {
        "exp_labels": {**labels, "severity": "page", "owners": owners[0], "team": name},
        "exp_annotations": {
            "summary": f"churn in production is not measured any more by {name}",
            "description": (
                f"Events of {name} were counted within the last 30d, and their series are gone. Nothing is known of"
                " them since, good or bad. Look at the scrape target, and at the labels of its series."
            ),
        },
    }
    alert = {"eval_time": "2h20m", "alertname": "TidegateAbsent", "exp_alerts": [wanted]}
    Unit(series=GONE, alerts=[alert]).run(file, tmp_path)


names_of_objectives = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@settings(max_examples=20)
@given(name=names_of_objectives, value=names_of_objectives)
def test_both_kinds_of_yaml_readers_read_the_groups_back(name: str, value: str) -> None:
    selector = Objective(name=name, target=0.9, bad=f"a{{b={quoted(value)}}}", total="a")
    groups = [made_group(selector, replace(CHURN, labels={"team": value}))]
    file = text(groups)
    assert yaml.safe_load(file) == read(file, "rules.yaml").data == as_data(groups)


def quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def as_data(groups: list[Group]) -> dict[str, Any]:
    """What a rule file says of these groups."""
    return {
        "groups": [{"name": g.name, "interval": "1m", "rules": [rule_data(rule) for rule in g.rules]} for g in groups]
    }


def rule_data(rule: Any) -> dict[str, Any]:
    if not isinstance(rule, Alert):
        return {"record": rule.name, "expr": rule.expression, "labels": dict(rule.labels)}
    minutes = {"for": span(rule.lasting)} if rule.lasting else {}
    said = {"labels": dict(rule.labels), "annotations": dict(rule.annotations)}
    return {"alert": rule.name, "expr": rule.expression, **minutes, **said}


objectives = st.builds(
    replace,
    st.sampled_from([AVAILABILITY, QUICK, LATENCY]),
    name=names_of_objectives,
    target=st.floats(1e-4, 1 - 1e-6),
    window=st.timedeltas(timedelta(hours=1), timedelta(days=366)),
)
label_names = st.builds(MetricLabels, model=st.sampled_from(["model", ""]), version=st.sampled_from(["version", ""]))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(objective=objectives, names=label_names)
def test_whatever_the_objective_prometheus_takes_its_rules(
    objective: Objective, names: MetricLabels, tmp_path: Path
) -> None:
    for rule in made_group(objective, names=names).rules:
        promql_parser.parse(rule.expression)
    check(made(objective, names=names), tmp_path)


def test_labels_that_prometheus_cannot_carry_are_left_out_and_named(tmp_path: Path) -> None:
    labels = {"team": "growth", "app.kubernetes.io/name": "x", "__reserved": "x", "severity": "page", "model": "other"}
    model = replace(CHURN, labels=labels, owners=())
    alert = made_group(AVAILABILITY, model).rules[-1]
    own = {"model": "churn", "environment": "production", "objective": "availability"}
    assert alert.labels == {**own, "team": "growth", "severity": "page"}
    assert len([remark for remark in made_group(AVAILABILITY, model).remarks if remark.startswith("no label")]) == 4
    check(made(AVAILABILITY, model=model), tmp_path)


def test_groups_of_all_models_and_environments_stand_in_one_file(tmp_path: Path) -> None:
    models = [replace(CHURN, name=name) for name in ("a", "a-b")]
    environments = [Environment(name=name) for name in ("b-c", "c")]
    groups = [group(m, e, o, MetricLabels()) for m in models for e in environments for o in (AVAILABILITY, LATENCY)]
    assert len({found.name for found in groups}) == len(groups)
    check(text(groups), tmp_path)


def test_a_file_without_groups_is_one_that_prometheus_takes(tmp_path: Path) -> None:
    check(text([]), tmp_path)
