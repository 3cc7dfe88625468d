"""Clusters of GKE and their node pools."""

import base64
import re
from typing import Any

from tests.providers.gcp.google import Google, GoogleError, Thing
from tests.providers.gcp.kinds import Inputs, Kind

CLUSTER = re.compile(r"projects/[^/]+/locations/[^/]+/clusters/[^/]+")
NOWHERE = "10.50.0.2"
"""Address of a control plane that nothing answers at."""
NODE_REPLACES = (
    "bootDiskKmsKey",
    "guestAccelerators",
    "metadata",
    "minCpuPlatform",
    "oauthScopes",
    "preemptible",
    "reservationAffinity",
    "serviceAccount",
    "shieldedInstanceConfig",
    "spot",
)


def _outputs(google: Google, identity: str, inputs: Inputs) -> dict[str, Any]:
    plane = google.plane
    authority = base64.b64encode(b"nobody's").decode() if plane is None else plane.authority
    auth = {**inputs["masterAuth"], "clusterCaCertificate": authority}
    return {
        "endpoint": NOWHERE if plane is None else plane.endpoint.removeprefix("https://"),
        "masterAuth": auth,
        "masterVersion": f"{inputs['minMasterVersion']}.4-gke.1000",
        "selfLink": f"https://container.googleapis.com/v1/{identity}",
    }


def _made(google: Google, identity: str, thing: Thing) -> None:
    google.require(thing.inputs["network"])
    google.require(thing.inputs["subnetwork"])
    google.require(thing.inputs["databaseEncryption"]["keyName"])
    if google.plane is not None:
        google.plane.admit(thing.inputs["name"])
        google.plane.disks(google)


def _gone(google: Google, identity: str, thing: Thing) -> None:
    if thing.inputs.get("deletionProtection", True):
        raise GoogleError(
            "forbidden",
            "Error, cannot destroy cluster without setting deletion_protection=false and running `pulumi up`",
        )
    google.remove(identity)
    if google.plane is not None:
        google.plane.stop()
        google.plane.refuse(thing.inputs["name"])
        google.plane.end()


def _pool_outputs(google: Google, identity: str, inputs: Inputs) -> dict[str, Any]:
    count = inputs.get("nodeCount") or inputs.get("initialNodeCount") or 0
    return {"version": "1.35.4-gke.1000", "nodeCount": count}


def _pool_made(google: Google, identity: str, thing: Thing) -> None:
    google.require(CLUSTER.match(identity)[0])
    account = thing.inputs["nodeConfig"]["serviceAccount"]
    google.require(f"projects/{account.partition('@')[2].partition('.')[0]}/serviceAccounts/{account}")
    _pool_changed(google, identity, thing)


def _pool_changed(google: Google, identity: str, thing: Thing) -> None:
    if google.plane is not None:
        google.plane.nodes(identity, thing.inputs)


def _pool_gone(google: Google, identity: str, thing: Thing) -> None:
    google.remove(identity)
    if google.plane is not None:
        google.plane.no_nodes(thing.inputs["name"])


KINDS = {
    one.token: one
    for one in (
        Kind(
            "gcp:container/cluster:Cluster",
            "projects/{project}/locations/{location}/clusters/{name}",
            frozenset(
                {
                    *("name", "location", "network", "subnetwork", "project", "networkingMode"),
                    *("initialNodeCount", "ipAllocationPolicy", "datapathProvider", "confidentialNodes"),
                    *("nodePools", "masterAuth.clientCertificateConfig", "description"),
                    "userManagedKeysConfig.clusterCa",
                }
            ),
            outputs=_outputs,
            made=_made,
            remove=_gone,
            named="name",
            longest=40,
            computed={"masterAuth": {"clusterCaCertificate": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}},
        ),
        Kind(
            "gcp:container/nodePool:NodePool",
            "{cluster}/nodePools/{name}",
            frozenset(
                {
                    *("project", "cluster", "location", "placementPolicy", "maxPodsPerNode"),
                    *("initialNodeCount", "name", "networkConfig.subnetwork"),
                    *(f"nodeConfig.{one}" for one in NODE_REPLACES),
                }
            ),
            outputs=_pool_outputs,
            made=_pool_made,
            changed=_pool_changed,
            remove=_pool_gone,
            named="name",
            longest=40,
        ),
    )
}
