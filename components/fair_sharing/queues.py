"""Specs of flavours and queues: pools as flavours, one ClusterQueue per tenant, one cohort of all."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from corral.catalogue.vocabulary import Priority
from corral.components.fair_sharing.args import DeviceCount, SharingTenant
from corral.components.fair_sharing.values import NAMESPACE_NAME
from corral.components.gpu_node_pool.node_labels import POOL_LABEL, TAINT

COHORT = "corral"
SERVED = "served-models"
SERVED_PRIORITIES = {
    Priority.HIGH: (f"{SERVED}-high", 2000),
    Priority.NORMAL: (SERVED, 1000),
    Priority.LOW: (f"{SERVED}-low", 500),
}
"""WorkloadPriorityClasses of model servers, name and value: all before their tenant's other workloads."""

Counts = Counter[tuple[str, str]]
"""Devices by (pool, resource)."""


def counts(devices: Sequence[DeviceCount]) -> Counts:
    """`devices` by pool and resource."""
    total: Counts = Counter()
    for one in devices:
        total[(one["pool"], one["resource"])] += one["count"]
    return total


def flavour(pool: str) -> dict[str, Any]:
    """ResourceFlavor of a pool: its nodes, and the toleration that its pods need."""
    return {
        "nodeLabels": {POOL_LABEL: pool},
        "tolerations": [{"key": TAINT["key"], "operator": "Exists", "effect": TAINT["effect"]}],
    }


def groups(offered: Counts, quota: Counts) -> list[dict[str, Any]]:
    """Quotas as one group: all devices of a pod are of one flavour, for it runs on one node.

    Every flavour lists every resource, 0 where its pool lacks it.
    """
    names = sorted({resource for _, resource in offered})
    pools = list(dict.fromkeys(pool for pool, _ in offered))
    if not names:
        return []
    flavours = [
        {
            "name": pool,
            "resources": [{"name": name, "nominalQuota": str(quota[(pool, name)])} for name in names],
        }
        for pool in pools
    ]
    return [{"coveredResources": names, "flavors": flavours}]


def cluster_queue(tenant: SharingTenant, offered: Counts, *, borrowing: bool) -> dict[str, Any]:
    """ClusterQueue of a tenant; without a borrowing limit it borrows whatever its cohort has idle.

    What others borrowed of its own comes back at once; a workload of higher priority stops a lower one of the
    same tenant; a workload takes its tenant's own devices of another pool before it borrows.
    """
    lent = {"cohortName": COHORT, "fairSharing": {"weight": str(tenant.get("weight", 1))}}
    return {
        **(lent if borrowing else {}),
        "namespaceSelector": {"matchLabels": {NAMESPACE_NAME: tenant["namespace"]}},
        "queueingStrategy": "BestEffortFIFO",
        "flavorFungibility": {"whenCanBorrow": "TryNextFlavor"},
        "preemption": {
            "reclaimWithinCohort": "Any" if borrowing else "Never",
            "withinClusterQueue": "LowerPriority",
        },
        "resourceGroups": groups(offered, counts(tenant["guaranteed"])),
    }


def unassigned(offered: Counts, tenants: Sequence[SharingTenant]) -> Counts:
    """What is no tenant's own."""
    rest = Counter(offered)
    for tenant in tenants:
        rest.subtract(counts(tenant["guaranteed"]))
    return rest
