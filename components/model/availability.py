"""What keeps a model answering while nodes come and go: where replicas run, and how many go at a time."""

from collections.abc import Mapping
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.components._kit import child

TOPOLOGY = ("topology.kubernetes.io/zone", "kubernetes.io/hostname")


def topology_spread(pods: Mapping[str, str]) -> list[dict[str, Any]]:
    """Constraints that spread the replicas of one revision of a model over zones and nodes.

    `pods`: labels of its pods.

    They only rank nodes: replicas are placed on devices, all of which may be free on one node alone, so
    `DoNotSchedule` would leave planned replicas without one. They do not depend on the number of replicas,
    another of which then leaves pods as they are.
    """
    return [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": dict(pods)},
            # While one revision replaces another, each is spread for itself.
            "matchLabelKeys": ["pod-template-hash"],
        }
        for key in TOPOLOGY
    ]


def disruption_budget(
    parent: pulumi.Resource, logical: str, metadata: dict[str, Any], pods: Mapping[str, str], *, most: int
) -> kubernetes.policy.v1.PodDisruptionBudget | None:
    """What lets one replica at a time be evicted, of a model that may have more than one; else None.

    It follows the scale of the Deployment. With one replica it would permit just what is permitted without
    it, and one that asked for a replica at all times would keep its node from ever being drained. A replica
    that is not ready serves nobody and may always be evicted.
    """
    if most <= 1:
        return None
    return kubernetes.policy.v1.PodDisruptionBudget(
        logical,
        metadata=cast(Any, metadata),
        spec={
            "max_unavailable": 1,
            "selector": {"match_labels": dict(pods)},
            "unhealthy_pod_eviction_policy": "AlwaysAllow",
        },
        opts=child(parent),
    )
