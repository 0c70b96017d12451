"""What a test does from outside: calls with somebody's token, an App's JWT, and commits put on a branch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import jwt
import requests

from support.github.git import Person
from support.github.server import FakeGitHub
from support.github.state import App, Json, Repository


class Caller:
    """Somebody with a token, calling one repository's part of the API on one connection."""

    def __init__(self, github: FakeGitHub, token: str, repository: str = "acme/models") -> None:
        self.github = github
        self._root = f"{github.api_url}/repos/{repository}"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """`path` below the repository; one that begins with `//` is below the API's root."""
        url = f"{self.github.api_url}{path[1:]}" if path.startswith("//") else f"{self._root}{path}"
        shown = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._session.request(method, url, json=body, headers=shown, timeout=20)

    def get(self, path: str = "", **headers: str) -> requests.Response:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None) -> requests.Response:
        return self.call("POST", path, body)

    def patch(self, path: str, body: Any) -> requests.Response:
        return self.call("PATCH", path, body)

    def put(self, path: str, body: Any = None) -> requests.Response:
        return self.call("PUT", path, body)

    def delete(self, path: str) -> requests.Response:
        return self.call("DELETE", path)

    def graphql(self, query: str, **variables: Any) -> Json:
        body = {"query": query, "variables": variables}
        found: Json = self._session.post(self.github.graphql_url, json=body, timeout=20).json()
        return found

    def open(self, branch: str, title: str = "Promote churn 12") -> Json:
        """A pull request of this branch into main."""
        made = self.post("/pulls", {"title": title, "head": branch, "base": "main", "body": "Why"})
        assert made.status_code == 201, made.text
        found: Json = made.json()
        return found


def app_jwt(github: FakeGitHub, app: App, *, lifetime: timedelta = timedelta(minutes=9)) -> str:
    """The token that an App signs for itself."""
    now = github.now()
    claims = {"iss": str(app.id), "iat": int(now.timestamp()) - 30, "exp": int((now + lifetime).timestamp())}
    return jwt.encode(claims, app.private_key, "RS256")


def commit(
    repository: Repository,
    branch: str,
    files: Mapping[str, str | None],
    *,
    onto: str = "main",
    author: str = "dana@example.org",
) -> str:
    """Put a commit on a branch straight on disk, as a push would; the branch is made from `onto` if it is not there."""
    git = repository.git
    parent = git.branch(branch) or git.resolve(onto) or ""
    changes = [
        (path, "100644", None if text is None else git.write_blob(text.encode())) for path, text in files.items()
    ]
    at = git.commit(parent).committer.at + timedelta(seconds=1)
    who = Person(name=author.partition("@")[0], email=author, at=at)
    new = git.write_commit(git.write_tree(parent, changes), [parent], "A change\n", who)
    git.move(f"refs/heads/{branch}", new)
    return new
