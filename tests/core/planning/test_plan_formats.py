"""A plan as a comment: what foreign text can do in it (nothing), and what is left out where there is no room."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from support.changes import CHURN, TRAINING, facts, history, ours, plan_of, settled, state, trained
from support.situations import WORKSPACE, pin_of
from tidegate.core.finding import Finding, Severity
from tidegate.core.manifest import Gate, Model
from tidegate.core.observed import Training as Progress
from tidegate.core.observed import TrainingState
from tidegate.core.pin import Hold, Pin, Rejected
from tidegate.core.planning.effective import Effective, Source, Tree, Value, manifest
from tidegate.core.planning.plan import Flight, Plan
from tidegate.core.planning.settings import workspace_edits
from tidegate.core.planning.state import Facts, Rendered
from tidegate.core.workspace import Approvals
from tidegate.core.yaml.document import read
from tidegate.reporters import plan_json, plan_markdown, plan_text

MARKER = "<!-- tidegate:plan -->"
HOSTILE = [
    "</details></summary>",
    "@everyone",
    "<!-- tidegate:plan -->",
    "`` ` ``` `",
    "| a | b |",
    "<script>alert(1)</script>",
    "a\n\n# heading\n- list\n```\n",
    "[link](https://example.org) ![x](y)",
    "#123 octo/repo#1",
    "\x1b[31mred\x07",
    "\u202egnp.exe",
    "\ud800",
    "::error::x",
    "##[stop-commands]x",
    "--> <!--",
    "`",
    "   ",
    "&lt;b&gt;",
]


def hostile(text: str) -> Plan:
    """A plan with this text wherever others write. Files are named in any bytes, YAML holds text alone."""
    file, text = text, text.encode("utf-8", "replace").decode()
    wicked = replace(
        CHURN,
        owners=(text,),
        hold=Hold(reason=text),
        registry_name=text,
        gates=(Gate(metric=text, minimum=1),),
        depends_on=(text,),
        training=replace(TRAINING, parameters={text: text}, command=(text,), environment=text),
    )
    reason = Rejected(version=9, key="k", reason=text)
    pin = Pin(stable=pin_of(12), rejected=(reason,), hold=Hold(reason=text, scope="all"))
    after = replace(
        state(wicked, pins=settled(wicked) | {"production": pin}),
        rendered={"production": Rendered(path=file, wanted=f"{text}\nnew\n", found=None)},
    )
    before = replace(state(), rendered={"production": Rendered(path=file, wanted=None, found=f"{text}\nold\n")})
    changed = facts(
        before,
        after,
        changed=(f"shared/features/{file}",),
        histories={"production": history(settled(CHURN)["production"])},
        flights={"production": Flight(version=12, weight=0.1, policy=text)},
        workspace=replace(WORKSPACE, approvals={"production": Approvals(handles=(text,))}),
        progress=Progress(key="k", state=TrainingState.FAILED, words=text),
    )
    gone = facts(state(replace(CHURN, name="gone")), None, files=frozenset({file}), dependants=(text,))
    new = facts(None, state(replace(CHURN, name=f"new {text}", folder=text), pins={}))
    finding = Finding(rule=text, severity=Severity.ERROR, path=file, line=1, column=1, message=text, hint=text)
    edits = workspace_edits(WORKSPACE, replace(WORKSPACE, presets={text: {"bad": text}}, hold=Hold(reason=text)))
    return plan_of(changed, gone, new, findings=(finding,), workspace=edits)


class Page(HTMLParser):
    """What a reader's browser gets: tags, comments, and the text that stands in no code."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.comments: list[str] = []
        self.prose = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert attrs in ([], [("class", "language-diff")])
        self.tags.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        if "code" not in self.open:
            self.prose += data


def page_of(text: str) -> Page:
    page = Page(MarkdownIt("commonmark").enable("table").render(text))
    assert page.open == [], "every fold is closed"
    return page


OURS = {"details", "summary", "code", "pre", "p", "ul", "li", "strong"}


@settings(deadline=None)
@given(text=st.sampled_from(HOSTILE) | st.text(max_size=30) | st.text(alphabet="`@<>|#[]()!-*_~\\\n ", max_size=12))
def test_what_others_wrote_is_nothing_but_code(text: str) -> None:
    assume(text.split())
    page = page_of(plan_markdown.document(hostile(text)))
    harmless = page_of(plan_markdown.document(hostile("plain")))
    assert set(page.tags) <= OURS
    assert page.comments == [" tidegate:plan "]
    assert not set("@#[]<>") & set(page.prose)
    assert page.prose.split() == harmless.prose.split()


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_changes_no_word_of_ours(text: str) -> None:
    document = plan_markdown.document(hostile(text))
    assert document.splitlines()[0] == MARKER
    assert document.count("<!--") == 1
    document.encode()
    for line in plan_text.lines(hostile(text)):
        assert all(character.isprintable() or character == "\t" for character in line), line
        assert not line.lstrip().startswith("::")
        assert "##[" not in line
    assert json.loads(plan_json.document(hostile(text)))["models"]


@pytest.mark.parametrize("value", [*HOSTILE, "\U000e0001", "\ufff9", "a\u2028b"], ids=ascii)
def test_a_manifest_on_a_terminal_obeys_nothing_and_is_read_back_as_it_was(value: str) -> None:
    told = value.encode("utf-8", "replace").decode()
    tree: Tree = {told or "x": Value([told, {told: 1}], Source.MANIFEST), "note": Value(told, Source.DEFAULT)}
    text = plan_text.effective([Effective(model="m", path="models/m/model.yaml", tree=tree)])
    assert all(line.isprintable() for line in text.splitlines())
    assert "##[" not in text
    assert read(text, "model.yaml").data == manifest(tree)


def test_paths_and_names_are_shown_as_they_are_where_they_do_no_harm() -> None:
    text = plan_markdown.document(hostile("models/a b/ü.py"))
    assert "`models/a b/ü.py`" in text


def many(number: int, change: Callable[[Model, int], Facts]) -> list[Facts]:
    models = [replace(CHURN, name=f"model-{n:03}", folder=f"models/model-{n:03}") for n in range(number)]
    return [change(model, place) for place, model in enumerate(models)]


def deeper(model: Model, place: int) -> Facts:
    """Every model has a parameter, a rollout and a registered model of its own."""
    training = replace(TRAINING, parameters={"depth": place + 7})
    bake = [replace(e, rollout=replace(e.rollout, minimum_events=place + 300)) for e in model.environments]
    after = replace(model, training=training, environments=tuple(bake), registry_name=f"elsewhere-{place}")
    return facts(state(model), state(after, pins=settled(model)))


def gone(model: Model, place: int) -> Facts:
    return facts(state(model), None, files=frozenset({model.pin_path("staging")}))


def test_500_changed_models_fit_and_the_comment_says_what_it_leaves_out() -> None:
    deleted = [replace(CHURN, name=f"gone-{n}", folder=f"models/gone-{n}") for n in range(3)]
    plan = plan_of(*many(500, deeper), *(gone(model, 0) for model in deleted), allowed=10)
    text = plan_markdown.document(plan)
    assert len(text) <= 65_535
    assert "500 models train, 3 models are deleted." in text
    assert "`--allow-trainings 500`" in text
    assert all(f"`gone-{n}`: deleted" in text for n in range(3)), "what goes away is never left out"
    assert re.search(r"Left out for want of room: .*rendered files.*, \d+ models\.", text)
    assert len(text) > 30_000, "the room that is there is used"


def test_500_models_that_are_alike_are_told_of_together() -> None:
    def including(model: Model, place: int) -> Facts:
        after = state(model, trees={"training": "a" * 40, "shared/features": "c" * 40})
        return facts(state(model), after, changed=("shared/features/x.py",))

    plan = plan_of(*many(500, including))
    text = plan_markdown.document(plan)
    assert len(text) <= 65_535
    assert "Left out" not in text
    assert "500 models (" in text
    assert "`model-499`" in text


TITLES = ("Rendered file", "Settings", "Way of the new version", "Gates", "Training", "Pin files", "What becomes of it")


def rich() -> Plan:
    """A plan in which every kind of block stands."""
    wanted = trained({"depth": 8})
    pins = settled(CHURN) | {"production": ours(CHURN, "production", Pin(stable=pin_of(12)))}
    changed = facts(
        state(),
        state(replace(wanted, registry_name="elsewhere"), pins=pins),
        histories={"production": history(settled(CHURN)["production"])},
    )
    finding = Finding(rule="r", severity=Severity.ERROR, path="p", line=1, column=1, message="broken")
    return plan_of(changed, gone(replace(CHURN, name="gone", folder="models/gone"), 0), findings=(finding,))


def test_what_matters_least_goes_first() -> None:
    plan = rich()
    whole = plan_markdown.document(plan)
    seen: list[tuple[str, ...]] = []
    for limit in range(len(whole), 560, -23):
        text = plan_markdown.document(plan, limit)
        assert len(text) <= limit
        there = tuple(title for title in TITLES if f"**{title}**" in text)
        if there not in seen:
            seen.append(there)
        assert "broken" in text
        assert "gone" in text
    assert seen == [TITLES[place:] for place in range(len(TITLES) + 1)]


@settings(max_examples=20, deadline=None)
@given(limit=st.integers(600, 70_000), models=st.integers(0, 30), findings=st.integers(0, 200))
def test_no_comment_is_longer_than_it_may_be(limit: int, models: int, findings: int) -> None:
    long = "x" * 5000
    found = [
        Finding(rule="r", severity=Severity.ERROR, path=f"{long}{n}", line=n + 1, column=1, message=long, hint=long)
        for n in range(findings)
    ]
    text = plan_markdown.document(plan_of(*many(models, deeper), findings=tuple(found)), limit)
    assert len(text) <= limit
    assert text.startswith(MARKER)
    page_of(text)
