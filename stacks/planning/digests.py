"""What a stack pulls, and how much of it is pinned by digest."""

from collections.abc import Collection, Iterator

from corral.catalogue._read import UNRESOLVED
from corral.catalogue.charts import ChartEntry
from corral.catalogue.images import ImageEntry, image, images_of, mirrored
from corral.catalogue.vocabulary import Addon, AddonState, Engine, VectorEngine
from corral.stacks.config.stack_config import StackConfig
from corral.stacks.planning.addons import charts_in, state
from corral.stacks.planning.results.sovereignty import Digests
from corral.stacks.planning.serving import IMAGES


def charts_used(config: StackConfig) -> tuple[ChartEntry, ...]:
    """Charts that this stack installs."""
    managed = [addon for addon in Addon if state(config, addon) is AddonState.MANAGED]
    return tuple(entry for addon in managed for entry in charts_in(config, addon))


def images_used(config: StackConfig, engines: Collection[Engine]) -> tuple[ImageEntry, ...]:
    """Images that this stack runs: those that its charts bring, and our own."""
    brought = [entry for chart in charts_used(config) for entry in images_of(chart.name)]
    return (*brought, *(image(name) for name in _own(config, engines)))


def _own(config: StackConfig, engines: Collection[Engine]) -> Iterator[str]:
    yield from (IMAGES[engine] for engine in Engine if engine in engines)
    if state(config, Addon.MODEL_STORAGE) is not AddonState.OFF:
        yield "tools"
    if state(config, Addon.MODEL_STORAGE) is AddonState.MANAGED:
        yield "seaweedfs"
    database = config.vector_db
    managed = state(config, Addon.VECTOR_DB) is AddonState.MANAGED
    if managed and database is not None and database.engine is VectorEngine.PGVECTOR:
        yield from ("pgvector", "postgres-exporter")


def repositories(config: StackConfig, engines: Collection[Engine]) -> tuple[str, ...]:
    """Image repositories that this stack pulls from, mirrored as its registry says; sorted."""
    registry = config.sovereignty.registry
    return tuple(sorted({mirrored(entry.repository, registry) for entry in images_used(config, engines)}))


def digests_of(config: StackConfig, engines: Collection[Engine]) -> Digests:
    """How many charts and images of this stack have a digest, and which have none."""
    charts = {f"chart {entry.name}": entry.digest for entry in charts_used(config)}
    images = {
        f"image {entry.name}": entry.digest
        for entry in images_used(config, engines)
        if not entry.unresolvable
    }
    used = charts | images
    missing = tuple(name for name, digest in used.items() if digest == UNRESOLVED)
    return Digests(resolved=len(used) - len(missing), unresolved=missing)
