"""The demo is the product in one evening: real git, MLflow and Prometheus, a bad version, and its revert merged."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(400)]

STARTER = """
import os, signal, sys
signal.signal(signal.SIGINT, getattr(signal, sys.argv[1]))
os.execv(sys.executable, [sys.executable, "-m", "tidegate", *sys.argv[2:]])
"""
EXPECTED = [
    ("promote", "staging", None, 1, 1.0),
    ("promote", "production", None, 1, 1.0),
    ("promote", "staging", 1, 2, 1.0),
    ("promote", "production", 1, 2, 0.25),
    ("advance", "production", 2, 2, 0.5),
    ("finish", "production", 1, 2, 1.0),
    ("promote", "staging", 2, 3, 1.0),
    ("promote", "production", 2, 3, 0.25),
    ("revert", "production", 3, 2, 1.0),
]


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for temporary files with a short name: sockets are made in it, and their paths have a limit."""
    folder = Path(tempfile.mkdtemp(prefix="tg-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def demo_of(temporary: Path, *arguments: str, sigint: str = "SIG_DFL") -> Iterator[subprocess.Popen[str]]:
    """A running demo. Ctrl-C means to it what `sigint` says, whatever it means to the shell that runs the tests."""
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, sigint, "demo", *arguments],
        env={**os.environ, "TMPDIR": str(temporary)},
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as demo:
        try:
            yield demo
        finally:
            demo.terminate()


def left_behind(temporary: Path) -> list[str]:
    """Command lines of living processes that name the demo's folder."""
    listed = subprocess.run(["ps", "-A", "-ww", "-o", "stat=,args="], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if str(temporary) in line and not line.startswith("Z")]


def gone(temporary: Path, seconds: float = 15) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not left_behind(temporary) and not any(temporary.iterdir()):
            return True
        time.sleep(0.2)
    return False


def test_the_demo_tells_the_whole_story_and_leaves_nothing_behind(temporary: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    with demo_of(temporary, "--report", str(report)) as demo:
        said, _ = demo.communicate(timeout=300)
    assert demo.returncode == 0, said
    told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    steps = [(t["kind"], t["environment"], t["from"], t["to"], t["weight"]) for t in told["transitions"]]
    assert steps == EXPECTED
    assert all(t["reasons"] and t["decided_at"] <= t["merged_at"] for t in told["transitions"])
    assert [t["proposal"] for t in told["transitions"]] == list(range(1, 10))
    assert 0 < told["breach_to_revert_seconds"] < 60
    assert said.count("approved") >= 3
    assert "digits/production: revert 3, back to 2" in said
    assert "finish    production: 2 is stable  #6  " in said
    assert gone(temporary), left_behind(temporary)


@pytest.mark.parametrize(
    ("sigint", "sent"),
    [
        pytest.param("SIG_DFL", signal.SIGINT, id="ctrl-c-in-a-terminal"),
        pytest.param("SIG_IGN", signal.SIGTERM, id="sigterm-in-the-background-of-a-shell"),
    ],
)
def test_an_ended_demo_leaves_no_process_and_no_folder(sigint: str, sent: signal.Signals, temporary: Path) -> None:
    with demo_of(temporary, sigint=sigint) as demo:
        assert demo.stdout is not None
        assert any(" train " in line for line in demo.stdout)
        assert left_behind(temporary)
        demo.send_signal(sent)
        said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130, said
    assert "everything is stopped" in said
    assert gone(temporary), left_behind(temporary)
