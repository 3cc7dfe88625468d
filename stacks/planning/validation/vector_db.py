"""Section `vector-db`: replicas that the engine can have."""

from collections.abc import Iterator

from corral.catalogue.vocabulary import VectorEngine
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import StackConfig


def check_vector_db(config: StackConfig) -> Iterator[Problem]:
    """Replicas of an engine that has one."""
    database = config.vector_db
    if database is not None and database.engine is VectorEngine.PGVECTOR and database.replicas > 1:
        yield Problem(
            "vector-db.replicas", str(database.replicas), "pgvector runs on one node: use 1, or qdrant"
        )
