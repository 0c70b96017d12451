"""`tidegate validate` as people and CI run it: exit codes, the four formats, and whatever the surroundings hold."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.checkouts import MANIFEST, SETTINGS, Checkout, model, pin_file, workspace
from support.program import Program, Ran
from support.repositories import ISOLATED
from tidegate import __version__, errors
from tidegate.cli import main

BROKEN = {"models/alpha/model.yaml": MANIFEST.replace("NAME", "alpha").replace("approval:", "aproval:")}
WARNED = {"models/alpha/training/train.py": None, "models/alpha/training/fit.py": "print(1)\n"}
HOSTILE = "::error file=x::owned ##[add-mask]x ${{ secrets.TOKEN }} \\x1b[31m"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout.at(tmp_path, workspace("alpha", "beta"))


@pytest.fixture
def tidegate(checkout: Checkout) -> Program:
    return Program(checkout.folder, checkout.folder.parent, ISOLATED)


def run(program: Program, *arguments: str, **variables: str | None) -> Ran:
    """With some more variables, or without one."""
    surroundings = {**program.environment(), **variables}
    environment = {name: value for name, value in surroundings.items() if value is not None}
    done = subprocess.run(program.command(*arguments), env=environment, capture_output=True, check=False)
    ran = Ran(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode())
    assert "Traceback" not in ran.out + ran.err, ran
    return ran


# Exit codes


def test_0_without_findings(tidegate: Program) -> None:
    assert tidegate("validate") == Ran(code=errors.FINE, out="no findings; 3 files checked\n", err="")
    assert tidegate("validate") == tidegate("validate", "--no-cache"), "nor when it is remembered"


def test_0_with_warnings(checkout: Checkout, tidegate: Program) -> None:
    checkout.write(WARNED)
    ran = tidegate("validate")
    assert (ran.code, ran.err) == (errors.FINE, "")
    assert "program-not-in-source" in ran.out
    assert ran.out.endswith("1 warning in 1 file; 3 files checked\n")


def test_1_with_errors(checkout: Checkout, tidegate: Program) -> None:
    checkout.write({**BROKEN, "models/beta/model.yaml": "kind: [\n", "tidegate.yaml": SETTINGS + "hodl: {}\n"})
    ran = tidegate("validate")
    assert (ran.code, ran.err) == (errors.FINDINGS, "")
    assert ran.out.endswith("3 errors in 3 files; 3 files checked\n")
    assert [line for line in ran.out.splitlines() if line.endswith(".yaml")] == [
        "models/alpha/model.yaml",
        "models/beta/model.yaml",
        "tidegate.yaml",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--format", "yaml"], "--format", id="an unknown format"),
        pytest.param(["--fix"], "--fix", id="an unknown option"),
        pytest.param(["models/nowhere"], "models/nowhere is not there", id="a missing path"),
        pytest.param(["models", ".."], "one repository at a time", id="a path outside"),
        pytest.param(["--changed-since", "nowhere"], "nowhere", id="an unknown commit"),
        pytest.param(["--changed-since", "--output=x"], "commit", id="an option in place of a commit"),
    ],
)
def test_2_for_wrong_use(tidegate: Program, arguments: list[str], said: str) -> None:
    ran = tidegate("validate", *arguments)
    assert (ran.code, ran.out) == (errors.WRONG_USE, "")
    assert said in ran.err


def test_2_without_a_workspace(tmp_path: Path) -> None:
    ran = Program(tmp_path, tmp_path)("validate")
    assert (ran.code, ran.out) == (errors.WRONG_USE, "")
    assert "tidegate init" in ran.err


def test_3_when_git_does_not_answer(tidegate: Program) -> None:
    ran = run(tidegate, "validate", PATH="/nowhere")
    assert (ran.code, ran.out) == (errors.OUTSIDE, "")
    assert "install git" in ran.err
    ran = run(tidegate, "validate", GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    assert (ran.code, ran.out) == (errors.OUTSIDE, "")
    assert "safe.directory" in ran.err


def test_130_when_interrupted(checkout: Checkout, tidegate: Program) -> None:
    """Ctrl-C reaches every process of a run over many folders."""
    for number in range(400):
        checkout.write(model(f"m{number}"))
    process = subprocess.Popen(
        tidegate.command("validate"),
        env=tidegate.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        workers = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while process.poll() is None and not workers.read_text():
            pass
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert "Traceback" not in out + err
    assert (process.returncode, out, err.strip()) == (errors.INTERRUPTED, "", "interrupted")


# Formats


def test_text_shows_the_line(checkout: Checkout, tidegate: Program) -> None:
    checkout.write(BROKEN)
    shown = tidegate("validate").out.splitlines()
    assert shown[0] == "models/alpha/model.yaml"
    assert shown[1].startswith("  11:18  error    unknown-key  ")
    assert shown[2].endswith("|     production: {aproval: required}")
    assert shown[3].index("^") == shown[2].index("aproval")
    assert "approval" in shown[4]


def test_json(checkout: Checkout, tidegate: Program) -> None:
    checkout.write(BROKEN)
    ran = tidegate("validate", "--format", "json")
    found = json.loads(ran.out)
    assert (ran.code, found["checked"], found["counts"]) == (1, 3, {"error": 1, "warning": 0, "note": 0})
    (finding,) = found["findings"]
    assert [finding[key] for key in ("path", "line", "column")] == ["models/alpha/model.yaml", 11, 18]


def test_sarif(checkout: Checkout, tidegate: Program) -> None:
    checkout.write(BROKEN)
    ran = tidegate("validate", "--format", "sarif")
    (log,) = json.loads(ran.out)["runs"]
    assert (ran.code, log["tool"]["driver"]["version"]) == (1, __version__)
    assert [result["ruleId"] for result in log["results"]] == ["unknown-key"]


def test_github(checkout: Checkout, tidegate: Program, tmp_path: Path) -> None:
    checkout.write(BROKEN)
    summary = tmp_path / "summary.md"
    summary.write_text("# Before\n")
    ran = run(tidegate, "validate", "--format", "github", GITHUB_STEP_SUMMARY=str(summary))
    assert (ran.code, ran.err) == (errors.FINDINGS, "")
    assert ran.out.startswith("::error file=models/alpha/model.yaml,line=11,col=18,title=unknown-key::")
    assert summary.read_text().startswith("# Before\n### Tidegate: 1 error in 1 file; 3 files checked\n")
    assert "unknown&#45;key" in summary.read_text() or "unknown-key" in summary.read_text()


def test_github_says_so_in_the_summary_when_all_is_well(tidegate: Program, tmp_path: Path) -> None:
    ran = run(tidegate, "validate", "--format", "github", GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"))
    assert (ran.code, ran.out) == (errors.FINE, "no findings; 3 files checked\n")
    assert (tmp_path / "summary.md").read_text() == "### Tidegate: no findings; 3 files checked\n"


def test_a_summary_that_cannot_be_written_takes_no_finding_away(checkout: Checkout, tidegate: Program) -> None:
    checkout.write(BROKEN)
    ran = run(tidegate, "validate", "--format", "github", GITHUB_STEP_SUMMARY="/dev/null/summary.md")
    assert ran.code == errors.FINDINGS
    assert ran.out.startswith("::error file=models/alpha/model.yaml,line=11")
    assert "/dev/null/summary.md" in ran.err


def test_every_format_when_everything_is_remembered(checkout: Checkout, tidegate: Program) -> None:
    checkout.write({path: text for number in range(25) for path, text in model(f"m{number}").items()} | BROKEN)
    for form in ("text", "json", "github", "sarif"):
        first = tidegate("validate", "--format", form)
        assert tidegate("validate", "--format", form) == first == tidegate("validate", "--format", form, "--no-cache")
    assert len(list((tidegate.home / "cache/tidegate/validate").iterdir())) == 1


def test_many_cores_say_what_one_says(checkout: Checkout, tidegate: Program) -> None:
    for number in range(220):
        checkout.write(model(f"m{number}"))
    for number in range(0, 220, 3):
        checkout.write({f"models/m{number}/model.yaml": MANIFEST.replace("NAME", f"m{number % 9}").replace("5m", "5")})
    command = tidegate.command("validate", "--no-cache", "--format", "json")

    def looked(limit: Callable[[], object] | None) -> bytes:
        done = subprocess.run(
            command, env=tidegate.environment(), preexec_fn=limit, stdout=subprocess.PIPE, check=False
        )
        assert done.returncode == errors.FINDINGS
        return done.stdout

    one_core = min(os.sched_getaffinity(0))
    assert looked(None) == looked(lambda: os.sched_setaffinity(0, {one_core}))


# Surroundings


def at_a_terminal(program: Program, **variables: str) -> str:
    """What a person sees."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        program.command("validate"), env={**program.environment(), **variables}, stdout=theirs, stderr=subprocess.STDOUT
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:  # Linux' way to say that nobody holds the other end any more
        pass
    finally:
        os.close(ours)
        process.wait()
    return shown.decode()


def test_colours_at_a_terminal_alone(checkout: Checkout, tidegate: Program) -> None:
    checkout.write(BROKEN)
    assert "\x1b[1;31m" in at_a_terminal(tidegate, TERM="xterm")
    assert "\x1b" not in at_a_terminal(tidegate, TERM="xterm", NO_COLOR="1")
    assert "\x1b" not in tidegate("validate").out


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_a_reader_who_stops_reading(checkout: Checkout, tidegate: Program, form: str) -> None:
    """As `| head` does, with little to say and with much."""
    for files in (
        BROKEN,
        {"models/alpha/model.yaml": "apiVersion: tidegate.dev/v1alpha1\nkind: Model\n" + "x: 1\n" * 3000},
    ):
        checkout.write(files)
        process = subprocess.Popen(
            tidegate.command("validate", "--format", form),
            env=tidegate.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read().decode()
        process.stderr.close()
        assert said == ""
        assert process.wait() in (errors.FINDINGS, 120), "120 is Python's own, for what it could not flush"


@pytest.mark.parametrize("closed", ["1", "2"])
def test_no_stdout_or_no_stderr_at_all(checkout: Checkout, tidegate: Program, closed: str) -> None:
    checkout.write(BROKEN)
    command = ["sh", "-c", f'exec "$@" {closed}>&-', "sh", *tidegate.command("validate")]
    done = subprocess.run(command, env=tidegate.environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (errors.FINDINGS, "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_any_encoding_of_the_terminal(checkout: Checkout, tidegate: Program, encoding: str) -> None:
    checkout.write({"models/größe/model.yaml": MANIFEST.replace("NAME", "größe 成長"), **BROKEN})
    for form in ("text", "json", "github", "sarif"):
        done = subprocess.run(
            tidegate.command("validate", "--format", form),
            env={**tidegate.environment(), "PYTHONIOENCODING": encoding},
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (errors.FINDINGS, b"")
        assert "alpha" in done.stdout.decode(encoding)


def test_a_user_with_neither_home_nor_name(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a container that runs under any number."""

    def unknown(_: int) -> None:
        raise KeyError("uid not found")

    checkout.write(BROKEN)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    assert main(["-C", str(checkout.folder), "validate"]) == errors.FINDINGS
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("place", ["/dev/null", "/proc/self/cache", "/dev/null/\udcff", "relative"])
def test_a_cache_folder_that_takes_nothing(checkout: Checkout, tidegate: Program, place: str) -> None:
    checkout.write({path: text for number in range(25) for path, text in model(f"m{number}").items()})
    ran = run(tidegate, "validate", XDG_CACHE_HOME=place)
    assert ran == Ran(code=errors.FINE, out="no findings; 28 files checked\n", err="")
    assert not (checkout.folder / "relative").exists()


def test_from_a_folder_below_without_C(checkout: Checkout, tidegate: Program) -> None:
    checkout.write(BROKEN)
    command = [*tidegate.command()[:3], "validate", "../alpha"]
    done = subprocess.run(
        command,
        env=tidegate.environment(),
        cwd=checkout.folder / "models/beta",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (errors.FINDINGS, "")
    assert done.stdout.startswith("models/alpha/model.yaml\n")


def test_a_folder_that_is_gone(checkout: Checkout, tidegate: Program) -> None:
    command = [*tidegate.command()[:3], "validate"]
    gone = checkout.folder / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["sh", "-c", f'rmdir "{gone}"; exec "$@"', "sh", *command],
        env=tidegate.environment(), cwd=gone, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (errors.WRONG_USE, "")
    assert "Traceback" not in done.stderr


# What the files hold


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_names_that_are_no_text(checkout: Checkout, tidegate: Program, form: str) -> None:
    checkout.write({"models/\udcff/model.yaml": "kind: [\n", "models/\udcff/training/train.py": "1\n"})
    checkout.write({"models/alpha/\udcfe.yaml": pin_file("alpha")})
    ran = run(tidegate, "validate", "--format", form)
    assert (ran.code, ran.err) == (errors.FINDINGS, "")
    assert re.search(r"(?i)\\udcff|\\xff|%FF|\\\\udcff", ran.out)
    if form in ("json", "sarif"):
        json.loads(ran.out)


def test_a_named_path_that_is_no_text(checkout: Checkout, tidegate: Program) -> None:
    checkout.write({"models/\udcff/model.yaml": "kind: [\n"})
    assert run(tidegate, "validate", "models/\udcff").code == errors.FINDINGS
    ran = run(tidegate, "validate", "models/\udcfe")
    assert (ran.code, ran.out) == (errors.WRONG_USE, "")
    assert "is not there" in ran.err


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_no_file_speaks_to_the_terminal_or_the_runner(checkout: Checkout, tidegate: Program, form: str) -> None:
    name = "models/::error::x\n::set-output name=a::b\x1b[2J"
    checkout.write(
        {
            "models/alpha/model.yaml": f'kind: "{HOSTILE}"\n\x1b[31mred: [\n::stop-commands::x\n',
            f"{name}/model.yaml": "kind: [\n",
            "models/beta/model.yaml": MANIFEST.replace("NAME", '"::error::x"').replace(
                "spec:\n", 'spec:\n  "\\x1b[31m::debug::y": 1\n  "\\n::notice::z": 2\n'
            ),
        }
    )
    ran = run(tidegate, "validate", "--format", form)
    assert ran.code == errors.FINDINGS
    assert ran.err == ""
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]", ran.out)
    commands = [line for line in ran.out.splitlines() if line.lstrip().startswith("::")]
    assert all(re.match(r"::(error|warning|notice) (file|title)=", line) for line in commands)
    assert bool(commands) == (form == "github")
    assert "##[" not in ran.out


def test_a_link_shows_nothing_of_the_machine(checkout: Checkout, tidegate: Program, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("kind: [hunter2\n")
    (checkout.folder / ".git/secret").write_text("kind: [hunter2\n")
    (checkout.folder / "models/alpha/staging.yaml").symlink_to(tmp_path / "secret")
    (checkout.folder / "models/beta/model.yaml").unlink()
    (checkout.folder / "models/beta/model.yaml").symlink_to("../../.git/secret")
    for form in ("text", "json", "github", "sarif"):
        ran = run(tidegate, "validate", "--format", form)
        assert ran.code == errors.FINDINGS
        assert "hunter2" not in ran.out + ran.err
        assert "models/alpha/staging.yaml" in ran.out
        assert "models/beta/model.yaml" in ran.out
