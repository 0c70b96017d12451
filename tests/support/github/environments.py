"""Variables of Actions, and deployment environments: read only, as a test's hand set them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from support.github.repositories import repository_page, repository_url
from support.github.routing import REPOSITORY, Answer, Request, not_found, route, stamp
from support.github.state import Environment, Json

_VARIABLES = f"{REPOSITORY}/actions/variables/{{name}}"
_SHARED = f"{REPOSITORY}/actions/organization-variables"
_ONE = f"{REPOSITORY}/environments/{{environment_name}}"


def _variable(request: Request, name: str, value: str) -> Json:
    at = stamp(request.repository.created_at)
    return {"name": name, "value": value, "created_at": at, "updated_at": at}


@route("GET", _VARIABLES, "actions_variables", role="write")
def variable(request: Request) -> Answer:
    name = request.arguments["name"].upper()
    if name not in request.repository.variables:
        raise not_found()
    return Answer(body=_variable(request, name, request.repository.variables[name]))


@route("GET", _SHARED, "actions_variables", role="write")
def organization_variables(request: Request) -> Answer:
    shared: Mapping[str, str] = request.repository.shared_variables
    page, headers = request.page([_variable(request, *each) for each in shared.items()])
    return Answer(body={"total_count": len(shared), "variables": list(page)}, headers=headers)


def _found(request: Request) -> Environment:
    wanted = request.arguments["environment_name"].lower()
    return next((each for each in request.repository.environments if each.name.lower() == wanted), None) or _none()


def _none() -> Environment:
    raise not_found()


@route("GET", _ONE, "actions")
def environment(request: Request) -> Answer:
    found = _found(request)
    limited = found.branches is not None or found.protected_only
    policy = {"protected_branches": found.protected_only, "custom_branch_policies": found.branches is not None}
    at = stamp(request.repository.created_at)
    page = repository_page(request.repository, request.links)
    return Answer(
        body={
            "id": found.id,
            "node_id": f"EN_{found.id}",
            "name": found.name,
            "url": f"{repository_url(request.repository, request.links)}/environments/{found.name}",
            "html_url": f"{page}/deployments/activity_log?environments_filter={found.name}",
            "created_at": at,
            "updated_at": at,
            "protection_rules": _rules(found, limited=limited),
            "deployment_branch_policy": policy if limited else None,
        }
    )


def _rules(found: Environment, *, limited: bool) -> Sequence[Json]:
    rules: list[Json] = []
    if found.wait_minutes:
        rules.append({"type": "wait_timer", "wait_timer": found.wait_minutes})
    if found.reviewers:
        people = [{"type": "User"} for _ in range(found.reviewers)]
        rules.append({"type": "required_reviewers", "prevent_self_review": False, "reviewers": people})
    if limited:
        rules.append({"type": "branch_policy"})
    return [{"id": found.id + number, "node_id": f"GA_{found.id}{number}", **rule} for number, rule in enumerate(rules)]


@route("GET", f"{_ONE}/deployment-branch-policies", "actions")
def branch_policies(request: Request) -> Answer:
    patterns = _found(request).branches or ()
    shown = [
        {"id": number, "node_id": f"BP_{number}", "name": pattern, "type": "branch"}
        for number, pattern in enumerate(patterns, start=1)
    ]
    page, headers = request.page(shown)
    return Answer(body={"total_count": len(shown), "branch_policies": list(page)}, headers=headers)
