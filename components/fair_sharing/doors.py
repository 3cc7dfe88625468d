"""The queues through which workloads of tenants come to their quotas."""

from typing import TypedDict

import pulumi

from corral.components._kit import checked, token
from corral.components.fair_sharing.component import ACTIVE, kueue_object
from corral.components.fair_sharing.guard import QUEUE


class Door(TypedDict):
    """The queue in one tenant's namespace."""

    tenant: str
    """Name of the tenant, and of its ClusterQueue."""
    namespace: pulumi.Input[str]
    """Its namespace."""


class TenantQueuesArgs(TypedDict):
    """Whose queues there are."""

    tenants: list[Door]
    """All tenants, each with its namespace."""


class TenantQueues(pulumi.ComponentResource):
    """One LocalQueue in each tenant's namespace.

    It depends on FairSharing, which makes the quotas, and on the namespaces.
    """

    queue: pulumi.Output[str]
    """Name of the queue, the same in each namespace."""

    def __init__(self, name: str, args: TenantQueuesArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, TenantQueuesArgs, name)
        super().__init__(token(type(self)), name, {}, opts)
        for one in args["tenants"]:
            kueue_object(
                self,
                f"{name}-{one['tenant']}",
                "LocalQueue",
                QUEUE,
                {"clusterQueue": one["tenant"]},
                annotations=ACTIVE,
                namespace=one["namespace"],
            )
        self.queue = pulumi.Output.from_input(QUEUE)
        self.register_outputs({"queue": QUEUE})
