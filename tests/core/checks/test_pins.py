"""Pin files that contradict themselves, were edited by hand, or belong to nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.inspecting import SCHEMAS, inspected
from support.situations import pin_of
from tidegate.core.checks import pins
from tidegate.core.checks.subjects import PinFile
from tidegate.core.pin import Canary, Hold, Pin, Rejected, content, is_as_we_write, stamped
from tidegate.core.shape import check
from tidegate.core.transition import Kind, mark
from tidegate.core.yaml import splice
from tidegate.core.yaml.document import read

RULES = {rule.id for rule in pins.RULES}
HEAD = "apiVersion: tidegate.dev/v1alpha1\nkind: "
MANIFEST = f"{HEAD}Model\nmetadata: {{name: churn}}\nspec: {{environments: {{staging: {{}}, production: {{}}}}}}\n"
PATH = "models/churn/production.yaml"
KEY = "k0d3f5a1be27c9846"
A, B = "a" * 64, "b" * 64


def found(text: str, path: str = PATH, manifest: str = MANIFEST) -> list[str]:
    files = {path: f"{HEAD}Pin\n{text}"} | ({"models/churn/model.yaml": manifest} if manifest else {})
    return [str(finding).removeprefix(f"{path}:") for finding in inspected(files) if finding.rule in RULES]


def rejected(*versions: int) -> str:
    return "rejected:\n" + "".join(f"  - {{version: {v}, key: {KEY}, reason: latency}}\n" for v in versions)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "", id="nothing is pinned yet"),
        pytest.param(f"stable: 11@sha256:{A}\nprevious: 10@sha256:{A}\n", "", id="two versions of the same bytes"),
        pytest.param(
            f"stable: 11@sha256:{A}\nprevious: 10@sha256:{B}\ncanary: {{pin: 10@sha256:{B}, weight: 10%}}\n",
            "",
            id="the previous version on its way again",
        ),
        pytest.param(
            f"stable: 11@sha256:{A}\ncanary: {{pin: 12@sha256:{B}, weight: 0%}}\n", "", id="a canary that is paused"
        ),
        pytest.param(
            "stable: 11\n",
            "3:9: error pin-without-digest: stable: its digest is missing (version 11); "
            "fix: write 11@sha256:…, or let `tidegate pin MODEL ENVIRONMENT 11` write it",
            id="a number alone",
        ),
        pytest.param(
            "canary: {pin: v12@latest, weight: 10%}\n",
            "3:15: error pin-without-digest: pin: its digest is not `sha256:` and 64 hex digits (version 12); "
            "fix: write 12@sha256:…, as the registry or `git log -p` of this file has it\n"
            "3:9: error canary-without-stable: no stable version takes the rest of the traffic; "
            "fix: write it as `stable` instead",
            id="a tag instead of a digest, and no stable version",
        ),
        pytest.param(
            f"stable: 11@sha256:{A}\nprevious: 11@sha256:{B}\n",
            "4:11: error one-version-two-digests: version 11 has another digest above; "
            "fix: look it up in the registry, and write one of the two",
            id="one version with two digests",
        ),
        pytest.param(
            f"stable: 11@sha256:{A}\nprevious: 11@sha256:{A}\n",
            "4:11: warning previous-is-stable: previous is the stable version: a revert would change nothing; "
            "fix: name the version to go back to, or leave it out",
            id="nothing to go back to",
        ),
        pytest.param(
            f"stable: 11@sha256:{A}\ncanary: {{pin: 11@sha256:{A}, weight: 10%}}\n",
            "4:15: error canary-is-stable: the canary is the stable version; fix: take the canary out",
            id="a canary that is stable",
        ),
        pytest.param(
            f"canary: {{pin: 11@sha256:{A}, weight: 10%}}\n",
            "3:9: error canary-without-stable: no stable version takes the rest of the traffic; "
            "fix: write it as `stable` instead",
            id="a canary alone",
        ),
        pytest.param(
            f"stable: 11@sha256:{A}\ncanary: {{pin: 12@sha256:{B}, weight: 1.0}}\n",
            f"4:{len('canary: {pin: 12@sha256:, weight: ') + 64 + 1}: warning canary-takes-all: "
            "at 100% nothing is left for the stable version to be compared with; "
            "fix: write less, or make it stable by `tidegate pin`",
            id="a canary that takes all",
        ),
        pytest.param(
            f"stable: 11@sha256:{A}\ncanary: {{pin: 12@sha256:{B}, weight: 10%}}\n" + rejected(12),
            "4:15: error pinned-and-rejected: version 12 is canary and rejected; "
            "fix: take the canary out, or `tidegate unreject` version 12",
            id="a canary that is rejected",
        ),
        pytest.param(
            f"stable: 11@sha256:{A}\nprevious: 10@sha256:{B}\n" + rejected(10, 11),
            "3:9: warning pinned-and-rejected: version 11 is stable and rejected; "
            "fix: `tidegate unreject` version 11, if it may go on to other environments\n"
            "4:11: warning pinned-and-rejected: version 10 is previous and rejected; "
            "fix: `tidegate unreject` version 10, if it may be gone back to",
            id="versions that were rejected and are kept",
        ),
        pytest.param(
            f"stable: 11@sha256:{A}\n" + rejected(9, 8, 9),
            "7:5: note rejected-twice: version 9 is rejected above already; "
            "fix: it does no harm; `tidegate unreject` removes both",
            id="rejected twice",
        ),
        pytest.param(
            f"stable: 11@sha256:{A}\nholdback: 5%\n",
            "4:11: warning holdback-without-previous: there is no previous version that anything could be held back "
            "for; fix: take it out",
            id="a holdback for nothing",
        ),
        pytest.param(
            f"stable: 11\nholdback: 5%\nprevious: 10\n{rejected(11)}canary: {{pin: 11@sha256:{A}, weight: 10%}}\n",
            "3:9: error pin-without-digest: stable: its digest is missing (version 11); "
            "fix: write 11@sha256:…, or let `tidegate pin MODEL ENVIRONMENT 11` write it\n"
            "5:11: error pin-without-digest: previous: its digest is missing (version 10); "
            "fix: write 10@sha256:…, as the registry or `git log -p` of this file has it\n"
            "8:15: error pinned-and-rejected: version 11 is canary and rejected; "
            "fix: take the canary out, or `tidegate unreject` version 11",
            id="what cannot be read is there all the same",
        ),
    ],
)
def test_versions(text: str, expected: str) -> None:
    assert sorted(found(text)) == sorted(expected.splitlines())


def test_a_pin_file_without_its_manifest() -> None:
    assert "\n".join(found(f"stable: 11@sha256:{A}\n", manifest="")) == (
        "1:1: error pin-without-model: there is no model.yaml in models/churn; "
        "fix: delete the pin files together with the manifest, or bring it back"
    )


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        pytest.param("edge", "", id="an environment that was removed"),
        pytest.param("prodution", "; or name it production.yaml, if that is meant", id="a misspelt one"),
    ],
)
def test_a_pin_file_without_its_environment(name: str, hint: str) -> None:
    assert "\n".join(found(f"stable: 11@sha256:{A}\n", f"models/churn/{name}.yaml")) == (
        f"1:1: error pin-without-environment: the manifest has no environment {name}; "
        f"fix: delete this file in the commit that removes the environment{hint}"
    )


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param("spec: {", id="that cannot be read"),
        pytest.param(f"{HEAD}Model\nmetadata: {{name: churn}}\nspec: {{environments: 7}}\n", id="without environments"),
        pytest.param(MANIFEST.replace("production: {}", "production: 7"), id="in which the environment is no mapping"),
    ],
)
def test_a_pin_file_is_not_blamed_for_a_manifest(manifest: str) -> None:
    assert found(f"stable: 11@sha256:{A}\n", manifest=manifest) == []


versions = st.integers(1, 5).map(pin_of)
shares = st.integers(0, 100).map(lambda percent: percent / 100)
whole_pins = st.builds(
    Pin,
    stable=versions,
    previous=st.none() | versions,
    canary=st.none() | st.builds(Canary, pin=versions, weight=shares),
    rejected=st.lists(
        st.builds(Rejected, version=st.integers(1, 9), key=st.just(KEY), reason=st.text("ab ü", min_size=1)),
        max_size=3,
    ).map(tuple),
    holdback=st.none() | shares,
    hold=st.none() | st.builds(Hold, reason=st.just("incident")),
)


@given(whole_pins, st.sampled_from(["as it is", "comment", "weight", "environment", "content", "until"]))
def test_a_file_is_edited_by_hand_exactly_when_it_does_not_hash_to_its_transition(pin: Pin, edit: str) -> None:
    data = content(stamped("churn", "production", pin, mark(Kind.PROMOTE, None)))
    path, edited = PATH, edit in ("environment", "content")
    match edit:
        case "weight" if pin.canary:
            data["canary"]["weight"] = pin.canary.weight  # 0.1 says the same as 10%
            assert not is_as_we_write("churn", "production", data)
        case "environment":
            path = "models/churn/staging.yaml"
        case "content":
            data["retried"] = 7
        case "until" if pin.hold:
            data["hold"]["until"] = "2027-02-30T00:00Z"  # the reader says that there is no such day
    text = splice.dump(data) + ("# a comment\n" if edit == "comment" else "")
    findings = inspected({"models/churn/model.yaml": MANIFEST, path: text})
    assert ("edited-by-hand" in {finding.rule for finding in findings}) == edited


def test_an_edit_is_told_at_the_key_that_does_not_fit() -> None:
    stamp = f'transition: {{kind: promote, before: "sha256:{A}", attempt: 1, key: {KEY}}}\n'
    assert "\n".join(found(f"stable: 11@sha256:{A}\n{stamp}")) == (
        f"4:{stamp.index(KEY) + 1}: warning edited-by-hand: this file is not what the transition wrote that it names; "
        "fix: make the change by `tidegate pin`, `rollback`, `hold` or `unreject`; or go on with `tidegate resume`"
    )


def test_a_file_without_a_transition_is_no_edit() -> None:
    assert found(f"stable: 11@sha256:{A}\n") == []


pin_texts = st.sampled_from([f"{number}@sha256:{digest}" for number in (1, 2) for digest in (A, B)])
partial = st.fixed_dictionaries(
    {},
    optional={
        "stable": pin_texts,
        "previous": pin_texts,
        "canary": st.fixed_dictionaries({}, optional={"pin": pin_texts, "weight": st.sampled_from(["10%", 1, 0.5])}),
        "rejected": st.lists(st.fixed_dictionaries({}, optional={"version": st.integers(1, 3)}), max_size=3),
        "holdback": st.just("5%"),
        "transition": st.fixed_dictionaries({}, optional={"key": st.just(KEY), "kind": st.just("promote")}),
    },
)


@given(partial, st.booleans())
def test_whatever_is_left_of_a_file_is_looked_at_without_an_accident(data: dict[str, Any], orphan: bool) -> None:
    document = read(splice.dump({"kind": "Pin", **data}), PATH)
    file = PinFile(document=document, data=document.data, environment="production", manifest=None, orphan=orphan)
    for look in (pins.pin_belongs_to_a_model, pins.pin_is_as_written, pins.versions_fit_each_other):
        assert {fault.rule for fault in look(file)} <= RULES
    assert all(finding.rule == "missing-key" for finding in check(document, SCHEMAS["Pin"]))
