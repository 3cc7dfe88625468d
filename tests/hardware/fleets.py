"""Fleets made up by chance, what the program writes for each, and what the cluster then hands out."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tests.components.harness import Graph, build

from corral.catalogue.quantities import amount
from corral.embedded import toolchain
from corral.embedded.kube import Object
from corral.embedded.objects import at, children
from corral.stacks.config.errors import PlanErrors
from corral.stacks.config.loader import parse
from corral.stacks.deploy.program import Platform
from corral.stacks.planning.planner import plan
from corral.stacks.planning.results.models import ClaimPlan, ResourcePlan
from corral.stacks.planning.results.plan import Plan

SPACE = "fleet"
NODES = {"A100-40GB": ("a-0", "a-1"), "H100-80GB": ("h-0", "h-1"), "A30": ("t-0",), "L40S": ("l-0",)}
GPUS = {"A100-40GB": 4, "H100-80GB": 2, "A30": 4, "L40S": 3}
LAYOUTS = {
    "A100-40GB": ["auto", "all-1g.5gb", "all-balanced", [{"3g.20gb": 1, "1g.5gb": 4}], [{"1g.10gb": 4}]],
    "H100-80GB": ["auto", "all-3g.40gb", [{"4g.40gb": 1, "1g.20gb": 1}, {"1g.10gb": 7}]],
    "A30": ["auto", "all-2g.12gb", [{"2g.12gb": 1, "1g.6gb": 2}]],
}
MODELS = {
    "smollm2-135m": {"context": 2048, "max-num-seqs": 2},
    "bge-m3": {},
    "llama-3.1-8b": {"context": 8192},
    "qwen2.5-coder-7b": {"context": 4096, "max-num-seqs": 16},
    "qwen3-32b": {"context": 4096, "max-num-seqs": 8},
}
SECRETS = {f"corral:storage-{key}": "ab" * 32 for key in ("encryption-key", "access-key", "secret-key")}

Device = tuple[str, str]
"""(pool, name): a MIG profile, `whole`, or `shared`."""


def inventory(products: Mapping[str, Any]) -> str:
    """The machines of `NODES`, as an inventory file."""
    machines = [{"name": "system-0", "cpu": "32", "memory": "128Gi", "pods": 250}]
    for gpu, names in NODES.items():
        size = {"cpu": "256", "memory": "2048Gi", "pods": 250, "gpu": gpu, "gpus": GPUS[gpu]}
        machines += [{"name": name, **size} for name in names]
    return yaml.safe_dump({**products, "machines": machines})


def stack(seed: int, *, plugin: bool) -> dict[str, Any]:
    """A stack file of a few pools and as many models as fit; with `plugin` a device plugin hands GPUs out."""
    dice = random.Random(seed)
    pools = []
    for gpu in dice.sample(sorted(NODES), dice.randint(1, 3)):
        nodes = NODES[gpu][: dice.randint(1, len(NODES[gpu]))]
        ways: list[Any] = ["whole", *({"mig": layout} for layout in LAYOUTS.get(gpu, []))]
        ways += [{"time-slicing": 3}, {"mps": 2}] if plugin else []
        name = f"p{len(pools)}"
        pool = {"name": name, "gpu": gpu, "nodes": {"names": list(nodes)}, "gpus-per-node": GPUS[gpu]}
        pools.append({**pool, "sharing": dice.choice(ways)})
    return _filled(dice, pools, (4, 12), {"addons": {"dra-driver": "off"}} if plugin else {})


def on_demand(seed: int) -> dict[str, Any]:
    """A stack file with pools that are cut on demand, and as many models as the plan takes in."""
    dice = random.Random(seed)
    pools = [
        {
            "name": f"p{number}",
            "gpu": gpu,
            "nodes": {"names": list(NODES[gpu][: dice.randint(1, len(NODES[gpu]))])},
            "gpus-per-node": GPUS[gpu],
            "sharing": {"mig": "dynamic"},
        }
        for number, gpu in enumerate(dice.sample(sorted(LAYOUTS), dice.randint(1, 2)))
    ]
    return _filled(dice, pools, (6, 14), {})


def _filled(
    dice: random.Random, pools: list[dict[str, Any]], tries: tuple[int, int], more: Mapping[str, Any]
) -> dict[str, Any]:
    """The stack file of these pools: of models drawn by chance those that the plan takes in."""
    content: dict[str, Any] = {
        "sovereignty": {"profile": "open", "region": "embedded"},
        "cluster": {"kind": "embedded"},
        "tenants": [{"name": SPACE}],
        "gpu-pools": pools,
        "models": [],
        **more,
    }
    for number in range(dice.randint(*tries)):
        kind = dice.choice(sorted(MODELS))
        chosen = {"name": f"m{number}", "model": kind, "weights": "simulated", "replicas": dice.randint(1, 5)}
        one = {**chosen, **MODELS[kind], "pool": dice.choice(pools)["name"]}
        grown = {**content, "models": [*content["models"], one]}
        if planned_or_none(grown):
            content = grown
    return content


def planned_or_none(content: Mapping[str, Any]) -> Plan | None:
    """The plan of a stack file; None where it is refused."""
    try:
        return planned(content)
    except PlanErrors:
        return None


def planned(content: Mapping[str, Any]) -> Plan:
    return plan(parse(content), "dev")


def written(placed: Plan) -> Graph:
    """What the program writes for a plan."""
    return build(lambda: Platform(placed), secret_config=SECRETS, stack="dev")


def capacity(placed: Plan) -> Counter[Device]:
    """Devices that the plan has, by pool and kind; taken and free together."""
    return Counter(
        (pool.name, one.profile or ("shared" if pool.shares > 1 else "whole"))
        for pool in placed.pools
        for gpu in pool.gpus
        for one in gpu.slices
    )


@dataclass(frozen=True)
class Request:
    """Pods that ask for the same devices."""

    pool: str
    device: Device
    each: int
    """Devices of one pod."""
    spec: Object
    """The pod's."""


def replicas(placed: Plan, graph: Graph) -> Iterator[tuple[str, Request]]:
    """Every replica of every model, as KServe would make it from its InferenceService."""
    for model in placed.models:
        predictor = graph.one("InferenceService", model.name).inputs["spec"]["predictor"]
        container = {
            "name": "server",
            "image": "example.eu/no/row",
            "resources": predictor["model"]["resources"],
        }
        kept = ("nodeSelector", "tolerations", "resourceClaims")
        spec = {**{key: predictor[key] for key in kept if key in predictor}, "containers": [container]}
        for number in range(model.replicas_max):
            yield (
                f"{model.name}-{number}",
                Request(model.pool, _device(model.claim, model.pool), model.claim.count, spec),
            )


def _device(claim: ClaimPlan | ResourcePlan, pool: str) -> Device:
    match claim:
        case ClaimPlan():
            return (pool, claim.profile or "whole")
        case ResourcePlan(name="nvidia.com/gpu"):
            return (pool, "whole")
        case ResourcePlan(name="nvidia.com/gpu.shared"):
            return (pool, "shared")
        case ResourcePlan():
            return (pool, claim.name.removeprefix("nvidia.com/mig-"))


def filler(device: Device, *, plugin: bool) -> Object:
    """Spec of a pod that asks for one such device and is no model's."""
    pool, kind = device
    container: Object = {"name": "filler", "image": "example.eu/no/row"}
    spec: Object = {
        "nodeSelector": {"corral.dev/pool": pool},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
        "containers": [container],
    }
    if plugin:
        names = {"whole": "nvidia.com/gpu", "shared": "nvidia.com/gpu.shared"}
        container["resources"] = {"limits": {names.get(kind, f"nvidia.com/mig-{kind}"): "1"}}
        return spec
    container["resources"] = {"claims": [{"name": "gpu"}]}
    template = f"filler-{kind.replace('.', '-').replace('+', '-')}"
    spec["resourceClaims"] = [{"name": "gpu", "resourceClaimTemplateName": template}]
    return spec


def template(kind: str) -> Object:
    """The claim template of `filler`."""
    whole = kind == "whole"
    expression = f"device.attributes['gpu.nvidia.com'].profile == '{kind}'"
    exactly: Object = {"deviceClassName": "gpu.nvidia.com" if whole else "mig.nvidia.com"}
    if not whole:
        exactly["selectors"] = [{"cel": {"expression": expression}}]
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaimTemplate",
        "metadata": {"name": f"filler-{kind.replace('.', '-').replace('+', '-')}", "namespace": SPACE},
        "spec": {"spec": {"devices": {"requests": [{"name": "gpu", "exactly": exactly}]}}},
    }


def published(nodes: Mapping[str, Object], slices: list[Object], plugin: bool) -> Counter[Device]:
    """Devices that the simulated hardware offers, by pool and kind; only on nodes of a pool."""
    placed: Counter[Device] = Counter()
    pools = {
        name: str(at(node, "metadata", "labels", "corral.dev/pool") or "") for name, node in nodes.items()
    }
    if plugin:
        names = {"nvidia.com/gpu": "whole", "nvidia.com/gpu.shared": "shared"}
        for name, node in nodes.items():
            for key, count in (at(node, "status", "allocatable") or {}).items():
                if pools[name] and key.startswith("nvidia.com/") and int(count):
                    placed[(pools[name], names.get(key, key.removeprefix("nvidia.com/mig-")))] += int(count)
        return placed
    for item in slices:
        pool = pools.get(str(at(item, "spec", "nodeName")), "")
        for device in children(item, "spec", "devices"):
            if pool:
                profile = at(device, "attributes", "profile", "string")
                placed[(pool, str(profile or "whole"))] += 1
    return placed


def smallest_memory(nodes: Mapping[str, Object], slices: list[Object]) -> dict[Device, int]:
    """Bytes of the smallest published device of each kind."""
    placed: dict[Device, int] = {}
    for item in slices:
        pool = str(
            at(nodes.get(str(at(item, "spec", "nodeName"))) or {}, "metadata", "labels", "corral.dev/pool")
            or ""
        )
        for device in children(item, "spec", "devices"):
            key = (pool, str(at(device, "attributes", "profile", "string") or "whole"))
            size = int(amount(str(at(device, "capacity", "memory", "value"))))
            placed[key] = min(size, placed.get(key, size))
    return placed


def chart_folder(name: str) -> Path:
    """The chart that a plane installs: upstream's where the toolchain has it, else the stand-in."""
    return toolchain.chart(name) or Path(__file__).parents[2] / "embedded" / "charts" / name
