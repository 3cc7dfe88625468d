"""Room for pods of the system's priority classes, which some platforms admit by quota alone."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.platforms import PlatformEntry
from corral.components._kit import child

CRITICAL = ("system-node-critical", "system-cluster-critical")
"""Priority classes of the operator's and the DRA driver's pods."""
CRITICAL_PODS = "5000"
"""High enough to hold nobody back: each node has about ten of them."""


def critical_quota(
    parent: pulumi.Resource,
    logical: str,
    platform: PlatformEntry,
    *,
    namespace: pulumi.Input[str],
    labels: Mapping[str, str],
) -> list[pulumi.Resource]:
    """The ResourceQuota that admits system-critical pods; none where the platform needs none."""
    if not platform.critical_quota:
        return []
    quota = kubernetes.core.v1.ResourceQuota(
        logical,
        metadata={"name": "system-critical", "namespace": namespace, "labels": dict(labels)},
        spec={
            "hard": {"pods": CRITICAL_PODS},
            "scope_selector": {
                "match_expressions": [
                    {"operator": "In", "scope_name": "PriorityClass", "values": list(CRITICAL)}
                ]
            },
        },
        opts=child(parent),
    )
    return [quota]
