"""What a vector database needs to know."""

from collections.abc import Iterator
from typing import NotRequired, TypedDict

import pulumi

from corral.catalogue.vocabulary import VectorEngine
from corral.components.supply import Supply


class VectorDatabaseArgs(TypedDict):
    """What a vector database needs; cert-manager must be there, and with `monitors` Prometheus' types."""

    engine: VectorEngine
    """Which program stores the vectors."""
    supply: Supply
    """Where charts and images come from."""
    credential: NotRequired[pulumi.Input[str]]
    """Password of user `vectors` (pgvector) or API key (qdrant), a secret; needed unless `existing`."""
    size_gib: NotRequired[int]
    """Size of each replica's volume in GiB; 10 when omitted. It can grow, not shrink."""
    memory_mib: NotRequired[int]
    """Memory of each replica in MiB; 1024 when omitted."""
    replicas: NotRequired[int]
    """Copies of the database, 1 when omitted; pgvector has one."""
    clients: NotRequired[list[str]]
    """Namespaces whose pods may connect."""
    scraper: NotRequired[str]
    """Namespace that metrics are scraped from; `monitoring` when omitted."""
    storage_class: NotRequired[str]
    """Storage class of the volumes; the cluster's default when omitted."""
    monitors: NotRequired[bool]
    """False where the Prometheus operator's resource types are absent: no monitor and no alert then."""
    protect: NotRequired[bool]
    """False: the data may be deleted with the stack; true when omitted."""
    existing: NotRequired[bool]
    """True: the database is there, with our Service name; its Service is read and nothing is installed."""
    namespace: NotRequired[str]
    """Where it runs; `vector-db` when omitted."""


def problems(name: str, args: VectorDatabaseArgs) -> Iterator[str]:
    """What cannot be installed, one line each; nothing of a database that is there."""
    if args.get("existing", False):
        return
    replicas = args.get("replicas", 1)
    if VectorEngine(args["engine"]) is VectorEngine.PGVECTOR and replicas != 1:
        yield f"{name}.replicas: {replicas} is not allowed; pgvector runs on one node, qdrant on several"
    if "credential" not in args:
        yield f"{name}: 'credential' is missing; only `existing` does without it"
