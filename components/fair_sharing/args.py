"""What fair sharing needs to know."""

from typing import NotRequired, TypedDict

import pulumi

from corral.components.supply import Supply


class DeviceCount(TypedDict):
    """So many devices of one kind in one pool."""

    pool: str
    """GPU node pool, which its nodes carry as the label `corral.dev/pool`."""
    resource: str
    """What queues call the device: an extended resource, or a name that stands for a DeviceClass."""
    count: int
    """How many."""


class CountedClass(TypedDict):
    """A DeviceClass, and the name under which queues count its devices."""

    resource: str
    """Name such as `corral.dev/mig-1g-5gb`."""
    device_class: str
    """DeviceClass such as `mig-1g-5gb.corral.dev`."""


class SharingTenant(TypedDict):
    """A tenant, and what is its own."""

    name: str
    """Name of the tenant, and of its ClusterQueue."""
    namespace: str
    """Its namespace; what is anywhere else has no part in its quota."""
    guaranteed: list[DeviceCount]
    """Devices that are its own; a kind left out is borrowed or not had."""
    weight: NotRequired[int]
    """Its part of what is borrowed, relative to the others'; 1 when omitted."""


class FairSharingArgs(TypedDict):
    """What fair sharing needs to know."""

    supply: Supply
    """Where the chart and its image come from."""
    tenants: list[SharingTenant]
    """All tenants; their namespaces are the only ones in which anything is queued."""
    offered: list[DeviceCount]
    """Every device of every pool."""
    classes: NotRequired[list[CountedClass]]
    """DeviceClasses of a DRA driver; none where devices are extended resources."""
    borrowing: NotRequired[bool]
    """Whether a tenant may use what is idle of others, and what is nobody's; true when omitted."""
    ready_within_minutes: NotRequired[int]
    """Time in which all pods of a workload must be ready, 60 when omitted; else it is queued again."""
    replicas: NotRequired[int]
    """Managers, 2 when omitted; with none answering, no pod of a tenant is made."""
    monitors: NotRequired[bool]
    """False where the Prometheus operator's resource types are absent: no monitor and no alert then."""
    monitor_types: NotRequired[pulumi.Input[str]]
    """`Crds.definition` of the set `prometheus-crds`, where this program makes them; they must be there
    already when omitted."""
    existing: NotRequired[bool]
    """True: Kueue is there, with a configuration of somebody else's; only flavours and queues are made."""
    namespace: NotRequired[str]
    """Where it runs; `kueue-system` when omitted."""
    create_namespace: NotRequired[bool]
    """False: its namespace is there, is used as it is, and stays; true when omitted."""
