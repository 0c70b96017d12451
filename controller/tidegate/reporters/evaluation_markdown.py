"""A candidate beside the champion as Markdown, for a comment on a pull request or a job's summary."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.core.gates import Evaluation, GateResult
from tidegate.reporters.markdown import cell

MARKER = "<!-- tidegate:evaluate -->"
"""The first line, by which the one comment that is kept up to date is found again."""
_METRICS = 50


def document(evaluation: Evaluation) -> str:
    """What the gates say, and every metric of both."""
    verdict = "passes its gates" if evaluation.passed else "does not pass its gates"
    against = f"the champion is version {evaluation.champion}" if evaluation.champion else "there is no champion yet"
    head = f"{MARKER}\n**{cell(evaluation.model)}: the candidate {verdict}**; {against}.\n"
    return "\n".join(part for part in (head, _gates(evaluation), _metrics(evaluation), _run(evaluation)) if part)


def _gates(evaluation: Evaluation) -> str:
    if not evaluation.results:
        return "It has no gates.\n"
    rows = "".join(_gate(result) for result in evaluation.results)
    return f"| gate | says | because |\n|---|---|---|\n{rows}"


def _gate(result: GateResult) -> str:
    return f"| {cell(result.gate.metric)} | {result.outcome.value} | {cell(result.words)} |\n"


def _metrics(evaluation: Evaluation) -> str:
    names = sorted(evaluation.metrics)
    left = f"\n{len(names) - _METRICS} more metrics stand in the run.\n" if len(names) > _METRICS else ""
    rows = "".join(_rows(evaluation, names[:_METRICS]))
    return f"| metric | candidate | champion | difference |\n|---|---:|---:|---:|\n{rows}{left}" if names else ""


def _rows(evaluation: Evaluation, names: list[str]) -> Iterator[str]:
    best = evaluation.champion_metrics or {}
    for name in names:
        mine, theirs = evaluation.metrics[name], best.get(name)
        others = "| – | – |" if theirs is None else f"| {theirs:.6g} | {mine - theirs:+.3g} |"
        yield f"| {cell(name)} | {mine:.6g} {others}\n"


def _run(evaluation: Evaluation) -> str:
    return f"MLflow run {cell(evaluation.run_id)}.\n"
