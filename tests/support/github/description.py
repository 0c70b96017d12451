"""Holds what the fake takes and gives against GitHub's own OpenAPI description (data/openapi.json)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

DATA = Path(__file__).parent / "data"


@cache
def _description() -> Any:
    return json.loads((DATA / "openapi.json").read_text(encoding="utf-8"))


def _operation(method: str, template: str) -> Any:
    return _description()["paths"].get(template, {}).get(method.lower())


@cache
def _validator(method: str, template: str, part: str) -> jsonschema_rs.Validator | None:
    operation = _operation(method, template)
    schema = operation.get("request") if part == "request" else operation["responses"].get(part)
    if schema is None:
        return None
    return jsonschema_rs.validator_for({**schema, "components": _description()["components"]})


def request_faults(method: str, template: str, body: Any) -> list[str]:
    """What is wrong with a request's body, by the description."""
    if _operation(method, template) is None:
        return [f"{method} {template} is not in the description"]
    validator = _validator(method, template, "request")
    return [] if validator is None or body is None else _errors(validator, body, f"request {method} {template}")


def answer_faults(method: str, template: str, status: int, body: Any) -> list[str]:
    """What is wrong with an answer, by the description. Statuses that it leaves out (401, 429, 5xx) pass."""
    operation = _operation(method, template)
    if operation is None or status in {304, 401, 429} or status >= 500:
        return []
    if str(status) not in operation["responses"]:
        return [] if status >= 400 else [f"{method} {template} never answers {status}"]
    validator = _validator(method, template, str(status))
    return [] if validator is None else _errors(validator, body, f"answer {status} of {method} {template}")


def _errors(validator: jsonschema_rs.Validator, body: Any, where: str) -> list[str]:
    return [
        f"{where}: {'/'.join(map(str, error.instance_path))}: {error.message[:400]}"
        for error in validator.iter_errors(body)
    ][:5]
