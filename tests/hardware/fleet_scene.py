"""A plane with the machines of `fleets`, and one fleet on it at a time.

The hardware publishes from what the program wrote, by geometry of its own; nothing here is the planner's.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter
from pathlib import Path
from types import MappingProxyType

import pytest
import yaml
from tests.commands import helm_template
from tests.hardware import fleets

from corral.catalogue import yamls
from corral.embedded import hardware
from corral.embedded.home import Home
from corral.embedded.kube import Api, ApiError, resource
from corral.embedded.plane import plane

SECONDS = 40
SECONDS_TO_LOOK_AGAIN = 15
"""The scheduler of a plane lets a pod wait for 1 s before it looks again."""
DRA = "resource.k8s.io/v1"
OPERATOR = "gpu-operator"
POLICY = resource("nvidia.com/v1", "clusterpolicies", name="cluster-policy")
UNUSED = MappingProxyType({"nvidia.com/mig.config": "all-disabled"})
DRIVER = "dra-driver-nvidia-gpu"
DAEMONS = resource("apps/v1", "daemonsets", DRIVER)
ACCOUNTS = resource("v1", "serviceaccounts", DRIVER)
PODS = resource("v1", "pods", fleets.SPACE)
POOL_LABELS = ("corral.dev/pool", "nvidia.com/mig.config", "nvidia.com/device-plugin.config")


@contextlib.contextmanager
def plane_of_fleets(tmp_path_factory):
    """A plane with the machines of `fleets.NODES`."""
    result = Home.find()
    home = Home(tmp_path_factory.mktemp("h"))
    products = yaml.safe_load((Path(hardware.__file__).with_name("inventory.yaml")).read_text())
    inventory = tmp_path_factory.mktemp("i") / "inventory.yaml"
    inventory.write_text(fleets.inventory({key: products[key] for key in ("driver", "products")}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CORRAL_TOOLCHAIN", str(result.toolchain))
        patch.setenv("CORRAL_HOME", str(home.root))
        patch.setattr(plane, "INVENTORY", inventory)
        try:
            # Of the same name as the stack, whose program looks for it.
            plane.up(home, "dev", lambda _line: None)
            asyncio.run(prepare(home.plane("dev").kubeconfig))
            yield home.plane("dev")
        finally:
            plane.down(home, "dev", lambda _line: None)


async def prepare(kubeconfig):
    api = Api.connect(kubeconfig, user_agent="test")
    try:
        for name in (OPERATOR, DRIVER, fleets.SPACE):
            await api.create(resource("v1", "namespaces"), {"metadata": {"name": name}})
        (definition,) = (fleets.chart_folder("gpu-operator") / "crds").glob("*.yaml")
        definitions = resource("apiextensions.k8s.io/v1", "customresourcedefinitions")
        await api.create(definitions, yamls.load(definition.read_text()))
        account = resource("v1", "serviceaccounts", fleets.SPACE, "default")
        await until(lambda: present(api, account), "the service account is there")
        await until(lambda: present(api, resource("nvidia.com/v1", "clusterpolicies")), "policies are served")
    finally:
        await api.aclose()


async def present(api, path):
    try:
        return await api.get(path)
    except ApiError as error:
        if error.missing:
            return None
        raise


async def until(requested, what, seconds=SECONDS):
    limit = time.monotonic() + seconds
    while not (answer := await requested()):
        assert time.monotonic() < limit, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.1)
    return answer


def rendered(graph, chart):
    """Objects of a chart with the values that the program gives it; none when it installs it not."""
    result = [one for one in (*graph.of("Release"), *graph.of("Chart")) if one.inputs.get("name") == chart]
    if not result:
        return []
    text = helm_template(chart, fleets.chart_folder(chart), result[0].inputs["values"], namespace=chart)
    return [one for one in yamls.load_all(text) if one]


class Scene:
    """One fleet on the plane."""

    def __init__(self, api, content, others=UNUSED):
        self.api = api
        self.others = others
        """Labels of the nodes that the fleet does not use."""
        self.plan = fleets.planned(content)
        self.plugin = "addons" in content
        self.graph = fleets.written(self.plan)
        self.operator = rendered(self.graph, "gpu-operator")
        self.driver = rendered(self.graph, DRIVER)

    async def clear(self):
        """Take the fleet before this one away."""
        pods = resource("v1", "pods", fleets.SPACE)
        for pod in await self.api.list(pods):
            await self.api.delete(f"{pods}/{pod['metadata']['name']}", {"gracePeriodSeconds": 0})
        claims = resource(DRA, "resourceclaims", fleets.SPACE)

        async def gone():
            return not await self.api.list(pods) and not await self.api.list(claims)

        await until(gone, "the last fleet is gone")
        templates = resource(DRA, "resourceclaimtemplates", fleets.SPACE)
        for one in await self.api.list(templates):
            await self.api.delete(f"{templates}/{one['metadata']['name']}")

    async def write(self):
        """What the program writes: layouts, ways of sharing, policy, classes, labels, claim templates."""
        for one in self.graph.of("ConfigMap"):
            if one.namespace == OPERATOR and "data" in one.inputs:
                await self.put(resource("v1", "configmaps", OPERATOR), one.inputs)
        for one in self.operator:
            if one["kind"] == "ClusterPolicy":
                await self.put(resource("nvidia.com/v1", "clusterpolicies"), one)
        for one in await self.api.list(DAEMONS):
            if not self.driver:
                await self.api.delete(f"{DAEMONS}/{one['metadata']['name']}")
        for kind, path in (("ServiceAccount", ACCOUNTS), ("DaemonSet", DAEMONS)):
            for one in self.driver:
                if one["kind"] == kind:
                    await self.put(path, one)
        classes = [
            *(one for one in self.driver if one["kind"] == "DeviceClass"),
            *(one.inputs for one in self.graph.of("DeviceClass")),
        ]
        for one in await self.api.list(resource(DRA, "deviceclasses")):
            if not classes:
                await self.api.delete(resource(DRA, "deviceclasses", name=one["metadata"]["name"]))
        for one in classes:
            await self.put(resource(DRA, "deviceclasses"), one)
        labels = {one.object_name: one.inputs["metadata"]["labels"] for one in self.graph.of("NodePatch")}
        for name in (name for names in fleets.NODES.values() for name in names):
            pool_labels = {**dict.fromkeys(POOL_LABELS), **labels.get(name, self.others)}
            await self.api.patch(resource("v1", "nodes", name=name), {"metadata": {"labels": pool_labels}})
        for one in self.graph.of("ResourceClaimTemplate"):
            await self.put(resource(DRA, "resourceclaimtemplates", fleets.SPACE), one.inputs)

    async def put(self, path, body):
        name = body["metadata"]["name"]
        await self.api.patch(f"{path}/{name}", body, kind="apply", field_manager="program")

    async def offered(self):
        nodes = {one["metadata"]["name"]: one for one in await self.api.list(resource("v1", "nodes"))}
        slices = await self.api.list(resource(DRA, "resourceslices"))
        return nodes, slices

    async def disagreements(self, order):
        """Where plan and cluster differ; pods come as `order` shuffles them, one of each kind too many."""
        await self.clear()
        await self.write()
        expected = fleets.capacity(self.plan)

        async def published():
            return fleets.published(*await self.offered(), self.plugin) == expected

        try:
            await until(published, "the planned devices are published", 15)
        except AssertionError:
            result = fleets.published(*await self.offered(), self.plugin)
            return [f"published {dict(result)}, planned {dict(expected)}"]
        too_small = self.memory(await self.offered())
        return too_small or await self.handed_out(expected, order)

    def memory(self, offered):
        """Devices that have less memory than the plan thinks."""
        sizes = {} if self.plugin else fleets.smallest_memory(*offered)
        return [
            f"{pool.name}/{one.profile or 'whole'} has {sizes[(pool.name, one.profile or 'whole')]} bytes, "
            f"planned are {one.usable}"
            for pool in self.plan.pools
            for gpu in pool.gpus
            for one in gpu.slices
            if one.usable >> 20 > sizes.get((pool.name, one.profile or "whole"), one.usable) >> 20
        ]

    async def handed_out(self, expected, order):
        """Where the scheduler gives another number of devices than planned."""
        pods = dict(fleets.replicas(self.plan, self.graph))
        taken = Counter()
        for one in pods.values():
            taken[one.device] += one.each
        for index, (device, count) in enumerate(sorted(expected.items())):
            for number in range(count - taken[device] + 1):
                spec = fleets.filler(device, plugin=self.plugin)
                pods[f"filler-{index}-{number}"] = fleets.Request(device[0], device, 1, spec)
        if not self.plugin:
            for kind in {kind for _pool, kind in expected}:
                await self.put(resource(DRA, "resourceclaimtemplates", fleets.SPACE), fleets.template(kind))
        # Replicas of several GPUs come first: whoever comes later finds GPUs of one node, or none.
        arriving = sorted(pods.items(), key=lambda one: one[0])
        random.Random(order).shuffle(arriving)
        arriving.sort(key=lambda one: -one[1].each)
        await self.bring(arriving)
        placed = await self.placed(len(pods) - len(expected))
        got = Counter()
        for name, one in pods.items():
            got[one.device] += one.each * bool(placed[name])
        return [
            f"{device}: {got[device]} handed out, {count} planned"
            for device, count in expected.items()
            if got[device] != count
        ]

    async def bring(self, arriving):
        """Create pods in this order: names, each with what it asks for."""
        for name, one in arriving:
            body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": one.spec}
            await self.api.create(PODS, body)

    async def end(self, names):
        """Delete pods, and wait until their devices are free."""
        for name in names:
            await self.api.delete(f"{PODS}/{name}", {"gracePeriodSeconds": 0})
        claims = resource(DRA, "resourceclaims", fleets.SPACE)

        async def gone():
            owners = [one["metadata"]["ownerReferences"][0]["name"] for one in await self.api.list(claims)]
            return not set(owners) & set(names)

        await until(gone, "the devices of ended pods are free")

    async def placed(self, expected):
        """Whether each pod has a node, once the scheduler has looked at all of them.

        It may look before it knows the newest devices, and looks again when it learns of them: it has a
        while for it where fewer pods than `expected` have a node.
        """
        limit = time.monotonic() + SECONDS_TO_LOOK_AGAIN

        async def settled():
            result = await self.api.list(PODS)
            placed = [scheduled(pod) for pod in result]
            late = time.monotonic() > limit
            return all(one is not None for one in placed) and (late or sum(placed) >= expected) and result

        result = await until(settled, "the scheduler has looked at every pod")
        return {pod["metadata"]["name"]: scheduled(pod) for pod in result}


def scheduled(pod):
    """Whether the pod has a node; None while the scheduler has not said."""
    if pod["spec"].get("nodeName"):
        return True
    reported = [one for one in pod.get("status", {}).get("conditions", []) if one["type"] == "PodScheduled"]
    return False if reported and reported[0]["reason"] == "Unschedulable" else None
