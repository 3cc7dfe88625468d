"""Who has which GPUs, and who lends to whom, in plain frozen values: a part of the plan."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CountedDevice:
    """A kind of device of one pool, as it is counted."""

    pool: str
    profile: str | None
    """MIG profile; None: whole GPUs, or equal shares of them."""
    words: str
    """Such as `1g.5gb`, `whole GPU`, `1/4 GPU`."""
    counted_as: str
    """What limits count: a DeviceClass, or the extended resource of a device plugin."""
    resource: str
    """What queues count: a name that stands for the DeviceClass, or the extended resource itself."""


@dataclass(frozen=True)
class Quota:
    """So many devices of one kind."""

    device: CountedDevice
    count: int


@dataclass(frozen=True)
class TenantShare:
    """What one tenant has."""

    tenant: str
    namespace: str
    weight: int
    """Its part of what nobody claims, relative to the others'."""
    guaranteed: tuple[Quota, ...]
    """Of every kind there is, 0 where it has none, in the order of the pools."""
    needed: tuple[Quota, ...]
    """What its models need at most; the same order."""


@dataclass(frozen=True)
class FairSharingPlan:
    """How tenants share GPUs."""

    borrowing: bool
    """Whether a tenant may use what is idle of the others', and what is nobody's."""
    ready_within: int
    """Minutes in which all pods of a workload must be ready."""
    offered: tuple[Quota, ...]
    """What the pools have."""
    tenants: tuple[TenantShare, ...]

    @property
    def unassigned(self) -> tuple[Quota, ...]:
        """What is no tenant's own, without the kinds of which nothing is left."""
        rest = (
            Quota(one.device, one.count - sum(share.guaranteed[place].count for share in self.tenants))
            for place, one in enumerate(self.offered)
        )
        return tuple(one for one in rest if one.count)


@dataclass(frozen=True)
class DeviceClassPlan:
    """A DeviceClass of the program: the slices of one MIG profile."""

    name: str
    profile: str
