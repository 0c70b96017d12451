"""Which paths stay in the repository, and which may not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.repository_path import covers, inside, is_here, joined, stray, stray_from


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("training", id="a folder"),
        pytest.param("./training/", id="with dots and slashes that say nothing"),
        pytest.param("a..b/..c/d..", id="dots that are part of a name"),
        pytest.param("...", id="a name of three dots"),
        pytest.param("ghcr.io/acme/train:1@sha256:06f1", id="an image"),
    ],
)
def test_a_path_stays_inside(path: str) -> None:
    assert stray(path) is None
    assert inside(path) == path.removeprefix("./").rstrip("/")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        pytest.param("/etc", "is absolute", id="the root"),
        pytest.param("..", "goes up by `..`", id="the folder above"),
        pytest.param("a/../b", "goes up by `..`", id="up and down again"),
        pytest.param("a/..", "goes up by `..`", id="up at the end"),
        pytest.param("~/a", "begins in a home folder", id="one's own home"),
        pytest.param("~dana/a", "begins in a home folder", id="another's home"),
        pytest.param("C:/a", "begins with a drive letter", id="a drive"),
        pytest.param("..\\a", "holds a backslash or a control character", id="Windows' way up"),
        pytest.param("a/" * 3000, "has more than 4,096 characters", id="longer than a path can be"),
        pytest.param("a\0b", "holds a backslash or a control character", id="a NUL, which no file's name holds"),
    ],
)
def test_a_path_may_leave(path: str, why: str) -> None:
    assert stray(path) == why
    with pytest.raises(ValueError, match="leaves the repository: it "):
        inside(path)


@pytest.mark.parametrize("path", [".", "./", "././.", "./././"])
def test_the_folder_itself_is_no_path_below_it(path: str) -> None:
    assert is_here(path)
    with pytest.raises(ValueError, match="a folder of its own is needed"):
        inside(path)


@pytest.mark.parametrize(
    ("folder", "path", "leaves"),
    [
        pytest.param("models/churn", "../contracts/a.yaml", False, id="beside the model's folder"),
        pytest.param("models/churn", "../../a.yaml", False, id="at the root"),
        pytest.param("models/churn", "../../../a.yaml", True, id="above the root"),
        pytest.param("", "../a.yaml", True, id="above the root, from it"),
        pytest.param("models/churn", "a/../../../../b", True, id="above the root on the way"),
        pytest.param("models", "..\\a", True, id="never with a backslash"),
    ],
)
def test_some_paths_may_go_up_as_far_as_the_root(folder: str, path: str, leaves: bool) -> None:
    assert (stray_from(folder, path) is not None) is leaves


@given(st.lists(st.sampled_from(["a", "b", "..", ".", ""]), max_size=6).map("/".join))
def test_what_stays_below_its_folder_is_covered_by_it(path: str) -> None:
    if stray(path) is None:
        assert covers("models/churn", joined("models/churn", path))


@pytest.mark.parametrize(
    ("folder", "path", "answer"),
    [
        pytest.param("", "a/b", True, id="the root covers everything"),
        pytest.param("a", "a", True, id="itself"),
        pytest.param("a", "a/b", True, id="what lies below"),
        pytest.param("a", "ab", False, id="not what only begins alike"),
        pytest.param("a/b", "a", False, id="not what lies above"),
    ],
)
def test_a_folder_covers(folder: str, path: str, answer: bool) -> None:
    assert covers(folder, path) is answer
