"""Qdrant on one node or several: its objects."""

from collections.abc import Sequence

import pulumi

from corral.catalogue.charts import chart
from corral.catalogue.vocabulary import VectorEngine
from corral.components._kit import install
from corral.components._signals import Monitor
from corral.components.vector_db.args import VectorDatabaseArgs, replication_factor
from corral.components.vector_db.names import CREDENTIAL, ENDPOINTS, NAMESPACE, SERVICE, TLS
from corral.components.vector_db.qdrant.values import qdrant_values
from corral.components.vector_db.shared import credential_revision

KEY = ENDPOINTS[VectorEngine.QDRANT].key
QDRANT_PODS = {"app.kubernetes.io/name": "qdrant", "app.kubernetes.io/instance": "qdrant"}


def build(
    parent: pulumi.Resource,
    name: str,
    args: VectorDatabaseArgs,
    namespace: pulumi.Output[str],
    before: Sequence[pulumi.Resource],
) -> None:
    """The chart."""
    values = qdrant_values(
        replicas=args.get("replicas", 1),
        replication_factor=replication_factor(args),
        size_gib=args.get("size_gib", 20),
        memory_mib=args.get("memory_mib", 1024),
        storage_class=args.get("storage_class"),
        credential_revision=credential_revision(args),
        supply=args["supply"],
    )
    install(
        parent,
        f"{name}-chart",
        chart("qdrant"),
        values,
        namespace=namespace,
        supply=args["supply"],
        depends_on=before,
    )


def monitor(args: VectorDatabaseArgs) -> Monitor:
    """Each node, over verified TLS with the API key."""
    space = args.get("namespace", NAMESPACE)
    return Monitor(
        {**QDRANT_PODS, "app.kubernetes.io/component": "cluster-discovery"},
        "http",
        connection={
            "scheme": "https",
            "authorization": {"type": "Bearer", "credentials": {"name": CREDENTIAL, "key": KEY}},
            "tlsConfig": {
                "ca": {"secret": {"name": TLS, "key": "ca.crt"}},
                "serverName": f"{SERVICE}.{space}.svc",
            },
        },
    )
