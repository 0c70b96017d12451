"""What `make golden` holds us against: reference files of other projects beside this repository, and a Prometheus with
five weeks of one service's history.

Without the reference files everything here fails: a comparison that did not happen is no pass.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from history import openmetrics

from support.prometheus_server import PrometheusServer
from support.promtool import promtool

_FIGURES = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_FIGURES] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for figure in config.stash[_FIGURES]:
        terminalreporter.write_line(figure)


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> list[str]:
    """Lines for the end of the run: how much was compared, and how far apart it was."""
    return request.config.stash[_FIGURES]


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    """A Prometheus that has scraped `history` once a minute."""
    folder = tmp_path_factory.mktemp("past")
    (folder / "history.om").write_text(openmetrics(), encoding="utf-8")
    backfill = ["tsdb", "create-blocks-from", "openmetrics", "--quiet", "--max-block-duration=192h"]
    command = [str(promtool()), *backfill, str(folder / "history.om"), str(folder / "data")]
    subprocess.run(command, check=True, capture_output=True)
    server = PrometheusServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
