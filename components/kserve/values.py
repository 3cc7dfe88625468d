"""Values of KServe's charts."""

from typing import Any

from corral.catalogue.images import image
from corral.components.supply import Supply, pull_secrets, reference, repository_and_tag

SECRET_ANNOTATION = "serving.kserve.io/storageSecretName"


def kserve_values(supply: Supply) -> dict[str, Any]:
    """Values of `kserve-resources`: plain Deployments, no ingress of KServe's own, images by mirror."""
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
