"""A pool of GPU nodes in a cloud, checked: what does not combine is refused before anything is made."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pulumi

from corral.catalogue.formats import POOL_NAME
from corral.catalogue.gpus import Gpu, gpus, shape
from corral.catalogue.instances import Instance, instances
from corral.catalogue.vocabulary import AddonState, Cloud, DriverSource
from corral.components._kit import COMPONENT_LABEL
from corral.components.gpu_node_pool.cloud_args import (
    CloudGpuNodePoolArgs,
    CloudPurchase,
    GpuDevices,
    NodeDisk,
    PoolCapacity,
    PoolSize,
)
from corral.components.gpu_node_pool.node_labels import COMPONENT, MIG_LABEL, POOL_LABEL, TAINT, price_text

PRODUCT_LABEL = "nvidia.com/gpu.product"
"""GPU feature discovery sets it on a node; an autoscaler must know it before there is one."""
STARTUP_TAINT = {
    "key": "startup-taint.cluster-autoscaler.kubernetes.io/gpu-driver",
    "value": "not-ready",
    "effect": "NoSchedule",
}
"""The cluster autoscaler takes taints of this prefix for ones that go away."""
CLOUD_EFFECT = {"NoSchedule": "NO_SCHEDULE"}
DISK_GIB, LEAST_DISK_GIB = 200, 50
EVERY_GPU = "all-"
"""Prefix of mig-parted's own configurations, which cut every GPU alike."""
OTHER_NAMES = ("all-balanced", "all-disabled", "all-enabled")
FROM_RESERVATION = frozenset({CloudPurchase.RESERVED, CloudPurchase.CAPACITY_BLOCK})
_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


@dataclass(frozen=True)
class CloudRules:
    """What one cloud offers, and what it takes when nothing is said."""

    cloud: Cloud
    service: str
    """Name of its Kubernetes, as errors say it."""
    machine_key: str
    """Argument that names the machine type."""
    driver: DriverSource
    purchases: frozenset[CloudPurchase]
    least: int = 1
    """Fewest nodes when nothing is said."""


@dataclass(frozen=True)
class CloudPool:
    """One pool with every default filled in."""

    name: str
    gpu: str
    machine: str
    minimum: int
    maximum: int
    desired: int
    purchase: CloudPurchase
    reservation: pulumi.Input[str] | None
    node_hour: str | None
    """Price of a node for an hour that the customer states, such as `51.145 EUR`."""
    disk_gib: int
    disk_key: pulumi.Input[str] | None
    """None: the cloud's key."""
    mig_config: str | None
    driver: DriverSource
    dra: bool
    startup_taint: bool

    @property
    def product(self) -> Gpu:
        return gpus()[self.gpu]

    @property
    def instance(self) -> Instance:
        return instances()[self.machine]

    @property
    def profile(self) -> str | None:
        """MIG profile that all GPUs are cut into, where the configuration's name tells it."""
        return profile_of(self.gpu, self.mig_config)

    @property
    def labels(self) -> dict[str, str]:
        """Labels that say whose the node is."""
        return {POOL_LABEL: self.name, COMPONENT_LABEL: COMPONENT}

    @property
    def mig_label(self) -> dict[str, str]:
        """What the MIG manager reads."""
        return {} if self.mig_config is None else {MIG_LABEL: self.mig_config}

    @property
    def product_label(self) -> dict[str, str]:
        return {PRODUCT_LABEL: self.product.label}

    @property
    def startup_taints(self) -> list[dict[str, str]]:
        return [STARTUP_TAINT] if self.startup_taint else []

    @property
    def taints(self) -> list[dict[str, str]]:
        """All taints in the spelling of both clouds, whose effect is `NO_SCHEDULE`."""
        return [{**taint, "effect": CLOUD_EFFECT[taint["effect"]]} for taint in (TAINT, *self.startup_taints)]

    @property
    def resources(self) -> dict[str, int]:
        """Extended resources of one node, as the operator's device plugin names them; none under DRA."""
        if self.dra:
            return {}
        if self.profile is None:
            return {"nvidia.com/gpu": self.instance.gpus}
        slices = self.instance.gpus * shape(self.gpu, self.profile).max
        # No GPU of the node is whole, whatever the instance type lets an autoscaler believe.
        return {"nvidia.com/gpu": 0, f"nvidia.com/mig-{self.profile}": slices}


def profile_of(gpu: str, mig_config: str | None) -> str | None:
    """MIG profile that `mig_config` cuts every `gpu` into, where its name tells: `all-1g.10gb` does.

    >>> profile_of("H100-80GB", "all-1g.10gb")
    '1g.10gb'
    """
    profile = (mig_config or "").removeprefix(EVERY_GPU)
    return profile if gpu in gpus() and profile in gpus()[gpu].profiles else None


def warnings(pool: CloudPool) -> Iterator[str]:
    """What works, but not as one may expect."""
    if pool.dra and pool.maximum > pool.minimum:
        yield (
            f"pool {pool.name}: {pool.minimum} to {pool.maximum} nodes, and DRA hands out the GPUs: the "
            "cluster autoscaler adds no node to an empty pool for claims, and Karpenter ignores pods with "
            "claims unless its ignoreDRARequests is false; use dra_driver off, or min equal to max"
        )


def settled(args: CloudGpuNodePoolArgs, machine: str, rules: CloudRules) -> CloudPool:
    """The pool that `args` ask for; call it once `problems` has found none."""
    least = int(least_of(args, rules))
    capacity, disk, devices = _capacity(args), _disk(args), _devices(args)
    return CloudPool(
        name=args["pool"],
        gpu=args["gpu"],
        machine=machine,
        minimum=least,
        maximum=int(_size(args).get("max", max(least, 1))),
        desired=int(_size(args).get("desired", least)),
        purchase=CloudPurchase(capacity.get("purchase", CloudPurchase.ON_DEMAND)),
        reservation=capacity.get("reservation"),
        node_hour=price_text(capacity["node_hour"]) if "node_hour" in capacity else None,
        disk_gib=int(disk.get("gib", DISK_GIB)),
        disk_key=disk.get("key"),
        mig_config=mig_config_of(args),
        driver=driver_of(args, rules),
        dra=under_dra(args),
        startup_taint=devices.get("startup_taint", False),
    )


def driver_of(args: CloudGpuNodePoolArgs, rules: CloudRules) -> DriverSource:
    """Who brings the driver onto the pool's nodes."""
    return DriverSource(_devices(args).get("driver", rules.driver))


def under_dra(args: CloudGpuNodePoolArgs) -> bool:
    """Whether a DRA driver hands out the pool's GPUs, and not a device plugin."""
    return AddonState(_devices(args).get("dra_driver", AddonState.MANAGED)) is not AddonState.OFF


def mig_config_of(args: CloudGpuNodePoolArgs) -> str | None:
    """MIG configuration of the pool's nodes; None: whole GPUs."""
    return _devices(args).get("mig_config")


def least_of(args: CloudGpuNodePoolArgs, rules: CloudRules) -> int:
    """Fewest nodes of the pool."""
    return _size(args).get("min", rules.least)


def problems(args: CloudGpuNodePoolArgs, machine: str, rules: CloudRules, owner: str) -> Iterator[str]:
    """What no pool of that cloud can be, one line each: where, what, and what is allowed."""
    if not POOL_NAME.matches(args["pool"]):
        yield f"{owner}.pool: {args['pool']!r}; use {POOL_NAME.words}"
    yield from _size_problems(_size(args), rules, f"{owner}.size")
    yield from _capacity_problems(_capacity(args), rules, f"{owner}.capacity")
    yield from _price_problems(_capacity(args), f"{owner}.capacity.node_hour")
    yield from _disk_problems(_disk(args), f"{owner}.disk")
    if args["gpu"] not in gpus():
        yield f"{owner}.gpu: {args['gpu']!r} is not in the catalogue; use one of {', '.join(gpus())}"
        return
    yield from _machine_problems(args["gpu"], machine, rules, owner)
    yield from _mig_problems(args["gpu"], mig_config_of(args), f"{owner}.devices.mig_config")


def _size(args: CloudGpuNodePoolArgs) -> PoolSize:
    return args.get("size", {})


def _capacity(args: CloudGpuNodePoolArgs) -> PoolCapacity:
    return args.get("capacity", {})


def _disk(args: CloudGpuNodePoolArgs) -> NodeDisk:
    return args.get("disk", {})


def _devices(args: CloudGpuNodePoolArgs) -> GpuDevices:
    return args.get("devices", {})


def _whole(value: Any, least: int) -> bool:
    """Whether `value` is a whole number from `least` on; a package gets 2 as 2.0."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and float(value).is_integer() and value >= least


def _size_problems(size: PoolSize, rules: CloudRules, where: str) -> Iterator[str]:
    floors = {"min": 0, "max": 1, "desired": 0}
    wrong = [key for key, value in size.items() if not _whole(value, floors[key])]
    for key in wrong:
        yield f"{where}.{key}: {size.get(key)!r}; use a whole number, {floors[key]} or more"
    if wrong:
        return
    least = size.get("min", rules.least)
    most = size.get("max", max(least, 1))
    if most < least:
        yield f"{where}.max: {most} is below min, which is {least}"
    elif not least <= size.get("desired", least) <= most:
        yield f"{where}.desired: {size.get('desired')}; use {least} to {most}"


def _capacity_problems(capacity: PoolCapacity, rules: CloudRules, where: str) -> Iterator[str]:
    purchase = CloudPurchase(capacity.get("purchase", CloudPurchase.ON_DEMAND))
    if purchase not in rules.purchases:
        known = ", ".join(word.value for word in CloudPurchase if word in rules.purchases)
        yield f"{where}.purchase: {rules.service} has no {purchase.value!r}; use one of {known}"
    elif purchase in FROM_RESERVATION and "reservation" not in capacity:
        yield f"{where}.reservation: missing; {purchase.value!r} says which reservation the nodes come from"
    elif purchase not in FROM_RESERVATION and "reservation" in capacity:
        known = " or ".join(
            word.value for word in CloudPurchase if word in FROM_RESERVATION & rules.purchases
        )
        yield f"{where}.reservation: {purchase.value!r} draws on no reservation; use purchase {known}"


def _price_problems(capacity: PoolCapacity, where: str) -> Iterator[str]:
    amount = capacity["node_hour"]["amount"] if "node_hour" in capacity else 1
    if isinstance(amount, bool) or not 0 < amount < float("inf"):
        yield f"{where}.amount: {amount!r}; use a number above 0"


def _disk_problems(disk: NodeDisk, where: str) -> Iterator[str]:
    if not _whole(disk.get("gib", DISK_GIB), LEAST_DISK_GIB):
        yield f"{where}.gib: {disk.get('gib')!r}; use a whole number, {LEAST_DISK_GIB} or more"
    if "key" in disk and disk.get("cloud_key"):
        yield f"{where}.cloud_key: true beside a key; give one of them"
    if "key" not in disk and not disk.get("cloud_key"):
        yield f"{where}.key: missing; give a key of the customer, or cloud_key true for one the cloud holds"


def _machine_problems(gpu: str, machine: str, rules: CloudRules, owner: str) -> Iterator[str]:
    if not gpus()[gpu].resolved:
        yield f"{owner}.gpu: the product name of {gpu} is unresolved, so no pod would find it"
    offered = {name: entry for name, entry in instances().items() if entry.cloud is rules.cloud}
    fitting = ", ".join(name for name, entry in offered.items() if entry.gpu == gpu) or "none"
    where = f"{owner}.{rules.machine_key}"
    if machine not in offered:
        yield f"{where}: {machine!r} is not in the catalogue; with {gpu} there are: {fitting}"
    elif offered[machine].gpu != gpu:
        yield f"{where}: {machine} has {offered[machine].gpu}, not {gpu}; with {gpu} there are: {fitting}"


def _mig_problems(gpu: str, name: str | None, where: str) -> Iterator[str]:
    if name is None:
        return
    entry = gpus()[gpu]
    if entry.geometry is None:
        yield f"{where}: {name!r}, but {gpu} has no MIG; leave it out"
        return
    layouts = [f"{EVERY_GPU}{profile.replace('+', '.')}" for profile in (*entry.profiles, *entry.media)]
    known = (*layouts, *OTHER_NAMES)
    if name.startswith(EVERY_GPU) and name not in known:
        yield f"{where}: {gpu} cannot be cut into {name!r}; use one of {', '.join(known)}, or a name of yours"
    elif not _LABEL_VALUE.fullmatch(name):
        yield f"{where}: {name!r} is no value of a label; use up to 63 of A-Z, a-z, 0-9, -, _ and ."
