"""GitHub's own parser and expression engine, as a process that answers questions (engine.mjs)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NODE = Path(sys.executable).parent / "node"


class BadFile(Exception):
    """GitHub would not take this action or workflow."""


class BadExpression(Exception):
    """GitHub cannot evaluate this: an unknown name, function, or a slip in the grammar."""


class Engine:
    """One process for all questions of a test run."""

    def __init__(self) -> None:
        assert (HERE / "node_modules").is_dir(), "the node packages are missing: make node-packages"
        self._process = subprocess.Popen(
            [NODE, HERE / "engine.mjs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def action(self, path: Path) -> dict[str, Any]:
        """An action's definition as plain data; an expression in it is {"expression": …}."""
        return self._file("action", path.name, path.read_text(encoding="utf-8"))

    def workflow(self, name: str, content: str) -> dict[str, Any]:
        """A workflow's definition, likewise."""
        return self._file("workflow", name, content)

    def value(self, expression: str, contexts: Mapping[str, Any], status: str = "success") -> Any:
        """What the expression is worth: contexts that are not given are unknown names."""
        return self._evaluated(expression, contexts, status)["value"]

    def text(self, token: Any, contexts: Mapping[str, Any], status: str = "success") -> str:
        """A scalar of a definition as the text that a step gets."""
        match token:
            case {"expression": str(expression)}:
                return str(self._evaluated(expression, contexts, status)["text"])
            case None:
                return ""
            case bool():
                return json.dumps(token)
            case _:
                return str(token)

    def _file(self, kind: str, name: str, content: str) -> dict[str, Any]:
        answer = self._ask({"ask": kind, "name": name, "content": content})
        if "value" not in answer:
            raise BadFile(answer)
        value: dict[str, Any] = answer["value"]
        return value

    def _evaluated(self, expression: str, contexts: Mapping[str, Any], status: str) -> Mapping[str, Any]:
        answer = self._ask({"ask": "evaluate", "expression": expression, "contexts": contexts, "status": status})
        if "failed" in answer:
            raise BadExpression(f"{expression}: {answer['failed']}")
        return answer

    def _ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        self._process.communicate()


@cache
def examples() -> Mapping[str, list[dict[str, Any]]]:
    """Payloads of real deliveries by the event's name (@octokit/webhooks-examples)."""
    index = HERE / "node_modules/@octokit/webhooks-examples/api.github.com/index.json"
    return {event["name"]: event["examples"] for event in json.loads(index.read_text(encoding="utf-8"))}
