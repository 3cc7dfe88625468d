"""Arguments of FairSharing and TenantQueues."""

from corral.catalogue.vocabulary import Addon, Allocator
from corral.components.fair_sharing import (
    DeviceCount,
    FairSharing,
    FairSharingArgs,
    SharingTenant,
    TenantQueue,
    TenantQueues,
    TenantQueuesArgs,
)
from corral.components.tenancy import Tenancy
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.wiring import FurtherWiring, Wiring
from corral.stacks.planning.results.fair_sharing import Quota, TenantShare


def fair_sharing_args(context: DeployContext) -> FairSharingArgs:
    """Kueue with the quotas of all tenants."""
    shares = context.plan.shares
    classes = {one.device.resource: one.device.counted_as for one in shares.offered}
    by_class = context.plan.allocator is Allocator.DRA_DRIVER
    args: FairSharingArgs = {
        **context.installed(Addon.KUEUE),
        "tenants": [_tenant(tenant) for tenant in shares.tenants],
        "offered": [_count(one) for one in shares.offered],
        "classes": [
            {"resource": resource, "device_class": name} for resource, name in classes.items() if by_class
        ],
        "borrowing": shares.borrowing,
        "ready_within_minutes": shares.ready_within,
        **context.watched(Addon.KUEUE),
    }
    if context.capabilities.controller_replicas is not None:
        args["replicas"] = context.capabilities.controller_replicas
    return args


def tenant_queues_args(context: DeployContext) -> TenantQueuesArgs:
    """A queue in the namespace of each tenant."""
    return {"tenants": [_queue(context, one) for one in context.plan.shares.tenants]}


def _queue(context: DeployContext, share: TenantShare) -> TenantQueue:
    tenancy, sharing = context.built.get(Tenancy), context.built.get(FairSharing)
    queue: TenantQueue = {
        "tenant": share.tenant,
        "namespace": share.namespace if tenancy is None else tenancy.namespaces[share.tenant],
    }
    if sharing is not None:
        queue["cluster_queue"] = sharing.cluster_queues[share.tenant]
    return queue


def _tenant(share: TenantShare) -> SharingTenant:
    return {
        "name": share.tenant,
        "namespace": share.namespace,
        "weight": share.weight,
        "guaranteed": [_count(one) for one in share.guaranteed if one.count],
    }


def _count(quota: Quota) -> DeviceCount:
    return {"pool": quota.device.pool, "resource": quota.device.resource, "count": quota.count}


WIRING = Wiring(FairSharing, fair_sharing_args)
FURTHER = [FurtherWiring(TenantQueues, tenant_queues_args, name="tenant-queues", after=(Addon.KUEUE,))]
