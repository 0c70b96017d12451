"""Presets: the built-in ones, and what a workspace says about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tidegate import bundled
from tidegate.core import promql
from tidegate.core.presets import BUILT_IN, dialect, known, named
from tidegate.core.read import read_workspace
from tidegate.core.workspace import MetricLabels, Workspace
from tidegate.errors import InvalidManifest


def of(**presets: Mapping[str, Any]) -> Workspace:
    return Workspace(presets={name.replace("_", "-"): preset for name, preset in presets.items()})


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_preset_has_plain_selectors_or_says_what_to_do(name: str) -> None:
    preset = BUILT_IN[name]
    for key in ("bad", "good", "total", "histogram"):
        if key in preset.selectors:
            read = promql.read(preset.selectors[key])
            assert isinstance(read, promql.Expression), key
            assert len(read.selectors) == 1
    refusal = preset.refusal(Workspace())
    assert (refusal is None) == (not preset.obstacle)
    assert refusal is None or "scrape the gateway" in preset.remedy(name, Workspace())


@pytest.mark.parametrize("name", [name for name in BUILT_IN if name.endswith("-relabelled")])
def test_a_relabelled_source_reads_the_same_series_by_the_workspace_s_labels(name: str) -> None:
    assert BUILT_IN[name].selectors == BUILT_IN[name.removesuffix("-relabelled")].selectors
    assert dialect({"preset": name}, Workspace()) == MetricLabels()


def test_relabelling_makes_the_labels_that_the_workspace_names() -> None:
    workspace = Workspace(labels=MetricLabels(model="app", environment="", version="v"))
    told = BUILT_IN["vllm-latency"].remedy("vllm-latency", workspace)
    assert "vllm-latency-relabelled" in told
    assert "{source_labels: [__meta_kubernetes_pod_label_app], target_label: app}" in told
    assert "{source_labels: [__meta_kubernetes_pod_label_version], target_label: v}" in told
    assert "environment" not in told


def test_a_workspace_s_own_preset_goes_before_a_built_in_one() -> None:
    workspace = of(istio_availability={"bad": "b", "total": "t"})
    preset = named("istio-availability", workspace)
    assert preset is not None
    assert (preset.selectors, preset.dialect(workspace)) == ({"bad": "b", "total": "t"}, None)


def test_a_workspace_may_change_the_labels_of_a_built_in_one_alone() -> None:
    workspace = of(istio_availability={"labels": {"version": "destination_workload"}})
    preset = named("istio-availability", workspace)
    assert preset is not None
    assert preset.selectors == BUILT_IN["istio-availability"].selectors
    assert preset.dialect(workspace) == MetricLabels(
        model="destination_canonical_service",
        environment="destination_service_namespace",
        version="destination_workload",
    )


@pytest.mark.parametrize(
    ("name", "labels", "judged"),
    [
        pytest.param("vllm-latency", {"version": "pod_version"}, True, id="a-label-of-its-own-lifts-the-refusal"),
        pytest.param("vllm-latency", {"environment": "namespace"}, False, id="another-label-does-not"),
        pytest.param("kserve-availability", {"version": "v"}, False, id="errors-that-nobody-counts-stay-uncounted"),
        pytest.param("ray-availability", {"version": "application"}, False, id="one-application-for-all-versions"),
    ],
)
def test_a_refused_preset_is_judged_once_its_versions_are_told_apart(
    name: str, labels: Mapping[str, str], judged: bool
) -> None:
    workspace = Workspace(presets={name: {"labels": labels}})
    preset = named(name, workspace)
    assert preset is not None
    assert (preset.refusal(workspace) is None) is judged


WORKSPACE = "apiVersion: tidegate.dev/v1alpha1\nkind: Workspace\n"


@pytest.mark.parametrize(
    ("preset", "words"),
    [
        pytest.param("{labels: {versoin: v}}", 'did you mean "version"?', id="a-misspelt-label"),
        pytest.param(
            "{labels: {version: {label: v, value: '{verison}'}}}", "does not have the form", id="a-misspelt-placeholder"
        ),
        pytest.param(
            "{labels: {version: {label: v, value: '{model}'}}}",
            "does not have the form",
            id="a-value-without-the-version",
        ),
        pytest.param(
            "{labels: {version: {value: 'v{version}'}}}", 'the key "label" is missing', id="a-value-of-no-label"
        ),
        pytest.param("{labels: {version: 'a-b'}}", "does not have the form", id="what-is-no-label-of-prometheus"),
        pytest.param("{unit: ms}", "not enough is given", id="a-unit-alone"),
        pytest.param("{histogram: h, unit: min}", 'must be "s" or "ms"', id="another-unit"),
    ],
)
def test_a_preset_that_says_something_else_is_a_finding(preset: str, words: str) -> None:
    with pytest.raises(InvalidManifest) as refused:
        read_workspace(f"{WORKSPACE}presets: {{mine: {preset}}}\n", "tidegate.yaml", bundled.schemas())
    assert any(words in f"{finding.message} {finding.hint}" for finding in refused.value.findings)


def test_labels_are_read_in_all_their_forms() -> None:
    text = (
        f"{WORKSPACE}metrics: {{labels: {{version: {{label: release, value: 'v{{version}}'}}}}}}\n"
        "presets: {slow: {histogram: h, unit: ms, "
        "labels: {model: '', version: {label: a, value: '{model}-{version}'}}}}\n"
    )
    workspace = read_workspace(text, "tidegate.yaml", bundled.schemas())
    assert workspace.labels == MetricLabels(version="release", version_value="v{version}")
    slow = named("slow", workspace)
    assert slow is not None
    assert slow.selectors == {"histogram": "h", "unit": "ms"}
    assert slow.dialect(workspace) == MetricLabels(model="", version="a", version_value="{model}-{version}")


def test_all_names_are_known_in_order() -> None:
    assert known(of(a={"histogram": "h"}, z={"histogram": "h"})) == sorted([*BUILT_IN, "a", "z"])
