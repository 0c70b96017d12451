"""What is said about text that is no YAML: the real cause, where it is, and what to write instead."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from support.inspecting import inspected, split
from tidegate.core.checks import syntax
from tidegate.core.yaml import causes, composer, document
from tidegate.core.yaml.document import decode, read
from tidegate.errors import InvalidManifest


def found(text: str) -> list[str]:
    """Findings of the text itself, as YAML: nothing is known of its form."""
    try:
        read(text, "p")
    except InvalidManifest as error:
        return [str(finding) for finding in error.findings]
    return []


QUOTE = "put the whole expression in single quotes, or behind `|`"
CUT_SHORT = "inside braces and brackets YAML ends a text at"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            'o:\n  latency: {value: sum(rate(x{a="b"}[5m])), maximum: 1}\n',
            f"p:2:30: error promql-in-flow: {CUT_SHORT} {{: this expression is cut short; fix: {QUOTE}",
            id="a PromQL expression in a flow mapping, at its first brace",
        ),
        pytest.param(
            "o: {value: rate(x[5m]), maximum: 1}\n",
            f"p:1:18: error promql-in-flow: {CUT_SHORT} [: this expression is cut short; fix: {QUOTE}",
            id="a range in a flow mapping",
        ),
        pytest.param(
            'bad: {code=~"5.."}[5m]\n',
            "p:1:19: error promql-in-flow: what begins with a brace is a mapping to YAML, not an expression; "
            f"fix: {QUOTE}",
            id="a selector without a name",
        ),
        pytest.param(
            "c: [python, a[0]]\n",
            "p:1:14: error yaml-syntax: inside braces and brackets a text ends at [; fix: put the whole value in "
            "quotes; or put a comma before the [",
            id="brackets in a text that is no PromQL",
        ),
        pytest.param(
            "c: [python, {{ parameters.x }}]\n",
            "p:1:13: error template-without-quotes: without quotes, YAML reads `{{` as two mappings; "
            'fix: write "{{ parameters.x }}", or put the whole value in quotes',
            id="a placeholder without quotes",
        ),
        pytest.param(
            "c: [--depth={{ parameters.x }}]\n",
            "p:1:13: error template-without-quotes: without quotes, YAML reads `{{` as two mappings; "
            'fix: write "{{ parameters.x }}", or put the whole value in quotes',
            id="a placeholder at the end of a word",
        ),
        pytest.param(
            "c: [${{ x }}]\n",
            "p:1:5: error template-without-quotes: without quotes, YAML reads `{{` as two mappings; "
            'fix: write "${{ x }}", or put the whole value in quotes',
            id="an expression of a workflow",
        ),
        pytest.param(
            "a: 1\n{% if x %}\nb: 1\n",
            "p:2:1: error yaml-syntax: a template is no YAML before it is filled in; "
            "fix: validate what it is rendered to",
            id="a template of Jinja",
        ),
        pytest.param(
            "spec:\n  source:training\n  lease: 30m\n",
            "p:2:9: error yaml-syntax: a space is missing behind this colon; fix: write `source: …`",
            id="a colon without a space, seen on the next line",
        ),
        pytest.param(
            "spec:\n  lease: 30m\n  source:training\n",
            "p:3:9: error yaml-syntax: a space is missing behind this colon; fix: write `source: …`",
            id="a colon without a space in the last line",
        ),
        pytest.param(
            "steps:\n  -10%\n  bake: 1h\n",
            "p:2:3: error yaml-syntax: a space is missing behind this dash; fix: write `- …`",
            id="a dash without a space",
        ),
        pytest.param(
            "reason: stock: empty\n",
            "p:1:14: error yaml-syntax: a second `: ` in one line; fix: put the whole value in quotes, "
            "or put what it holds on lines of its own",
            id="two colons",
        ),
        pytest.param(
            "a: 1\n  b: 2\n",
            "p:2:4: error yaml-syntax: this line is indented as if it belonged to the value above; "
            "fix: indent it like the other keys; or leave the key above it without a value",
            id="a line that is indented too far",
        ),
        pytest.param(
            "a:\n    b: 1\n  c: 2\n",
            "p:3:3: error yaml-syntax: this does not belong to anything above it; "
            "fix: indent it exactly like the lines beside it",
            id="an indentation between two others",
        ),
        pytest.param(
            "a:\n  b: 1\n  - c\n",
            "p:3:3: error yaml-syntax: an item of a list stands among the keys of a mapping; "
            "fix: indent it under the key that it belongs to",
            id="an item among keys",
        ),
        pytest.param(
            "a:\n  - b\n  c: 1\n",
            "p:3:3: error yaml-syntax: a key stands among the items of a list; "
            "fix: write `- key: value`, or indent the key less than the list",
            id="a key among items",
        ),
        pytest.param(
            "a: 1\nfoo\nb: 2\n",
            "p:2:1: error yaml-syntax: this line is neither `key: value` nor an item of a list; "
            "fix: add the colon; a text of several lines goes behind `|` and is indented",
            id="a line without a colon",
        ),
        pytest.param(
            'a: "abc\nb: 1\n',
            "p:1:4: error yaml-syntax: the quotation mark that opens here is never closed; "
            "fix: close it, or take it out",
            id="an open quotation mark, where it opens",
        ),
        pytest.param(
            "reason: 'it's broken'\nb: 1\n",
            "p:1:13: error yaml-syntax: a text goes on behind its closing quotation mark; or one above was never "
            'closed; fix: put the whole value in quotes: in single ones \' is written twice, in double ones " as \\"',
            id="an apostrophe in single quotes",
        ),
        pytest.param(
            'a: "code=~\\"5\\d\\""\n',
            "p:1:14: error yaml-syntax: \\d is no escape in double quotes; fix: use single quotes, or write \\\\d",
            id="a regular expression in double quotes",
        ),
        pytest.param(
            'a: 1\nb: "\\UFFFFFFFF"\n',
            "p:2:5: error yaml-syntax: there is no character \\UFFFFFFFF; fix: write the character itself",
            id="an escape beyond Unicode, at which ruamel breaks",
        ),
        pytest.param(
            "a: [1, {b: 2\nc: 3\n",
            "p:1:8: error yaml-syntax: the { that opens here is never closed; fix: close it with }",
            id="an open brace, where it opens",
        ),
        pytest.param(
            "a: [']', 1\n",
            "p:1:4: error yaml-syntax: the [ that opens here is never closed; fix: close it with ]",
            id="a bracket in quotes closes nothing",
        ),
        pytest.param(
            "# [\na: it's\nb: [1, [2], # ]\n",
            "p:3:4: error yaml-syntax: the [ that opens here is never closed; fix: close it with ]",
            id="an open bracket at the end of the file, and others in comments",
        ),
        pytest.param(
            "a: [1,, 2]\n",
            "p:1:7: error yaml-syntax: a value is missing here; fix: write it, or take the comma out",
            id="a comma too many",
        ),
        pytest.param(
            "a: {b: 1}}\n",
            "p:1:10: error yaml-syntax: nothing is open that this } could close; fix: take it out",
            id="a brace too many",
        ),
        pytest.param(
            "a: [b: 1}]\n",
            "p:1:9: error yaml-syntax: this } closes what [ has opened; fix: close it with ]",
            id="a brace for a bracket",
        ),
        pytest.param(
            "a: {b: 1\n  c: 2}\n",
            "p:2:4: error yaml-syntax: a comma is missing before this, or a quotation mark, between { and its end; "
            "fix: put a comma between two entries, and texts in quotes",
            id="a comma too few",
        ),
        pytest.param(
            "owners: [@dana]\n",
            'p:1:10: error yaml-syntax: a text that begins with @ needs quotes; fix: write "@dana" with quotes',
            id="a handle without quotes",
        ),
        pytest.param(
            "password: @hunter2\n",
            "p:1:11: error yaml-syntax: a text that begins with @ needs quotes; fix: write it with quotes",
            id="what may be a secret is not repeated",
        ),
        pytest.param(
            "password: *hunter2\n",
            "p:1:11: error undefined-alias: the alias *… names nothing that is complete above it; "
            'fix: define &… before; to mean the text, write "*…", with the quotes',
            id="neither is one that looks like an alias",
        ),
        pytest.param(
            "include: [*.py]\n",
            "p:1:11: error undefined-alias: the alias *.py names nothing that is complete above it; "
            'fix: define &.py before; to mean the text, write "*.py", with the quotes',
            id="a pattern of files",
        ),
        pytest.param(
            "a: & b\n",
            "p:1:4: error yaml-syntax: a text that begins with & needs quotes; fix: write it with quotes",
            id="an ampersand",
        ),
        pytest.param(
            "target: %95\n",
            "p:1:9: error yaml-syntax: a percentage has its sign behind the number; fix: write 95%",
            id="a percentage turned round",
        ),
        pytest.param(
            "maximum: > 0.5\n",
            "p:1:10: error yaml-syntax: > begins a text of several lines; nothing may stand behind it; "
            "fix: put the text below it, indented; or put it all in quotes",
            id="a comparison",
        ),
        pytest.param(
            "a: ? b\n",
            "p:1:4: error yaml-syntax: a text that begins with ? needs quotes; fix: write it with quotes",
            id="a question mark",
        ),
        pytest.param(
            "a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> main\n",
            "p:2:1: error merge-conflict: a merge conflict was left in the file; "
            "fix: keep what should stand, and remove the marked lines",
            id="a merge conflict",
        ),
        pytest.param(
            "a:\u00a0b\nc: d\n",
            "p:1:3: error yaml-syntax: a no-break space (U+00A0) is no space to YAML; fix: type a space",
            id="a no-break space",
        ),
        pytest.param(
            "a:\n  \tb: 1\n",
            "p:2:3: error tab: a tab cannot indent or separate in YAML; fix: use spaces",
            id="a tab behind spaces",
        ),
        pytest.param(
            "a: b\tc\n",
            "p:1:5: error tab: a tab cannot indent or separate in YAML; fix: use spaces",
            id="a tab in a text",
        ),
        pytest.param(
            "a\0:\0 \0b\0",
            "p:1:2: error bad-character: the character U+0000 may not stand in a YAML file: the file is UTF-16 "
            "without a mark; fix: save the file as text in UTF-8",
            id="UTF-16 without a mark",
        ),
        pytest.param(
            "a: b\0cdefghi\n",
            "p:1:5: error bad-character: the character U+0000 may not stand in a YAML file: a NUL byte, as binary "
            "files have them; fix: save the file as text in UTF-8",
            id="a NUL byte",
        ),
        pytest.param(
            "a: 1\rb: 2\n",
            "p:1:5: error bad-character: the character U+000D may not stand in a YAML file without a line feed behind "
            "it; fix: save the file with LF or CRLF line ends",
            id="line ends of an old Mac",
        ),
    ],
)
def test_the_cause_is_named_where_it_is(text: str, expected: str) -> None:
    assert found(text) == [expected]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(
            "kind: Model\n".encode("utf-16"), "p:1:1: error bad-encoding: the file is UTF-16", id="as Windows"
        ),
        pytest.param(b"\xfe\xff\0k\0i", "p:1:1: error bad-encoding: the file is UTF-16", id="the other way round"),
        pytest.param(
            "a: 1\nb: Müller\n".encode("latin-1"),
            "p:2:5: error bad-encoding: the byte 0xFC is not UTF-8",
            id="Latin-1, at the letter",
        ),
    ],
)
def test_an_encoding_that_is_not_ours_is_named(raw: bytes, expected: str) -> None:
    with pytest.raises(InvalidManifest) as raised:
        decode(raw, "p")
    assert str(raised.value) == f"{expected}; fix: save the file as UTF-8"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "spec: {objectives: {e: {value: sum by (a, b, c) (x), maximum: 1}}}",
            "models/churn/model.yaml:3:32: error promql-in-flow: value: inside braces YAML ends a text at a comma: "
            f"this expression is cut short; fix: {QUOTE}",
            id="an expression that is cut at a comma",
        ),
        pytest.param(
            'spec: {objectives: {e: {target: 99%, total: x_total, bad: {code=~"5.."}}}}',
            "models/churn/model.yaml:3:59: error promql-in-flow: bad: what begins with a brace is a mapping to YAML, "
            f"not an expression; fix: {QUOTE}",
            id="a selector that begins with a brace",
        ),
        pytest.param(
            "spec: {gates: {auc: {minimum:0.8}}}",
            'models/churn/model.yaml:3:22: error unknown-key: "minimum": without a space behind the colon this is one '
            "long key; fix: write `minimum: …`",
            id="a colon without a space in a flow mapping",
        ),
        pytest.param(
            "spec:\n\u00a0\u00a0gates: {}",
            'models/churn/model.yaml:4:1: error unknown-key: unknown key "\u00a0\u00a0gates"; fix: known here: '
            "apiVersion, kind, metadata, spec",
            id="a key that is indented by no-break spaces stands at the top",
        ),
    ],
)
def test_what_YAML_reads_and_nobody_meant(text: str, expected: str) -> None:
    findings = [str(one) for one in inspected(split(text)) if one.rule in ("promql-in-flow", "unknown-key")]
    assert findings == [expected]


SIGNS = [*"ab:- \n\t\r#&*!|>'\"%@`{}[],?~\\=.5", "\u00a0", "<<<<<<< ", "{{", "}}", "- ", ": ", "\n  ", '"\\d"', "[5m]"]


@given(st.lists(st.sampled_from(SIGNS), max_size=30).map("".join))
def test_every_problem_is_placed_in_the_text_and_belongs_to_a_rule(text: str) -> None:
    known = {rule.id for rule in syntax.RULES}
    for problem in composer.compose(text)[1]:
        assert problem.rule in known
        assert 0 <= problem.offset <= len(text)
        assert problem.message
        assert problem.hint
        assert "\n" not in problem.message + problem.hint


def test_every_rule_that_the_readers_name_is_declared() -> None:
    named: set[str] = set()
    for module in (composer, causes, document):
        source = Path(str(module.__file__)).read_text()
        named |= set(re.findall(r'Problem\(\s*"([a-z-]+)"', source))
    assert named >= {"yaml-syntax", "bad-encoding", "too-large", "duplicate-key"}
    assert named <= {rule.id for rule in syntax.RULES}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: {b: " + "x " * 110_000 + "}c\n", id="a long text"),
        pytest.param("a: {" + "'" * 200_001, id="quotes without end"),
        pytest.param("a: [" + '"\\\\" , ' * 15_000, id="many quoted texts in an open bracket"),
        pytest.param("a: b:" + "c" * 200_000 + "\n  d: e\n", id="a long line"),
        pytest.param("- " * 20 + "a:" + " -" * 100_000 + ":\n b: c\n", id="dashes in a line"),
        pytest.param("x\n" * 100_000 + "a: b\n", id="many lines without a colon"),
        pytest.param("a: {{" + " x" * 100_000, id="an open placeholder"),
    ],
)
def test_looking_for_the_cause_takes_a_moment(text: str) -> None:
    """Reading the text is ruamel's time; what is looked for afterwards must not show beside it."""
    assert len(text) < document.MAXIMUM_CHARACTERS
    with pytest.raises(MarkedYAMLError) as raised:
        list(YAML(typ="safe", pure=True).parse(text))
    start = time.process_time()
    assert causes.cause(raised.value, text).hint
    assert time.process_time() - start < 0.2
