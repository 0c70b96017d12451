"""What is the address of a server, and what is not; a message about one never shows it."""

from __future__ import annotations

import pytest

from tidegate.core.web_address import require_proxy, require_web_address
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


@pytest.mark.parametrize(
    "proxy",
    [
        pytest.param("http://proxy.example:3128", id="a-host-and-a-port"),
        pytest.param("https://dana:hun%2Fter2@proxy.example", id="a-password-that-is-encoded"),
        pytest.param("proxy.example:3128", id="no-scheme-and-no-user"),
        pytest.param("socks5h://127.0.0.1:1080/", id="another-kind"),
        pytest.param("http://[::1]:3128", id="six-parts"),
        pytest.param("", id="none"),
    ],
)
def test_proxies(proxy: str) -> None:
    assert require_proxy(proxy, "https://prometheus.example", {}) == proxy


def test_no_proxy_is_none() -> None:
    assert require_proxy(None, "https://prometheus.example", {}) == ""


@pytest.mark.parametrize(
    ("url", "names", "named"),
    [
        pytest.param("https://a", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"], "HTTPS_PROXY", id="of-the-scheme-first"),
        pytest.param("http://a", ["ALL_PROXY", "http_proxy"], "http_proxy", id="in-small-letters"),
        pytest.param("http://a", ["ALL_PROXY", "HTTPS_PROXY"], "ALL_PROXY", id="of-all"),
        pytest.param("http://a", [], "the proxy that the environment names", id="nobody-knows"),
    ],
)
def test_the_variable_that_a_wrong_proxy_stands_in_is_named(url: str, names: list[str], named: str) -> None:
    with pytest.raises(WrongUse) as refused:
        require_proxy("http://dana:hunter2@", url, dict.fromkeys(names, "http://dana:hunter2@"))
    assert str(refused.value).startswith(f"{named} is no address of a proxy")
    assert "hunter2" not in str(refused.value)
