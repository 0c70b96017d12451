"""What may be printed of an address."""

from __future__ import annotations

import pytest

from tidegate.errors import without_credentials


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
