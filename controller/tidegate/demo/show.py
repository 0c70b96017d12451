"""The demo from the first process to the last: set up, play, tell, report, clean up."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from tidegate.adapters.system_packages import find_prometheus
from tidegate.core.observed import TrainingState
from tidegate.demo import servers as processes
from tidegate.demo.servers import Servers
from tidegate.demo.story import ACTS, Player
from tidegate.demo.timeline import Archive, Breach, Happened
from tidegate.demo.workspace import Workspace
from tidegate.errors import FINDINGS, FINE, OutsideSystem, Refused
from tidegate.settings import cache, read_settings
from tidegate.steps.trainings import all_records, key_at, training_state
from tidegate.wiring.context import Context

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the person asked for. `folder` is used and kept when given, else a temporary one is made and removed."""

    report: Path | None = None
    keep: bool = False
    folder: Path | None = None


@dataclass
class Stage:
    """A running demo: its folder, servers, workspace and clock."""

    folder: Path
    servers: Servers
    workspace: Workspace
    context: Context
    addresses: dict[str, str]
    say: Say
    started: float = field(default_factory=time.monotonic)

    def tell(self, what: str, words: str) -> None:
        self.say(f"{time.monotonic() - self.started:6.1f} s  {what:<9} {words}")


def run_show(wish: Wish, say: Say) -> int:
    """Exit code 0 only if every expected transition happened. Ctrl-C leaves no process and no folder behind."""
    _check_extra()
    prometheus = find_prometheus(cache(), say)
    folder = wish.folder or Path(tempfile.mkdtemp(prefix="tidegate-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise Refused(f"{folder} is not empty; name a new folder")
    servers = Servers(folder=folder.resolve(), environment=environment_of(folder))
    with _terminated_like_interrupted():
        try:
            stage = set_up(servers, prometheus, say)
            code = _play(stage, wish)
            if wish.keep:
                _show_around(stage)
                _wait_for_interrupt(say)
            return code
        finally:
            stop_everything(servers)
            if wish.folder is None:
                shutil.rmtree(folder, ignore_errors=True)
            say(f"everything is stopped; {folder} is {'removed' if wish.folder is None else 'kept'}")


def _check_extra() -> None:
    missing = [name for name in ("sklearn", "prometheus_client", "flask") if find_spec(name) is None]
    if missing:
        raise OutsideSystem(f"the demo needs more than a plain install ({missing[0]}): pip install 'tidegate[demo]'")


def environment_of(folder: Path) -> dict[str, str]:
    """What the demo's processes see besides the person's own environment."""
    return {
        "TIDEGATE_WORK": str(folder.resolve() / "work"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "PYTHONWARNINGS": "ignore",
    }


def set_up(servers: Servers, prometheus: Path, say: Say) -> Stage:
    """Start everything; the repository's first commit names the addresses."""
    say("starting MLflow, Prometheus, a model server and its traffic …")
    workspace = Workspace.create(servers.folder, dict(servers.environment))
    mlflow = processes.start_mlflow(servers)
    serving = processes.start_model_server(servers, workspace.clone, workspace.bare, mlflow.address)
    scraping = processes.start_prometheus(servers, prometheus, serving.address)
    workspace.edit("tidegate.yaml", "registry", "uri", value=mlflow.address)
    workspace.edit("tidegate.yaml", "prometheus", "url", value=scraping.address)
    workspace.commit("A models repository: digits")
    for process in (scraping, mlflow, serving):
        servers.wait(process)
    processes.start_traffic(servers, workspace.clone, serving.address)
    processes.start_reconcile(servers, workspace.clone)
    context = Context(read_settings(str(workspace.clone)))
    return Stage(
        folder=servers.folder,
        servers=servers,
        workspace=workspace,
        context=context,
        addresses={
            "MLflow": mlflow.address,
            "Prometheus": scraping.address,
            "model server": f"{serving.address}/metrics",
        },
        say=say,
    )


def _play(stage: Stage, wish: Wish) -> int:
    context = stage.context
    archive = Archive(
        model=context.desired().model("digits").model,
        repository=context.repository,
        forge=context.forge,
        reader=context.reader,
        metrics=context.metrics,
    )
    player = Player(workspace=stage.workspace, archive=archive, tell=stage.tell, trained=lambda: trained(context))
    stage.tell("ready", "everything answers; the loop looks once a second")
    code = FINE
    try:
        for act in ACTS:
            player.play(act)
    except Refused as error:
        stage.say(f"\n{error}\nlogs: {stage.folder}/logs")
        _show_log(stage)
        code = FINDINGS
    rows = archive.happened()
    breach = _breach(archive, rows)
    _summary(stage, rows, breach, archive, keep=wish.keep)
    if wish.report is not None:
        wish.report.write_text(json.dumps(_report(rows, breach, code), indent=2) + "\n", encoding="utf-8")
        stage.say(f"report: {wish.report}")
    return code


def trained(context: Context) -> str | None:
    """What came of main's training once it ended; None before."""
    desired = context.desired()
    model = desired.model("digits").model
    key = key_at(context.repository, desired.commit, model)
    training = training_state(model, key, all_records(context.repository))
    match training.state:
        case TrainingState.ABSENT | TrainingState.RUNNING:
            return None
        case TrainingState.SUCCEEDED:
            run = context.runs.run(training.run_id or "")
            figures = ", ".join(f"{name} {value:.3f}" for name, value in run.metrics.items()) if run else ""
            return f"version {training.version}: {figures}; gates passed, bytes hashed, registered"
        case TrainingState.FAILED | TrainingState.GATED:
            raise Refused(f"training {training.state.value}: {training.words}")


def _breach(archive: Archive, rows: list[Happened]) -> Breach | None:
    reverts = [row for row in rows if row.kind == "revert"]
    return archive.breach(reverts[-1]) if reverts else None


def _summary(stage: Stage, rows: list[Happened], breach: Breach | None, archive: Archive, *, keep: bool) -> None:
    say = stage.say
    if breach is not None:
        figures = breach.plain()
        say(f"\nfrom the first bad event to the merged revert: {figures['breach_to_revert_seconds']:.1f} s")
    reverts = [row for row in rows if row.kind == "revert"]
    if reverts:
        proposal = archive.forge.proposal(reverts[-1].proposal)
        say(f"\nproposal #{proposal.number}, as it was merged:\n")
        say(proposal.body)
    took = time.monotonic() - stage.started
    say(f"{len(rows)} merged proposals in {took:.0f} s, each with its evidence in git.")
    if not keep:
        say("To look around, run it again with --keep: the servers stay up, and it says where.")


def _report(rows: list[Happened], breach: Breach | None, code: int) -> dict[str, object]:
    figures = breach.plain() if breach else {"breach_to_revert_seconds": None, "evidence_to_revert_seconds": None}
    return {"succeeded": code == FINE, "transitions": [row.plain() for row in rows], **figures}


def _show_log(stage: Stage) -> None:
    log = stage.folder / "logs" / "reconcile.log"
    stage.say("\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]))


def _show_around(stage: Stage) -> None:
    stage.say("\neverything stays up. Look around:")
    for name, address in stage.addresses.items():
        stage.say(f"  {name:<13} {address}")
    stage.say(f"  {'logs':<13} {stage.folder / 'logs'}")
    bare = stage.workspace.bare
    proposals = stage.context.forge.proposals()
    shown = [f"pull show {proposals[-1].number}"] if proposals else []
    for words in ("status", "pull list --all", *shown):
        stage.say(f"  {_program()} -C {shlex.quote(str(bare))} {words}")
    stage.say(f"  git -C {shlex.quote(str(bare))} log --first-parent main")


def _program() -> str:
    """The program as it was started, in words that work from any folder."""
    started = Path(sys.argv[0])
    if started.name == "tidegate" and started.is_file():
        return shlex.quote(str(started.absolute()))
    beside = Path(sys.executable).with_name("tidegate")
    return shlex.quote(str(beside)) if beside.is_file() else f"{shlex.quote(sys.executable)} -m tidegate"


def _wait_for_interrupt(say: Say) -> None:
    say("Ctrl-C ends it.")
    try:
        signal.pause()
    except KeyboardInterrupt:
        return


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does, so that nothing is left behind either way."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def stop_everything(servers: Servers) -> None:
    """End trainings and processes. A second Ctrl-C does not stop this."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _stop_trainings(servers.folder / "work")
        servers.stop()
    finally:
        signal.signal(signal.SIGINT, before)


def _stop_trainings(work: Path) -> None:
    from tidegate.adapters.launchers.local import LocalLauncher

    launcher = LocalLauncher(work, "")
    launcher.stop()
    processes.until(lambda: not launcher.running(), 10)
