"""GraphQL: queries are checked against GitHub's own schema (data/schema.graphql) and run by graphql-core."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from graphql import ExecutionResult, GraphQLError, GraphQLSchema, build_schema, execute_sync, parse, validate

from support.github.description import DATA
from support.github.graphql_mutations import Mutations
from support.github.graphql_views import Unfit, Views
from support.github.moves import noticed, settle
from support.github.routing import Answer, Links, Refused
from support.github.state import Credential, Json
from support.github.world import World


@cache
def _schema() -> GraphQLSchema:
    return build_schema((DATA / "schema.graphql").read_text(encoding="utf-8"))


def answer(world: World, credential: Credential, links: Links, body: Mapping[str, Any]) -> Answer:
    """Run one query. A query that GitHub's schema does not allow is a violation, besides an answer with errors."""
    if credential.account is None:
        raise Refused(401, "This endpoint requires you to be authenticated.")
    try:
        document = parse(body.get("query") or "")
    except GraphQLError as error:
        return _rejected(world, [error])
    if errors := validate(_schema(), document):
        return _rejected(world, errors)
    fields = _fields(Views(world, credential, links))
    variables, name = body.get("variables"), body.get("operationName")
    result = execute_sync(_schema(), document, fields, variable_values=variables, operation_name=name)
    assert isinstance(result, ExecutionResult)
    for repository in world.repositories.values():
        noticed(world, repository, credential.account)
        settle(world, repository)
    return Answer(body={"data": result.data, **_errors(world, result)})


def _rejected(world: World, errors: Sequence[GraphQLError]) -> Answer:
    world.violations += [f"GraphQL: {error.message}" for error in errors]
    return Answer(body={"errors": [error.formatted for error in errors]})


def _errors(world: World, result: ExecutionResult) -> Json:
    found = []
    for error in result.errors or []:
        shown: Json = dict(error.formatted)
        if isinstance(error.original_error, Unfit):
            shown["type"] = error.original_error.kind
        else:
            world.violations.append(f"GraphQL: {error.message}")
        found.append(shown)
    return {"errors": found} if found else {}


def _fields(views: Views) -> Json:
    """What a query starts from."""
    work = Mutations(views)
    mutations = {
        "createCommitOnBranch": work.create_commit,
        "dequeuePullRequest": work.dequeue,
        "disablePullRequestAutoMerge": work.disarm,
        "enablePullRequestAutoMerge": work.arm,
        "enqueuePullRequest": work.enqueue,
    }
    return {
        "repository": lambda _info, owner, name, **_: views.repository(views.readable(owner, name)),
        "viewer": lambda _info: views.account(views.actor),
        "rateLimit": lambda _info, **_: views.rate_limit(),
        "node": lambda _info, **asked: views.pull(*views.find_pull(asked["id"])),
        **{name: _mutation(each) for name, each in mutations.items()},
    }


def _mutation(work: Callable[[Json], Json]) -> Callable[..., Json]:
    def called(_info: object, **asked: Json) -> Json:
        given = asked["input"]
        return {**work(given), "clientMutationId": given.get("clientMutationId")}

    return called
