"""GPUs shared fairly among tenants."""

from corral.components.fair_sharing.args import CountedClass, DeviceCount, FairSharingArgs, SharingTenant
from corral.components.fair_sharing.component import FairSharing
from corral.components.fair_sharing.tenant_queues import TenantQueue, TenantQueues, TenantQueuesArgs

__all__ = [
    "CountedClass",
    "DeviceCount",
    "FairSharing",
    "FairSharingArgs",
    "SharingTenant",
    "TenantQueue",
    "TenantQueues",
    "TenantQueuesArgs",
]
