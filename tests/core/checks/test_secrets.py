"""Secrets that stand in a file: found wherever they stand, and never repeated."""

from __future__ import annotations

import pytest

from support.inspecting import headed, inspected
from tidegate.core.checks.secrets import SECRET_INLINE

TOKEN = "ghp_" + "a1B2" * 9
SPEC = "metadata: {name: churn}\nspec:\n  environments: {staging: {}}\n"
TRAINING = f"{SPEC}  training: {{source: training, lease: 1h, command: [train"


def found(path: str, text: str) -> list[str]:
    everything = inspected({path: headed(path, text)})
    assert not any(secret in str(one) for one in everything for secret in (TOKEN, "hunter2"))
    mine = [one for one in everything if one.rule == SECRET_INLINE.id]
    return [f"{one.line}:{one.column} {one.message}; {one.hint}" for one in mine]


REFER = "revoke it, and refer to it: {env: NAME}, {file: path} or {exec: [command, …]}"
OUTSIDE = "revoke it; the program should take it from where it runs"


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        pytest.param(
            "tidegate.yaml",
            "prometheus:\n  url: https://dana:hunter2@example.org\n",
            f"4:21 this is a password in an address, for everybody to read; {REFER}",
            id="a password in an address",
        ),
        pytest.param(
            "tidegate.yaml",
            f"# the old token was {TOKEN}\nmodels: [models]\n",
            f"3:21 this is a token of GitHub, for everybody to read; {REFER}",
            id="a token in a comment",
        ),
        pytest.param(
            "tidegate.yaml",
            f"unknown: {{{TOKEN}: 1}}\n",
            f"3:11 this is a token of GitHub, for everybody to read; {REFER}",
            id="a token as a key, where there should be none",
        ),
        pytest.param(
            "tidegate.yaml",
            "prometheus:\n  url: https://example.org\n  headers:\n    X-API-Key: abc\n",
            f"6:16 the header X-API-Key signs in, and its value stands here; {REFER}",
            id="a header that signs in",
        ),
        pytest.param(
            "models/churn/model.yaml",
            f"{TRAINING}], parameters: {{db: {{password: hunter2}}}}}}\n",
            f"6:89 the parameter password holds a secret, for everybody to read; {OUTSIDE}",
            id="a parameter by its name",
        ),
        pytest.param(
            "models/churn/model.yaml",
            f"{TRAINING}, --api-key=hunter2]}}\n",
            f"6:60 this option holds a secret, for everybody to read; {OUTSIDE}",
            id="an option with its value",
        ),
        pytest.param(
            "models/churn/model.yaml",
            f"{TRAINING}, --password, hunter2]}}\n",
            f"6:72 this option holds a secret, for everybody to read; {OUTSIDE}",
            id="an option before its value",
        ),
        pytest.param(
            "models/churn/production.yaml",
            f"hold: {{reason: '{TOKEN}'}}\n",
            f"3:17 this is a token of GitHub, for everybody to read; {REFER}",
            id="in a pin file",
        ),
        pytest.param(
            "models/churn/data.lock.yaml",
            "data: {a: {uri: 'postgres://dana:hunter2@db/churn'}}\n",
            f"3:34 this is a password in an address, for everybody to read; {REFER}",
            id="in a data lock",
        ),
        pytest.param(
            "models/churn/a.contract.yaml",
            f"metadata: {{name: a}}\nspec: {{columns: {{a: {{values: ['{TOKEN}']}}}}}}\n",
            f"4:32 this is a token of GitHub, for everybody to read; {REFER}",
            id="in a contract",
        ),
        pytest.param(
            "models/churn/model.yaml",
            f"{TRAINING}], parameters: {{password: '{TOKEN}'}}}}\n",
            f"6:85 this is a token of GitHub, for everybody to read; {REFER}",
            id="one secret is told once",
        ),
    ],
)
def test_a_secret_in_a_file(path: str, text: str, expected: str) -> None:
    assert found(path, text) == [expected]


def test_a_finding_of_another_rule_does_not_repeat_a_credential() -> None:
    everything = inspected(
        {"models/churn/model.yaml": headed("model.yaml", f"metadata: {{name: '{TOKEN}'}}\n{TOKEN}: 1\n")}
    )
    assert any(one.rule == "wrong-form" for one in everything)
    assert any(one.rule == "unknown-key" for one in everything)
    assert TOKEN not in "".join(map(str, everything))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param(
            "tidegate.yaml",
            "prometheus: {url: 'https://example.org', headers: {X-Scope-OrgID: growth, Authorization: {env: TOKEN}},\n"
            "  auth: {basic: {username: dana, password: {file: /run/secrets/prometheus}}}}\n",
            id="references, and a header that signs nobody in",
        ),
        pytest.param(
            "models/churn/model.yaml",
            f"{TRAINING}, --password, '{{{{ parameters.x }}}}', --api-key, --depth, 6],\n"
            "    parameters: {password: DB_PASSWORD, pad_token: '[PAD]', api_key: null, tokenizer: bert}}\n",
            id="names of variables, and tokens of texts",
        ),
    ],
)
def test_nothing_is_said_of(path: str, text: str) -> None:
    assert found(path, text) == []
