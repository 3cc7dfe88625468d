"""Clusters on GKE as tests make them, and what Google's provider says of them."""

from typing import Any

from tests.components.harness import Graph, build

from corral.components.gke_cluster import GkeCluster

PROJECT, KEYS, NUMBER = "acme-models", "acme-keys", "111122223333"
FRANKFURT, PARIS = "europe-west3", "europe-west9"


def key(purpose: str, region: str = FRANKFURT, project: str = KEYS) -> str:
    return f"projects/{project}/locations/{region}/keyRings/outside/cryptoKeys/{purpose}"


def cluster_args(region: str = FRANKFURT, **more: Any) -> dict[str, Any]:
    return {
        "project": PROJECT,
        "region": region,
        "version": "1.35",
        "nodes": {"machine_type": "n2d-standard-4"},
        "keys": {"project": KEYS},
        **more,
    }


ANSWERS: dict[str, dict[str, Any]] = {
    "gcp:organizations/getProject:getProject": {"number": NUMBER},
    "gcp:logging/getProjectCmekSettings:getProjectCmekSettings": {
        "serviceAccountId": f"cmek-p{NUMBER}@gcp-sa-logging.iam.gserviceaccount.com"
    },
    "gcp:storage/getProjectServiceAccount:getProjectServiceAccount": {
        "emailAddress": f"service-{NUMBER}@gs-project-accounts.iam.gserviceaccount.com"
    },
}
COMPUTED: dict[str, Any] = {
    "gcp:serviceaccount/account:Account": lambda name: {
        "email": f"{name}@{PROJECT}.iam.gserviceaccount.com",
        "member": f"serviceAccount:{name}@{PROJECT}.iam.gserviceaccount.com",
    },
    "gcp:container/cluster:Cluster": {
        "endpoint": "10.0.0.2",
        "masterAuth": {"clusterCaCertificate": "Q0E="},
    },
    "gcp:compute/network:Network": lambda name: {"selfLink": f"https://compute.test/{name}"},
}


def gke(region: str = FRANKFURT, *, preview: bool = False, **more: Any) -> Graph:
    return build(
        lambda: GkeCluster("models", cluster_args(region, **more)),
        preview=preview,
        answers=ANSWERS,
        computed=COMPUTED,
    )
