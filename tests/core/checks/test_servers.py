"""Addresses of servers, and the labels by which series are found."""

from __future__ import annotations

import pytest

from support.inspecting import inspected
from tidegate.core.checks import servers

HEAD = "apiVersion: tidegate.dev/v1alpha1\nkind: Workspace\n"


def found(text: str) -> list[str]:
    rules = {rule.id for rule in servers.RULES}
    everything = inspected({"tidegate.yaml": f"{HEAD}{text}\n"})
    return [
        f"{one.line}:{one.column} {one.severity} {one.rule}: {one.message}; {one.hint}"
        for one in everything
        if one.rule in rules
    ]


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("http://127.0.0.1:9090", id="a port"),
        pytest.param("https://mimir.example.org/prometheus/", id="a gateway's path"),
        pytest.param("https://grafana.example.org/api/datasources/proxy/uid/P1", id="through Grafana"),
        pytest.param("https://example.grafana.net/api/prom", id="Grafana's cloud"),
        pytest.param("http://[::1]:9090", id="an address of six parts"),
    ],
)
def test_nothing_is_said_of_an_address(address: str) -> None:
    assert found(f"prometheus: {{url: '{address}'}}\nregistry: {{uri: '{address}'}}") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "prometheus: {url: 'https://'}",
            "3:19 error bad-address: this address names no host, or no port; write it like http://127.0.0.1:9090",
            id="no host",
        ),
        pytest.param(
            "registry: {uri: 'http://mlflow:port'}",
            "3:17 error bad-address: this address names no host, or no port; write it like http://127.0.0.1:9090",
            id="a word for a port",
        ),
        pytest.param(
            "registry: {uri: 'http://[::1'}",
            "3:17 error bad-address: this address names no host, or no port; write it like http://127.0.0.1:9090",
            id="a bracket too few",
        ),
        pytest.param(
            "prometheus: {url: 'http://a b:9090'}",
            "3:19 error bad-address: this address names no host, or no port; write it like http://127.0.0.1:9090",
            id="a blank",
        ),
        pytest.param(
            "prometheus: {url: 'http://a:9090/x/api/v1/query'}",
            '3:19 warning api-path-in-address: "/api/v1/query" is added to the address; leave "/api/v1/query" out',
            id="Prometheus' API",
        ),
        pytest.param(
            "registry: {uri: 'http://a:5000/api/2.0/mlflow'}",
            '3:17 warning api-path-in-address: "/api/2.0/mlflow" is added to the address; leave "/api/2.0/mlflow" out',
            id="MLflow's API",
        ),
        pytest.param(
            "registry: {uri: 'http://a:5000/#/models'}",
            "3:17 warning api-path-in-address: what stands behind `?` or `#` is not asked for; "
            "end the address before it",
            id="a page of MLflow",
        ),
        pytest.param(
            "prometheus: {url: 'http://a:9090', timeout: 0m}",
            "3:45 error timeout-of-zero: nothing answers within 0s; write `timeout: 10s`",
            id="no time",
        ),
        pytest.param(
            "metrics: {labels: {version: model}}",
            '3:29 error metric-labels-clash: "model" is the label of model and of version; '
            "give each a label of its own",
            id="a label that is another's default",
        ),
        pytest.param(
            "metrics: {labels: {model: version, environment: env}}",
            '3:27 error metric-labels-clash: "version" is the label of model and of version; '
            "give each a label of its own",
            id="at the one that is written",
        ),
        pytest.param(
            "metrics: {labels: {version: ''}}",
            "3:11 error arms-alike: nothing can be judged: no label tells its versions apart; "
            "name the label that does, such as `version: {label: application, value: '{model}-{version}'}`",
            id="no label of the version",
        ),
        pytest.param(
            "presets: {mine: {bad: b, total: t, labels: {version: le}}}",
            '3:54 error reserved-label: "le" is a label of Prometheus\' own; name the label that your series have',
            id="a preset's own labels",
        ),
        pytest.param(
            "presets: {mine: {bad: b, total: t, labels: {model: ''}}}",
            "3:36 error arms-alike: nothing can be judged: no label tells its models apart; name the label that does, "
            "such as `version: {label: application, value: '{model}-{version}'}`",
            id="a preset without the model",
        ),
        pytest.param(
            "metrics: {labels: {version: le}}",
            '3:29 error reserved-label: "le" is a label of Prometheus\' own; name the label that your series have',
            id="the buckets of a histogram",
        ),
        pytest.param(
            "metrics: {labels: {model: __name__}}",
            '3:27 error reserved-label: "__name__" is a label of Prometheus\' own; '
            "name the label that your series have",
            id="the name of the metric",
        ),
    ],
)
def test_servers_that_cannot_answer(text: str, expected: str) -> None:
    assert found(text) == [expected]


def test_labels_may_change_places() -> None:
    assert found("metrics: {labels: {model: version, version: model}}") == []


def test_no_message_repeats_an_address() -> None:
    everything = inspected({"tidegate.yaml": f"{HEAD}prometheus: {{url: 'http://dana:hunter2@:9090/api/v1'}}\n"})
    assert "bad-address" in {one.rule for one in everything}
    assert "hunter2" not in "".join(map(str, everything))
