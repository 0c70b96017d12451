"""Cuts the part of GitHub's own API description that the fake GitHub answers by, into tests/support/github/data/.

Run by hand, after unpacking two npm packages:

    npm pack @octokit/openapi@23.0.2 @octokit/graphql-schema@15.26.1
    python tools/github_description.py openapi/package graphql-schema/package

Kept of REST: the operations named below, each with the schema of its request body and of its answers. Kept of GraphQL:
the types and fields named below. Nothing is changed in meaning; descriptions and examples are left out for size.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from graphql import (
    DefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    NamedTypeNode,
    Node,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    UnionTypeDefinitionNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

DATA = Path(__file__).parents[1] / "tests" / "support" / "github" / "data"

REPOSITORY = "/repos/{owner}/{repo}"
OPERATIONS: dict[str, str] = {
    "/app": "get",
    "/app/installations/{installation_id}": "get",
    "/app/installations/{installation_id}/access_tokens": "post",
    "/installation/repositories": "get",
    "/orgs/{org}/teams/{team_slug}": "get",
    "/orgs/{org}/teams/{team_slug}/members": "get",
    "/rate_limit": "get",
    "/user": "get",
    "/users/{username}": "get",
    REPOSITORY: "get patch",
    f"{REPOSITORY}/actions/organization-variables": "get",
    f"{REPOSITORY}/actions/permissions/workflow": "get put",
    f"{REPOSITORY}/actions/variables/{{name}}": "get",
    f"{REPOSITORY}/branches": "get",
    f"{REPOSITORY}/branches/{{branch}}": "get",
    f"{REPOSITORY}/branches/{{branch}}/protection": "get put delete",
    f"{REPOSITORY}/check-runs": "post",
    f"{REPOSITORY}/check-runs/{{check_run_id}}": "get patch",
    f"{REPOSITORY}/collaborators": "get",
    f"{REPOSITORY}/collaborators/{{username}}/permission": "get",
    f"{REPOSITORY}/commits/{{ref}}": "get",
    f"{REPOSITORY}/commits/{{ref}}/check-runs": "get",
    f"{REPOSITORY}/commits/{{ref}}/check-suites": "get",
    f"{REPOSITORY}/commits/{{ref}}/status": "get",
    f"{REPOSITORY}/commits/{{ref}}/statuses": "get",
    f"{REPOSITORY}/commits/{{commit_sha}}/pulls": "get",
    f"{REPOSITORY}/compare/{{basehead}}": "get",
    f"{REPOSITORY}/contents/{{path}}": "get",
    f"{REPOSITORY}/deployments": "get post",
    f"{REPOSITORY}/deployments/{{deployment_id}}": "get",
    f"{REPOSITORY}/deployments/{{deployment_id}}/statuses": "get post",
    f"{REPOSITORY}/dispatches": "post",
    f"{REPOSITORY}/environments/{{environment_name}}": "get",
    f"{REPOSITORY}/environments/{{environment_name}}/deployment-branch-policies": "get",
    f"{REPOSITORY}/git/blobs": "post",
    f"{REPOSITORY}/git/blobs/{{file_sha}}": "get",
    f"{REPOSITORY}/git/commits": "post",
    f"{REPOSITORY}/git/commits/{{commit_sha}}": "get",
    f"{REPOSITORY}/git/matching-refs/{{ref}}": "get",
    f"{REPOSITORY}/git/ref/{{ref}}": "get",
    f"{REPOSITORY}/git/refs": "post",
    f"{REPOSITORY}/git/refs/{{ref}}": "patch delete",
    f"{REPOSITORY}/git/trees": "post",
    f"{REPOSITORY}/git/trees/{{tree_sha}}": "get",
    f"{REPOSITORY}/installation": "get",
    f"{REPOSITORY}/issues": "get post",
    f"{REPOSITORY}/issues/comments/{{comment_id}}": "get patch delete",
    f"{REPOSITORY}/issues/{{issue_number}}": "get patch",
    f"{REPOSITORY}/issues/{{issue_number}}/comments": "get post",
    f"{REPOSITORY}/issues/{{issue_number}}/events": "get",
    f"{REPOSITORY}/issues/{{issue_number}}/labels": "get post put",
    f"{REPOSITORY}/issues/{{issue_number}}/labels/{{name}}": "delete",
    f"{REPOSITORY}/labels": "get post",
    f"{REPOSITORY}/pulls": "get post",
    f"{REPOSITORY}/pulls/{{pull_number}}": "get patch",
    f"{REPOSITORY}/pulls/{{pull_number}}/commits": "get",
    f"{REPOSITORY}/pulls/{{pull_number}}/files": "get",
    f"{REPOSITORY}/pulls/{{pull_number}}/merge": "get put",
    f"{REPOSITORY}/pulls/{{pull_number}}/requested_reviewers": "get post delete",
    f"{REPOSITORY}/pulls/{{pull_number}}/reviews": "get post",
    f"{REPOSITORY}/pulls/{{pull_number}}/reviews/{{review_id}}/dismissals": "put",
    f"{REPOSITORY}/pulls/{{pull_number}}/update-branch": "put",
    f"{REPOSITORY}/rules/branches/{{branch}}": "get",
    f"{REPOSITORY}/rulesets": "get post",
    f"{REPOSITORY}/rulesets/{{ruleset_id}}": "get put delete",
    f"{REPOSITORY}/statuses/{{sha}}": "post",
}

FIELDS: dict[str, str] = {
    "Query": "repository rateLimit viewer node",
    "Mutation": "createCommitOnBranch dequeuePullRequest disablePullRequestAutoMerge enablePullRequestAutoMerge "
    "enqueuePullRequest",
    "Actor": "login url avatarUrl resourcePath",
    "AutoMergeRequest": "authorEmail commitBody commitHeadline enabledAt enabledBy mergeMethod pullRequest",
    "Bot": "avatarUrl id login resourcePath url",
    "Commit": "committedDate id message messageBody messageHeadline oid parents signature tree statusCheckRollup url",
    "CommitConnection": "nodes totalCount pageInfo",
    "CreateCommitOnBranchPayload": "clientMutationId commit ref",
    "DequeuePullRequestPayload": "clientMutationId mergeQueueEntry",
    "DisablePullRequestAutoMergePayload": "actor clientMutationId pullRequest",
    "EnablePullRequestAutoMergePayload": "actor clientMutationId pullRequest",
    "EnqueuePullRequestPayload": "clientMutationId mergeQueueEntry",
    "GitActor": "date email name",
    "GitObject": "id oid",
    "GitSignature": "email isValid wasSignedByGitHub",
    "GpgSignature": "email isValid wasSignedByGitHub",
    "HeadRefForcePushedEvent": "actor createdAt id",
    "Label": "id name color",
    "LabelConnection": "nodes totalCount pageInfo",
    "MergeQueue": "configuration entries id nextEntryEstimatedTimeToMerge repository resourcePath url",
    "MergeQueueConfiguration": "checkResponseTimeout maximumEntriesToBuild maximumEntriesToMerge mergeMethod "
    "mergingStrategy minimumEntriesToMerge minimumEntriesToMergeWaitTime",
    "MergeQueueEntry": "baseCommit enqueuedAt enqueuer estimatedTimeToMerge headCommit id jump mergeQueue position "
    "pullRequest solo state",
    "MergeQueueEntryConnection": "nodes totalCount pageInfo",
    "Node": "id",
    "PageInfo": "endCursor hasNextPage hasPreviousPage startCursor",
    "PullRequest": "author autoMergeRequest baseRefName baseRefOid body closed closedAt createdAt headRefName "
    "headRefOid headRepository id isCrossRepository isDraft isInMergeQueue isMergeQueueEnabled labels mergeCommit "
    "mergeQueueEntry mergeStateStatus mergeable merged mergedAt mergedBy number repository reviewDecision reviews "
    "state timelineItems title updatedAt url viewerCanEnableAutoMerge",
    "PullRequestCommit": "commit id",
    "PullRequestConnection": "nodes totalCount pageInfo",
    "PullRequestReview": "author body commit id state submittedAt",
    "PullRequestReviewConnection": "nodes totalCount pageInfo",
    "PullRequestTimelineItemsConnection": "nodes totalCount pageInfo",
    "RateLimit": "cost limit nodeCount remaining resetAt used",
    "Ref": "id name prefix target",
    "RemovedFromMergeQueueEvent": "actor createdAt id reason",
    "Repository": "autoMergeAllowed defaultBranchRef id isPrivate mergeCommitAllowed mergeQueue name nameWithOwner "
    "owner pullRequest pullRequests rebaseMergeAllowed ref squashMergeAllowed url",
    "RepositoryOwner": "avatarUrl id login resourcePath url",
    "StatusCheckRollup": "id state",
    "Tree": "id oid",
    "User": "avatarUrl id login resourcePath url",
    "Organization": "avatarUrl id login resourcePath url",
}

_LEFT_OUT = {"description", "example", "examples", "externalDocs", "title", "x-github-breaking-changes", "deprecated"}


def main(openapi: Path, graphql: Path) -> None:
    DATA.mkdir(parents=True, exist_ok=True)
    whole = json.loads((openapi / "generated" / "api.github.com.json").read_text(encoding="utf-8"))
    text = json.dumps(rest_subset(whole), separators=(",", ":"), sort_keys=True)
    (DATA / "openapi.json").write_text(text + "\n", encoding="utf-8")
    sdl = graphql_subset(parse((graphql / "schema.graphql").read_text(encoding="utf-8"), no_location=True))
    (DATA / "schema.graphql").write_text(sdl, encoding="utf-8")
    shutil.copyfile(openapi / "LICENSE", DATA / "openapi.LICENSE")
    shutil.copyfile(graphql / "LICENSE.md", DATA / "schema.graphql.LICENSE")


def rest_subset(whole: dict[str, Any]) -> dict[str, Any]:
    """Operations by path and method, with JSON Schemas (not OpenAPI's dialect) for request and answers."""
    paths = {
        path: {m: _operation(whole, whole["paths"][path][m]) for m in ms.split()} for path, ms in OPERATIONS.items()
    }
    kept: dict[str, Any] = {}
    waiting = list(_references(paths))
    while waiting:
        name = waiting.pop()
        if name not in kept:
            kept[name] = as_json_schema(whole["components"]["schemas"][name])
            waiting.extend(_references(kept[name]))
    return {"components": {"schemas": kept}, "paths": paths, "version": whole["info"]["version"]}


def _operation(whole: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"responses": {}}
    body = _resolved(whole, operation.get("requestBody", {}))
    if schema := _schema(body):
        described["request"] = as_json_schema(schema)
    if parameters := [_resolved(whole, p) for p in operation.get("parameters", [])]:
        described["query"] = sorted(p["name"] for p in parameters if p["in"] == "query")
    for status, response in operation["responses"].items():
        schema = _schema(_resolved(whole, response))
        described["responses"][status] = as_json_schema(schema) if schema else None
    return described


def _schema(answer: dict[str, Any]) -> dict[str, Any] | None:
    content = answer.get("content", {})
    schema: dict[str, Any] | None = content.get("application/json", {}).get("schema")
    return schema


def _resolved(whole: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        part: Any = whole
        for step in node["$ref"].removeprefix("#/").split("/"):
            part = part[step]
        node = part
    return node


def as_json_schema(node: object) -> object:
    """OpenAPI 3.0's dialect as JSON Schema: `nullable` becomes a type, texts for people are dropped."""
    if isinstance(node, list):
        return [as_json_schema(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: _properties(value) if key == "properties" else as_json_schema(value)
        for key, value in node.items()
        if key not in _LEFT_OUT and key != "nullable"
    }
    return _nullable(kept) if node.get("nullable") is True else kept


def _properties(properties: dict[str, Any]) -> dict[str, Any]:
    """A property may be called `title` or `description`: only its schema is cut."""
    return {name: as_json_schema(schema) for name, schema in properties.items()}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema.get("type"), str):
        widened = {**schema, "type": [schema["type"], "null"]}
        return {**widened, "enum": [*schema["enum"], None]} if "enum" in schema else widened
    return {"anyOf": [schema, {"type": "null"}]}


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rsplit("/", 1)[1]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def graphql_subset(document: DocumentNode) -> str:
    """The named types with the named fields, and whatever enums, inputs and scalars these need."""
    definitions = {d.name.value: d for d in document.definitions if hasattr(d, "name") and d.name is not None}
    kept: dict[str, DefinitionNode] = {}
    waiting = ["Query", "Mutation"]
    while waiting:
        name = waiting.pop()
        if name in kept or name not in definitions or not _wanted(definitions[name]):
            continue
        kept[name] = _pruned(definitions[name])
        waiting.extend(_named(kept[name]))
        waiting.extend(n for n in FIELDS if _implements(definitions.get(n), name))
    for name, definition in kept.items():
        _drop_unknown(definition, kept)
        kept[name] = visit(definition, _WithoutText())
    return "\n\n".join(print_ast(kept[name]) for name in sorted(kept)) + "\n"


def _wanted(definition: DefinitionNode) -> bool:
    whole = (EnumTypeDefinitionNode, InputObjectTypeDefinitionNode, ScalarTypeDefinitionNode, UnionTypeDefinitionNode)
    return isinstance(definition, whole) or (hasattr(definition, "name") and definition.name.value in FIELDS)


def _pruned(definition: DefinitionNode) -> DefinitionNode:
    if isinstance(definition, (ObjectTypeDefinitionNode, InterfaceTypeDefinitionNode)):
        names = FIELDS[definition.name.value].split()
        missing = set(names) - {f.name.value for f in definition.fields}
        if missing:
            raise SystemExit(f"{definition.name.value} has no {', '.join(sorted(missing))}")
        definition.fields = tuple(f for f in definition.fields if f.name.value in names)
    return definition


def _implements(definition: DefinitionNode | None, interface: str) -> bool:
    return isinstance(definition, ObjectTypeDefinitionNode) and any(
        i.name.value == interface for i in definition.interfaces
    )


def _named(definition: DefinitionNode) -> list[str]:
    found: list[str] = []

    class Names(Visitor):
        def enter_named_type(self, node: NamedTypeNode, *_: object) -> None:
            found.append(node.name.value)

    interfaces = getattr(definition, "interfaces", ())
    visit(definition, Names())
    skipped = {i.name.value for i in interfaces}
    return [name for name in found if name not in skipped or name in FIELDS]


def _drop_unknown(definition: DefinitionNode, kept: dict[str, DefinitionNode]) -> None:
    if isinstance(definition, (ObjectTypeDefinitionNode, InterfaceTypeDefinitionNode)):
        definition.interfaces = tuple(
            i for i in definition.interfaces if i.name.value in kept and _complete(definition, kept[i.name.value])
        )
    if isinstance(definition, UnionTypeDefinitionNode):
        definition.types = tuple(t for t in definition.types if t.name.value in kept)


def _complete(definition: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode, interface: DefinitionNode) -> bool:
    """An object may say `implements` only while it has every field that is left of the interface."""
    mine = {f.name.value for f in definition.fields}
    return {f.name.value for f in interface.fields} <= mine


class _WithoutText(Visitor):
    def enter(self, node: Node, *_: object) -> None:
        if isinstance(node, FieldDefinitionNode) or hasattr(node, "description"):
            node.description = None
        if hasattr(node, "directives"):
            node.directives = ()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
