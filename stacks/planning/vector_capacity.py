"""Memory and volume of a vector database, from how many vectors it holds and how long they are."""

from dataclasses import dataclass

from corral.catalogue.vocabulary import VectorEngine
from corral.stacks.config.stack_config import VectorDb

MIB, GIB = 1024**2, 1024**3
LEAST_MEMORY_MIB = 1024
LEAST_VOLUME_GIB = 20
"""Volume of a database whose stack file names none, unless its vectors need more."""
FLOAT = 4
"""Bytes of a dimension."""
HALF = 2
SHARDED_COPIES = 2
"""Copies of each shard where there are several replicas: one of them may then be lost."""
INDEXED_AS_VECTOR = 2000
"""Dimensions up to which pgvector indexes at full precision; above as `halfvec` (0.8.5, README, HNSW)."""


@dataclass(frozen=True)
class VectorCapacity:
    """What each replica needs to hold its share of the vectors; payload comes on top."""

    replication_factor: int
    memory_mib: int
    volume_gib: int
    rule: str
    """How the figures come about."""


def capacity(section: VectorDb) -> VectorCapacity:
    """Needs of each replica of the database."""
    return _qdrant(section) if section.engine is VectorEngine.QDRANT else _pgvector(section)


def _qdrant(section: VectorDb) -> VectorCapacity:
    """Vectors, half as much again for index, versions and temporary segments: Qdrant's rule.

    https://qdrant.tech/documentation/capacity-planning
    """
    factor = section.replication_factor or min(SHARDED_COPIES, section.replicas)
    share = section.vectors * section.dimensions * FLOAT * 3 * factor / (2 * section.replicas)
    copies = f" x {factor} copies / {section.replicas} replicas" if section.replicas > 1 else ""
    return VectorCapacity(
        replication_factor=factor,
        memory_mib=max(LEAST_MEMORY_MIB, _up(share, MIB)),
        volume_gib=_up(share, GIB),
        rule=f"{_product(section)} x {FLOAT} B x 1.5{copies}",
    )


def _pgvector(section: VectorDb) -> VectorCapacity:
    """The table and an HNSW index, which holds each vector once more (README, Vector Type, Halfvec Type)."""
    indexed = FLOAT if section.dimensions <= INDEXED_AS_VECTOR else HALF
    each = (FLOAT * section.dimensions + 8) + (indexed * section.dimensions + 8)
    return VectorCapacity(
        replication_factor=1,
        memory_mib=LEAST_MEMORY_MIB,
        volume_gib=_up(section.vectors * each, GIB),
        rule=f"{_product(section)} x {FLOAT} B in the table, x {indexed} B in its index",
    )


def _product(section: VectorDb) -> str:
    return f"{section.vectors:,} vectors x {section.dimensions} dimensions"


def _up(amount: float, unit: int) -> int:
    return -int(-amount // unit)
