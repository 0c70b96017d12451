"""The training command: words for a program, and a program that the run can see."""

from __future__ import annotations

import pytest

from support.inspecting import inspected
from tidegate.core.checks import command

HEAD = "apiVersion: tidegate.dev/v1alpha1\nkind: Model\nmetadata: {name: churn}\nspec:\n  environments: {staging: {}}\n"
TRAINING = f"{HEAD}  training:\n    source: training\n    lease: 30m\n    include: [shared]\n    command: "
FILES = {"models/churn/training/train.py": "", "models/churn/training/run/fit.sh": "", "shared/lib.py": ""}


def found(words: str) -> list[str]:
    rules = {rule.id for rule in command.RULES}
    everything = inspected({"models/churn/model.yaml": f"{TRAINING}{words}\n", **FILES})
    return [f"{one.line}:{one.column} {one.rule}: {one.message}; {one.hint}" for one in everything if one.rule in rules]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("[python, train.py]", id="a program of the source"),
        pytest.param("[/usr/bin/python3.12, -u, ./train.py, --depth, 6]", id="behind flags, with a number"),
        pytest.param("[run/fit.sh]", id="a script by its path"),
        pytest.param("[python, ../../../shared/lib.py]", id="a program of an include"),
        pytest.param("[python, -m, torch.distributed.run, nowhere.py]", id="a module, which nobody can look up"),
        pytest.param("[uv, run, nowhere.py]", id="a program that starts others in its own way"),
        pytest.param("[python, /opt/train.py]", id="a program of the image"),
        pytest.param('[python, "{{ parameters.program }}"]', id="a program that is filled in"),
        pytest.param('["{{ parameters.program }}", a]', id="also as the first word"),
        pytest.param('[python, train.py, --sep, "|", --end, ";"]', id="signs of the shell as values of options"),
        pytest.param("[sh, -c, 'pip install . && python train.py > log']", id="a shell that is asked for"),
        pytest.param("[python, train.py, '<mask>', 'a&&b', 'x > 0']", id="signs inside of words"),
    ],
)
def test_nothing_is_said_of(words: str) -> None:
    assert found(words) == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(
            "[python train.py]",
            '10:15 command-for-a-shell: "python train.py" is taken for the name of one program; '
            "write each word for itself: [python, train.py]",
            id="a command line in one word",
        ),
        pytest.param(
            "[pip, install, ., '&&', python, train.py, '>', log]",
            '10:32 command-for-a-shell: "&&" is handed to the program as an argument: no shell reads the command; '
            "write a script, or `[sh, -c, '…']`",
            id="two commands, told once",
        ),
        pytest.param(
            "[cd, src]",
            '10:15 command-for-a-shell: "cd" is no program: only a shell knows it; '
            "write a script, or `[sh, -c, '…']`",
            id="a word that only a shell knows",
        ),
        pytest.param(
            "[SEED=7, python, train.py]",
            '10:15 command-for-a-shell: "SEED=7" is no program: only a shell knows it; '
            "write a script, or `[sh, -c, '…']`",
            id="a variable before the program",
        ),
        pytest.param(
            "[python, training/train.py]",
            "10:23 program-not-in-source: there is no models/churn/training/training/train.py in the repository; "
            "the path is relative to models/churn/training: write train.py",
            id="a path written from the manifest",
        ),
        pytest.param(
            "[bash, -e, fit.sh]",
            "10:25 program-not-in-source: there is no models/churn/training/fit.sh in the repository; "
            "add it to models/churn/training, or correct its name",
            id="a script that is not there",
        ),
        pytest.param(
            "[./nowhere.sh]",
            "10:15 program-not-in-source: there is no models/churn/training/nowhere.sh in the repository; "
            "add it to models/churn/training, or correct its name",
            id="a script as the program itself",
        ),
        pytest.param(
            "[python, ../model.yaml]",
            '10:23 program-not-in-source: "../model.yaml" lies outside of `source` and `include`: the run does not see '
            "it; move it into `source`, or name its folder under `include`",
            id="a file that the run does not see",
        ),
    ],
)
def test_a_command_that_does_not_run(words: str, expected: str) -> None:
    assert found(words) == [expected]


def test_a_missing_source_is_said_once() -> None:
    text = f"{TRAINING}[python, train.py]\n"
    everything = inspected({"models/churn/model.yaml": text, "shared/a": ""})
    assert [one.rule for one in everything if "training" in one.message] == ["missing-file"]
