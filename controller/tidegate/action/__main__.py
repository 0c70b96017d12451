"""One action: its name is the argument; inputs, event and files are the runner's environment."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from tidegate import errors
from tidegate.action.job import Job
from tidegate.action.result import Outcome, Result
from tidegate.action.runner import Runner
from tidegate.reporters.markdown import cell

NAMES = ("approve", "backtest", "command", "evaluate", "plan", "reconcile", "render", "train", "validate")


def main(name: str) -> int:
    """Run it; returns the exit code. All outputs are written whatever happens, the unknown ones empty."""
    assert name in NAMES
    action = import_module(f"tidegate.action.{name}")
    job = Job(environment=os.environ, runner=Runner(os.environ))
    result = _guarded(action.act, job)
    unknown = dict.fromkeys(action.OUTPUTS, "")
    job.runner.outputs({**unknown, **result.outputs, "exit-code": str(result.code), "outcome": result.outcome.value})
    job.runner.summary(result.summary or f"### Tidegate {name}: {result.outcome}\n\n{cell(result.words)}\n")
    if result.outcome in (Outcome.REFUSED, Outcome.BROKEN) and not result.annotated:
        job.runner.error(f"Tidegate {name}: {result.outcome}", result.words or "the log says why")
    return result.code


def _guarded(act: object, job: Job) -> Result:
    from tidegate.cli.crash import explained, scrubbed

    assert callable(act)
    try:
        result = act(job)
    except errors.TidegateError as error:
        return Result(code=error.exit_code, words=scrubbed(str(error)))
    except Exception as error:  # noqa: BLE001 - the boundary: whatever else comes here is a bug of ours
        job.runner.untrusted(explained(error))
        return Result(code=errors.BUG, words="a bug of Tidegate; the log has what to report")
    assert isinstance(result, Result)
    return result


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
