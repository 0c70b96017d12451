"""The pages of docs/rules: written from the rules, found stale and orphaned, linked, and free of secrets."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from support.program import CONTROLLER
from tidegate.core.checks.catalogue import RULES
from tidegate.core.checks.rule import Rule
from tidegate.core.credentials import credentials

TOOLS = CONTROLLER.parent / "tools"


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """`tools/docs.py`, which writes into a folder of the test's own."""
    monkeypatch.syspath_prepend(str(TOOLS))
    spec = importlib.util.spec_from_file_location("tidegate_docs", TOOLS / "docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "DOCS", tmp_path)
    return module


def test_pages_are_written_found_stale_and_removed(tool: ModuleType, tmp_path: Path) -> None:
    assert tool.main(["--check"]) == 1
    assert tool.main([]) == 0
    assert tool.main(["--check"]) == 0

    page = tmp_path / "rules" / "missing-file.md"
    page.write_text("another text\n")
    assert tool.main(["--check"]) == 1

    orphan = tmp_path / "rules" / "no-such-rule.md"
    orphan.write_text("")
    assert tool.main([]) == 0
    assert tool.main(["--check"]) == 0
    assert not orphan.exists()
    assert page.read_text().startswith("# missing-file\n")


def test_every_rule_has_a_page_that_the_list_leads_to(tool: ModuleType) -> None:
    pages = tool.rules.pages()
    linked = re.findall(
        r"^\| \[([a-z-]+)\]\(\1\.md\) \| (error|warning|note) \|", pages["rules/README.md"], re.MULTILINE
    )
    assert linked == [(rule.id, rule.severity) for rule in sorted(RULES.values(), key=lambda rule: rule.id)]
    assert set(pages) == {"rules/README.md", *(f"rules/{name}.md" for name, _ in linked)}


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.id) for rule in RULES.values() if rule.bad])
def test_a_page_shows_what_breaks_the_rule_and_what_is_said(tool: ModuleType, rule: Rule) -> None:
    page = tool.rules.page(rule)
    before, _, after = page.partition("## What is said\n")
    said, _, mended = after.partition("## Mended\n")
    assert "```yaml\n" in before
    assert re.search(rf"^ +\d+:\d+  +\w+  +{rule.id}  ", said, re.MULTILINE)
    assert "```yaml\n" in mended
    assert max(map(len, page.splitlines())) <= 200
    assert not list(credentials(said))
