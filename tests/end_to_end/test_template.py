"""The template's workflows from an empty repository to a revert, as docs/getting-started.md walks a person through it.

On the fake GitHub, with a real MLflow and a real Prometheus; what stands in for what is in support/models_repository.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.github.server import FakeGitHub
from support.mlflow_server import MlflowServer
from support.models_repository.desk import creates_the_repository, with_an_app, without_an_app
from support.models_repository.service import Service
from support.models_repository.site import ModelsRepository, Person, annotated, parts
from support.workflow_runner.engine import Engine
from tidegate.adapters.system_packages import default_cache, find_prometheus
from tidegate.demo.servers import Servers, start_prometheus

# Two minutes of processor time, which whoever shares the machine stretches.
pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(1200)]


@pytest.fixture
def github(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path / "github") as github:
        yield github


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.close()


@pytest.fixture
def service(github: FakeGitHub) -> Iterator[Service]:
    service = Service(github.repository("acme/models").path)
    service.start()
    yield service
    service.stop()


@pytest.fixture
def prometheus(tmp_path: Path, service: Service) -> Iterator[str]:
    servers = Servers(folder=tmp_path, environment={})
    started = start_prometheus(servers, find_prometheus(default_cache()), service.address)
    servers.wait(started)
    yield started.address
    servers.stop()


@pytest.fixture
def mlflow(tmp_path: Path) -> Iterator[str]:
    """A registry without versions of others."""
    (tmp_path / "mlflow").mkdir()
    server = MlflowServer(tmp_path / "mlflow")
    yield server.wait().uri
    server.stop()


@pytest.fixture
def models(tmp_path: Path, github: FakeGitHub, engine: Engine, mlflow: str, prometheus: str) -> ModelsRepository:
    addresses = {"MLFLOW_TRACKING_URI": mlflow, "TIDEGATE_PROMETHEUS_URL": prometheus}
    (tmp_path / "site").mkdir()
    return ModelsRepository(github, engine, tmp_path / "site", addresses)


def test_from_an_empty_repository_to_a_revert(models: ModelsRepository, service: Service) -> None:
    dana, kim = models.person("dana", role="admin"), models.person("kim")
    creates_the_repository(dana, *with_an_app())
    the_first_version_enters(models, kim)
    a_slip_is_told_and_mended(models, dana)
    a_change_is_agreed_on_and_merged(models, dana, kim)
    the_second_version_takes_its_steps(models, kim)
    a_bad_version_is_taken_back(models, service, dana, kim)


def test_without_an_app_the_jobs_own_token_does_it(models: ModelsRepository) -> None:
    dana, kim = models.person("dana", role="admin"), models.person("kim")
    models.there.settings.can_approve_pull_request_reviews = True
    creates_the_repository(dana, *without_an_app())
    trained = models.pushed()
    assert trained.result("train") == "success", trained.said
    models.ran(trained, "push")
    models.until(lambda: models.state("production: promote 1") == "open")
    kim.types(parts()["approve"])
    reviewed = models.reviewed(2)
    assert reviewed.result("approve") == "success", reviewed.said
    assert models.check(2) == "success", reviewed.said
    models.ran(reviewed, "pull_request_review", 2)
    assert "stable: 1@" in models.pin("production"), models.runs[-1].said


def the_first_version_enters(models: ModelsRepository, kim: Person) -> None:
    trained = models.pushed()
    assert [job.name for job in trained.jobs["train"]] == ["train example"], trained.said
    assert trained.result("train") == "success", trained.said
    models.ran(trained, "push")
    models.until(lambda: models.state("production: promote 1") == "open")
    assert models.state("staging: promote 1") == "merged"
    assert models.check(2) == "in_progress"
    checks = models.proposed(2, "opened")
    assert (checks.result("checks"), checks.result("candidate")) == ("success", "skipped"), checks.said
    kim.types(parts()["approve"])
    models.ran(models.reviewed(2), "pull_request_review", 2)
    assert models.pin("production").count("stable: 1@") == 1, models.runs[-1].said
    assert models.pushed().result("train") == "skipped", "a promotion trains nothing"


def a_slip_is_told_and_mended(models: ModelsRepository, dana: Person) -> None:
    dana.types(parts()["change"])
    wrong = models.proposed(3, "opened")
    assert [wrong.result(job) for job in ("validate", "plan", "checks")] == ["failure", "failure", "failure"], (
        wrong.said
    )
    assert any("models/example/model.yaml" in line and "leas" in line for line in annotated(wrong.said)), wrong.said
    dana.types(parts()["mend"])
    right = models.proposed(3, "labeled")
    assert right.result("checks") == "success", right.said
    assert right.result("candidate") == "success", right.said
    plan, comparison = models.comments(3)
    assert "example" in plan
    assert re.search(r"accuracy.*passed", comparison), comparison
    models.ran(right, "pull_request", 3)
    assert models.check(3) == "success", models.runs[-1].said


def a_change_is_agreed_on_and_merged(models: ModelsRepository, dana: Person, kim: Person) -> None:
    kim.types(parts()["agree"])
    models.ran(models.reviewed(3), "pull_request_review", 3)
    dana.types(parts()["merge"])
    models.ran(models.pushed(), "push")


def the_second_version_takes_its_steps(models: ModelsRepository, kim: Person) -> None:
    models.until(lambda: models.state("production: promote 2") == "open")
    assert models.check(5) == "in_progress"
    kim.types(parts()["again"])
    models.ran(models.reviewed(5), "pull_request_review", 5)
    assert "weight: 50%" in models.pin("production")
    models.until(lambda: "stable: 2@" in models.pin("production"))


def a_bad_version_is_taken_back(models: ModelsRepository, service: Service, dana: Person, kim: Person) -> None:
    service.bad.add(3)
    dana.types(parts()["bad"])
    number = models.pulls()[-1][0]
    models.ran(models.proposed(number, "opened"), "pull_request", number)
    kim.types(f"$ gh pr review {number} --approve\n")
    dana.types(f"$ gh pr merge {number} --merge\n")
    models.ran(models.pushed(), "push")
    models.until(lambda: models.state("production: promote 3") == "open")
    number = models.pulls()[-1][0]
    kim.types(f"$ gh pr review {number} --approve\n")
    models.until(lambda: "rejected" in models.pin("production"))
    assert models.state("production: revert") == "merged"
    assert "stable: 2@" in models.pin("production")
    assert "canary" not in models.pin("production")
