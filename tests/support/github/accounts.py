"""People, bots and teams as the API shows them, and what a caller has left of its limits."""

from __future__ import annotations

from zlib import crc32

from support.github.routing import Answer, Links, Refused, Request, not_found, route, stamp
from support.github.state import ROLES, Account, Json, Repository, Role

_NEEDED: dict[str, Role] = {
    "pull": "read",
    "triage": "triage",
    "push": "write",
    "maintain": "maintain",
    "admin": "admin",
}
"""The role that each permission of a collaborator begins with."""


def simple_user(account: Account, links: Links) -> Json:
    url = f"{links.api}/users/{account.login}"
    plain = ("followers", "subscriptions", "repos", "received_events")
    return {
        "login": account.login,
        "id": account.id,
        "node_id": account.node_id,
        "avatar_url": f"{links.html}/avatars/{account.id}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{links.html}/{account.login}",
        "organizations_url": f"{url}/orgs",
        "events_url": f"{url}/events{{/privacy}}",
        "following_url": f"{url}/following{{/other_user}}",
        "gists_url": f"{url}/gists{{/gist_id}}",
        "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
        **{f"{name}_url": f"{url}/{name}" for name in plain},
        "type": account.type,
        "site_admin": False,
    }


def maybe_user(account: Account | None, links: Links) -> Json | None:
    return None if account is None else simple_user(account, links)


def public_user(account: Account, links: Links) -> Json:
    nothing = ("company", "location", "email", "hireable", "bio")
    return {
        **simple_user(account, links),
        **dict.fromkeys(nothing),
        **dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0),
        "name": account.login,
        "blog": "",
        "created_at": stamp(account.created_at),
        "updated_at": stamp(account.created_at),
    }


def association(account: Account, repository: Repository) -> str:
    """How somebody stands to the repository."""
    if account is repository.owner:
        return "OWNER"
    return "CONTRIBUTOR" if repository.roles.get(account.login.lower(), "none") == "none" else "COLLABORATOR"


@route("GET", "/user")
def current(request: Request) -> Answer:
    if request.credential.app is not None:
        raise Refused(403, "Resource not accessible by integration")
    return Answer(body=public_user(request.actor, request.links))


@route("GET", "/rate_limit")
def rate_limit(request: Request) -> Answer:
    """Free of charge, as on GitHub."""
    core, graphql = (request.world.limits.shown(request.credential, each) for each in ("core", "graphql"))
    return Answer(body={"resources": {"core": core, "graphql": graphql, "search": core}, "rate": core})


@route("GET", "/users/{username}")
def user(request: Request) -> Answer:
    account = request.world.accounts.get(request.arguments["username"].lower())
    if account is None:
        raise not_found()
    return Answer(body=public_user(account, request.links))


@route("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission", "metadata")
def permission(request: Request) -> Answer:
    account = request.world.accounts.get(request.arguments["username"].lower())
    if account is None:
        raise not_found()
    role = request.world.role(account, request.repository)
    coarse = {"triage": "read", "maintain": "write"}.get(role, role)
    shown = {**simple_user(account, request.links), "role_name": role}
    return Answer(body={"permission": coarse, "role_name": role, "user": shown})


@route("GET", "/repos/{owner}/{repo}/collaborators", "metadata", role="write")
def collaborators(request: Request) -> Answer:
    """Who has access; with `permission`, those alone who have that one."""
    least = ROLES.index(_NEEDED[request.query.get("permission", "pull")])
    people = [account for account in request.world.accounts.values() if account.type == "User"]
    roles = {account.login: request.world.role(account, request.repository) for account in people}
    found = [account for account in people if ROLES.index(roles[account.login]) >= least]
    return request.listed(found, lambda account: _collaborator(account, roles[account.login], request.links))


def _collaborator(account: Account, role: Role, links: Links) -> Json:
    has = {name: ROLES.index(role) >= ROLES.index(least) for name, least in _NEEDED.items()}
    return {**simple_user(account, links), "permissions": has, "role_name": role}


@route("GET", "/orgs/{org}/teams/{team_slug}", "members")
def team(request: Request) -> Answer:
    logins = _team(request)
    slug = request.arguments["team_slug"]
    organization = request.world.account(request.arguments["org"], "Organization")
    url = f"{request.links.api}/orgs/{organization.login}/teams/{slug}"
    created = stamp(organization.created_at)
    shown = {
        "id": crc32(slug.encode()),
        "node_id": f"T_{slug}",
        "url": url,
        "html_url": f"{request.links.html}/orgs/{organization.login}/teams/{slug}",
        "members_url": f"{url}/members{{/member}}",
        "repositories_url": f"{url}/repos",
        "name": slug,
        "slug": slug,
        "description": None,
        "permission": "push",
        "type": "organization",
        "created_at": created,
        "updated_at": created,
        "members_count": len(logins),
        "repos_count": 1,
        "organization": _organization(organization, request.links),
    }
    return Answer(body=shown)


@route("GET", "/orgs/{org}/teams/{team_slug}/members", "members")
def members(request: Request) -> Answer:
    accounts = [request.world.account(login) for login in _team(request)]
    return request.listed(accounts, lambda account: simple_user(account, request.links))


def _team(request: Request) -> list[str]:
    found = request.world.teams.get(f"{request.arguments['org']}/{request.arguments['team_slug']}".lower())
    if found is None:
        raise not_found()
    return found


def _organization(account: Account, links: Links) -> Json:
    url = f"{links.api}/orgs/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": account.node_id,
        "url": url,
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events",
        "hooks_url": f"{url}/hooks",
        "issues_url": f"{url}/issues",
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
        "avatar_url": f"{links.html}/avatars/{account.id}",
        "description": None,
        "has_organization_projects": False,
        "has_repository_projects": False,
        "public_repos": 0,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "html_url": f"{links.html}/{account.login}",
        "type": "Organization",
        "created_at": stamp(account.created_at),
        "updated_at": stamp(account.created_at),
        "archived_at": None,
    }
