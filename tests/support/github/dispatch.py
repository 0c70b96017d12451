"""From a request's bytes to an answer: credential, limit, route, permission, body, handler, description, ETag."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from support.github import (
    access,
    accounts,
    apps,
    checks,
    commits,
    deployments,
    description,
    environments,
    git_data,
    graphql,
    issues,
    labels,
    merge_queue,
    merging,
    protection,
    pulls,
    repositories,
    reviews,
    rulesets,
)
from support.github.moves import noticed, settle
from support.github.routing import Answer, Links, Refused, Request, Route, find
from support.github.state import Credential
from support.github.world import World

SUBJECTS = (
    accounts, apps, checks, commits, deployments, environments, git_data, issues, labels, merge_queue, merging,
    protection, pulls, repositories, reviews, rulesets,
)  # fmt: skip
"""The modules that declare routes: imported for that."""

GRAPHQL = "/graphql"
_FREE = "/rate_limit"


def answer(world: World, request: Request, raw: bytes) -> Answer:
    """Everything that happens to one call. Runs under the world's lock."""
    resource = "graphql" if request.path == GRAPHQL else "core"
    try:
        request.credential = access.credential_of(world, request.headers)
        if request.path != _FREE:
            world.limits.demand(request.credential, resource)
        given = _worked(world, request, raw)
    except Refused as refused:
        given = refused.answer()
    given = _conditional(request, given)
    if given.status != 304 and request.path != _FREE:
        world.limits.count(request.credential, resource)
    given.headers |= world.limits.headers(request.credential, resource)
    return given


def _worked(world: World, request: Request, raw: bytes) -> Answer:
    if request.path == GRAPHQL:
        return graphql.answer(world, request.credential, request.links, _json(raw))
    route, request.arguments = find(request.method, request.path)
    if "owner" in request.arguments:
        noticed(world, world.find_repository(request.arguments["owner"], request.arguments["repo"]))
    access.check(request, route)
    request.body = _body(request, route, raw)
    if faults := description.request_faults(route.method, route.template, request.body):
        return _violated(world, faults)
    try:
        given = route.handler(request)
    except Refused as refused:
        given = refused.answer()
    if faults := description.answer_faults(route.method, route.template, given.status, given.body):
        return _violated(world, faults)
    if request.method != "GET" and "owner" in request.arguments:
        noticed(world, request.repository, request.credential.account)
        settle(world, request.repository)
    return given


def _violated(world: World, faults: list[str]) -> Answer:
    """Loud: the test ends with an error, whatever the caller makes of this answer."""
    world.violations += faults
    return Answer(status=500, body={"message": "The description is violated", "errors": faults})


def _body(request: Request, route: Route, raw: bytes) -> dict[str, Any]:
    found = _json(raw) if raw else {}
    if isinstance(found, list) and route.template.endswith("/labels"):
        return {"labels": found}
    return found


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        raise Refused(400, "Problems parsing JSON") from None


def _conditional(request: Request, given: Answer) -> Answer:
    """304 for a GET whose answer the caller has already.

    A tag holds for one token: a renewed installation token begins anew (eclipse-csi/otterdog issue 201).
    """
    if request.method != "GET" or given.status != 200:
        return given
    if given.raw is None:
        given.raw = json.dumps(given.body).encode()
    whose = request.credential.token.encode()
    tag = f'W/"{hashlib.sha256(whose + given.raw).hexdigest()}"'
    given.headers["ETag"] = tag
    if tag.removeprefix("W/") in request.headers.get("if-none-match", ""):
        return Answer(status=304, headers=given.headers)
    return given


def new_request(world: World, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Request:
    """A request before anything is known of who sends it."""
    host = headers.get("host", "")
    return Request(
        world=world,
        method=method,
        path=path,
        query=query,
        headers=headers,
        body={},
        credential=Credential(kind="anonymous", token=""),
        links=Links(api=f"http://{host}/api/v3", html=f"http://{host}"),
    )
