"""How long the local forge takes: figures for docs/benchmarks.md. `bench/run.py` calls this and prints the table.

Every call starts git processes; their start is most of what is measured.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tidegate.adapters.git import GitRepository, Plumbing
from tidegate.adapters.local_forge import LocalForge
from tidegate.core.observed import ProposalState
from tidegate.ports import Draft

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
IDENTITY = "tidegate@example.org"


@dataclass
class ForgeTimes:
    """Seconds of each call, by what it did."""

    create: list[float] = field(default_factory=list)
    list_: list[float] = field(default_factory=list)
    merge: list[float] = field(default_factory=list)

    def medians(self) -> dict[str, float]:
        """Milliseconds."""
        named = {"create": self.create, "list": self.list_, "merge": self.merge}
        return {name: median(seconds) * 1000 for name, seconds in named.items()}


def proposals(count: int) -> ForgeTimes:
    """Open so many proposals, list them as many times by a forge that starts afresh, merge them one by one."""
    times = ForgeTimes()
    with TemporaryDirectory() as folder:
        repository, connect = _repository(Path(folder) / "models.git")
        forge = connect()
        drafts = [_draft(repository, number) for number in range(count)]
        for draft in drafts:
            with _timed(times.create):
                forge.create(draft, NOON)
        for _ in range(20):
            afresh = connect()
            with _timed(times.list_):
                afresh.proposals()
        for proposal in forge.proposals():
            with _timed(times.merge):
                forge.merge(proposal.number, proposal.head, "merged", NOON)
        merged = [each for each in connect().proposals() if each.state is ProposalState.MERGED]
        if len(merged) != count:
            raise AssertionError(f"{len(merged)} of {count} proposals were merged")
    return times


@contextmanager
def _timed(into: list[float]) -> Iterator[None]:
    start = time.perf_counter()
    yield
    into.append(time.perf_counter() - start)


def _repository(bare: Path) -> tuple[GitRepository, Callable[[], LocalForge]]:
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], check=True)
    plumbing = Plumbing(bare, identity=IDENTITY, name="Tidegate")
    first = plumbing.write_commit(plumbing.write_tree(None, {"README.md": "models\n"}), (), "first commit", NOON)
    plumbing.move({"refs/heads/main": (None, first)})
    return GitRepository(bare, identity=IDENTITY), lambda: LocalForge(plumbing)


def _draft(repository: GitRepository, number: int) -> Draft:
    main = repository.head()
    assert main is not None, "the first commit was made"
    branch = f"tidegate/model-{number}/production/promote-k{number:016x}"
    head = repository.write_commit(main, {f"models/model-{number}/production.yaml": "stable: 2\n"}, "a pin", NOON)
    repository.move_branch(branch, head, None)
    return Draft(branch=branch, head=head, title=f"Promote model-{number}", body="the evidence", author="tidegate")
