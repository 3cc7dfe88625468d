"""What a stack pulls, and how much of it is pinned by digest."""

from collections.abc import Collection
from dataclasses import dataclass

from corral.catalogue._read import UNRESOLVED
from corral.catalogue.addons import ImageRow, descriptor
from corral.catalogue.charts import ChartEntry
from corral.catalogue.images import ImageEntry, image, images_of, mirrored, repository_of
from corral.catalogue.vocabulary import AddonState, Engine, VectorEngine
from corral.stacks.planning.addons import charts_in
from corral.stacks.planning.results.addons import AddonStates
from corral.stacks.planning.results.sovereignty import Digests

TOOLS = "tools"


@dataclass(frozen=True)
class Artifacts:
    """Charts that a stack installs, and images that it runs."""

    charts: tuple[ChartEntry, ...]
    images: tuple[ImageEntry, ...]
    """Those that the charts bring, and our own."""


def artifacts(
    states: AddonStates,
    vectors: VectorEngine | None,
    engines: Collection[Engine],
    registry: str | None,
    *,
    prefill: bool,
) -> Artifacts:
    """What addons in these `states` pull, with this engine for `vectors` and these for models.

    Charts are as the mirror `registry` has them. `prefill`: whether prompts of a model are read apart.
    """
    managed = [addon for addon, state in states.items() if state is AddonState.MANAGED]
    installed = dict.fromkeys(entry for addon in managed for entry in charts_in(addon, vectors))
    charts = tuple(entry.through(registry) for entry in installed)
    brought = [entry for chart in charts for entry in images_of(chart.name)]
    own = [
        image(name)
        for addon, state in states.items()
        for name, row in descriptor(addon).images.items()
        if row.brought_by is None and _runs(row, state, vectors, engines, prefill=prefill)
    ]
    return Artifacts(charts, (*brought, *own))


def _runs(
    row: ImageRow,
    state: AddonState,
    vectors: VectorEngine | None,
    engines: Collection[Engine],
    *,
    prefill: bool,
) -> bool:
    return (
        state in row.states
        and row.engine in (None, vectors)
        and (row.serves is None or row.serves in engines)
        and (prefill or not row.prefill)
    )


def repositories(used: Artifacts, registry: str | None, tools: str | None) -> tuple[str, ...]:
    """Image repositories that `used` comes from, mirrored by `registry`, and that of `tools`; sorted."""
    names = {entry.name: mirrored(entry.repository, registry) for entry in used.images}
    if tools is not None and TOOLS in names:
        names[TOOLS] = repository_of(tools)
    return tuple(sorted(set(names.values())))


def digests_of(used: Artifacts, tools: str | None) -> Digests:
    """How many charts and images have a digest, and which have none; `tools`: the tools image instead."""
    charts = {f"chart {entry.name}": entry.digest for entry in used.charts}
    images = {f"image {entry.name}": entry.digest for entry in used.images if not entry.unresolvable}
    if tools is not None and f"image {TOOLS}" in images:
        images[f"image {TOOLS}"] = tools.partition("@")[2] or UNRESOLVED
    pinned = charts | images
    missing = tuple(name for name, digest in pinned.items() if digest == UNRESOLVED)
    excepted = tuple(
        (f"image {entry.name}", entry.unresolvable) for entry in used.images if entry.unresolvable is not None
    )
    return Digests(resolved=len(pinned) - len(missing), unresolved=missing, excepted=excepted)
