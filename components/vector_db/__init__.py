"""A vector database: PostgreSQL with pgvector on one node, or Qdrant."""

from corral.components.vector_db.args import VectorDatabaseArgs
from corral.components.vector_db.component import VectorDatabase

__all__ = ["VectorDatabase", "VectorDatabaseArgs"]
