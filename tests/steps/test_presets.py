"""Every preset on a real Prometheus that scraped what its source exposes: the counts come out right, and so does the
verdict on a good and on a bad version."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.counters import CANARY, STABLE, canary_question
from support.prometheus_server import PrometheusServer
from support.scraped_sources import configuration, exposed, serving
from tidegate import bundled
from tidegate.adapters.prometheus import Prometheus
from tidegate.core import presets
from tidegate.core.judging.judgement import judge
from tidegate.core.judging.queries import Scope
from tidegate.core.judging.reading import Sampled
from tidegate.core.judging.verdict import Comparison, Tally, Verdict, WeightChange
from tidegate.core.manifest import Objective
from tidegate.core.read import read_model, read_workspace
from tidegate.core.workspace import MetricLabels, Workspace
from tidegate.errors import InvalidManifest
from tidegate.steps.measure import measure

pytestmark = pytest.mark.contract

SCRAPES = 120
JUDGED = sorted(name for name, preset in presets.BUILT_IN.items() if not preset.obstacle)
REFUSED = sorted(name for name, preset in presets.BUILT_IN.items() if preset.obstacle)
POD_LABELS = {
    "knative-otel": "serving_knative_dev_service",
    "kserve": "serving_kserve_io_inferenceservice",
    "vllm": "app",
}


PLAIN = Workspace()
PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


@pytest.fixture(scope="module")
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def scraped(now: datetime, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that has half an hour of every source."""
    targets = exposed()
    relabelling = {source: presets.relabelling(label, MetricLabels()) for source, label in POD_LABELS.items()}
    with serving(targets, now - timedelta(minutes=30), SCRAPES) as address:
        folder = tmp_path_factory.mktemp("sources")
        server = PrometheusServer(folder, configuration=configuration(targets, address, relabelling))
        server.start()
        try:
            metrics = Prometheus(server.url)
            _until_scraped(metrics, len(targets))
            yield metrics
        finally:
            server.stop()


def _until_scraped(metrics: Prometheus, targets: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        moment = datetime.now(UTC)
        found = metrics.samples("up", moment - timedelta(minutes=1), moment)
        if isinstance(found, Sampled) and sum(series.samples[-1][1] for series in found.series) == targets:
            return
        time.sleep(0.05)
    raise AssertionError("not every target was scraped")


def objective(preset: str, workspace: Workspace = PLAIN) -> Objective:
    """As a manifest has it."""
    under = {"vllm-latency-relabelled": "under: 5s, "}.get(preset, "under: 250ms, ")
    known = presets.named(preset, workspace)
    bound = under if known and "histogram" in known.selectors else ""
    text = (
        "apiVersion: tidegate.dev/v1alpha1\nkind: Model\nmetadata: {name: churn}\n"
        f"spec: {{objectives: {{it: {{preset: {preset}, {bound}target: 95%}}}}, environments: {{production: {{}}}}}}\n"
    )
    model = read_model(text, "models/churn/model.yaml", bundled.schemas(), workspace)
    return model.environment("production").objectives[0]


def verdict(
    metrics: Prometheus, preset: str, now: datetime, versions: tuple[int, int], workspace: Workspace = PLAIN
) -> Verdict:
    """Of the first version, compared with the second."""
    since = now - timedelta(minutes=25)
    subject, reference = versions
    question = replace(
        canary_question(),
        subject=subject,
        reference=reference,
        since=since,
        weights=(WeightChange(at=since, weight=0.1),),
        objectives=(objective(preset, workspace),),
    )
    # vLLM's HTTP counter has the name that many have: its model has one of its own.
    scope = Scope(model="chat" if preset.startswith("vllm") else "churn", environment="production")
    return judge(question, measure(question, scope, metrics))


def rates(preset: str) -> tuple[float, float]:
    """Bad shares of the good and of the bad version in `sources/*.prom`: of errors, and of what takes too long."""
    return (0.02, 0.4) if "histogram" in presets.BUILT_IN[preset].selectors else (0.01, 0.3)


@pytest.mark.parametrize("preset", JUDGED)
def test_a_bad_version_is_found_by_its_preset(scraped: Prometheus, preset: str, now: datetime) -> None:
    found = verdict(scraped, preset, now, (CANARY, STABLE))
    assert found.unread is None
    (judged,) = found.objectives
    assert (judged.comparison, judged.reference.rate, judged.subject.rate) == (Comparison.WORSE, *rates(preset))


@pytest.mark.parametrize("preset", JUDGED)
def test_every_event_of_a_good_version_is_counted_once(scraped: Prometheus, preset: str, now: datetime) -> None:
    """In whole cells of a minute: four scrapes of a hundred events each."""
    (judged,) = verdict(scraped, preset, now, (STABLE, CANARY)).objectives
    cells = round(judged.subject.total / 400)
    assert cells >= 20
    assert judged.subject == Tally(bad=cells * 400 * rates(preset)[0], total=cells * 400)
    assert judged.comparison is Comparison.CLEARED


@pytest.mark.parametrize(
    ("preset", "label", "shares"),
    [
        pytest.param(
            "istio-availability", "destination_service_name,", (0.01, 8 / 15), id="what-found-no-pod-by-a-service-each"
        ),
        pytest.param("istio-answered", 'response_code!="0"', (0.01, 2 / 9), id="what-clients-gave-up-on-left-out"),
    ],
)
def test_the_presets_that_the_documentation_writes_out_count_what_it_says(
    scraped: Prometheus, preset: str, label: str, shares: tuple[float, float], now: datetime
) -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (text,) = (block for block in blocks if label in block)
    workspace = read_workspace(text, "tidegate.yaml", bundled.schemas())
    (judged,) = verdict(scraped, preset, now, (CANARY, STABLE), workspace).objectives
    assert (judged.reference.rate, judged.subject.rate) == pytest.approx(shares)


@pytest.mark.parametrize("preset", REFUSED)
def test_a_source_without_versions_or_errors_is_refused_with_what_to_do(preset: str) -> None:
    with pytest.raises(InvalidManifest) as refused:
        objective(preset)
    (finding,) = refused.value.findings
    assert "cannot judge: " in finding.message
    assert "scrape the gateway" in finding.message


def test_every_source_that_is_exposed_has_a_preset_and_the_other_way_round() -> None:
    sources = {target.source for target in exposed()}
    longest_first = sorted(sources, key=len, reverse=True)
    assert {next(s for s in longest_first if preset.startswith(s)) for preset in presets.BUILT_IN} == sources
