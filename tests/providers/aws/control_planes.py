"""Clusters of the test provider on an embedded plane: what EKS and its add-ons do in AWS, simulated by name.

Of AWS's side there are an API server that answers at the cluster's endpoint, admins that get a token, nodes
that join, volumes of EBS, and pods' own identities. Real are the API server, its scheduler and its rights.
Nodes are simulated machines of the inventory, with the labels and taints of their group; an EBS volume
is a folder of this machine.
"""

import base64
import hashlib
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import yaml
from tests.providers.aws.account import Account
from tests.providers.aws.pod_identity import PodIdentity

from corral.embedded.hardware.inventory import read
from corral.embedded.home import PlaneHome
from corral.embedded.plane import kubeconfig
from corral.embedded.plane.control import certificates
from corral.embedded.plane.processes import end
from corral.embedded.plane.record import PlaneRecord
from corral.embedded.plane.state import PlaneState

DRIVER = "ebs.csi.aws.com"
ZONE = f"topology.{DRIVER}/zone"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
EFFECTS = {
    "NO_SCHEDULE": "NoSchedule",
    "NO_EXECUTE": "NoExecute",
    "PREFER_NO_SCHEDULE": "PreferNoSchedule",
}
"""Taints' effects as EKS writes them, and as Kubernetes does."""
PODS = 110
JOINING_SECONDS = 60
TOKEN_SECONDS = 7200
INTERVAL_SECONDS = 0.3


@dataclass
class ControlPlane:
    """One plane, as which the next cluster that is made comes up."""

    home: PlaneHome
    inventory: Path
    """File of the plane's simulated machines."""
    tokens: Path
    """Folder with a token for each cluster, from which the simulated `aws` reads."""
    identity: PodIdentity | None = None
    """Pod Identity of its cluster; None: there is none."""
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
        """An administrator of the whole cluster, whose token `aws eks get-token` prints from now on."""
        account = {"name": cluster, "namespace": "kube-system"}
        self.call("POST", "/api/v1/namespaces/kube-system/serviceaccounts", {"metadata": account})
        binding = {
            "metadata": {"name": f"eks:{cluster}"},
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
        (self.tokens / cluster).write_text(self.call("POST", path, asked)["status"]["token"])

    def refuse(self, cluster: str) -> None:
        """That administrator is none any more."""
        (self.tokens / cluster).unlink(missing_ok=True)
        self.call("DELETE", f"/api/v1/namespaces/kube-system/serviceaccounts/{cluster}", missing=True)
        path = f"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/eks:{cluster}"
        self.call("DELETE", path, missing=True)

    # Nodes.

    def nodes(self, account: Account, group: Mapping[str, Any]) -> None:
        """As many nodes of the group as it is to have, Ready."""
        name = group["nodeGroupName"]
        joined = self._joined(name)
        names = [_instance(name, index) for index in range(group["scalingConfig"]["desiredSize"])]
        zones = [
            one["AvailabilityZone"]
            for one in account.ec2.describe_subnets(SubnetIds=group["subnetIds"])["Subnets"]
        ]
        machine = _instance_type(account, group)
        for index, node in enumerate(names):
            labels = _labels(group, machine, zones[index % len(zones)])
            if node not in joined:
                self.call("POST", "/api/v1/nodes", _node(node, labels, group))
            else:
                self.call("PATCH", f"/api/v1/nodes/{node}", {"metadata": {"labels": labels}})
        self._machines(
            [{"name": node, **self._hardware(machine)} for node in names], gone=joined - set(names)
        )
        self._await_ready(names)

    def no_nodes(self, group: str) -> None:
        """The group's nodes leave, with the next change: the supervisor starts a driver again a few times."""
        self._leaving |= self._joined(group)

    def end(self) -> None:
        """The cluster is no more, nor its nodes."""
        self._machines([], gone=set())

    def _joined(self, group: str) -> set[str]:
        selector = f"eks.amazonaws.com/nodegroup={group}"
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

    def _hardware(self, machine: Mapping[str, Any]) -> dict[str, Any]:
        made = {
            "cpu": str(machine["VCpuInfo"]["DefaultVCpus"]),
            "memory": f"{machine['MemoryInfo']['SizeInMiB']}Mi",
            "pods": PODS,
        }
        for gpu in machine.get("GpuInfo", {}).get("Gpus", []):
            fitting = [
                key
                for key, product in read(self.inventory).products.items()
                if gpu["Name"] in product.name and product.memory_mib == gpu["MemoryInfo"]["SizeInMiB"]
            ]
            made |= {"gpu": fitting[0], "gpus": gpu["Count"]}
        return made

    def _await_ready(self, names: Iterable[str]) -> None:
        deadline = time.monotonic() + JOINING_SECONDS
        for node in names:
            while not _ready(self.call("GET", f"/api/v1/nodes/{node}")):
                assert time.monotonic() < deadline, f"node {node} is not ready"
                time.sleep(INTERVAL_SECONDS)

    # Volumes.

    def volumes(self, account: Account) -> None:
        """The add-on `aws-ebs-csi-driver`, simulated, from now on."""
        if self._volumes is None:
            self._ended.clear()
            self._volumes = threading.Thread(target=self._provide_volumes, args=(account,), daemon=True)
            self._volumes.start()

    def _provide_volumes(self, account: Account) -> None:
        while not self._ended.wait(INTERVAL_SECONDS):
            try:
                self._volume_round(account)
            except httpx.TransportError:  # The plane is being stopped.
                continue

    def _volume_round(self, account: Account) -> None:
        classes = {
            one["metadata"]["name"]: one
            for one in self.call("GET", "/apis/storage.k8s.io/v1/storageclasses")["items"]
            if one["provisioner"] == DRIVER
        }
        for claim in self.call("GET", "/api/v1/persistentvolumeclaims")["items"]:
            chosen = claim["metadata"].get("annotations", {}).get(SELECTED_NODE)
            served = classes.get(claim["spec"].get("storageClassName", ""))
            if served and chosen and not claim["spec"].get("volumeName"):
                self._provide(account, claim, served, chosen)
        for volume in self.call("GET", "/api/v1/persistentvolumes")["items"]:
            driver = volume["metadata"].get("annotations", {}).get("pv.kubernetes.io/provisioned-by")
            if driver == DRIVER and volume["status"].get("phase") == "Released":
                path = f"/api/v1/persistentvolumes/{volume['metadata']['name']}"
                self.call("DELETE", path, missing=True)

    def _provide(
        self, account: Account, claim: Mapping[str, Any], served: Mapping[str, Any], node: str
    ) -> None:
        metadata = claim["metadata"]
        name = f"pvc-{metadata['uid']}"
        if self.call("GET", f"/api/v1/persistentvolumes/{name}", missing=True) is not None:
            return
        # A volume under a key that is not there is none that EC2 makes.
        account.kms.describe_key(KeyId=served["parameters"]["kmsKeyId"])
        folder = self.home.volumes / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        zone = self.call("GET", f"/api/v1/nodes/{node}")["metadata"]["labels"][ZONE]
        within = {"matchExpressions": [{"key": ZONE, "operator": "In", "values": [zone]}]}
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
        annotations = {"pv.kubernetes.io/provisioned-by": DRIVER}
        body = {"metadata": {"name": name, "annotations": annotations}, "spec": spec}
        self.call("POST", "/api/v1/persistentvolumes", body)

    def stop(self) -> None:
        """No more volumes: with the add-on its driver goes, and what it has not removed by then stays."""
        self._ended.set()
        if self._volumes is not None:
            self._volumes.join()
            self._volumes = None

    # What is about other resources of EKS that moto has no calls for.

    def made(self, account: Account, operation: str, inputs: Mapping[str, Any]) -> None:
        """What follows from a resource that is simulated."""
        cluster = inputs["clusterName"]
        if operation == "AssociateAccessPolicy":
            self.admit(cluster)
        elif operation == "CreateAddon" and inputs["addonName"] == "aws-ebs-csi-driver":
            self.volumes(account)
        elif operation == "CreateAddon" and inputs["addonName"] == "eks-pod-identity-agent" and self.identity:
            self.identity.installed()

    def removed(self, operation: str, inputs: Mapping[str, Any]) -> None:
        """What follows once it is gone."""
        if operation == "AssociateAccessPolicy":
            self.refuse(inputs["clusterName"])
        elif operation == "CreateAddon" and inputs["addonName"] == "aws-ebs-csi-driver":
            self.stop()


def _instance(group: str, index: int) -> str:
    """Name of a node, as those of instances by resource name are."""
    return f"i-{hashlib.sha256(f'{group}/{index}'.encode()).hexdigest()[:17]}"


def _instance_type(account: Account, group: Mapping[str, Any]) -> dict[str, Any]:
    template = account.ec2.describe_launch_template_versions(
        LaunchTemplateId=group["launchTemplate"]["id"], Versions=[str(group["launchTemplate"]["version"])]
    )["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    answer = account.ec2.describe_instance_types(InstanceTypes=[template["InstanceType"]])
    (machine,) = answer["InstanceTypes"]
    return machine


def _labels(group: Mapping[str, Any], machine: Mapping[str, Any], zone: str) -> dict[str, str]:
    return {
        **group.get("labels", {}),
        "eks.amazonaws.com/nodegroup": group["nodeGroupName"],
        "eks.amazonaws.com/capacityType": group["capacityType"],
        "node.kubernetes.io/instance-type": machine["InstanceType"],
        ZONE: zone,
        "topology.kubernetes.io/region": zone[:-1],
        "topology.kubernetes.io/zone": zone,
    }


def _node(name: str, labels: Mapping[str, str], group: Mapping[str, Any]) -> dict[str, Any]:
    taints = [
        {"key": one["key"], "value": one.get("value", ""), "effect": EFFECTS[one["effect"]]}
        for one in group.get("taints", [])
    ]
    metadata = {"name": name, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}}
    return {"metadata": metadata, "spec": {"taints": taints}}


def _ready(node: Mapping[str, Any]) -> bool:
    """Whether a node runs, and the driver of the simulated machines has said what it has."""
    conditions = {one["type"]: one["status"] for one in node["status"].get("conditions", [])}
    return conditions.get("Ready") == "True" and "cpu" in node["status"].get("allocatable", {})
