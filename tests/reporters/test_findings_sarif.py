"""SARIF: valid against the schema that OASIS published, whatever the findings; fingerprints that outlive an edit."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from support.findings import FILES, FINDINGS, RULES, findings, sources
from tidegate.core.finding import Finding, Severity
from tidegate.reporters.findings_sarif import MESSAGE, RESULTS, document

SCHEMA = json.loads((Path(__file__).parents[1] / "support/sarif/schema-2.1.0.json").read_text(encoding="utf-8"))
VALID = Draft7Validator(SCHEMA)
FINDING = FINDINGS[0]


def run(found: Sequence[Finding], text: str | None = None, pages: str | None = None) -> Any:
    written = json.loads(document(found, RULES, lambda _: text, "1.2.3", pages=pages))
    assert not [error.message for error in VALID.iter_errors(written)]
    return written["runs"][0]


def fingerprints(found: Sequence[Finding], text: str | None) -> list[dict[str, str]]:
    return [result["partialFingerprints"] for result in run(found, text)["results"]]


def test_the_document_reads_as_reviewed(golden: Callable[[str, str], None]) -> None:
    golden("findings/report.sarif", document(FINDINGS, RULES, FILES.get, "1.2.3") + "\n")


@given(findings(), sources)
def test_any_findings_are_valid_and_read_back(found: list[Finding], text: str | None) -> None:
    done = run(found, text)
    for finding, result in zip(found, done["results"], strict=True):
        place = result["locations"][0]["physicalLocation"]
        assert unquote_to_bytes(place["artifactLocation"]["uri"]) == finding.path.encode("utf-8", "surrogateescape")
        assert (place["region"]["startLine"], place["region"]["startColumn"]) == (finding.line, finding.column)
        assert done["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == finding.rule
        assert result["level"] == finding.severity.value
        assert result["message"]["text"].isprintable()


@given(findings(), sources)
def test_the_same_findings_make_the_same_bytes(found: list[Finding], text: str | None) -> None:
    backwards = dict(reversed(RULES.items()))
    assert document(found, RULES, lambda _: text, "1") == document(found, backwards, lambda _: text, "1")


@given(findings(), sources)
def test_no_two_findings_share_a_fingerprint(found: list[Finding], text: str | None) -> None:
    ours = [prints["tidegate/v1"] for prints in fingerprints(found, text)]
    assert len(set(ours)) == len(ours)


@given(st.text("ab \n", max_size=40), st.integers(1, 5), st.text("cd ", max_size=8))
def test_fingerprints_stay_when_lines_move(text: str, line: int, above: str) -> None:
    before = fingerprints([replace(FINDING, line=line)], text)
    after = fingerprints([replace(FINDING, line=line + 1)], f"{above}\n{text}")
    assert after == before


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"rule": "tab"}, id="another-rule"),
        pytest.param({"path": "models/other/model.yaml"}, id="another-file"),
        pytest.param({"line": 2}, id="another-line"),
    ],
)
def test_another_thing_has_another_fingerprint(change: dict[str, Any]) -> None:
    first = replace(FINDING, line=1)
    (mine,) = fingerprints([first], "a: 1\nb: 2\n")
    (other,) = fingerprints([replace(first, **change)], "a: 1\nb: 2\n")
    assert mine["tidegate/v1"] != other["tidegate/v1"]


def test_another_indent_of_the_line_changes_nothing() -> None:
    assert fingerprints([replace(FINDING, line=1)], "a:  1") == fingerprints([replace(FINDING, line=1)], "  a: 1\t")


def test_without_the_text_github_s_fingerprint_is_left_to_its_uploader() -> None:
    assert fingerprints([FINDING], None)[0].keys() == {"tidegate/v1"}
    assert fingerprints([FINDING], "a: 1")[0].keys() == {"tidegate/v1"}
    assert fingerprints([replace(FINDING, line=1)], "")[0]["primaryLocationLineHash"] == "c129715d7a2bc9a3:1"


@pytest.mark.parametrize(
    ("row", "column", "end"),
    [
        pytest.param("a: 1", 4, 5, id="to-the-end-of-the-line"),
        pytest.param("a: 1\r", 4, 5, id="without-the-line-break"),
        pytest.param("👍: 1", 1, 5, id="counted-in-code-points"),
        pytest.param("a: 1", 9, 9, id="never-before-its-beginning"),
    ],
)
def test_a_region_is_what_the_line_holds_from_there(row: str, column: int, end: int) -> None:
    (result,) = run([replace(FINDING, line=1, column=column)], row)["results"]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 1, "startColumn": column, "endLine": 1, "endColumn": end}


def test_rules_are_listed_whatever_was_found_and_have_no_page_without_an_address() -> None:
    def listed(pages: str | None) -> list[dict[str, Any]]:
        rules: list[dict[str, Any]] = run([], pages=pages)["tool"]["driver"]["rules"]
        return rules

    assert [rule["id"] for rule in listed(None)] == ["owner-handle", "unknown-key"]
    assert not any("helpUri" in rule for rule in listed(None))
    assert listed("https://a.example/rules/")[0]["helpUri"] == "https://a.example/rules/owner-handle.md"


def test_a_link_in_a_message_is_none() -> None:
    (result,) = run([replace(FINDING, message="see [the fix](https://b.example)", hint="[](1)")])["results"]
    assert result["message"]["text"] == r"see [the fix\](https://b.example). Fix: [\](1)"


def test_more_results_than_a_run_may_have_lose_the_least_severe_and_say_so() -> None:
    notes = [replace(FINDING, severity=Severity.NOTE)] * RESULTS
    done = json.loads(document([*notes, FINDING], RULES, lambda _: None, "1"))["runs"][0]
    assert len(done["results"]) == RESULTS
    assert done["results"][0]["level"] == "error"
    (notification,) = done["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"] == "1 more finding left out: one run holds no more than 25,000 results."


def test_long_texts_are_cut() -> None:
    (result,) = run([replace(FINDING, message="m" * 5_000, hint="h" * 5_000)])["results"]
    assert result["message"]["text"] == "m" * (MESSAGE - 1) + "…. Fix: " + "h" * (MESSAGE - 1) + "…"
