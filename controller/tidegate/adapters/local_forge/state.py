"""The forge as it stands: what its ref records, corrected by what git shows better, the branches and main.

What was parsed, and what main was found to contain, is kept for as long as it is true. Not here: changing anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tidegate.adapters.local_forge import records
from tidegate.adapters.local_forge.git_directory import FORGE, MAIN, Blob, GitDirectory, branch_ref
from tidegate.core.observed import Proposal, ProposalState
from tidegate.errors import OutsideSystem, WrongUse


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The forge at one commit of its ref. `branches` says where those of open proposals point now."""

    commit: str | None
    recorded: Mapping[int, Proposal]
    branches: Mapping[str, str | None]
    proposals: Mapping[int, Proposal]

    def proposal(self, number: int) -> Proposal:
        if number not in self.proposals:
            raise WrongUse(f"there is no proposal #{number}; `tidegate pull list` shows those that are")
        return self.proposals[number]

    def open_on(self, branch: str) -> Proposal | None:
        found = (each for each in self.proposals.values() if each.branch == branch)
        return next((each for each in found if each.state is ProposalState.OPEN), None)


class Reader:
    """Reads the forge of one repository, again and again."""

    def __init__(self, git: GitDirectory) -> None:
        self._git = git
        self._parsed: dict[str, Proposal] = {}
        self._contained: tuple[object, Mapping[str, tuple[str, datetime]]] = (None, {})

    def state(self) -> State:
        # The forge's ref is read before the branches, and main last: a merge in between shows as a merge.
        commit = self._git.refs([FORGE])[0]
        recorded = self._recorded(commit)
        names = [each.branch for each in recorded.values() if each.state is ProposalState.OPEN]
        *heads, main = self._git.refs([*map(branch_ref, names), MAIN])
        branches = dict(zip(names, heads, strict=True))
        seen = {number: _at_its_branch(each, branches) for number, each in recorded.items()}
        merges = self._merges(main, [each.head for each in seen.values() if each.state is ProposalState.OPEN])
        proposals = {number: _as_main_says(each, merges) for number, each in seen.items()}
        return State(commit=commit, recorded=recorded, branches=branches, proposals=proposals)

    def _recorded(self, commit: str | None) -> dict[int, Proposal]:
        files = self._git.entries(commit, ("proposals",)) if commit else {}
        blobs = {identifier: path for path, (_, identifier) in files.items()}
        new = [identifier for identifier in blobs if identifier not in self._parsed]
        parsed = {identifier: self._parsed[identifier] for identifier in blobs if identifier in self._parsed}
        for identifier, blob in zip(new, self._git.objects(new), strict=True):
            parsed[identifier] = self._parse(blobs[identifier], blob)
        self._parsed = parsed
        return {each.number: each for each in sorted(parsed.values(), key=lambda proposal: proposal.number)}

    def _parse(self, path: str, blob: Blob | None) -> Proposal:
        try:
            return records.parse(blob.text if blob else "")
        except (ValueError, KeyError, TypeError) as error:
            step = "restore it from the ref's log, or use the version of Tidegate that wrote it"
            raise OutsideSystem(f"{self._git.path}: {path} of {FORGE} is unreadable: {error}; {step}") from error

    def _merges(self, main: str | None, heads: Sequence[str]) -> Mapping[str, tuple[str, datetime]]:
        """Of these commits those that main contains, each with the commit that brought it there, and when."""
        if main is None:
            return {}
        key = (main, tuple(heads))
        known, merges = self._contained
        if known != key:
            merges = {head: self._brought_by(head, main) for head in self._contained_in(main, heads)}
            self._contained = (key, merges)
        return merges

    def _contained_in(self, main: str, heads: Sequence[str]) -> list[str]:
        present = [head for head, blob in zip(heads, self._git.objects(heads), strict=True) if blob is not None]
        if not present:
            return []
        outside = self._git.run("rev-list", *present, f"^{main}", "--").decode().split()
        return [head for head in present if head not in set(outside)]

    def _brought_by(self, head: str, main: str) -> tuple[str, datetime]:
        chain = self._git.run("rev-list", "--first-parent", main, "--").decode().split()
        after = self._git.run("rev-list", "--ancestry-path", main, f"^{head}", "--").decode().split()
        with_it = {head, *after}
        commit = [commit for commit in chain if commit in with_it][-1]
        seconds = int(self._git.run("show", "--no-patch", "--format=%ct", commit, "--"))
        return commit, datetime.fromtimestamp(seconds, UTC)


def _at_its_branch(proposal: Proposal, branches: Mapping[str, str | None]) -> Proposal:
    if proposal.state is not ProposalState.OPEN:
        return proposal
    return replace(proposal, head=branches[proposal.branch] or proposal.head)


def _as_main_says(proposal: Proposal, merges: Mapping[str, tuple[str, datetime]]) -> Proposal:
    if proposal.state is not ProposalState.OPEN or proposal.head not in merges:
        return proposal
    commit, at = merges[proposal.head]
    return replace(proposal, state=ProposalState.MERGED, merge_commit=commit, merged_at=at)
