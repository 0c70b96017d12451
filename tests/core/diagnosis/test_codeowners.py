"""Whom CODEOWNERS names for a path, by the examples of GitHub's page "About code owners"."""

from __future__ import annotations

import pytest

from tidegate.core.diagnosis.codeowners import owners


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        pytest.param("*", "models/churn/model.yaml", True, id="a-star-is-everything"),
        pytest.param("*.js", "apps/web/main.js", True, id="an-extension-anywhere"),
        pytest.param("*.js", "apps/web/main.ts", False, id="another-extension"),
        pytest.param("/build/logs/", "build/logs/today/one.log", True, id="a-rooted-folder-and-all-in-it"),
        pytest.param("/build/logs/", "apps/build/logs/one.log", False, id="a-rooted-folder-elsewhere"),
        pytest.param("docs/*", "docs/getting-started.md", True, id="files-of-a-folder"),
        pytest.param("docs/*", "docs/build-app/troubleshooting.md", False, id="not-those-below-it"),
        pytest.param("apps/", "tools/apps/one.py", True, id="a-folder-of-that-name-anywhere"),
        pytest.param("/docs/", "docs/a/b.md", True, id="the-rooted-docs"),
        pytest.param("**/logs", "deeply/nested/logs/today.txt", True, id="logs-at-any-depth"),
        pytest.param("**/logs", "logs/today.txt", True, id="logs-at-the-root"),
        pytest.param("/apps/github", "apps/github/one.py", True, id="a-path-without-a-slash-at-its-end"),
        pytest.param("/apps/github", "apps/githubs", False, id="a-path-that-only-begins-alike"),
        pytest.param("models/**/model.yaml", "models/a/b/model.yaml", True, id="two-stars-within"),
        pytest.param("models/**/model.yaml", "models/model.yaml", True, id="two-stars-are-no-folder-too"),
        pytest.param("*/production.yaml", "models/churn/production.yaml", False, id="one-star-is-one-folder"),
        pytest.param("**/production.yaml", "models/churn/production.yaml", True, id="pin-files-everywhere"),
        pytest.param("production.yaml", "models/churn/production.yaml", True, id="a-name-alone-is-anywhere"),
        pytest.param("models/?.yaml", "models/a.yaml", True, id="one-character"),
        pytest.param("models/a.yaml", "models/axyaml", False, id="a-dot-is-a-dot"),
    ],
)
def test_a_pattern_fits_as_on_github(pattern: str, path: str, fits: bool) -> None:
    assert bool(owners(f"{pattern} @acme/ml\n", path)) is fits


def test_the_last_line_that_fits_counts_and_one_without_owners_takes_them_away() -> None:
    text = "# who owns what\n* @acme/ml @dana  # everybody\nmodels/*/model.yaml @sam\n**/production.yaml\n"
    assert owners(text, "README.md") == ("@acme/ml", "@dana")
    assert owners(text, "models/churn/model.yaml") == ("@sam",)
    assert owners(text, "models/churn/production.yaml") == ()
