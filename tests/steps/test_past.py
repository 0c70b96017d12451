"""The past as git tells it, where main has another layout by now: no era and no history is wrong in silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from support.pasts import Main, text_of
from support.repositories import NOON
from support.situations import pin_of
from support.worlds import MANIFEST, WORKSPACE
from tidegate.core.pin import Canary, Pin, Rejected
from tidegate.core.replay.episodes import Ending
from tidegate.core.replay.past import AS_IT_WAS, scene
from tidegate.core.transition import Kind
from tidegate.steps.past import Archive, archives, left_out, past_of, rollouts

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = NOON + 9 * DAY
DIGITS = "models/digits"
WITH_EU = MANIFEST.replace("    production:", "    eu: {}\n    production:")
FIRST = Pin(stable=pin_of(1))
ROLLING = Pin(stable=pin_of(1), canary=Canary(pin=pin_of(2), weight=0.25))
BACK = Pin(stable=pin_of(1), rejected=(Rejected(version=2, key="k" + "a" * 16, reason="worse"),))


def files(manifest: str = MANIFEST, folder: str = DIGITS) -> dict[str, str]:
    return {
        "tidegate.yaml": WORKSPACE,
        f"{folder}/model.yaml": manifest,
        f"{folder}/training/train.py": "print('trained')\n",
    }


def rolled_back(main: Main, path: str, since: int) -> None:
    """Version 2 as canary for an hour of a day, then back to version 1."""
    main.transition(path, Kind.PROMOTE, FIRST, NOON + since * DAY)
    main.transition(path, Kind.PROMOTE, ROLLING, NOON + since * DAY + HOUR)
    main.transition(path, Kind.REVERT, BACK, NOON + since * DAY + 2 * HOUR)


def replayed(archive: Archive) -> list[tuple[str, int, Ending]]:
    """Environment, version and end of all that would be replayed."""
    return [
        (episode.environment, episode.version, episode.ending)
        for each in archives(archive, NOON)
        for episode in rollouts(each, each.histories(each.until or NOW), NOON, each.until or NOW)
    ]


def test_an_environment_that_main_has_no_more_is_still_in_the_histories(tmp_path: Path) -> None:
    main = Main(tmp_path, files(WITH_EU))
    rolled_back(main, f"{DIGITS}/eu", 1)
    rolled_back(main, f"{DIGITS}/production", 2)
    main.commit({f"{DIGITS}/eu.yaml": None, f"{DIGITS}/model.yaml": MANIFEST}, NOON + 3 * DAY)
    archive = main.archive()
    histories = archive.histories(NOW)
    assert ("eu", 2, Ending.REVERTED) in replayed(archive)
    past = past_of(archive, histories, NOON)
    then = scene(past, AS_IT_WAS, NOON + 2 * DAY, ("production", 1))
    eu = then.observed.environments["eu"].pin
    assert eu is not None
    assert eu.rejected == BACK.rejected
    assert not then.observed.rejected_elsewhere
    today = scene(past, AS_IT_WAS, NOON + 4 * DAY, ("production", 3))
    assert [(name, entry.version) for name, entry in today.observed.rejected_elsewhere] == [("eu", 2)]
    assert not list(left_out(archive, histories))


def test_a_pin_file_of_which_no_manifest_knew_is_named_and_not_replayed(tmp_path: Path) -> None:
    main = Main(tmp_path, files())
    rolled_back(main, f"{DIGITS}/stray", 1)
    archive = main.archive()
    assert replayed(archive) == []
    (words,) = left_out(archive, archive.histories(NOW))
    assert words.startswith("rollouts in stray: ")


def test_a_file_beside_the_manifest_that_is_no_pin_file_is_none(tmp_path: Path) -> None:
    main = Main(tmp_path, files() | {f"{DIGITS}/labels.yaml": "a: 1\n"})
    assert set(main.archive().histories(NOW)) == {"staging", "production"}


def test_a_folder_that_was_moved_is_followed_to_where_it_lay(tmp_path: Path) -> None:
    main = Main(tmp_path, files())
    rolled_back(main, f"{DIGITS}/production", 1)
    pin, other = main.pin(f"{DIGITS}/production"), "models/vision/digits"
    gone: dict[str, str | None] = dict.fromkeys([*files(), f"{DIGITS}/production.yaml"])
    here = files(folder=other) | {f"{other}/production.yaml": text_of(pin)}
    moved = NOON + 3 * DAY
    main.commit({**gone, **here}, moved)
    main.moved(f"{DIGITS}/production", f"{other}/production")
    after = replace(BACK, canary=Canary(pin=pin_of(3), weight=0.25))
    main.transition(f"{other}/production", Kind.PROMOTE, after, moved + DAY)
    archive = main.archive()
    assert replayed(archive) == [("production", 3, Ending.OPEN), ("production", 2, Ending.REVERTED)]
    new, old = archives(archive, NOON)
    assert (old.model.folder, old.until) == (DIGITS, moved)
    assert [era.model.folder for era in past_of(old, {}, NOON).eras] == [DIGITS]
    assert {era.model.folder for era in past_of(new, {}, NOON).eras} == {other}
    (words,) = left_out(old, {})
    assert words.startswith("models/digits: the model lay there until 2026-03-04 12:00")


def test_what_is_as_old_as_the_move_needs_no_look_at_where_it_lay(tmp_path: Path) -> None:
    main = Main(tmp_path, files())
    assert [each.until for each in archives(main.archive(), NOON + DAY)] == [None]


def test_a_training_s_source_is_looked_up_where_it_lay(tmp_path: Path) -> None:
    """A change of what was the source then is another training key, though main has moved the source since."""
    main = Main(tmp_path, files())
    main.commit({f"{DIGITS}/training/train.py": "print('better')\n"}, NOON + DAY)
    moved = MANIFEST.replace("source: training", "source: program")
    main.commit(
        {
            f"{DIGITS}/model.yaml": moved,
            f"{DIGITS}/training/train.py": None,
            f"{DIGITS}/program/train.py": "print('better')\n",
        },
        NOON + 2 * DAY,
    )
    past = past_of(main.archive(), {}, NOON)
    keys = [past.era(NOON + hours * HOUR).key for hours in (12, 36, 60)]
    assert len(set(keys)) == 3
    assert all(keys)


BROKEN = MANIFEST.replace("environments:", "surroundings:")


@pytest.mark.parametrize(
    ("texts", "targets", "invalid"),
    [
        pytest.param((MANIFEST, BROKEN, "95%"), ["95%"], [True], id="the-last-valid-text-goes-on"),
        pytest.param((BROKEN, BROKEN, "90%"), ["90%"], [True], id="without-one-the-first-that-came"),
        pytest.param((MANIFEST, "93%", "90%"), ["93%"], [False], id="a-valid-one-is-itself"),
    ],
)
def test_the_era_in_which_a_period_begins(
    tmp_path: Path, texts: tuple[str, str, str], targets: list[str], invalid: list[bool]
) -> None:
    """Three texts, a day apart; the period begins between the second and the third."""
    written = [text if "\n" in text else MANIFEST.replace("target: 95%", f"target: {text}") for text in texts]
    main = Main(tmp_path, files(written[0]))
    for day, text in enumerate(written[1:], start=1):
        main.commit({f"{DIGITS}/model.yaml": text}, NOON + day * DAY)
    era = past_of(main.archive(), {}, NOON + DAY + HOUR).era(NOON + DAY + 2 * HOUR)
    found = [f"{each.target:.0%}" for each in era.model.environment("production").objectives if each.bad]
    assert (found, [era.invalid is not None]) == (targets, invalid)
