"""Every sentence that people read in proposals, commits and comments, but for the reasons, which are `reasons`'.
Golden-tested; values are escaped for Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tidegate.core.judging.verdict import (
    Comparison,
    LateVerdict,
    ObjectiveVerdict,
    Stage,
    Standing,
    ValueVerdict,
    Verdict,
)
from tidegate.core.pin import Pin
from tidegate.core.quantity import show_share
from tidegate.core.reasons import counted, dispersion, instant, tally_of, value_bounds, value_figure, value_says
from tidegate.core.shown import visible
from tidegate.core.transition import DECIDED, Kind, Transition

TITLE_LIMIT = 240
_ACCOUNT_LIMIT = 30_000
"""GitHub takes 65,536 characters of a body."""

_ASKED_BY = "Tidegate-Asked-By"
_MARK = "<!-- tidegate"
_HOW = "How it was judged"
_ACCOUNT = re.compile(rf"<details><summary>{_HOW}</summary>\n\n```text\n.*?\n```\n\n</details>", re.DOTALL)
"""Words of others may hold a `</details>`, but no fence."""

_APART = "\u2060"
"""An invisible word joiner: what it stands in is read as it was, and calls, links and closes nothing."""
_MARKUP = (
    ("&", "&amp;"),
    ("<", "&lt;"),
    ("\\", "\\\\"),
    ("|", "\\|"),
    ("[", "\\["),
    ("]", "\\]"),
    ("@", f"@{_APART}"),
    ("://", f":{_APART}//"),
    ("www.", f"www{_APART}."),
)
_REFERENCE = re.compile(r"(#|\bGH-)(?=\d)", re.IGNORECASE)

_NEXT = {
    Kind.PROMOTE: "After the merge the version is judged here before it goes further.",
    Kind.ADVANCE: "The next step follows when this one has baked and its objectives are cleared.",
    Kind.FINISH: "Probation begins: a breach still goes back to the previous version by itself.",
    Kind.REVERT: "The version stays under `rejected`: it never comes back by itself. Try again with another training.",
    Kind.RETRAIN: "Merging launches the training.",
    Kind.RENDER: "What serves follows the rendered file; the versions stay as the person set them.",
    Kind.PIN: "The environment is held until main's training key changes, or `tidegate resume`.",
    Kind.ROLLBACK: "The version left stays under `rejected`: it never comes back by itself.",
    Kind.HOLD: "`tidegate resume` lifts the hold.",
    Kind.RESUME: "The loop goes on from what the file says.",
    Kind.UNREJECT: "The version may be a candidate again.",
    Kind.OVERRIDE: "This version may enter although the error budget is spent. Its entry uses the permission up.",
    Kind.RESTART: "The rollout starts again at its first step under today's policy.",
}


def title(transition: Transition) -> str:
    """One line: model, environment, what changes."""
    return _clip(f"{transition.model}/{transition.environment}: {_change(transition)}", TITLE_LIMIT)


def _change(transition: Transition) -> str:  # noqa: PLR0911 - one line a kind
    before, after = transition.before or Pin(), transition.after
    canary = after.canary or before.canary
    number = canary.pin.version if canary else (after.stable.version if after.stable else 0)
    match transition.kind:
        case Kind.PROMOTE if after.canary:
            return f"promote {number} as canary at {show_share(after.canary.weight)}"
        case Kind.ADVANCE | Kind.RESTART if after.canary:
            return f"{transition.kind.value} {number} to {show_share(after.canary.weight)}"
        case Kind.FINISH if before.canary is None:
            return "end the holdback"
        case Kind.REVERT | Kind.ROLLBACK if before.canary:
            return f"{transition.kind.value} {before.canary.pin.version}, back to {_version(after)}"
        case Kind.REVERT | Kind.ROLLBACK:
            return f"{transition.kind.value} {_version(before)}, back to {_version(after)}"
        case Kind.UNREJECT:
            lifted = [e.version for e in before.rejected if e not in after.rejected]
            return f"unreject {', '.join(map(str, lifted))}"
        case Kind.HOLD if after.hold:
            return f"hold {after.hold.scope}"
        case Kind.OVERRIDE if after.override:
            return f"let {after.override.version} enter on a spent error budget"
        case Kind.HOLD | Kind.RESUME | Kind.RENDER:
            return f"{transition.kind.value}"
        case _:
            return f"{transition.kind.value} {_version(after)}"


def _version(pin: Pin) -> str:
    return str(pin.stable.version) if pin.stable else "none"


def body(transition: Transition, account: Sequence[str] = ()) -> str:
    """The proposal's body: what, why, the evidence with numbers, what happens next, and how to stop it; folded, the
    lines that account for it."""
    parts = [
        f"**{_escape(title(transition))}**",
        "\n".join(f"- {_escape(reason)}" for reason in transition.reasons),
        _states(transition),
        _evidence(transition.verdict),
        f"**Next.** {_next(transition)}",
        _how_to_stop(transition),
        _folded(account),
        f"{_MARK} {transition.key} -->",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _next(transition: Transition) -> str:
    before, after = transition.before or Pin(), transition.after
    if transition.kind is Kind.REVERT and after.rejected == before.rejected:
        return "The version is not rejected yet: it enters once more, and is rejected if it does not serve then."
    if transition.kind is Kind.FINISH and before.canary is None:
        return "The previous version gives up its share of the traffic."
    return _NEXT[transition.kind]


def _how_to_stop(transition: Transition) -> str:
    """Closing is a veto for every kind; a hold on promotions does not stop a revert."""
    if transition.kind not in DECIDED:
        return "**To stop it**: close this proposal."
    scope = " --scope all" if transition.kind is Kind.REVERT else ""
    hold = f"`tidegate hold {transition.model} {transition.environment}{scope} --reason …`"
    return f"**To stop it**: close this proposal (a veto that is respected), or {hold}."


def _states(transition: Transition) -> str:
    rows = ["| | before | after |", "|---|---|---|"]
    before, after = transition.before or Pin(), transition.after
    for name in ("stable", "previous", "canary"):
        old, new = _state(before, name), _state(after, name)
        if old or new:
            mark = "**" if old != new else ""
            rows.append(f"| {name} | {old or '–'} | {mark}{new or '–'}{mark} |")
    if before.rejected != after.rejected:
        rows.append(f"| rejected | {_numbers(before)} | **{_numbers(after)}** |")
    return "\n".join(rows)


def _state(pin: Pin, name: str) -> str:
    if name == "canary":
        return f"{pin.canary.pin.version} at {show_share(pin.canary.weight)}" if pin.canary else ""
    version = pin.stable if name == "stable" else pin.previous
    return f"{version.version} `{version.digest[7:19]}`" if version else ""


def _numbers(pin: Pin) -> str:
    return ", ".join(str(entry.version) for entry in pin.rejected) or "–"


def _evidence(verdict: Verdict | None) -> str:
    if verdict is None or not (verdict.objectives or verdict.values or verdict.late):
        return ""
    rows = [
        f"**Objectives**, version {verdict.subject}, cells judged until {instant(verdict.judged_until)}",
        "",
        "| objective | this version | compared with | ratio | says |",
        "|---|---|---|---|---|",
    ]
    rows += [_row(objective) for objective in verdict.objectives]
    rows += [_value_row(value) for value in verdict.values]
    rows += [_late_row(late) for late in verdict.late]
    reference = "stable" if verdict.stage is Stage.CANARY else "previous"
    judged = (*verdict.objectives, *(late.verdict for late in verdict.late))
    if divided := [f"{o.objective} {dispersion(o, reference)}" for o in judged if o.needed > 1]:
        rows += ["", f"Evidence is divided by the dispersion of bad events: {_escape(', '.join(divided))}."]
    if verdict.first_bad_at is not None:
        rows += ["", f"First bad event: {instant(verdict.first_bad_at)}."]
    return "\n".join(rows)


def _row(objective: ObjectiveVerdict) -> str:
    mine, theirs = counted(objective, objective.subject), counted(objective, objective.reference)
    return _cells(objective.objective, mine, theirs, _ratio(objective), _says(objective))


def _value_row(value: ValueVerdict) -> str:
    says = f"cannot be read: {value.unread}" if value.unread is not None else value_says(value)
    all_versions = "" if value.by_version else " (of all versions)"
    return _cells(value.objective.name, f"{value_figure(value)}{all_versions}", value_bounds(value), "–", says)


def _late_row(late: LateVerdict) -> str:
    mine, theirs = (
        f"{tally_of(tally)}, {'no' if covered is None else format(covered, '.1%')} labelled"
        for tally, covered in (
            (late.verdict.subject, late.coverage),
            (late.verdict.reference, late.reference_coverage),
        )
    )
    return _cells(late.verdict.objective, mine, theirs, _ratio(late.verdict), _says(late.verdict))


def _ratio(objective: ObjectiveVerdict) -> str:
    return f"×{objective.ratio:.2f}" if objective.ratio is not None else "–"


def _cells(*cells: str) -> str:
    return "| " + " | ".join(_escape(cell) for cell in cells) + " |"


def _says(objective: ObjectiveVerdict) -> str:
    if objective.unread is not None:
        return f"cannot be read: {objective.unread}"
    return f"{_found(objective)}; no series matches `bad`" if objective.never_bad else _found(objective)


def _found(objective: ObjectiveVerdict) -> str:
    if objective.comparison is Comparison.WORSE:
        return f"worse (evidence {objective.evidence:.3g} ≥ {objective.needed:.3g})"
    if objective.comparison is Comparison.CLEARED:
        return objective.cleared_by
    if objective.standing is not Standing.UNKNOWN:
        return f"{objective.standing.value}"
    return "undecided"


def _folded(account: Sequence[str]) -> str:
    if not account:
        return ""
    text = _clip("\n".join(visible(line).replace("```", "'''") for line in account), _ACCOUNT_LIMIT)
    return f"<details><summary>{_HOW}</summary>\n\n```text\n{text}\n```\n\n</details>"


def keeping_account(body: str, earlier: str) -> str:
    """The body with what an earlier one had folded: what let a version in is not asked again at every pass."""
    folded = _ACCOUNT.search(earlier)
    return body if folded is None else body.replace(_MARK, f"{folded[0]}\n\n{_MARK}", 1)


def commit_message(transition: Transition, author: str) -> str:
    """The commit on the branch: the title, the reasons, the key, and which person asked for it.

    Who asked is read back (`asked_by`): a pull request's text may be edited by whoever may write, a commit may not.
    """
    reasons = "\n".join(f"- {reason}" for reason in transition.reasons)
    asked = f"{_ASKED_BY}: {author}\n" if author.startswith("@") else ""
    return f"{title(transition)}\n\n{reasons}\n\nTidegate-Transition: {transition.key}\n{asked}"


def asked_by(message: str) -> str | None:
    """Which person asked for a commit of ours, by its last trailers."""
    last = message.rstrip().rpartition("\n\n")[2]
    found = (line.removeprefix(f"{_ASKED_BY}: ") for line in last.splitlines() if line.startswith(f"{_ASKED_BY}: "))
    return next(found, None)


def merge_message(number: int, headline: str, key: str) -> str:
    """The merge commit on main. Trailers are for people and audits; no later pass depends on them."""
    return f"{headline} (#{number})\n\nTidegate-Transition: {key}\n"


def closed_comment(why: str) -> str:
    return f"Closed by Tidegate: {_escape(why)}."


def _clip(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _escape(text: str) -> str:
    """Text of others (names, messages of servers) as plain Markdown: no tables broken, nobody mentioned, no HTML, no
    link or image, and no issue closed."""
    text = visible(text.replace("\n", " ").replace("\r", " "))
    for raw, safe in _MARKUP:
        text = text.replace(raw, safe)
    return _REFERENCE.sub(rf"\1{_APART}", text)
