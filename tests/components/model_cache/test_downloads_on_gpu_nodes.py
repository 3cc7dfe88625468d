"""SOV-GPU-06 and the downloads of KServe's agent: on GPU nodes without a GPU, beside the store alone."""

from typing import Any

import pytest

from corral.controls.evaluate import evaluate_object
from corral.controls.profiles import profile
from corral.controls.register import control

TAINT = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
POD = {"containers": [{"name": "download", "image": "e/x"}], "tolerations": [TAINT]}


def allowed(kind: str, namespace: str, owner: str | None, *, controller: bool = True) -> bool:
    owners = [] if owner is None else [{"kind": owner, "name": "gpu-0", "controller": controller}]
    metadata: dict[str, Any] = {"name": "live-gpu-0", "namespace": namespace, "ownerReferences": owners}
    spec: dict[str, Any] = POD if kind == "Pod" else {"template": {"spec": POD}}
    made = {"kind": kind, "metadata": metadata, "spec": spec}
    return not list(evaluate_object(control("SOV-GPU-06"), made, profile("air-gapped")))


@pytest.mark.parametrize(("kind", "owner"), [("Job", "LocalModelNode"), ("Pod", "Job")])
def test_a_download_and_its_pod_may_run_on_a_node_with_gpus(kind: str, owner: str):
    assert allowed(kind, "model-storage", owner)


@pytest.mark.parametrize(
    ("kind", "namespace", "owner", "controller"),
    [
        ("Job", "team", "LocalModelNode", True),
        ("Pod", "team", "Job", True),
        ("Job", "model-storage", None, True),
        ("Pod", "model-storage", "ReplicaSet", True),
        ("Pod", "model-storage", "Job", False),
    ],
)
def test_nothing_else_may(kind: str, namespace: str, owner: str | None, controller: bool):
    assert not allowed(kind, namespace, owner, controller=controller)
