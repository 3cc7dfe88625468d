"""Values of KServe's charts."""

from typing import Any

from corral.catalogue.images import image
from corral.components.supply import Supply, pull_secrets, reference, repository_and_tag

AGENT_GROUP = 65532
"""Group of the agent's image."""
SECRET_ANNOTATION = "serving.kserve.io/storageSecretName"


def kserve_values(supply: Supply, *, cache_jobs: str | None = None) -> dict[str, Any]:
    """Values of `kserve-resources`: plain Deployments, no ingress of KServe's own, images by mirror.

    `cache_jobs`: namespace of the jobs that fetch models onto nodes; None: no node keeps models.
    """
    controller, controller_tag = repository_and_tag(image("kserve-controller"), supply)
    initializer, initializer_tag = repository_and_tag(image("storage-initializer"), supply)
    agent, agent_tag = repository_and_tag(image("kserve-agent"), supply)
    router, router_tag = repository_and_tag(image("kserve-router"), supply)
    secrets = {"imagePullSecrets": pull_secrets(supply)} if pull_secrets(supply) else {}
    return {
        "kserve": {
            "agent": {"image": agent, "tag": agent_tag},
            "router": {"image": router, "tag": router_tag, **secrets},
            # A model states its own needs; KServe must add no limit of one core to them.
            "inferenceservice": {"resources": {"limits": {"cpu": "", "memory": ""}}},
            "storage": {
                "image": initializer,
                "tag": initializer_tag,
                # The chart's default differs from what KServe documents.
                "storageSecretNameAnnotation": SECRET_ANNOTATION,
                "enableModelcar": False,
            },
            **({} if cache_jobs is None else {"localmodel": _local_models(cache_jobs)}),
            "controller": {
                "deploymentMode": "Standard",
                "image": controller,
                "tag": controller_tag,
                "imagePullPolicy": "IfNotPresent",
                **secrets,
                "rbacProxyImage": reference(image("kube-rbac-proxy"), supply),
                "gateway": {"disableIngressCreation": True, "disableIstioVirtualHost": True},
            },
        }
    }


def _local_models(namespace: str) -> dict[str, Any]:
    """Downloads run in `namespace`; their group owns what they write, so that the agent can remove it."""
    return {"enabled": True, "jobNamespace": namespace, "securityContext": {"fsGroup": AGENT_GROUP}}
