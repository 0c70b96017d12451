"""GitHub Apps: what an App reads of itself with its own JWT, its installations, and the tokens it gets for them."""

from __future__ import annotations

from support.github.access import can_read, client_id
from support.github.accounts import simple_user
from support.github.repositories import shown as repository_shown
from support.github.routing import REPOSITORY, Answer, Links, Refused, Request, not_found, route, stamp
from support.github.state import App, Credential, Json

_INSTALLATION = "/app/installations/{installation_id}"
_EVENTS = ["check_run", "issue_comment", "merge_group", "pull_request", "pull_request_review", "push"]
_NOT_THERE = "There is at least one repository that does not exist or is not accessible to the parent installation."
_NOT_INSTALLED = (
    "You must authenticate with an installation access token in order to list repositories for an installation."
)
_LEVELS = ("read", "write", "admin")


def app_shown(app: App, links: Links) -> Json:
    return {
        "id": app.id,
        "client_id": client_id(app),
        "slug": app.slug,
        "node_id": f"A_{app.id}",
        "owner": simple_user(app.owner, links),
        "name": app.name,
        "description": None,
        "external_url": f"{links.html}/apps/{app.slug}",
        "html_url": f"{links.html}/apps/{app.slug}",
        "created_at": stamp(app.created_at),
        "updated_at": stamp(app.created_at),
        "permissions": _granted(app),
        "events": _EVENTS,
    }


def _granted(app: App) -> dict[str, str]:
    return {name: level for name, level in app.permissions.items() if level in _LEVELS}


def _installation_shown(request: Request, app: App) -> Json:
    url = f"{request.links.api}/app/installations/{app.installation_id}"
    page = f"{request.links.html}/organizations/{app.owner.login}"
    return {
        "id": app.installation_id,
        "account": simple_user(app.owner, request.links),
        "repository_selection": "all" if app.repositories is None else "selected",
        "access_tokens_url": f"{url}/access_tokens",
        "repositories_url": f"{request.links.api}/installation/repositories",
        "html_url": f"{page}/settings/installations/{app.installation_id}",
        "app_id": app.id,
        "client_id": client_id(app),
        "app_slug": app.slug,
        "target_id": app.owner.id,
        "target_type": app.owner.type,
        "permissions": _granted(app),
        "events": _EVENTS,
        "created_at": stamp(app.created_at),
        "updated_at": stamp(app.created_at),
        "single_file_name": None,
        "suspended_by": None,
        "suspended_at": None,
    }


def _app(request: Request) -> App:
    assert request.credential.app is not None
    return request.credential.app


@route("GET", "/app")
def get(request: Request) -> Answer:
    return Answer(body=app_shown(_app(request), request.links))


@route("GET", _INSTALLATION)
def installation(request: Request) -> Answer:
    return Answer(body=_installation_shown(request, _installed(request)))


def _installed(request: Request) -> App:
    app = _app(request)
    if request.number("installation_id") != app.installation_id:
        raise not_found()
    return app


@route("GET", f"{REPOSITORY}/installation")
def of_repository(request: Request) -> Answer:
    app = _app(request)
    if app.repositories is not None and request.repository.full_name.lower() not in app.repositories:
        raise not_found()
    return Answer(body=_installation_shown(request, app))


@route("POST", f"{_INSTALLATION}/access_tokens")
def access_token(request: Request) -> Answer:
    """A token for an hour; it may ask for less than the App was granted, never for more."""
    app, asked = _installed(request), request.body.get("permissions")
    for name, level in (asked or {}).items():
        if level not in _LEVELS or app.permissions.get(name, "") not in _LEVELS[_LEVELS.index(level) :]:
            raise Refused(422, "The permissions requested are not granted to this installation.")
    made = request.world.installation_token(app, asked)
    _narrow(request, made)
    body = {
        "token": made.token,
        "expires_at": stamp(made.expires_at),
        "permissions": dict(made.permissions or {}),
        "repository_selection": "all" if made.repositories is None else "selected",
    }
    return Answer(status=201, body=body)


def _narrow(request: Request, made: Credential) -> None:
    names = request.body.get("repositories")
    if names is None:
        return
    owner = _app(request).owner.login
    wanted = frozenset(f"{owner}/{name}".lower() for name in names)
    if not wanted <= request.world.repositories.keys():
        raise Refused(422, _NOT_THERE)
    made.repositories = wanted


@route("GET", "/installation/repositories", "metadata")
def repositories(request: Request) -> Answer:
    if request.credential.app is None:
        raise Refused(403, _NOT_INSTALLED)
    world = request.world
    found = [each for each in world.repositories.values() if can_read(world, request.credential, each)]
    page, headers = request.page(found)
    body = {"total_count": len(found), "repositories": [repository_shown(each, request.links) for each in page]}
    return Answer(body=body, headers=headers)
