"""A vector database: PostgreSQL with pgvector on one node, or Qdrant."""

from corral.components.vector_db.component import VectorDatabase, VectorDatabaseArgs

__all__ = ["VectorDatabase", "VectorDatabaseArgs"]
