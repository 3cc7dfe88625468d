"""What a replica takes from nothing to its first answer: size by bandwidth at each hop."""

from corral.catalogue.cold_start import cold_start_figures
from corral.catalogue.instances import instances
from corral.catalogue.vocabulary import Engine, Load
from corral.stacks.planning.results.models import ColdStart

MB = 10**6
MBPS_OF_GBPS = 125


def cold_start(
    size: int,
    engine: Engine,
    instance: str | None,
    *,
    cached: bool = False,
    load: Load = Load.AUTO,
    adapters: int = 0,
) -> ColdStart:
    """The start of a replica whose files are `size` bytes; `instance`: type of its node, None: not stated.

    `cached`: its node has the files already; `load`: how its engine reads them. `adapters`: bytes of
    its adapters, which each replica fetches and its engine reads one after the other.
    """
    figures = cold_start_figures()
    known = None if instance is None or instance not in instances() else instances()[instance].network_gbps
    network = figures.network_mbps if known is None else known * MBPS_OF_GBPS
    fetch, streamed = _seconds(size, network), load is Load.STREAM
    return ColdStart(
        size=size,
        fetch=_seconds(adapters, network) if cached else _seconds(size + adapters, network),
        verify=_seconds(size + adapters, figures.verify_mbps),
        load=_seconds(size, figures.stream_mbps if streamed else figures.load_mbps)
        + _seconds(adapters, figures.load_mbps),
        engine=figures.engine_seconds.get(engine),
        network_mbps=round(network),
        network_assumed=known is None,
        node_fetch=fetch if cached else None,
        streamed=streamed,
    )


def _seconds(size: int, mbps: float) -> int:
    """Rounded up."""
    return -int(-size // (mbps * MB))
