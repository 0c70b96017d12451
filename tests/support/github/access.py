"""Who is calling, and whether GitHub lets them: tokens, App JWTs, permissions of Apps, roles of people.

Branch rules are in protection.py.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from functools import lru_cache

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.types import Options

from support.github.routing import REPOSITORY, Refused, Request, Route, not_found
from support.github.state import ROLES, Account, App, Credential, Repository
from support.github.world import World

_LEVELS = ("", "read", "write", "admin")
_SIGNATURE_ONLY: Options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
_ANONYMOUS = Credential(kind="anonymous", token="")


def credential_of(world: World, headers: Mapping[str, str]) -> Credential:
    """The credential in the Authorization header. 401 when it is unknown or has run out."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "":
            return _ANONYMOUS
        case "basic":
            value = _password(value)
        case "bearer" if value.count(".") == 2:
            return _app_credential(world, value)
        case "bearer" | "token":
            pass
        case _:
            raise Refused(401, "Bad credentials")
    return _known(world, value)


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        raise Refused(401, "Bad credentials") from None


def _known(world: World, token: str) -> Credential:
    found = world.credentials.get(token)
    if found is None or (found.expires_at is not None and world.now() >= found.expires_at):
        raise Refused(401, "Bad credentials")
    if found.refusals:
        status = found.refusals.pop(0)
        raise Refused(status, "Bad credentials" if status == 401 else "Not Found")
    return found


def _app_credential(world: World, token: str) -> Credential:
    """An App's own JWT: RS256, issued by the App's id, at most ten minutes long, by the fake's clock."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        raise Refused(401, "A JSON web token could not be decoded") from None
    issuer = str(claims.get("iss"))
    app = next((a for a in world.apps.values() if issuer in {str(a.id), client_id(a)}), None)
    if app is None:
        raise Refused(404, "Integration not found")
    _verify(world, app, token)
    return Credential(kind="app", token=token, app=app)


def _verify(world: World, app: App, token: str) -> None:
    try:
        claims = jwt.decode(token, _public_key(app.private_key), algorithms=["RS256"], options=_SIGNATURE_ONLY)
    except jwt.InvalidTokenError:
        raise Refused(401, "A JSON web token could not be decoded") from None
    now = world.now().timestamp()
    if claims.get("iat", now + 1) > now + 60:
        raise Refused(401, "'Issued at' claim ('iat') must be an Integer representing a time in the past")
    if not now < claims.get("exp", 0):
        raise Refused(
            401,
            "'Expiration time' claim ('exp') must be a numeric value representing the future time at which "
            "the assertion expires",
        )
    if claims["exp"] > now + 660:
        raise Refused(401, "'Expiration time' claim ('exp') is too far in the future")


@lru_cache
def _public_key(private: str) -> RSAPublicKey:
    """Read once: reading a key checks it, which takes 40 ms."""
    found = load_pem_private_key(private.encode(), None).public_key()
    assert isinstance(found, RSAPublicKey)
    return found


def client_id(app: App) -> str:
    return f"Iv23li{app.id:014d}"


def check(request: Request, route: Route) -> None:
    """Raise what GitHub answers to somebody who may not do this."""
    credential = request.credential
    if route.template.startswith("/app") or route.template == f"{REPOSITORY}/installation":
        if credential.kind != "app":
            raise Refused(401, "A JSON web token could not be decoded")
        return
    if credential.kind == "app":
        raise Refused(403, "Resource not accessible by integration")
    if "owner" not in route.template:
        _check_permission(credential, route)
        return
    repository = request.repository
    if not can_read(request.world, credential, repository):
        raise not_found()
    _check_permission(credential, route)
    if credential.app is None and not has_role(request.world, credential, repository, route.role):
        raise not_found() if route.level == "read" else Refused(403, _lacking(route))


def _lacking(route: Route) -> str:
    return "Must have admin rights to Repository." if route.role == "admin" else "Must have push access to repository"


def _check_permission(credential: Credential, route: Route) -> None:
    if credential.permissions is None or not route.permissions:
        return
    if not any(granted(credential, name, route.level) for name in route.permissions):
        whose = "integration" if credential.app else "personal access token"
        raise Refused(403, f"Resource not accessible by {whose}")


def granted(credential: Credential, permission: str, level: str) -> bool:
    """Whether a token carries this permission; a classic one is bounded by its owner's role alone."""
    if credential.permissions is None:
        return True
    return _LEVELS.index(credential.permissions.get(permission, "")) >= _LEVELS.index(level)


def can_read(world: World, credential: Credential, repository: Repository) -> bool:
    """Whether the repository exists at all for this caller."""
    if credential.repositories is not None and repository.full_name.lower() not in credential.repositories:
        return False
    if credential.app is not None or not repository.settings.private:
        return True
    return has_role(world, credential, repository, "read")


def has_role(world: World, credential: Credential, repository: Repository, role: str) -> bool:
    """Whether a person's role in the repository is at least this one."""
    if credential.account is None:
        return role == "read" and not repository.settings.private
    theirs = world.role(credential.account, repository)
    if theirs == "none" and not repository.settings.private:
        theirs = "read"
    return ROLES.index(theirs) >= [str(each) for each in ROLES].index(role)


def peek(world: World, headers: Mapping[str, str]) -> Account | None:
    """Whose token this is, without using it."""
    value = headers.get("authorization", "").rpartition(" ")[2]
    known = world.credentials.get(value) or world.credentials.get(_basic(value))
    return known.account if known else None


def _basic(value: str) -> str:
    try:
        return _password(value)
    except Refused:
        return ""
