"""What is said about the shape of a file: the kind of the slip, its place, and how the same is written right."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from support.inspecting import inspected, split
from tidegate.core import inspection, misfits, slips
from tidegate.core.checks import catalogue, form

RULES = {rule.id for rule in form.RULES}


def found(text: str) -> str:
    findings = [finding for finding in inspected(split(text)) if finding.rule in RULES]
    return "\n".join(str(finding).removeprefix("models/churn/model.yaml:") for finding in findings)


def whole(spec: str) -> str:
    return f"metadata: {{name: churn}}\nspec: {{environments: {{production: {{}}}}, {spec}}}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            whole("gates: {auc: {minimun: 0.8, maximum: 1}}"),
            '4:54: error unknown-key: unknown key "minimun"; fix: did you mean "minimum"?',
            id="a misspelt key",
        ),
        pytest.param(
            whole("gates: {auc: {minimum\u00a0: 0.8, maximum: 1}}"),
            '4:54: error unknown-key: unknown key "minimum\u00a0"; '
            "fix: write minimum without the character that only looks like a space, or like nothing",
            id="a key with a character that cannot be seen",
        ),
        pytest.param(
            whole("training: {source: a, command: [a], lease: 1h, seed: '7'}"),
            "4:93: error wrong-type: seed: must be a whole number, not a text; "
            "fix: write 7, without quotes or underscores",
            id="a number in quotes",
        ),
        pytest.param(
            whole("training: {source: a, command: [a], lease: 1h, seed: 1_000}"),
            "4:93: error wrong-type: seed: must be a whole number, not a text; "
            "fix: write 1000, without quotes or underscores",
            id="a number with an underscore",
        ),
        pytest.param(
            whole("training: {source: a, command: [a], lease: 1h, adopt: yes}"),
            "4:94: error wrong-type: adopt: must be true or false, not a text; "
            'fix: write true: to YAML 1.2, "yes" is a text',
            id="a boolean of YAML 1.1",
        ),
        pytest.param(
            whole("training: {source: 7, command: [a], lease: 1h}"),
            "4:59: error wrong-type: source: must be a text, not a whole number; fix: put it in quotes",
            id="a text that is a number",
        ),
        pytest.param(
            whole("rollout: {bake: 30}"),
            "4:56: error wrong-type: bake: must be a text, not a whole number; "
            'fix: write it like "30m" or "250ms" or "1h30m"',
            id="a duration without its unit",
        ),
        pytest.param(
            whole("training: {source: a, command: [a], lease: 1h, parameters: {weights: {0: 1, 1: 5}}}"),
            "4:110: error wrong-type: the key 0 is a whole number, and keys are texts; "
            'fix: write "0", with the quotes\n'
            "4:116: error wrong-type: the key 1 is a whole number, and keys are texts; "
            'fix: write "1", with the quotes',
            id="numbers as keys of a parameter",
        ),
        pytest.param(
            "metadata: {name: churn, labels: {true: a, ~: b}}\nspec: {environments: {production: {}}}\n",
            '3:34: error wrong-type: the key true is true or false, and keys are texts; fix: write "true", '
            "with the quotes\n"
            '3:43: error wrong-type: the key null is empty, and keys are texts; fix: write "null", with the quotes',
            id="true and nothing as keys",
        ),
        pytest.param(
            "metadata: {name: churn}\nspec: {environments: {1: {}, production: {}}}\n",
            '4:23: error wrong-type: the key 1 is a whole number, and keys are texts; fix: write "1", with the quotes',
            id="a number as an environment, told once",
        ),
    ],
)
def test_form(text: str, expected: str) -> None:
    assert found(text) == expected


def test_what_the_reader_refuses_is_told_in_its_place() -> None:
    findings = inspected(split(form.VALUE.bad))
    assert [(one.rule, one.line, one.column) for one in findings] == [("value", 3, 36)]


@pytest.mark.parametrize(
    "section",
    [
        pytest.param("registry: {uri: 'ftp://user:hunter2@example.org'}", id="an address of another kind"),
        pytest.param("registry: {uri: 'https://example.org', auth: {bearer:hunter2}}", id="a colon without a space"),
        pytest.param("registry: {uri: 'https://example.org', auth: {bearer: hunter2}}", id="a token that stands there"),
        pytest.param("prometheus: {url: 'https://example.org', auth: {basic: hunter2}}", id="a password alone"),
        pytest.param(
            "prometheus: {url: 'https://example.org', headers: {Authorization: @hunter2}}", id="a broken text"
        ),
    ],
)
def test_I11_no_finding_repeats_a_secret(section: str) -> None:
    findings = inspected(split(f"# tidegate.yaml\n{section}\n"))
    assert findings
    assert all("hunter2" not in str(finding) for finding in findings)


def test_every_rule_that_is_named_without_its_declaration_is_declared() -> None:
    named: set[str] = set()
    for module in (misfits, slips, inspection):
        named |= set(re.findall(r'Fault\(\s*"([a-z-]+)"', Path(str(module.__file__)).read_text()))
    assert named >= {"unknown-key", "value", "not-a-handle"}
    assert named <= catalogue.RULES.keys()


def test_thousands_of_misspelt_keys_take_a_moment() -> None:
    text = "metadata:\n  name: churn\n  owners: []\n" + "".join(f"  nane{number}: 1\n" for number in range(3000))
    start = time.process_time()
    findings = inspected(split(text))
    assert sum(finding.rule == "unknown-key" for finding in findings) == 3000
    assert time.process_time() - start < 2
