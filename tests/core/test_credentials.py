"""What is taken for a credential, what is not, and that none is left in a text that is shown."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.credentials import blanked, blanked_source, credentials, is_literal, names_a_secret

# Put together here, so that no scanner of repositories takes this file for a leak.
SAMPLES = {
    "a password in an address": "https://dana:hunter2@example.org/x",
    "a token of GitHub": "ghp_" + "a1B2" * 9,
    "a token of GitLab": "glpat-" + "a1B2_" * 4,
    "a token of Slack": "xoxb-" + "1234567890-" * 2 + "abcdef",
    "an access key of AWS": "AKIA" + "Q2W3" * 4,
    "an API key of Google": "AIza" + "a1B_-" * 7,
    "a token of Hugging Face": "hf_" + "aB" * 17,
    "a token of Databricks": "dapi" + "0a1b" * 8,
    "a token of Grafana": "glsa_" + "aB12" * 8 + "_0a1b2c3d",
    "an API key of OpenAI": "sk-" + "proj-" + "a1B2" * 10 + "T3BlbkFJ" + "a1B2" * 10,
    "an API key of Anthropic": "sk-ant-" + "api03-" + "a1B2" * 23,
    "a JSON web token": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0In0" + ".dozjgNryP4J3jVmNHl0w",
    "a private key": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "a token in a header": "'Authorization: Bearer " + "a1b2c3d4e5f6'",
}


@pytest.mark.parametrize(("kind", "sample"), [pytest.param(kind, text, id=kind) for kind, text in SAMPLES.items()])
def test_a_credential_is_found_where_it_stands(kind: str, sample: str) -> None:
    text = f"a: b\nc: [d, {sample}]\n"
    (found,) = credentials(text)
    assert found.kind == kind
    assert text.index("\n") < found.offset < text.index("]")
    assert sample not in blanked(text)
    assert len(blanked(text)) == len(text)


@pytest.mark.parametrize("sample", ["github_pat_" + "a1" * 11 + "_" + "b2" * 29 + "c", "gho_" + "x" * 36])
def test_github_s_other_tokens(sample: str) -> None:
    assert [found.kind for found in credentials(sample)] == ["a token of GitHub"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("sha256:06f1c4d20e264066b27fc95cd38daaaa737e4cc4289213aa00d9ee4a3d6d0485", id="a digest"),
        pytest.param("key: k7c1e9a4b03d2f6a1", id="a training key"),
        pytest.param("policy: 4aab5572a26bd47840d36bb8a8c9931b61b9af40", id="a commit"),
        pytest.param("http://127.0.0.1:9090/a@b", id="a port, and an @ in the path"),
        pytest.param("oci://registry:5000/train@sha256:06f1", id="an image of a registry with a port"),
        pytest.param("docker://train:1.4@sha256:06f1", id="an image with tag and digest"),
        pytest.param("https://dana@example.org", id="a user alone"),
        pytest.param("https://dana:${PASSWORD}@example.org", id="a password that is filled in"),
        pytest.param("https://dana:<password>@example.org", id="a password that is to be written"),
        pytest.param("access key AKIA" + "IOSFODNN7EXAMPLE", id="the key in AWS's manual"),
        pytest.param("-----BEGIN CERTIFICATE-----", id="a certificate"),
        pytest.param("sk-" + "a-very-long-name-of-a-model-in-a-registry", id="a name that begins like a key"),
        pytest.param("'Authorization: Bearer ${TOKEN}'", id="a header that is filled in"),
        pytest.param("a_" + "very_long_name_with_underscores_in_it", id="a long name"),
        pytest.param("owners: ['@acme/growth-ml'] # see https://example.org", id="an owner behind an address"),
    ],
)
def test_what_only_looks_alike_is_none(text: str) -> None:
    assert list(credentials(text)) == []


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        pytest.param("password", True, id="a password"),
        pytest.param("DB_PASSWORD", True, id="of a database"),
        pytest.param("openai-api-key", True, id="with dashes"),
        pytest.param("access_token", True, id="a token for access"),
        pytest.param("pad_token", False, id="a token of a text"),
        pytest.param("token", False, id="a token of whatever"),
        pytest.param("tokenizer", False, id="what makes tokens"),
        pytest.param("password_length", False, id="what is said about a password"),
        pytest.param("key", False, id="a key of whatever"),
    ],
)
def test_names_of_secrets(name: str, answer: bool) -> None:
    assert names_a_secret(name) is answer


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        pytest.param("hunter2", True, id="a word"),
        pytest.param("Hunter-2!", True, id="with signs"),
        pytest.param("", False, id="nothing"),
        pytest.param("OPENAI_API_KEY", False, id="the name of a variable"),
        pytest.param("${PASSWORD}", False, id="what a shell fills in"),
        pytest.param("{{ parameters.x }}", False, id="what we fill in"),
        pytest.param("/run/secrets/db", False, id="a file"),
        pytest.param("vault://kv/db", False, id="an address"),
    ],
)
def test_a_literal_is_no_reference(value: str, answer: bool) -> None:
    assert is_literal(value) is answer


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("  password: hunter2", "  password: *******", id="a value under a secret's name"),
        pytest.param("x: {api_key: 'abc', b: 1}", "x: {api_key: '***', b: 1}", id="in quotes"),
        pytest.param("--password=hunter2 --depth=6", "--password=******* --depth=6", id="an option"),
        pytest.param("Authorization: Basic ZGFuYQ==", "Authorization: **************", id="a header"),
        pytest.param("steps: [10%, 50%]", "steps: [10%, 50%]", id="everything else stays"),
    ],
)
def test_a_file_s_text_that_is_shown(text: str, shown: str) -> None:
    assert blanked_source(text) == shown


def test_a_message_keeps_what_only_follows_a_name() -> None:
    assert blanked("token: must be a mapping, not a text") == "token: must be a mapping, not a text"


@given(st.text(), st.sampled_from(sorted(SAMPLES)), st.text())
def test_wherever_a_sample_stands_it_is_blanked(before: str, kind: str, after: str) -> None:
    assert SAMPLES[kind] not in blanked(f"{before} {SAMPLES[kind]} {after}")


@pytest.mark.parametrize(
    "part", ["eyJ", "sk-", "://a:", "'Authorization: bearer ", "-----BEGIN A ", "_a", "-", "password: ", "glpat-", "gh"]
)
def test_a_long_text_is_read_in_one_go(part: str) -> None:
    text = part * (1_000_000 // len(part))
    began = time.process_time()
    assert len(list(credentials(text))) <= len(text)
    assert len(blanked_source(text)) == len(text)
    assert time.process_time() - began < 5


@pytest.mark.parametrize("name", ["X-Api-Key", "Api-Key", "api_key", "X-Vault-Token"])
def test_a_header_that_signs_in_is_not_shown(name: str) -> None:
    """By its name: what it holds looks like nothing."""
    value = "0123456789abcdef0123"
    assert value not in blanked_source(f"headers: {{{name}: {value}}}")
