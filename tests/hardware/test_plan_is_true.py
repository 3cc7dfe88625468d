"""What fits on paper fits on a plane, and one more does not: the planner against the real scheduler."""

import asyncio
import sys
from collections import Counter

import pytest
import yaml
from tests.hardware import fleets
from tests.hardware.fleet_scene import Scene, plane_of_fleets

from corral.catalogue import gpus as catalogue
from corral.embedded.kube import Api

pytestmark = pytest.mark.engine

FLEETS = 30


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with plane_of_fleets(tmp_path_factory) as published:
        yield published


@pytest.fixture(scope="module")
def play(cluster):
    def start(content, *orders):
        async def whole():
            api = Api.connect(cluster.kubeconfig, user_agent="test")
            try:
                scene = Scene(api, content)
                return [one for order in orders for one in await scene.disagreements(order)]
            finally:
                await api.aclose()

        return asyncio.run(whole())

    return start


@pytest.mark.parametrize("seed", range(FLEETS))
def test_the_scheduler_hands_out_exactly_what_the_plan_has(play, seed):
    content = fleets.stack(seed, plugin=seed % 2 == 1)
    assert play(content, seed, seed + 1000) == [], yaml.safe_dump(content)


def test_the_fleets_have_every_way_of_sharing_on_both_sides():
    seen = Counter()
    for seed in range(FLEETS):
        for pool in fleets.planned(fleets.stack(seed, plugin=seed % 2 == 1)).pools:
            seen[(pool.sharing.value, seed % 2)] += 1
    assert set(seen) == {("whole", 0), ("mig", 0), ("whole", 1), ("mig", 1), ("time-slicing", 1), ("mps", 1)}


def third_large_slice(patch):
    """A geometry in which three of the 3g slices fit on a GPU."""
    shapes = catalogue.geometry("A100-40GB").shapes
    wrong = shapes["3g"].model_copy(update={"memory": 2, "compute": 2, "starts": (0, 2, 4), "max": 3})
    patch.setitem(shapes, "3g", wrong)


def eight_small_slices(patch):
    grid = catalogue.geometry("A100-40GB")
    more = grid.shapes["1g"].model_copy(update={"starts": tuple(range(8)), "max": 8})
    wrong = grid.model_copy(update={"compute": 8, "shapes": {**grid.shapes, "1g": more}})
    patch.setitem(catalogue._file().geometries, "seven", wrong)


def nominal_memory(patch):
    """Memory as the profile's name says it, not as a process gets it."""
    profiles = catalogue.gpus()["A100-40GB"].profiles
    for name in list(profiles):
        size = float(name.split(".")[1].removesuffix("gb"))
        patch.setitem(profiles, name, profiles[name].model_copy(update={"usable_gib": size}))


def one_share_more(patch):
    from corral.stacks.config.stack_config import Sharing

    true = Sharing.shares.fget
    patch.setattr(Sharing, "shares", property(lambda self: true(self) + (true(self) > 1)))
    patch.setattr("corral.stacks.deploy.component_args.gpu_operator.shared_gpus", wrong_shared)


def wrong_shared(pool):
    from corral.components.gpu_operator import SharedBy

    return {"name": pool.name, "by": SharedBy.TIME_SLICING, "shares": pool.shares - 1}


MUTATIONS = {
    third_large_slice: ("A100-40GB", {"mig": "auto"}, [("llama-3.1-8b", 3)], 1),
    eight_small_slices: ("A100-40GB", {"mig": "auto"}, [("smollm2-135m", 8)], 1),
    nominal_memory: ("A100-40GB", {"mig": "auto"}, [("llama-3.1-8b", 1)], 4),
    one_share_more: ("L40S", {"time-slicing": 2}, [("bge-m3", 1)], 3),
}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.__name__)
def test_a_planner_that_is_wrong_is_caught(play, mutation):
    gpu, sharing, models, _gpus = MUTATIONS[mutation]
    plugin = "time-slicing" in sharing
    content = {
        "sovereignty": {"profile": "open", "region": "embedded"},
        "cluster": {"kind": "embedded"},
        "tenants": [{"name": fleets.SPACE}],
        "gpu-pools": [
            {
                "name": "p",
                "gpu": gpu,
                "nodes": {"names": [fleets.NODES[gpu][0]]},
                "gpus-per-node": fleets.GPUS[gpu],
                "sharing": sharing,
            }
        ],
        "models": [
            {"name": f"m{n}", "model": key, "weights": "simulated", "replicas": count, **fleets.MODELS[key]}
            for n, (key, count) in enumerate(models)
        ],
        **({"addons": {"dra-driver": "off"}} if plugin else {}),
    }
    assert play(content, 0) == [], "right before the mutation"
    with pytest.MonkeyPatch.context() as patch:
        mutation(patch)
        forget()
        try:
            assert play(content, 0) != []
        finally:
            patch.undo()
            forget()


def forget():
    """What was computed under another geometry."""
    for name, module in list(sys.modules.items()):
        if name.startswith("corral.stacks"):
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()
