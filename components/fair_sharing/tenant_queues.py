"""LocalQueues: how workloads of tenants come to their quotas."""

from typing import NotRequired, TypedDict

import pulumi

from corral.catalogue.vocabulary import Addon
from corral.components._kit import checked, prerequisite, token
from corral.components.fair_sharing.component import ACTIVE, kueue_object
from corral.components.fair_sharing.guard import QUEUE


class TenantQueue(TypedDict):
    """The queue in one tenant's namespace."""

    tenant: str
    """Name of the tenant, and of its ClusterQueue."""
    namespace: pulumi.Input[str]
    """Its namespace."""
    cluster_queue: NotRequired[pulumi.Input[str]]
    """Its entry of `FairSharing.cluster_queues`, where this program makes them; when omitted the one of the
    tenant's name, and Kueue's types must be there already."""


class TenantQueuesArgs(TypedDict):
    """What the queues of tenants need."""

    tenants: list[TenantQueue]
    """All tenants, each with its namespace."""


class TenantQueues(pulumi.ComponentResource):
    """One LocalQueue in each tenant's namespace.

    Kueue must be there with the quotas, as component FairSharing makes them.
    """

    queue: pulumi.Output[str]
    """Name of the queue, the same in each namespace."""

    def __init__(self, name: str, args: TenantQueuesArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, TenantQueuesArgs, name)
        super().__init__(token(type(self)), name, {}, opts)
        quotas = [one["cluster_queue"] for one in args["tenants"] if "cluster_queue" in one]
        known = quotas[0] if args["tenants"] and len(quotas) == len(args["tenants"]) else None
        types = prerequisite(self, name, Addon.KUEUE, known)
        for one in args["tenants"]:
            kueue_object(
                self,
                f"{name}-{one['tenant']}",
                "LocalQueue",
                QUEUE,
                {"clusterQueue": one.get("cluster_queue", one["tenant"])},
                types,
                annotations=ACTIVE,
                namespace=one["namespace"],
            )
        self.queue = pulumi.Output.from_input(QUEUE)
        self.register_outputs({"queue": QUEUE})
