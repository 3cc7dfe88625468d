"""Section `vector-db`: replicas and dimensions that the engine can have."""

from collections.abc import Iterator

from corral.catalogue.vocabulary import VectorEngine
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import StackConfig

INDEXED = 4000
"""Dimensions of an HNSW index over `halfvec`; over `vector` 2000 (pgvector 0.8.5, README, HNSW)."""
STORED = 16000
"""Dimensions of a `vector` column (same)."""


def check_vector_db(config: StackConfig) -> Iterator[Problem]:
    """Replicas and dimensions that the engine cannot have."""
    database = config.vector_db
    if database is None or database.engine is not VectorEngine.PGVECTOR:
        return
    if database.replicas > 1:
        yield Problem(
            "vector-db.replicas", str(database.replicas), "pgvector runs on one node: use 1, or qdrant"
        )
    if database.dimensions > INDEXED:
        reason = f"pgvector indexes {INDEXED} at most, as halfvec, and a vector has {STORED} at most"
        yield Problem("vector-db.dimensions", str(database.dimensions), f"{reason}: use fewer, or qdrant")
