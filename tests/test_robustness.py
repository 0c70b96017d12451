"""Whatever lies in a model's folder, `validate` ends with findings or success: no traceback, in little memory, soon.

Each file goes through the real program, which may take 200 MB of data. How long the slowest take is measured by
`make fuzz`; the time-out here only ends what hangs.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from support.program import CONTROLLER
from tidegate import errors

MEGABYTES = 200
HEAD = b"apiVersion: tidegate.dev/v1alpha1\nkind: Model\n"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
TWO = HEAD + b"metadata: {name: a}\nspec: {environments: {production: {}}}\n"
FILES = {
    "an alias bomb": BOMB.encode(),
    "an alias bomb in a manifest": HEAD + b"spec:\n  x: 1\n" + BOMB.encode(),
    "a scalar of 10 MB": HEAD + b"metadata: {name: '" + b"x" * 10_000_000 + b"'}\n",
    "a block scalar of 3 MB": HEAD + b"spec: |\n" + b"  line\n" * 400_000,
    "brackets without end": b"[" * 1_000_000,
    "braces without end": b"{a: " * 60_000,
    "dashes without end": b"- " * 100_000,
    "tags without end": b"!" * 240_000,
    "anchors without end": b"&" * 240_000,
    "questions without end": b"? " * 100_000,
    "a nest of 1,000 levels": b"".join(b" " * n + b"a:\n" for n in range(1000)),
    "invalid UTF-8": HEAD + b"metadata: {name: \xff\xfe}\n",
    "half a character at the end": HEAD + "metadata: {name: é}".encode()[:-2],
    "UTF-16, little end first": TWO.decode().encode("utf-16-le"),
    "UTF-16 with its mark": TWO.decode().encode("utf-16"),
    "UTF-32": TWO.decode().encode("utf-32"),
    "a byte order mark": b"\xef\xbb\xbf" + TWO,
    "CRLF": TWO.replace(b"\n", b"\r\n"),
    "carriage returns alone": TWO.replace(b"\n", b"\r"),
    "several documents": TWO + b"---\n" + TWO,
    "documents without end": b"---\n" * 60_000,
    "a list of 10,000 entries": HEAD
    + b"spec:\n  dependsOn:\n"
    + b"".join(b"  - model-%d\n" % n for n in range(10_000)),
    "10,000 unknown keys": HEAD + b"".join(b"key%d: 1\n" % n for n in range(10_000)),
    "10,000 keys twice": HEAD + b"a: 1\n" * 10_000,
    "10,000 values that look like others": HEAD + b"spec:\n  a:\n" + b"  - 012\n" * 10_000,
    "NUL bytes": HEAD + b"metadata: {name: a\x00b}\n",
    "nothing but NUL": b"\x00" * 10_000,
    "commands of a workflow": HEAD
    + b"metadata: {name: \"::error::x\\n::set-output name=a::b\"}\n'::stop-commands::x': 1\n",
    "an expression of a workflow": HEAD + b'metadata: {name: "${{ secrets.TOKEN }}"}\n',
    "escapes for a terminal": HEAD + b'metadata: {name: "\\e]0;owned\\a\\e[2J"}\n\x1b[2J: 1\n',
    "half of a surrogate pair": HEAD + b'metadata: {name: "\\ud800"}\n',
    "a number of 5,000 digits": HEAD + b"spec: {training: {seed: " + b"9" * 5000 + b"}}\n",
    "numbers that are none": HEAD + b"spec: {gates: {a: {minimum: .nan, maximum: .inf}}}\n",
    "a key that is a list": HEAD + b"? [a, b]\n: c\n",
    "merge keys": HEAD + b"x: &x {a: 1}\nspec: {<<: *x}\n",
    "an anchor on itself": HEAD + b"spec: &a [*a]\n",
    "nothing": b"",
    "a comment": b"# nothing\n",
    "a text": b"hello\n",
    "a program": b"\x7fELF" + bytes(range(256)) * 100,
}


@pytest.mark.parametrize("content", [pytest.param(content, id=name) for name, content in FILES.items()])
@pytest.mark.parametrize("name", ["model.yaml", "production.yaml"])
def test_ends_in_findings_or_success(name: str, content: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "churn"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(content)

    done = validated(tmp_path, f"models/churn/{name}")

    assert done.returncode in (errors.FINE, errors.FINDINGS), done.stderr
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1].endswith("checked")
    assert not any(line.lstrip().startswith(("::", "##[")) for line in done.stdout.splitlines())
    assert "\x1b" not in done.stdout


def validated(root: Path, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tidegate", "validate", path],
        cwd=root,
        env={"PATH": os.environ["PATH"], "HOME": str(root), "PYTHONPATH": str(CONTROLLER)},
        preexec_fn=limit_memory,
        capture_output=True,
        encoding="utf-8",
        timeout=50,
        check=False,
    )


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEGABYTES << 20, MEGABYTES << 20))
