"""The DRA driver of the simulated machines: its feature gates, and the ResourceSlices that it publishes.

It reads its DaemonSet and pods, the DeviceClasses, the claims, and how the GPUs are partitioned.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping

from corral.embedded.hardware.change_log import ChangeLog
from corral.embedded.hardware.feature_gates import DYNAMIC_MIG, enabled, is_plugin, plugin
from corral.embedded.hardware.geometry import Impossible
from corral.embedded.hardware.gpu_layouts import GpuLayouts
from corral.embedded.hardware.inventory import Inventory, Machine
from corral.embedded.hardware.mig_parted import Layout
from corral.embedded.hardware.partitions import partitionable, partitioned, toggles
from corral.embedded.hardware.publication import (
    DRIVER,
    GPU_CLASS,
    MIG_CLASS,
    devices,
    fixed,
    resource_slices,
)
from corral.embedded.informer import Informer
from corral.embedded.kube import Api, Object, Objects, resource
from corral.embedded.objects import at, children

API_VERSION = "resource.k8s.io/v1"

log = logging.getLogger("corral.embedded.hardware.driver")


class DraDriver:
    """The driver on every machine; `changed` is called when what it reads has changed for all of them."""

    def __init__(
        self,
        api: Api,
        inventory: Inventory,
        layouts: GpuLayouts,
        pods: Informer,
        changes: ChangeLog,
        changed: Callable[[], None],
    ) -> None:
        self._api = api
        self._inventory = inventory
        self._layouts = layouts
        self._pods = pods
        self._changes = changes
        self._changed = changed
        self._listed: dict[str, tuple[str, Mapping[int, Layout]]] = {}
        self._counted = True
        self._slices = Informer(api, resource(API_VERSION, "resourceslices"), self._on_change)
        self._classes = Informer(api, resource(API_VERSION, "deviceclasses"), self._on_change)
        self._claims = Informer(api, resource(API_VERSION, "resourceclaims"), self._on_change)
        self._daemons = Informer(api, resource("apps/v1", "daemonsets"), self._on_daemon)

    @property
    def informers(self) -> tuple[Informer, ...]:
        """To run, and to have synced before anything is published."""
        return self._slices, self._classes, self._claims, self._daemons

    def _on_change(self, _kind: str, _item: Object) -> None:
        self._changed()

    def _on_daemon(self, _kind: str, daemon: Object) -> None:
        if plugin(daemon) is not None:
            self._changed()

    def dynamic(self, machine: Machine) -> bool | None:
        """Whether the DRA driver cuts GPUs for the pods that ask; None where it would not start."""
        try:
            on = DYNAMIC_MIG in enabled(self._daemons.items.values()) if machine.gpus else False
        except Impossible as cause:
            self._changes.log(machine, "feature gates", str(cause))
            return None
        self._changes.log(machine, "feature gates", "")
        return on

    async def destroy_slices(
        self, machine: Machine, busy_gpus: Callable[[Machine], Awaitable[Iterable[int]]]
    ) -> None:
        """Destroy slices that somebody else has cut, as the DRA driver does when DynamicMIG comes on."""
        layout, product = self._layouts.of(machine.name), self._inventory.product(machine)
        if product is None or not any(layout.values()):
            return
        busy = frozenset(await busy_gpus(machine))
        mode = None if toggles(product) else ()
        gone = {gpu: mode for gpu, slices in layout.items() if slices and gpu not in busy}
        if gone:
            self._layouts.change(machine.name, gone)
            log.info("machine %s: destroyed the slices of GPU %s", machine.name, ", ".join(map(str, gone)))

    def allocated(self, machine: Machine) -> frozenset[str]:
        """Names of the machine's devices that claims have."""
        return frozenset(
            str(result["device"])
            for claim in self._claims.items.values()
            for result in children(claim, "status", "allocation", "devices", "results")
            if result["driver"] == DRIVER and result["pool"] == machine.name
        )

    async def publish(self, node: Object, machine: Machine, *, dynamic: bool | None, conflict: bool) -> None:
        """ResourceSlices of the node, a new generation of all of them when a device changed.

        From fixed slices to dynamic ones and back once no device is in use whose name would be gone. With a
        `conflict` about who partitions the GPUs there are none.
        """
        contents = None if conflict else self._pool_contents(machine, dynamic)
        parts = contents or []
        old = {
            item["metadata"]["name"]: item
            for item in self._slices.items.values()
            if at(item, "spec", "driver") == DRIVER and at(item, "spec", "pool", "name") == machine.name
        }
        latest = max((int(item["spec"]["pool"]["generation"]) for item in old.values()), default=0)
        if not _stale(old, resource_slices(node, parts, latest)):
            return
        names = {device["name"] for part in parts for device in children(part, "devices")}
        in_use = sorted(self.allocated(machine) - names)
        if (
            contents is not None
            and old
            and in_use
            and _counted(parts) != _counted([item["spec"] for item in old.values()])
        ):
            self._changes.log(
                machine, "change", f"keeps its devices while {', '.join(in_use)} are in use", logging.WARNING
            )
            return
        self._changes.log(machine, "change", "")
        desired = resource_slices(node, parts, latest + 1)
        for item in desired:
            kept = await self._write_slice(old.get(item["metadata"]["name"]), item)
            if _counted([item["spec"]]) and not _counted([kept["spec"]]):
                # Without counters every slice of a GPU could be handed out at once.
                self._counted = False
                self._changed()
                return
        for name in old.keys() - {item["metadata"]["name"] for item in desired}:
            await self._api.delete(resource(API_VERSION, "resourceslices", name=name))
        log.info("machine %s: publishes %d devices", machine.name, len(names))

    def _pool_contents(self, machine: Machine, dynamic: bool | None) -> Objects | None:
        """What the machine's ResourceSlices shall hold; None where no DRA driver publishes."""
        classes = frozenset({GPU_CLASS, MIG_CLASS} & {name for _, name in self._classes.items})
        if not dynamic:
            self._changes.log(machine, "MIG mode", "")
            listed = self._listed_layout(machine)
            if dynamic is None or listed is None or not classes:
                return None
            return fixed(devices(self._inventory, machine, listed, classes))
        layout = self._layouts.of(machine.name)
        self._changes.log(machine, "MIG mode", self._unpartitioned(machine), logging.WARNING)
        try:
            parts = partitioned(self._inventory, machine, layout, classes)
            if _counted(parts) and not self._counted:
                raise Impossible(
                    "the API server drops counters: its feature gate DRAPartitionableDevices is off"
                )
        except Impossible as cause:
            self._changes.log(machine, "counters", str(cause))
            return None
        self._changes.log(machine, "counters", "")
        return parts if classes else None

    def _listed_layout(self, machine: Machine) -> Mapping[int, Layout] | None:
        """The layout as the DRA driver listed it when its pod on the machine started; None: it never did.

        It lists once (cmd/gpu-kubelet-plugin of v0.4.1), so that a new layout needs a new pod.
        """
        if not any(plugin(daemon) is not None for daemon in self._daemons.items.values()):
            self._listed.pop(machine.name, None)
            return None
        here = [
            str(pod["metadata"]["uid"])
            for pod in self._pods.items.values()
            if is_plugin(pod)
            and at(pod, "spec", "nodeName") == machine.name
            and at(pod, "status", "phase") == "Running"
            and not at(pod, "metadata", "deletionTimestamp")
        ]
        if here and self._listed.get(machine.name, ("",))[0] not in here:
            self._listed[machine.name] = (here[0], self._layouts.of(machine.name))
        return self._listed[machine.name][1] if machine.name in self._listed else None

    def _unpartitioned(self, machine: Machine) -> str:
        product = self._inventory.product(machine)
        if product is None or product.compute_slices is None:
            return ""
        layout = self._layouts.of(machine.name)
        whole = [str(gpu) for gpu, slices in layout.items() if not partitionable(product, slices)]
        why = f"its MIG mode is off, and {product.name} changes it by a reset alone"
        return f"DynamicMIG leaves GPU {', '.join(whole)} whole: {why}" if whole else ""

    async def _write_slice(self, old: Object | None, item: Object) -> Object:
        """Write it; returns what the API server kept of it."""
        name = item["metadata"]["name"]
        if old is None:
            return await self._api.create(resource(API_VERSION, "resourceslices"), item)
        version = {"resourceVersion": old["metadata"]["resourceVersion"]}
        path = resource(API_VERSION, "resourceslices", name=name)
        return await self._api.replace(path, {**item, "metadata": {**item["metadata"], **version}})


def _counted(specs: Iterable[Object]) -> bool:
    """Whether counters are among the contents of some ResourceSlices."""
    return any(at(spec, "sharedCounters") for spec in specs)


def _stale(old: Mapping[str, Object], desired: Objects) -> bool:
    """Whether what is published is not exactly `desired`."""
    return {name: item["spec"] for name, item in old.items()} != {
        item["metadata"]["name"]: item["spec"] for item in desired
    }
