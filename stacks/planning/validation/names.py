"""Names that stand once in a stack file: pools, models, tenants, nodes."""

from collections import Counter
from collections.abc import Iterable, Iterator

from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import StackConfig


def check_names(config: StackConfig) -> Iterator[Problem]:
    """Names that occur twice."""
    yield from _unique("gpu-pools", "name", (pool.name for pool in config.gpu_pools))
    yield from _unique("models", "name", (model.name for model in config.models))
    yield from _unique("tenants", "name", (tenant.name for tenant in config.tenants))
    yield from _unique("model-sources", "name", (source.name for source in config.model_sources))
    yield from _unique("batches", "name", (batch.name for batch in config.batches))
    spaces = (tenant.namespace or tenant.name for tenant in config.tenants)
    yield from _unique("tenants", "namespace", spaces)
    paths: dict[str, str] = {}
    for index, pool in enumerate(config.gpu_pools):
        for place, node in enumerate(pool.nodes.names):
            path = f"gpu-pools[{index}].nodes.names[{place}]"
            if node in paths:
                yield Problem(path, node, f"a node stands once; it is also {paths[node]}")
            paths.setdefault(node, path)


def _unique(section: str, key: str, names: Iterable[str]) -> Iterator[Problem]:
    listed = list(names)
    twice = {name for name, count in Counter(listed).items() if count > 1}
    for name in sorted(twice):
        first, second = [index for index, other in enumerate(listed) if other == name][:2]
        yield Problem(
            f"{section}[{second}].{key}", name, f"a {key} stands once; it is also {section}[{first}].{key}"
        )
