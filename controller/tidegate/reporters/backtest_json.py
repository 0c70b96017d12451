"""A backtest as one JSON document: everything but the points of the charts."""

from __future__ import annotations

from tidegate.core.quantity import show_duration
from tidegate.core.replay import wording
from tidegate.core.replay.report import Agreement, Backtest, EpisodeReport, Move, Part, Replay, Span
from tidegate.reporters import json


def document(report: Backtest) -> str:
    return json.text(
        {
            "model": report.model,
            "headline": wording.headline(report),
            "since": report.since,
            "until": report.until,
            "step": show_duration(report.step),
            "policies": report.policies,
            "commits": report.commits,
            "differing": {name: report.count(name, Agreement.DIFFERENT) for name in report.policies},
            "agreement": {name: _counts(report, name) for name in report.policies},
            "passedOver": report.passed_over,
            "unreachable": report.unreachable,
            "episodes": [_episode(one) for one in report.episodes],
            "cannotReplay": report.cannot,
        }
    )


def _counts(report: Backtest, policy: str) -> dict[str, int]:
    return {agreement.value: report.count(policy, agreement) for agreement in Agreement}


def _episode(one: EpisodeReport) -> dict[str, object]:
    episode = one.episode
    return {
        "environment": episode.environment,
        "version": episode.version,
        "start": episode.start,
        "entered": episode.entered,
        "finished": episode.finished,
        "end": episode.end,
        "ending": episode.ending,
        "policy": episode.policy,
        "happened": [_move(move) for move in one.happened],
        "replays": [_replay(replay) for replay in one.replays],
    }


def _replay(replay: Replay) -> dict[str, object]:
    return {
        "policy": replay.policy,
        "agreement": replay.agreement,
        "tuned": replay.tuned,
        "firstDifference": replay.difference.differs_at if replay.difference else None,
        "words": wording.first_difference(replay),
        "unread": replay.unread,
        "ticks": replay.ticks,
        "shares": replay.shares(),
        "parts": [_part(part) for part in replay.parts],
        "spans": [_span(span) for span in replay.spans],
    }


def _part(part: Part) -> dict[str, object]:
    return {
        "since": part.since,
        "until": part.until,
        "agreement": part.agreement,
        "decided": _move(part.decided),
        "asked": _move(part.asked),
        "happened": _move(part.happened),
        "instead": part.instead,
        "words": wording.answer(part),
    }


def _span(span: Span) -> dict[str, object]:
    return {
        "since": span.since,
        "until": span.until,
        "ticks": span.ticks,
        "state": span.state,
        "cause": span.cause,
        "words": span.words,
    }


def _move(move: Move | None) -> dict[str, object] | None:
    if move is None:
        return None
    return {
        "at": move.at,
        "kind": move.kind,
        "words": move.words,
        "reasons": move.reasons,
        "weight": move.weight,
        "needsPerson": move.needs_person,
        "byPerson": move.by_person,
        "proposal": move.proposal,
        "commit": move.commit,
    }
