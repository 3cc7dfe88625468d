"""What a new replica takes to its first answer, in rows and lines."""

from collections.abc import Iterator, Sequence

from corral.catalogue.cold_start import cold_start_figures
from corral.catalogue.quantities import gib
from corral.stacks.planning.results.models import ModelPlan
from corral.stacks.planning.results.plan import Plan

HEADINGS = ("model", "files", "store to node", "verified", "disk to GPU", "engine", "in all")
UNKNOWN = "?"


def start_rows(models: Sequence[ModelPlan]) -> Iterator[tuple[str, ...]]:
    """A row per model, times in seconds."""
    for model in models:
        start = model.cold_start
        engine = UNKNOWN if start.engine is None else str(start.engine)
        more = "+" if start.engine is None else ""
        times = (start.fetch, start.verify, start.load)
        yield (model.name, gib(start.size), *map(str, times), engine, f"{start.seconds}{more}")


def start_notes(plan: Plan) -> Iterator[str]:
    """What the figures assume, and which models start longer than the gateway waits."""
    if not plan.models:
        return
    figures = cold_start_figures()
    yield (
        f"assumed: node and image are there; {figures.verify_mbps} MB/s verified, {figures.load_mbps} MB/s "
        "from disk to GPU (catalogue/cold_start.yaml has the sources)"
    )
    for assumed in (True, False):
        some = [
            one
            for one in plan.models
            if one.cold_start.network_assumed is assumed and one.cold_start.node_fetch is None
        ]
        for rate in sorted({one.cold_start.network_mbps for one in some}):
            names = ", ".join(one.name for one in some if one.cold_start.network_mbps == rate)
            known = (
                "assumed, for no instance type is stated" if assumed else "the network of its instance type"
            )
            yield f"{rate} MB/s from the store, {known}: {names}"
    yield from _kept(plan)
    if plan.gateway is None:
        return
    most = plan.gateway.timeout_seconds
    for model in plan.models:
        seconds = model.cold_start.seconds
        if seconds > most:
            more = "more replicas" if model.scaling is None else "scaling.min: 1 or more"
            yield (
                f"warning: {model.name} starts in {seconds} s, and the gateway ends a call after {most} s, "
                f"waiting or not: use {more}, or gateway.timeout: {seconds} or more"
            )
        if model.scaling is not None and model.scaling.cooldown < seconds:
            yield (
                f"warning: {model.name} starts in {seconds} s and ends after {model.scaling.cooldown} s with "
                f"fewer requests: use scaling.cooldown: {seconds} or more"
            )


def _kept(plan: Plan) -> Iterator[str]:
    """What nodes have before a replica comes, and whose files are streamed."""
    for cache in plan.model_caches:
        kept = {one.storage_path: one for one in plan.models}
        models = ", ".join(
            f"{model.name} {one.size_gib}Gi (fetched once in {model.cold_start.node_fetch} s)"
            for one in cache.models
            for model in (kept[one.name],)
        )
        yield f"each node of pool {cache.pool} keeps {cache.used_gib}Gi of {cache.room_gib}Gi: {models}"
    for pulled in plan.pre_pulls:
        yield f"each node of pool {pulled.pool} holds the image of {', '.join(pulled.engines)} beforehand"
    streamed = ", ".join(one.name for one in plan.models if one.cold_start.streamed)
    if streamed:
        yield f"{cold_start_figures().stream_mbps} MB/s streamed from disk to GPU: {streamed}"
