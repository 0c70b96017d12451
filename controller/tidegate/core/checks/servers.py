"""Rules about the servers in `tidegate.yaml`, and about the labels by which series are found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations
from urllib.parse import urlsplit

from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Data, Settings, section
from tidegate.core.checks.training import lasting
from tidegate.core.dialects import fault, with_labels
from tidegate.core.fault import Fault, Way
from tidegate.core.finding import Severity
from tidegate.core.presets import BUILT_IN
from tidegate.core.shown import shown
from tidegate.core.workspace import MetricLabels

BAD_ADDRESS = Rule(
    id="bad-address",
    title="An address that leads to no server",
    why="Without a host, or with a port that is none, nothing can be asked.",
    bad="# tidegate.yaml\nprometheus: {url: 'http://:9090'}",
    good="# tidegate.yaml\nprometheus: {url: 'http://prometheus.example.org:9090'}",
)

API_PATH_IN_ADDRESS = Rule(
    id="api-path-in-address",
    severity=Severity.WARNING,
    title="An address with the API's path in it",
    why="The paths of Prometheus' and MLflow's APIs are added to the address, and so are queries. With a path of "
    "theirs in it already, or a part behind `?` or `#`, what is asked for is not there. A path that a gateway "
    "puts before them (`/prometheus`, `/select/0/prometheus`) belongs here.",
    bad="# tidegate.yaml\nprometheus: {url: 'http://127.0.0.1:9090/api/v1'}",
    good="# tidegate.yaml\nprometheus: {url: 'http://127.0.0.1:9090'}",
)

TIMEOUT_OF_ZERO = Rule(
    id="timeout-of-zero",
    title="A time-out in which nothing can answer",
    why="Every question to Prometheus fails when it may take no time, and then nothing is judged.",
    bad="# tidegate.yaml\nprometheus: {url: 'http://127.0.0.1:9090', timeout: 0s}",
    good="# tidegate.yaml\nprometheus: {url: 'http://127.0.0.1:9090', timeout: 10s}",
)

METRIC_LABELS_CLASH = Rule(
    id="metric-labels-clash",
    title="One label for two things",
    why="Series are asked for by the labels of model, environment and version. Where two of them are one label, it "
    "would have to be two values at once: nothing is ever found.",
    bad="# tidegate.yaml\nmetrics: {labels: {environment: model}}",
    good="# tidegate.yaml\nmetrics: {labels: {environment: env}}",
)

RESERVED_LABEL = Rule(
    id="reserved-label",
    title="A label that Prometheus keeps for itself",
    why="Names that begin with `__` are Prometheus' own, and such labels are gone once a series is stored. `le` and "
    "`quantile` are the buckets of a histogram and the quantiles of a summary: they tell no models apart.",
    bad="# tidegate.yaml\nmetrics: {labels: {version: __version}}",
    good="# tidegate.yaml\nmetrics: {labels: {version: model_version}}",
)

ARMS_ALIKE = Rule(
    id="arms-alike",
    title="Labels that tell no versions apart",
    why="A version is judged by its own events. Without a label of the version, a canary's are mixed with those of "
    "stable; without one of the model, with another model's. One label may name both, such as `churn-12`.",
    bad="# tidegate.yaml\nmetrics: {labels: {version: ''}}",
    good="# tidegate.yaml\nmetrics: {labels: {model: '', version: {label: application, value: '{model}-{version}'}}}",
)

RULES = (BAD_ADDRESS, API_PATH_IN_ADDRESS, TIMEOUT_OF_ZERO, METRIC_LABELS_CLASH, RESERVED_LABEL, ARMS_ALIKE)

# Grafana's and other gateways' own paths hold an `api` too: only Prometheus' and MLflow's at the very end are ours.
_API_PATH = re.compile(r"/api/v1(?:/.*)?$|/(?:ajax-)?api/2\.0(?:/.*)?$|/graph/?$")
_KEPT_LABELS = frozenset({"le", "quantile"})


def servers_have_addresses(settings: Settings) -> Iterator[Fault]:
    for way in (("registry", "uri"), ("prometheus", "url")):
        address = section(settings.data, way[0]).get(way[1])
        if isinstance(address, str):
            yield from _address(way, address)
    timeout = section(settings.data, "prometheus").get("timeout")
    if timeout is not None and lasting(timeout) == timedelta():
        yield TIMEOUT_OF_ZERO.at(("prometheus", "timeout"), "nothing answers within 0s", "write `timeout: 10s`")


def _address(way: Way, address: str) -> Iterator[Fault]:
    """The address itself is in no message: it may hold a password."""
    try:
        parts = urlsplit(address)
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0) and not re.search(r"\s", address)
    except ValueError:
        usable = False
    if not usable:
        yield BAD_ADDRESS.at(way, "this address names no host, or no port", "write it like http://127.0.0.1:9090")
    elif found := _API_PATH.search(parts.path):
        yield API_PATH_IN_ADDRESS.at(way, f"{shown(found[0])} is added to the address", f"leave {shown(found[0])} out")
    elif parts.query or parts.fragment:
        yield API_PATH_IN_ADDRESS.at(way, "what stands behind `?` or `#` is not asked for", "end the address before it")


def metric_labels_tell_things_apart(settings: Settings) -> Iterator[Fault]:
    """The workspace's own labels, and those of its presets."""
    given = section(settings.data, "metrics", "labels")
    own = with_labels(MetricLabels(), given)
    yield from _labels(own, given, ("metrics", "labels"))
    for name, preset in section(settings.data, "presets").items():
        if (theirs := section(preset, "labels")) and name not in BUILT_IN:
            yield from _labels(with_labels(own, theirs), theirs, ("presets", name, "labels"))


def _labels(labels: MetricLabels, given: Data, way: Way) -> Iterator[Fault]:
    names = {field: getattr(labels, field) for field in ("model", "environment", "version")}
    for field in given:
        if names[field].startswith("__") or names[field] in _KEPT_LABELS:
            message = f"{shown(names[field])} is a label of Prometheus' own"
            yield RESERVED_LABEL.at((*way, field), message, "name the label that your series have")
    for one, other in combinations(names, 2):
        if names[one] and names[one] == names[other]:
            place = (*way, other if other in given else one)
            message = f"{shown(names[one])} is the label of {one} and of {other}"
            yield METRIC_LABELS_CLASH.at(place, message, "give each a label of its own")
    if (lacking := fault(labels)) is not None:
        hint = "name the label that does, such as `version: {label: application, value: '{model}-{version}'}`"
        yield ARMS_ALIKE.at(way, f"nothing can be judged: {lacking}", hint, on_key=True)
