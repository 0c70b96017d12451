"""What `doctor` works with: who looks at the clone, the forge and the servers that the files here name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from tidegate import bundled
from tidegate.adapters.git import GitRepository, clone_at
from tidegate.adapters.git.survey import CloneSurvey
from tidegate.core.diagnosis import metrics, registry
from tidegate.core.diagnosis.metrics import PrometheusFacts, Rejected
from tidegate.core.diagnosis.registry import RegistryFacts
from tidegate.core.diagnosis.remark import Unknown
from tidegate.core.diagnosis.repository import ELSEWHERE, KEY_UNREADABLE, NOT_SIGNED_IN, ForgeFacts, TurnedAway
from tidegate.doctor import Sample, Surveyors, Wishes, read_wishes
from tidegate.errors import TidegateError, WrongUse
from tidegate.ports import Clock, Surveyor
from tidegate.settings import GitHub
from tidegate.steps.desired import Desired, DesiredReader
from tidegate.wiring import github
from tidegate.wiring.context import Context, NoMetrics

T_co = TypeVar("T_co", covariant=True)
NO_ORIGIN = Unknown(why="this clone has no origin that could be on it")


@dataclass(frozen=True, slots=True)
class Told(Generic[T_co]):
    """Stands in for who would look, where it is known before what there is to see."""

    fact: T_co

    def survey(self, clock: Clock) -> T_co:  # noqa: ARG002 - the port's signature
        return self.fact


class Here(Context):
    """The servers as the files of this checkout name them, pushed or not."""

    def __init__(self, context: Context) -> None:
        super().__init__(context.settings)
        clone = clone_at(self.settings.folder)
        tree = GitRepository(clone.directory, identity=self.settings.identity, work_tree=clone.work_tree)
        self.wishes: Wishes = read_wishes(DesiredReader(tree, bundled.schemas()), tree, tree.snapshot(), self.targets)

    def desired(self) -> Desired:
        return self.wishes.desired

    def surveyors(self) -> Surveyors:
        """Raises WrongUse where a variable that names a server holds no address: there is nobody to ask."""
        self.require_addresses()
        return Surveyors(
            checkout=CloneSurvey(self.settings.folder, self.settings.identity),
            forge=self._forge_survey(),
            registry=self._registry_survey,
            prometheus=self._prometheus_survey(),
            metrics=self.metrics,
        )

    def _registry_survey(self, sample: Sample | None) -> Surveyor[RegistryFacts | registry.TurnedAway | Unknown]:
        from tidegate.adapters.mlflow import MlflowSurvey

        if self.desired().workspace.registry is None and self.settings.registry_uri is None:
            return Told(registry.NOT_SET)
        try:
            return MlflowSurvey(self._mlflow, sample)
        except TidegateError as error:
            return Told(Unknown(why=str(error)))

    def _prometheus_survey(self) -> Surveyor[PrometheusFacts | Rejected | Unknown]:
        from tidegate.adapters.prometheus import Prometheus

        if self.desired().workspace.prometheus is None and self.settings.prometheus_url is None:
            return Told(metrics.NOT_SET)
        found = self._metrics()
        if isinstance(found, Prometheus):
            return found
        assert isinstance(found, NoMetrics)
        return Told(Rejected(words=found.now().words))

    def _forge_survey(self) -> Surveyor[ForgeFacts | TurnedAway | Unknown] | None:
        """None for the local forge."""
        from tidegate.adapters.github import Address
        from tidegate.adapters.github.survey import GitHubSurvey

        origin, server = self._origin_if_any(), self.settings.github
        full_name = github.repository_at(origin, server)
        if isinstance(origin, Path):
            return None
        if full_name is None:
            return Told(NO_ORIGIN if origin is None else _elsewhere(origin, server))
        owner, _, name = full_name.partition("/")
        address = Address(owner=owner, name=name, api=server.api, server=server.server, logins=github.logins())
        try:
            return GitHubSurvey(address, github.credential(), self.wishes.files.environments)
        except github.NotSignedIn as error:
            return Told(TurnedAway(words=str(error), rule=NOT_SIGNED_IN))
        except TidegateError as error:  # only a key is left that is missing, none, or in no file
            return Told(TurnedAway(words=str(error), rule=KEY_UNREADABLE))

    def _origin_if_any(self) -> Path | str | None:
        try:
            return self._origin
        except WrongUse:
            return None


def _elsewhere(origin: str, settings: GitHub) -> TurnedAway:
    return TurnedAway(words=f"origin is {origin}, which is not on {settings.server}", rule=ELSEWHERE)


def examined(context: Context) -> tuple[Wishes, Surveyors]:
    """What the files here want, and who looks. Raises WrongUse without a workspace."""
    here = Here(context)
    return here.wishes, here.surveyors()
