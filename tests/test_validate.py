"""`validate` on real checkouts: a run that remembers says what a fresh one says, whatever happened in between; what is
asked for by name or since a ref is what is told; and nothing that lies in the cache folder can do harm.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from support.checkouts import MANIFEST, SETTINGS, Checkout, Edit, model, pin_file, told, workspace
from support.repositories import Files
from tidegate import validate as module
from tidegate.core.finding import Severity
from tidegate.errors import OutsideSystem, WrongUse
from tidegate.validate import Report, Scope, validate
from tidegate.wiring.checkout import validation

BROKEN = "kind: [\n"
ROWS = "age\n1\n"
DIGEST = f"sha256:{hashlib.sha256(ROWS.encode()).hexdigest()}"
INCLUDING = MANIFEST.replace("source: training,", "source: training, include: [shared/lib],")
FED = MANIFEST.replace("source: training,", f"source: training, data: {{rows: {{uri: PLACE, digest: '{DIGEST}'}}}},")
DEPENDING = MANIFEST.replace("spec:\n", "spec:\n  dependsOn: [alpha]\n")
ELSEWHERE = MANIFEST.replace("python, train.py", "python, fit.py")


def manifest(name: str, text: str = MANIFEST) -> str:
    return text.replace("NAME", name)


@pytest.fixture(autouse=True)
def everything_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small workspaces are otherwise inspected anew, and nothing is written down."""
    monkeypatch.setattr(module, "_FEW", -1)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout.at(tmp_path, workspace("alpha", "beta"))


def assert_nothing_is_stale(checkout: Checkout, why: object = "") -> None:
    cached, fresh = checkout.cached(), checkout.fresh()
    assert cached.findings == fresh.findings, why
    assert cached.checked == fresh.checked, why


def test_a_good_workspace_has_no_findings(checkout: Checkout) -> None:
    checkout.write({"models/alpha/staging.yaml": pin_file("alpha"), "models/alpha/notes.txt": "kind: [\n"})
    assert checkout.fresh() == Report(findings=(), checked=4, inspected=2)


def test_all_findings_of_all_files_in_one_go(checkout: Checkout) -> None:
    checkout.write(
        {
            "tidegate.yaml": SETTINGS + "hodl: {}\n",
            "models/alpha/model.yaml": BROKEN,
            "models/beta/model.yaml": manifest("beta")
            .replace("approval:", "aproval:")
            .replace("lease: 5m", "lease: 5"),
            "models/beta/staging.yaml": "kind: Pin\n",
        }
    )
    report = checkout.fresh()
    assert told(report) == {
        ("models/alpha/model.yaml", "yaml-syntax"),
        ("models/beta/model.yaml", "unknown-key"),
        ("models/beta/model.yaml", "wrong-type"),
        ("models/beta/staging.yaml", "missing-key"),
        ("tidegate.yaml", "unknown-key"),
    }
    places = [(finding.path, finding.line, finding.column) for finding in report.findings]
    assert places == sorted(places)
    assert report.failed


def test_warnings_do_not_fail(checkout: Checkout) -> None:
    checkout.write({"models/alpha/training/train.py": None, "models/alpha/training/other.py": "print(1)\n"})
    report = checkout.fresh()
    assert told(report) == {("models/alpha/model.yaml", "program-not-in-source")}
    assert {finding.severity for finding in report.findings} == {Severity.WARNING}
    assert not report.failed


def test_nothing_that_is_unchanged_is_inspected_again(checkout: Checkout) -> None:
    assert checkout.cached().inspected == 2
    assert checkout.cached().inspected == 0
    checkout.write({"models/alpha/model.yaml": manifest("alpha").replace("5m", "6m")})
    assert checkout.cached().inspected == 1
    checkout.clone.commit({})
    assert checkout.cached().inspected == 1, "git's index differs from what it was"
    assert checkout.cached().inspected == 0


def test_so_little_work_is_not_written_down(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FEW", 2)
    assert checkout.cached().inspected == checkout.cached().inspected == 2
    assert not checkout.memory.exists()


# What a run could miss that looks only at what changed


def nested(checkout: Checkout) -> None:
    checkout.remove("models/alpha/model.yaml")
    checkout.write({"models/alpha/model.yaml/model.yaml": BROKEN})


def ignored_from_now_on(checkout: Checkout) -> None:
    checkout.write({".gitignore": "models/new\n"})


def excluded_from_now_on(checkout: Checkout) -> None:
    checkout.write({".git/info/exclude": "models/new\n"})


def written(files: Files) -> Edit:
    return lambda checkout: checkout.write(files)


def removed(path: str) -> Edit:
    return lambda checkout: checkout.remove(path)


def replaced(path: str, files: Files) -> Edit:
    def edit(checkout: Checkout) -> None:
        checkout.remove(path)
        checkout.write(files)

    return edit


def renamed(path: str, new: str) -> Edit:
    def edit(checkout: Checkout) -> None:
        (checkout.folder / new).parent.mkdir(parents=True, exist_ok=True)
        (checkout.folder / path).rename(checkout.folder / new)

    return edit


GAMMA = model("gamma")
INCLUDED = {**GAMMA, "models/gamma/model.yaml": manifest("gamma", INCLUDING)}
OTHER_PROGRAM = {**GAMMA, "models/gamma/model.yaml": manifest("gamma", ELSEWHERE)}
FED_FROM_ROOT = {**GAMMA, "models/gamma/model.yaml": manifest("gamma", FED.replace("PLACE", "../../data/rows.csv"))}
FED_FROM_FOLDER = {**GAMMA, "models/gamma/model.yaml": manifest("gamma", FED.replace("PLACE", "rows.csv"))}
NEW = {"models/new/model.yaml": BROKEN}


@pytest.mark.parametrize("tracked", [pytest.param(True, id="committed"), pytest.param(False, id="untracked")])
@pytest.mark.parametrize(
    ("files", "edit"),
    [
        pytest.param({}, written(NEW), id="a folder appears"),
        pytest.param({}, written({"models/alpha/staging.yaml": BROKEN}), id="a pin file appears"),
        pytest.param({}, written({"models/alpha/model.yaml": BROKEN}), id="a manifest breaks"),
        pytest.param(NEW, written({"models/new/model.yaml": manifest("new")}), id="a manifest is mended"),
        pytest.param({}, removed("models/alpha/training/train.py"), id="a program goes"),
        pytest.param({}, removed("models/alpha"), id="a folder goes"),
        pytest.param({}, removed("models/alpha/model.yaml"), id="a manifest goes"),
        pytest.param(NEW, removed("models/new/model.yaml"), id="a broken manifest goes"),
        pytest.param(OTHER_PROGRAM, written({"models/gamma/training/fit.py": "1"}), id="a program appears"),
        pytest.param(OTHER_PROGRAM, renamed("models/gamma/training/train.py", "models/gamma/training/fit.py"),
                     id="a program gets the right name"),
        pytest.param(INCLUDED, written({"shared/lib/x.py": "1"}), id="an included folder appears"),
        pytest.param({**INCLUDED, "shared/y.py": "1"}, written({"shared/lib/x.py": "1"}),
                     id="an included folder appears in one that is there"),
        pytest.param({**INCLUDED, "shared/lib/x.py": "1"}, removed("shared/lib"), id="an included folder goes"),
        pytest.param({**INCLUDED, "shared/lib/x.py": "1", "shared/lib/y.py": "1"}, removed("shared/lib/x.py"),
                     id="one file of an included folder goes"),
        pytest.param({**INCLUDED, "shared/lib/x.py": "1"}, replaced("shared/lib", {"shared/lib": "a file\n"}),
                     id="an included folder becomes a file"),
        pytest.param({**INCLUDED, "shared/lib/x.py": "1"}, renamed("shared", "common"),
                     id="an included folder is moved"),
        pytest.param({**FED_FROM_ROOT, "data/rows.csv": ROWS}, written({"data/rows.csv": "age\n2\n"}),
                     id="data elsewhere changes"),
        pytest.param({**FED_FROM_ROOT, "data/rows.csv": "other\n"}, written({"data/rows.csv": ROWS}),
                     id="data elsewhere is put right"),
        pytest.param({**FED_FROM_ROOT, "data/rows.csv": "other\n"}, removed("data/rows.csv"), id="data elsewhere goes"),
        pytest.param({**FED_FROM_ROOT, "data/other.csv": "1\n"}, written({"data/rows.csv": "other\n"}),
                     id="data elsewhere appears"),
        pytest.param({**FED_FROM_FOLDER, "models/gamma/training/rows.csv": ROWS},
                     written({"models/gamma/training/rows.csv": "2\n"}), id="data in the source changes"),
        pytest.param(FED_FROM_FOLDER, written({"models/gamma/training/rows.csv": "other\n"}),
                     id="data in the source appears"),
        pytest.param({"models/x": "a file\n"}, replaced("models/x", {"models/x/model.yaml": BROKEN}),
                     id="a file becomes a folder"),
        pytest.param({}, replaced("models/alpha", {"models/alpha": "a file\n"}), id="a folder becomes a file"),
        pytest.param({"models/alpha/x.yaml": "a: 1\n"},
                     replaced("models/alpha/x.yaml", {"models/alpha/x.yaml/y.txt": ""}),
                     id="a YAML file becomes a folder"),
        pytest.param({"models/alpha/x.yaml": "a: 1\n"},
                     replaced("models/alpha/x.yaml", {"models/alpha/x.yaml/staging.yaml": pin_file("x")}),
                     id="a YAML file becomes a folder with YAML"),
        pytest.param({}, nested, id="a manifest becomes a folder"),
        pytest.param({}, renamed("models/alpha", "models/gamma"), id="a folder is renamed"),
        pytest.param({}, renamed("models/alpha/model.yaml", "models/alpha/model.yml"),
                     id="a manifest gets another name"),
        pytest.param({}, renamed("models/alpha", "models/team/alpha"), id="a folder moves into a new one"),
        pytest.param(NEW, ignored_from_now_on, id="a folder is ignored from now on"),
        pytest.param(NEW, excluded_from_now_on, id="a folder is excluded from now on"),
        pytest.param({**NEW, ".gitignore": "models/new\n"}, written({".gitignore": "\n"}),
                     id="a folder is not ignored any more"),
        pytest.param({**NEW, "models/.gitignore": "new\n"}, removed("models/.gitignore"),
                     id="what ignored a folder is gone"),
        pytest.param({}, written({"tidegate.yaml": SETTINGS + "models: [models, more]\n", **model("new", "more")}),
                     id="models lie elsewhere, too"),
        pytest.param({"more/new/model.yaml": BROKEN}, written({"tidegate.yaml": SETTINGS + "models: [more]\n"}),
                     id="models lie elsewhere"),
        pytest.param({"tidegate.yaml": SETTINGS + "models: [models, more]\n"}, written(model("new", "more")),
                     id="a folder that the settings miss appears"),
        pytest.param({}, written({"tidegate.yaml": BROKEN}), id="the settings break"),
        pytest.param({"tidegate.yaml": BROKEN}, written({"tidegate.yaml": SETTINGS}), id="the settings are mended"),
        pytest.param({}, removed("tidegate.yaml"), id="the settings go"),
        pytest.param({**GAMMA, "models/gamma/model.yaml": manifest("gamma", DEPENDING)}, removed("models/alpha"),
                     id="what another depends on goes"),
        pytest.param({**GAMMA, "models/gamma/model.yaml": manifest("gamma", DEPENDING)},
                     written({"models/alpha/model.yaml": manifest("omega")}), id="what another depends on is renamed"),
        pytest.param({**GAMMA, "models/gamma/model.yaml": manifest("alpha")}, removed("models/alpha"),
                     id="one of two of a name goes"),
    ],
)  # fmt: skip
def test_what_changes_is_seen(tmp_path: Path, files: Files, edit: Edit, *, tracked: bool) -> None:
    checkout = Checkout.at(tmp_path, workspace("alpha", "beta"))
    checkout.write(files)
    if tracked:
        checkout.clone.commit({})
    assert_nothing_is_stale(checkout)
    edit(checkout)
    assert_nothing_is_stale(checkout)
    assert_nothing_is_stale(checkout, "what was kept after the change")


def linked(path: str, target: str) -> Edit:
    def edit(checkout: Checkout) -> None:
        place = checkout.folder / path
        place.unlink(missing_ok=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)

    return edit


@pytest.mark.parametrize("tracked", [pytest.param(True, id="committed"), pytest.param(False, id="untracked")])
@pytest.mark.parametrize(
    ("files", "link", "edit"),
    [
        pytest.param({}, linked("models/new/model.yaml", "../alpha/model.yaml"),
                     written({"models/alpha/model.yaml": BROKEN}), id="what a manifest links to breaks"),
        pytest.param({}, linked("models/alpha/staging.yaml", "../../pins/alpha.yaml"),
                     written({"pins/alpha.yaml": BROKEN}), id="what a pin file links to appears"),
        pytest.param({**FED_FROM_FOLDER, "data/rows.csv": ROWS}, linked("models/gamma/rows.csv", "../../data/rows.csv"),
                     written({"data/rows.csv": "other\n"}), id="the data behind a link changes"),
        pytest.param({}, linked("models/new", "alpha"), replaced("models/new", NEW), id="a link becomes a folder"),
        pytest.param({}, linked("models/alpha/staging.yaml", "staging.yaml"), removed("models/alpha/staging.yaml"),
                     id="a link to itself goes"),
        pytest.param({"pins": "a file\n"}, linked("models/alpha/staging.yaml", "../../pins"),
                     linked("models/alpha/staging.yaml", "/etc/hostname"), id="a link leads elsewhere"),
    ],
)  # fmt: skip
def test_what_changes_behind_a_link_is_seen(
    tmp_path: Path, files: Files, link: Edit, edit: Edit, *, tracked: bool
) -> None:
    checkout = Checkout.at(tmp_path, workspace("alpha", "beta"))
    checkout.write(files)
    link(checkout)
    if tracked:
        checkout.clone.commit({})
    assert_nothing_is_stale(checkout)
    edit(checkout)
    assert_nothing_is_stale(checkout)


def test_other_branches_and_what_is_only_staged(checkout: Checkout) -> None:
    clone = checkout.clone
    clone.checkout("other", new=True)
    clone.commit({"models/alpha/model.yaml": BROKEN, **model("gamma")})
    steps: list[tuple[str, ...]] = [
        ("checkout", "--quiet", "main"),
        ("checkout", "--quiet", "other"),
        ("rm", "--quiet", "--cached", "models/alpha/model.yaml"),
        ("add", "--all"),
        ("rm", "--quiet", "-r", "models/gamma"),
        ("reset", "--quiet", "--hard"),
        ("merge", "--quiet", "main"),
        ("update-index", "--refresh"),
    ]
    assert_nothing_is_stale(checkout)
    for step in steps:
        clone.git(*step)
        assert_nothing_is_stale(checkout, step)


class Wanderer:
    """Does to a checkout whatever a person may do, at random."""

    def __init__(self, checkout: Checkout, seed: int) -> None:
        self._checkout = checkout
        self._random = Random(seed)
        self.done: list[str] = []

    def step(self) -> None:
        deed = self._random.choice(
            (*[self.write] * 5, *[self.remove] * 2, *[self.move] * 2, self.link, self.git, self.git)
        )
        self.done.append(f"{deed.__name__} {deed()}")

    def write(self) -> str:
        path = self._random.choice(PLACES)
        content = self._random.choice(CONTENTS)
        self._free(path)
        self._checkout.write({path: content})
        return f"{path}: {content!r}"

    def remove(self) -> str:
        path = self._there()
        self._checkout.remove(path)
        return path

    def move(self) -> str:
        old, new = self._there(), self._random.choice(PLACES)
        aside = self._checkout.folder.parent / "aside"
        (self._checkout.folder / old).rename(aside)
        self._free(new)
        (self._checkout.folder / new).parent.mkdir(parents=True, exist_ok=True)
        aside.rename(self._checkout.folder / new)
        return f"{old} to {new}"

    def link(self) -> str:
        path, target = self._random.choice(PLACES), self._random.choice(LINKS)
        self._free(path)
        linked(path, target)(self._checkout)
        return f"{path} to {target}"

    def git(self) -> str:
        words = self._random.choice(COMMANDS)
        try:
            self._checkout.clone.git(*words.split(" "))
        except subprocess.CalledProcessError:  # not everything can be stashed, or checked out over what lies there
            return f"{words}, in vain"
        return words

    def _free(self, path: str) -> None:
        """Nothing is in the way of a file of this path."""
        place = self._checkout.folder / path
        inside = [above for above in (*reversed(place.parents), place) if self._checkout.folder in above.parents]
        for above in inside:
            if above.is_symlink() or above.is_file() or (above == place and above.exists()):
                self._checkout.remove(str(above.relative_to(self._checkout.folder)))

    def _there(self) -> str:
        found = [path for path in sorted(self._checkout.folder.rglob("*")) if ".git" not in path.parts]
        if not found:
            self._checkout.write({"README.md": "nothing else is left\n"})
            return "README.md"
        return str(self._random.choice(found).relative_to(self._checkout.folder))


PLACES = (
    *(f"models/{name}/{file}" for name in ("alpha", "beta", "gamma") for file in ("model.yaml", "staging.yaml")),
    *("models/gamma/training/train.py", "models/gamma/training/fit.py", "models/gamma/rows.csv", "models/alpha/x.yaml"),
    *("models/alpha/inner/model.yaml", "models/team", "models/team/model.yaml", "models/x.yaml/model.yaml"),
    *("shared/lib/x.py", "shared/lib", "shared/y.py", "data/rows.csv", "data", "models", "more/new/model.yaml"),
    *("tidegate.yaml", "tidegate.yaml", "tidegate.yaml", ".gitignore", "models/.gitignore", "README.md"),
)
CONTENTS = (
    *(manifest(name, text) for name in ("alpha", "gamma") for text in (MANIFEST, INCLUDING, DEPENDING, ELSEWHERE)),
    *(manifest("gamma", FED.replace("PLACE", place)) for place in ("rows.csv", "../../data/rows.csv")),
    *(manifest("beta"), manifest("team"), pin_file("alpha"), pin_file("gamma"), BROKEN, ROWS, "", "a: 1\n"),
    *(SETTINGS, SETTINGS, SETTINGS + "models: [models, more]\n", SETTINGS.replace("production:", "canary:")),
    *("models/gamma\n", "*.csv\ntraining/\n", "*\n!.gitignore\n"),
)
LINKS = ("../alpha/model.yaml", "../../data/rows.csv", "training", "../..", "nowhere", "/etc/hostname", "../beta")
COMMANDS = (
    *("add --all", "add --all", "commit --quiet --all --allow-empty --message step", "checkout --quiet --force main"),
    *("checkout --quiet --force other", "reset --quiet", "reset --quiet --hard", "clean --quiet --force -d"),
    *("stash --quiet", "rm --quiet -r --cached --ignore-unmatch models/alpha models/gamma", "add --all --force"),
)


@pytest.mark.parametrize("seed", range(4))
def test_a_cached_run_says_what_a_fresh_one_says(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many runs lie between writing down and looking it up, and whatever was done between two of them."""
    checkout = Checkout.at(
        tmp_path, {**workspace("alpha", "beta"), **INCLUDED, "shared/lib/x.py": "1", "data/rows.csv": ROWS}
    )
    checkout.clone.git("branch", "other")
    wanderer = Wanderer(checkout, seed)
    keeping = Random(seed)
    for _ in range(40):
        monkeypatch.setattr(module, "_FEW", keeping.choice((-1, 2, 1000)))
        for _ in range(keeping.choice((1, 1, 1, 2, 3))):
            wanderer.step()
        assert_nothing_is_stale(checkout, "\n".join(wanderer.done))


def test_a_folder_without_files_gets_one(checkout: Checkout) -> None:
    (checkout.folder / "models/new/training").mkdir(parents=True)
    assert_nothing_is_stale(checkout)
    checkout.write({"models/new/model.yaml": BROKEN})
    assert_nothing_is_stale(checkout)


def test_a_folder_named_like_the_settings(checkout: Checkout) -> None:
    checkout.remove("tidegate.yaml")
    checkout.write({"tidegate.yaml/README.md": "in the way\n"})
    assert_nothing_is_stale(checkout)
    checkout.write({"tidegate.yaml/model.yaml": BROKEN})
    assert_nothing_is_stale(checkout)


def test_untracked_files_beside_a_new_tracked_folder_are_seen(checkout: Checkout) -> None:
    assert_nothing_is_stale(checkout)
    checkout.clone.commit(model("gamma"))
    checkout.write({"models/gamma/staging.yaml": BROKEN})
    assert_nothing_is_stale(checkout)


# What lies in the cache folder


def remembered(checkout: Checkout) -> Path:
    """The one file in which a workspace with a finding is remembered."""
    checkout.write({"models/alpha/model.yaml": manifest("alpha").replace("approval:", "aproval:")})
    checkout.cached()
    assert checkout.cached().inspected == 0
    (file,) = checkout.memory.iterdir()
    return file


def every_part(raw: bytes) -> list[bytes]:
    """The bytes cut off in many places, and with one bit turned in many places."""
    step = len(raw) // 40
    cut = [raw[:place] for place in range(0, len(raw), step)]
    turned = [raw[:place] + bytes([raw[place] ^ 4]) + raw[place + 1 :] for place in range(0, len(raw), step)]
    return [*cut, *turned]


def test_damaged_memories_are_forgotten(checkout: Checkout) -> None:
    file = remembered(checkout)
    raw, expected = file.read_bytes(), checkout.fresh()
    for damaged in [*every_part(raw), raw + b"\n", b"", b"\0" * 200, raw * 2, raw[64:], b"{}", b"[" * 100_000]:
        file.write_bytes(damaged)
        assert checkout.cached() == expected, damaged
    assert checkout.cached() == replace(expected, inspected=0), "it was written again"


def test_memories_of_other_versions_settings_and_checkouts_are_forgotten(checkout: Checkout) -> None:
    file = remembered(checkout)
    assert validate(checkout.ports("2"), Scope()).inspected == 2
    assert validate(checkout.ports("1"), Scope()).inspected == 2, "only one version is remembered"
    foreign = Checkout.at(checkout.folder.parent / "foreign", workspace("alpha"))
    foreign.memory.mkdir()
    (foreign.memory / file.name).write_bytes(file.read_bytes())
    assert_nothing_is_stale(foreign)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda memory: memory.write_text("a file"), id="a file in place of the folder"),
        pytest.param(lambda memory: memory.symlink_to(memory), id="a link to itself in place of the folder"),
        pytest.param(lambda memory: memory.symlink_to("/dev/null"), id="a device in place of the folder"),
        pytest.param(lambda memory: memory.symlink_to("/proc/self"), id="a folder that takes no file"),
        pytest.param(lambda memory: (memory / "checkout").mkdir(parents=True), id="a folder in place of the file"),
    ],
)
def test_a_cache_that_cannot_be_used_is_done_without(checkout: Checkout, spoil: Callable[[Path], object]) -> None:
    spoil(checkout.memory)
    checkout.write({"models/alpha/model.yaml": BROKEN})
    assert checkout.cached() == checkout.cached() == checkout.fresh()


def test_nothing_is_left_behind_beside_the_memory(checkout: Checkout) -> None:
    remembered(checkout)
    checkout.write({"models/beta/model.yaml": BROKEN})
    checkout.cached()
    assert [file.name for file in checkout.memory.iterdir()] == ["checkout"]


def test_many_runs_at_once_on_one_cache(checkout: Checkout) -> None:
    """Readers and writers while files change: each run is right, and so is what is left."""
    texts = [manifest("alpha"), BROKEN]
    verdicts: list[tuple[str, ...]] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            verdicts.append(tuple(finding.rule for finding in checkout.cached().findings))

    with ThreadPoolExecutor(4) as pool:
        looking = [pool.submit(look) for _ in range(4)]
        for turn in range(20):
            draft = checkout.folder.parent / "draft"
            draft.write_text(texts[turn % 2])
            draft.replace(checkout.folder / "models/alpha/model.yaml")
            checkout.cached()
        ended.set()
        for run in looking:
            run.result()
    assert set(verdicts) == {(), ("yaml-syntax",)}
    assert_nothing_is_stale(checkout)


# What is asked for


def since(checkout: Checkout, ref: str) -> set[tuple[str, str]]:
    cached, fresh = checkout.cached(Scope(since=ref)), checkout.fresh(Scope(since=ref))
    assert cached == replace(fresh, inspected=cached.inspected)
    return told(fresh)


def broken_everywhere(checkout: Checkout) -> None:
    checkout.clone.commit({f"models/{name}/model.yaml": BROKEN for name in ("alpha", "beta", "gamma", "delta")})


ALPHA, BETA = ("models/alpha/model.yaml", "yaml-syntax"), ("models/beta/model.yaml", "yaml-syntax")


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        pytest.param(written({}), set(), id="nothing"),
        pytest.param(written({"models/alpha/model.yaml": BROKEN + "\n"}), {ALPHA}, id="a manifest"),
        pytest.param(written({"models/alpha/training/train.py": "2\n"}), {ALPHA}, id="a program"),
        pytest.param(written({"models/alpha/new/deep/file": "2\n"}), {ALPHA}, id="a new file"),
        pytest.param(removed("models/alpha/training/train.py"), {ALPHA}, id="a file that is gone"),
        pytest.param(written({"README.md": "2\n"}), set(), id="nothing of a model"),
        pytest.param(renamed("models/alpha/model.yaml", "models/beta/model.yml"), {BETA}, id="a file that moved"),
        pytest.param(lambda checkout: checkout.clone.commit({"models/beta/model.yaml": BROKEN + "#"}), {BETA},
                     id="a commit"),
    ],
)  # fmt: skip
def test_changed_since_tells_of_changed_folders(checkout: Checkout, edit: Edit, expected: set[tuple[str, str]]) -> None:
    broken_everywhere(checkout)
    checkout.clone.git("tag", "base")
    edit(checkout)
    assert {found for found in since(checkout, "base") if found[1] == "yaml-syntax"} == expected


def test_changed_since_asks_where_the_branches_parted(checkout: Checkout) -> None:
    broken_everywhere(checkout)
    checkout.clone.checkout("other", new=True)
    checkout.clone.commit({"models/beta/model.yaml": BROKEN + "\n"})
    checkout.clone.checkout("main")
    checkout.clone.commit({"models/alpha/model.yaml": BROKEN + "\n"})
    assert since(checkout, "other") == {ALPHA}
    assert since(checkout, "main") == set()
    assert since(checkout, "HEAD~1") == {ALPHA}


def test_changed_since_tells_of_who_asked_about_a_changed_path(checkout: Checkout) -> None:
    checkout.clone.commit({**INCLUDED, **NEW, "shared/lib/x.py": "1\n"})
    checkout.clone.git("tag", "base")
    assert since(checkout, "base") == set()
    checkout.remove("shared/lib")
    assert since(checkout, "base") == {("models/gamma/model.yaml", "missing-file")}


def test_everything_is_told_when_the_settings_changed(checkout: Checkout) -> None:
    broken_everywhere(checkout)
    checkout.clone.git("tag", "base")
    checkout.write({"tidegate.yaml": SETTINGS + "notifyAfter: 30m\n"})
    assert {ALPHA, BETA} < since(checkout, "base")


@pytest.mark.parametrize("ref", ["nowhere", "", "--output=x", "-h", "main..", "@{-1}", "a\nb", "0" * 40])
def test_a_ref_that_is_none_is_wrong_use(checkout: Checkout, ref: str) -> None:
    with pytest.raises(WrongUse, match="commit"):
        checkout.cached(Scope(since=ref))


def test_branches_without_a_common_commit_are_wrong_use(checkout: Checkout) -> None:
    checkout.clone.git("checkout", "--quiet", "--orphan", "lonely")
    checkout.clone.commit({}, "not the first commit of main")
    with pytest.raises(WrongUse, match="main"):
        checkout.cached(Scope(since="main"))


@dataclass(frozen=True)
class Places:
    """A checkout in which every folder has something wrong, beside which a link leads to it."""

    checkout: Checkout
    home: Path

    def told(self, folder: Path | str, *paths: str) -> set[str]:
        """The files with findings of what is named in a folder."""
        ports, _, inside = validation(self.home / folder, paths, remember=False)
        return {finding.path for finding in validate(ports, Scope(paths=inside)).findings}


@pytest.fixture
def places(checkout: Checkout) -> Places:
    checkout.write(
        {
            ".gitignore": "ignored\n",
            "models/alpha/model.yaml": BROKEN,
            "models/alpha/staging.yaml": pin_file("alpha") + "stabel: 12\n",
            "models/alpha/inner/model.yaml": BROKEN,
            "models/beta/model.yaml": BROKEN,
            "models/ignored/model.yaml": BROKEN,
            "elsewhere/model.yaml": BROKEN,
        }
    )
    home = checkout.folder.parent
    (home / "linked").symlink_to(checkout.folder)
    (checkout.folder / "short").symlink_to("models/alpha")
    (home / "loop").symlink_to("loop")
    return Places(checkout, home)


OF_ALPHA = {"models/alpha/model.yaml", "models/alpha/staging.yaml"}
ALL = {*OF_ALPHA, "models/alpha/inner/model.yaml", "models/beta/model.yaml"}


@pytest.mark.parametrize(
    ("folder", "paths", "expected"),
    [
        pytest.param("checkout", ["models/alpha/model.yaml"], OF_ALPHA, id="a manifest with the pin files beside it"),
        pytest.param("checkout", ["models/alpha/staging.yaml"], OF_ALPHA, id="a pin file with its manifest"),
        pytest.param("checkout", ["models/alpha"], OF_ALPHA | {"models/alpha/inner/model.yaml"}, id="a folder"),
        pytest.param("checkout", ["models/alpha/"], OF_ALPHA | {"models/alpha/inner/model.yaml"}, id="with a slash"),
        pytest.param("checkout", ["./models//alpha/."], OF_ALPHA | {"models/alpha/inner/model.yaml"}, id="with dots"),
        pytest.param("checkout", ["models/beta/../alpha/inner"], {"models/alpha/inner/model.yaml"}, id="up and down"),
        pytest.param("checkout", ["."], ALL, id="here"),
        pytest.param("checkout", ["models"], ALL, id="all models"),
        pytest.param("checkout", ["models/beta", "models/alpha/inner"],
                     {"models/beta/model.yaml", "models/alpha/inner/model.yaml"}, id="several"),
        pytest.param("checkout", ["models/beta", "models/beta", "models/beta/model.yaml"], {"models/beta/model.yaml"},
                     id="the same ones"),
        pytest.param("checkout", ["tidegate.yaml"], set(), id="the settings"),
        pytest.param("checkout", ["elsewhere/model.yaml"], {"elsewhere/model.yaml"}, id="a file outside of the models"),
        pytest.param("checkout/models", ["alpha/inner"], {"models/alpha/inner/model.yaml"}, id="from a folder below"),
        pytest.param("checkout/models/beta", [".."], ALL, id="upwards"),
        pytest.param("checkout/models/beta", ["../alpha/model.yaml"], OF_ALPHA, id="sideways"),
        pytest.param("checkout/models/beta", [], ALL, id="nothing, from a folder below"),
        pytest.param(".", ["checkout/models/beta"], {"models/beta/model.yaml"}, id="from outside"),
        pytest.param("linked", ["models/beta"], {"models/beta/model.yaml"}, id="in a linked checkout"),
        pytest.param(".", ["linked/models/beta/model.yaml"], {"models/beta/model.yaml"}, id="through a link"),
        pytest.param("linked/models", ["../models/beta"], {"models/beta/model.yaml"}, id="up and down behind a link"),
        pytest.param("checkout", ["short/inner"], {"models/alpha/inner/model.yaml"}, id="through a linked folder"),
        pytest.param("checkout", ["short"], OF_ALPHA | {"models/alpha/inner/model.yaml"}, id="a linked folder"),
    ],
)  # fmt: skip
def test_what_is_named_is_looked_at(places: Places, folder: str, paths: Sequence[str], expected: set[str]) -> None:
    assert places.told(folder, *paths) == expected


def test_an_absolute_path_needs_no_folder(places: Places) -> None:
    assert places.told("/", str(places.checkout.folder / "models/beta")) == {"models/beta/model.yaml"}


@pytest.mark.parametrize(
    ("folder", "paths", "said"),
    [
        pytest.param("checkout", ["models/nowhere"], "models/nowhere is not there", id="a missing folder"),
        pytest.param("checkout", ["models/alpha/model.yml"], "model.yml is not there", id="a missing file"),
        pytest.param("checkout", ["models/ignored"], "git ignores it", id="an ignored folder"),
        pytest.param("checkout", ["models/ignored/model.yaml"], "git ignores it", id="an ignored file"),
        pytest.param("checkout", ["models/beta", "models/nowhere"], "models/nowhere", id="one of several is missing"),
        pytest.param("checkout", [".git/config"], "git", id="git's own"),
        pytest.param("checkout", ["/nowhere/model.yaml"], "not there", id="a file of another place"),
        pytest.param("checkout", ["models/beta", ".."], "one repository at a time", id="the folder above"),
        pytest.param("checkout", ["models/beta", "../../../../../../../.."], "one repository", id="far above"),
        pytest.param("checkout", ["models/beta/model.yaml/x"], "not there", id="below a file"),
        pytest.param("checkout", ["models/" + "x" * 5000], "not there", id="a name beyond all length"),
        pytest.param(".", ["x" * 5000], "no folder|not there", id="a name beyond all length, outside"),
        pytest.param("nowhere", [], "no folder", id="no folder"),
        pytest.param("loop", [], "no folder", id="a link to itself"),
        pytest.param("checkout", ["../loop/x"], "loop", id="below a link to itself"),
        pytest.param("checkout/tidegate.yaml", [], "no folder", id="a file in place of the folder"),
        pytest.param("x" * 5000, [], "no folder", id="a folder beyond all length"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_wrong_use(places: Places, folder: str, paths: Sequence[str], said: str) -> None:
    with pytest.raises(WrongUse, match=said):
        places.told(folder, *paths)


def test_a_named_file_must_be_ours(checkout: Checkout) -> None:
    checkout.write({"models/alpha/values.yaml": "replicas: 2\n"})
    assert told(checkout.fresh()) == set()
    assert told(checkout.named("models/alpha/values.yaml")) == {("models/alpha/values.yaml", "foreign-file")}


def test_nothing_is_said_of_those_who_were_not_named(checkout: Checkout) -> None:
    """A model that another depends on is there, though nobody named it."""
    checkout.write({**GAMMA, "models/gamma/model.yaml": manifest("gamma", DEPENDING)})
    assert told(checkout.fresh()) == told(checkout.named("models/gamma/model.yaml")) == set()


def test_settings_are_told_whatever_is_named(checkout: Checkout) -> None:
    checkout.write({"tidegate.yaml": SETTINGS + "hodl: {}\n"})
    assert told(checkout.named("models/alpha")) == told(checkout.named("tidegate.yaml"))
    assert told(checkout.named("tidegate.yaml")) == {("tidegate.yaml", "unknown-key")}


@pytest.mark.parametrize("models", ["models", "models/", "./models", "."])
def test_models_are_found_however_their_folder_is_written(checkout: Checkout, models: str) -> None:
    checkout.write({"tidegate.yaml": f'{SETTINGS}models: ["{models}"]\n', "models/alpha/model.yaml": BROKEN})
    assert told(checkout.fresh()) == {ALPHA}


# What models say together


def clashes(checkout: Checkout) -> set[tuple[str, int, int, str]]:
    assert_nothing_is_stale(checkout)
    return {(finding.path, finding.line, finding.column, finding.rule) for finding in checkout.fresh().findings}


def test_clashes_stand_on_their_line_and_go_with_their_cause(checkout: Checkout) -> None:
    checkout.write({**GAMMA, "models/gamma/model.yaml": manifest("gamma", DEPENDING)})
    assert clashes(checkout) == set()
    checkout.write({"models/alpha/model.yaml": manifest("omega")})
    assert clashes(checkout) == {("models/gamma/model.yaml", 5, 15, "unknown-dependency")}
    checkout.write({"models/beta/model.yaml": manifest("omega")})
    twice = ("models/beta/model.yaml", 3, 18, "model-name-twice")
    assert clashes(checkout) == {("models/gamma/model.yaml", 5, 15, "unknown-dependency"), twice}
    checkout.write({"models/gamma/model.yaml": "\n" + manifest("gamma", DEPENDING)})
    assert clashes(checkout) == {("models/gamma/model.yaml", 6, 15, "unknown-dependency"), twice}
    checkout.remove("models/gamma")
    checkout.write({"models/beta/model.yaml": manifest("beta")})
    assert clashes(checkout) == set()


def test_folders_clash_though_their_manifests_cannot_be_read(checkout: Checkout) -> None:
    checkout.write({**model("Alpha"), "models/Alpha/model.yaml": BROKEN, "models/alpha/model.yaml": BROKEN})
    rules = {("yaml-syntax", "models/Alpha/model.yaml"), ("yaml-syntax", "models/alpha/model.yaml")}
    found = {(finding.rule, finding.path) for finding in checkout.fresh().findings}
    assert found == rules | {("folders-differ-in-capitals", "models/alpha/model.yaml")}


@pytest.mark.parametrize(
    "name", ["a\nb", "a\tb", "a\u2028b", "a\x0bb", "a\x85b", "a b", "ä", '"', "\\", "\udcff", "a:b", "-a", "'"]
)
def test_folders_of_any_name_are_remembered(checkout: Checkout, name: str) -> None:
    checkout.write({f"models/{name}/model.yaml": manifest("alpha"), f"models/{name}/training/train.py": "1\n"})
    twice = {("model-name-twice", "models/alpha/model.yaml"), ("model-name-twice", f"models/{name}/model.yaml")}
    assert {(finding.rule, finding.path) for finding in checkout.fresh().findings} & twice
    assert_nothing_is_stale(checkout)
    checkout.write({f"models/{name}/model.yaml": manifest("beta")})
    assert_nothing_is_stale(checkout)
    checkout.remove(f"models/{name}")
    assert_nothing_is_stale(checkout)
    assert checkout.fresh().findings == ()


# Where the files are


def test_without_git_every_file_counts_and_nothing_is_remembered(tmp_path: Path) -> None:
    for path, text in {**workspace("alpha"), "models/alpha/model.yaml": BROKEN, ".hidden/model.yaml": BROKEN}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    ports, _, _ = validation(tmp_path / "models", (), remember=True)
    assert ports.memory is None
    assert told(validate(ports, Scope())) == {ALPHA}
    with pytest.raises(WrongUse, match="git"):
        validate(ports, Scope(since="main"))


def test_without_a_workspace_only_named_files_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "model.yaml").write_text(BROKEN)
    with pytest.raises(WrongUse, match="tidegate init"):
        validation(tmp_path, (), remember=False)
    ports, _, inside = validation(tmp_path, ("model.yaml",), remember=False)
    assert told(validate(ports, Scope(paths=inside))) == {("model.yaml", "yaml-syntax")}


def test_a_hook_of_another_repository_does_not_lead_astray(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """git hands its hooks the folder and the index of the repository in which somebody commits."""
    other = Checkout.at(checkout.folder.parent / "other", {"README.md": "nothing of ours\n"})
    checkout.clone.commit({"models/alpha/model.yaml": BROKEN})
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.folder / ".git/index"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.folder))
    assert told(checkout.fresh()) == {ALPHA}


def test_a_repository_that_git_does_not_take_is_named(checkout: Checkout) -> None:
    shutil.rmtree(checkout.folder / ".git")
    (checkout.folder / ".git").mkdir()
    with pytest.raises(OutsideSystem, match="not a git repository"):
        checkout.fresh()
