"""What the verbs of people share: the environment they speak of, the versions known, and the proposal they make."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from tidegate.cli.session import Session, tell
from tidegate.core import wording
from tidegate.core.launch_record import vouch
from tidegate.core.observed import ModelVersion
from tidegate.errors import OutsideSystem, WrongUse
from tidegate.people import Place, ask, require_readable
from tidegate.steps.desk import Desk
from tidegate.steps.observe import Sources, environment_of
from tidegate.steps.proposing import transition_files

if TYPE_CHECKING:
    from tidegate.core.manifest import Model
    from tidegate.core.transition import Transition
    from tidegate.wiring.context import Context


class Asking:
    """One person's verb about one model: main is read once, and the proposal is made from what was read."""

    def __init__(self, session: Session, model: str) -> None:
        self.context: Context = session.context()
        self.handle = session.person(self.context)
        self.sources: Sources = self.context.sources(self.context.desired())
        self.model: Model = self.sources.desired.model(model).model

    def place(self, environment: str) -> Place:
        """The environment as main has it. Raises WrongUse with the names there are."""
        names = [each.name for each in self.model.environments]
        if environment not in names:
            raise WrongUse(f"{self.model.name} has no environment {environment!r}; there are: {', '.join(names)}")
        state = environment_of(self.model, environment, self.sources)
        return Place(
            model=self.model,
            environment=environment,
            history=state.history,
            handle=self.handle,
            unreadable=state.unreadable,
        )

    def versions(self) -> tuple[ModelVersion, ...]:
        """The registry's versions, or those of the launch records: going back must not wait for MLflow."""
        if isinstance(self._registered, OutsideSystem):
            tell(f"{self._registered}; going on with the versions that the launch records know")
            return self._recorded()
        return self._registered

    def version(self, number: int) -> ModelVersion:
        """One version. Raises OutsideSystem when only a registry that does not answer could know it, else WrongUse."""
        registered = self._registered
        known = self._recorded() if isinstance(registered, OutsideSystem) else registered
        for version in known:
            if version.number == number:
                return version
        name = self.model.registry_name
        if isinstance(registered, OutsideSystem):
            raise OutsideSystem(f"{registered}; no launch record knows version {number} of {name}")
        numbers = ", ".join(str(version.number) for version in known) or "none"
        raise WrongUse(f"the registry has no version {number} of {name}; there are: {numbers}")

    @cached_property
    def _registered(self) -> tuple[ModelVersion, ...] | OutsideSystem:
        """Asked once; a registry that does not answer is what it said."""
        try:
            return vouch(self.sources.records, self.sources.registry.versions(self.model.registry_name))
        except OutsideSystem as error:
            return error

    def _recorded(self) -> tuple[ModelVersion, ...]:
        now = self.context.clock.now()
        return tuple(
            ModelVersion(
                number=record.version, digest=record.artifact_digest, training_key=record.key,
                run_id=record.run_id, created_at=now,
            )
            for record in self.sources.records
            if record.model == self.model.name and record.version is not None and record.artifact_digest is not None
        )  # fmt: skip

    def propose(self, transition: Transition, *, dry_run: bool) -> int:
        """Make the proposal in the person's name and print what came of it."""
        desk = self.context.desk(self.sources.desired)
        if dry_run:
            require_readable(desk, self.model, transition)
            print(f"{wording.title(transition)}\n\n{_diff(desk, self.model, transition)}", end="")
            return 0
        asked = ask(desk, self.model, transition, self.handle)
        number, title = asked.proposal.number, asked.proposal.title
        if asked.merged is None:
            print(f"#{number} {title}: open; {asked.waiting_for or 'main has moved, the next pass merges it'}")
            return 0
        print(f"#{number} {title}: merged as {asked.merged.commit[:12]}")
        if asked.merged.incident is None:
            return 0
        tell(f"INCIDENT  {asked.merged.incident}")
        return 1


def _diff(desk: Desk, model: Model, transition: Transition) -> str:
    files: Mapping[str, str] = transition_files(desk, model, transition.environment, transition.after, desk.main)
    return "".join(_file_diff(path, desk.repository.read(desk.main, path) or "", text) for path, text in files.items())


def _file_diff(path: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), f"a/{path}", f"b/{path}", lineterm="")
    return "".join(f"{line}\n" for line in lines)
