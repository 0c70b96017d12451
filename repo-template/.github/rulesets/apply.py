"""Protect main by the rulesets beside this file: python3 .github/rulesets/apply.py OWNER/NAME [APP_ID]

`everyone.json`: only pull requests, no force push, a code owner's review where CODEOWNERS names one, and the check
`tidegate` by the App of that id and nobody else. `people.json`: the check `checks` of GitHub Actions too (15368 on
github.com; an Enterprise Server has another id), which the App may pass by, so that a revert waits for no workflow.
Without an APP_ID the check may come from GitHub Actions, and `people.json` is left out: nobody could pass it by.

GITHUB_TOKEN is a token of somebody who administers the repository (`gh auth token` prints yours). Run it again after an
edit: a ruleset of the same name is replaced.
"""

import json
import os
import sys
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

HERE = Path(__file__).parent
ACTIONS = "15368"  # the App "GitHub Actions" on github.com


def main(repository: str, app: str = "") -> None:
    """Create or replace each ruleset."""
    if not (app or ACTIONS).isdecimal():
        sys.exit(
            f"{app} is no App's id: it is the number under About on the App's own settings page, not its client id"
        )
    path = f"/repos/{repository}/rulesets"
    there = {ruleset["name"]: ruleset["id"] for ruleset in ask("GET", path)}
    for file in ("everyone.json", "people.json") if app else ("everyone.json",):
        # In the files 0 stands for the App.
        ruleset = (HERE / file).read_text(encoding="utf-8").replace('_id": 0', f'_id": {int(app or ACTIONS)}')
        name = json.loads(ruleset)["name"]
        if name in there:
            ask("PUT", f"{path}/{there[name]}", ruleset)
        else:
            ask("POST", path, ruleset)
        print(f"{name}: {'replaced' if name in there else 'created'}")


def ask(verb: str, path: str, body: str = "") -> Any:  # noqa: ANN401 - what JSON holds
    """One request to GitHub's API."""
    api = os.environ.get("GITHUB_API_URL") or "https://api.github.com"
    headers = {"Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}", "Accept": "application/vnd.github+json"}
    try:
        asked = Request(api + path, data=body.encode() or None, headers=headers, method=verb)  # noqa: S310 - yours
        with urlopen(asked, timeout=30) as answer:  # noqa: S310
            return json.load(answer)
    except HTTPError as error:
        sys.exit(f"GitHub refused {verb} {path} with {error.code}: {error.read().decode()}")
    except (OSError, HTTPException, ValueError) as error:
        sys.exit(f"{api} does not answer: {getattr(error, 'reason', error)}; correct GITHUB_API_URL, or try again")


if __name__ == "__main__":
    token = os.environ.get("GITHUB_TOKEN", "")
    if len(sys.argv) not in (2, 3) or not token:
        sys.exit(__doc__)
    if not (token.isascii() and token.isprintable()):
        sys.exit("GITHUB_TOKEN is no token of GitHub, which is one word of ASCII; copy it again, whole")
    main(*sys.argv[1:])
