"""GPUs shared fairly among tenants."""

from corral.components.fair_sharing.args import CountedClass, DeviceCount, FairSharingArgs, SharingTenant
from corral.components.fair_sharing.component import FairSharing
from corral.components.fair_sharing.doors import Door, TenantQueues, TenantQueuesArgs

__all__ = [
    "CountedClass",
    "DeviceCount",
    "Door",
    "FairSharing",
    "FairSharingArgs",
    "SharingTenant",
    "TenantQueues",
    "TenantQueuesArgs",
]
