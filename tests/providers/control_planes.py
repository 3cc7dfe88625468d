"""Clusters of a test provider on an embedded plane: what a cloud does there, simulated by name.

Of the cloud's side there are an API server that answers at the cluster's endpoint, admins that get a token,
nodes that join, and volumes. Real are the API server, its scheduler and its rights. Nodes are simulated
machines of the inventory, with the labels and taints of their group; a volume is a folder of this machine.
"""

import base64
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import yaml

from corral.embedded.home import PlaneHome
from corral.embedded.plane import kubeconfig
from corral.embedded.plane.control import certificates
from corral.embedded.plane.processes import end
from corral.embedded.plane.record import PlaneRecord
from corral.embedded.plane.state import PlaneState

SELECTED_NODE = "volume.kubernetes.io/selected-node"
EFFECTS = {
    "NO_SCHEDULE": "NoSchedule",
    "NO_EXECUTE": "NoExecute",
    "PREFER_NO_SCHEDULE": "PreferNoSchedule",
}
"""Taints' effects as clouds write them, and as Kubernetes does."""
PODS = 110
JOINING_SECONDS = 60
TOKEN_SECONDS = 7200
INTERVAL_SECONDS = 0.3


@dataclass(frozen=True)
class Machine:
    """A node that joins: its labels, and what its hardware is as the inventory has it."""

    name: str
    labels: Mapping[str, str]
    taints: Sequence[Mapping[str, str]]
    hardware: Mapping[str, Any]


@dataclass
class ControlPlane:
    """One plane, as which the next cluster that is made comes up."""

    home: PlaneHome
    inventory: Path
    """File of the plane's simulated machines."""
    tokens: Path
    """Folder with a token for each cluster, from which the cloud's simulated command reads."""
    group_label: str = ""
    """Label of nodes with the name of their group."""
    driver: str = ""
    """Driver of volumes."""
    zone_label: str = ""
    """What the driver calls a zone."""
    _groups: dict[str, Sequence[Machine]] = field(default_factory=dict[str, Sequence[Machine]])
    """Nodes of each group, as they last joined."""
    _leaving: set[str] = field(default_factory=set[str])
    """Nodes of groups that were deleted."""
    _volumes: threading.Thread | None = None
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def endpoint(self) -> str:
        """URL of the API server."""
        return PlaneRecord.load(self.home).server

    @property
    def authority(self) -> str:
        """Its certificate authority, in base64."""
        return base64.b64encode((certificates(self.home) / "ca.crt").read_bytes()).decode()

    @cached_property
    def _api(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.endpoint, verify=kubeconfig.tls(self.home), trust_env=False, timeout=30
        )

    def call(self, method: str, path: str, body: Any = None, *, missing: bool = False) -> Any:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        answer = self._api.request(method, path, json=body, headers={"Content-Type": kind})
        if missing and answer.status_code == 404:
            return None
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json()

    # Who may enter.

    def admit(self, cluster: str) -> None:
        """An administrator of the whole cluster, whose token the command prints from now on."""
        account = {"name": cluster, "namespace": "kube-system"}
        self.call("POST", "/api/v1/namespaces/kube-system/serviceaccounts", {"metadata": account})
        binding = {
            "metadata": {"name": f"cloud:{cluster}"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "cluster-admin",
            },
            "subjects": [{"kind": "ServiceAccount", **account}],
        }
        self.call("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)
        asked = {"spec": {"expirationSeconds": TOKEN_SECONDS}}
        path = f"/api/v1/namespaces/kube-system/serviceaccounts/{cluster}/token"
        self.tokens.mkdir(mode=0o700, exist_ok=True)
        (self.tokens / self.token_of(cluster)).write_text(self.call("POST", path, asked)["status"]["token"])

    def token_of(self, cluster: str) -> str:
        """Name of the file with the token of a cluster."""
        return cluster

    def refuse(self, cluster: str) -> None:
        """That administrator is none any more."""
        (self.tokens / self.token_of(cluster)).unlink(missing_ok=True)
        self.call("DELETE", f"/api/v1/namespaces/kube-system/serviceaccounts/{cluster}", missing=True)
        path = f"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/cloud:{cluster}"
        self.call("DELETE", path, missing=True)

    # Nodes.

    def join(self, group: str, machines: Sequence[Machine]) -> None:
        """These nodes of the group and no others, Ready."""
        self._groups[group] = machines
        joined = self._joined(group)
        for one in machines:
            if one.name not in joined:
                self.call("POST", "/api/v1/nodes", _node(one))
            else:
                self.call("PATCH", f"/api/v1/nodes/{one.name}", {"metadata": {"labels": dict(one.labels)}})
        names = {one.name for one in machines}
        self._machines([{"name": one.name, **one.hardware} for one in machines], gone=joined - names)
        self._await_ready(names)

    def join_again(self) -> None:
        """The nodes that there were, after a cluster's end."""
        for group, machines in self._groups.items():
            self.join(group, machines)

    def no_nodes(self, group: str) -> None:
        """The group's nodes leave, with the next change: the supervisor starts a driver again a few times."""
        self._leaving |= self._joined(group)

    def end(self) -> None:
        """The cluster is no more, nor its nodes."""
        self._machines([], gone=set())

    def _joined(self, group: str) -> set[str]:
        selector = f"{self.group_label}={group}"
        listed = self._api.get("/api/v1/nodes", params={"labelSelector": selector}).json()["items"]
        return {one["metadata"]["name"] for one in listed}

    def _machines(self, there: Iterable[Mapping[str, Any]], gone: set[str]) -> None:
        """Another inventory; the driver of the simulated machines reads it when it starts."""
        gone = gone | self._leaving
        self._leaving = set()
        content = yaml.safe_load(self.inventory.read_text())
        there = list(there)
        changed = gone | {one["name"] for one in there}
        kept = [one for one in content["machines"] if one["name"] not in changed]
        if kept + there == content["machines"]:
            return
        content["machines"] = kept + there
        self.inventory.write_text(yaml.safe_dump(content, sort_keys=False))
        driver = PlaneState.load(self.home).programs["hardware"].process
        if driver is not None:
            end([driver])
        for node in gone:
            self.call("DELETE", f"/api/v1/nodes/{node}", missing=True)

    def _await_ready(self, names: Iterable[str]) -> None:
        deadline = time.monotonic() + JOINING_SECONDS
        for node in names:
            while not _ready(self.call("GET", f"/api/v1/nodes/{node}")):
                assert time.monotonic() < deadline, f"node {node} is not ready"
                time.sleep(INTERVAL_SECONDS)

    # Volumes.

    def volumes(self, key: Callable[[Mapping[str, str]], object]) -> None:
        """The driver of volumes, simulated; `key` refuses parameters of a class whose key is not there."""
        if self._volumes is None:
            self._ended.clear()
            self._volumes = threading.Thread(target=self._provide_volumes, args=(key,), daemon=True)
            self._volumes.start()

    def _provide_volumes(self, key: Callable[[Mapping[str, str]], object]) -> None:
        while not self._ended.wait(INTERVAL_SECONDS):
            try:
                self._round(key)
            except httpx.TransportError:  # The plane is being stopped.
                continue

    def _round(self, key: Callable[[Mapping[str, str]], object]) -> None:
        classes = {
            one["metadata"]["name"]: one
            for one in self.call("GET", "/apis/storage.k8s.io/v1/storageclasses")["items"]
            if one["provisioner"] == self.driver
        }
        for claim in self.call("GET", "/api/v1/persistentvolumeclaims")["items"]:
            chosen = claim["metadata"].get("annotations", {}).get(SELECTED_NODE)
            served = classes.get(claim["spec"].get("storageClassName", ""))
            if served and chosen and not claim["spec"].get("volumeName"):
                self._provide(key, claim, served, chosen)
        for volume in self.call("GET", "/api/v1/persistentvolumes")["items"]:
            driver = volume["metadata"].get("annotations", {}).get("pv.kubernetes.io/provisioned-by")
            if driver == self.driver and volume["status"].get("phase") == "Released":
                path = f"/api/v1/persistentvolumes/{volume['metadata']['name']}"
                self.call("DELETE", path, missing=True)

    def _provide(
        self,
        key: Callable[[Mapping[str, str]], object],
        claim: Mapping[str, Any],
        served: Mapping[str, Any],
        node: str,
    ) -> None:
        metadata = claim["metadata"]
        name = f"pvc-{metadata['uid']}"
        if self.call("GET", f"/api/v1/persistentvolumes/{name}", missing=True) is not None:
            return
        # A volume under a key that is not there is none that a cloud makes.
        key(served["parameters"])
        folder = self.home.volumes / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        zone = self.call("GET", f"/api/v1/nodes/{node}")["metadata"]["labels"][self.zone_label]
        within = {"matchExpressions": [{"key": self.zone_label, "operator": "In", "values": [zone]}]}
        spec = {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                **{key: metadata[key] for key in ("namespace", "name", "uid")},
            },
            "hostPath": {"path": str(folder), "type": "Directory"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [within]}},
            "persistentVolumeReclaimPolicy": served.get("reclaimPolicy", "Delete"),
            "storageClassName": served["metadata"]["name"],
        }
        annotations = {"pv.kubernetes.io/provisioned-by": self.driver}
        body = {"metadata": {"name": name, "annotations": annotations}, "spec": spec}
        self.call("POST", "/api/v1/persistentvolumes", body)

    def stop(self) -> None:
        """No more volumes: with the add-on its driver goes, and what it has not removed by then stays."""
        self._ended.set()
        if self._volumes is not None:
            self._volumes.join()
            self._volumes = None


def _node(machine: Machine) -> dict[str, Any]:
    metadata = {
        "name": machine.name,
        "labels": dict(machine.labels),
        "annotations": {"kwok.x-k8s.io/node": "fake"},
    }
    return {"metadata": metadata, "spec": {"taints": list(machine.taints)}}


def taints_of(stated: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Taints as Kubernetes has them."""
    return [
        {"key": one["key"], "value": one.get("value", ""), "effect": EFFECTS[one["effect"]]} for one in stated
    ]


def _ready(node: Mapping[str, Any]) -> bool:
    """Whether a node runs, and the driver of the simulated machines has said what it has."""
    conditions = {one["type"]: one["status"] for one in node["status"].get("conditions", [])}
    return conditions.get("Ready") == "True" and "cpu" in node["status"].get("allocatable", {})
