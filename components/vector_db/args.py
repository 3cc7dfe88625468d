"""What a vector database needs to know."""

from collections.abc import Iterator
from typing import NotRequired, TypedDict

import pulumi

from corral.catalogue.vocabulary import VectorEngine
from corral.components._secrets import either
from corral.components._words import VectorEngineWord
from corral.components.secret_store import SecretStore
from corral.components.supply import Supply


class VectorDatabaseArgs(TypedDict):
    """What a vector database needs to know."""

    engine: VectorEngineWord
    """Which program stores the vectors."""
    supply: Supply
    """Where charts and images come from."""
    cert_manager: NotRequired[pulumi.Input[str]]
    """`CertManager.namespace`, where this program makes it; its types must be there already when omitted."""
    credential: NotRequired[pulumi.Input[str]]
    """Password of user `vectors` (pgvector) or API key (qdrant), a secret; needed unless `existing` or with
    `secret_store`."""
    secret_store: NotRequired[SecretStore]
    """What has it, as `vector-db-password` or `vector-db-api-key`."""
    size_gib: NotRequired[int]
    """Size of each replica's volume in GiB; 20 when omitted. It can grow, not shrink."""
    memory_mib: NotRequired[int]
    """Memory of each replica in MiB; 1024 when omitted."""
    replicas: NotRequired[int]
    """Copies of the database, 1 when omitted; pgvector has one."""
    replication_factor: NotRequired[int]
    """Copies of each shard of a qdrant collection that names none; 2 with several replicas when omitted."""
    clients: NotRequired[list[str]]
    """Namespaces whose pods may connect."""
    scraper: NotRequired[str]
    """Namespace that metrics are scraped from; `monitoring` when omitted."""
    dns_addresses: NotRequired[list[str]]
    """Where pods ask for names besides: addresses of a cache on each node (NodeLocal DNSCache)."""
    storage_class: NotRequired[str]
    """Storage class of the volumes; the cluster's default when omitted."""
    monitors: NotRequired[bool]
    """False where the Prometheus operator's resource types are absent: no monitor and no alert then."""
    monitor_types: NotRequired[pulumi.Input[str]]
    """`Crds.definition` of the set `prometheus-crds`, where this program makes them; they must be there
    already when omitted."""
    protect: NotRequired[bool]
    """False: the data may be deleted with the stack; true when omitted."""
    existing: NotRequired[bool]
    """True: the database is there, with our Service name; its Service is read and nothing is installed."""
    namespace: NotRequired[str]
    """Where it runs; `vector-db` when omitted."""
    create_namespace: NotRequired[bool]
    """False: its namespace is there, is used as it is, and stays; true when omitted."""


def problems(name: str, args: VectorDatabaseArgs) -> Iterator[str]:
    """What cannot be installed, one line each; nothing of a database that is there."""
    if args.get("existing", False):
        return
    replicas = args.get("replicas", 1)
    if VectorEngine(args["engine"]) is VectorEngine.PGVECTOR and replicas != 1:
        yield f"{name}.replicas: {replicas} is not allowed; pgvector runs on one node, qdrant on several"
    copies = replication_factor(args)
    if copies > replicas:
        yield f"{name}.replication_factor: {copies} is not allowed; use {replicas} at most, one per replica"
    yield from either(name, args, "credential")


def replication_factor(args: VectorDatabaseArgs) -> int:
    """Copies of each shard."""
    return args.get("replication_factor", min(2, args.get("replicas", 1)))
