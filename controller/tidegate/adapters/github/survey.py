"""What doctor asks of GitHub: who we are, the repository's settings, and the rules of main. Reads only.

GitHub tells some of it only to who may change it: what it keeps to itself is Unknown, with its words.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from itertools import groupby
from typing import TypeVar
from urllib.parse import quote

from tidegate.adapters.github.access import Address, AppKey, Json, Token, UnreadableKey
from tidegate.adapters.github.session import PAGE, Answer, GraphQlSaysNo, Session
from tidegate.adapters.github.transport import Reply
from tidegate.core.diagnosis.access import Access, TokenKind
from tidegate.core.diagnosis.actions import APP_ID, ActionsFacts, Protection
from tidegate.core.diagnosis.protection import BranchRules, Gateway
from tidegate.core.diagnosis.remark import Unknown
from tidegate.core.diagnosis.repository import KEY_UNREADABLE, MAIN, ForgeFacts, TurnedAway
from tidegate.core.web_address import WrongProxy
from tidegate.errors import OutsideSystem, Refused, WrongUse
from tidegate.ports import Clock

T = TypeVar("T")

# "GitHub's token formats" (github.blog, 2021): the beginning of a token tells its kind.
_PREFIXES = {"ghp_": TokenKind.CLASSIC, "github_pat_": TokenKind.FINE_GRAINED, "ghs_": TokenKind.INSTALLATION}
_ACTIONS = "github-actions[bot]"
_METHODS = {"merge": "allow_merge_commit", "squash": "allow_squash_merge", "rebase": "allow_rebase_merge"}
_QUEUE = """
query($owner: String!, $name: String!, $branch: String!) {
  repository(owner: $owner, name: $name) { mergeQueue(branch: $branch) { id } }
}
"""


class _Attentive(Session):
    """A session that remembers the headers of its last answer, and asks as the App itself."""

    heard: Mapping[str, str]

    def _http(self, verb: str, path: str, headers: Mapping[str, str], body: Json | None) -> Reply:
        reply = super()._http(verb, path, headers, body)
        self.heard = reply.headers
        return reply

    def granted(self) -> Mapping[str, str] | Unknown:
        """The permissions of the App where it is installed; GitHub tells a token nothing of its own."""
        if self._tokens is None:
            return Unknown(why="GitHub does not tell a token its permissions")
        status, found = self._raw("GET", f"{self.address.path}/installation", self._tokens.bearer())
        if status != 200:
            raise self._stranger(status, found)
        return {str(name): str(level) for name, level in found["permissions"].items()}


class GitHubSurvey:
    """ports.Surveyor on one repository of GitHub. `environments` are the names that its workflows use."""

    def __init__(self, address: Address, credential: Token | AppKey, environments: Collection[str] = ()) -> None:
        self._address = address
        self._credential = credential
        self._environments = sorted(environments)

    def survey(self, clock: Clock) -> ForgeFacts | TurnedAway | Unknown:
        """Raises WrongProxy."""
        session = _Attentive(self._address, self._credential, now=clock.now)
        try:
            repository = session.get(self._address.path).data
            ahead = _ahead(session.heard, clock.now())
            access = self._access(session, repository)
            return ForgeFacts(
                name=self._address.full_name,
                private=bool(repository["private"]),
                archived=bool(repository["archived"]),
                default_branch=repository["default_branch"],
                auto_merge=_setting(repository, "allow_auto_merge"),
                actions_may_propose=_actions_may_propose(session),
                ahead=ahead,
                access=access,
                gateway=_gateway(session, repository, access),
                actions=self._actions(session),
            )
        except WrongProxy:  # GitHub was not asked, and turned nobody away
            raise
        except OutsideSystem as error:
            return Unknown(why=str(error), silent=True)
        except UnreadableKey as error:
            return TurnedAway(words=str(error), rule=KEY_UNREADABLE)
        except (WrongUse, Refused) as error:
            return TurnedAway(words=str(error))

    def _access(self, session: _Attentive, repository: Json) -> Access:
        scopes = session.heard.get("x-oauth-scopes")
        account = session.account
        kind = self._kind()
        may_push = (repository.get("permissions") or {}).get("push")
        return Access(
            kind=TokenKind.ACTIONS if kind is TokenKind.INSTALLATION and account.login == _ACTIONS else kind,
            login=account.login,
            permissions=session.granted(),
            scopes=Unknown(why="GitHub does not tell them") if scopes is None else _words(scopes),
            may_push=Unknown(why="GitHub does not tell") if may_push is None else bool(may_push),
            app_id=account.app_id,
            also=account.also,
        )

    def _actions(self, session: Session) -> ActionsFacts:
        return ActionsFacts(
            knows_app=_allowed(lambda: _knows_app(session), "variables: read"),
            environments={
                name: _allowed(partial(_environment, session, name), "actions: read") for name in self._environments
            },
        )

    def _kind(self) -> TokenKind:
        if isinstance(self._credential, AppKey):
            return TokenKind.APP
        value = self._credential.value
        return next((kind for prefix, kind in _PREFIXES.items() if value.startswith(prefix)), TokenKind.OTHER)


def _words(listed: str) -> frozenset[str]:
    return frozenset(word.strip() for word in listed.split(",") if word.strip())


def _ahead(headers: Mapping[str, str], now: datetime) -> timedelta | Unknown:
    """How far GitHub's clock is before ours; its header counts whole seconds."""
    try:
        return parsedate_to_datetime(headers["date"]) + timedelta(seconds=0.5) - now
    except (KeyError, ValueError, TypeError):
        return Unknown(why="its answers carry no date")


def _setting(repository: Json, name: str) -> bool | Unknown:
    found = repository.get(name)
    return Unknown(why="GitHub shows it only to who may push") if found is None else bool(found)


def _actions_may_propose(session: Session) -> bool | Unknown:
    found = _allowed(lambda: session.get(f"{session.address.path}/actions/permissions/workflow").data)
    return found if isinstance(found, Unknown) else bool(found["can_approve_pull_request_reviews"])


def _knows_app(session: Session) -> bool:
    """Whether the variable that names the App has a value: one of the repository, or of its organization."""
    path = f"{session.address.path}/actions"
    own = session.find(f"{path}/variables/{APP_ID}")
    if own is not None:
        return bool(own["value"])
    shared = _all(session, f"{path}/organization-variables", "variables", size=30)
    return any(each["name"] == APP_ID and each["value"] for each in shared)


def _environment(session: Session, name: str) -> Protection | None:
    path = f"{session.address.path}/environments/{quote(name, safe='')}"
    found = session.find(path)
    if found is None:
        return None
    limits = found.get("deployment_branch_policy") or {}
    rules = {rule["type"]: rule for rule in found.get("protection_rules") or ()}
    policies = _all(session, f"{path}/deployment-branch-policies", "branch_policies")
    return Protection(
        branches=_patterns(policies) if limits.get("custom_branch_policies") else None,
        protected_only=bool(limits.get("protected_branches")),
        wait=timedelta(minutes=rules.get("wait_timer", {}).get("wait_timer") or 0),
        reviewers=len(rules.get("required_reviewers", {}).get("reviewers") or ()),
    )


def _patterns(policies: Iterator[Json]) -> frozenset[str]:
    return frozenset(str(each["name"]) for each in policies if each.get("type") != "tag")


def _all(session: Session, path: str, key: str, size: int = PAGE) -> Iterator[Json]:
    """Every entry of a list that comes with its length; nothing where there is none."""
    page, seen = 1, 0
    while found := session.find(path, per_page=size, page=page):
        yield from found[key]
        page, seen = page + 1, seen + len(found[key])
        if not found[key] or seen >= found["total_count"]:
            return


def _allowed(ask: Callable[[], T], takes: str = "") -> T | Unknown:
    """What a token without that permission is not told is not known."""
    try:
        return ask()
    except (WrongUse, Refused) as error:
        return Unknown(why=f"{error}; reading it takes {takes}" if takes else str(error))


def _gateway(session: Session, repository: Json, access: Access) -> Gateway:
    rulesets = _allowed(lambda: tuple(_rulesets(session, access)))
    classic = _allowed(lambda: _classic(session, access))
    unread = {
        what: found
        for what, found in (("the rulesets of main", rulesets), ("the classic protection of main", classic))
        if isinstance(found, Unknown)
    }
    known = [*(() if isinstance(rulesets, Unknown) else rulesets), classic]
    methods = {method: repository.get(setting) for method, setting in _METHODS.items()}
    hidden = Unknown(why="GitHub shows them only to who may push")
    return Gateway(
        rules=tuple(rules for rules in known if isinstance(rules, BranchRules)),
        unread=unread,
        queue=_queue(session),
        methods=hidden if None in methods.values() else frozenset(name for name, on in methods.items() if on),
    )


def _queue(session: Session) -> bool | Unknown:
    address = session.address
    try:
        found = session.graphql(_QUEUE, {"owner": address.owner, "name": address.name, "branch": MAIN})
    except GraphQlSaysNo as said:
        return Unknown(why=f"GitHub says: {said}")
    return found["repository"]["mergeQueue"] is not None


def _rulesets(session: Session, access: Access) -> Iterator[BranchRules]:
    rules = sorted(session.pages(f"{session.address.path}/rules/branches/{MAIN}"), key=_ruleset_of)
    for number, of_one in groupby(rules, _ruleset_of):
        ruleset = _ruleset(session, number)
        wanted: Json = {rule["type"]: rule.get("parameters") or {} for rule in of_one}
        yield _of_ruleset(wanted, f"the ruleset {ruleset.get('name', number)!r}", _bypassed(ruleset, access))


def _ruleset(session: Session, number: int) -> Json:
    """Its name, and who may bypass it; nothing where an organization keeps it to itself."""
    found = _allowed(lambda: session.find(f"{session.address.path}/rulesets/{number}"))
    return {} if isinstance(found, Unknown) or found is None else dict(found)


def _ruleset_of(rule: Json) -> int:
    return int(rule.get("ruleset_id") or 0)


def _of_ruleset(wanted: Json, source: str, bypassed: bool | Unknown) -> BranchRules:
    checks, pull = wanted.get("required_status_checks", {}), wanted.get("pull_request", {})
    methods = pull.get("allowed_merge_methods")
    return BranchRules(
        source=source,
        checks={each["context"]: each.get("integration_id") for each in checks.get("required_status_checks", ())},
        strict=bool(checks.get("strict_required_status_checks_policy")),
        approvals=int(pull.get("required_approving_review_count", 0)),
        code_owners=bool(pull.get("require_code_owner_review")),
        last_push=bool(pull.get("require_last_push_approval")),
        linear="required_linear_history" in wanted,
        signed="required_signatures" in wanted,
        methods=None if methods is None else frozenset(methods),
        queue="merge_queue" in wanted,
        pushers=frozenset() if "update" in wanted else None,
        bypassed=bypassed,
    )


def _bypassed(ruleset: Json, access: Access) -> bool | Unknown:
    """GitHub tells whether we may bypass it; older Enterprise Servers list who may, to who may change it."""
    told = ruleset.get("current_user_can_bypass")
    if told is not None:
        return bool(told != "never")
    actors = ruleset.get("bypass_actors")
    if actors is None or access.app_id is None:
        return Unknown(why="GitHub tells who may bypass a ruleset only to who may change it")
    return any((each["actor_type"], each["actor_id"]) == ("Integration", access.app_id) for each in actors)


def _classic(session: Session, access: Access) -> BranchRules | Unknown | None:
    """Classic protection; None where there is none. Who may not read it gets the same 404 as where there is none."""
    path = f"{session.address.path}/branches/{MAIN}"
    answer = session.call("GET", f"{path}/protection")
    if answer.ok:
        return _of_protection(answer.data, access)
    if "not protected" in answer.words.lower():
        return None
    branch = session.find(path) or {}
    if not branch.get("protected") or (branch.get("protection") or {}).get("enabled") is False:
        return None
    return _hidden(answer)


def _hidden(answer: Answer) -> Unknown:
    return Unknown(why=f"GitHub says: {answer.words}; reading it takes administration: read")


def _of_protection(data: Json, access: Access) -> BranchRules:
    """Its reviews are not asked of those who may go without."""
    checks, reviews = data.get("required_status_checks") or {}, data.get("required_pull_request_reviews") or {}
    if access.login.removesuffix("[bot]") in _who(reviews.get("bypass_pull_request_allowances") or {}):
        reviews = {}
    restrictions = data.get("restrictions")
    return BranchRules(
        source="branch protection",
        checks={each["context"]: _app(each.get("app_id")) for each in checks.get("checks", ())},
        strict=bool(checks.get("strict")),
        approvals=int(reviews.get("required_approving_review_count", 0)),
        code_owners=bool(reviews.get("require_code_owner_reviews")),
        last_push=bool(reviews.get("require_last_push_approval")),
        linear=_on(data, "required_linear_history"),
        signed=_on(data, "required_signatures"),
        pushers=None if restrictions is None else _who(restrictions),
    )


def _app(number: int | None) -> int | None:
    """-1 is GitHub's word for any App."""
    return None if number == -1 else number


def _on(data: Json, name: str) -> bool:
    return bool((data.get(name) or {}).get("enabled"))


def _who(allowed: Json) -> frozenset[str]:
    apps = (str(app["slug"]) for app in allowed.get("apps", ()))
    return frozenset((*apps, *(str(user["login"]) for user in allowed.get("users", ()))))
