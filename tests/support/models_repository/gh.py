"""Stands in for GitHub's own `gh` where docs/getting-started.md uses it: `python gh.py pr review 2 --approve`.

As `gh` it speaks for whoever GH_TOKEN belongs to, in the repository GH_REPO. Environments, variables and secrets are
kept in the file GH_SETTINGS, because the fake GitHub runs no workflows itself.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests

Options = argparse.Namespace

_QUEUE = """query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { mergeQueue(branch: "main") { id } pullRequest(number: $number) { id } }
}"""
_ENQUEUE = """mutation($id: ID!) {
  enqueuePullRequest(input: {pullRequestId: $id}) { mergeQueueEntry { position } }
}"""

_SELECTED = {
    "deployment_branch_policy[protected_branches]": "false",
    "deployment_branch_policy[custom_branch_policies]": "true",
}


def main() -> int:
    options = _parser().parse_args()
    said = options.act(options)
    if said:
        print(said)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gh")
    subjects = parser.add_subparsers(required=True)
    auth = subjects.add_parser("auth").add_subparsers(required=True)
    auth.add_parser("token").set_defaults(act=lambda _: os.environ["GH_TOKEN"])
    repository = subjects.add_parser("repo").add_subparsers(required=True).add_parser("create")
    repository.add_argument("name", choices=[os.environ["GH_REPO"]])
    repository.add_argument("--private", action="store_true", required=True)
    repository.set_defaults(act=lambda options: f"https://github.com/{options.name}")
    _add_api(subjects.add_parser("api"))
    variable = subjects.add_parser("variable").add_subparsers(required=True).add_parser("set")
    variable.add_argument("name")
    variable.add_argument("--body", required=True)
    variable.set_defaults(act=_set_variable)
    secret = subjects.add_parser("secret").add_subparsers(required=True).add_parser("set")
    secret.add_argument("name")
    secret.add_argument("--env", required=True)
    secret.set_defaults(act=_set_secret)
    label = subjects.add_parser("label").add_subparsers(required=True).add_parser("create")
    label.add_argument("name")
    label.set_defaults(act=lambda options: _quiet("POST", "/labels", {"name": options.name}))
    _add_pull_requests(subjects.add_parser("pr").add_subparsers(required=True))
    return parser


def _add_api(parser: argparse.ArgumentParser) -> None:
    """For environments, which the fake GitHub only reads."""
    parser.add_argument("path")
    parser.add_argument("--silent", action="store_true", required=True)
    parser.add_argument("-X", dest="verb", choices=["PUT", "POST"])
    parser.add_argument("-F", "-f", dest="fields", action="append", default=[])
    parser.set_defaults(act=_make_environment)


def _add_pull_requests(parsers: Any) -> None:
    create = parsers.add_parser("create")
    create.add_argument("--fill", action="store_true", required=True)
    create.set_defaults(act=_create)
    parsers.add_parser("list").set_defaults(act=_list)
    for name, option, act in (("review", "--approve", _approve), ("merge", "--merge", _merge)):
        one = parsers.add_parser(name)
        one.add_argument("number", type=int)
        one.add_argument(option, action="store_true", required=True)
        one.set_defaults(act=act)
    comment = parsers.add_parser("comment")
    comment.add_argument("number", type=int)
    comment.add_argument("--body", required=True)
    comment.add_argument("--edit-last", action="store_true")
    comment.set_defaults(act=_comment)
    edit = parsers.add_parser("edit")
    edit.add_argument("number", type=int)
    edit.add_argument("--add-label", required=True)
    edit.set_defaults(act=_add_label)


def _set_variable(options: Options) -> None:
    _keep("variables", options.name, options.body)


def _set_secret(options: Options) -> None:
    if options.env not in _kept().get("environments", {}):
        sys.exit("gh: failed to fetch public key: HTTP 404: Not Found")
    _keep(f"secrets of {options.env}", options.name, sys.stdin.read())


def _make_environment(options: Options) -> None:
    """An environment is kept with the branch that it is limited to: none yet is "", no limit is None."""
    name, slash, below = options.path.removeprefix(f"repos/{os.environ['GH_REPO']}/environments/").partition("/")
    fields = dict(field.split("=") for field in options.fields)
    if slash:
        assert (options.verb, below) == ("POST", "deployment-branch-policies")
        assert _kept()["environments"][name] == "", "GitHub takes branches where custom_branch_policies is on"
        _keep("environments", name, fields["name"])
    else:
        assert options.verb == "PUT"
        _keep("environments", name, "" if fields == _SELECTED else None)


def _keep(where: str, name: str, value: str | None) -> None:
    kept = _kept()
    kept.setdefault(where, {})[name] = value
    Path(os.environ["GH_SETTINGS"]).write_text(json.dumps(kept))


def _kept() -> Any:
    file = Path(os.environ["GH_SETTINGS"])
    return json.loads(file.read_text()) if file.exists() else {}


def _create(_: Options) -> str:
    branch, title = _git("branch", "--show-current"), _git("log", "-1", "--format=%s")
    made = _ask("POST", "/pulls", {"head": branch, "base": "main", "title": title})
    return f"https://github.com/{os.environ['GH_REPO']}/pull/{made['number']}"


def _list(_: Options) -> str:
    rows = [(str(pull["number"]), pull["title"], pull["head"]["ref"]) for pull in _ask("GET", "/pulls")]
    return "\n".join("\t".join(row) for row in rows)


def _approve(options: Options) -> None:
    _ask("POST", f"/pulls/{options.number}/reviews", {"event": "APPROVE"})


def _merge(options: Options) -> None:
    """Where a merge queue guards the branch, `gh` puts the pull request into it."""
    owner, _, name = os.environ["GH_REPO"].partition("/")
    found = _query(_QUEUE, owner=owner, name=name, number=options.number)["repository"]
    if found["mergeQueue"] is None:
        _ask("PUT", f"/pulls/{options.number}/merge", {"merge_method": "merge"})
    else:
        _query(_ENQUEUE, id=found["pullRequest"]["id"])


def _comment(options: Options) -> str:
    path = f"/issues/{options.number}/comments"
    if not options.edit_last:
        return str(_ask("POST", path, {"body": options.body})["html_url"])
    login = _query("query { viewer { login } }")["viewer"]["login"]
    *_, last = (comment for comment in _ask("GET", path) if comment["user"]["login"] == login)
    return str(_ask("PATCH", f"/issues/comments/{last['id']}", {"body": options.body})["html_url"])


def _add_label(options: Options) -> None:
    _ask("POST", f"/issues/{options.number}/labels", {"labels": [options.add_label]})


def _quiet(verb: str, path: str, body: object) -> None:
    _ask(verb, path, body)


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout.strip()


def _ask(verb: str, path: str, body: object = None) -> Any:
    return _sent(verb, f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GH_REPO']}{path}", body)


def _query(text: str, **variables: Any) -> Any:
    """Ask GraphQL, whose address on an Enterprise Server stands beside that of REST."""
    address = f"{os.environ['GITHUB_API_URL'].removesuffix('/v3')}/graphql"
    told = _sent("POST", address, {"query": text, "variables": variables})
    if told.get("errors"):
        sys.exit(f"gh: {told['errors'][0]['message']}")
    return told["data"]


def _sent(verb: str, address: str, body: object) -> Any:
    headers = {"Authorization": f"token {os.environ['GH_TOKEN']}"}
    answer = requests.request(verb, address, json=body, headers=headers, timeout=30)
    if not answer.ok:
        sys.exit(f"gh: {answer.json()['message']} (HTTP {answer.status_code})")
    return answer.json() if answer.text else None


if __name__ == "__main__":
    raise SystemExit(main())
