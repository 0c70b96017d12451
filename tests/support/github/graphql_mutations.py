"""What GraphQL does: auto-merge, the merge queue, and commits that GitHub makes and signs."""

from __future__ import annotations

import base64

from support.github.access import granted, has_role
from support.github.git import Person
from support.github.graphql_views import Unfit, Views
from support.github.merge_queue import enqueue, entry_of, remove
from support.github.moves import noticed
from support.github.protection import blockers, requirements
from support.github.pulls import judge_later, state_word
from support.github.state import AutoMerge, Json, Pull, Repository
from support.github.world import WEB_FLOW


class Mutations:
    """What one caller may do; answers are in the words of `views`."""

    def __init__(self, views: Views) -> None:
        self.views = views
        self.world = views.world
        self.credential = views.credential
        self.actor = views.actor

    def _may(self, repository: Repository, permission: str) -> None:
        app = self.credential.app is not None
        allowed = granted(self.credential, permission, "write")
        if not app:
            allowed = allowed and has_role(self.world, self.credential, repository, "write")
        if not allowed:
            whose = "integration" if app else "personal access token"
            raise Unfit("FORBIDDEN", f"Resource not accessible by {whose}")

    def arm(self, asked: Json) -> Json:
        """Refused when the setting is off, and when nothing is left to wait for."""
        repository, pull = self.views.find_pull(asked["pullRequestId"])
        self._may(repository, "pull_requests")
        self._may(repository, "contents")
        if not repository.settings.allow_auto_merge:
            raise Unfit("UNPROCESSABLE", "Pull request Auto merge is not allowed for this repository")
        self._expect(pull, asked)
        if pull.mergeable is None or pull.judged != (pull.head_sha, repository.git.branch(pull.base_ref)):
            judge_later(self.world, pull, repository)
        word = state_word(self.world, pull, repository)
        if pull.state == "closed" or word in {"clean", "unstable", "dirty"}:
            status = "closed" if pull.state == "closed" else word
            raise Unfit("UNPROCESSABLE", f"Pull request Pull request is in {status} status")
        pull.auto_merge = AutoMerge(
            by=self.actor,
            method=asked["mergeMethod"].lower(),
            title=asked.get("commitHeadline") or "",
            message=asked.get("commitBody") or "",
            at=self.world.now(),
        )
        self.world.tell("pull_request", repository, self.actor, action="auto_merge_enabled", pull_request=pull)
        return {"actor": self.views.account(self.actor), "pullRequest": self.views.pull(repository, pull)}

    def _expect(self, pull: Pull, asked: Json) -> None:
        expected = asked.get("expectedHeadOid")
        if expected is not None and expected != pull.head_sha:
            raise Unfit("UNPROCESSABLE", f"Pull request Head sha didn't match expected {expected}")

    def disarm(self, asked: Json) -> Json:
        repository, pull = self.views.find_pull(asked["pullRequestId"])
        self._may(repository, "pull_requests")
        if pull.auto_merge is None:
            raise Unfit("UNPROCESSABLE", "Can't disable auto-merge for this pull request.")
        pull.auto_merge = None
        self.world.tell("pull_request", repository, self.actor, action="auto_merge_disabled", pull_request=pull)
        return {"actor": self.views.account(self.actor), "pullRequest": self.views.pull(repository, pull)}

    def enqueue(self, asked: Json) -> Json:
        """Into the queue, if there is one and the pull request meets what its branch asks of it."""
        repository, pull = self.views.find_pull(asked["pullRequestId"])
        self._may(repository, "contents")
        if requirements(self.world, repository, pull.base_ref).queue is None:
            raise Unfit("UNPROCESSABLE", "A merge queue is not enabled for this branch")
        if entry_of(repository, pull) is not None:
            raise Unfit("UNPROCESSABLE", "The pull request is already in the queue")
        self._expect(pull, asked)
        if pull.state == "closed" or pull.draft:
            raise Unfit("UNPROCESSABLE", "Pull request is not in the correct state to be queued")
        missing = [s for s in blockers(self.world, repository, pull, self.credential) if "up to date" not in s]
        if missing:
            raise Unfit("UNPROCESSABLE", f"Pull request {' '.join(missing)}")
        entry = enqueue(self.world, repository, pull, self.actor)
        return {"mergeQueueEntry": self.views.entry(repository, entry)}

    def dequeue(self, asked: Json) -> Json:
        repository, pull = self.views.find_pull(asked["id"])
        self._may(repository, "contents")
        entry = entry_of(repository, pull)
        if entry is None:
            raise Unfit("UNPROCESSABLE", "The pull request is not in the queue")
        remove(self.world, repository, entry, "MANUAL", self.actor)
        return {"mergeQueueEntry": None}

    def create_commit(self, asked: Json) -> Json:
        """A commit that GitHub makes and signs, on top of what the branch must still be."""
        target = asked["branch"]
        repository = self.views.readable(*target["repositoryNameWithOwner"].split("/", 1))
        self._may(repository, "contents")
        name, git = target["branchName"], repository.git
        head = git.branch(name)
        if head is None:
            raise Unfit("NOT_FOUND", f"No ref found for {name}")
        if head != asked["expectedHeadOid"]:
            stale = f'Expected branch to point to "{asked["expectedHeadOid"]}" but it did not. Pull and try again.'
            raise Unfit("STALE_DATA", stale)
        wanted = requirements(self.world, repository, name, self.credential)
        if wanted.pull_request or wanted.checks or wanted.queue is not None:
            raise Unfit("UNPROCESSABLE", "Changes must be made through a pull request.")
        sha = self._written(repository, head, asked)
        git.move(f"refs/heads/{name}", sha, head)
        noticed(self.world, repository, self.actor)
        return {"commit": self.views.commit(repository, sha), "ref": self.views.ref(repository, f"refs/heads/{name}")}

    def _written(self, repository: Repository, head: str, asked: Json) -> str:
        git, files = repository.git, asked.get("fileChanges") or {}
        changes: list[tuple[str, str, str | None]] = []
        changes += [(each["path"], "100644", None) for each in files.get("deletions", [])]
        for each in files.get("additions", []):
            changes.append((each["path"], "100644", git.write_blob(base64.b64decode(each["contents"]))))
        tree = git.write_tree(head, changes)
        who = Person(name=self.actor.login, email=self.actor.email, at=self.world.now())
        flow = Person(name=WEB_FLOW[0], email=WEB_FLOW[1], at=self.world.now())
        words = asked["message"]
        text = f"{words['headline']}\n\n{words.get('body') or ''}".rstrip() + "\n"
        sha = git.write_commit(tree, [head], text, who, flow)
        repository.verified.add(sha)
        return sha
