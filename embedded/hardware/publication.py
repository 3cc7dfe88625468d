"""What drivers publish about a machine: labels and ResourceSlices.

Names of attributes and capacities are those of the NVIDIA DRA driver for GPUs 0.4.1. Devices here are fixed
partitions: whole GPUs, and the slices that a layout has cut; those of dynamic MIG are in `partitions`.
"""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence

from corral.catalogue.quantities import mebibytes
from corral.embedded.hardware.geometry import Placed
from corral.embedded.hardware.inventory import MIB_PER_GIB, Inventory, Machine, Product
from corral.embedded.hardware.mig_parted import Layout
from corral.embedded.kube import Object, Objects

DRIVER = "gpu.nvidia.com"
GPU_CLASS = "gpu.nvidia.com"
MIG_CLASS = "mig.nvidia.com"
INVENTORY_LABEL = "corral.dev/simulated-hardware"
MIG_CONFIG_LABEL = "nvidia.com/mig.config"
MIG_STATE_LABEL = "nvidia.com/mig.config.state"
CLIENT_LABEL = "nvidia.com/gpu.deploy.client"
"""Set by the GPU operator (26.7); MIG manager stops the DaemonSets that select it by another value."""
PAUSED = "paused-for-mig-change"
PLUGIN_LABEL = "nvidia.com/device-plugin.config"
SHARING_LABEL = "nvidia.com/gpu.sharing-strategy"
PLACE = {"topology.kubernetes.io/region": "embedded", "topology.kubernetes.io/zone": "embedded-a"}
"""Labels of a node that nobody else has given a place."""
MOST_DEVICES = 128
"""Devices that one ResourceSlice may hold."""
BRAND = "Nvidia"


def labels(machine: Machine, product: Product | None) -> dict[str, str]:
    """Node labels, as node and GPU feature discovery set them."""
    common = {
        INVENTORY_LABEL: "true",
        "kubernetes.io/hostname": machine.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        **PLACE,
    }
    if product is None:
        return common
    major, minor = product.compute_capability.split(".")
    return {
        **common,
        "feature.node.kubernetes.io/pci-10de.present": "true",
        "nvidia.com/gpu.present": "true",
        "nvidia.com/gpu.product": product.label,
        "nvidia.com/gpu.count": str(machine.gpus),
        "nvidia.com/gpu.memory": str(product.memory_mib),
        "nvidia.com/gpu.compute.major": major,
        "nvidia.com/gpu.compute.minor": minor,
        "nvidia.com/mig.capable": str(product.compute_slices is not None).lower(),
    }


def devices(
    inventory: Inventory, machine: Machine, layout: Mapping[int, Layout], classes: frozenset[str]
) -> Objects:
    """Devices of the machine that the DRA driver publishes, given the DeviceClasses that exist."""
    product = inventory.product(machine)
    if product is None:
        return []
    published: Objects = []
    for gpu, slices in sorted(layout.items()):
        if slices is None and GPU_CLASS in classes:
            published.append(gpu_device(inventory, machine, product, gpu))
        if slices is not None and MIG_CLASS in classes:
            published.extend(_slices(inventory, machine, product, gpu, slices))
    return published


def fixed(published: Sequence[Object]) -> Objects:
    """What the ResourceSlices of devices without counters hold."""
    return [
        {"devices": list(published[start : start + MOST_DEVICES])}
        for start in range(0, len(published), MOST_DEVICES)
    ]


def resource_slices(node: Object, parts: Sequence[Object], generation: int) -> Objects:
    """The ResourceSlices of a node's pool, one for each of `parts`: its `devices`, or `sharedCounters`."""
    name, identity = node["metadata"]["name"], node["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "Node", "name": name, "uid": identity, "controller": True}
    return [
        {
            "apiVersion": "resource.k8s.io/v1",
            "kind": "ResourceSlice",
            "metadata": {"name": f"{name}-{DRIVER}-{index}", "ownerReferences": [owner]},
            "spec": {
                "driver": DRIVER,
                "nodeName": name,
                "pool": {"name": name, "generation": generation, "resourceSliceCount": len(parts)},
                **part,
            },
        }
        for index, part in enumerate(parts)
    ]


def gpu_of(device: str) -> int:
    """Index of the GPU that a published device is, or is a slice of.

    >>> gpu_of("gpu-3"), gpu_of("gpu-3-mig-1g5gb-0"), gpu_of("gpu-12-mig-1g5gb-me-20-6")
    (3, 3, 12)
    """
    return int(device.split("-")[1])


def gpu_device(inventory: Inventory, machine: Machine, product: Product, gpu: int) -> Object:
    """A whole GPU that consumes no counters."""
    capacity = {"memory": {"value": mebibytes(int(product.usable_gib * MIB_PER_GIB))}}
    if product.multiprocessors is not None:
        capacity["multiprocessors"] = {"value": str(product.multiprocessors)}
    attributes = {
        "type": {"string": "gpu"},
        "uuid": {"string": unique("GPU", machine, gpu)},
        **common(inventory, product),
    }
    return {"name": f"gpu-{gpu}", "attributes": attributes, "capacity": capacity}


def _slices(
    inventory: Inventory, machine: Machine, product: Product, gpu: int, slices: Sequence[Placed]
) -> Objects:
    seen: Counter[str] = Counter()
    published: Objects = []
    for placed in slices:
        profile = product.profiles[placed.profile]
        plain = placed.profile.replace(".", "").replace("+", "-")
        published.append(
            {
                "name": f"gpu-{gpu}-mig-{plain}-{seen[placed.profile]}",
                "attributes": {
                    "type": {"string": "mig"},
                    "uuid": {"string": unique("MIG", machine, gpu, placed)},
                    "parentUUID": {"string": unique("GPU", machine, gpu)},
                    "profile": {"string": placed.profile},
                    **common(inventory, product),
                },
                "capacity": {
                    "memory": {"value": mebibytes(profile.memory_mib)},
                    "multiprocessors": {"value": str(profile.multiprocessors)},
                },
            }
        )
        seen[placed.profile] += 1
    return published


def common(inventory: Inventory, product: Product) -> Object:
    """Attributes of every device of a product."""
    return {
        "productName": {"string": product.name},
        "brand": {"string": BRAND},
        "architecture": {"string": product.architecture},
        "cudaComputeCapability": {"version": f"{product.compute_capability}.0"},
        "driverVersion": {"version": _semantic(inventory.driver)},
    }


def _semantic(version: str) -> str:
    """A driver version without leading zeros, which a semantic version may not have."""
    return ".".join(str(int(part)) for part in version.split("."))


def unique(kind: str, machine: Machine, gpu: int, placed: Placed | None = None) -> str:
    """UUID of a GPU or of a slice; the same each time."""
    place = f"/{placed.profile}/{placed.start}" if placed else ""
    return f"{kind}-{uuid.uuid5(uuid.NAMESPACE_DNS, f'{gpu}{place}.{machine.name}.hardware.corral.dev')}"
