"""Section `vector-db`: replicas, dimensions and volumes that the engine can have."""

from collections.abc import Iterator

from corral.catalogue.quantities import gibibytes
from corral.catalogue.vocabulary import VectorEngine
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import StackConfig, VectorDb
from corral.stacks.planning.vector_capacity import capacity

INDEXED = 4000
"""Dimensions of an HNSW index over `halfvec`; over `vector` 2000 (pgvector 0.8.5, README, HNSW)."""
STORED = 16000
"""Dimensions of a `vector` column (same)."""
QDRANT = 65536
"""Dimensions of a vector in Qdrant (`VectorParams.size`, validated from 1 to 65536)."""


def check_vector_db(config: StackConfig) -> Iterator[Problem]:
    """Replicas, dimensions and volumes that the engine cannot have."""
    database = config.vector_db
    if database is None:
        return
    if database.engine is VectorEngine.PGVECTOR:
        yield from _pgvector(database)
    elif database.dimensions > QDRANT:
        reason = f"a vector has {QDRANT} at most in qdrant: use fewer"
        yield Problem("vector-db.dimensions", str(database.dimensions), reason)
    yield from _copies(database)
    yield from _volume(database)


def _pgvector(database: VectorDb) -> Iterator[Problem]:
    if database.replicas > 1:
        yield Problem(
            "vector-db.replicas", str(database.replicas), "pgvector runs on one node: use 1, or qdrant"
        )
    if database.dimensions > INDEXED:
        reason = f"pgvector indexes {INDEXED} at most, as halfvec, and a vector has {STORED} at most"
        yield Problem("vector-db.dimensions", str(database.dimensions), f"{reason}: use fewer, or qdrant")


def _copies(database: VectorDb) -> Iterator[Problem]:
    copies = database.replication_factor
    if copies is not None and copies > database.replicas:
        reason = f"a shard has one copy on each replica at most, and there are {database.replicas}"
        yield Problem("vector-db.replication-factor", str(copies), reason)


def _volume(database: VectorDb) -> Iterator[Problem]:
    needs = capacity(database)
    if database.size is not None and gibibytes(database.size) < needs.volume_gib:
        reason = f"each replica needs {needs.volume_gib}Gi ({needs.rule}), and room for payload"
        yield Problem("vector-db.size", database.size, reason)
