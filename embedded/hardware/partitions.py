"""Dynamic MIG: every slice that a GPU could be cut into, as a device that consumes counters of the GPU.

The scheduler allocates such a device only while all its counters last, so that the counters enforce the
geometry: there is one for each memory slice, and one for each kind of unit. Names, order and what is left out
are those of NVIDIA's DRA driver for GPUs 0.4.1 with feature gate DynamicMIG on Kubernetes 1.35 or newer
(kubernetes-sigs/dra-driver-nvidia-gpu v0.4.1, cmd/gpu-kubelet-plugin: partitions.go, mig.go, nvlib.go,
driver.go; read 2026-11-25):

- one ResourceSlice holds the counter sets of all GPUs, then comes one for the devices of each GPU, by name;
- every profile at every start is a device, `+me` among them; profiles that share a GPU instance are not;
- a slice has no `uuid`, as it does not exist before a pod gets it;
- the whole GPU is offered beside its slices and consumes everything; an Ampere GPU, which changes its MIG
  mode by a reset alone, is either whole (MIG mode off) or slices (on).

Where no GPU can be cut, ResourceSlices are those without the gate; the driver would add an empty one.
"""

import re
from collections.abc import Mapping

from corral.catalogue.quantities import mebibytes
from corral.embedded.hardware.geometry import SHAPES, Impossible
from corral.embedded.hardware.inventory import Inventory, Machine, Product, Profile
from corral.embedded.hardware.mig_parted import Layout
from corral.embedded.hardware.publication import GPU_CLASS, MIG_CLASS, common, fixed, gpu_device, unique
from corral.embedded.kube import Object, Objects

MOST_COUNTER_SETS = 8
"""Counter sets that one ResourceSlice may hold: ResourceSliceMaxCounterSets of k8s.io/api v0.35.4."""
TOGGLES_SINCE = 9
"""Major compute capability of Hopper, the first that changes its MIG mode without a reset."""


def partitionable(product: Product, layout: Layout) -> bool:
    """Whether the driver offers slices of a GPU; `layout` is None while its MIG mode is off."""
    return product.compute_slices is not None and (toggles(product) or layout is not None)


def toggles(product: Product) -> bool:
    """Whether the driver switches MIG mode on and off as it needs."""
    return int(product.compute_capability.split(".")[0]) >= TOGGLES_SINCE


def partitioned(
    inventory: Inventory, machine: Machine, layout: Mapping[int, Layout], classes: frozenset[str]
) -> Objects:
    """What the ResourceSlices of the machine's pool hold, each under `sharedCounters` or `devices`.

    Given the DeviceClasses that exist; none when there is no device.

    Raises:
        Impossible: the counter sets do not fit into one ResourceSlice, where the driver puts them.
    """
    product = inventory.product(machine)
    if product is None:
        return []
    counters: Objects = []
    parts: Objects = []
    for gpu, slices in sorted(layout.items()):
        has_slices = partitionable(product, slices)
        gpu_devices = (
            _partitions(inventory, machine, product, gpu) if has_slices and MIG_CLASS in classes else []
        )
        if GPU_CLASS in classes and (toggles(product) or not has_slices):
            whole = _whole if has_slices else gpu_device
            gpu_devices.append(whole(inventory, machine, product, gpu))
        if gpu_devices:
            parts.append({"devices": sorted(gpu_devices, key=lambda device: device["name"])})
        if gpu_devices and has_slices:
            counters.append({"name": _set(gpu), "counters": _full(product)})
    if len(counters) > MOST_COUNTER_SETS:
        raise Impossible(f"DynamicMIG: one ResourceSlice holds counters of {MOST_COUNTER_SETS} GPUs at most")
    if not counters:
        return fixed([device for part in parts for device in part["devices"]])
    return [{"sharedCounters": counters}, *parts]


def _partitions(inventory: Inventory, machine: Machine, product: Product, gpu: int) -> Objects:
    shapes = SHAPES[product.compute_slices or 0]
    slice_devices: Objects = []
    for name, profile in product.profiles.items():
        shape, units = shapes[profile.shape], _units(profile)
        plain = re.sub(r"[^a-z0-9-]", "-", name.replace(".", ""))
        for start in shape.starts:
            consumed = {**_counters(units), **_memory_slices(start, shape.memory)}
            slice_devices.append(
                {
                    "name": f"gpu-{gpu}-mig-{plain}-{shape.profile_id}-{start}",
                    "attributes": {
                        "type": {"string": "mig"},
                        "parentUUID": {"string": unique("GPU", machine, gpu)},
                        "profile": {"string": name},
                        **common(inventory, product),
                    },
                    "capacity": _capacity(units),
                    "consumesCounters": [{"counterSet": _set(gpu), "counters": consumed}],
                }
            )
    return slice_devices


def _whole(inventory: Inventory, machine: Machine, product: Product, gpu: int) -> Object:
    return {
        **gpu_device(inventory, machine, product, gpu),
        "capacity": _capacity(_largest(product)),
        "consumesCounters": [{"counterSet": _set(gpu), "counters": _full(product)}],
    }


def _set(gpu: int) -> str:
    return f"gpu-{gpu}-counter-set"


def _full(product: Product) -> Object:
    slices = max(shape.memory for shape in SHAPES[product.compute_slices or 0].values())
    return {**_counters(_largest(product)), **_memory_slices(0, slices)}


Units = Mapping[str, int]
"""Units by the name of their capacity; `memory` in MiB."""


def _units(profile: Profile) -> Units:
    return {
        "multiprocessors": profile.multiprocessors,
        "copyEngines": profile.engines.copy_,
        "decoders": profile.engines.decoders,
        "encoders": 0,
        "jpegEngines": profile.engines.jpeg,
        "ofaEngines": profile.engines.ofa,
        "memory": profile.memory_mib,
    }


def _largest(product: Product) -> Units:
    """Of each unit as many as the profile with most of it has; the driver asks the GPU for no other total."""
    every = [_units(profile) for profile in product.profiles.values()]
    return {name: max(units[name] for units in every) for name in every[0]}


def _capacity(units: Units) -> Object:
    return {
        name: {"value": mebibytes(count) if name == "memory" else str(count)} for name, count in units.items()
    }


def _counters(units: Units) -> Object:
    """Counters of capacities; a counter's name has hyphens where a capacity's has capitals."""
    return {
        re.sub("[A-Z]", lambda capital: f"-{capital[0].lower()}", name): amount
        for name, amount in _capacity(units).items()
    }


def _memory_slices(start: int, size: int) -> Object:
    return {f"memory-slice-{number}": {"value": "1"} for number in range(start, start + size)}
