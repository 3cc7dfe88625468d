"""How KServe fetches models onto nodes: the folder, the download's container, and where its pods may run."""

import json
from typing import Any

import pulumi

from corral.catalogue.images import image
from corral.components._pods import restricted_container
from corral.components.gpu_node_pool.node_labels import POOL_LABEL, TAINT
from corral.components.model_storage.job import CREDENTIAL_KEYS
from corral.components.store import Store, scheme_of, variables
from corral.components.supply import Supply, pull_secrets, reference, repository_and_tag

API = "serving.kserve.io/v1alpha1"
FOLDER = "/models"
"""Folder of the nodes that the chart's agent mounts; the chart lets nobody choose another."""
USER = 65532
"""User and group of the agent's and of the tools' image."""
CLASS = "corral-model-cache"
"""Storage class that no provisioner answers to: KServe makes volume and claim for each other."""
TOLERATION = {"key": TAINT["key"], "operator": "Exists", "effect": TAINT["effect"]}


def chart_values(supply: Supply) -> dict[str, Any]:
    """Values of `kserve-localmodel-resources`."""
    controller, controller_tag = repository_and_tag(image("kserve-localmodel-controller"), supply)
    agent, agent_tag = repository_and_tag(image("kserve-localmodelnode-agent"), supply)
    return {
        "kserve": {
            "localmodel": {"controller": {"image": controller, "tag": controller_tag}},
            "localmodelnode": {
                "controller": {"image": agent, "tag": agent_tag, "tolerations": [TOLERATION]},
            },
        }
    }


def node_group(pool: str, room_gib: int) -> dict[str, Any]:
    """`spec` of the LocalModelNodeGroup of a pool."""
    room = f"{room_gib}Gi"
    shared = {"accessModes": ["ReadWriteOnce"], "volumeMode": "Filesystem", "storageClassName": CLASS}
    of_pool = {"matchExpressions": [{"key": POOL_LABEL, "operator": "In", "values": [pool]}]}
    return {
        "storageLimit": room,
        "persistentVolumeSpec": {
            **shared,
            "capacity": {"storage": room},
            "persistentVolumeReclaimPolicy": "Retain",
            "local": {"path": FOLDER},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [of_pool]}},
        },
        "persistentVolumeClaimSpec": {**shared, "resources": {"requests": {"storage": room}}},
    }


def download(store: Store, credential: pulumi.Input[str], supply: Supply) -> dict[str, Any]:
    """`spec` of the ClusterStorageContainer: the tools in the place of KServe's initializer.

    They verify each file by the manifest of its import. KServe adds the URI, the folder and its volume.
    """
    keys = [
        {"name": key, "valueFrom": {"secretKeyRef": {"name": credential, "key": key}}}
        for key in CREDENTIAL_KEYS
    ]
    plain = {**variables(store), "HOME": "/tmp"}
    return {
        "container": {
            "name": "download",
            "image": reference(image("tools"), supply),
            "command": ["corral", "fetch"],
            "env": [*keys, *({"name": name, "value": value} for name, value in plain.items())],
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "resources": {
                "requests": {"cpu": "1", "memory": "512Mi"},
                "limits": {"cpu": "2", "memory": "1Gi"},
            },
            "securityContext": {**restricted_container(), "runAsUser": USER, "runAsGroup": USER},
        },
        "supportedUriFormats": [
            {"prefix": pulumi.Output.concat(scheme_of(store), "://", store["bucket"], "/")}
        ],
        "workloadType": "localModelDownloadJob",
    }


def scheduling(namespace: pulumi.Input[str], supply: Supply) -> dict[str, Any]:
    """`spec` of the MutatingPolicy: KServe's download jobs bear the taint of GPU nodes.

    KServe pins such a job to its node and gives its pods no toleration, nor a secret to pull by; a token
    for the API, which they have no use for, it leaves them.
    """
    added: dict[str, Any] = {"tolerations": [TOLERATION], "automountServiceAccountToken": False}
    if pull_secrets(supply):
        added["imagePullSecrets"] = pull_secrets(supply)
    # Lists of a pod are no maps to Kubernetes, which is why they cannot be applied.
    patches = ", ".join(
        f'JSONPatch{{op: "add", path: "/spec/template/spec/{key}", value: {json.dumps(value)}}}'
        for key, value in added.items()
    )
    return {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "resourceRules": [
                {
                    "apiGroups": ["batch"],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE"],
                    "resources": ["jobs"],
                }
            ],
        },
        "matchConditions": [
            {
                "name": "of-local-models",
                "expression": "object.metadata.?ownerReferences.orValue([])"
                ".exists(o, o.kind == 'LocalModelNode')",
            }
        ],
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": f"[{patches}]"}}],
    }
