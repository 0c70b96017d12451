"""Rulesets of a repository, and which of their rules hold for a branch. What they do is in protection.py."""

from __future__ import annotations

from support.github.protection import active_rules
from support.github.repositories import repository_page, repository_url
from support.github.routing import REPOSITORY, Answer, Request, invalid, not_found, route, stamp
from support.github.state import Json, Ruleset

_ONE = f"{REPOSITORY}/rulesets/{{ruleset_id}}"


def ruleset_shown(request: Request, ruleset: Ruleset, *, whole: bool) -> Json:
    repository = request.repository
    own = f"{repository_url(repository, request.links)}/rulesets/{ruleset.id}"
    body: Json = {
        "id": ruleset.id,
        "name": ruleset.name,
        "target": "branch",
        "source_type": "Repository",
        "source": repository.full_name,
        "enforcement": ruleset.enforcement,
        "node_id": f"RRS_{ruleset.id}",
        "created_at": stamp(ruleset.created_at),
        "updated_at": stamp(ruleset.created_at),
        "_links": {
            "self": {"href": own},
            "html": {"href": f"{repository_page(repository, request.links)}/rules/{ruleset.id}"},
        },
    }
    if whole:
        body |= {"conditions": ruleset.conditions, "rules": ruleset.rules}
        if _may_write(request):
            body["bypass_actors"] = ruleset.bypass
    return body


def _may_write(request: Request) -> bool:
    """Who may bypass is shown only to those who may change it."""
    permissions = request.credential.permissions
    if permissions is not None:
        return permissions.get("administration") == "write"
    return request.world.role(request.actor, request.repository) == "admin"


@route("GET", f"{REPOSITORY}/rulesets", "metadata")
def listing(request: Request) -> Answer:
    return request.listed(request.repository.rulesets, lambda each: ruleset_shown(request, each, whole=False))


@route("POST", f"{REPOSITORY}/rulesets", "administration", "write")
def create(request: Request) -> Answer:
    body, repository = request.body, request.repository
    if any(each.name == body["name"] for each in repository.rulesets):
        raise invalid("Ruleset", "name", "custom", "Name must be unique")
    ruleset = Ruleset(
        id=request.world.next_id(),
        name=body["name"],
        enforcement=body["enforcement"],
        conditions=body.get("conditions", {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}}),
        rules=body.get("rules", []),
        bypass=body.get("bypass_actors", []),
        created_at=request.now,
    )
    repository.rulesets.append(ruleset)
    return Answer(status=201, body=ruleset_shown(request, ruleset, whole=True))


def _found(request: Request) -> Ruleset:
    number = request.number("ruleset_id")
    ruleset = next((each for each in request.repository.rulesets if each.id == number), None)
    if ruleset is None:
        raise not_found()
    return ruleset


@route("GET", _ONE, "metadata")
def get(request: Request) -> Answer:
    return Answer(body=ruleset_shown(request, _found(request), whole=True))


@route("PUT", _ONE, "administration", "write")
def change(request: Request) -> Answer:
    ruleset, body = _found(request), request.body
    ruleset.name = body.get("name", ruleset.name)
    ruleset.enforcement = body.get("enforcement", ruleset.enforcement)
    ruleset.conditions = body.get("conditions", ruleset.conditions)
    ruleset.rules = body.get("rules", ruleset.rules)
    ruleset.bypass = body.get("bypass_actors", ruleset.bypass)
    return Answer(body=ruleset_shown(request, ruleset, whole=True))


@route("DELETE", _ONE, "administration", "write")
def delete(request: Request) -> Answer:
    request.repository.rulesets.remove(_found(request))
    return Answer(status=204)


@route("GET", f"{REPOSITORY}/rules/branches/{{branch}}", "metadata")
def of_branch(request: Request) -> Answer:
    """Every active rule on a branch, those that the caller may bypass among them."""
    source = {"ruleset_source_type": "Repository", "ruleset_source": request.repository.full_name}
    rules = active_rules(request.world, request.repository, request.arguments["branch"], None)
    return request.listed(rules, lambda rule: {**rule, **source})
