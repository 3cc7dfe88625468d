"""The committed stack on EKS, planned and built as tests need it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pulumi
import yaml
from tests.components.eks_cluster.clusters import FRANKFURT, PARTITIONS, answers, computed
from tests.components.gpu_node_pool.clouds import ANSWERS
from tests.components.gpu_node_pool.clouds import COMPUTED as NODES
from tests.components.harness import Computed, Graph, build

from corral.catalogue import charts, images
from corral.catalogue.quantities import GIB
from corral.controls.exceptions import today
from corral.stacks.config.loader import parse
from corral.stacks.config.model_lock import LockedModel
from corral.stacks.config.stack_config import REGISTRY_AUTH, StackConfig
from corral.stacks.deploy.program import Platform
from corral.stacks.planning.planner import plan
from corral.stacks.planning.results.plan import Plan

ROOT = Path(__file__).parents[2]
STACK = "eks-eu"
APPROVED = {
    "control": "SOV-OPS-06",
    "reason": "the platform is moved",
    "approver": "jane",
    "expires": str(today()),
}
"""The exception by which a stack may be removed."""
GROUP = "aws:eks/nodeGroup:NodeGroup"


def content(stack: str = STACK) -> dict[str, Any]:
    return yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]["corral:platform"]


def locks(config: StackConfig) -> dict[str, LockedModel]:
    """The lock of its models as `corral lock --models` writes it, a file for each."""
    return {
        one.name: LockedModel.model_validate(
            {
                "source": one.source,
                "date": "2026-11-27",
                "files": [{"name": f"{one.name}.safetensors", "size": 20 * GIB, "sha256": "b" * 64}],
            }
        )
        for one in config.models
    }


@contextmanager
def resolved() -> Iterator[None]:
    """A catalogue in which every digest is resolved."""
    digest = f"sha256:{'a' * 64}"
    cached = (charts.charts, images.images)
    with patch.object(charts, "digest", lambda _: digest), patch.object(images, "digest", lambda _: digest):
        for one in cached:
            one.cache_clear()
        try:
            yield
        finally:
            for one in cached:
                one.cache_clear()


def planned(stated: Mapping[str, Any] | None = None, stack: str = STACK) -> Plan:
    """The plan of the committed stack, or of `stated`, with all digests and locks."""
    config = parse(content(stack) if stated is None else stated)
    with resolved():
        return plan(config, stack, locks(config))


def built(
    made: Plan,
    *,
    preview: bool = False,
    region: str = FRANKFURT,
    found: Mapping[str, Any] | None = None,
) -> Graph:
    """The graph of `made`, as AWS's provider answers for its region."""
    partition = {"aws:index/getPartition:getPartition": {"partition": PARTITIONS[region]}}
    return built_in(
        made,
        preview=preview,
        found=found,
        answers={**ANSWERS, **answers(region), **partition},
        computed={**computed(region), GROUP: NODES[GROUP]},
    )


def built_in(
    made: Plan,
    *,
    answers: Mapping[str, dict[str, Any]],
    computed: Mapping[str, Computed],
    preview: bool = False,
    found: Mapping[str, Any] | None = None,
) -> Graph:
    """The graph of `made`, in a cloud that answers so."""

    def program() -> None:
        for name, value in Platform(made).outputs.items():
            pulumi.export(name, value)

    secrets = {f"corral:{key}": "ab" * 32 for key in made.secrets_needed}
    if f"corral:{REGISTRY_AUTH}" in secrets:
        secrets[f"corral:{REGISTRY_AUTH}"] = json.dumps({"auths": {"registry.example.eu": {"auth": "YTpi"}}})
    with resolved():
        return build(
            program,
            preview=preview,
            secret_config=secrets,
            found=found,
            answers=answers,
            computed=computed,
            stack=made.stack,
        )
