"""Selectors of objectives under a name: the workspace's own presets, and those that every workspace has.

A built-in preset belongs to one source of metrics, and knows by which labels it tells versions apart. Sources are named
with where their series were looked up; docs/metrics.md says what to scrape.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tidegate.core.dialects import fault, with_labels
from tidegate.core.workspace import MetricLabels, Workspace

SELECTORS = ("bad", "good", "total", "histogram", "unit")
"""What a preset gives an objective."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What an objective takes over, and the labels of its series where they are not the workspace's.

    `obstacle` is why nothing can be judged by it, and `instead` what can be done. `pod_label` names the model on pods
    whose series could be relabelled.
    """

    selectors: Mapping[str, str]
    labels: Mapping[str, Any] = field(default_factory=dict)
    obstacle: str = ""
    instead: str = ""
    pod_label: str = ""

    def dialect(self, workspace: Workspace) -> MetricLabels | None:
        """None where the series carry the workspace's own labels."""
        return with_labels(workspace.labels, self.labels) if self.labels else None

    def refusal(self, workspace: Workspace) -> str | None:
        """Why nothing can be judged by it in this workspace; None where it can."""
        return self.obstacle or fault(with_labels(workspace.labels, self.labels))

    def remedy(self, name: str, workspace: Workspace) -> str:
        """What to do about the refusal."""
        if not self.pod_label:
            return self.instead or f"name the label that does, under `labels` of the preset {name} in tidegate.yaml"
        rules = ", ".join(relabelling(self.pod_label, workspace.labels))
        return (
            f"scrape the gateway (istio-*, envoy-*), or use {name}-relabelled and relabel: relabel_configs: [{rules}]"
        )


def named(name: str, workspace: Workspace) -> Preset | None:
    """The preset of this name. The workspace's goes before the built-in one, whose labels alone it may change."""
    built_in = BUILT_IN.get(name)
    own = workspace.presets.get(name)
    if own is None:
        return built_in
    selectors = {key: own[key] for key in SELECTORS if key in own}
    labels = own.get("labels", {})
    if built_in is None or selectors:
        return Preset(selectors=selectors, labels=labels)
    lifted = built_in.pod_label and "version" in labels
    return replace(built_in, labels={**built_in.labels, **labels}, obstacle="" if lifted else built_in.obstacle)


def dialect(objective: Mapping[str, Any], workspace: Workspace) -> MetricLabels:
    """The labels of the series that an objective (its data, merged) reads."""
    preset = named(objective["preset"], workspace) if "preset" in objective else None
    return (preset.dialect(workspace) if preset else None) or workspace.labels


def known(workspace: Workspace) -> list[str]:
    """All names, in order."""
    return sorted({*workspace.presets, *BUILT_IN})


def _ratio(counter: str, bad: str, total: str = "") -> Mapping[str, str]:
    """Bad events and all of them from one counter: `bad` and `total` are matchers, those of `total` hold for both."""
    both = ",".join(filter(None, (bad, total)))
    return {"bad": f"{counter}{{{both}}}", "total": f"{counter}{{{total}}}" if total else counter}


def relabelling(pod_label: str, labels: MetricLabels) -> list[str]:
    """Prometheus' `relabel_configs`, a rule each, that make labels of series out of what Kubernetes says of a pod."""
    pairs = (
        (f"pod_label_{pod_label}", labels.model),
        ("namespace", labels.environment),
        ("pod_label_version", labels.version),
    )
    return [
        f"{{source_labels: [__meta_kubernetes_{source}], target_label: {label}}}" for source, label in pairs if label
    ]


def _unlabelled(selectors: Mapping[str, str], name: str, pod_label: str) -> dict[str, Preset]:
    """A source whose series name no version: refused as it is, judged by the workspace's labels once they are there."""
    obstacle = "its series name no version of the model"
    return {
        name: Preset(selectors=selectors, obstacle=obstacle, pod_label=pod_label),
        f"{name}-relabelled": Preset(selectors=selectors),
    }


# knative/serving below 1.19, pkg/queue. A revision has the name that its template has. `revision_app_*` lies behind the
# queue, and does not see what a full one turned away.
_KNATIVE = {
    "model": "",
    "environment": "namespace_name",
    "version": {"label": "revision_name", "value": "{model}-{version}"},
}
# knative/serving from 1.19 on: the revision stands in `target_info` alone, and joining it takes a query of its own. The
# outermost histogram: `kn_serving_invocation_duration_seconds` lies behind the queue, and had another name and whole
# seconds in the first releases of 1.19 and 1.20.
_KNATIVE_OTEL = "http_server_request_duration_seconds"
# bentoml src/bentoml/_internal/server/http/instruments.py: a Bento's name and version. Probes are counted as well.
_BENTOML = {"model": "service_name", "version": "service_version"}
_NO_PROBES = 'endpoint!~"/(healthz|livez|readyz)"'
# SeldonIO/seldon-core scheduler/pkg/metrics: `model` is what was asked for, `model_internal` what answered, with the
# generation of the resource. gRPC's codes are those that OpenTelemetry takes for a server's own fault; NotFound and 404
# say that the model could not be loaded (agent/rproxy).
_SELDON = {"model": "", "version": {"label": "model_internal", "value": "{model}-{version}_{number}"}}
_SELDON_BAD = 'code=~"404|5..|NotFound|Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss"'
# docs.ray.io serve/monitoring. Counters end in _total since 2.10; without it they are gauges with the same figures. A
# request that timed out is answered 408, and was counted as `timeout` before it was counted so (serve/_private/proxy).
_RAY = {"model": "", "version": {"label": "application", "value": "{model}-{version}"}}
# istio.io reference/config/metrics. One reporter, or each request counts twice; the client's side sees what was never
# answered as well. `destination_app` and `destination_version` come with the answer, and are `unknown` without one; the
# canonical names come with the address of the pod too (istio/proxy metadata_object, convertEndpointMetadata).
_ISTIO = {
    "model": "destination_canonical_service",
    "environment": "destination_service_namespace",
    "version": "destination_canonical_revision",
}
_ISTIO_REPORTER = 'reporter="source"'
# Envoy's code 0: no answer began, as a rule because the client gave up. The status of gRPC is then empty.
_ISTIO_HTTP = f'request_protocol="http",{_ISTIO_REPORTER}'
_ISTIO_GRPC = f'request_protocol="grpc",{_ISTIO_REPORTER}'
# envoyproxy.io configuration/upstream/cluster_manager/cluster_stats. Answers to retries are counted elsewhere.
_ENVOY = {"model": "", "version": {"label": "envoy_cluster_name", "value": "{model}-{version}"}}

BUILT_IN: Mapping[str, Preset] = {
    "http-availability": Preset(selectors=_ratio("http_requests_total", 'code=~"5.."')),
    "http-latency": Preset(selectors={"histogram": "http_request_duration_seconds"}),
    "knative-availability": Preset(
        selectors=_ratio("revision_request_count", 'response_code_class="5xx"'), labels=_KNATIVE
    ),
    "knative-latency": Preset(selectors={"histogram": "revision_request_latencies", "unit": "ms"}, labels=_KNATIVE),
    **_unlabelled(
        _ratio(f"{_KNATIVE_OTEL}_count", 'http_response_status_code=~"5.."'),
        "knative-otel-availability",
        "serving_knative_dev_service",
    ),
    **_unlabelled({"histogram": _KNATIVE_OTEL}, "knative-otel-latency", "serving_knative_dev_service"),
    # kserve python/kserve: histograms of the steps of a request, with model_name alone.
    "kserve-availability": Preset(
        selectors={},
        obstacle="KServe's model servers count no errors",
        instead="scrape the gateway (istio-availability, envoy-availability), or Knative's queue-proxy "
        "(knative-availability, knative-otel-availability-relabelled)",
    ),
    **_unlabelled({"histogram": "request_predict_seconds"}, "kserve-latency", "serving_kserve_io_inferenceservice"),
    "bentoml-availability": Preset(
        selectors=_ratio("bentoml_service_request_total", 'http_response_code=~"5.."', _NO_PROBES), labels=_BENTOML
    ),
    "bentoml-latency": Preset(
        selectors={"histogram": f"bentoml_service_request_duration_seconds{{{_NO_PROBES}}}"}, labels=_BENTOML
    ),
    "seldon-availability": Preset(selectors=_ratio("seldon_model_infer_total", _SELDON_BAD), labels=_SELDON),
    "seldon-latency": Preset(
        selectors={},
        obstacle="Seldon's histogram names no model: it is the server's",
        instead="scrape the gateway (istio-latency, envoy-latency)",
    ),
    "ray-availability": Preset(
        selectors=_ratio("ray_serve_num_http_requests_total", 'status_code=~"timeout|408|5.."'), labels=_RAY
    ),
    "ray-latency": Preset(selectors={"histogram": "ray_serve_http_request_latency_ms", "unit": "ms"}, labels=_RAY),
    # vllm/entrypoints: the HTTP server's own counter. vllm:request_success_total counts no errors.
    **_unlabelled(_ratio("http_requests_total", 'status="5xx"', 'handler=~"/v1/.+"'), "vllm-availability", "app"),
    **_unlabelled({"histogram": "vllm:e2e_request_latency_seconds"}, "vllm-latency", "app"),
    **_unlabelled({"histogram": "vllm:time_to_first_token_seconds"}, "vllm-first-token", "app"),
    "istio-availability": Preset(
        selectors=_ratio("istio_requests_total", 'response_code=~"0|5.."', _ISTIO_HTTP), labels=_ISTIO
    ),
    "istio-grpc-availability": Preset(
        selectors=_ratio("istio_requests_total", 'grpc_response_status=~"|2|4|12|13|14|15"', _ISTIO_GRPC),
        labels=_ISTIO,
    ),
    "istio-latency": Preset(
        selectors={"histogram": f"istio_request_duration_milliseconds{{{_ISTIO_REPORTER}}}", "unit": "ms"},
        labels=_ISTIO,
    ),
    "envoy-availability": Preset(
        selectors=_ratio("envoy_cluster_upstream_rq_xx", 'envoy_response_code_class="5"'), labels=_ENVOY
    ),
    "envoy-latency": Preset(selectors={"histogram": "envoy_cluster_upstream_rq_time", "unit": "ms"}, labels=_ENVOY),
}
