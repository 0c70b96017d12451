"""The written word is true: commands run and say what the page shows, YAML is read, links lead somewhere, tables are
whole.

A console block is run where the comment before it says: `<!-- runs in: PLACE -->`. Lines after `$` are commands, the
others what they print on stdout, in which `…` stands for any text. Blocks that are not run say why:
`<!-- not run: REASON -->`.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.inspecting import inspected
from support.program import CONTROLLER
from support.repositories import ISOLATED, Clone, new_bare
from tidegate import bundled
from tidegate.adapters.targets.file import FileTarget
from tidegate.core import wording
from tidegate.core.finding import Severity
from tidegate.core.judging.verdict import Comparison, ObjectiveVerdict, Stage, Standing, Tally, Verdict
from tidegate.core.manifest import Effect
from tidegate.core.pin import NOTHING_BEFORE, Canary, Pin, Rejected, Stamp, content, stamped
from tidegate.core.quantity import VersionPin
from tidegate.core.read import read_model, read_pin, read_workspace
from tidegate.core.reasons import objective_reason
from tidegate.core.transition import Kind, Transition, mark
from tidegate.core.workspace import Workspace
from tidegate.core.yaml.splice import dump

ROOT = CONTROLLER.parent
PAGES = sorted([*ROOT.glob("*.md"), ROOT / "controller" / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>[^\n]*) -->\n)?```(?P<kind>console|sh|yaml)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ (?P<words>.+)$", re.MULTILINE)


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@dataclass(frozen=True)
class Step:
    """One command of a console block, with the output that the page shows."""

    command: str
    shown: str


def steps(text: str) -> Iterator[Step]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield Step(command, shown)


def runnable(page: Path) -> list[tuple[str, str]]:
    """Place and text of each block of the page that is run."""
    blocks = BLOCK.finditer(page.read_text(encoding="utf-8"))
    marked = [(block["mark"] or "", block["text"]) for block in blocks if block["kind"] != "yaml"]
    return [(mark.removeprefix("runs in: "), text) for mark, text in marked if mark.startswith("runs in: ")]


@dataclass(frozen=True)
class Shell:
    """A person's shell in a folder of their own: `cd` lasts from one command to the next."""

    home: Path
    variables: dict[str, str]

    def __call__(self, command: str) -> subprocess.CompletedProcess[str]:
        where = self.home / "where"
        script = f'cd "$(cat "{where}")"\n{command}\ncode=$?\npwd > "{where}"\nexit $code'
        environment = {
            **ISOLATED,
            "PATH": f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "PYTHONPATH": str(CONTROLLER),
            "TIDEGATE_WORK": str(self.home / "work"),
            **self.variables,
        }
        return subprocess.run(
            ["bash", "-c", script],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def shell(home: Path, start: Path, **variables: str) -> Shell:
    """`tidegate` on PATH is this checkout's."""
    program = home / "bin" / "tidegate"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tidegate "$@"\n')
    program.chmod(0o755)
    (home / "where").write_text(str(start))
    return Shell(home=home, variables=variables)


def empty_folder(home: Path, request: pytest.FixtureRequest) -> Shell:
    return shell(home, home, MLFLOW_TRACKING_URI=request.getfixturevalue("mlflow_uri"))


def demo_clone(home: Path, request: pytest.FixtureRequest) -> Shell:
    """The digits example as the demo leaves it: version 2 serves, version 3 is rejected."""
    bundled.copy_tree("examples/digits", home / "example")
    files = {str(p.relative_to(home / "example")): p.read_text() for p in (home / "example").rglob("*") if p.is_file()}
    one, two, three = (VersionPin(version=n, digest=f"sha256:{n:064x}") for n in (1, 2, 3))
    rejected = Rejected(version=3, key="k" + "3" * 16, reason="latency ×9.1", proposal=8)
    _add_pin(files, "staging", Pin(stable=three, previous=two), "promote")
    _add_pin(files, "production", Pin(stable=two, previous=one, rejected=(rejected,)), "revert")
    bare = new_bare(home, files)
    return shell(home, Clone.of(bare, home / "models").folder)


def _add_pin(files: dict[str, str], environment: str, pin: Pin, kind: str) -> None:
    pin = stamped("digits", environment, pin, Stamp(kind=kind, before=NOTHING_BEFORE, attempt=1, key=""))
    manifest, workspace = files["models/digits/model.yaml"], files["tidegate.yaml"]
    settings = read_workspace(workspace, "tidegate.yaml", bundled.schemas())
    model = read_model(manifest, "models/digits/model.yaml", bundled.schemas(), settings)
    files[model.pin_path(environment)] = dump(content(pin))
    files[FileTarget().path(model, environment)] = FileTarget().render(model, environment, pin)


PLACES: dict[str, Callable[[Path, pytest.FixtureRequest], Shell]] = {
    "an empty folder": empty_folder,
    "a clone of the demo's repository": demo_clone,
}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("page", [page for page in PAGES if runnable(page)], ids=named)
def test_every_command_runs_and_says_what_the_page_shows(
    page: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    blocks = runnable(page)
    assert len({place for place, _ in blocks}) == 1, "one place a page: its blocks follow one another"
    run = PLACES[blocks[0][0]](tmp_path, request)
    for step in (step for _, text in blocks for step in steps(text)):
        done = run(step.command)
        assert done.returncode == 0, f"$ {step.command}\n{done.stdout}{done.stderr}"
        assert fits(step.shown, done.stdout), f"$ {step.command}\n{done.stdout}\nis not\n{step.shown}"


def fits(shown: str, said: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in shown.rstrip("\n").split("…"))
    return re.fullmatch(pattern, said.rstrip("\n"), re.DOTALL) is not None


@pytest.mark.parametrize(
    ("shown", "said", "answer"),
    [
        pytest.param("#1: merged as …\n", "#1: merged as 0a1b\n", True, id="dots-stand-for-any-text"),
        pytest.param("a\n…\nd\n", "a\nb\nc\nd\n", True, id="and-for-any-lines"),
        pytest.param("merged\n", "merged, or not\n", False, id="without-dots-every-word-counts"),
    ],
)
def test_shown_output_is_compared(shown: str, said: str, answer: bool) -> None:
    assert fits(shown, said) is answer


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_block_that_is_not_run_says_why(page: Path) -> None:
    blocks = [block for block in BLOCK.finditer(page.read_text(encoding="utf-8")) if block["kind"] != "yaml"]
    silent = [b["text"] for b in blocks if not (b["mark"] or "").startswith(("runs in: ", "not run: "))]
    assert not silent, silent


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_yaml_example_is_read(page: Path) -> None:
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if block["kind"] == "yaml":
            read_example(block["text"], named(page))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_model_that_is_shown_passes_validation(page: Path) -> None:
    """But for the files that it names: the page has only the manifest."""
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if re.search(r"^kind: Model$", block["text"], re.MULTILINE):
            model = re.search(r"\bname: ([\w-]+)", block["text"])
            assert model, block["text"]
            found = inspected({f"models/{model[1]}/model.yaml": block["text"]})
            wrong = [str(each) for each in found if each.severity is Severity.ERROR and each.rule != "missing-file"]
            assert not wrong, "\n".join(wrong)


def read_example(text: str, path: str) -> None:
    """Raises InvalidManifest with its findings."""
    schemas = bundled.schemas()
    match re.search(r"^kind: (\w+)$", text, re.MULTILINE):
        case None:
            raise AssertionError(f"{path}: a YAML block without a kind: {text}")
        case kind if kind[1] == "Workspace":
            read_workspace(text, path, schemas)
        case kind if kind[1] == "Pin":
            read_pin(text, path, schemas)
        case _:
            read_model(text, path, schemas, Workspace())


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_inside_the_repository_leads_somewhere(page: Path) -> None:
    targets = [found["target"] for found in LINK.finditer(page.read_text(encoding="utf-8"))]
    dead = [target for target in targets if "://" not in target and not leads_somewhere(page, target)]
    assert not dead, dead


def leads_somewhere(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    there = (page.parent / path).resolve() if path else page
    return there.exists() and (not anchor or anchor in anchors(there))


def anchors(page: Path) -> set[str]:
    """As GitHub makes them: lower case, punctuation dropped, dashes for blanks."""
    headings = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-") for words in headings}


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


FIGURE = re.compile(r"\b[0-9a-f]{12}\b|\d[\d.:e+-]*")


def test_the_readme_s_proposal_is_what_we_write_for_such_a_revert() -> None:
    """Word for word; only figures, dates and digests are those of another run."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    quoted = [line.removeprefix(">").strip() for line in readme.splitlines() if line.startswith(">")]
    written = wording.body(a_revert()).partition("<!--")[0].strip().splitlines()
    assert [FIGURE.sub("#", line) for line in quoted] == [FIGURE.sub("#", line) for line in written]
    assert any(line.startswith("First bad event") for line in written)
    assert any("--scope all" in line for line in written)


def test_the_readme_s_diff_is_of_a_pin_file_that_we_read() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    diff = readme.partition("```diff\n")[2].partition("```")[0].splitlines()[3:]
    for dropped in "+-":
        lines = [line[1:] for line in diff if not line.startswith(dropped)]
        read_pin("\n".join(["apiVersion: tidegate.dev/v1alpha1", *lines]) + "\n", "README.md", bundled.schemas())


def a_revert() -> Transition:
    """As the demo's last act has it: version 3 is slow where 2 is not, and every other objective has too few events."""
    one, two, three = (VersionPin(version=n, digest=f"sha256:{n:064x}") for n in (1, 2, 3))
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    clean, bad = Tally(bad=0, total=95), Tally(bad=23, total=23)
    availability = ObjectiveVerdict(
        objective="availability", effect=Effect.REVERT, subject=Tally(total=23), reference=clean,
        standing=Standing.TOO_FEW, needed=200, dispersion=1,
    )  # fmt: skip
    latency = ObjectiveVerdict(
        objective="latency", effect=Effect.REVERT, subject=bad, reference=clean, comparison=Comparison.WORSE,
        evidence=3.29e12, needed=200, dispersion=1,
    )  # fmt: skip
    verdict = Verdict(
        stage=Stage.CANARY, subject=3, judged_until=at, objectives=(availability, latency), first_bad_at=at
    )  # fmt: skip
    before = Pin(stable=two, previous=one, canary=Canary(pin=three, weight=0.25))
    rejected = Rejected(version=3, key="k" + "3" * 16, reason="latency", proposal=8)
    after = Pin(stable=two, previous=one, rejected=(rejected,))
    return Transition(
        model="digits", environment="production", kind=Kind.REVERT, before=before, verdict=verdict,
        after=stamped("digits", "production", after, mark(Kind.REVERT, before)),
        reasons=(objective_reason(latency)[1],),
    )  # fmt: skip


def test_the_command_line_s_page_is_current() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "docs.py", "--check"],
        env={**os.environ, "PYTHONPATH": str(CONTROLLER)}, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_every_reason_to_hold_is_in_the_table_of_operations() -> None:
    table = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    modules = (CONTROLLER / "tidegate" / "core").glob("*.py")
    reasons = {reason for module in modules for reason in hold_reasons(ast.parse(module.read_text(encoding="utf-8")))}
    assert len(reasons) > 20, "the core's holds are found"
    assert not {reason for reason in reasons if reason not in table}


def hold_reasons(tree: ast.AST) -> Iterator[str]:
    """The first words of each `Hold(reason=…)`, up to a colon or bracket; the longest where all are short."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Hold":
            fixed = [text for keyword in node.keywords if keyword.arg == "reason" for text in texts(keyword.value)]
            if fixed:
                words = next((text for text in fixed if len(text) > 10), max(fixed, key=len))
                yield re.split(r"[:(`]", words.strip(" :;#,"))[0].strip(" #")


def texts(node: ast.expr) -> Iterator[str]:
    return (n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str))
