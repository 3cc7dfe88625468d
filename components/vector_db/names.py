"""Names that clients and the parts of a vector database agree on."""

from dataclasses import dataclass

from corral.catalogue.addons import descriptor
from corral.catalogue.vocabulary import Addon, VectorEngine

COMPONENT = "vector-db"
SERVICE = "vector-db"
CREDENTIAL = "vector-db-credential"
TLS = "vector-db-tls"
"""Secret with `tls.crt`, `tls.key` and `ca.crt`; clients verify with the last."""
DATABASE = "vectors"
USER = "vectors"
EXPORTER = "vector-db-exporter"
EXPORTER_PORT = 9187
PRIVATE_MODE = 0o400
"""Mode of mounted secrets; with the pod's fsGroup Kubernetes adds the group's read bit."""


@dataclass(frozen=True)
class Endpoint:
    """How clients reach an engine."""

    port: int
    key: str
    """Key of the credential in its Secret."""
    stored: str
    """Key of the credential in a store of secrets."""
    ports: tuple[int, ...]
    """Every port that clients may dial."""


_DESCRIPTOR = descriptor(Addon.VECTOR_DB)
_STORED = {one.engine: one.key for one in _DESCRIPTOR.secrets}
NAMESPACE = _DESCRIPTOR.namespace
POSTGRES_PORT = _DESCRIPTOR.ports["postgres"]
ENDPOINTS = {
    VectorEngine.PGVECTOR: Endpoint(
        port=POSTGRES_PORT,
        key="password",
        stored=_STORED[VectorEngine.PGVECTOR],
        ports=(POSTGRES_PORT,),
    ),
    VectorEngine.QDRANT: Endpoint(
        port=_DESCRIPTOR.ports["qdrant"],
        key="api-key",
        stored=_STORED[VectorEngine.QDRANT],
        ports=(_DESCRIPTOR.ports["qdrant"], _DESCRIPTOR.ports["qdrant-grpc"]),
    ),
}
