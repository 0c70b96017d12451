"""What a workflow file says about its events and jobs, in each form that GitHub reads."""

from __future__ import annotations

import pytest

from tidegate.core.diagnosis.workflows import Workflow, of_check, parse

PATH = ".github/workflows/ci.yml"


def parsed(text: str) -> Workflow:
    found = parse(PATH, text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("written", "triggers"),
    [
        pytest.param("on: push", {"push"}, id="a-word"),
        pytest.param("on: [push, merge_group]", {"push", "merge_group"}, id="a-list"),
        pytest.param("on:\n  pull_request:\n  merge_group:\n", {"pull_request", "merge_group"}, id="a-mapping"),
        pytest.param('"on": push', {"push"}, id="quoted"),
        pytest.param("true: push", {"push"}, id="as-a-reader-of-yaml-1-1-writes-it"),
        pytest.param("name: nothing", set(), id="none"),
    ],
)
def test_events_are_read_in_every_form(written: str, triggers: set[str]) -> None:
    assert parsed(written).triggers == triggers


def test_events_that_only_some_paths_start_are_told_apart() -> None:
    text = "on:\n  pull_request: {paths: [src/**]}\n  push: {paths-ignore: [docs/**]}\n  merge_group: {}\n"
    assert parsed(text).filtered == {"pull_request", "push"}


def test_jobs_bear_their_name_or_their_key() -> None:
    workflow = parsed("on: push\njobs:\n  a: {name: Unit tests}\n  b: {runs-on: ubuntu-latest}\n")
    assert workflow.jobs == {"Unit tests", "b"}
    assert of_check("Unit tests", [workflow]) is workflow
    assert of_check("a", [workflow]) is None


def test_a_workflow_that_runs_us_is_known_by_our_name() -> None:
    assert parsed("on: push\njobs: {a: {steps: [{uses: acme/tidegate/actions/approve@v1}]}}").runs_tidegate
    assert not parsed("on: push\njobs: {a: {steps: [{run: make}]}}").runs_tidegate


@pytest.mark.parametrize("text", ["- a list\n", "on: [push\n", "text\n"], ids=["list", "broken", "scalar"])
def test_what_is_no_workflow_is_none(text: str) -> None:
    assert parse(PATH, text) is None


@pytest.mark.parametrize(
    ("job", "environments"),
    [
        pytest.param("{environment: tidegate, steps: [{uses: acme/tidegate@v1}]}", {"tidegate"}, id="a-name"),
        pytest.param("{environment: {name: x}, steps: [{run: tidegate plan}]}", {"x"}, id="a-mapping"),
        pytest.param("{environment: production, steps: [{run: make}]}", set(), id="a-job-that-does-not-run-us"),
        pytest.param("{environment: '${{ inputs.where }}', steps: [{run: tidegate}]}", set(), id="an-expression"),
        pytest.param("{environment: x, uses: acme/tidegate/.github/workflows/a.yml@v1}", set(), id="no-steps"),
    ],
)
def test_environments_are_those_of_jobs_that_run_us(job: str, environments: set[str]) -> None:
    assert parsed(f"on: push\njobs:\n  a: {job}\n").environments == environments


def test_variables_are_read_out_of_expressions() -> None:
    text = "on: push\njobs: {a: {if: \"vars.APP != ''\", runs-on: \"${{ vars.RUNNER || 'x' }}\", name: envvars.NO}}"
    assert parsed(text).variables == {"APP", "RUNNER"}


@pytest.mark.parametrize(
    ("event", "of_pulls"), [("pull_request", True), ("pull_request_target", False), ("workflow_run", False)]
)
def test_pull_requests_start_some_on_what_they_hold(event: str, of_pulls: bool) -> None:
    assert parsed(f"on: {event}").is_of_pulls is of_pulls
