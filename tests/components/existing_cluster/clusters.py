"""API servers that answer as a test says, and kubeconfigs that lead to them."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from tests.doubles.servers import Handler, listening

from corral.components.existing_cluster import component
from corral.components.existing_cluster.examination import Examination
from corral.components.existing_cluster.state import ClusterState

CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
SNAPSHOTS = "/apis/snapshot.storage.k8s.io/v1/volumesnapshotclasses"
DAEMONS = "/apis/apps/v1/daemonsets"
NODES = "/api/v1/nodes"
DRA = "/apis/resource.k8s.io"
DRIVER = "csi.example.eu"
Answers = Mapping[str, Any]


def listed(*items: Any) -> dict[str, Any]:
    return {"items": list(items)}


def daemon(name: str, *containers: Mapping[str, Any], namespace: str = "kube-system") -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"template": {"spec": {"containers": list(containers)}}},
    }


def node(name: str, *, ready: bool = True, **labels: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": labels},
        "status": {"conditions": [{"type": "Ready", "status": str(ready)}], "allocatable": {"cpu": "8"}},
    }


def storage_class(name: str = "fast", *, default: bool = True, expands: bool = True) -> dict[str, Any]:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {
        "metadata": {"name": name, "annotations": annotations},
        "provisioner": DRIVER,
        "allowVolumeExpansion": expands,
    }


WHOLE: Answers = {
    "/version": {"gitVersion": "v1.35.1"},
    DRA: {"versions": [{"version": "v1"}, {"version": "v1beta2"}]},
    DAEMONS: listed(daemon("kube-proxy"), daemon("calico-node", {"name": "calico-node"})),
    CLASSES: listed(storage_class("slow", default=False), storage_class()),
    SNAPSHOTS: listed({"metadata": {"name": "s"}, "driver": DRIVER}),
    NODES: listed(node("cpu-0"), node("gpu-0", **{"nvidia.com/gpu.present": "true"})),
}
"""A cluster with everything."""


@contextlib.contextmanager
def serving(answers: Answers, *, token: str | None = None) -> Iterator[str]:
    """Address of an API server; a number is the status of an answer, and None as well as no entry is 404."""

    class Api(Handler):
        def do_GET(self) -> None:
            answer = answers.get(self.path)
            if token is not None and self.headers.get("Authorization") != f"Bearer {token}":
                answer = 401
            status = answer if isinstance(answer, int) else 404 if answer is None else 200
            self.answer(
                status, json.dumps(answer if status == 200 else {"kind": "Status", "code": status}).encode()
            )

    with listening(Api) as address:
        yield f"http://{address}"


def kubeconfig(server: str, user: Mapping[str, Any] | None = None) -> str:
    """Text of a kubeconfig with the contexts `here`, the current one, and `gone`."""
    contexts = {"here": server, "gone": "http://127.0.0.1:1"}
    return yaml.safe_dump(
        {
            "clusters": [{"name": name, "cluster": {"server": each}} for name, each in contexts.items()],
            "users": [{"name": "me", "user": dict(user or {})}],
            "contexts": [{"name": one, "context": {"cluster": one, "user": "me"}} for one in contexts],
            "current-context": "here",
        }
    )


def unexamined(patch: pytest.MonkeyPatch) -> None:
    """Stacks on existing clusters whose servers are not there, and are not looked for."""
    whole = Examination(ClusterState("", "v1.35.1", ("v1",), (), (), frozenset(), {}), ())
    patch.setattr(component, "examined", lambda *_: whole)
