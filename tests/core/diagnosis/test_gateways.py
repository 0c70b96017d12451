"""Where a gateway counts what an objective reads of the model server, doctor says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from support.diagnosing import broken, sampled
from support.situations import WORKSPACE, model, pin_of
from tidegate.core.diagnosis.gateways import Witness, examine, question, witnesses
from tidegate.core.dialects import Place
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.manifest import Objective
from tidegate.core.pin import Pin

ISTIO = {"destination_canonical_service": "digits", "destination_service_namespace": "production"}
ENVOY = {"environment": "production", "envoy_cluster_name": "digits-12"}
SERVED = Place(model="digits", environment="production")
AVAILABILITY = Witness(who="availability of digits in production", served=SERVED, kind="availability")


@pytest.mark.parametrize(
    ("there", "preset"),
    [
        pytest.param(ISTIO, "istio-availability", id="istio"),
        pytest.param(ENVOY, "envoy-availability", id="envoy"),
        pytest.param({**ISTIO, "destination_canonical_service": "churn"}, None, id="another-model"),
        pytest.param({**ISTIO, "destination_service_namespace": "staging"}, None, id="another-environment"),
        pytest.param({**ENVOY, "envoy_cluster_name": "digits"}, None, id="a-cluster-without-a-version"),
    ],
)
def test_a_gateway_of_the_same_target(there: dict[str, str], preset: str | None) -> None:
    found = list(examine([AVAILABILITY], WORKSPACE, sampled(there)))
    assert broken(found) == ([] if preset is None else ["gateway-not-read"])
    assert [getattr(each, "fix", "").partition(";")[0] for each in found] == ([f"preset: {preset}"] if preset else [])


def test_what_could_not_be_asked_is_no_gateway() -> None:
    assert list(examine([AVAILABILITY], WORKSPACE, Unread(why=Why.UNREACHABLE))) == []


def test_one_question_for_all_gateways() -> None:
    assert question(WORKSPACE) == (
        "count by (destination_canonical_service, destination_service_namespace, destination_canonical_revision, "
        'environment, envoy_cluster_name) ({__name__=~"istio_requests_total|envoy_cluster_upstream_rq_xx"})'
    )


BENTO = Objective(name="availability", target=0.99, bad="x", total="bentoml_service_request_total")


@pytest.mark.parametrize(
    ("objective", "kinds"),
    [
        pytest.param(BENTO, ["availability"], id="a-server-s-counter"),
        pytest.param(
            Objective(name="latency", target=0.9, histogram="ray_serve_http_request_latency_ms", under=timedelta(1)),
            ["latency"],
            id="a-server-s-histogram",
        ),
        pytest.param(replace(BENTO, total="istio_requests_total"), [], id="the-gateway-s-own"),
        pytest.param(replace(BENTO, total="orders_total"), [], id="a-counter-of-the-team-s"),
        pytest.param(
            Objective(name="first", target=0.9, histogram="vllm:time_to_first_token_seconds", under=timedelta(1)),
            [],
            id="what-no-gateway-counts",
        ),
    ],
)
def test_objectives_that_read_a_model_server(objective: Objective, kinds: list[str]) -> None:
    digits = model()
    production = replace(digits.environment("production"), objectives=(objective,))
    asked = replace(digits, environments=(production,))
    assert [each.kind for each in witnesses([asked], {("digits", "production"): Pin(stable=pin_of(1))})] == kinds
    assert witnesses([asked], {}) == []
