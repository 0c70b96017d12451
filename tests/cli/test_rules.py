"""`tidegate rules` on a real repository: what it prints, writes, leaves alone, and finds."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from support.program import Program
from support.promtool import check
from support.repositories import Clone, new_bare
from support.worlds import MANIFEST, WORKSPACE
from tidegate import errors

HEADER = "# Written by `tidegate rules`."
MODELS = {
    "models/digits/model.yaml": MANIFEST,
    "models/churn/model.yaml": MANIFEST.replace("name: digits", "name: churn"),
}
FILES = {
    "tidegate.yaml": WORKSPACE,
    "models/digits/training/train.py": "print(1)\n",
    "models/churn/training/train.py": "print(1)\n",
    **MODELS,
}


def repository(tmp_path: Path, **replaced: str) -> Program:
    """Two models. `replaced` changes the manifest of digits, word by word."""
    manifest = MANIFEST
    for old, new in replaced.items():
        manifest = manifest.replace(old, new)
    return Program(new_bare(tmp_path / "git", {**FILES, "models/digits/model.yaml": manifest}), tmp_path)


def changed(tmp_path: Path, path: str, text: str | None) -> None:
    clone = Clone.of(tmp_path / "git" / "models.git", tmp_path / f"clone-{path.replace('/', '-')}")
    clone.commit({path: text})
    clone.push("HEAD:main")


def groups(text: str) -> list[str]:
    return [group["name"] for group in yaml.safe_load(text)["groups"]]


def test_it_prints_one_file_for_every_model_environment_and_objective(tmp_path: Path) -> None:
    ran = repository(tmp_path)("rules")
    assert ran.code == errors.FINE
    assert groups(ran.out) == [
        f"tidegate:{model}:{environment}:{objective}"
        for model in ("churn", "digits")
        for environment in ("staging", "production")
        for objective in ("availability", "latency")
    ]
    check(ran.out, tmp_path)


def test_it_prints_one_model_s_and_tells_what_is_left_out(tmp_path: Path) -> None:
    ran = repository(tmp_path)("rules", "digits")
    assert {name.split(":")[1] for name in groups(ran.out)} == {"digits"}
    assert ran.err.splitlines() == [
        f"tidegate:digits:{environment}:latency: no page over 1h and 5m: "
        "14.4 × the 10% that may be bad is 1.44 × all events, which can never be"
        for environment in ("staging", "production")
    ]


def test_a_window_changes_factors_and_may_differ_between_environments(tmp_path: Path) -> None:
    ran = repository(
        tmp_path,
        **{
            "target: 95%}": "target: 95%, window: 28d}",
            "staging: {}": "staging: {objectives: {latency: {window: 60d}}}",
        },
    )("rules", "digits")
    assert "13.44 * (1 - 0.95)" in ran.out
    assert "sum_over_time(tidegate:events:increase5m{" in ran.out
    assert {f"[{window}])" in ran.out for window in ("28d", "60d", "30d")} == {True}


@pytest.mark.parametrize("window", ["30m", "367d", "0s"])
def test_a_window_out_of_bounds_is_a_finding_on_its_line(window: str, tmp_path: Path) -> None:
    ran = repository(tmp_path, **{"target: 95%}": f"target: 95%, window: {window}}}"})("rules", "digits")
    assert ran.code == errors.FINDINGS
    assert "models/digits/model.yaml:7:" in ran.err
    assert "between 1h and 366d" in ran.err


def test_it_writes_one_file_a_model_once(tmp_path: Path) -> None:
    program, folder = repository(tmp_path), tmp_path / "prometheus" / "rules"
    dry = program("rules", "-o", str(folder), "--dry-run")
    assert not folder.exists()
    ran = program("rules", "-o", str(folder))
    assert ran.out == dry.out == f"write {folder}/churn.rules.yaml\nwrite {folder}/digits.rules.yaml\n"
    assert sorted(path.name for path in folder.iterdir()) == ["churn.rules.yaml", "digits.rules.yaml"]
    for path in folder.iterdir():
        check(path.read_text(encoding="utf-8"), tmp_path)
        assert path.stat().st_mode & 0o777 == 0o644
    again = program("rules", "-o", str(folder))
    assert (again.code, again.out) == (errors.FINE, "")
    assert "every file is as it should be" in again.err


def test_check_finds_what_is_missing_changed_or_orphaned_and_writes_nothing(tmp_path: Path) -> None:
    program, folder = repository(tmp_path), tmp_path / "rules"
    missing = program("rules", "-o", str(folder), "--check")
    assert missing.code == errors.FINDINGS
    assert missing.out.count("drift: is not there") == 2
    assert not folder.exists()
    program("rules", "-o", str(folder))
    assert program("rules", "-o", str(folder), "--check").code == errors.FINE
    with (folder / "digits.rules.yaml").open("a") as file:
        file.write("# tuned by hand\n")
    changed(tmp_path, "models/churn/model.yaml", None)
    drifted = program("rules", "-o", str(folder), "--check")
    assert drifted.code == errors.FINDINGS
    assert [line.split(": ", 1)[0] for line in drifted.out.splitlines()] == [
        f"{folder}/digits.rules.yaml:1:1",
        f"{folder}/churn.rules.yaml:1:1",
    ]


def test_it_removes_its_own_files_and_nobody_else_s(tmp_path: Path) -> None:
    program, folder = repository(tmp_path), tmp_path / "rules"
    program("rules", "-o", str(folder))
    theirs = {"team.rules.yaml": "groups: []\n", "notes.txt": HEADER, "binary.rules.yaml": "\0\n"}
    for name, text in theirs.items():
        (folder / name).write_text(text)
    (folder / "linked.rules.yaml").symlink_to(folder / "digits.rules.yaml")
    changed(tmp_path, "models/churn/model.yaml", None)
    assert program("rules", "digits", "-o", str(folder)).out == ""
    ran = program("rules", "-o", str(folder))
    assert ran.out == f"remove {folder}/churn.rules.yaml\n"
    left = {path.name for path in folder.iterdir()}
    assert left == {"digits.rules.yaml", "linked.rules.yaml", *theirs}


def test_a_model_that_lost_its_objectives_loses_its_file(tmp_path: Path) -> None:
    program, folder = repository(tmp_path), tmp_path / "rules"
    program("rules", "-o", str(folder))
    without = "\n".join(line for line in MANIFEST.splitlines() if "_total" not in line and "objectives" not in line)
    changed(tmp_path, "models/digits/model.yaml", without)
    assert program("rules", "digits", "-o", str(folder)).out == f"remove {folder}/digits.rules.yaml\n"
    alone = program("rules", "digits")
    assert yaml.safe_load(alone.out) == {"groups": []}
    assert "no rules" in alone.err


@pytest.mark.parametrize(
    "text",
    [pytest.param("groups: []\n", id="a-person-s-file"), pytest.param(f"\n{HEADER}\n", id="the-words-elsewhere")],
)
def test_a_file_that_somebody_else_wrote_is_left_alone(text: str, tmp_path: Path) -> None:
    program, folder = repository(tmp_path), tmp_path / "rules"
    folder.mkdir()
    (folder / "digits.rules.yaml").write_text(text)
    ran = program("rules", "-o", str(folder))
    assert ran.code == errors.FINDINGS
    assert "was not written by `tidegate rules`" in ran.err
    assert (folder / "digits.rules.yaml").read_text() == text
    assert [path.name for path in folder.iterdir()] == ["digits.rules.yaml"]


def test_a_broken_manifest_falls_back_to_its_last_valid_text_and_is_a_finding(tmp_path: Path) -> None:
    program, folder = repository(tmp_path), tmp_path / "rules"
    program("rules", "-o", str(folder))
    changed(tmp_path, "models/digits/model.yaml", MANIFEST.replace("target: 95%", "target: 200%"))
    ran = program("rules", "-o", str(folder))
    assert (ran.code, ran.out) == (errors.FINDINGS, "")
    assert "models/digits/model.yaml:7:" in ran.err
    assert "digits: its rules are those of the last valid text" in ran.err
    assert program("rules", "churn", "-o", str(folder)).code == errors.FINE


def test_one_that_never_was_valid_is_a_finding_and_nothing_is_called_an_orphan(tmp_path: Path) -> None:
    program, folder = repository(tmp_path, **{"kind: Model": "kind: Modell"}), tmp_path / "rules"
    folder.mkdir()
    (folder / "digits.rules.yaml").write_text(f"{HEADER} Do not edit: the next run writes it again.\n")
    ran = program("rules", "-o", str(folder))
    assert ran.code == errors.FINDINGS
    assert "models/digits/model.yaml:2:" in ran.err
    assert program("rules", "digits").out == ""
    assert (folder / "digits.rules.yaml").exists()
    assert (folder / "churn.rules.yaml").exists()


@pytest.mark.parametrize("arguments", [["rules"], ["rules", "digits"]])
def test_models_of_one_name_are_findings_also_when_one_is_asked_for(arguments: list[str], tmp_path: Path) -> None:
    program, folder = repository(tmp_path), tmp_path / "rules"
    changed(tmp_path, "models/again/model.yaml", MANIFEST)
    ran = program(*arguments)
    assert ran.code == errors.FINDINGS
    assert "models/again/model.yaml:1:1: error model-name-twice" in ran.err
    assert "models/digits/model.yaml:1:1: error model-name-twice" in ran.err
    assert "tidegate:digits:" not in ran.out
    assert "no rules: no environment" not in ran.err
    program(*arguments, "-o", str(folder))
    assert "as it should be" not in program(*arguments, "-o", str(folder)).err
    assert not (folder / "digits.rules.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["rules", "nobody"], "there are: churn, digits", id="an-unknown-model"),
        pytest.param(["rules", "--check"], "-o DIR", id="a-check-of-nothing"),
        pytest.param(["rules", "--dry-run"], "-o DIR", id="trying-to-print"),
        pytest.param(["rules", "-o", "/dev/null"], "is no folder", id="a-file-for-a-folder"),
        pytest.param(["rules", "-o", "/proc/nowhere"], "cannot be written", id="where-nobody-writes"),
    ],
)
def test_wrong_use_says_what_is_wrong(arguments: list[str], said: str, tmp_path: Path) -> None:
    ran = repository(tmp_path)(*arguments)
    assert ran.code == errors.WRONG_USE
    assert said in ran.err
    assert ran.out == ""
