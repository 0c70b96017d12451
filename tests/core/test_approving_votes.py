"""What counts as an approval: reviews, comments and labels, each for what it was given for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.situations import NOW
from tidegate.core.approving.votes import Panel, approvals_of, counted, missing, people
from tidegate.core.observed import Approval, Comment, Label, ProposalState, PullRequest
from tidegate.core.transition import Kind, branch_name
from tidegate.core.workspace import Approvals, ApprovalSource

KEY = "k7c1e9a4b03d2f6a1"
HEAD = "1a2b3c4d" + "0" * 32
OURS = branch_name("digits", "production", Kind.PROMOTE, KEY)


def request(**changes: Any) -> PullRequest:
    base = PullRequest(number=7, base="main", branch=OURS, head=HEAD, author="@tidegate[bot]", state=ProposalState.OPEN)
    return replace(base, **changes)


def comment(text: str, author: str = "@dana") -> Comment:
    return Comment(author=author, at=NOW, text=text)


@pytest.mark.parametrize(
    ("text", "untouched", "touched"),
    [
        pytest.param("/tidegate approve", True, False, id="the command alone means the transition"),
        pytest.param(f"/tidegate approve {KEY}", True, False, id="the key of the transition"),
        pytest.param(f"/tidegate approve {HEAD}", True, True, id="the head"),
        pytest.param(f"/tidegate approve {HEAD.upper()}", True, True, id="the whole head, in capitals"),
        pytest.param("Looks good.\r\n/tidegate approve  \r\nThanks!", True, False, id="a line among others"),
        pytest.param("/tidegate approve 1a2b3c4d0000", False, False, id="what another head may begin with"),
        pytest.param(f"/tidegate approve {'9' * 40}", False, False, id="another head"),
        pytest.param(f"So:\n```\n/tidegate approve {HEAD}\n```\n", False, False, id="in a block of code"),
        pytest.param(f"~~~~ text\r\n~~~\r\n/tidegate approve {HEAD}", False, False, id="in a block that does not end"),
        pytest.param(f"```\nno\n````\n/tidegate approve {HEAD}", True, True, id="after a block of code"),
        pytest.param(f"    /tidegate approve {HEAD}", False, False, id="indented, as code"),
        pytest.param("/tidegate approve k0000000000000000", False, False, id="another transition"),
        pytest.param("Do not /tidegate approve", False, False, id="inside a sentence"),
        pytest.param("> /tidegate approve", False, False, id="in a quotation"),
        pytest.param("/tidegate approved", False, False, id="another word"),
        pytest.param("/tidegate approve this please", False, False, id="more words"),
    ],
)
def test_a_comment_approves_what_it_names(text: str, *, untouched: bool, touched: bool) -> None:
    said = request(comments=(comment(text),))
    for is_touched, counts in ((False, untouched), (True, touched)):
        found = approvals_of(said, ApprovalSource.COMMENTS, touched=is_touched)
        assert [(a.handle, a.head) for a in found] == ([("@dana", HEAD)] if counts else [])


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"branch": "dana/threshold"}, id="a person's branch"),
        pytest.param({"fork": True}, id="a fork's branch that is called like ours"),
        pytest.param(
            {"branch": branch_name("digits", "production", Kind.HOLD, KEY)},
            id="a verb's branch, whose content a person may swap under its key",
        ),
    ],
)
def test_on_what_is_not_ours_a_comment_must_name_the_head(changes: dict[str, Any]) -> None:
    vague = request(comments=(comment("/tidegate approve"), comment(f"/tidegate approve {KEY}")), **changes)
    assert approvals_of(vague, ApprovalSource.COMMENTS, touched=False) == ()


REVIEW = Approval(handle="@kim", head=HEAD, at=NOW)
LABEL = Label(name="tidegate/approved", author="@lee", at=NOW)


@pytest.mark.parametrize(
    ("source", "untouched", "touched"),
    [
        pytest.param(ApprovalSource.REVIEWS, ["@kim"], ["@kim"], id="reviews alone"),
        pytest.param(ApprovalSource.COMMENTS, ["@kim", "@dana"], ["@kim"], id="reviews and comments"),
        pytest.param(ApprovalSource.LABELS, ["@kim", "@dana", "@lee"], ["@kim"], id="reviews, comments and labels"),
    ],
)
def test_the_workspace_says_what_counts(source: ApprovalSource, untouched: list[str], touched: list[str]) -> None:
    other = Label(name="tidegate/approved-not", author="@eve", at=NOW)
    said = request(approvals=(REVIEW,), comments=(comment("/tidegate approve"),), labels=(other, LABEL))
    assert [a.handle for a in approvals_of(said, source, touched=False)] == untouched
    assert [a.handle for a in approvals_of(said, source, touched=True)] == touched


PANEL = Panel(teams={"@acme/sre": frozenset({"@lee", "@mo"})}, trained_by=frozenset({"@lee"}))


@pytest.mark.parametrize(
    ("rule", "approving", "words"),
    [
        pytest.param(Approvals(handles=("@Dana",)), {"@dana"}, None, id="handles are compared without case"),
        pytest.param(Approvals(handles=("@Acme/SRE",)), {"@mo"}, None, id="teams too"),
        pytest.param(Approvals(handles=("@acme/sre",), count=2), {"@lee", "@mo"}, None, id="two of a team"),
        pytest.param(
            Approvals(handles=("@acme/sre", "@lee"), count=2),
            {"@lee"},
            "an approval by @acme/sre or @lee",
            id="who is listed and in a team counts once",
        ),
        pytest.param(Approvals(handles=("@acme/sre",), count=3), {"@mo"}, "2 approvals by @acme/sre", id="two missing"),
        pytest.param(Approvals(handles=("@acme/other",)), {"@mo"}, "an approval by @acme/other", id="another team"),
        pytest.param(Approvals(handles=("@acme/sre",)), {"@lee"}, None, id="the author, where that is allowed"),
        pytest.param(
            Approvals(handles=("@acme/sre",), not_sole_author=True),
            {"@lee"},
            "an approval by somebody besides @lee, who wrote the training change (@acme/sre)",
            id="the author alone, where it is not",
        ),
        pytest.param(
            Approvals(handles=("@acme/sre",), not_sole_author=True), {"@lee", "@mo"}, None, id="the author among others"
        ),
        pytest.param(
            Approvals(handles=("@acme/sre",), not_sole_author=True),
            {"@lee", "@eve"},
            "an approval by somebody besides @lee, who wrote the training change (@acme/sre)",
            id="another one who is not listed does not help",
        ),
    ],
)
def test_who_is_missing(rule: Approvals, approving: set[str], words: str | None) -> None:
    assert missing(rule, frozenset(approving), PANEL) == words


@pytest.mark.parametrize(
    ("approving", "alone", "words"),
    [
        pytest.param({"@lee"}, False, "a second approval by @acme/sre, because nobody can tell", id="one"),
        pytest.param({"@lee", "@eve"}, False, "a second approval by @acme/sre", id="one, and one who is not listed"),
        pytest.param({"@lee", "@mo"}, False, None, id="two, of whom one is another"),
        pytest.param({"@lee"}, True, None, id="one, where the author may"),
    ],
)
def test_where_nobody_can_tell_who_wrote_the_training_change_it_takes_two(
    approving: set[str], alone: bool, words: str | None
) -> None:
    rule = Approvals(handles=("@acme/sre",), not_sole_author=not alone)
    found = missing(rule, frozenset(approving), replace(PANEL, trained_by=None))
    assert found is words if words is None or found is None else words in found


def test_bots_and_authors_are_nobody() -> None:
    assert people(["@Dana", "dana", "@ci[bot]", "@Eve"], without=["@eve"]) == {"@dana"}


HANDLES = st.sampled_from(["@dana", "@eve", "@lee", "@mo", "@mallory"])


@given(
    listed=st.lists(st.sampled_from(["@dana", "@eve", "@acme/sre"]), min_size=1),
    count=st.integers(1, 4),
    alone=st.booleans(),
    approving=st.frozensets(HANDLES),
    more=st.frozensets(HANDLES),
)
def test_another_approval_never_makes_it_worse_and_strangers_change_nothing(
    listed: list[str], count: int, alone: bool, approving: frozenset[str], more: frozenset[str]
) -> None:
    rule = Approvals(handles=tuple(listed), count=count, not_sole_author=not alone)
    if missing(rule, approving, PANEL) is None:
        assert missing(rule, approving | more, PANEL) is None
        assert len(counted(rule, approving, PANEL)) >= count
    assert missing(rule, approving - {"@mallory"}, PANEL) == missing(rule, approving | {"@mallory"}, PANEL)
