"""YAML that means something else than it looks: what is told, where, and what is left alone."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.inspecting import SCHEMAS, Folder, inspected, split
from support.yaml_styles import documents, styled
from tidegate.core.checks import looks
from tidegate.core.checks.subjects import Lone
from tidegate.core.fault import placed
from tidegate.core.inspection import inspect_settings
from tidegate.core.yaml.document import Document, read
from tidegate.core.yaml.scalars import DECEPTIVE
from tidegate.errors import InvalidManifest

RULES = {rule.id for rule in looks.RULES}
HEX = "ab" * 32


def found(text: str) -> list[str]:
    findings = [finding for finding in inspected(split(text)) if finding.rule in RULES]
    return [str(finding).removeprefix("models/churn/model.yaml:") for finding in findings]


def parameter(value: str) -> str:
    return f"spec:\n  training:\n    parameters: {{x: {value}}}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            parameter("no"),
            '5:21: warning text-not-boolean: no is the text "no" here, and a boolean to other readers; '
            'fix: write false, or "no" if the text is meant',
            id="a word that other readers take for a boolean",
        ),
        pytest.param(
            parameter("On"),
            '5:21: warning text-not-boolean: On is the text "On" here, and a boolean to other readers; '
            'fix: write true, or "On" if the text is meant',
            id="the same in another spelling",
        ),
        pytest.param(
            "metadata: {name: churn, labels: {country: no}}",
            '3:43: note text-not-boolean: no is the text "no" here, and a boolean to other readers; '
            'fix: write false, or "no" if the text is meant',
            id="where only a text is possible it is a note",
        ),
        pytest.param(
            "spec: {environments: {no: {}, production: {}}}",
            '3:23: note text-not-boolean: no is the text "no" here, and a boolean to other readers; '
            'fix: write false, or "no" if the text is meant',
            id="as a key, placed on the key",
        ),
        pytest.param(
            parameter("012"),
            "5:21: warning number-not-as-written: 012 is the number 12 here, and other readers differ; "
            'fix: write 12; or "012" to keep the zero',
            id="a leading zero",
        ),
        pytest.param(
            "spec: {training: {seed: 007}}",
            "3:25: warning number-not-as-written: 007 is the number 7 here, and other readers differ; "
            'fix: write 7; or "007" to keep the zero',
            id="a leading zero where a number is wanted",
        ),
        pytest.param(
            "spec: {training: {command: [python, train.py, --mask, 0x1F]}}",
            '3:55: warning number-not-as-written: the program gets 31, not 0x1F; fix: write "0x1F", with the quotes',
            id="a number of base 16 in a command",
        ),
        pytest.param(
            parameter("1_000"),
            '5:21: warning text-not-number: 1_000 is a text here, not a number; fix: write 1000, or "1_000"',
            id="an underscore between digits",
        ),
        pytest.param(
            parameter("0b101"),
            "5:21: warning text-not-number: 0b101 is a text here, not a number; fix: write it in plain digits",
            id="a number of base 2",
        ),
        pytest.param(
            parameter("1e3"),
            "5:21: note float-not-integer: 1e3 is the float 1000.0, not a whole number; "
            "fix: write 1000 where a whole number is meant",
            id="a whole number with an exponent",
        ),
        pytest.param(
            parameter("1e21"),
            "5:21: note float-not-integer: 1e21 is the float 1e+21, not a whole number; fix: write it out",
            id="one that no float holds exactly",
        ),
        pytest.param(
            parameter("&&"),
            "5:21: warning anchor-without-value: && is an anchor of nothing: the value is empty; "
            'fix: write "&&" if the text is meant',
            id="an anchor in place of a text",
        ),
        pytest.param(
            parameter("[1,\t2]"),
            "5:25: note tab-like-spaces: a tab that looks like spaces; fix: use spaces; in double quotes write \\t",
            id="a tab between two values",
        ),
        pytest.param(
            parameter('"a\tb"'),
            "5:21: note tab-like-spaces: a tab that looks like spaces; fix: use spaces; in double quotes write \\t",
            id="a tab in quotes",
        ),
        pytest.param(
            "spec: {gates: {auc: {minimum: 0.9,\tmaximum: 1}}}",
            "3:36: note tab-like-spaces: a tab that looks like spaces; fix: use spaces; in double quotes write \\t",
            id="a tab in front of a key",
        ),
        pytest.param(
            "metadata: {name: churn}  # \u202e a comment\n",
            "3:28: warning invisible-character: the character U+202E cannot be seen here; "
            "fix: take it out, or write it as an escape in double quotes",
            id="a comment that turns its direction, placed in the comment",
        ),
        pytest.param(
            "%YAML 1.1\n---\napiVersion: tidegate.dev/v1alpha1\nkind: Model\n",
            "1:1: warning other-yaml-version: the directive changes nothing: this is read as YAML 1.2; "
            "fix: take the directive out",
            id="a directive for YAML 1.1",
        ),
        pytest.param(
            "spec:\n  objectives:\n    a: {preset: p, target: &t 99%}\n    b:\n      preset: p\n      target: *t\n",
            "8:15: note shared-by-alias: *t repeats what stands in line 5: a change there changes this too; "
            "fix: write it out",
            id="an alias in another entry",
        ),
        pytest.param(
            "spec:\n  rollout: {steps: &s [10%]}\n  environments: {production: {rollout: {steps: *s}}}\n",
            "5:48: note shared-by-alias: *s repeats what stands in line 4: a change there changes this too; "
            "fix: write it out",
            id="an alias in another section",
        ),
    ],
)
def test_what_is_told(text: str, expected: str) -> None:
    assert found(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(parameter("1e-3"), id="a small number with an exponent"),
        pytest.param(parameter("2.5e0"), id="a fraction with an exponent"),
        pytest.param(parameter("y"), id="y as the name of a column"),
        pytest.param(parameter("N"), id="N as well"),
        pytest.param(parameter("12:30"), id="a time"),
        pytest.param(parameter("2026-12-24"), id="a date"),
        pytest.param(parameter("0x1F"), id="a number of base 16"),
        pytest.param(parameter("0o17"), id="a number of base 8"),
        pytest.param(parameter("0"), id="zero"),
        pytest.param(parameter("0.5"), id="a fraction"),
        pytest.param(parameter('"no"'), id="a word in quotes"),
        pytest.param(parameter("'012'"), id="a leading zero in quotes"),
        pytest.param(parameter("!!str no"), id="a word with a tag"),
        pytest.param(parameter("normal"), id="a word that begins with no"),
        pytest.param(parameter("&a 1, z: *a"), id="an alias beside its anchor"),
        pytest.param("spec: {training: {command: [python, train.py, --date, 2026-12-24]}}", id="a date in a command"),
        pytest.param("spec: {training: {command: [python, train.py, --rate, 1e-3]}}", id="a rate in a command"),
        pytest.param("spec: {training: {command: [python, train.py, --rows, 1_000]}}", id="a text in a command"),
        pytest.param("spec: {environments: {staging: , production: {approval: required}}}", id="an empty environment"),
        pytest.param("spec: {environments: {production: {approval: no}}}", id="a wrong value has a finding already"),
        pytest.param("spec:\n  training:\n    parameters:\n      text: |\n        a\tb\n", id="a tab in a block"),
        pytest.param("metadata: {name: churn}\t# a comment\n", id="a tab before a comment"),
        pytest.param("metadata: {name: churn, labels: {team: 👩\u200d🔬, city: Zürich}}", id="letters and emoji"),
    ],
)
def test_what_is_left_alone(text: str) -> None:
    assert found(text) == []


def test_a_freeze_may_be_written_without_quotes() -> None:
    text = (
        "apiVersion: tidegate.dev/v1alpha1\nkind: Workspace\nfreeze:\n"
        "  - {days: [fri], from: 16:00, until: 23:59, reason: weekend}\n"
        "  - {from: 2026-12-24, until: 2026-12-27, reason: holidays}\n"
    )
    findings, _ = inspect_settings(text.encode(), SCHEMAS, Folder({}))
    assert [finding for finding in findings if finding.rule in RULES] == []


def test_an_alias_in_a_pin_file_is_an_error() -> None:
    path = "models/churn/production.yaml"
    text = f"apiVersion: tidegate.dev/v1alpha1\nkind: Pin\nstable: &pin 1@sha256:{HEX}\nprevious: *pin\n"
    findings = [finding for finding in inspected({path: text}) if finding.rule == "shared-by-alias"]
    assert [(finding.severity, finding.line, finding.column) for finding in findings] == [("error", 4, 11)]


def faults(document: Document) -> list[str]:
    """Of a document of any shape, as if all of it were parameters."""
    lone = Lone(document=document, data=document.data, manifest=None)
    return [placed(document, fault).rule for fault in looks.looks_as_it_means(lone)]


@given(st.text(string.ascii_letters + string.digits + "_.:+-eExXoOT ", min_size=1, max_size=12))
def test_what_looks_ordinary_is_never_a_finding(word: str) -> None:
    """The fast reader must have refused whatever is told: it remembers no styles."""
    text = f"spec: {{training: {{parameters: {{x: {word.strip()}}}}}}}"
    try:
        document = read(text, "p")
    except InvalidManifest:
        return
    if faults(document):
        assert DECEPTIVE.fullmatch(word.strip())
        assert not document.ordinary


@given(st.data())
def test_documents_of_any_shape_are_looked_at_without_an_accident(data: st.DataObject) -> None:
    text = data.draw(documents.flatmap(styled))
    document = read(text, "p")
    assert set(faults(document)) <= RULES
