"""One models repository on a fake GitHub: what GitHub Actions does when something happens, and what people type."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import requests

from support.github.server import FakeGitHub
from support.github.webhooks import payload_of
from support.models_repository.third_party import ROOT, ThirdParty, cache, python_of
from support.program import CONTROLLER
from support.repositories import ISOLATED, git
from support.workflow_runner.composite import Machine
from support.workflow_runner.engine import Engine, examples
from support.workflow_runner.workflow import Run, Settings, Site, run

NAME = "acme/models"
PAGE = ROOT / "docs" / "getting-started.md"
_PART = re.compile(r"^<!-- not run: here; part (\w+) of [^\n]*-->\n```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PASSES = 60


def parts() -> Mapping[str, str]:
    """The console blocks of docs/getting-started.md, by name."""
    return dict(_PART.findall(PAGE.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Person:
    """Somebody at a desk: a folder, a token, and the programs that the page uses."""

    login: str
    folder: Path
    variables: Mapping[str, str]

    def types(self, block: str) -> None:
        """Run each command of a block; what it prints must be what the page shows, `…` for anything."""
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = step.partition("\n")
            done = self._shell(command)
            assert done.returncode == 0, f"{self.login}$ {command}\n{done.stdout}{done.stderr}"
            pattern = ".*".join(re.escape(part) for part in shown.strip("\n").split("…"))
            assert re.fullmatch(pattern, done.stdout.strip("\n"), re.DOTALL), f"$ {command}\n{done.stdout}"

    def _shell(self, command: str) -> subprocess.CompletedProcess[str]:
        where = self.folder / ".where"
        last = where.read_text().strip() if where.exists() else str(self.folder)
        script = f'cd "{last}"\n{command}\ncode=$?\npwd >"{where}"\nexit $code'
        return subprocess.run(
            ["bash", "-c", script], env=self.variables, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False,
        )  # fmt: skip


@dataclass
class ModelsRepository:
    """The repository with its workflows. `main` is read from the fake's own folder."""

    github: FakeGitHub
    engine: Engine
    folder: Path
    addresses: Mapping[str, str]
    runs: list[Run] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.there = self.github.repository(NAME)
        git(self.there.path, "update-ref", "-d", "refs/heads/main")  # GitHub's own new repositories are empty
        self.there.seen = {}
        self.app = self.github.app("tidegate")
        self.github.app("github-actions").id = 15368  # as on github.com: rulesets name it
        for name in ("runner", "jobs", "bin", "home"):
            (self.folder / name).mkdir()
        (self.folder / "app.pem").write_text(self.app.private_key)
        python_of(self.folder / "bin")

    def person(self, login: str, *, role: Any = "write") -> Person:
        """Somebody with a desk of their own. What the page calls https://github.com is the fake."""
        token = self.github.token(login, role=role)
        desk = self.folder / login
        desk.mkdir()
        address = self.github.url.replace("://", f"://{login}:{token}@")
        author = {"NAME": login, "EMAIL": self.github.account(login).email}
        return Person(
            login=login,
            folder=desk,
            variables={
                **ISOLATED,
                **{f"GIT_{role}_{name}": value for role in ("AUTHOR", "COMMITTER") for name, value in author.items()},
                "PATH": os.pathsep.join([str(self._programs), os.environ["PATH"]]),
                "HOME": str(self.folder / "home"),
                "PYTHONPATH": str(CONTROLLER),
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": f"url.{address}/.insteadOf",
                "GIT_CONFIG_VALUE_0": "https://github.com/",
                "GITHUB_API_URL": self.github.api_url,
                "GH_TOKEN": token,
                "GH_REPO": NAME,
                "GH_SETTINGS": str(self._settings_file),
                "APP_ID": str(self.app.id),
                "APP_KEY_FILE": str(self.folder / "app.pem"),
                **self.addresses,
            },
        )

    @cached_property
    def _programs(self) -> Path:
        for name, words in (("tidegate", "-m tidegate"), ("gh", str(Path(__file__).with_name("gh.py")))):
            program = self.folder / "bin" / name
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
            program.chmod(0o755)
        return self.folder / "bin"

    @property
    def _settings_file(self) -> Path:
        return self.folder / "settings.json"

    def protect(self, *rules: Mapping[str, Any]) -> None:
        """One more ruleset on main."""
        conditions = {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}
        body = {"name": "ours", "enforcement": "active", "rules": rules, "conditions": conditions}
        self._ask("POST", "/rulesets", body)

    # What happened, as GitHub tells workflows.

    def pushed(self) -> Run:
        """main moved."""
        return self._start("train.yml", "push", {"ref": "refs/heads/main"})

    def scheduled(self) -> Run:
        return self._start("reconcile.yml", "schedule", {"schedule": "*/5 * * * *"})

    def ran(self, done: Run, event: str, number: int | None = None) -> Run:
        """Another workflow ended, which main, a merge queue's branch, or a pull request had started."""
        branch = done.title if event == "merge_group" else "main"
        head = self.pull(number)["head"] if number else self._head(branch)
        ours = bool(number) and not _foreign(head)  # GitHub lists no pull request for a run of a fork's
        about = {
            "name": done.name,
            "event": event,
            "display_title": done.title,
            "head_branch": head["ref"],
            "head_sha": head["sha"],
            "pull_requests": [{"number": number}] if ours else [],
            "head_repository": head["repo"],
        }
        example = examples()["workflow_run"][0]
        payload = {**example, "workflow_run": {**example["workflow_run"], **about}, "repository": self._shown}
        return self._start("reconcile.yml", "workflow_run", payload)

    def _head(self, branch: str) -> dict[str, Any]:
        return {"ref": branch, "sha": git(self.there.path, "rev-parse", branch), "repo": self._shown}

    def proposed(self, number: int, action: str) -> Run:
        """Something happened to a pull request: its checks run, and GitHub shows each job as a check of its head."""
        self.pull(number)  # GitHub works out the merge commit behind the first look
        pull = self.pull(number)
        payload = {"action": action, "number": number, "pull_request": pull, "repository": self._shown}
        if action == "labeled":
            payload["label"] = pull["labels"][-1]
        return self._checked("pull_request", payload, f"refs/pull/{number}/merge", pull["head"])

    def reviewed(self, number: int) -> Run:
        """Somebody reviewed a pull request."""
        pull = self.pull(number)
        review = self._ask("GET", f"/pulls/{number}/reviews")[-1]
        payload = {"action": "submitted", "review": review, "pull_request": pull, "repository": self._shown}
        return self._checked("pull_request_review", payload, f"refs/pull/{number}/merge", pull["head"])

    def commented(self, before: str | None = None) -> Run:
        """Somebody wrote, edited or deleted a comment; `before` is what an edited one said, as GitHub tells."""
        changes = {} if before is None else {"changes": {"body": {"from": before}}}
        return self._start("reconcile.yml", "issue_comment", {**self._told("issue_comment"), **changes})

    def queued(self) -> Run:
        """A merge queue asks what is to be said of the group that it made."""
        group = self._told("merge_group")["merge_group"]
        example = examples()["merge_group"][0]
        payload = {**example, "merge_group": {**example["merge_group"], **group}, "repository": self._shown}
        return self._checked("merge_group", payload, group["head_ref"], {"sha": group["head_sha"], "repo": self._shown})

    def _told(self, name: str) -> dict[str, Any]:
        """What the fake told last under this name."""
        return payload_of(self.github, next(event for event in reversed(self.github.events) if event.name == name))

    def _checked(self, event: str, payload: Mapping[str, Any], ref: str, head: Mapping[str, Any]) -> Run:
        done = self._start("pull-request.yml", event, payload, ref)
        token = self.github.actions_token(NAME, {"checks": "write"})
        for job in (job for jobs in done.jobs.values() for job in jobs):
            body = {"name": job.name, "head_sha": head["sha"], "status": "completed", "conclusion": job.result}
            self._ask("POST", "/check-runs", body, token)
        return done

    def _start(self, workflow: str, event: str, payload: Mapping[str, Any], ref: str = "refs/heads/main") -> Run:
        # Nobody changes workflows here: those of a pull request are main's.
        text = git(self.there.path, "show", f"main:.github/workflows/{workflow}")
        github = {
            "event_name": event,
            "event": payload,
            "ref": ref,
            "ref_name": ref.removeprefix("refs/heads/").removeprefix("refs/pull/"),
            "sha": git(self.there.path, "rev-parse", ref),
            "repository": NAME,
            "workflow": workflow,
            "api_url": self.github.api_url,
            "graphql_url": self.github.graphql_url,
            "server_url": self.github.url,
        }
        foreign = "pull_request" in payload and _foreign(payload["pull_request"]["head"])
        settings = self._settings(foreign=foreign)
        self.runs.append(run(self.engine.workflow(workflow, text), github, settings, self._site))
        return self.runs[-1]

    def _settings(self, *, foreign: bool) -> Settings:
        """A run for a fork gets no secret, and a token that may read what it asked to write."""
        kept = json.loads(self._settings_file.read_text())
        secrets = {name: kept.get(f"secrets of {name}", {}) for name in ("tidegate", "tidegate-pull-requests")}

        def token(asked: Mapping[str, str]) -> str:
            granted = {name.replace("-", "_"): "read" if foreign else level for name, level in asked.items()}
            return self.github.actions_token(NAME, granted)

        limited = {name: f"refs/heads/{branch}" for name, branch in kept["environments"].items() if branch is not None}
        return Settings(variables=kept["variables"], secrets={} if foreign else secrets, limited=limited, token=token)

    @cached_property
    def _site(self) -> Site:
        return Site(
            machine=Machine(engine=self.engine, temporary=self.folder / "runner", stand_ins=cache()),
            actions=ROOT,
            owner="acme",
            stands=ThirdParty(self.github, NAME).stands,
            folder=self.folder / "jobs",
            variables={
                "PATH": os.pathsep.join([str(self.folder / "bin"), os.environ["PATH"]]),
                "HOME": str(self.folder / "home"),
                "GIT_CONFIG_GLOBAL": "/dev/null",
            },
        )

    # What can be seen.

    def until(self, reached: Callable[[], bool]) -> None:
        """Pass after pass, as the schedule starts them, until something holds. Passes are counted, because on a busy
        machine each takes longer and finds more that is due."""
        for _ in range(_PASSES):
            if reached():
                return
            done = self.scheduled()
            assert done.result("reconcile") == "success", done.said
        assert reached(), f"{self.runs[-1].said}\n{json.dumps(self.pulls(), indent=2)}"

    def main(self) -> str:
        return git(self.there.path, "rev-parse", "main")

    def pin(self, environment: str) -> str:
        """The pin file on main; nothing where there is none."""
        path = f"models/example/{environment}.yaml"
        names = git(self.there.path, "ls-tree", "--name-only", "main", path)
        return git(self.there.path, "show", f"main:{path}") if names else ""

    def pulls(self) -> list[tuple[int, str, str]]:
        """Number, title and state of every pull request."""
        return [
            (pull.number, pull.title, "merged" if pull.merged else pull.state)
            for pull in sorted(self.there.pulls, key=_by_number)
        ]

    def state(self, title: str) -> str:
        """Of the newest pull request with such a title; nothing where there is none."""
        return next((state for _, found, state in reversed(self.pulls()) if title in found), "")

    def pull(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self._ask("GET", f"/pulls/{number}")
        return found

    def check(self, number: int, name: str = "tidegate") -> str:
        """What the newest check of that name says of a pull request's head."""
        head = self.pull(number)["head"]["sha"]
        runs = [each for each in self.there.checks if each.sha == head and each.name == name]
        newest = max(runs, key=lambda each: each.id, default=None)
        return "" if newest is None else newest.conclusion or newest.status

    def comments(self, number: int) -> list[str]:
        return [comment["body"] for comment in self._ask("GET", f"/issues/{number}/comments")]

    @cached_property
    def _shown(self) -> dict[str, Any]:
        found: dict[str, Any] = self._ask("GET", "")
        return found

    @cached_property
    def _reader(self) -> str:
        return self.github.token("octocat", role="admin")

    def _ask(self, verb: str, path: str, body: object = None, token: str = "") -> Any:
        answer = requests.request(
            verb, f"{self.github.api_url}/repos/{NAME}{path}", json=body,
            headers={"Authorization": f"token {token or self._reader}"}, timeout=30,
        )  # fmt: skip
        assert answer.ok, answer.text
        return answer.json()


def _foreign(head: Mapping[str, Any]) -> bool:
    """Whether a head, in GitHub's words, lies in another repository."""
    return bool(head["repo"]["full_name"] != NAME)


def _by_number(pull: Any) -> int:
    number: int = pull.number
    return number


def annotated(said: str) -> Iterator[str]:
    """The errors that stand on a line of a file."""
    return (line for line in said.splitlines() if line.startswith("::error file="))
