"""Slices that are cut on demand: what the plan promises comes true in every order, and no more is promised.

The scheduler takes the first slice that is free, and claims name none. Nothing here is the planner's.
"""

import asyncio
import random
from types import MappingProxyType

import pytest
import yaml
from tests.hardware import fleets
from tests.hardware.fleet_scene import DRA, OPERATOR, Scene, plane_of_fleets, until

from corral.catalogue.clusters import capabilities, clusters
from corral.catalogue.vocabulary import ClusterKind
from corral.embedded.kube import Api, resource
from corral.embedded.objects import at, children
from corral.stacks.planning.mig.packing import holds

pytestmark = pytest.mark.engine

FLEETS = 20
NO_LABELS = MappingProxyType({})
BY_RESET = ("A100-40GB", "A30")
"""GPUs whose MIG mode the DRA driver cannot switch."""
SWITCH = {
    "version": "v1",
    "mig-configs": {"on": [{"devices": "all", "mig-enabled": True, "mig-devices": {}}]},
}


@pytest.fixture(autouse=True)
def switched_by_hand(monkeypatch):
    """On the machines of these tests somebody has switched MIG mode on, see `mode_on`."""
    known = capabilities(ClusterKind.EMBEDDED)
    switched = known.model_copy(update={"mig_mode_switchable": True})
    monkeypatch.setitem(clusters(), ClusterKind.EMBEDDED, switched)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with plane_of_fleets(tmp_path_factory) as result:
        asyncio.run(with_api(result, mode_on))
        yield result


async def with_api(result, ask):
    api = Api.connect(result.kubeconfig, user_agent="test")
    try:
        return await ask(api)
    finally:
        await api.aclose()


async def mode_on(api):
    """MIG mode is on, as whoever set up the nodes leaves it, and nothing is cut."""
    manual = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "by-hand", "namespace": OPERATOR},
    }
    manual["data"] = {"config.yaml": yaml.safe_dump(SWITCH)}
    await api.create(resource("v1", "configmaps", OPERATOR), manual)
    spec = {
        "migManager": {"enabled": True, "config": {"name": "by-hand"}},
        "devicePlugin": {"enabled": False},
    }
    policy = {"apiVersion": "nvidia.com/v1", "kind": "ClusterPolicy", "metadata": {"name": "cluster-policy"}}
    await api.create(resource("nvidia.com/v1", "clusterpolicies"), {**policy, "spec": spec})
    names = [name for gpu in BY_RESET for name in fleets.NODES[gpu]]
    for name in names:
        label = {"metadata": {"labels": {"nvidia.com/mig.config": "on"}}}
        await api.patch(resource("v1", "nodes", name=name), label)

    async def switched():
        nodes = [await api.get(resource("v1", "nodes", name=name)) for name in names]
        return all(at(one, "metadata", "labels", "nvidia.com/mig.config.state") == "success" for one in nodes)

    await until(switched, "MIG mode is on")


@pytest.fixture
def scene(cluster):
    """Runs what a test does with a fleet on the plane."""

    def run(content, play):
        async def whole(api):
            on_plane = Scene(api, content, others=NO_LABELS)
            await on_plane.clear()
            await on_plane.write()
            await until(lambda: partitionable(on_plane), "every GPU of the pools can be cut")
            return await play(on_plane)

        return asyncio.run(with_api(cluster, whole))

    return run


async def partitionable(on_plane):
    """Whether slices of every GPU of the fleet are published, none of them cut yet."""
    nodes, slices = await on_plane.offered()
    ours = {
        name for name, node in nodes.items() if at(node, "metadata", "labels", "corral.dev/pool") is not None
    }
    result = {
        (at(one, "spec", "nodeName"), device["consumesCounters"][0]["counterSet"])
        for one in slices
        for device in children(one, "spec", "devices")
        if device.get("consumesCounters") and at(one, "spec", "nodeName") in ours
    }
    return len(result) == sum(len(pool.gpus) for pool in on_plane.plan.pools)


@pytest.mark.parametrize("seed", range(FLEETS))
def test_every_planned_replica_runs_in_whatever_order_replicas_come_and_go(scene, seed):
    content, dice = fleets.on_demand(seed), random.Random(seed)

    async def play(on_plane):
        pods = dict(fleets.replicas(on_plane.plan, on_plane.graph))
        waiting = []
        for _ in range(2):
            arriving = list(pods.items())
            dice.shuffle(arriving)
            await on_plane.bring(arriving)
            waiting += [name for name, runs in (await on_plane.placed(len(pods))).items() if not runs]
            # Some end, and come again into the holes that they and others have left.
            gone = dice.sample(sorted(pods), len(pods) // 2)
            await on_plane.end(gone)
            again = [(name, pods[name]) for name in gone]
            dice.shuffle(again)
            await on_plane.bring(again)
            waiting += [name for name, runs in (await on_plane.placed(len(pods))).items() if not runs]
            await on_plane.end(list(pods))
        return waiting

    assert scene(content, play) == [], yaml.safe_dump(content)


def on_one_node(gpu, *models):
    """Models, each with its replicas, on one node of a pool that is cut on demand."""
    pool = {
        "name": "p",
        "gpu": gpu,
        "nodes": {"names": [fleets.NODES[gpu][0]]},
        "gpus-per-node": fleets.GPUS[gpu],
        "sharing": {"mig": "dynamic"},
    }
    return {
        "sovereignty": {"profile": "open", "region": "embedded"},
        "cluster": {"kind": "embedded"},
        "tenants": [{"name": fleets.SPACE}],
        "gpu-pools": [pool],
        "models": [
            {"name": f"m{n}", "model": key, "weights": "simulated", "replicas": count, **fleets.MODELS[key]}
            for n, (key, count) in enumerate(models)
        ],
    }


@pytest.mark.parametrize(
    ("gpu", "model"),
    [
        ("A100-40GB", "smollm2-135m"),
        ("A100-40GB", "llama-3.1-8b"),
        ("A30", "bge-m3"),
        ("H100-80GB", "llama-3.1-8b"),
    ],
)
def test_one_replica_more_than_the_plan_takes_in_stays_pending(scene, gpu, model):
    most = next(n for n in range(40, 0, -1) if fleets.planned_or_none(on_one_node(gpu, (model, n))))

    async def play(on_plane):
        pods = dict(fleets.replicas(on_plane.plan, on_plane.graph))
        await on_plane.bring([*pods.items(), ("one-too-many", next(iter(pods.values())))])
        return await on_plane.placed(most)

    placed = scene(on_one_node(gpu, (model, most)), play)
    assert sum(placed.values()) == most == len(placed) - 1


SMALL, LARGE = "smollm2-135m", "llama-3.1-8b"
"""A slice of one seventh, and one of three; a small one in either half of a GPU keeps a large one out."""


GPU, TOTAL = "A100-40GB", fleets.GPUS["A100-40GB"]
BESIDE = on_one_node(GPU, (SMALL, 2 * TOTAL - 1), (LARGE, 1))
"""One small slice less than can keep the large one out."""
KEPT_OUT = on_one_node(GPU, (SMALL, 2 * TOTAL), (LARGE, 1))


async def keep_out(on_plane):
    """Leave a small slice in either half of each GPU; whether a large one runs, and the small ones."""
    kind = {name[:2]: one for name, one in fleets.replicas(on_plane.plan, on_plane.graph)}
    await on_plane.bring([(f"small-{number}", kind["m0"]) for number in range(7 * TOTAL)])
    assert all((await on_plane.placed(7 * TOTAL)).values()), "seven on each GPU"
    start = {
        at(one, "metadata", "ownerReferences")[0]["name"]: first_slice(one)
        for one in await on_plane.api.list(resource(DRA, "resourceclaims", fleets.SPACE))
    }
    kept = sorted(name for name, first in start.items() if first in ("0", "4"))
    assert len(kept) == 2 * TOTAL
    await on_plane.end(sorted(set(start) - set(kept)))
    await on_plane.bring([("large", kind["m1"])])
    return (await on_plane.placed(len(kept) + 1))["large"], kept


def first_slice(claim):
    """Memory slice at which the slice of a claim begins, as the device's name ends."""
    return claim["status"]["allocation"]["devices"]["results"][0]["device"].rsplit("-", 1)[1]


def test_what_the_plan_refuses_is_what_pods_that_came_and_went_can_keep_out(scene):
    assert fleets.planned_or_none(BESIDE) and not fleets.planned_or_none(KEPT_OUT)

    async def play(on_plane):
        stuck, kept = await keep_out(on_plane)
        await on_plane.end(kept[:1])

        async def runs():
            return (await on_plane.placed(len(kept)))["large"]

        await until(runs, "the large slice has room beside one small one less")
        return stuck

    assert scene(BESIDE, play) is False


def test_a_planner_that_packs_instead_promises_what_does_not_come_true(scene, monkeypatch):
    monkeypatch.setattr("corral.stacks.planning.gpu_pools.dynamic_mig.room_for_all", holds)
    assert fleets.planned_or_none(KEPT_OUT)

    async def play(on_plane):
        return await keep_out(on_plane)

    assert scene(KEPT_OUT, play)[0] is False
