"""Text that nobody would write on purpose: seeds cut, joined and sprinkled with what YAML takes for syntax."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

from tidegate.core.checks.catalogue import RULES
from tidegate.core.checks.examples import split

ROOT = Path(__file__).resolve().parents[2]
PIECES = (
    *(
        "{",
        "}",
        "[",
        "]",
        ":",
        ": ",
        ",",
        "#",
        " #",
        "'",
        '"',
        "|",
        "|\n",
        "|-\n  ",
        ">",
        ">+\n ",
        "?",
        "? ",
        "-",
        "- ",
    ),
    *("&a ", "*a", "!t ", "!!str ", "%", "%YAML 1.1\n", "@", "`", "---\n", "...\n", "\n", "\n  ", "\n\n", "  ", "\t"),
    *("a", "b: c", "x: y", "{a: b}", "[a, b]", "- - a", "key:\n    - v", "<<: ", "<<: *a", "~", "null", "true", "no"),
    *("1", "012", "1e3", "0x1", "0o7", "1_000", "12:30", "2026-01-01", ".nan", "-.inf", "9" * 30, "é", "×", "\u3000"),
    *(
        "\\n",
        "\\x41",
        "\\u00e9",
        "\\ud800",
        "''",
        '""',
        "\r\n",
        "\r",
        "\x00",
        "\x07",
        "\x85",
        "\u2028",
        "\ufeff",
        "\U0001f6a2",
    ),
    *("12@sha256:ab", "99.5%", "30m", "::error::x", "::set-output name=a::b", "${{ secrets.X }}", "{{ parameters.x }}"),
    *(
        "apiVersion: tidegate.dev/v1alpha1\n",
        "kind: Model\n",
        "kind: Pin\n",
        "spec:\n",
        "environments: {}\n",
        "\x1b[31m",
    ),
)


def seeds() -> tuple[str, ...]:
    """Manifests, pins and workspaces of the project, and the examples of every rule."""
    folders = ("examples", "repo-template", "tests/golden", "docs")
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.yaml"))]
    written = [path.read_bytes().decode(errors="replace") for path in files]
    examples = [text for rule in RULES.values() for text in (rule.bad, rule.good) if 0 < len(text) < 10_000]
    return (*filter(None, written), *(file for text in examples for file in split(text).values()))


def broken(random: Random, sources: Sequence[str]) -> str:
    """One text: a source or loose pieces, with up to six changes."""
    whole = random.random() < 0.7
    text = random.choice(sources) if whole else "".join(random.choices(PIECES, k=random.randint(1, 14)))
    if len(text) > 2000:
        start = random.randrange(len(text) - 1000)
        text = text[start : start + random.randint(20, 1000)]
    for _ in range(random.randint(0, 6)):
        text = _changed(random, text)
    return text


def _changed(random: Random, text: str) -> str:
    place = random.randrange(len(text) + 1)
    match random.randrange(5):
        case 0 | 1:
            return text[:place] + random.choice(PIECES) + text[place:]
        case 2:
            return text[:place] + text[place + random.randint(1, 6) :]
        case 3:
            other = random.randrange(len(text) + 1)
            return text[:place] + text[other : other + 30] + text[place:]
        case _:
            return text[:place] + random.choice(PIECES) + text[place + 1 :]
