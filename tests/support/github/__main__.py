"""The fake as a process: `python -m support.github --folder F --repository acme/models`.

Prints one line of JSON (addresses, tokens, the App's key file) on stdout and serves until it is stopped.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from support.github.server import FakeGitHub


def main(arguments: list[str] | None = None) -> int:
    options = _options(arguments)
    stopped = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stopped.set())
    with FakeGitHub(options.folder, port=options.port) as github:
        print(json.dumps(_filled(github, options)), flush=True)
        stopped.wait()
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m support.github", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--folder", type=Path, required=True, help="Where the bare repositories lie.")
    parser.add_argument("--repository", action="append", default=[], metavar="OWNER/NAME")
    parser.add_argument("--user", action="append", default=[], metavar="LOGIN", help="A person who gets a token.")
    parser.add_argument("--app", default="tidegate", metavar="SLUG")
    parser.add_argument("--app-key", type=Path, help="Where to write the App's private key.")
    return parser.parse_args(arguments)


def _filled(github: FakeGitHub, options: argparse.Namespace) -> dict[str, object]:
    app = github.app(options.app)
    if options.app_key:
        options.app_key.write_text(app.private_key, encoding="utf-8")
        options.app_key.chmod(0o600)
    names = [github.repository(name).full_name for name in options.repository]
    return {
        "url": github.url,
        "api_url": github.api_url,
        "graphql_url": github.graphql_url,
        "app": {"id": app.id, "slug": app.slug, "key": str(options.app_key) if options.app_key else None},
        "tokens": {login: github.token(login) for login in options.user},
        "repositories": {name: str(github.repository(name).path) for name in names},
        "actions_tokens": {name: github.actions_token(name, {"contents": "write"}) for name in names},
    }


if __name__ == "__main__":
    sys.exit(main())
