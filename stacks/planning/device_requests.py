"""What follows from how GPUs are shared: who hands them out, and what a replica asks for."""

from corral.catalogue.gpus import Gpu
from corral.catalogue.vocabulary import AddonState, Allocator, SharingKind
from corral.stacks.planning.gpu_pools.placement import PoolPlacement
from corral.stacks.planning.results.models import ClaimPlan, ResourcePlan

WHOLE, SHARED = "nvidia.com/gpu", "nvidia.com/gpu.shared"
"""What the device plugin calls a GPU, and a share of one where it is told to name shares apart."""
WHOLE_CLASS = "gpu.nvidia.com"
"""What the DRA driver calls a GPU."""
DOMAIN = "corral.dev"
"""Of what is ours by name: DeviceClasses, and what queues count in their place."""
CLOSED = {
    Allocator.DRA_DRIVER: (WHOLE_CLASS, "mig.nvidia.com", "vfio.gpu.nvidia.com"),
    Allocator.DEVICE_PLUGIN: (WHOLE, SHARED),
}
"""What a tenant with limits gets none of but by name: the driver's classes for slices cut across ours."""
BY_DEVICE_PLUGIN = (SharingKind.TIME_SLICING, SharingKind.MPS)
"""Ways of sharing that the DRA driver has only behind alpha gates."""


def allocator(dra_driver: AddonState) -> Allocator:
    """What hands GPUs out: the DRA driver, unless the stack leaves it out."""
    return Allocator.DEVICE_PLUGIN if dra_driver is AddonState.OFF else Allocator.DRA_DRIVER


def request(by: Allocator, gpu: Gpu, placement: PoolPlacement) -> ClaimPlan | ResourcePlan:
    """What one replica asks `by` for."""
    profile = placement.device.profile
    name = counted_as(by, profile, placement.device.shares)
    if by is Allocator.DEVICE_PLUGIN:
        return ResourcePlan(name, placement.count)
    return ClaimPlan(
        device_class=name,
        profile=profile,
        product=gpu.product if profile is None else None,
        count=placement.count,
    )


def counted_as(by: Allocator, profile: str | None, shares: int) -> str:
    """What `by` calls a device, and limits count: a DeviceClass, or an extended resource.

    Slices have a resource each under MIG strategy `mixed`.
    """
    if by is Allocator.DRA_DRIVER:
        return WHOLE_CLASS if profile is None else device_class(profile)
    if profile is not None:
        return f"nvidia.com/mig-{profile.replace('+', '.')}"
    return WHOLE if shares == 1 else SHARED


def queued_as(by: Allocator, profile: str | None, shares: int) -> str:
    """What queues call a device: the extended resource, or a name in place of the DeviceClass."""
    if by is Allocator.DEVICE_PLUGIN:
        return counted_as(by, profile, shares)
    return f"{DOMAIN}/gpu" if profile is None else f"{DOMAIN}/{_label(profile)}"


def device_class(profile: str) -> str:
    """The DeviceClass of the slices of one MIG profile.

    >>> device_class("1g.5gb+me")
    'mig-1g-5gb-me.corral.dev'
    """
    return f"{_label(profile)}.{DOMAIN}"


def _label(profile: str) -> str:
    return f"mig-{profile.replace('.', '-').replace('+', '-')}"


def devices_of(placement: PoolPlacement) -> str:
    """The devices of one replica: `1g.5gb`, `whole GPU`, `2 GPUs`, `1/4 GPU`."""
    words = f"{placement.count} GPUs" if placement.count > 1 else placement.device.words
    return words if placement.nodes == 1 else f"{placement.nodes} nodes x {words}"
