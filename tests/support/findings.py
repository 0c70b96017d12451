"""Findings to report: three files of a small repository, and hostile ones made by hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from tidegate.core.checks.rule import Rule
from tidegate.core.finding import Finding, Severity

FILES = {
    "models/churn/model.yaml": """\
apiVersion: tidegate.dev/v1alpha1
kind: Model
metadata: {name: churn, owners: ["growth-ml"]}
spec:
  training: {source: training, command: [python, train.py], environment: requirements.lock, lease: 30m}
  gates:
    roc_auc: {minimun: 0.80}
\ttab: 1
""",
    "models/größe/model.yaml": """\
kind: Model
metadata: {name: größe, labels: {team: 成長チーム, "e\u0301": yes}}
""",
}
"""The text of each file that can be read; `models/old/production.yaml` cannot."""

FINDINGS = (
    Finding(
        rule="unknown-key", severity=Severity.ERROR, path="models/churn/model.yaml", line=7, column=15,
        message='unknown key "minimun"', hint='did you mean "minimum"?',
    ),
    Finding(
        rule="tab", severity=Severity.ERROR, path="models/churn/model.yaml", line=8, column=2,
        message="a tab where YAML wants blanks", hint="indent with blanks",
    ),
    Finding(
        rule="owner-handle", severity=Severity.WARNING, path="models/churn/model.yaml", line=3, column=33,
        message='"growth-ml" is nobody\'s handle', hint="write it like @acme/growth-ml",
    ),
    Finding(
        rule="yaml-surprise", severity=Severity.WARNING, path="models/größe/model.yaml", line=2, column=52,
        message="`yes` is a text here, and true to other readers of YAML", hint='write true or "yes"',
    ),
    Finding(
        rule="hand-edited", severity=Severity.NOTE, path="models/old/production.yaml", line=1, column=1,
        message="the file does not hash to its transition: it was edited by hand",
    ),
)  # fmt: skip

RULES = {
    "unknown-key": Rule(
        id="unknown-key", title="Unknown key", why="A key that nobody reads is a setting that nobody gets.",
        bad="spec: {gates: {roc_auc: {minimun: 0.8}}}\n", good="spec: {gates: {roc_auc: {minimum: 0.8}}}\n",
    ),
    "owner-handle": Rule(
        id="owner-handle", severity=Severity.WARNING, title="An owner is no handle", why="GitHub would notify nobody.",
        bad="metadata: {owners: [growth]}\n", good='metadata: {owners: ["@acme/growth"]}\n',
    ),
}  # fmt: skip

ATTACKS = (
    "::error::", "\n::stop-commands::t\n", "\r::set-output name=a::b", "##[add-mask]x", "#", "#[error]", "::", ":", ",",
    "%0A", "%25", "%", "${{ secrets.KEY }}", "\x1b[2J", "\x1b]8;;https://a.example\x07", "\x9b31m", "\x00", "\t", "\b",
    "\u202e", "\u2028", "\u200d", "\ufeff", "\xa0", "\udcff", "|", "`", "```", "<!--", "</details>", "<img src=x>", "*",
    "_", "[a](https://b.example)", "](", "https://a.example", "www.a.example", "@acme/team", "a@b.example", "\\", "{0}",
    "&#42;", "日本語", "e\u0301", "👩\u200d👧", "\U0001f1e9\U0001f1ea", "=",
)  # fmt: skip

nasty = st.lists(st.sampled_from(ATTACKS) | st.text(max_size=5), max_size=8).map("".join)


def findings() -> st.SearchStrategy[list[Finding]]:
    """Anything that a finding may hold, in at most three files."""
    return st.lists(nasty.filter(bool), min_size=1, max_size=3).flatmap(
        lambda paths: st.lists(_finding(paths), max_size=30)
    )


def _finding(paths: list[str]) -> st.SearchStrategy[Finding]:
    return st.builds(
        Finding,
        rule=st.sampled_from([*RULES, "of-no-page"]),
        severity=st.sampled_from(Severity),
        path=st.sampled_from(paths),
        line=st.integers(1, 6),
        column=st.integers(1, 300),
        message=nasty,
        hint=nasty,
    )


sources = st.none() | st.lists(nasty, max_size=5).map("\n".join)
"""What a file may hold, or that it cannot be read."""
