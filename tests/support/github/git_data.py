"""Git over the API: refs, commits, trees, blobs, and contents by path."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from support.github.commits import parents_shown, person_shown, verification
from support.github.git import Entry, GitError, Person
from support.github.protection import requirements
from support.github.repositories import repository_page, repository_url
from support.github.routing import REPOSITORY, Answer, Refused, Request, not_found, route
from support.github.state import Credential, Json, Repository
from support.github.world import WEB_FLOW, World

_GIT = f"{REPOSITORY}/git"
_SHA = re.compile(r"[0-9a-f]{40}")
_RAW = ("application/vnd.github.raw", "application/vnd.github.v3.raw", "application/vnd.github.raw+json")


def ref_shown(request: Request, name: str, sha: str) -> Json:
    url = f"{repository_url(request.repository, request.links)}/git"
    pointed = {"sha": sha, "type": "commit", "url": f"{url}/commits/{sha}"}
    return {"ref": name, "node_id": f"REF_{name}", "url": f"{url}/{name}", "object": pointed}


@route("GET", f"{_GIT}/ref/{{ref}}", "contents")
def get_ref(request: Request) -> Answer:
    name = f"refs/{request.arguments['ref']}"
    sha = request.repository.git.refs().get(name)
    if sha is None:
        raise not_found()
    return Answer(body=ref_shown(request, name, sha))


@route("GET", f"{_GIT}/matching-refs/{{ref}}", "contents")
def matching_refs(request: Request) -> Answer:
    """Refs whose name begins so; an empty list where there is none."""
    found = request.repository.git.refs(f"refs/{request.arguments['ref']}")
    return request.listed(list(found.items()), lambda item: ref_shown(request, *item))


@route("POST", f"{_GIT}/refs", "contents", "write")
def create_ref(request: Request) -> Answer:
    git, name, sha = request.repository.git, request.body["ref"], request.body["sha"]
    if not name.startswith("refs/") or name.count("/") < 2:
        raise Refused(422, "Reference name must start with 'refs/' and contain at least two slashes.")
    taken = git.refs()
    if name in taken:
        raise Refused(422, "Reference already exists")
    if any(other.startswith(f"{name}/") or name.startswith(f"{other}/") for other in taken):
        raise Refused(422, "Reference update failed")
    if not _SHA.fullmatch(sha) or git.kind(sha) != "commit":
        raise Refused(422, "Object does not exist")
    try:
        git.move(name, sha)
    except GitError:
        raise Refused(422, f"{name} is not a valid ref name.") from None
    return Answer(status=201, body=ref_shown(request, name, sha))


@route("PATCH", f"{_GIT}/refs/{{ref}}", "contents", "write")
def update_ref(request: Request) -> Answer:
    git, name, sha = request.repository.git, f"refs/{request.arguments['ref']}", request.body["sha"]
    before = git.refs().get(name)
    if before is None:
        raise Refused(422, "Reference does not exist")
    if git.kind(sha) != "commit":
        raise Refused(422, "Object does not exist")
    forward = git.is_ancestor(before, sha)
    if not forward and not request.body.get("force"):
        raise Refused(422, "Update is not a fast forward")
    refuse_direct(request.world, request.repository, name, request.credential)
    if not forward and _asked(request, name).no_force:
        raise Refused(422, "Cannot force-push to this branch")
    git.move(name, sha, before)
    return Answer(body=ref_shown(request, name, sha))


def _asked(request: Request, ref: str) -> Any:
    branch = ref.removeprefix("refs/heads/")
    return requirements(request.world, request.repository, branch, request.credential)


def refuse_direct(world: World, repository: Repository, ref: str, actor: Credential) -> None:
    """422 where the rules let nothing in but pull requests."""
    wanted = requirements(world, repository, ref.removeprefix("refs/heads/"), actor)
    if wanted.pull_request or wanted.checks or wanted.queue is not None:
        raise Refused(422, "Repository rule violations found\n\nChanges must be made through a pull request.\n\n")


@route("DELETE", f"{_GIT}/refs/{{ref}}", "contents", "write")
def delete_ref(request: Request) -> Answer:
    repository, name = request.repository, f"refs/{request.arguments['ref']}"
    before = repository.git.refs().get(name)
    if before is None:
        raise Refused(422, "Reference does not exist")
    if name == f"refs/heads/{repository.default_branch}" or _asked(request, name).no_delete:
        raise Refused(422, "Cannot delete this branch")
    repository.git.move(name, None, before)
    return Answer(status=204)


@route("POST", f"{_GIT}/blobs", "contents", "write")
def create_blob(request: Request) -> Answer:
    content = request.body["content"]
    try:
        encoded = request.body.get("encoding", "utf-8") == "base64"
        data = base64.b64decode(content, validate=False) if encoded else content.encode()
    except binascii.Error:
        raise Refused(422, "content is not valid Base64") from None
    sha = request.repository.git.write_blob(data)
    url = f"{repository_url(request.repository, request.links)}/git/blobs/{sha}"
    return Answer(status=201, body={"sha": sha, "url": url})


@route("GET", f"{_GIT}/blobs/{{file_sha}}", "contents")
def get_blob(request: Request) -> Answer:
    repository, sha = request.repository, request.arguments["file_sha"]
    if repository.git.kind(sha) != "blob":
        raise not_found()
    data = repository.git.blob(sha)
    if request.headers.get("accept") in _RAW:
        return Answer(raw=data)
    url = f"{repository_url(repository, request.links)}/git/blobs/{sha}"
    text = base64.encodebytes(data).decode()
    body = {"sha": sha, "node_id": f"B_{sha}", "size": len(data), "url": url, "content": text, "encoding": "base64"}
    return Answer(body=body)


@route("POST", f"{_GIT}/trees", "contents", "write")
def create_tree(request: Request) -> Answer:
    git, body = request.repository.git, request.body
    base = body.get("base_tree")
    if base is not None and git.kind(base) not in {"tree", "commit"}:
        raise Refused(422, "base_tree is not a valid tree oid")
    if not body["tree"]:
        raise Refused(422, "Invalid tree info")
    changes = [_tree_change(request, each) for each in body["tree"]]
    try:
        sha = git.write_tree(base, changes)
    except GitError:
        raise Refused(422, "GitRPC::BadObjectState") from None
    return Answer(status=201, body=_tree_shown(request, sha, recursive=False))


def _tree_change(request: Request, item: Json) -> tuple[str, str, str | None]:
    git, path = request.repository.git, item.get("path") or ""
    if not path or path.startswith("/") or ".." in path.split("/"):
        raise Refused(422, "tree.path contains a malformed path component")
    if "content" in item:
        return path, item.get("mode", "100644"), git.write_blob(item["content"].encode())
    sha = item.get("sha")
    if sha is not None and git.kind(sha) is None:
        raise Refused(422, f"tree.sha {sha} is not a valid blob")
    return path, item.get("mode", "100644"), sha


@route("GET", f"{_GIT}/trees/{{tree_sha}}", "contents")
def get_tree(request: Request) -> Answer:
    name = request.arguments["tree_sha"]
    commit = request.repository.git.resolve(name)
    sha = request.repository.git.commit(commit).tree if commit else name
    if request.repository.git.kind(sha) != "tree":
        raise not_found()
    return Answer(body=_tree_shown(request, sha, recursive=bool(request.query.get("recursive"))))


def _tree_shown(request: Request, sha: str, *, recursive: bool) -> Json:
    url = f"{repository_url(request.repository, request.links)}/git"

    def one(entry: Entry) -> Json:
        plural = f"{entry.kind}s"
        line: Json = {"path": entry.path, "mode": entry.mode, "type": entry.kind, "sha": entry.sha}
        line["url"] = f"{url}/{plural}/{entry.sha}"
        return line if entry.size is None else {**line, "size": entry.size}

    entries = request.repository.git.entries(sha, recursive=recursive)
    return {"sha": sha, "url": f"{url}/trees/{sha}", "tree": [one(entry) for entry in entries], "truncated": False}


@route("POST", f"{_GIT}/commits", "contents", "write")
def create_commit(request: Request) -> Answer:
    """An App that names no author gets a commit of its bot, committed and signed by GitHub."""
    git, body = request.repository.git, request.body
    if git.kind(body["tree"]) != "tree":
        raise Refused(422, "Tree SHA does not exist")
    parents = body.get("parents", [])
    if any(git.kind(parent) != "commit" for parent in parents):
        raise Refused(422, "Parent SHA does not exist or is not a commit object")
    sha = git.write_commit(body["tree"], parents, body["message"], *_people(request))
    by_github = request.credential.app is not None and not {"author", "committer", "signature"} & set(body)
    if by_github and request.world.signs_commits:
        request.repository.verified.add(sha)
    return Answer(status=201, body=_git_commit_shown(request, sha))


def _people(request: Request) -> tuple[Person, Person]:
    body, actor = request.body, request.actor
    mine = Person(name=actor.login, email=actor.email, at=request.now)
    if request.credential.app is not None and not {"author", "committer"} & set(body):
        return mine, Person(name=WEB_FLOW[0], email=WEB_FLOW[1], at=request.now)
    author = _person(body.get("author"), mine)
    return author, _person(body.get("committer"), author)


def _person(given: Mapping[str, Any] | None, default: Person) -> Person:
    if not given:
        return default
    at = datetime.fromisoformat(given["date"]) if given.get("date") else default.at
    return Person(name=given.get("name", default.name), email=given.get("email", default.email), at=at)


@route("GET", f"{_GIT}/commits/{{commit_sha}}", "contents")
def get_commit(request: Request) -> Answer:
    sha = request.arguments["commit_sha"]
    if not _SHA.fullmatch(sha) or request.repository.git.kind(sha) != "commit":
        raise not_found()
    return Answer(body=_git_commit_shown(request, sha))


def _git_commit_shown(request: Request, sha: str) -> Json:
    repository, links = request.repository, request.links
    commit = repository.git.commit(sha)
    url = f"{repository_url(repository, links)}/git"
    return {
        "sha": sha,
        "node_id": f"C_{sha}",
        "url": f"{url}/commits/{sha}",
        "html_url": f"{repository_page(repository, links)}/commit/{sha}",
        "author": person_shown(commit.author),
        "committer": person_shown(commit.committer),
        "message": commit.message,
        "tree": {"sha": commit.tree, "url": f"{url}/trees/{commit.tree}"},
        "parents": parents_shown(repository, commit, links),
        "verification": verification(repository, commit),
    }


@route("GET", f"{REPOSITORY}/contents/{{path}}", "contents")
def contents(request: Request) -> Answer:
    """A file with its content, or what a folder holds."""
    git = request.repository.git
    ref = request.query.get("ref") or request.repository.default_branch
    commit = git.resolve(ref)
    if commit is None:
        raise Refused(404, f"No commit found for the ref {ref}")
    path = request.arguments["path"].strip("/")
    entry = git.lookup(commit, path)
    if entry is None:
        raise not_found()
    if entry.kind == "tree":
        inside = [_content(request, ref, f"{path}/{each.path}".strip("/"), each) for each in git.entries(entry.sha)]
        return Answer(body=inside)
    data = git.blob(entry.sha)
    if request.headers.get("accept") in _RAW:
        return Answer(raw=data)
    text = {"content": base64.encodebytes(data).decode(), "encoding": "base64"}
    return Answer(body={**_content(request, ref, path, entry), **text})


def _content(request: Request, ref: str, path: str, entry: Entry) -> Json:
    url, page = repository_url(request.repository, request.links), repository_page(request.repository, request.links)
    kind = "file" if entry.kind == "blob" else "dir"
    own = f"{url}/contents/{path}?ref={ref}"
    html = f"{page}/{entry.kind}/{ref}/{path}"
    at = f"{url}/git/{entry.kind}s/{entry.sha}"
    return {
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": entry.sha,
        "size": entry.size or 0,
        "url": own,
        "html_url": html,
        "git_url": at,
        "download_url": f"{page}/raw/{ref}/{path}" if kind == "file" else None,
        "type": kind,
        "_links": {"self": own, "git": at, "html": html},
    }
