"""A workspace of thousands of models in a git repository, each as a team would write it: 61 lines and two pin files.

Pin files have no canary: the C part of ruamel.yaml holds a libyaml that refuses `{pin: 12@sha256:…}`, and the programs
compared here must read the same files.
"""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from tidegate.core.pin import NOTHING_BEFORE, Pin, Rejected, Stamp, content, stamped
from tidegate.core.quantity import VersionPin
from tidegate.core.yaml.splice import dump

SETTINGS = """\
apiVersion: tidegate.dev/v1alpha1
kind: Workspace
registry: {uri: "http://127.0.0.1:5000"}
prometheus: {url: "http://127.0.0.1:9090"}
approvals:
  production: {from: ["@dana"]}
"""
MANIFEST = """\
# yaml-language-server: $schema=../../.tidegate/schemas/model.schema.json
apiVersion: tidegate.dev/v1alpha1
kind: Model
metadata:
  name: NAME
  owners: ["@acme/growth-ml"]
  labels: {team: growth, tier: "1"}
spec:
  training:
    source: training
    command: [python, train.py, --depth, "{{ parameters.depth }}"]
    environment: requirements.lock
    parameters:
      depth: DEPTH
      learning_rate: 0.05
      features: [age, plan, region, tenure]
    data:
      customers:
        uri: s3://bucket/NAME/customers/2026-03
        digest: "DIGEST"
    seed: SEED
    lease: {deadline: 30m, attempts: 2}
  gates:
    roc_auc: {minimum: 0.80, maxDrop: 0.005}   # versus the champion
    recall:
      minimum: 0.60
      slice: new-customers
      severity: warning
  objectives:
    availability:
      preset: http-availability
      target: 99.5%
    latency:
      histogram: predict_seconds
      under: 250ms
      target: 99%
    errors:
      bad: 'predict_errors_total{reason!="client"}'
      total: predict_requests_total
      target: 99%
      effect: block
  rollout:
    steps: [5%, 25%, 50%]
    bake: 45m
    warmUp: 5m
    worseThan: 1.1
    ruleOut: 2
    minimumEvents: 300
    maximumDuration: 12h
    probation:
      duration: 48h
  serving:
    target:
      kind: file
      ready: model_ready
  environments:
    staging:
      rollout:
        bake: 10m
    production:
      approval: required
"""


def make(root: Path, models: int) -> None:
    """Write and commit it."""
    root.mkdir(parents=True)
    (root / "tidegate.yaml").write_text(SETTINGS, encoding="utf-8")
    for number in range(models):
        _model(root / "models" / f"model-{number:05d}", number)
    git = ["git", "-C", str(root), "-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "models"]):
        subprocess.run([*git, *command], check=True)


def _model(folder: Path, number: int) -> None:
    (folder / "training").mkdir(parents=True)
    words = {"NAME": folder.name, "DEPTH": str(3 + number % 9), "SEED": str(number), "DIGEST": _digest(folder.name)}
    manifest = MANIFEST
    for word, value in words.items():
        manifest = manifest.replace(word, value)
    files = {"model.yaml": manifest, "requirements.lock": "numpy==2.1.0\n", "training/train.py": "print('trained')\n"}
    files |= {f"{name}.yaml": _pin(folder.name, name, number) for name in ("staging", "production")}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def _pin(model: str, environment: str, number: int) -> str:
    previous, stable = (
        VersionPin(version=n, digest=_digest(f"{model}{n}")) for n in (1 + number % 50, 2 + number % 50)
    )
    rejected = Rejected(version=900, key="k" + "a" * 16, reason="latency ×2.4", proposal=41)
    pin = Pin(
        stable=stable, previous=previous, rejected=(rejected,) if number % 3 == 0 else (), policy=_digest("p")[7:47]
    )
    stamp = Stamp(kind="finish", before=NOTHING_BEFORE, attempt=1, key="")
    return dump(content(stamped(model, environment, pin, stamp)))


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
