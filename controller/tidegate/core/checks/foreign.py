"""Rules about files that are not ours, or not ours yet: other programs' YAML, other versions, other places.

Whatever such a file holds, it gets one finding that says what it seems to be: its form is not held against our schemas.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from tidegate import __version__
from tidegate.core.checks.rule import Rule
from tidegate.core.fault import Fault
from tidegate.core.finding import Finding
from tidegate.core.nearest import nearest
from tidegate.core.pin import API_VERSION
from tidegate.core.shown import shown
from tidegate.core.yaml.document import Document

FOREIGN_FILE = Rule(
    id="foreign-file",
    title="Not a file of Tidegate",
    why="The file has no `apiVersion: tidegate.dev/…`. It may belong to another program: then give it another name, or "
    "put it into a folder of its own. Beside a manifest, `<environment>.yaml` is a pin file, and below the folders in "
    "`models` every `model.yaml` is a manifest.",
    bad="{apiVersion: apps/v1, kind: Deployment, metadata: {name: churn}}",
    good="{apiVersion: tidegate.dev/v1alpha1, kind: Model, spec: {environments: {production: {}}}}",
)
EMPTY_FILE = Rule(
    id="empty-file",
    title="The file is empty",
    why="A file without content says nothing, and may be what is left of one that said something. Write it, or delete "
    "it.",
    bad="# apiVersion is not written yet",
    good="{apiVersion: tidegate.dev/v1alpha1, kind: Model, spec: {environments: {production: {}}}}",
)
MISPLACED_FILE = Rule(
    id="misplaced-file",
    title="A file in the wrong place",
    why="A manifest is named `model.yaml`, a pin file after its environment, a data lock `data.lock.yaml`, all in the "
    "model's folder; the workspace's settings are `tidegate.yaml` at the repository's root. Small letters, and "
    "`.yaml`: under another name they are not read.",
    bad="# models/churn/churn.yaml\n{apiVersion: tidegate.dev/v1alpha1, kind: Model, spec: {}}",
    good="# models/churn/model.yaml\n{apiVersion: tidegate.dev/v1alpha1, kind: Model, spec: {}}",
)
UNKNOWN_API_VERSION = Rule(
    id="unknown-api-version",
    title="A version of the format that this Tidegate does not read",
    why="`apiVersion` says in which version of the format a file is written. A newer one needs a newer Tidegate: "
    "reading half of it could promote what the other half forbids. `tidegate migrate` rewrites older ones. "
    "`tidegate.dev/v1alpha1` is read by Tidegate 0.1.0 and later.",
    bad="{apiVersion: tidegate.dev/v1beta1, kind: Model, metadata: {name: churn}}",
    good="{apiVersion: tidegate.dev/v1alpha1, kind: Model, metadata: {name: churn}}",
)
UNKNOWN_KIND = Rule(
    id="unknown-kind",
    title="A kind of file that there is not",
    why="`kind` says what the file is, and so by which schema it is read. Its first letter is a capital.",
    bad="{apiVersion: tidegate.dev/v1alpha1, kind: model, metadata: {name: churn}}",
    good="{apiVersion: tidegate.dev/v1alpha1, kind: Model, metadata: {name: churn}}",
)

RULES = (FOREIGN_FILE, EMPTY_FILE, MISPLACED_FILE, UNKNOWN_API_VERSION, UNKNOWN_KIND)

_MANIFEST, _SETTINGS, _LOCK = "model.yaml", "tidegate.yaml", "data.lock.yaml"
_NO_FILE_OF_OURS = "this is no file of Tidegate"
_GROUP = API_VERSION.partition("/")[0]
_VERSION = re.compile(r"v([0-9]+)(?:(alpha|beta)([0-9]+))?")
_RIPENESS = {"alpha": 0, "beta": 1, None: 2}
_CLAIM = re.compile(rb"apiVersion[\"']?\s*:\s*[\"']?tidegate")
_TOP_KEY = re.compile(r"^[\"']?([A-Za-z_][\w.-]*)[\"']?[ \t]*:(?:[ \t]+[\"']?([^\s\"'#]+))?", re.MULTILINE)
_WORD = re.compile(r"[\w.-]{1,60}")
_LOOKED_AT = 100_000
_KINDS_OF_YAML = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}

_PROGRAMS = {
    "argoproj.io": "Argo",
    "backstage.io": "Backstage",
    "fluxcd.io": "Flux",
    "flagger.app": "Flagger",
    "gateway.networking.k8s.io": "the Gateway API",
    "kargo.akuity.io": "Kargo",
    "knative.dev": "Knative",
    "kserve.io": "KServe",
    "kubeflow.org": "Kubeflow",
    "kustomize.config.k8s.io": "Kustomize",
    "istio.io": "Istio",
    "monitoring.coreos.com": "the Prometheus Operator",
    "openslo": "OpenSLO",
    "ray.io": "KubeRay",
    "seldon.io": "Seldon",
    "sloth.slok.dev": "Sloth",
    "tekton.dev": "Tekton",
}
"""By the end of the group in `apiVersion`; every other one with a `kind` is Kubernetes'."""
_SIGNS: tuple[tuple[str, frozenset[str]], ...] = tuple(
    (what, frozenset(keys.split()))
    for what, keys in (
        ("a chart of Helm", "apiVersion name version"),
        ("a model of MLflow (MLmodel)", "flavors"),
        ("a project of MLflow (MLproject)", "entry_points"),
        ("a project of MLflow (MLproject)", "name python_env"),
        ("a project of MLflow (MLproject)", "name docker_env"),
        ("a lock of DVC (dvc.lock)", "schema stages"),
        ("data tracked by DVC", "outs"),
        ("a workflow of GitHub Actions", "on jobs"),
        ("an action of GitHub", "runs"),
        ("a configuration of Dependabot", "version updates"),
        ("an SLO of Sloth", "version service slos"),
        ("a file of Serverless", "service provider functions"),
        ("a file of Docker Compose", "services"),
        ("an OpenAPI description", "openapi"),
        ("an OpenAPI description", "swagger"),
        ("an AsyncAPI description", "asyncapi"),
        ("rules of Prometheus", "groups"),
        ("a configuration of Prometheus", "scrape_configs"),
        ("a configuration of Alertmanager", "route receivers"),
        ("a configuration of pre-commit", "repos"),
        ("a configuration of MkDocs", "site_name"),
        ("an environment of conda", "channels dependencies"),
        ("an environment of conda", "name dependencies"),
        ("values of a Helm chart", "replicaCount"),
        ("values of a Helm chart", "image service"),
        ("values of a Helm chart", "image ingress"),
        ("values of a Helm chart", "image resources"),
        ("a template of CloudFormation", "AWSTemplateFormatVersion"),
        ("a feature store of Feast", "project registry provider"),
        ("a project of dbt", "name profile model-paths"),
        ("a build of BentoML", "service include"),
        ("a pipeline of Azure", "trigger pool"),
        ("a pipeline of GitLab", "stages variables"),
        ("a pipeline of GitLab", "stages default"),
    )
)
"""What a file is, by keys at its top: the first line all of whose keys are there."""
_DVC = frozenset(["stages", "params", "metrics", "plots", "vars", "artifacts", "datasets"])


def stranger(document: Document, kinds: Collection[str], older: Collection[str] | None = None) -> Fault | None:
    """The one fault of a file that is not ours; None when its form should be looked at.

    `kinds` are those we know, and `older` the versions that `migrate` rewrites: by default those it has steps for.
    """
    data = document.data
    if data is None:
        return EMPTY_FILE.at((), "the file is empty", f"{_begin(document.path)}; or delete it")
    if not isinstance(data, dict):
        return FOREIGN_FILE.at((), f"{_NO_FILE_OF_OURS}: it holds {_kind(data)}", _either(document.path))
    version, known = data.get("apiVersion"), data.get("kind") in list(kinds)
    if version == API_VERSION:
        return None if known else _unknown_kind(document, kinds)
    if version is None and known:
        return None  # the schema says that it is missing, with everything else
    if _is_of_ours(version, known):
        return _unknown_version(str(version), older)
    return _foreign(data, document.path)


def is_claimed(raw: bytes) -> bool:
    """Whether the file says of itself that it is Tidegate's, in whatever version and however broken."""
    return b"tidegate" in raw and _CLAIM.search(raw) is not None


def clear(findings: Sequence[Finding], raw: bytes, path: str) -> Sequence[Finding]:
    """What is wrong with the syntax of a file; one finding instead where the file is another program's.

    Templates, merge keys, tags and several documents are usual there, and would be told one by one.
    """
    text = raw[:_LOOKED_AT].decode(errors="replace")
    top = {found[1]: found[2] or "" for found in reversed(list(_TOP_KEY.finditer(text)))}
    if is_claimed(raw) or (seen := _seems(top)) is None:
        return findings
    fault = _not_ours(seen, path)
    first = replace(findings[0], rule=fault.rule, message=fault.message, hint=fault.hint, severity=fault.severity)
    return (replace(first, line=1, column=1),)


def misplaced(kind: str, path: str) -> Fault | None:
    """The fault of a file of ours that stands where its kind is not looked for; None where it stands right."""
    name = path.rpartition("/")[2]
    belongs = {"Model": name == _MANIFEST, "Workspace": path == _SETTINGS, "DataLock": name == _LOCK}
    taken = name in (_MANIFEST, _LOCK) or path == _SETTINGS
    right = belongs.get(kind, not taken and (kind != "Pin" or name.endswith(".yaml")))
    return None if right else MISPLACED_FILE.at((), f"a {kind} is not read from {path}", _right_place(kind, name))


def in_place_of_a_pin(kind: str, path: str) -> Fault:
    """The fault of a file of ours whose name is an environment's."""
    return MISPLACED_FILE.at((), f"a {kind} is not read from {path}, where a pin file belongs", _right_place(kind, ""))


def is_nearly_manifest(path: str) -> bool:
    """Whether a file is named so much like a manifest that it is one: `Model.yaml`, `model.yml`."""
    return path.rpartition("/")[2].lower() in (_MANIFEST, "model.yml")


def _right_place(kind: str, name: str) -> str:
    match kind:
        case "Model":
            own = "" if is_nearly_manifest(name) else ", in a folder of its own"
            return f"name it {_MANIFEST}{own}"
        case "Workspace":
            return f"name it {_SETTINGS}, at the repository's root"
        case "DataLock":
            return f"name it {_LOCK}, beside the manifest"
        case "Pin":
            return "name it after its environment, such as production.yaml, beside the manifest"
        case _:
            return "give it a name of its own"


def _kind(data: object) -> str:
    return next(name for kind, name in _KINDS_OF_YAML.items() if isinstance(data, kind))


def _begin(path: str) -> str:
    kind = {_MANIFEST: "Model", _SETTINGS: "Workspace", _LOCK: "DataLock"}.get(path.rpartition("/")[2], "Pin")
    return f"begin it with `apiVersion: {API_VERSION}` and `kind: {kind}`"


def _elsewhere(path: str) -> str:
    name = path.rpartition("/")[2]
    named = f"only manifests are named {_MANIFEST}: " if name == _MANIFEST else ""
    return f"{named}give it another name, or a folder of its own"


def _either(path: str) -> str:
    return f"{_elsewhere(path)}; or {_begin(path)}"


def _unknown_kind(document: Document, kinds: Collection[str]) -> Fault:
    kind = document.data.get("kind")
    if kind is None:
        return UNKNOWN_KIND.at((), "the key kind is missing", _begin(document.path))
    close = nearest(str(kind), kinds)
    hint = f"write {close}" if close else f"there are: {', '.join(sorted(kinds))}"
    return UNKNOWN_KIND.at(("kind",), f"there is no kind {shown(kind)}", hint)


def _is_of_ours(version: object, kind_is_ours: bool) -> bool:
    """Another version of the format, or a misspelt one."""
    if not isinstance(version, str):
        return False
    group, slash, _ = version.partition("/")
    if not slash:
        return kind_is_ours
    return SequenceMatcher(None, group.lower(), _GROUP).ratio() > 0.75


def _unknown_version(version: str, older: Collection[str] | None) -> Fault:
    if older is None:
        from tidegate.core.migrations import MIGRATIONS

        older = [migration.before for migration in MIGRATIONS]
    group, _, number = version.partition("/")
    age = _age(number) if group == _GROUP else None
    if version in older:
        message, hint = f"{version} is older than {API_VERSION}", "run `tidegate migrate`"
    elif age is not None and age > (_age(API_VERSION.partition("/")[2]) or ()):
        message = f"{version} is newer than this Tidegate ({__version__}), which reads {API_VERSION}"
        hint = "upgrade Tidegate to the version for which the file was written"
    else:
        message, hint = f"there is no version {shown(version)} of the format", f"write {API_VERSION}"
    return UNKNOWN_API_VERSION.at(("apiVersion",), message, hint)


def _age(number: str) -> tuple[int, ...] | None:
    """Comparable, in the order of Kubernetes' versions: v1alpha1, v1alpha2, v1beta1, v1, v2alpha1."""
    found = _VERSION.fullmatch(number)
    return (int(found[1]), _RIPENESS[found[2]], int(found[3] or 0)) if found else None


def _foreign(data: Mapping[str, object], path: str) -> Fault:
    seen = _seems(data)
    if seen is not None:
        return _not_ours(seen, path)
    if data.keys() <= {"apiVersion", "kind", "metadata", "spec"}:
        return FOREIGN_FILE.at((), "the file does not say that it is Tidegate's", _begin(path))
    message = f"{_NO_FILE_OF_OURS}: it does not say `apiVersion: {API_VERSION}`"
    return FOREIGN_FILE.at((), message, _either(path))


def _not_ours(seen: str, path: str) -> Fault:
    return FOREIGN_FILE.at((), f"{_NO_FILE_OF_OURS}: it seems to be {seen}", _elsewhere(path))


def _seems(top: Mapping[str, object]) -> str | None:
    """What a file seems to be by the keys at its top; None where nothing says it."""
    if "apiVersion" in top and "kind" in top:
        return _kubernetes(str(top["apiVersion"]), str(top["kind"]))
    keys = frozenset(map(str, top))
    if "stages" in keys and keys <= _DVC:
        return "a pipeline of DVC (dvc.yaml)"
    return next((what for what, sign in _SIGNS if sign <= keys), None)


def _kubernetes(version: str, kind: str) -> str:
    group = version.partition("/")[0]
    of = next((program for end, program in _PROGRAMS.items() if group.endswith(end)), "Kubernetes")
    if not _WORD.fullmatch(kind):
        return f"an object of {of}"
    return f"{'an' if kind[0] in 'AEIOU' else 'a'} {kind} of {of}"
