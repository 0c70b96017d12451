"""Secrets by reference: found, or missed with a sentence that never holds one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tidegate.adapters.secrets import Secret, mlflow_credentials, resolve
from tidegate.errors import OutsideSystem, WrongUse


@pytest.fixture(autouse=True)
def hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIDDEN", "hunter2")
    monkeypatch.chdir(tmp_path)
    Path("hidden").write_text("hunter2\n")


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param({"env": "HIDDEN"}, id="from-the-environment"),
        pytest.param({"file": "hidden"}, id="from-a-file-without-its-line-break"),
        pytest.param({"exec": ["cat", "hidden"]}, id="from-a-command"),
    ],
)
def test_I11_a_secret_shows_itself_only_when_asked(reference: dict[str, Any]) -> None:
    secret = resolve(reference)
    assert secret.reveal() == "hunter2"
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"


@pytest.mark.parametrize(
    ("reference", "kind", "words"),
    [
        pytest.param({"env": "NOT_SET"}, WrongUse, "NOT_SET holds no secret", id="a-variable-that-is-not-set"),
        pytest.param({"file": "nowhere"}, WrongUse, "nowhere cannot be read", id="no-such-file"),
        pytest.param({"exec": ["sh", "-c", "cat hidden; exit 3"]}, OutsideSystem, "sh ended with 3", id="exit-3"),
        pytest.param({"exec": ["no-such-tool"]}, WrongUse, "no-such-tool cannot be started", id="no-such-command"),
        pytest.param({"value": "hunter2"}, WrongUse, "never as a value", id="a-value-instead-of-a-reference"),
        pytest.param({"env": "HIDDEN", "file": "hidden"}, WrongUse, "never as a value", id="two-references"),
        pytest.param({"exec": []}, WrongUse, "never as a value", id="an-empty-command"),
    ],
)
def test_I11_what_goes_wrong_is_said_without_the_secret(
    reference: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words) as raised:
        resolve(reference)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("auth", "names"),
    [
        pytest.param({}, {}, id="none"),
        pytest.param({"bearer": {"env": "HIDDEN"}}, {"MLFLOW_TRACKING_TOKEN": "hunter2"}, id="bearer"),
        pytest.param(
            {"basic": {"username": "dana", "password": {"file": "hidden"}}},
            {"MLFLOW_TRACKING_USERNAME": "dana", "MLFLOW_TRACKING_PASSWORD": "hunter2"},
            id="basic",
        ),
    ],
)
def test_sign_in_to_mlflow_goes_by_its_own_variable_names(auth: dict[str, Any], names: dict[str, str]) -> None:
    assert {name: secret.reveal() for name, secret in mlflow_credentials(auth).items()} == names


def test_an_unknown_way_to_sign_in_is_refused() -> None:
    with pytest.raises(WrongUse, match=r"registry\.auth is"):
        mlflow_credentials({"kerberos": {}})
    assert repr(Secret("x")) == "Secret(…)"
