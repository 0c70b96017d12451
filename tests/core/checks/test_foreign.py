"""Files of other programs, of other versions and in other places: one finding each, which says what they seem to be."""

from __future__ import annotations

import pytest

from support.inspecting import SCHEMAS, Folder, inspected, split
from tidegate import __version__
from tidegate.core.checks import foreign
from tidegate.core.fault import placed
from tidegate.core.finding import Finding
from tidegate.core.inspection import Inspector, inspect_settings
from tidegate.core.pin import API_VERSION
from tidegate.core.workspace import Workspace
from tidegate.core.yaml.document import read

RULES = {rule.id for rule in foreign.RULES}
HEAD = f"apiVersion: {API_VERSION}\nkind: "
MANIFEST = f"{HEAD}Model\nmetadata: {{name: churn}}\nspec: {{environments: {{production: {{}}}}}}\n"
MODEL = "models/churn/model.yaml"

OTHERS = {
    "a Deployment of Kubernetes": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: churn}\nspec: {}\n",
    "a Service of Kubernetes": "apiVersion: v1\nkind: Service\n---\napiVersion: apps/v1\nkind: Deployment\n",
    "a ConfigMap of Kubernetes": "apiVersion: v1\nkind: ConfigMap\ndata:\n  a: {{ .Values.a }}\n  b: {{ .Values.b }}\n",
    "an InferenceService of KServe": "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nspec: {}\n",
    "a Rollout of Argo": "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nspec: {strategy: {canary: {steps: []}}}\n",
    "a Model of Seldon": "apiVersion: mlops.seldon.io/v1alpha1\nkind: Model\nmetadata: {name: iris}\nspec: {}\n",
    "a PrometheusRule of the Prometheus Operator": "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\n",
    "a chart of Helm": "apiVersion: v2\nname: churn\nversion: 1.0.0\n",
    "values of a Helm chart": "replicaCount: 2\nimage: {repository: churn}\n",
    "a pipeline of DVC (dvc.yaml)": "stages:\n  train: {cmd: python train.py, deps: [data]}\nmetrics: [m.json]\n",
    "a lock of DVC (dvc.lock)": "schema: '2.0'\nstages: {train: {cmd: python train.py}}\n",
    "data tracked by DVC": "outs:\n- md5: abc\n  path: data\n",
    "a project of MLflow (MLproject)": "name: churn\nentry_points:\n  main: {command: python train.py}\n",
    "a model of MLflow (MLmodel)": "artifact_path: model\nflavors: {python_function: {}}\nrun_id: abc\n",
    "a workflow of GitHub Actions": "name: ci\non: [push]\njobs: {test: {steps: [{run: echo ${{ x }}}]}}\n",
    "an action of GitHub": "name: Validate\nruns: {using: composite, steps: []}\n",
    "a file of Docker Compose": "x-base: &base {restart: always}\nservices:\n  a: {<<: *base}\n  b: {<<: *base}\n",
    "an OpenAPI description": "openapi: 3.1.0\ninfo: {title: churn}\npaths: {}\n",
    "rules of Prometheus": "groups:\n- name: churn\n  rules: []\n",
    "a configuration of Prometheus": "global: {}\nscrape_configs: []\n",
    "a configuration of pre-commit": "repos: []\n",
    "a configuration of MkDocs": "site_name: churn\nplugins: !!python/name:a\nextra: !ENV x\n",
    "a template of CloudFormation": "AWSTemplateFormatVersion: 2010-09-09\nResources:\n  A: !Ref b\n  B: !Sub c\n",
    "an environment of conda": "name: churn\nchannels: [defaults]\ndependencies: [python]\n",
}


def strings(findings: list[Finding]) -> list[str]:
    return [str(finding).removeprefix(f"{MODEL}:") for finding in findings]


@pytest.mark.parametrize(("seen", "text"), OTHERS.items(), ids=OTHERS)
def test_another_program_s_file_gets_one_finding_wherever_it_is(seen: str, text: str) -> None:
    message = f"1:1: error foreign-file: this is no file of Tidegate: it seems to be {seen}; fix: "
    hint = "give it another name, or a folder of its own"
    assert strings(inspected({MODEL: text})) == [f"{message}only manifests are named model.yaml: {hint}"]
    beside = inspected({MODEL: MANIFEST, "models/churn/production.yaml": text})
    assert [str(one) for one in beside if one.path != MODEL] == [f"models/churn/production.yaml:{message}{hint}"]
    settings, workspace = inspect_settings(text.encode(), SCHEMAS, Folder({}))
    assert [str(one) for one in settings] == [f"tidegate.yaml:{message}{hint}"]
    assert workspace == Workspace()


def test_another_program_s_file_beside_a_manifest_is_nobody_s_business() -> None:
    files = {f"models/churn/other-{number}.yaml": text.encode() for number, text in enumerate(OTHERS.values())}
    files["models/churn/labelled.yaml"] = (
        b"apiVersion: apps/v1\nkind: Deployment\nmetadata: {labels: {tidegate.dev/model: churn}}\n"
    )
    inspector = Inspector(schemas=SCHEMAS, workspace=Workspace())
    found = inspector.folder({MODEL: MANIFEST.encode(), **files}, Folder(files)).findings
    assert [one for one in found if one.path != MODEL] == []


BEGIN = f"begin it with `apiVersion: {API_VERSION}` and `kind: Model`"
NAMED = "only manifests are named model.yaml: give it another name, or a folder of its own; or " + BEGIN


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", f"1:1: error empty-file: the file is empty; fix: {BEGIN}; or delete it", id="nothing"),
        pytest.param(
            "# later\n---\n", f"3:1: error empty-file: the file is empty; fix: {BEGIN}; or delete it", id="a comment"
        ),
        pytest.param(
            "- hosts: all\n",
            f"1:1: error foreign-file: this is no file of Tidegate: it holds a list; fix: {NAMED}",
            id="a list",
        ),
        pytest.param(
            "\n\nchurn\n",
            f"3:1: error foreign-file: this is no file of Tidegate: it holds a text; fix: {NAMED}",
            id="a text, where it stands",
        ),
        pytest.param(
            "true\n",
            f"1:1: error foreign-file: this is no file of Tidegate: it holds true or false; fix: {NAMED}",
            id="a boolean",
        ),
        pytest.param(
            "name: churn\ntarget: 99%\n",
            "1:1: error foreign-file: this is no file of Tidegate: "
            f"it does not say `apiVersion: tidegate.dev/v1alpha1`; fix: {NAMED}",
            id="a mapping of something",
        ),
        pytest.param(
            "metadata: {name: churn}\nspec: {environments: {production: {}}}\n",
            f"1:1: error foreign-file: the file does not say that it is Tidegate's; fix: {BEGIN}",
            id="a manifest without its head",
        ),
        pytest.param(
            "apiVersion: [1]\nkind: Model\n",
            "1:1: error foreign-file: this is no file of Tidegate: it seems to be a Model of Kubernetes; "
            "fix: only manifests are named model.yaml: give it another name, or a folder of its own",
            id="a version that is none",
        ),
        pytest.param(
            f"apiVersion: {API_VERSION}\n",
            f"1:1: error unknown-kind: the key kind is missing; fix: {BEGIN}",
            id="no kind",
        ),
        pytest.param(
            f"{HEAD}model\n", '2:7: error unknown-kind: there is no kind "model"; fix: write Model', id="small letters"
        ),
        pytest.param(
            f"{HEAD}Modell\n", '2:7: error unknown-kind: there is no kind "Modell"; fix: write Model', id="misspelt"
        ),
        pytest.param(
            f"{HEAD}Route\n",
            '2:7: error unknown-kind: there is no kind "Route"; '
            "fix: there are: DataContract, DataLock, Model, Pin, Workspace",
            id="a kind that is only rendered",
        ),
        pytest.param(
            f"{HEAD}[Model]\n",
            '2:7: error unknown-kind: there is no kind ["Model"]; '
            "fix: there are: DataContract, DataLock, Model, Pin, Workspace",
            id="a list of one",
        ),
        pytest.param(
            "apiVersion: tidegate.dev/v1beta1\nkind: Model\nspec: 7\n",
            f"1:13: error unknown-api-version: tidegate.dev/v1beta1 is newer than this Tidegate ({__version__}), which "
            "reads tidegate.dev/v1alpha1; fix: upgrade Tidegate to the version for which the file was written",
            id="a newer version",
        ),
        pytest.param(
            "apiVersion: tidegate.dev/v2alpha1\nkind: Fleet\n",
            f"1:13: error unknown-api-version: tidegate.dev/v2alpha1 is newer than this Tidegate ({__version__}), "
            "which reads tidegate.dev/v1alpha1; fix: upgrade Tidegate to the version for which the file was written",
            id="a newer version with a kind of its own",
        ),
        pytest.param(
            "apiVersion: tidegate.dev/alpha\nkind: Model\n",
            '1:13: error unknown-api-version: there is no version "tidegate.dev/alpha" of the format; '
            "fix: write tidegate.dev/v1alpha1",
            id="a version that there never was",
        ),
        pytest.param(
            "kind: Model\napiVersion: tidegate.io/v1alpha1\n",
            '2:13: error unknown-api-version: there is no version "tidegate.io/v1alpha1" of the format; '
            "fix: write tidegate.dev/v1alpha1",
            id="another ending of the name",
        ),
        pytest.param(
            "apiVersion: v1alpha1\nkind: Model\n",
            '1:13: error unknown-api-version: there is no version "v1alpha1" of the format; '
            "fix: write tidegate.dev/v1alpha1",
            id="the name left out",
        ),
        pytest.param(
            f"{HEAD}Pin\n",
            "1:1: error misplaced-file: a Pin is not read from models/churn/model.yaml; "
            "fix: name it after its environment, such as production.yaml, beside the manifest",
            id="a pin in place of the manifest",
        ),
    ],
)
def test_one_finding_says_what_is_wrong(text: str, expected: str) -> None:
    assert strings(inspected({MODEL: text})) == [expected]


def test_a_manifest_that_lacks_its_version_alone_is_looked_at() -> None:
    found = inspected({MODEL: "kind: Model\nmetadata: {name: churn}\nspec: {environments: {production: 7}}\n"})
    assert {one.rule for one in found} >= {"missing-key", "wrong-type"}
    assert not {one.rule for one in found} & RULES


def test_an_older_version_is_one_for_migrate() -> None:
    document = read("apiVersion: tidegate.dev/v0test\nkind: Model\n", "p")
    fault = foreign.stranger(document, SCHEMAS, older=["tidegate.dev/v0test"])
    assert fault is not None
    assert str(placed(document, fault)) == (
        "p:1:13: error unknown-api-version: tidegate.dev/v0test is older than tidegate.dev/v1alpha1; "
        "fix: run `tidegate migrate`"
    )


@pytest.mark.parametrize(
    ("path", "kind", "hint"),
    [
        pytest.param("models/churn/model.yml", "Model", "name it model.yaml", id="the other ending"),
        pytest.param("models/churn/Model.yaml", "Model", "name it model.yaml", id="a capital"),
        pytest.param("models/churn/churn.yaml", "Model", "name it model.yaml, in a folder of its own", id="own name"),
        pytest.param("tidegate.yml", "Workspace", "name it tidegate.yaml, at the repository's root", id="settings"),
        pytest.param(
            "models/churn/tidegate.yaml", "Workspace", "name it tidegate.yaml, at the repository's root", id="too deep"
        ),
        pytest.param("models/churn/lock.yaml", "DataLock", "name it data.lock.yaml, beside the manifest", id="a lock"),
        pytest.param("models/churn/data.lock.yaml", "DataContract", "give it a name of its own", id="a contract"),
        pytest.param(
            "models/churn/production.yml",
            "Pin",
            "name it after its environment, such as production.yaml, beside the manifest",
            id="a pin file with the other ending",
        ),
    ],
)
def test_a_misplaced_file_gets_one_finding(path: str, kind: str, hint: str) -> None:
    files = {path: f"{HEAD}{kind}\nnonsense: 1\n"}
    assert [str(finding) for finding in inspected(files)] == [
        f"{path}:1:1: error misplaced-file: a {kind} is not read from {path}; fix: {hint}"
    ]


def test_pin_files_are_not_blamed_for_a_manifest_that_is_named_otherwise() -> None:
    files = {"models/churn/model.yml": MANIFEST, "models/churn/production.yaml": f"{HEAD}Pin\n"}
    assert {one.rule for one in inspected(files)} == {"misplaced-file"}


def test_settings_of_another_kind_are_misplaced() -> None:
    [finding] = inspected(split(f"# tidegate.yaml\n{HEAD}Model\n"))
    assert str(finding).startswith("tidegate.yaml:1:1: error misplaced-file: a Model is not read from tidegate.yaml")


def test_syntax_errors_of_our_own_files_stay() -> None:
    text = f"{HEAD}Model\nservices: [\n"
    assert [one.rule for one in inspected({MODEL: text})] == ["yaml-syntax"]
