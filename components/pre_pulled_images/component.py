"""Images of models on the nodes of pools, pulled before a replica comes and kept while the pool is there."""

from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.addons import descriptor
from corral.catalogue.images import image
from corral.catalogue.runtimes import RUNTIMES
from corral.catalogue.vocabulary import Addon, Engine
from corral.components._kit import checked, child, labels, name_of, selector, token
from corral.components._namespaces import namespace_of
from corral.components._network import policy
from corral.components._pods import restricted_container, restricted_pod
from corral.components._words import EngineWord
from corral.components.gpu_node_pool.node_labels import POOL_LABEL, TAINT
from corral.components.supply import Supply, pull_secrets, reference

COMPONENT = "pre-pulled-images"
(NAMESPACE,) = descriptor(Addon.KSERVE).further_namespaces
USER = 1000
TOOLS = "tools"
"""Image of the container that verifies a model's files before its server starts."""
AT_ONCE = "100%"
"""Nodes whose images change at a time: nothing depends on these pods."""


class PrePulledPool(TypedDict):
    """A pool whose nodes hold images."""

    pool: str
    """Name of the pool, which its nodes carry as the label `corral.dev/pool`."""
    engines: list[EngineWord]
    """Engines whose images they hold, beside that of the tools."""


class PrePulledImagesArgs(TypedDict):
    """Which images nodes hold."""

    pools: list[PrePulledPool]
    """Pools whose nodes hold images."""
    supply: Supply
    """Where images come from."""
    create_namespace: NotRequired[bool]
    """False: its namespace is there, is used as it is, and stays; true when omitted."""


class PrePulledImages(pulumi.ComponentResource):
    """Pulls images onto every node of pools of the cluster given as provider.

    A DaemonSet per pool runs each image with a program that sleeps: the kubelet removes no image that a
    container has. It asks for no GPU and sees none.
    """

    namespace: pulumi.Output[str]
    """Where its pods run."""

    def __init__(self, name: str, args: PrePulledImagesArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, PrePulledImagesArgs, name)
        super().__init__(token(type(self)), name, {}, opts)
        self.namespace = namespace_of(self, name, NAMESPACE, args, component=COMPONENT)
        closed = kubernetes.networking.v1.NetworkPolicy(
            f"{name}-network",
            metadata={
                "name": "corral-closed",
                "namespace": self.namespace,
                "labels": labels(COMPONENT, name),
            },
            spec=cast(Any, policy(ingress=[], egress=[])),
            opts=child(self),
        )
        space = name_of(closed).apply(lambda _: NAMESPACE)
        for one in args["pools"]:
            kubernetes.apps.v1.DaemonSet(
                f"{name}-{one['pool']}",
                metadata={
                    "name": one["pool"],
                    "namespace": space,
                    "labels": labels(COMPONENT, name, pool=one["pool"]),
                    # Nodes may come later, and images are large: nothing waits for them.
                    "annotations": {"pulumi.com/skipAwait": "true"},
                },
                spec=cast(Any, _daemon(name, one, args["supply"])),
                opts=child(self),
            )
        self.register_outputs({"namespace": self.namespace})


def _daemon(name: str, held: PrePulledPool, supply: Supply) -> dict[str, Any]:
    chosen = [RUNTIMES[Engine(engine)].image for engine in held["engines"]]
    chosen_by = {**selector(COMPONENT, name), "corral.dev/pool": held["pool"]}
    secrets = {"imagePullSecrets": pull_secrets(supply)} if pull_secrets(supply) else {}
    return {
        "selector": {"matchLabels": chosen_by},
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": AT_ONCE}},
        "template": {
            "metadata": {"labels": {**labels(COMPONENT, name, pool=held["pool"]), **chosen_by}},
            "spec": {
                "nodeSelector": {POOL_LABEL: held["pool"]},
                "tolerations": [{"key": TAINT["key"], "operator": "Exists", "effect": TAINT["effect"]}],
                "automountServiceAccountToken": False,
                "enableServiceLinks": False,
                "terminationGracePeriodSeconds": 0,
                "securityContext": restricted_pod(USER),
                "containers": [_asleep(one, supply) for one in (*chosen, TOOLS)],
                **secrets,
            },
        },
    }


def _asleep(name: str, supply: Supply) -> dict[str, Any]:
    return {
        "name": name,
        "image": reference(image(name), supply),
        "command": ["sleep", "infinity"],
        # Images of CUDA ask for every GPU of the node, which NVIDIA's runtime would hand them.
        "env": [{"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"}],
        "resources": {
            "requests": {"cpu": "1m", "memory": "8Mi"},
            "limits": {"cpu": "10m", "memory": "32Mi"},
        },
        "securityContext": restricted_container(read_only_root=True),
    }
