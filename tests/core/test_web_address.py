"""What is the address of a server, and what is not; a message about one never shows it."""

from __future__ import annotations

import pytest

from tidegate.core.web_address import require_web_address
from tidegate.errors import WrongUse


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("http://127.0.0.1:9090", id="a-number-and-a-port"),
        pytest.param("https://mlflow.example/team/", id="a-path"),
        pytest.param("https://dana:hunter2@prometheus.example", id="somebody-signs-in"),
        pytest.param("HTTP://[::1]:9090", id="six-parts-and-capitals"),
    ],
)
def test_addresses(address: str) -> None:
    require_web_address(address, "SETTING")


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("localhost", id="a-host-alone"),
        pytest.param("127.0.0.1:5000", id="no-scheme"),
        pytest.param("dana:hunter2@prometheus.example:9090", id="a-password-and-no-scheme"),
        pytest.param("sqlite:///mlflow.db", id="a-file"),
        pytest.param("http://", id="no-host"),
        pytest.param("http://:9090", id="a-port-alone"),
        pytest.param("http://[", id="a-bracket"),
        pytest.param("http://a:b", id="a-port-that-is-no-number"),
        pytest.param("http://a:0", id="port-zero"),
        pytest.param("http://a b", id="two-words"),
        pytest.param("http://a\n", id="a-line-break"),
        pytest.param("", id="nothing"),
    ],
)
def test_what_is_none_is_refused_by_the_name_of_its_setting(address: str) -> None:
    with pytest.raises(WrongUse, match=r"^SETTING is no address of a server: it must begin with http://") as refused:
        require_web_address(address, "SETTING")
    assert "hunter2" not in str(refused.value)
