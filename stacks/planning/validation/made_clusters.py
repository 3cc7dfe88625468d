"""What sections of clusters that the stack makes have in common, whichever cloud they are in."""

import re
from collections.abc import Callable, Iterator, Sequence

from corral.catalogue.instances import gpus_said
from corral.catalogue.vocabulary import Weights
from corral.controls.network.world import world
from corral.stacks.config.errors import Problem
from corral.stacks.config.model_sources import source_of
from corral.stacks.config.stack_config import ModelSource, StackConfig

_MINOR = re.compile(r"1\.[1-9][0-9]?")


def check_version(config: StackConfig, maker: str) -> Iterator[Problem]:
    """A version of Kubernetes that is missing, or more than a minor one; `maker` chooses the patch."""
    version, kind = config.cluster.kubernetes, config.cluster.kind.value
    if version is None:
        yield Problem(
            "cluster.kubernetes", "missing", f'kind {kind} makes a cluster of it: use such as "1.35"'
        )
    elif not _MINOR.fullmatch(version):
        reason = f'{maker} chooses the patch: use MAJOR.MINOR, such as "1.35"'
        yield Problem("cluster.kubernetes", version, reason)


def check_api_clients(clients: Sequence[str], path: str) -> Iterator[Problem]:
    """Networks of callers of the API that are the world, or named twice."""
    for index, client in enumerate(clients):
        if world(client):
            yield Problem(f"{path}[{index}]", client, "anybody: use a network of yours, such as 192.0.2.0/24")
        elif client in clients[:index]:
            yield Problem(f"{path}[{index}]", client, "named before: name each network once")


def check_without_gpus(machine: str, path: str) -> Iterator[Problem]:
    """A machine type of system nodes that has GPUs."""
    if (said := gpus_said(machine)) is not None:
        yield Problem(path, machine, f"{said}: use a type without; GPUs are gpu-pools")


def check_most(most: int | None, least: int, path: str) -> Iterator[Problem]:
    """A number of most nodes that is below that of the fewest."""
    if most is not None and most < least:
        yield Problem(path, str(most), f"below the fewest nodes, {least}")


def check_mirror(config: StackConfig, *, reached: bool, example: str, otherwise: str) -> Iterator[Problem]:
    """A mirror that nodes without a way to the internet cannot reach."""
    if not reached:
        reason = f"nodes have no way to the internet: use a mirror such as {example}, {otherwise}"
        yield Problem("sovereignty.registry", config.sovereignty.registry or "missing", reason)


def check_sources(
    config: StackConfig, reached: Callable[[str, ModelSource | None], bool], use: str
) -> Iterator[Problem]:
    """Models whose sources nodes without a way to the internet cannot reach."""
    for served in config.served_models:
        model = served.section
        known = config.known_models.get(model.model)
        source = model.source or (known and known.package_source)
        if source is None or model.weights is Weights.SIMULATED:
            continue
        if not reached(source, source_of(source, config.model_sources)):
            reason = f"nodes have no way to the internet: use {use}"
            yield Problem(f"{served.path}.source", source, reason)
