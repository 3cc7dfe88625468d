"""GKE clusters of the test provider on an embedded plane: nodes, volumes of Compute Engine, pods' identities.

A pod's identity is what GKE's metadata server makes of its account by Workload Identity Federation. On GKE
the server is on each node and knows a pod by its address; here the node says which pod asks
(`tests.providers.gcp.node_programs`), and the API server which account that pod has.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.providers.control_planes import PODS, Machine, taints_of
from tests.providers.control_planes import ControlPlane as AnyControlPlane
from tests.providers.gcp.google import NUMBER, Google

DRIVER = "pd.csi.storage.gke.io"
ZONE = "topology.gke.io/zone"
MACHINES = {
    "g2-standard-48": {"cpu": "48", "memory": "192Gi", "gpu": "L4", "gpus": 4},
    "n2d-standard-8": {"cpu": "8", "memory": "32Gi"},
}
"""Of https://cloud.google.com/compute/docs/machine-resource: those that the committed stack has."""


@dataclass
class ControlPlane(AnyControlPlane):
    """One plane, as which the next cluster that is made comes up."""

    group_label: str = "cloud.google.com/gke-nodepool"
    driver: str = DRIVER
    zone_label: str = ZONE
    project: str = ""
    entered: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    """Member that pods of a namespace and account were told to be."""

    def token_of(self, cluster: str) -> str:
        return urlsplit(self.endpoint).netloc

    def nodes(self, identity: str, pool: Mapping[str, Any]) -> None:
        """As many nodes of the pool as it is to have, Ready."""
        name, config = pool["name"], pool["nodeConfig"]
        count = pool.get("nodeCount") or pool["autoscaling"]["totalMinNodeCount"]
        cluster, region = identity.split("/")[5], identity.split("/")[3]
        zones = pool.get("nodeLocations") or [f"{region}-{one}" for one in "abc"]
        hardware = {**MACHINES[config["machineType"]], "pods": PODS}
        taints = taints_of(config.get("taints", []))
        self.join(
            name,
            [
                Machine(
                    _instance(cluster, name, index),
                    _labels(name, config, region, zones[index % len(zones)]),
                    taints,
                    hardware,
                )
                for index in range(count)
            ],
        )

    def disks(self, google: Google) -> None:
        """The driver of persistent disks, which a cluster has from the beginning."""
        self.volumes(lambda parameters: google.require(parameters["disk-encryption-kms-key"]))

    def member(self, request: Any) -> str | None:
        """Who asks the metadata server; None: no pod that there is."""
        kind, _, encoded = request.headers.get("Authorization", "").partition(" ")
        if kind != "Basic":
            return None
        user = base64.b64decode(encoded).decode().partition(":")[0]
        namespace, _, name = unquote(user).partition("/")
        pod = self.call("GET", f"/api/v1/namespaces/{namespace}/pods/{name}", missing=True)
        if pod is None:
            return None
        account = pod["spec"].get("serviceAccountName") or "default"
        pool = f"projects/{NUMBER}/locations/global/workloadIdentityPools/{self.project}.svc.id.goog"
        member = f"principal://iam.googleapis.com/{pool}/subject/ns/{namespace}/sa/{account}"
        self.entered[namespace, account] = member
        return member


def _instance(cluster: str, pool: str, index: int) -> str:
    digits = hashlib.sha256(f"{cluster}/{pool}/{index}".encode()).hexdigest()[:8]
    return f"gke-{cluster}-{pool}-{digits}-{index:04}"[-63:].lstrip("-")


def _labels(pool: str, config: Mapping[str, Any], region: str, zone: str) -> dict[str, str]:
    return {
        **config.get("labels", {}),
        "cloud.google.com/gke-nodepool": pool,
        "cloud.google.com/gke-provisioning": "spot" if config.get("spot") else "standard",
        "node.kubernetes.io/instance-type": config["machineType"],
        "iam.gke.io/gke-metadata-server-enabled": json.dumps(
            config["workloadMetadataConfig"]["mode"] == "GKE_METADATA"
        ),
        ZONE: zone,
        "topology.kubernetes.io/region": region,
        "topology.kubernetes.io/zone": zone,
    }
