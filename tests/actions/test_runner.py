"""What the actions say to GitHub's runner, and what they read from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.workflow_commands import commands
from support.workflow_runner.composite import read_outputs
from support.workflow_runner.engine import examples
from tidegate.action import __main__ as program
from tidegate.action import validate
from tidegate.action.event import Event, read_event
from tidegate.action.runner import Runner

TEXT = st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]))


@given(values=st.dictionaries(st.sampled_from(["models", "changed", "run"]), TEXT, min_size=1))
def test_no_value_of_an_output_ends_early(values: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("runner") / "output"
    Runner({"GITHUB_OUTPUT": str(file)}).outputs(values)
    with file.open(encoding="utf-8", newline="") as opened:
        assert read_outputs(opened.read()) == values


@given(title=st.text(), words=st.text())
def test_words_of_others_are_one_command_whatever_they_are(title: str, words: str) -> None:
    said: list[str] = []

    class Kept(Runner):
        def lines(self, lines: Any) -> None:
            said.extend(lines)

    Kept({}).error(f"Tidegate {title}", words)
    (found,) = commands("\n".join(said))
    assert found.name == "error"


@pytest.mark.parametrize("text", ["::error::x", "a\n::add-mask::b", "##[group]c", "::stop-commands::d"])
def test_untrusted_text_stands_between_commands_that_stop_commands(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Runner({}).untrusted(text)
    first, *others, last = capsys.readouterr().out.splitlines()
    (stop,) = commands(first)
    assert (stop.name, last) == ("stop-commands", f"::{stop.data}::")
    assert last not in others


def read(folder: Path, name: str, payload: object) -> Event:
    file = folder / "event.json"
    file.write_text(json.dumps(payload), encoding="utf-8")
    return read_event({"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(file)})


@pytest.mark.parametrize("name", sorted(examples()))
def test_every_real_delivery_is_read(name: str, tmp_path: Path) -> None:
    for payload in examples()[name]:
        event = read(tmp_path, name, payload)
        assert event.pull == payload.get("pull_request", {}).get("number")


def head(repository: object) -> dict[str, Any]:
    return {"pull_request": {"number": 7, "head": {"repo": repository}, "base": {"repo": {"id": 1}}}}


@pytest.mark.parametrize(
    ("payload", "event"),
    [
        pytest.param(head({"id": 1}), Event(name="x", pull=7), id="its-own-branch"),
        pytest.param(head({"id": 1, "fork": True}), Event(name="x", pull=7), id="its-own-branch-in-a-fork"),
        pytest.param(head({"id": 2}), Event(name="x", pull=7, foreign=True), id="a-fork"),
        pytest.param(head(None), Event(name="x", pull=7, foreign=True), id="a-fork-that-is-gone"),
        pytest.param(
            {"workflow_run": {"head_repository": {"id": 2}}, "repository": {"id": 1}},
            Event(name="x", foreign=True),
            id="a-workflow-of-a-fork",
        ),
        pytest.param(
            {"workflow_run": {"head_repository": None}, "repository": {"id": 1}},
            Event(name="x", foreign=True),
            id="a-workflow-of-a-fork-that-is-gone",
        ),
        pytest.param(
            {"workflow_run": {"head_repository": {"id": 1}}, "repository": {"id": 1}},
            Event(name="x"),
            id="a-workflow-of-its-own",
        ),
        pytest.param([], Event(name="x"), id="no-event-at-all"),
        pytest.param(
            {"issue": {"number": 7, "pull_request": {"url": "x"}}, "comment": {"body": "x"}, "repository": {"id": 1}},
            Event(name="issue_comment", foreign=True),
            id="a-comment-that-does-not-tell",
        ),
        pytest.param(
            {"merge_group": {"head_ref": "refs/heads/gh-readonly-queue/main/pr-7-a"}, "repository": {"id": 1}},
            Event(name="merge_group", foreign=True),
            id="a-queue-that-does-not-tell",
        ),
        pytest.param(head({"id": 1}), Event(name="merge_group", pull=7), id="a-queue-that-tells"),
        pytest.param({"ref": "refs/heads/main"}, Event(name="push"), id="a-push"),
    ],
)
def test_I12_whose_code_an_event_is_about(payload: object, event: Event, tmp_path: Path) -> None:
    assert read(tmp_path, event.name, payload) == event


def test_I14_an_event_that_cannot_be_read_is_wrong_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(tmp_path / "nowhere.json"))
    assert ended(tmp_path, monkeypatch, "train") == {"models": "", "exit-code": "2", "outcome": "broken"}


def test_I14_a_bug_is_broken_and_leaves_every_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def act(job: object) -> None:
        raise RuntimeError("a slip of ours")

    monkeypatch.setattr(validate, "act", act)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert ended(tmp_path, monkeypatch, "validate") == {
        "findings": "", "errors": "", "warnings": "", "exit-code": "4", "outcome": "broken",
    }  # fmt: skip


def ended(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> dict[str, str]:
    monkeypatch.setenv("GITHUB_OUTPUT", str(folder / "output"))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    program.main(name)
    return read_outputs((folder / "output").read_text(encoding="utf-8"))
