"""What `status` prints of others' words stays on its own line, moves no cursor and is nobody's command."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from support.counters import canary_question
from support.repositories import ISOLATED, OURS
from support.situations import KEY, NOW
from support.worlds import World, settle
from tidegate.cli.pass_report import lines
from tidegate.cli.passes import Collected, Pass
from tidegate.cli.session import tell
from tidegate.cli.status import _print
from tidegate.core.explaining import Account
from tidegate.core.judging.reading import Unread, Why
from tidegate.core.judging.verdict import ObjectiveVerdict, Stage, Verdict
from tidegate.core.manifest import Effect
from tidegate.core.observed import Training, TrainingState
from tidegate.core.outcome import Hold, ModelDecision, Status, WaitingOn
from tidegate.project import Projection
from tidegate.reconcile import PassReport
from tidegate.status import EnvironmentStatus, Explained, ModelStatus, StatusReport

CONTROLLER = Path(__file__).parents[2] / "controller"
WORDS = "bad_data: x\n::warning file=a::pwned \x1b[2J\x1b]0;title\x07 ##[error] \u202egnp"
UNREAD = Unread(why=Why.ERROR, words=WORDS)
QUESTION = canary_question()
VERDICT = Verdict(
    stage=Stage.CANARY,
    subject=QUESTION.subject,
    judged_until=NOW,
    objectives=(ObjectiveVerdict(objective="availability", effect=Effect.REVERT, unread=UNREAD),),
    unread=UNREAD,
)
ENVIRONMENT = EnvironmentStatus(
    environment="production",
    status=Status.UNKNOWN,
    stable=1,
    canary=2,
    weight=0.1,
    previous=None,
    serving=None,
    rendered=True,
    reason=f"cannot observe: {UNREAD}",
    waiting_on=WaitingOn.OUTSIDE,
    until=None,
    proposal=7,
)
MODEL = ModelStatus(
    model="churn",
    training=Training(key=KEY, state=TrainingState.FAILED, words=WORDS),
    environments=(ENVIRONMENT,),
    invalid=f"models/churn/model.yaml:1: {WORDS}",
    failure=WORDS,
    explained=(
        Explained(
            environment="production",
            reason=ENVIRONMENT.reason,
            account=Account(question=QUESTION, verdict=VERDICT, queries=(f"x{{a='{WORDS}'}}",)),
            budgets=(),
        ),
    ),
)


@pytest.mark.parametrize(
    ("explained", "expected"),
    [
        pytest.param(
            Explained(environment="production", reason="", account=None, budgets=(), budgets_from=NOW),
            "  error budgets: not asked until 2026-03-02 12:00 UTC: what is new has spent nothing yet",
            id="an-environment-that-is-new",
        ),
        pytest.param(
            Explained(environment="production", reason="", account=None, budgets=()),
            "  nothing is in flight here: nothing was judged",
            id="one-that-has-none",
        ),
    ],
)
def test_an_environment_says_from_when_on_its_budgets_are_asked(
    explained: Explained, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model = replace(MODEL, explained=(explained,), training=None, invalid=None, failure=None)
    _print(StatusReport(main="m" * 40, at=NOW, models=(model,)))
    assert capsys.readouterr().out.splitlines()[-1] == expected


def test_a_pass_tells_words_of_others_on_their_line_too() -> None:
    decision = Hold(reason=f"cannot observe: {UNREAD}", waiting_on=WaitingOn.OUTSIDE)
    report = PassReport(
        main="m" * 40,
        at=NOW,
        decisions=(),
        shown=(ModelDecision(model="churn", environments={"production": decision}),),
        invalid=(f"models/churn/model.yaml:1: {WORDS}",),
        incidents=(WORDS,),
    )
    collected = (Collected(model="churn", training=MODEL.training),) if MODEL.training else ()
    done = Pass(collected=collected, report=report, projection=Projection(changes=()), failures=(WORDS,))
    printed = [line for each in lines(done) for line in each.split("\n")]
    assert sum("pwned" in line for line in printed) == 5
    assert len(printed) == 5 + 1  # a finding has lines of its own
    assert all(line.isprintable() for line in printed)
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in printed)


def test_what_is_told_on_stderr_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    tell(f"{WORDS}\nand more")
    told = capsys.readouterr().err.splitlines()
    assert told[-1] == "and more"
    assert all(line.isprintable() for line in told)
    assert not any(line.startswith("::") or "##[" in line for line in told)


def test_words_of_others_stay_on_their_line_and_command_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    _print(StatusReport(main="m" * 40, at=NOW, models=(MODEL,), unreadable=(f"b.yaml:1: {WORDS}",)))
    lines = capsys.readouterr().out.splitlines()
    assert sum("pwned" in line for line in lines) == 9
    assert all(line.isprintable() for line in lines)
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in lines)


def test_a_settled_model_loads_neither_judges_nor_plans_nor_servers(tmp_path: Path) -> None:
    world = World(tmp_path / "git")
    settle(world)
    asked = "import sys; from tidegate.cli import main; main(['status']); print(*sys.modules, file=sys.stderr)"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CONTROLLER), "TIDEGATE_IDENTITY": OURS, **ISOLATED}
    command = [sys.executable, "-c", asked]
    done = subprocess.run(
        command, cwd=world.clone().folder, env=environment, capture_output=True, text=True, check=True
    )
    loaded = done.stderr.split()
    assert "tidegate.status" in loaded
    rooms = (
        "core.judging.judgement",
        "core.explaining",
        "core.planning",
        "core.replay",
        "core.checks",
        "steps.measure",
    )
    needless = ("mlflow", "requests", *(f"tidegate.{room}" for room in rooms))
    assert [name for name in loaded if name.startswith(needless)] == []
