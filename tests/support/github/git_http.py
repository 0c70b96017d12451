"""Git over HTTP: `git http-backend` as a CGI program, behind the same tokens as the API."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from support.github import access
from support.github.git import environment
from support.github.moves import noticed, settle
from support.github.protection import requirements
from support.github.routing import Answer, Refused, not_found
from support.github.state import Credential, Repository
from support.github.world import World

_HOOK = """\
#!/bin/sh
# Refuses what branch protection refuses. The fake says which branches in FAKE_ONLY_BY_PULL, and so on.
case " $FAKE_ONLY_BY_PULL " in
*" $1 "*) echo "error: GH006: Protected branch update failed for $1." >&2; exit 1 ;;
esac
case "$3" in
0000000000000000000000000000000000000000)
    case " $FAKE_NO_DELETE " in
    *" $1 "*) echo "error: GH006: Protected branch update failed for $1." >&2; exit 1 ;;
    esac
    exit 0 ;;
esac
case " $FAKE_NO_FORCE " in
*" $1 "*)
    case "$2" in 0000000000000000000000000000000000000000) exit 0 ;; esac
    git merge-base --is-ancestor "$2" "$3" && exit 0
    echo "error: GH006: Protected branch update failed for $1." >&2
    echo "error: Cannot force-push to this branch" >&2
    exit 1 ;;
esac
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitCall:
    """One request of git's smart protocol."""

    method: str
    repository: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def pushes(self) -> bool:
        return "git-receive-pack" in f"{self.path}?{self.query}"


def serve(world: World, call: GitCall) -> Answer:
    """Answer a clone, fetch or push. A push runs under the lock, and pull requests follow it at once."""
    with world.lock:
        try:
            credential = access.credential_of(world, call.headers)
            repository = _repository(world, credential, call)
        except Refused as refused:
            headers = {"WWW-Authenticate": 'Basic realm="GitHub"'} if refused.status == 401 else {}
            return Answer(status=refused.status, raw=f"{refused.message}\n".encode(), headers=headers)
        if not call.pushes:
            rules = {}
        elif call.path == "/git-receive-pack":
            return _push(world, repository, credential, call)
        else:
            rules = _rules(world, repository, credential)
    return _backend(repository, call, rules)


def _repository(world: World, credential: Credential, call: GitCall) -> Repository:
    repository = world.find_repository(*call.repository.split("/", 1))
    if credential.kind == "anonymous" and (repository.settings.private or call.pushes):
        raise Refused(401, "Repository not found.")
    level = "write" if call.pushes else "read"
    if credential.kind == "app" or not access.can_read(world, credential, repository):
        raise not_found()
    allowed = access.granted(credential, "contents", level)
    if credential.app is None:
        allowed = allowed and access.has_role(world, credential, repository, level)
    if not allowed:
        who = credential.account.login if credential.account else "anonymous"
        raise Refused(403, f"remote: Permission to {repository.full_name}.git denied to {who}.")
    return repository


def _push(world: World, repository: Repository, credential: Credential, call: GitCall) -> Answer:
    answer = _backend(repository, call, _rules(world, repository, credential))
    noticed(world, repository, credential.account)
    settle(world, repository)
    return answer


def _rules(world: World, repository: Repository, credential: Credential) -> dict[str, str]:
    """What the update hook needs to know of the rules, as environment."""
    hook = repository.path / "hooks" / "update"
    if not hook.exists():
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(_HOOK, encoding="utf-8")
        hook.chmod(0o755)
    wanted = {name: requirements(world, repository, name, credential) for name in repository.git.branches()}

    def branches(chosen: list[str]) -> str:
        return " ".join(f"refs/heads/{name}" for name in chosen)

    by_pull = [n for n, w in wanted.items() if w.pull_request or w.checks or w.queue is not None]
    return {
        "FAKE_ONLY_BY_PULL": branches(by_pull),
        "FAKE_NO_FORCE": branches([n for n, w in wanted.items() if w.no_force]),
        "FAKE_NO_DELETE": branches([n for n, w in wanted.items() if w.no_delete]),
    }


def _backend(repository: Repository, call: GitCall, rules: Mapping[str, str]) -> Answer:
    headers = call.headers
    variables = {
        **environment(),
        **rules,
        "GIT_PROJECT_ROOT": str(repository.path),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": call.path,
        "QUERY_STRING": call.query,
        "REQUEST_METHOD": call.method,
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(call.body)),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
        "GIT_PROTOCOL": headers.get("git-protocol", ""),
        "REMOTE_USER": "x-access-token",
        "REMOTE_ADDR": "127.0.0.1",
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run(["git", "http-backend"], env=variables, input=call.body, capture_output=True, check=False)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
    status = int(fields.pop("Status", "200 OK").split()[0])
    return Answer(status=status, raw=body, headers=fields)
