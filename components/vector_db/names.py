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
class Door:
    """How clients reach an engine."""

    port: int
    key: str
    """Key of the credential in its Secret."""
    ports: tuple[int, ...]
    """Every port that clients may dial."""


PORTS = descriptor(Addon.VECTOR_DB).ports
DOORS = {
    VectorEngine.PGVECTOR: Door(port=PORTS["postgres"], key="password", ports=(PORTS["postgres"],)),
    VectorEngine.QDRANT: Door(
        port=PORTS["qdrant"], key="api-key", ports=(PORTS["qdrant"], PORTS["qdrant-grpc"])
    ),
}
