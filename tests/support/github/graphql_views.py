"""What GraphQL shows: accounts, repositories, pull requests, commits and the merge queue, as graphql-core wants them.

A field that is dear or leads on is a function of its arguments; graphql-core calls it when the query asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from support.github.access import can_read
from support.github.merge_queue import entry_of, method_of, state_of
from support.github.moves import noticed
from support.github.protection import requirements, standing_reviews
from support.github.pulls import forget_stale, judge_later, state_word
from support.github.routing import Links, stamp
from support.github.state import Account, Credential, Event, Json, Pull, QueueEntry, Repository, Review
from support.github.world import WEB_FLOW, World


class Unfit(Exception):
    """GraphQL's way of saying no: a type such as NOT_FOUND or UNPROCESSABLE, and a sentence."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Views:
    """What one caller sees."""

    def __init__(self, world: World, credential: Credential, links: Links) -> None:
        assert credential.account is not None
        self.world = world
        self.credential = credential
        self.actor = credential.account
        self.links = links

    def readable(self, owner: str, name: str) -> Repository:
        """The repository, if it is there for this caller."""
        found = self.world.repositories.get(f"{owner}/{name}".lower())
        if found is None or not can_read(self.world, self.credential, found):
            raise Unfit("NOT_FOUND", f"Could not resolve to a Repository with the name '{owner}/{name}'.")
        noticed(self.world, found)
        return found

    def find_pull(self, node_id: str) -> tuple[Repository, Pull]:
        """The pull request with this node id, and where it is."""
        for repository in self.world.repositories.values():
            for pull in repository.pulls:
                if pull.node_id == node_id and can_read(self.world, self.credential, repository):
                    noticed(self.world, repository)
                    return repository, pull
        raise Unfit("NOT_FOUND", f"Could not resolve to a node with the global id of '{node_id}'")

    def rate_limit(self) -> Json:
        window = self.world.limits.window(self.credential, "graphql")
        left = {"limit": window.limit, "remaining": window.limit - window.used, "used": window.used}
        return {"cost": 1, "nodeCount": 0, "resetAt": stamp(window.reset), **left}

    def account(self, account: Account | None) -> Json | None:
        if account is None:
            return None
        login = account.login.removesuffix("[bot]")
        return {
            "__typename": account.type,
            "id": account.node_id,
            "login": login,
            "url": f"{self.links.html}/{login}",
            "resourcePath": f"/{login}",
            "avatarUrl": f"{self.links.html}/avatars/{account.id}",
        }

    def repository(self, repository: Repository) -> Json:
        settings = repository.settings
        return {
            "id": repository.node_id,
            "name": repository.name,
            "nameWithOwner": repository.full_name,
            "owner": self.account(repository.owner),
            "url": f"{self.links.html}/{repository.full_name}",
            "isPrivate": settings.private,
            "autoMergeAllowed": settings.allow_auto_merge,
            "mergeCommitAllowed": settings.allow_merge_commit,
            "squashMergeAllowed": settings.allow_squash_merge,
            "rebaseMergeAllowed": settings.allow_rebase_merge,
            "defaultBranchRef": lambda _info: self.ref(repository, f"refs/heads/{repository.default_branch}"),
            "ref": lambda _info, **asked: self.ref(repository, asked["qualifiedName"]),
            "mergeQueue": lambda _info, branch=None: self.queue(repository, branch or repository.default_branch),
            "pullRequest": lambda _info, number: self.numbered(repository, number),
            "pullRequests": lambda _info, **asked: self.pulls(repository, asked),
        }

    def numbered(self, repository: Repository, number: int) -> Json:
        found = next((pull for pull in repository.pulls if pull.number == number), None)
        if found is None:
            raise Unfit("NOT_FOUND", f"Could not resolve to a PullRequest with the number of {number}.")
        return self.pull(repository, found)

    def ref(self, repository: Repository, name: str) -> Json | None:
        full = name if name.startswith("refs/") else f"refs/heads/{name}"
        sha = repository.git.refs().get(full)
        if sha is None:
            return None
        prefix, _, short = full.partition("/heads/")
        return {
            "id": f"REF_{full}",
            "name": short,
            "prefix": f"{prefix}/heads/",
            "target": {"__typename": "Commit", **self.commit(repository, sha)},
        }

    def commit(self, repository: Repository, sha: str) -> Json:
        commit = repository.git.commit(sha)
        headline, _, rest = commit.message.partition("\n")
        signed = {"__typename": "GpgSignature", "isValid": True, "wasSignedByGitHub": True, "email": WEB_FLOW[1]}
        return {
            "id": f"C_{sha}",
            "oid": sha,
            "message": commit.message,
            "messageHeadline": headline,
            "messageBody": rest.lstrip("\n"),
            "committedDate": stamp(commit.committer.at),
            "url": f"{self.links.html}/{repository.full_name}/commit/{sha}",
            "tree": {"id": f"T_{commit.tree}", "oid": commit.tree},
            "signature": signed if sha in repository.verified else None,
            "statusCheckRollup": self._rollup(repository, sha),
            "parents": lambda _info, **asked: self._connection(
                commit.parents, asked, lambda parent: self.commit(repository, parent)
            ),
        }

    def _rollup(self, repository: Repository, sha: str) -> Json | None:
        done = {str(run.conclusion or "pending") for run in repository.checks if run.sha == sha}
        done |= {status.state for status in repository.statuses if status.sha == sha}
        if not done:
            return None
        passed = done <= {"success", "neutral", "skipped"}
        state = "SUCCESS" if passed else "PENDING" if "pending" in done else "FAILURE"
        return {"id": f"SCR_{sha}", "state": state}

    def pulls(self, repository: Repository, asked: Json) -> Json:
        states = asked.get("states")
        order = asked.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
        found = [
            pull
            for pull in repository.pulls
            if (not states or _state(pull) in states)
            and asked.get("headRefName", pull.head_ref) == pull.head_ref
            and asked.get("baseRefName", pull.base_ref) == pull.base_ref
        ]
        updated = order["field"] == "UPDATED_AT"
        found.sort(
            key=lambda pull: (pull.updated_at if updated else pull.created_at, pull.number),
            reverse=order["direction"] == "DESC",
        )
        return self._connection(found, asked, lambda pull: self.pull(repository, pull))

    def _connection(self, items: Sequence[Any], asked: Json, shown: Callable[[Any], Json]) -> Json:
        """One page of a list; a cursor is the place of an item in it."""
        size = asked.get("first")
        if size is None and asked.get("last") is None:
            raise Unfit("MISSING_PAGINATION_BOUNDARIES", "You must provide a `first` or `last` value to paginate.")
        if (size or asked.get("last") or 0) > 100:
            raise Unfit("EXCESSIVE_PAGINATION", "Requesting more than 100 records exceeds the `first` limit of 100.")
        start = int(asked["after"]) if asked.get("after") else 0
        page = items[start : start + size] if size is not None else items[-asked["last"] :]
        end = start + len(page)
        information = {
            "startCursor": str(start + 1) if page else None,
            "endCursor": str(end) if page else None,
            "hasNextPage": size is not None and end < len(items),
            "hasPreviousPage": start > 0,
        }
        return {"totalCount": len(items), "nodes": [shown(item) for item in page], "pageInfo": information}

    def pull(self, repository: Repository, pull: Pull) -> Json:
        entry = entry_of(repository, pull)
        wanted = requirements(self.world, repository, pull.base_ref)
        return {
            "__typename": "PullRequest",
            "id": pull.node_id,
            "number": pull.number,
            "title": pull.title,
            "body": pull.body or "",
            "state": _state(pull),
            "closed": pull.state == "closed",
            "merged": pull.merged,
            "isDraft": pull.draft,
            "isCrossRepository": False,
            "author": self.account(pull.user),
            "mergedBy": self.account(pull.merged_by),
            "url": f"{self.links.html}/{repository.full_name}/pull/{pull.number}",
            **{name: stamp(at) for name, at in _dates(pull).items()},
            "baseRefName": pull.base_ref,
            "baseRefOid": pull.base_sha,
            "headRefName": pull.head_ref,
            "headRefOid": pull.head_sha,
            "repository": lambda _info: self.repository(repository),
            "headRepository": lambda _info: self.repository(repository),
            "labels": lambda _info, **asked: self._connection(
                pull.labels, asked, lambda name: _label(repository, name)
            ),
            "reviews": lambda _info, **asked: self._reviews(repository, pull, asked),
            "reviewDecision": lambda _info: self._decision(repository, pull),
            "mergeable": lambda _info: self._mergeable(repository, pull),
            "mergeStateStatus": lambda _info: state_word(self.world, pull, repository).upper(),
            "mergeCommit": lambda _info: self.commit(repository, pull.merge_commit or "") if pull.merged else None,
            "autoMergeRequest": lambda _info: self._armed(repository, pull),
            "viewerCanEnableAutoMerge": repository.settings.allow_auto_merge and pull.state == "open",
            "isInMergeQueue": entry is not None,
            "isMergeQueueEnabled": wanted.queue is not None,
            "mergeQueueEntry": lambda _info: self.entry(repository, entry) if entry else None,
            "timelineItems": lambda _info, **asked: self._timeline(repository, pull, asked),
        }

    def _timeline(self, repository: Repository, pull: Pull, asked: Json) -> Json:
        """What happened since it was opened, of what the fake remembers."""

        def one(event: Event) -> Json:
            shown: Json = {
                "__typename": event.kind,
                "id": f"EV_{event.id}",
                "actor": self.account(event.actor),
                "createdAt": stamp(event.at),
                "reason": event.reason,
            }
            return {**shown, "commit": lambda _info: self.commit(repository, pull.head_sha)}

        wanted = {name.replace("_", "").lower() for name in asked["itemTypes"]}
        return self._connection([event for event in pull.events if event.kind.lower() in wanted], asked, one)

    def _mergeable(self, repository: Repository, pull: Pull) -> str:
        forget_stale(pull, repository)
        word = {None: "UNKNOWN", True: "MERGEABLE", False: "CONFLICTING"}[None if pull.merged else pull.mergeable]
        judge_later(self.world, pull, repository)
        return word

    def _reviews(self, repository: Repository, pull: Pull, asked: Json) -> Json:
        def one(review: Review) -> Json:
            return {
                "id": f"PRR_{review.id}",
                "author": self.account(review.user),
                "body": review.body,
                "state": review.state,
                "submittedAt": stamp(review.submitted_at),
                "commit": lambda _info: self.commit(repository, review.commit),
            }

        states = asked.get("states")
        return self._connection([r for r in pull.reviews if not states or r.state in states], asked, one)

    def _decision(self, repository: Repository, pull: Pull) -> str | None:
        wanted = requirements(self.world, repository, pull.base_ref)
        standing = standing_reviews(self.world, repository, pull)
        if any(review.state == "CHANGES_REQUESTED" for review in standing):
            return "CHANGES_REQUESTED"
        if not wanted.pull_request:
            return "APPROVED" if standing else None
        return "APPROVED" if len(standing) >= wanted.approvals else "REVIEW_REQUIRED"

    def _armed(self, repository: Repository, pull: Pull) -> Json | None:
        armed = pull.auto_merge
        if armed is None:
            return None
        return {
            "authorEmail": None,
            "commitHeadline": armed.title,
            "commitBody": armed.message,
            "enabledAt": stamp(armed.at),
            "enabledBy": self.account(armed.by),
            "mergeMethod": armed.method.upper(),
            "pullRequest": lambda _info: self.pull(repository, pull),
        }

    def queue(self, repository: Repository, branch: str) -> Json | None:
        rule = requirements(self.world, repository, branch).queue
        if rule is None:
            return None
        entries = repository.queues.get(branch, [])
        return {
            "id": f"MQ_{repository.id}_{branch}",
            "repository": lambda _info: self.repository(repository),
            "url": f"{self.links.html}/{repository.full_name}/queue/{branch}",
            "resourcePath": f"/{repository.full_name}/queue/{branch}",
            "nextEntryEstimatedTimeToMerge": None,
            "configuration": {
                "checkResponseTimeout": rule.get("check_response_timeout_minutes", 60) * 60,
                "maximumEntriesToBuild": rule.get("max_entries_to_build", 5),
                "maximumEntriesToMerge": rule.get("max_entries_to_merge", 5),
                "minimumEntriesToMerge": rule.get("min_entries_to_merge", 1),
                "minimumEntriesToMergeWaitTime": rule.get("min_entries_to_merge_wait_minutes", 0) * 60,
                "mergeMethod": method_of(self.world, repository, branch),
                "mergingStrategy": rule.get("grouping_strategy", "ALLGREEN"),
            },
            "entries": lambda _info, **asked: self._connection(
                entries, asked, lambda entry: self.entry(repository, entry)
            ),
        }

    def entry(self, repository: Repository, entry: QueueEntry) -> Json:
        branch = entry.pull.base_ref
        return {
            "id": f"MQE_{entry.id}",
            "enqueuedAt": stamp(entry.at),
            "enqueuer": self.account(entry.by),
            "estimatedTimeToMerge": None,
            "jump": False,
            "solo": False,
            "position": repository.queues[branch].index(entry) + 1,
            "state": state_of(self.world, repository, entry),
            "baseCommit": lambda _info: self.commit(repository, entry.base) if entry.base else None,
            "headCommit": lambda _info: self.commit(repository, entry.group) if entry.group else None,
            "mergeQueue": lambda _info: self.queue(repository, branch),
            "pullRequest": lambda _info: self.pull(repository, entry.pull),
        }


def _state(pull: Pull) -> str:
    return "MERGED" if pull.merged else pull.state.upper()


def _dates(pull: Pull) -> Json:
    return {
        "createdAt": pull.created_at,
        "updatedAt": pull.updated_at,
        "closedAt": pull.closed_at,
        "mergedAt": pull.merged_at,
    }


def _label(repository: Repository, name: str) -> Json:
    label = repository.labels[name.lower()]
    return {"id": f"LA_{label.id}", "name": label.name, "color": label.color}
