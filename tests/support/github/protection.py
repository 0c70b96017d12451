"""What stands between a pull request and its base branch: branch protection and rulesets, read together.

The operations that set rulesets are in rulesets.py. Texts are GitHub's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from support.github.routing import REPOSITORY, Answer, Request, not_found, route
from support.github.state import Account, CheckRun, Credential, Json, Pull, Repository, Review
from support.github.world import World

_GOOD = {"success", "neutral", "skipped"}


@dataclass(slots=True, kw_only=True)
class Requirements:
    """All that is asked of a change to one branch."""

    checks: dict[str, int | None] = field(default_factory=dict)
    """Name to the App that must report it (None: anybody)."""
    strict: bool = False
    pull_request: bool = False
    approvals: int = 0
    code_owners: bool = False
    dismiss_stale: bool = False
    last_push: bool = False
    linear: bool = False
    methods: frozenset[str] = frozenset({"merge", "squash", "rebase"})
    queue: Json | None = None
    no_force: bool = False
    no_delete: bool = False
    rules: bool = False
    """Whether a ruleset is among them: GitHub's answer then begins with other words."""


def active_rules(world: World, repository: Repository, branch: str, actor: Credential | None) -> list[Json]:
    """Rules of all active rulesets on a branch, without those that the actor may bypass."""
    found = []
    for ruleset in repository.rulesets:
        skipped = actor is not None and any(_bypasses(world, repository, actor, who) for who in ruleset.bypass)
        if ruleset.enforcement == "active" and not skipped and _covers(repository, ruleset.conditions, branch):
            found += [{**rule, "ruleset_id": ruleset.id} for rule in ruleset.rules]
    return found


def _covers(repository: Repository, conditions: Json, branch: str) -> bool:
    names = conditions.get("ref_name", {})

    def hit(patterns: list[str]) -> bool:
        return any(
            pattern == "~ALL"
            or (pattern == "~DEFAULT_BRANCH" and branch == repository.default_branch)
            or fnmatchcase(f"refs/heads/{branch}", pattern)
            for pattern in patterns
        )

    return hit(names.get("include", [])) and not hit(names.get("exclude", []))


def _bypasses(world: World, repository: Repository, actor: Credential, who: Json) -> bool:
    if who.get("bypass_mode") == "never":
        return False
    match who["actor_type"]:
        case "Integration":
            return actor.app is not None and actor.app.id == who["actor_id"]
        case "OrganizationAdmin":
            return _is_admin(world, repository, actor)
        case "RepositoryRole":
            return _is_admin(world, repository, actor) and who["actor_id"] == 5
        case _:
            return False


def _is_admin(world: World, repository: Repository, actor: Credential) -> bool:
    return actor.app is None and actor.account is not None and world.role(actor.account, repository) == "admin"


def requirements(world: World, repository: Repository, branch: str, actor: Credential | None = None) -> Requirements:
    """What this actor must meet; without one, what everybody must."""
    wanted = Requirements()
    classic = repository.protections.get(branch)
    spared = actor is not None and _is_admin(world, repository, actor)
    if classic is not None and (classic.get("enforce_admins") or not spared):
        _add_classic(wanted, classic, actor)
    for rule in active_rules(world, repository, branch, actor):
        wanted.rules = True
        _add_rule(wanted, rule["type"], rule.get("parameters", {}))
    return wanted


def _add_classic(wanted: Requirements, classic: Json, actor: Credential | None) -> None:
    wanted.no_force = not classic.get("allow_force_pushes")
    wanted.no_delete = not classic.get("allow_deletions")
    wanted.linear = bool(classic.get("required_linear_history"))
    wanted.queue = classic.get("merge_queue")
    if checks := classic.get("required_status_checks"):
        wanted.strict = bool(checks.get("strict"))
        wanted.checks |= dict.fromkeys(checks.get("contexts", []))
        for each in checks.get("checks", []):
            wanted.checks[each["context"]] = None if each.get("app_id") in {None, -1} else each["app_id"]
    reviews = classic.get("required_pull_request_reviews")
    if reviews is not None and not _excused(reviews, actor):
        wanted.pull_request = True
        wanted.approvals = reviews.get("required_approving_review_count", 1)
        wanted.code_owners = bool(reviews.get("require_code_owner_reviews"))
        wanted.dismiss_stale = bool(reviews.get("dismiss_stale_reviews"))
        wanted.last_push = bool(reviews.get("require_last_push_approval"))


def _excused(reviews: Json, actor: Credential | None) -> bool:
    if actor is None:
        return False
    allowed = reviews.get("bypass_pull_request_allowances") or {}
    if actor.app is not None:
        return actor.app.slug in allowed.get("apps", [])
    return actor.account is not None and actor.account.login in allowed.get("users", [])


def _add_rule(wanted: Requirements, kind: str, parameters: Json) -> None:
    match kind:
        case "required_status_checks":
            wanted.strict |= bool(parameters.get("strict_required_status_checks_policy"))
            for each in parameters.get("required_status_checks", []):
                wanted.checks[each["context"]] = each.get("integration_id")
        case "pull_request":
            wanted.pull_request = True
            wanted.approvals = max(wanted.approvals, parameters.get("required_approving_review_count", 0))
            wanted.code_owners |= bool(parameters.get("require_code_owner_review"))
            wanted.dismiss_stale |= bool(parameters.get("dismiss_stale_reviews_on_push"))
            wanted.last_push |= bool(parameters.get("require_last_push_approval"))
            wanted.methods &= frozenset(parameters.get("allowed_merge_methods", wanted.methods))
        case "merge_queue":
            wanted.queue = parameters
        case "required_linear_history":
            wanted.linear = True
        case "non_fast_forward":
            wanted.no_force = True
        case "deletion":
            wanted.no_delete = True
        case _:
            pass  # the fake asks for nothing more


def check_states(repository: Repository, sha: str, wanted: Requirements) -> dict[str, str]:
    """How each required check stands on a commit: `passed`, `failing`, `pending` or `expected`."""
    return {name: _check_state(repository, sha, name, app) for name, app in wanted.checks.items()}


def _check_state(repository: Repository, sha: str, name: str, app: int | None) -> str:
    runs = [r for r in latest_runs(repository, sha) if r.name == name and app in {None, r.app.id}]
    states = [_run_state(run) for run in runs]
    if app is None:
        words = {"success": "passed", "pending": "pending"}
        status = next((s for s in reversed(repository.statuses) if s.sha == sha and s.context == name), None)
        states += [words.get(status.state, "failing")] if status else []
    return next((s for s in ("failing", "pending", "passed") if s in states), "expected")


def _run_state(run: CheckRun) -> str:
    if run.status != "completed":
        return "pending"
    return "passed" if run.conclusion in _GOOD else "failing"


def latest_runs(repository: Repository, sha: str) -> list[CheckRun]:
    """The newest run of each name and App."""
    newest = {(run.app.id, run.name): run for run in repository.checks if run.sha == sha}
    return list(newest.values())


def check_blockers(repository: Repository, sha: str, wanted: Requirements) -> list[str]:
    """GitHub's sentence on required checks that have not passed."""
    states = {name: state for name, state in check_states(repository, sha, wanted).items() if state != "passed"}
    if not states:
        return []
    if len(states) > 1:
        failing = sum(state == "failing" for state in states.values())
        word = "failing" if failing else "expected"
        return [f"{failing or len(states)} of {len(wanted.checks)} required status checks are {word}."]
    name, state = next(iter(states.items()))
    return [f'Required status check "{name}" is {state}.']


def review_blockers(world: World, repository: Repository, pull: Pull, wanted: Requirements) -> list[str]:
    """GitHub's sentences on reviews that are missing."""
    if not wanted.pull_request:
        return []
    standing = standing_reviews(world, repository, pull)
    if any(review.state == "CHANGES_REQUESTED" for review in standing):
        return ["Changes have been requested."]
    approved = [review for review in standing if review.state == "APPROVED"]
    if wanted.last_push:
        approved = [review for review in approved if review.commit == pull.head_sha]
    found = []
    if len(approved) < wanted.approvals:
        plural = "reviews are" if wanted.approvals > 1 else "review is"
        found.append(f"At least {wanted.approvals} approving {plural} required by reviewers with write access.")
    if wanted.code_owners and (missing := _owners_missing(world, repository, pull, approved)):
        found.append(f"Waiting on code owner review from {', '.join(sorted(missing))}.")
    return found


def standing_reviews(world: World, repository: Repository, pull: Pull) -> list[Review]:
    """The review of each person with write access that counts now: the latest that is more than a comment."""
    latest: dict[str, Review] = {}
    for review in pull.reviews:
        if review.state != "COMMENTED" and _may_write(world, repository, review.user):
            latest[review.user.login] = review
    return [review for review in latest.values() if review.state != "DISMISSED"]


def _may_write(world: World, repository: Repository, account: Account) -> bool:
    app = next((app for app in world.apps.values() if app.bot is account), None)
    if app is not None:
        return app.permissions.get("contents") == "write"
    return world.role(account, repository) in {"write", "maintain", "admin"}


def _owners_missing(world: World, repository: Repository, pull: Pull, approved: list[Review]) -> set[str]:
    who = {f"@{review.user.login}".lower() for review in approved}
    missing = set()
    rules = list(_code_owner_rules(repository, pull.base_ref))
    for change in repository.git.changes(pull.base_sha, pull.head_sha):
        owners = next((owners for pattern, owners in reversed(rules) if _owns(pattern, change.path)), [])
        people = {name.lower() for owner in owners for name in _people(world, owner)}
        if owners and not people & who:
            missing.add(owners[0].removeprefix("@"))
    return missing


def _people(world: World, owner: str) -> list[str]:
    team = world.teams.get(owner.removeprefix("@").lower())
    return [owner] if team is None else [f"@{login}" for login in team]


def _code_owner_rules(repository: Repository, branch: str) -> Iterator[tuple[str, list[str]]]:
    commit = repository.git.branch(branch)
    for path in (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"):
        entry = commit and repository.git.lookup(commit, path)
        if not entry:
            continue
        for line in repository.git.blob(entry.sha).decode().splitlines():
            words = line.partition("#")[0].split()
            if words:
                yield words[0], words[1:]
        return


def _owns(pattern: str, path: str) -> bool:
    """CODEOWNERS' patterns as far as they are used here: a rooted path, a folder, a star, `**`."""
    anchored = pattern.strip("/")
    if pattern == "*":
        return True
    candidates = [anchored, f"{anchored}/**"]
    if "/" not in pattern.rstrip("/"):
        candidates += [f"**/{anchored}", f"**/{anchored}/**"]
    return any(fnmatchcase(path, each.replace("**", "*")) for each in candidates)


def blockers(world: World, repository: Repository, pull: Pull, actor: Credential | None) -> list[str]:
    """Why the rules do not let this actor merge it now, in GitHub's words; empty when they do."""
    wanted = requirements(world, repository, pull.base_ref, actor)
    base = repository.git.branch(pull.base_ref) or ""
    found = review_blockers(world, repository, pull, wanted)
    found += check_blockers(repository, pull.head_sha, wanted)
    if wanted.strict and wanted.checks and not repository.git.is_ancestor(base, pull.head_sha):
        found.append("Pull Request is not up to date with the base branch")
    return found


@route("GET", f"{REPOSITORY}/branches/{{branch}}/protection", "administration", role="admin")
def get(request: Request) -> Answer:
    stored = request.repository.protections.get(request.arguments["branch"])
    if stored is None:
        raise not_found()
    return Answer(body=protection_shown(request, request.arguments["branch"]))


@route("PUT", f"{REPOSITORY}/branches/{{branch}}/protection", "administration", "write")
def put(request: Request) -> Answer:
    branch = request.arguments["branch"]
    request.repository.protections[branch] = dict(request.body)
    return Answer(body=protection_shown(request, branch))


@route("DELETE", f"{REPOSITORY}/branches/{{branch}}/protection", "administration", "write")
def delete(request: Request) -> Answer:
    if request.repository.protections.pop(request.arguments["branch"], None) is None:
        raise not_found()
    return Answer(status=204)


def protection_shown(request: Request, branch: str) -> Json:
    """Classic protection in the form it is read in; it differs from the form it is written in."""
    stored = request.repository.protections[branch]
    url = f"{request.links.api}/repos/{request.repository.full_name}/branches/{branch}/protection"
    admins = {"url": f"{url}/enforce_admins", "enabled": bool(stored["enforce_admins"])}
    body: Json = {"url": url, "enforce_admins": admins}
    for name in ("required_linear_history", "allow_force_pushes", "allow_deletions"):
        body[name] = {"enabled": bool(stored.get(name))}
    if checks := stored.get("required_status_checks"):
        named = [{"context": c["context"], "app_id": c.get("app_id")} for c in checks.get("checks", [])]
        named += [{"context": context, "app_id": None} for context in checks.get("contexts", [])]
        body["required_status_checks"] = {
            "url": f"{url}/required_status_checks",
            "contexts_url": f"{url}/required_status_checks/contexts",
            "strict": bool(checks.get("strict")),
            "contexts": [each["context"] for each in named],
            "checks": named,
        }
    if (reviews := stored.get("required_pull_request_reviews")) is not None:
        body["required_pull_request_reviews"] = {
            "url": f"{url}/required_pull_request_reviews",
            "dismiss_stale_reviews": bool(reviews.get("dismiss_stale_reviews")),
            "require_code_owner_reviews": bool(reviews.get("require_code_owner_reviews")),
            "require_last_push_approval": bool(reviews.get("require_last_push_approval")),
            "required_approving_review_count": reviews.get("required_approving_review_count", 1),
        }
    return body
