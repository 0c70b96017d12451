"""Reading PromQL: what an expression answers and selects, and that no text is too much for the parser."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.promtool import promtool
from tidegate.core.promql import Expression, Unread, cost, not_plain, read

PIECES = (
    *(
        "x",
        "sum",
        "rate(",
        "topk(",
        "histogram_quantile(",
        "time()",
        "scalar(",
        "(",
        ")",
        "{",
        "}",
        "[",
        "[5m]",
        "[5m:1m]",
    ),
    *(
        'a="b"',
        'a=~"',
        '"',
        "'",
        "`",
        "\\",
        "\\d",
        ",",
        " by (a)",
        " and ",
        " or ",
        " > ",
        " bool ",
        "-",
        "^",
        "+",
        "==",
        "=~",
    ),
    *(
        " offset ",
        " @ ",
        "start()",
        "9" * 30,
        "Inf",
        "NaN",
        "0x1F",
        "1e300",
        "5m",
        "-5m",
        "#c\n",
        "\n",
        "é",
        "\x00",
        "$x",
    ),
    *("{{ x }}", ".*", "(?i)", "[^", "a{50}", "\\\\pL", "__name__"),
)


@pytest.mark.parametrize(
    ("text", "kind", "compares"),
    [
        pytest.param("up", "instant vector", None, id="a selector"),
        pytest.param("up[5m]", "range vector", None, id="a range"),
        pytest.param("(up[5m])", "range vector", None, id="a range in brackets"),
        pytest.param("rate(up[5m])[1h:1m]", "range vector", None, id="a subquery"),
        pytest.param('"up"', "string", None, id="a text"),
        pytest.param("1 + time()", "scalar", None, id="scalars"),
        pytest.param("1 + up", "instant vector", None, id="a scalar and a vector"),
        pytest.param("-scalar(up)", "scalar", None, id="a negative scalar"),
        pytest.param("sum(up) > 1", "instant vector", ">", id="a comparison"),
        pytest.param("1 == bool 2", "scalar", "== bool", id="a comparison of scalars"),
        pytest.param("-(up > 1) unless down", "instant vector", ">", id="a comparison that is done first"),
        pytest.param("up and down > 1", "instant vector", None, id="a comparison that only filters"),
    ],
)
def test_what_an_expression_answers(text: str, kind: str, compares: str | None) -> None:
    found = read(text)
    assert isinstance(found, Expression)
    assert (found.type, found.compares) == (kind, compares)


@pytest.mark.parametrize(
    ("text", "selectors"),
    [
        pytest.param("up", ["up"], id="a name"),
        pytest.param('{job="a"}', ['{job="a"}'], id="no name"),
        pytest.param("sum by (job) (rate(up{a!='b\"'}[5m] offset 1h))", ['up{a!="b\\""}'], id="inside of calls"),
        pytest.param("up{a=~`\\d+`}", ['up{a=~"\\\\d+"}'], id="backquotes"),
        pytest.param("topk(scalar(k), a / on (x) b[5m:1m] > 1)", [], id="no expression"),
        pytest.param("topk(scalar(k), a / on (x) b)", ["a", "b", "k"], id="all of them"),
        pytest.param("max_over_time(rate(up[5m])[1h:])", ["up"], id="inside of a subquery"),
        pytest.param("time()", [], id="none"),
    ],
)
def test_what_an_expression_selects(text: str, selectors: list[str]) -> None:
    found = read(text)
    assert sorted(s.text for s in found.selectors) == selectors if isinstance(found, Expression) else selectors == []


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        pytest.param("", False, id="nothing"),
        pytest.param("sum(up", True, id="an open bracket"),
        pytest.param("sun(up)", True, id="an unknown function"),
        pytest.param('up{a=~"[a"}', True, id="a pattern that is none"),
        pytest.param('up{a=~"\\\\Qa.b\\\\E"}', False, id="a pattern that only Go reads"),
        pytest.param('up{a=~"[[]"}', False, id="a bracket in a class, which only Go reads"),
        pytest.param("holt_winters(up[5m], 0.1, 0.1)", False, id="a function of Prometheus 2"),
        pytest.param('up{a="b" or c="d"}', True, id="matchers with or"),
        pytest.param("up offset 1e300", True, id="an offset beyond all time"),
        pytest.param("up offset # c\n - Inf", True, id="an infinite offset"),
        pytest.param("-" * 20_000 + "1", False, id="more signs than there is stack"),
        pytest.param("(" * 20_000 + "1" + ")" * 20_000, False, id="more brackets than there is stack"),
        pytest.param("1" + "^1" * 20_000, False, id="more powers than there is stack"),
        pytest.param("x" * 30_000, False, id="a very long name"),
    ],
)
def test_what_cannot_be_read(text: str, sure: bool) -> None:
    found = read(text)
    assert isinstance(found, Unread)
    assert found.sure is sure


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join) | st.text(max_size=40))
def test_no_text_is_too_much(text: str) -> None:
    assert isinstance(read(text), Expression | Unread)
    assert all(map(str.strip, not_plain(text)))


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("(?i)\\\\pL", id="letters of both cases"),
        pytest.param("(?i)[Ā-\U0010ffff]", id="a wide class of both cases"),
        pytest.param("[\\\\x{100}-\\\\x{10ffff}]", id="a wide class"),
        pytest.param("(a{50}){50}", id="repetitions"),
        pytest.param("\\\\w{50}", id="repeated words"),
        pytest.param("(.*)+", id="nested stars"),
    ],
)
def test_the_cost_of_a_pattern_is_told_before_it_is_read(pattern: str) -> None:
    """`cost` is in characters of about 20 µs; machines differ, so that ten times as much is allowed."""
    repeated = next(n for n in range(400, 0, -1) if cost(f'x{{a=~"{pattern * n}"}}') <= 25_000 or n == 1)
    text = f'x{{a=~"{pattern * repeated}"}}'
    began = time.process_time()
    read.__wrapped__(text)
    assert time.process_time() - began < cost(text) * 200e-6


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        pytest.param(
            'sum(rate(f{code="5"}[5m]))',
            '"sum(rate(f{code=\\"5\\"}[5m]))" is more than a selector of series',
            'write f{code="5"}: the query is written for you',
            id="one selector inside of an expression",
        ),
        pytest.param(
            "f / t",
            '"f / t" is more than a selector of series',
            "write a metric's name and matchers alone: the query is written for you",
            id="two of them",
        ),
        pytest.param(
            "f{",
            "this is no selector: unexpected end of input inside braces",
            "write a metric's name, with matchers in braces if need be; in YAML, put it in single quotes",
            id="not even PromQL",
        ),
    ],
)
def test_why_a_text_is_no_plain_selector(text: str, what: str, hint: str) -> None:
    assert not_plain(text) == (what, hint)


def test_what_prometheus_reads_is_never_called_unreadable(tmp_path: Path) -> None:
    random = Random(7)
    texts = list(dict.fromkeys(expression(random) for _ in range(1500)))
    rules = [{"record": f"r{number}x", "expr": text} for number, text in enumerate(texts)]
    file = tmp_path / "rules.yaml"
    file.write_text(json.dumps({"groups": [{"name": "all", "rules": rules}]}), encoding="utf-8")
    done = subprocess.run(
        [promtool(), "check", "rules", "--lint=none", file], capture_output=True, text=True, check=False
    )
    refused = {int(number) for number in re.findall(r'"r(\d+)x"', done.stdout + done.stderr)}
    assert 100 < len(refused) < len(texts) - 100, "some of each, else nothing was tried"
    read_by_prometheus = [text for number, text in enumerate(texts) if number not in refused]
    wrong = [(text, found) for text in read_by_prometheus if isinstance(found := read(text), Unread) and found.sure]
    assert not wrong


VALUES = (
    *('"churn"', "'x'", '"5.."', '"a|b"', '".*"', '""', '"[0-9]+"', '"\\\\d+"', "`\\d{3}`", '"a{2}"', '"[[:alpha:]]+"'),
    *(
        '"(?i)x"',
        '"[^a-z]"',
        '"x\\\\-y"',
        '"é"',
        '"("',
        '"[a"',
        '"*"',
        '"a{"',
        '"(?P<n>x)"',
        '"\\\\pL"',
        '"a{,3}"',
        '"a||b"',
    ),
    *('"[]a]"', '"[a[b]"', '"\\\\Qa\\\\E"', '"$"', '"\\\\bab\\\\B"', '"(?s:.)"', '"\\\\x41"', '"a#b"'),
)
CALLS = (
    "rate",
    "increase",
    "avg_over_time",
    "delta",
    "quantile_over_time",
    "holt_winters",
    "predict_linear",
    "changes",
)
SUMS = ("sum", "avg", "topk", "quantile", "count_values", "group", "stddev")
OTHERS = ("abs", "clamp_max", "histogram_quantile", "scalar", "vector", "absent", "round", "timestamp", "sort", "foo")
SIGNS = ("+", "-", "*", "/", "%", "^", ">", "<", "==", "!=", "and", "or", "unless", "atan2", "> bool")


def expression(random: Random, depth: int = 0) -> str:
    """PromQL as people write it, and now and then not quite."""
    match random.randrange(8) if depth < 4 else 0:
        case 0 | 1:
            return selector(random)
        case 2:
            return random.choice(("1", "0.5", "1e3", "Inf", "0x1F", "-1", "time()", '"s"'))
        case 3:
            span = random.choice(("5m", "1h30m", "1d", "2w", "0s", "5m:", "1h:1m"))
            behind = random.choice(("", "", " offset 1h", " offset -5m", " @ start()"))
            before, after = random.choice(("", "", "0.5,")), random.choice(("", "", ", 3"))
            return f"{random.choice(CALLS)}({before}{selector(random)}[{span}]{behind}{after})"
        case 4:
            by, first = random.choice(("", " by (job)", " without (le)")), random.choice(("", "", "3,", '"x",'))
            return f"{random.choice(SUMS)}{by}({first}{expression(random, depth + 1)})"
        case 5 | 6:
            on = random.choice(("", "", " on (job)", " ignoring (code)", " on (job) group_left"))
            left, right = expression(random, depth + 1), expression(random, depth + 1)
            return f"{left} {random.choice(SIGNS)}{on} {right}"
        case _:
            return f"{random.choice(('', '-', *OTHERS))}({expression(random, depth + 1)})"


def selector(random: Random) -> str:
    name = random.choice(("up", "http_requests_total", "a:b:c", ""))
    labels = random.sample(("job", "code", "le"), random.randrange(0 if name else 1, 3))
    matchers = [f"{label}{random.choice(('=', '!=', '=~', '!~'))}{random.choice(VALUES)}" for label in labels]
    return f"{name}{{{','.join(matchers)}}}" if matchers else name
