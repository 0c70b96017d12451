"""Rules about `approvals` and `changes` of `tidegate.yaml`: lists that nobody can satisfy, or that are never read."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.core.checks.rule import Rule
from tidegate.core.checks.subjects import Data, Settings, section
from tidegate.core.fault import Fault, Way
from tidegate.core.finding import Severity
from tidegate.core.nearest import nearest
from tidegate.core.shown import shown
from tidegate.core.workspace import Workspace

APPROVALS_WITHOUT_ENVIRONMENT = Rule(
    id="approvals-without-environment",
    severity=Severity.WARNING,
    title="Approvals for an environment that is not listed",
    why="Who may approve is asked for by the name of the environment. For a name that no environment has, the list is "
    "never read. An environment that only some models have may be listed in `environments` as well.",
    bad="# tidegate.yaml\nenvironments: [staging, production]\napprovals: {prodution: {from: ['@dana']}}",
    good="# tidegate.yaml\nenvironments: [staging, production]\napprovals: {production: {from: ['@dana']}}",
)

APPROVALS_OUT_OF_REACH = Rule(
    id="approvals-out-of-reach",
    title="More approvals than there are people",
    why="`count` approvals are needed, each by another of those in `from`. With fewer people than that nothing enters "
    "the environment, and the field is never changed.",
    bad="# tidegate.yaml\napprovals: {production: {from: ['@dana'], count: 2}}",
    good="# tidegate.yaml\napprovals: {production: {from: ['@dana', '@kim'], count: 2}}",
)

CHANGES_WITHOUT_FIELD = Rule(
    id="changes-without-field",
    severity=Severity.WARNING,
    title="Approvals for a field that no manifest has",
    why="A rule under `changes` is asked for by the path of a field below a manifest's `spec`. For a path that no "
    "manifest can have, the list is never read, and what was meant is changed without it.",
    bad="# tidegate.yaml\nchanges: {objective: {from: ['@dana', '@kim']}}",
    good="# tidegate.yaml\nchanges: {objectives: {from: ['@dana', '@kim']}}",
)

NOBODY_BESIDES_THE_AUTHOR = Rule(
    id="nobody-besides-the-author",
    severity=Severity.WARNING,
    title="The only one who may approve is the author",
    why="Who opens a pull request does not approve it, and with `notSoleAuthor` who wrote the training change is not "
    "enough for its version's entry. Where one person alone is listed, their own work never gets through.",
    bad="# tidegate.yaml\nchanges: {objectives: {from: ['@dana']}}",
    good="# tidegate.yaml\nchanges: {objectives: {from: ['@dana', '@kim']}}",
)

TEAM_ON_LOCAL_FORGE = Rule(
    id="team-on-local-forge",
    severity=Severity.NOTE,
    title="A team where there are no teams",
    why="The local forge has no accounts, and so nobody is a member of a team. Who comes as the team itself speaks for "
    "it: `tidegate --as @acme/leads pull approve 7`.",
    bad="# tidegate.yaml\nforge: {kind: local}\napprovals: {production: {from: ['@acme/leads']}}",
    good="# tidegate.yaml\nforge: {kind: local}\napprovals: {production: {from: ['@dana', '@kim']}}",
)

RULES = (
    APPROVALS_WITHOUT_ENVIRONMENT,
    APPROVALS_OUT_OF_REACH,
    CHANGES_WITHOUT_FIELD,
    NOBODY_BESIDES_THE_AUTHOR,
    TEAM_ON_LOCAL_FORGE,
)

FIELDS = (
    "training", "gates", "objectives", "rollout", "environments", "serving", "hold", "dependsOn", "registry",
    "formerName", "deletionPolicy", "metadata",
)  # fmt: skip
"""Where the path of a field begins: a manifest's `spec`, and `metadata` beside it."""
OVERRIDES = ("after", "approval", "revert", "judge", "smoke", "rollout", "target", "objectives")
"""What stands below an environment."""


def approvals_can_be_given(settings: Settings) -> Iterator[Fault]:
    """Each rule lists enough people for itself."""
    approvals = section(settings.data, "approvals")
    yield from _unknown(approvals, settings)
    for name, rule in approvals.items():
        yield from _out_of_reach(rule, ("approvals", name))
        if _is_alone(rule) and rule.get("notSoleAuthor"):
            message = f"what {rule['from'][0]} trains never enters: nobody else may approve it"
            yield NOBODY_BESIDES_THE_AUTHOR.at(("approvals", name, "notSoleAuthor"), message, "list another person")


def changes_can_be_approved(settings: Settings) -> Iterator[Fault]:
    """Each rule is about a field, and one of those whom it lists may change it too."""
    for path, rule in section(settings.data, "changes").items():
        yield from _no_field(path, settings)
        yield from _out_of_reach(rule, ("changes", path))
        if _is_alone(rule):
            message = f"what {rule['from'][0]} changes never merges: nobody else may approve it"
            yield NOBODY_BESIDES_THE_AUTHOR.at(("changes", path, "from"), message, "list another person, or a team")


def teams_have_members(settings: Settings) -> Iterator[Fault]:
    """Told only where the local forge is asked for: by default the repository's origin says which one it is."""
    if section(settings.data, "forge").get("kind") != "local":
        return
    for kind in ("approvals", "changes"):
        for name, rule in section(settings.data, kind).items():
            for place, handle in enumerate(rule.get("from", ())):
                if "/" in handle:
                    message = f"the local forge does not know who is in {handle}"
                    yield TEAM_ON_LOCAL_FORGE.at((kind, name, "from", place), message, "list its people")


def _unknown(approvals: Data, settings: Settings) -> Iterator[Fault]:
    """Names that no environment has; nothing is unknown where the environments themselves cannot be read."""
    known = _environments(settings)
    for name in (name for name in approvals if known and name not in known):
        meant = nearest(name, known)
        hint = f"did you mean {meant}?" if meant else "add it to `environments`, or remove it here"
        message = f"`environments` has no {shown(name)}"
        yield APPROVALS_WITHOUT_ENVIRONMENT.at(("approvals", name), message, hint, on_key=True)


def _environments(settings: Settings) -> tuple[str, ...]:
    written = settings.document.data.get("environments")
    return tuple(settings.data.get("environments", () if written else Workspace().environments))


def _no_field(path: str, settings: Settings) -> Iterator[Fault]:
    """The first part of the path that no manifest can have; what is below it, people may name as they like."""
    first, *inside = path.split(".")
    levels: list[tuple[str, tuple[str, ...]]] = [(first, FIELDS)]
    if first == "environments":
        levels += zip(inside, (_environments(settings), OVERRIDES), strict=False)
    for part, known in levels:
        if known and part not in known:
            meant = nearest(part, known)
            hint = f"did you mean {meant}?" if meant else f"there are: {', '.join(known)}"
            message = f"no manifest has {shown(part)} there"
            yield CHANGES_WITHOUT_FIELD.at(("changes", path), message, hint, on_key=True)
            return


def _out_of_reach(rule: Data, way: Way) -> Iterator[Fault]:
    handles, count = rule.get("from", ()), rule.get("count", 1)
    people = {handle.lower() for handle in handles}
    # A team may be any number of people.
    if handles and count > len(people) and not any("/" in handle for handle in people):
        message = f"{shown(count)} approvals are needed, and {len(people)} may give one"
        yield APPROVALS_OUT_OF_REACH.at((*way, "count"), message, "list more people, or lower `count`")


def _is_alone(rule: Data) -> bool:
    people = {handle.lower() for handle in rule.get("from", ())}
    return len(people) == 1 and not any("/" in handle for handle in people)
