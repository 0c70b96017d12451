"""What may be printed of an address, and of an error that a library raised."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tidegate.errors import NAME_THE_CA, cause, without_credentials


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        pytest.param("http://127.0.0.1:5000", "http://127.0.0.1:5000", id="nothing to hide"),
        pytest.param("https://joe:pw@mlflow.example/api", "https://mlflow.example/api", id="user and password"),
        pytest.param("https://mlflow.example/?token=s3cret#x", "https://mlflow.example/", id="query and fragment"),
        pytest.param("joe:pw@host:1", "host:1", id="no scheme"),
        pytest.param("host:1?token=s3cret", "host:1", id="no scheme, a query"),
        pytest.param("git@host:models.git", "host:models.git", id="an address of ssh"),
        pytest.param("sqlite:///mlflow.db", "sqlite:///mlflow.db", id="a file"),
    ],
)
def test_I11_an_address_is_printed_without_its_secrets(address: str, shown: str) -> None:
    assert without_credentials(address) == shown


class ProxyError(Exception):
    """By this name the libraries call it."""


class Untrusted(OSError):
    """As `ssl.SSLCertVerificationError`."""

    verify_message = "self-signed certificate"


def layered(*layers: Exception) -> Exception:
    """The first of these, raised from the next, and so on."""
    for outer, inner in pairwise(layers):
        outer.__cause__ = inner
    return layers[0]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        pytest.param(ValueError("http://joe:pw@host"), "ValueError", id="its-kind-where-there-are-no-words"),
        pytest.param(
            layered(ValueError("http://joe:pw@host"), ConnectionError(111, "Connection refused")),
            "Connection refused",
            id="the-systems-own-words",
        ),
        pytest.param(
            layered(ValueError("/path?token=1"), Untrusted(1, "[SSL]")),
            f"its certificate is not trusted: self-signed certificate; {NAME_THE_CA}",
            id="a-certificate",
        ),
        pytest.param(
            layered(ValueError("x"), ProxyError("joe:pw"), OSError("Tunnel connection failed: 407 Who are you")),
            "the proxy does not let it through: Tunnel connection failed: 407 Who are you; "
            "correct HTTPS_PROXY, or NO_PROXY",
            id="a-proxy",
        ),
        pytest.param(
            OSError("Could not find a suitable TLS CA certificate bundle, invalid path: /x"),
            f"Could not find a suitable TLS CA certificate bundle, invalid path: /x; {NAME_THE_CA}",
            id="a-bundle-that-is-not-there",
        ),
    ],
)
def test_I11_a_cause_is_told_in_words_that_name_no_address(error: Exception, words: str) -> None:
    assert cause(error) == words
