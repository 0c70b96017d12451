"""Which forge a command talks to: by the clone's origin and the environment that Actions gives."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.forge_contract import FIRST_FILES
from support.github_worlds import NAME, GitHubWorld, github_world
from support.program import Program
from support.repositories import new_bare
from tidegate.adapters.github import AppKey, GitHubForge, Token
from tidegate.adapters.local_forge import LocalForge
from tidegate.errors import WrongUse
from tidegate.settings import GitHub, read_settings
from tidegate.wiring import github as wiring
from tidegate.wiring.context import Context

VARIABLES = ("GITHUB_REPOSITORY", "GITHUB_SERVER_URL", "GITHUB_API_URL", "GITHUB_TOKEN", "GH_TOKEN",
             "TIDEGATE_GITHUB_LOGINS")  # fmt: skip


@pytest.fixture(autouse=True)
def _nobody_is_signed_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*VARIABLES, "TIDEGATE_GITHUB_TOKEN", "TIDEGATE_GITHUB_APP_ID", "TIDEGATE_GITHUB_APP_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[GitHubWorld]:
    with github_world(tmp_path, FIRST_FILES) as world:
        yield world


OURS = GitHub(server="https://github.example.org", api="https://github.example.org/api/v3", repository="acme/models")


@pytest.mark.parametrize(
    ("origin", "found"),
    [
        pytest.param("https://github.example.org/acme/models.git", "acme/models", id="https"),
        pytest.param("https://github.example.org/acme/models", "acme/models", id="https-without-git"),
        pytest.param("git@github.example.org:acme/models.git", "acme/models", id="scp"),
        pytest.param("ssh://git@github.example.org:22/acme/models.git", "acme/models", id="ssh"),
        pytest.param("https://github.com/acme/models.git", None, id="another-github"),
        pytest.param("https://github.example.org/acme", None, id="no-repository"),
        pytest.param("https://github.example.org/a/b/c", None, id="too-deep"),
        pytest.param("nonsense", None, id="nonsense"),
        pytest.param(Path("/srv/models.git"), None, id="a-folder"),
        pytest.param(None, None, id="no-origin-and-nobody-signed-in"),
    ],
)
def test_a_repository_is_on_our_github_by_its_origin(origin: Path | str | None, found: str | None) -> None:
    assert wiring.repository_at(origin, OURS) == found


def test_without_an_origin_the_environment_s_repository_counts_for_who_is_signed_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    assert wiring.repository_at(None, OURS) == "acme/models"


def test_other_logins_of_ours_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    monkeypatch.setenv("TIDEGATE_GITHUB_LOGINS", " tidegate[bot], robot,")
    assert wiring.session(read_settings(), "acme/models").address.logins == ("tidegate[bot]", "robot")


@pytest.mark.parametrize(
    ("variables", "github"),
    [
        pytest.param({}, GitHub(), id="nothing-said-is-github.com"),
        pytest.param(
            {"GITHUB_SERVER_URL": "https://ghe.example.org/", "GITHUB_REPOSITORY": "a/b"},
            GitHub(server="https://ghe.example.org", api="https://ghe.example.org/api/v3", repository="a/b"),
            id="enterprise-server",
        ),
        pytest.param(
            {"GITHUB_SERVER_URL": "https://x.ghe.com", "GITHUB_API_URL": "https://api.x.ghe.com"},
            GitHub(server="https://x.ghe.com", api="https://api.x.ghe.com"),
            id="an-api-of-its-own",
        ),
    ],
)
def test_addresses_are_those_of_actions(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], github: GitHub
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert read_settings().github == github


def test_the_app_goes_before_a_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="TIDEGATE_GITHUB_APP_ID"):
        wiring.credential()
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    assert wiring.credential() == Token(value="t")
    (tmp_path / "key.pem").write_text("PEM\n")
    monkeypatch.setenv("TIDEGATE_GITHUB_APP_ID", "12")
    monkeypatch.setenv("TIDEGATE_GITHUB_APP_KEY_FILE", str(tmp_path / "key.pem"))
    assert wiring.credential() == AppKey(app_id="12", private_key="PEM")


@pytest.mark.parametrize(
    "app_id",
    ["my-app", "7a", "-7", "0x10", "²", " 7", "7\n8", "ghp_0secret"],
    ids=["its-name", "a-letter", "negative", "hexadecimal", "no-decimal", "a-blank", "two-lines", "a-token"],
)
def test_I14_an_app_id_that_nobody_has_is_named(monkeypatch: pytest.MonkeyPatch, app_id: str) -> None:
    monkeypatch.setenv("TIDEGATE_GITHUB_APP_ID", app_id)
    with pytest.raises(wiring.NotSignedIn, match=r"^TIDEGATE_GITHUB_APP_ID is .* neither .* \(a number\) nor"):
        wiring.credential()


@pytest.mark.parametrize("app_id", ["12", "Iv1.8a61f9b3a7aba766", "Iv23liAbCdEf"])
def test_an_app_may_be_named_by_its_client_id(monkeypatch: pytest.MonkeyPatch, app_id: str) -> None:
    monkeypatch.setenv("TIDEGATE_GITHUB_APP_ID", app_id)
    monkeypatch.setenv("TIDEGATE_GITHUB_APP_KEY", "PEM")
    assert wiring.credential() == AppKey(app_id=app_id, private_key="PEM")


@pytest.mark.parametrize("token", ["two words", "a\nb", "t\u20ack", "\udcff"])
def test_I11_I14_a_token_that_no_header_takes_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("GH_TOKEN", token)
    with pytest.raises(wiring.NotSignedIn, match=r"^GH_TOKEN holds no token") as refused:
        wiring.credential()
    assert token not in str(refused.value)


def test_a_clone_of_our_github_talks_to_it(hub: GitHubWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_SERVER_URL", hub.github.url)
    monkeypatch.setenv("GITHUB_TOKEN", hub.github.token("dana"))
    hub.person.git("remote", "set-url", "origin", f"{hub.github.url}/{NAME}.git")
    context = Context(read_settings(str(hub.person.folder)))
    assert isinstance(context.forge, GitHubForge)
    assert context.forge.proposals() == ()
    assert context.repository.head() == hub.repository.head()


def test_a_folder_is_the_local_forge_whoever_is_signed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t")
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/models")
    bare = new_bare(tmp_path, FIRST_FILES)
    assert isinstance(Context(read_settings(str(bare))).forge, LocalForge)


def test_an_origin_elsewhere_says_what_to_set(hub: GitHubWorld) -> None:
    hub.person.git("remote", "set-url", "origin", "https://git.example.org/acme/models.git")
    with pytest.raises(WrongUse, match="GITHUB_SERVER_URL"):
        _ = Context(read_settings(str(hub.person.folder))).repository


def test_the_program_lists_what_is_proposed_on_github(hub: GitHubWorld, tmp_path: Path) -> None:
    proposal = hub.contract.proposed()
    hub.person.git("remote", "set-url", "origin", f"{hub.github.url}/{NAME}.git")
    variables = {"GITHUB_SERVER_URL": hub.github.url, "GITHUB_TOKEN": hub.github.token("dana")}
    program = Program(folder=hub.person.folder, home=tmp_path / "home", variables=variables)
    listed = program("pull", "list")
    assert listed.code == 0, listed.err
    assert f"#{proposal.number}" in listed.out
    unsigned = replace(program, variables={"GITHUB_SERVER_URL": hub.github.url})("pull", "list")
    assert (unsigned.code, "TIDEGATE_GITHUB_APP_ID" in unsigned.err) == (2, True)


def test_pygithub_is_loaded_only_where_github_is_asked() -> None:
    code = "import sys, tidegate.wiring.context, tidegate.wiring.github; sys.exit('github' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
