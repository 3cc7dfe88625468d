"""The driver of the simulated machines: keeps their Node objects and what their GPUs are partitioned into.

With its DRA driver it reads what a program wrote to the API and nothing else: the label
`nvidia.com/mig.config`, the ClusterPolicy, the ConfigMap that it names, the DeviceClasses, the DRA driver's
DaemonSet and its pods, and which devices are in use.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

from corral.catalogue.quantities import amount
from corral.embedded.hardware.change_log import ChangeLog
from corral.embedded.hardware.device_plugin import Plugin, announced, chosen_file, configured
from corral.embedded.hardware.dra_driver import DraDriver
from corral.embedded.hardware.feature_gates import is_plugin
from corral.embedded.hardware.geometry import Impossible
from corral.embedded.hardware.gpu_layouts import GpuLayouts
from corral.embedded.hardware.inventory import Inventory, Machine
from corral.embedded.hardware.mig_manager import Outcome, clients, manage
from corral.embedded.hardware.publication import (
    CLIENT_LABEL,
    INVENTORY_LABEL,
    MIG_CONFIG_LABEL,
    MIG_STATE_LABEL,
    PAUSED,
    PLACE,
    PLUGIN_LABEL,
    SHARING_LABEL,
    gpu_of,
    labels,
)
from corral.embedded.informer import Informer
from corral.embedded.kube import Api, Object, resource
from corral.embedded.objects import at, child, children, is_true
from corral.embedded.work_queue import WorkQueue

OPERATOR_NAMESPACE = "gpu-operator"
POLICY_CRD = "clusterpolicies.nvidia.com"
EXTENDED_PREFIX = "nvidia.com/"
FINISHED = ("Succeeded", "Failed")

log = logging.getLogger(__name__)


class Driver:
    """All machines of one inventory."""

    def __init__(self, api: Api, inventory: Inventory, layouts_file: Path) -> None:
        self._api = api
        self._inventory = inventory
        self._layouts = GpuLayouts(layouts_file, inventory)
        self._machines = {machine.name: machine for machine in inventory.machines}
        self._queue: WorkQueue[str] = WorkQueue(self._reconcile, log)
        self._changes = ChangeLog()
        self._nodes = Informer(api, resource("v1", "nodes"), self._node_changed)
        self._pods = Informer(api, resource("v1", "pods"), self._pod_changed)
        self._dra = DraDriver(api, inventory, self._layouts, self._pods, self._changes, self._reconcile_all)
        self._configurations = self._informer("v1", "configmaps", OPERATOR_NAMESPACE)
        self._policies = self._informer("nvidia.com/v1", "clusterpolicies")
        self._definition = Informer(
            api,
            resource("apiextensions.k8s.io/v1", "customresourcedefinitions"),
            self._definition_changed,
            fieldSelector=f"metadata.name={POLICY_CRD}",
        )
        self._policy_served = False

    def _informer(self, group_version: str, plural: str, namespace: str | None = None) -> Informer:
        def changed(_kind: str, _item: Object) -> None:
            self._reconcile_all()

        return Informer(self._api, resource(group_version, plural, namespace), changed)

    async def run(self) -> None:
        """Serve until cancelled."""
        first = (self._nodes, *self._dra.informers, self._pods, self._configurations)
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            for informer in (*first, self._definition):
                tasks.create_task(informer.run())
            for informer in (*first, self._definition):
                await informer.synced.wait()
            if self._policy_served:
                await self._policies.synced.wait()
            self._reconcile_all()
            await self._queue.run()

    def _definition_changed(self, kind: str, definition: Object) -> None:
        if kind == "set" and is_true(definition, "Established") and not self._policy_served:
            self._policy_served = True
            self._tasks.create_task(self._policies.run())

    def _node_changed(self, _kind: str, node: Object) -> None:
        self._queue.add(node["metadata"]["name"])

    def _pod_changed(self, _kind: str, pod: Object) -> None:
        name = str(at(pod, "spec", "nodeName") or "")
        if is_plugin(pod) or CLIENT_LABEL in child(pod, "spec", "nodeSelector"):
            self._queue.add(name)

    def _reconcile_all(self) -> None:
        for name in self._machines:
            self._queue.add(name)

    async def _reconcile(self, name: str) -> None:
        node, machine = self._nodes.items.get(("", name)), self._machines.get(name)
        if machine is None:
            await self._delete_node(name, node)
        elif node is None:
            await self._api.create(resource("v1", "nodes"), _node(machine, self._labels(machine)))
            log.info("machine %s: made its node", name)
        elif not at(node, "metadata", "deletionTimestamp"):
            dynamic = self._dra.dynamic(machine)
            outcome = await self._manage(node, machine, dynamic=dynamic is True)
            conflict = outcome is not None and outcome.conflict
            if dynamic and not conflict:
                await self._dra.destroy_slices(machine, self._busy)
            device_plugin = self._plugin(node, machine)
            await self._label(node, machine, outcome, device_plugin)
            await self._announce(node, machine, device_plugin)
            await self._dra.publish(node, machine, dynamic=dynamic, conflict=conflict)

    async def _delete_node(self, name: str, node: Object | None) -> None:
        """Delete the node of a machine that is no longer in the inventory."""
        if node is not None and at(node, "metadata", "labels", INVENTORY_LABEL) == "true":
            await self._api.delete(resource("v1", "nodes", name=name))
            log.info("machine %s: not in the inventory any more; deleted its node", name)

    def _policy(self) -> Object | None:
        return next(iter(self._policies.items.values()), None)

    async def _manage(self, node: Object, machine: Machine, *, dynamic: bool) -> Outcome | None:
        """Cut the machine's GPUs as its label asks; None when no MIG manager acts here."""
        policy, product = self._policy(), self._inventory.product(machine)
        default = at(policy, "spec", "migManager", "config", "default") if policy else None
        name = at(node, "metadata", "labels", MIG_CONFIG_LABEL) or default or None
        enabled = policy is not None and at(policy, "spec", "migManager", "enabled") is not False
        if not name or policy is None or product is None or product.compute_slices is None or not enabled:
            return None
        config_map = str(at(policy, "spec", "migManager", "config", "name") or "")
        configurations = self._configurations.items.get((OPERATOR_NAMESPACE, config_map))
        busy = frozenset(await self._busy(machine))
        now = self._layouts.of(machine.name)
        outcome = manage(str(name), configurations, product, now, busy, dynamic=dynamic)
        if outcome.changes and clients(self._pods.items.values(), machine.name):
            return Outcome("pending", paused=True)
        if outcome.changes:
            self._layouts.change(machine.name, outcome.changes)
            log.info("machine %s: cut GPU %s as %s", machine.name, ", ".join(map(str, outcome.changes)), name)
        self._changes.log(machine, "MIG", outcome.why)
        return outcome

    def _plugin(self, node: Object, machine: Machine) -> Plugin | None:
        """The machine's device plugin; None where none is deployed, or where it refuses its configuration."""
        policy = self._policy()
        if policy is None or not machine.gpus or at(policy, "spec", "devicePlugin", "enabled") is False:
            return None
        configurations = {
            name: config_map
            for (space, name), config_map in self._configurations.items.items()
            if space == OPERATOR_NAMESPACE
        }
        label = at(node, "metadata", "labels", PLUGIN_LABEL)
        try:
            text = chosen_file(policy, configurations, None if label is None else str(label))
            plugin = configured(str(at(policy, "spec", "mig", "strategy") or "single"), text)
            announced(plugin, self._layouts.of(machine.name))
        except Impossible as cause:
            self._changes.log(machine, "device plugin", str(cause))
            return None
        self._changes.log(machine, "device plugin", "")
        return plugin

    async def _busy(self, machine: Machine) -> Iterable[int]:
        """GPUs of which a device is allocated; all of them while pods hold extended resources."""
        pods = await self._api.list(resource("v1", "pods"), fieldSelector=f"spec.nodeName={machine.name}")
        if any(_holds_gpus(pod) for pod in pods):
            return range(machine.gpus)
        return [gpu_of(device) for device in self._dra.allocated(machine)]

    def _labels(self, machine: Machine) -> dict[str, str]:
        return labels(machine, self._inventory.product(machine))

    async def _label(
        self, node: Object, machine: Machine, outcome: Outcome | None, plugin: Plugin | None
    ) -> None:
        current = child(node, "metadata", "labels")
        desired = {
            **self._labels(machine),
            MIG_STATE_LABEL: outcome.state if outcome else None,
            CLIENT_LABEL: self._client(machine, outcome),
            SHARING_LABEL: plugin.sharing if plugin else None,
        }
        desired = {name: value for name, value in desired.items() if name not in PLACE or name not in current}
        if any(current.get(name) != value for name, value in desired.items()):
            path = resource("v1", "nodes", name=machine.name)
            await self._api.patch(path, {"metadata": {"labels": desired}}, field_manager="corral-hardware")

    def _client(self, machine: Machine, outcome: Outcome | None) -> str | None:
        if self._policy() is None or not machine.gpus:
            return None
        return PAUSED if outcome is not None and outcome.paused else "true"

    async def _announce(self, node: Object, machine: Machine, plugin: Plugin | None) -> None:
        """Capacity of the node, with extended resources while a device plugin is deployed."""
        capacity = {"cpu": machine.cpu, "memory": machine.memory, "pods": str(machine.pods)}
        if plugin is not None:
            capacity |= announced(plugin, self._layouts.of(machine.name))
        current = child(node, "status", "capacity")
        gone = {name: None for name in current if name.startswith(EXTENDED_PREFIX) and name not in capacity}
        if gone or _differs(current, capacity) or _differs(child(node, "status", "allocatable"), capacity):
            amounts = {**gone, **capacity}
            await self._api.patch(
                resource("v1", "nodes", name=machine.name, sub="status"),
                {"status": {"capacity": amounts, "allocatable": amounts}},
                field_manager="corral-hardware",
            )


def _node(machine: Machine, node_labels: Mapping[str, str]) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": machine.name,
            "labels": dict(node_labels),
            "annotations": {"kwok.x-k8s.io/node": "fake"},
        },
    }


def _differs(current: Mapping[str, object], desired: Mapping[str, str]) -> bool:
    """Whether an amount is not as desired, however the API server writes it."""
    return any(name not in current or amount(str(current[name])) != amount(desired[name]) for name in desired)


def _holds_gpus(pod: Object) -> bool:
    return at(pod, "status", "phase") not in FINISHED and any(
        name.startswith(EXTENDED_PREFIX)
        for container in children(pod, "spec", "containers")
        for name in child(container, "resources", "limits")
    )
