"""What stands between a proposal and main: rulesets and classic branch protection, code owners, the merge queue.

Each source of rules is looked at by itself, because we may bypass one and not another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tidegate.core.diagnosis import workflows
from tidegate.core.diagnosis.access import Access
from tidegate.core.diagnosis.codeowners import owners
from tidegate.core.diagnosis.remark import Complaint, Fine, Remark, Rule, Unknown, unseen
from tidegate.core.diagnosis.workflows import Workflow
from tidegate.core.finding import Severity

OURS = "tidegate"
"""The name of the one required check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchRules:
    """What one ruleset, or classic protection, asks of a change to main.

    `checks` maps a required check to the App that must report it (None: anybody may). `bypassed`: it does not hold for
    us. `pushers` are who may push at all, None for everybody with write access.
    """

    source: str
    checks: Mapping[str, int | None] = field(default_factory=dict)
    strict: bool = False
    approvals: int = 0
    code_owners: bool = False
    last_push: bool = False
    linear: bool = False
    signed: bool = False
    methods: frozenset[str] | None = None
    queue: bool = False
    pushers: frozenset[str] | None = None
    bypassed: bool | Unknown = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """All that a proposal passes on its way into main. `methods` are the merge methods that the repository allows."""

    rules: tuple[BranchRules, ...]
    unread: Mapping[str, Unknown] = field(default_factory=dict)
    queue: bool | Unknown = False
    methods: frozenset[str] | Unknown = frozenset({"merge", "squash", "rebase"})

    @property
    def has_queue(self) -> bool:
        return self.queue is True or any(rules.queue for rules in self.rules)

    @property
    def binding(self) -> tuple[BranchRules, ...]:
        """Those that hold for us, as far as anybody tells."""
        return tuple(rules for rules in self.rules if rules.bypassed is not True)

    @property
    def checks(self) -> Mapping[str, frozenset[int | None]]:
        """Every required check, with the Apps that must report it."""
        found: dict[str, frozenset[int | None]] = {}
        for rules in self.rules:
            for name, app in rules.checks.items():
                found[name] = found.get(name, frozenset()) | {app}
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What the repository itself says: its workflows, its CODEOWNERS, and where pin files are or will be. `unfilled`
    are the places of the template's placeholders."""

    workflows: tuple[Workflow, ...] = ()
    code_owners: str | None = None
    pins: tuple[str, ...] = ()
    unfilled: tuple[str, ...] = ()

    @property
    def environments(self) -> frozenset[str]:
        """Those that our jobs use."""
        return frozenset(name for each in self.workflows for name in each.environments)

    @property
    def environments_of_pulls(self) -> frozenset[str]:
        return frozenset(name for each in self.workflows if each.is_of_pulls for name in each.environments)


_RULES = "the repository's settings, Rules, Rulesets (or Branches)"
_BYPASS = f"{_RULES}: add the App to the bypass list, and keep the required check `tidegate` in a ruleset without it"

NOT_REQUIRED = Rule(
    id="check-not-required",
    title="Main does not require the check `tidegate`",
    why="Without it a proposal merges unchecked by a click or by auto-merge: without approval, or when it is not due "
    "any more.",
    fix=f"{_RULES}: require the status check `tidegate` on main",
)
CHECK_OF_ANOTHER = Rule(
    id="check-of-another-app",
    title="The check `tidegate` is awaited from somebody else",
    why="GitHub counts it only from the App that the rule names. What we report is not seen, and nothing ever merges.",
    fix=f"{_RULES}: require the status check `tidegate` from the App that Tidegate signs in as",
)
CHECK_FROM_ANYBODY = Rule(
    id="check-from-anybody",
    severity=Severity.WARNING,
    title="The check `tidegate` may come from anybody",
    why="Whoever may push, and every workflow, may set a check of that name, and so let pass what we did not.",
    fix=f"{_RULES}: choose our App as the source of the required check `tidegate`",
)
REVIEWS_OF_PROPOSALS = Rule(
    id="reviews-of-proposals",
    title="Every proposal needs a review",
    why="Reverts, steps of an approved rollout and their ends merge without a person. A review that is required of "
    "every pull request stops them: a bad version serves until somebody is awake. The approvals that `tidegate.yaml` "
    "asks for are counted by the check `tidegate`.",
    fix=f"require no approvals on main, for the check `tidegate` counts them; or {_BYPASS}",
)
CODE_OWNERS_OF_PINS = Rule(
    id="code-owners-of-pins",
    title="Pin files have code owners",
    why="A required review by code owners stops every proposal that writes a pin file, reverts too. Code owners guard "
    "what people write; the check `tidegate` guards what we write.",
    fix="CODEOWNERS: name no owners for pin and rendered files, by a last line with the pattern alone",
)
MAY_NOT_MERGE = Rule(
    id="may-not-merge",
    title="We are not among those who may push to main",
    why="A merge is a push to main. Where only some may push, our merges are refused.",
    fix=f"{_RULES}: add the App or user to those who may push",
)
STRICT_WITHOUT_QUEUE = Rule(
    id="strict-without-queue",
    severity=Severity.WARNING,
    title="Branches must be up to date, and there is no merge queue",
    why="Each merge puts every other open proposal out of date: each is rebuilt and checked again, one merge after "
    "another. With many models that is a storm of runs, in which a revert waits its turn.",
    fix=f"{_RULES}: do not require branches to be up to date (each proposal is decided anew on main's head), or add a "
    "merge queue",
)
QUEUE_WITHOUT_CHECK = Rule(
    id="queue-without-check",
    title="The merge queue waits for a check that nobody reports",
    why="A queue runs the required checks on a commit of its own, by the event `merge_group`. Where no workflow that "
    "runs Tidegate listens to it, every entry ends by time-out.",
    fix="add `merge_group:` to the events of the workflow that runs `tidegate approve`",
)
OTHER_CHECK = Rule(
    id="other-required-check",
    severity=Severity.WARNING,
    title="A revert waits for a check that is not about it",
    why="Whatever else is required must also pass on a proposal of one changed line. A check that is slow or fails by "
    "chance keeps a bad version serving.",
    fix="require it in a ruleset with our App on the bypass list, or let `tidegate/**` branches pass it at once",
)
CHECK_BY_PATH = Rule(
    id="required-check-by-path",
    title="A required check that only some paths start",
    why="A workflow that a path filter keeps from starting reports nothing, and GitHub waits for it for ever. "
    "Proposals change pin files and rendered files only.",
    fix="take `paths` out of its events and decide within its jobs",
)
NO_WAY_TO_MERGE = Rule(
    id="no-merge-method",
    title="No merge method is left",
    why="The repository, its rules and linear history each take ways to merge away. With none left GitHub refuses "
    "every merge.",
    fix="the repository's settings, General, Pull Requests: allow squash merging",
)
UNSIGNED = Rule(
    id="unsigned-commits",
    title="Main takes signed commits only, and ours are not",
    why="GitHub signs commits that an App makes through its API. A personal token's are made by git, without a key.",
    fix="use a GitHub App, or do not require signed commits on main",
)
FORK_CODE = Rule(
    id="fork-code-with-secrets",
    severity=Severity.WARNING,
    title="A workflow starts on `pull_request_target`",
    why="It runs with secrets for pull requests from forks. As soon as it checks out what they hold, their code has "
    "our tokens.",
    fix="use `pull_request`, where forks get no secret",
)

RULES = (
    NOT_REQUIRED,
    CHECK_OF_ANOTHER,
    CHECK_FROM_ANYBODY,
    REVIEWS_OF_PROPOSALS,
    CODE_OWNERS_OF_PINS,
    MAY_NOT_MERGE,
    STRICT_WITHOUT_QUEUE,
    QUEUE_WITHOUT_CHECK,
    OTHER_CHECK,
    CHECK_BY_PATH,
    NO_WAY_TO_MERGE,
    UNSIGNED,
    FORK_CODE,
)


def examine(gateway: Gateway, access: Access, files: Files) -> Iterator[Remark]:
    """All that may keep a proposal from merging, or let one through."""
    for what, why in gateway.unread.items():
        yield unseen(what, why)
    yield from _own_check(gateway, access)
    for rules in gateway.binding:
        yield from _reviews(rules, files)
        yield from _hands(rules, access)
    yield from _queue(gateway, files.workflows)
    yield from _other_checks(gateway, files.workflows)
    yield from _methods(gateway)
    for workflow in files.workflows:
        if "pull_request_target" in workflow.triggers:
            yield FORK_CODE.broken(f"{workflow.path} starts on `pull_request_target`")


def _own_check(gateway: Gateway, access: Access) -> Iterator[Remark]:
    wanted = gateway.checks.get(OURS)
    if wanted is None:
        if not gateway.unread:
            yield NOT_REQUIRED.broken("no rule of main requires the check `tidegate`")
        return
    apps = wanted - {None}
    known = access.app_id
    if apps and (access.is_person or (known is not None and apps != {known})):
        named = ", ".join(str(app) for app in sorted(app for app in apps if app is not None))
        yield CHECK_OF_ANOTHER.broken(f"main awaits `tidegate` from the App {named}; we are {access}")
    elif not apps and not access.is_person:
        yield CHECK_FROM_ANYBODY.broken("main requires `tidegate` from any source")
    else:
        yield Fine(what="main requires the check `tidegate`")


def _reviews(rules: BranchRules, files: Files) -> Iterator[Remark]:
    asked = _asked(rules, files)
    if not asked:
        return
    if isinstance(rules.bypassed, Unknown):
        yield unseen(f"whether we may bypass the reviews that {rules.source} asks for", rules.bypassed)
    else:
        yield from asked


def _asked(rules: BranchRules, files: Files) -> Sequence[Complaint]:
    found = []
    if rules.approvals:
        number = f"{rules.approvals} approving review{'s' if rules.approvals > 1 else ''}"
        found.append(REVIEWS_OF_PROPOSALS.broken(f"{rules.source} requires {number} of every pull request into main"))
    elif rules.last_push:
        found.append(REVIEWS_OF_PROPOSALS.broken(f"{rules.source} requires an approval of the last push by another"))
    if rules.code_owners and files.code_owners is not None:
        owned = [path for path in files.pins if owners(files.code_owners, path)]
        if owned:
            named = " ".join(owners(files.code_owners, owned[0]))
            more = f" and {len(owned) - 1} more" if len(owned) > 1 else ""
            what = f"{rules.source} requires reviews by code owners, and {owned[0]}{more} belongs to {named}"
            found.append(CODE_OWNERS_OF_PINS.broken(what))
    return found


def _hands(rules: BranchRules, access: Access) -> Iterator[Remark]:
    """Whether rules about who pushes, and with what signature, let our merges through."""
    login = access.login.removesuffix("[bot]")
    if rules.pushers is not None and login not in rules.pushers:
        allowed = ", ".join(sorted(rules.pushers)) or "nobody"
        yield MAY_NOT_MERGE.broken(f"{rules.source} lets {allowed} push to main, and not {access.login}")
    if rules.signed and access.is_person:
        yield UNSIGNED.broken(f"{rules.source} requires signed commits")


def _queue(gateway: Gateway, found: Sequence[Workflow]) -> Iterator[Remark]:
    if isinstance(gateway.queue, Unknown) and not gateway.has_queue:
        yield unseen("whether main has a merge queue", gateway.queue)
    strict = [rules.source for rules in gateway.binding if rules.strict]
    if strict and not gateway.has_queue:
        yield STRICT_WITHOUT_QUEUE.broken(f"{strict[0]} requires branches to be up to date with main")
    if not gateway.has_queue:
        return
    if any(workflow.runs_tidegate and "merge_group" in workflow.triggers for workflow in found):
        yield Fine(what="the merge queue's commits are checked")
    else:
        yield QUEUE_WITHOUT_CHECK.broken(
            "main has a merge queue, and no workflow here that runs Tidegate on merge_group"
        )


def _other_checks(gateway: Gateway, found: Sequence[Workflow]) -> Iterator[Remark]:
    for rules in gateway.binding:
        for name in rules.checks:
            if name != OURS:
                yield from _other_check(name, rules, workflows.of_check(name, found))
    for name in gateway.checks:
        workflow = workflows.of_check(name, found)
        if workflow and name != OURS and gateway.has_queue and "merge_group" not in workflow.triggers:
            what = f"`{name}` is required, and {workflow.path} does not run in the queue"
            yield QUEUE_WITHOUT_CHECK.broken(what, f"add `merge_group:` to the events of {workflow.path}")


def _other_check(name: str, rules: BranchRules, workflow: Workflow | None) -> Iterator[Remark]:
    if isinstance(rules.bypassed, Unknown):
        yield unseen(f"whether we may bypass the check `{name}` that {rules.source} requires", rules.bypassed)
        return
    where = f" ({workflow.path})" if workflow else ""
    yield OTHER_CHECK.broken(f"{rules.source} also requires `{name}`{where}")
    if workflow and "pull_request" in workflow.filtered:
        yield CHECK_BY_PATH.broken(f"`{name}` is required, and {workflow.path} starts for some paths only")


def _methods(gateway: Gateway) -> Iterator[Remark]:
    if isinstance(gateway.methods, Unknown):
        yield unseen("the merge methods that the repository allows", gateway.methods)
        return
    left = gateway.methods
    for rules in gateway.binding:
        left = left if rules.methods is None else left & rules.methods
        left = left - {"merge"} if rules.linear else left
    if not left:
        yield NO_WAY_TO_MERGE.broken("the repository and the rules of main have no merge method in common")
    else:
        yield Fine(what=f"proposals may merge by {', '.join(sorted(left))}")
