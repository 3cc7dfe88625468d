"""Nodes that have GPUs are for what uses them, and for what watches nodes."""

from typing import Any

import pytest

from corral.controls.evaluate import evaluate_object
from corral.controls.profiles import PROFILES
from corral.controls.register import control

TOLERANT: dict[str, Any] = {
    "containers": [{"name": "c", "image": "e/x"}],
    "tolerations": [{"operator": "Exists"}],
}


def refused(kind: str = "Pod", **metadata: Any) -> bool:
    spec: Any = TOLERANT if kind == "Pod" else {"template": {"spec": TOLERANT}}
    subject = {"kind": kind, "metadata": metadata, "spec": spec}
    return bool(evaluate_object(control("SOV-GPU-06"), subject, PROFILES["eu-resident"]))


def test_what_watches_nodes_is_on_all_of_them() -> None:
    assert refused() and refused("Deployment")
    assert not refused("DaemonSet")
    assert not refused(ownerReferences=[{"kind": "DaemonSet", "name": "a", "controller": True}])


@pytest.mark.parametrize(
    "owner", [{"kind": "DaemonSet", "name": "a"}, {"kind": "ReplicaSet", "name": "a", "controller": True}]
)
def test_a_pod_that_no_daemonset_controls_is_no_agent(owner: dict[str, Any]) -> None:
    assert refused(ownerReferences=[owner])


def test_what_a_cluster_is_made_of_tolerates_what_it_must() -> None:
    assert not refused(namespace="kube-system")
    assert refused(namespace="kube-systems")
