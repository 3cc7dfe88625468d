"""Qdrant on one node or several: its objects."""

from collections.abc import Sequence

import pulumi

from corral.catalogue.charts import chart
from corral.catalogue.vocabulary import VectorEngine
from corral.components._kit import install, labels
from corral.components.vector_db.args import VectorDatabaseArgs
from corral.components.vector_db.names import COMPONENT, CREDENTIAL, DOORS, SERVICE, TLS
from corral.components.vector_db.qdrant.values import qdrant_values
from corral.components.vector_db.shared import custom

QDRANT_PODS = {"app.kubernetes.io/name": "qdrant", "app.kubernetes.io/instance": "qdrant"}


def build(
    parent: pulumi.Resource,
    name: str,
    args: VectorDatabaseArgs,
    space: pulumi.Output[str],
    before: Sequence[pulumi.Resource],
) -> None:
    """The chart, and a monitor over verified TLS."""
    values = qdrant_values(
        replicas=args.get("replicas", 1),
        size_gib=args.get("size_gib", 10),
        memory_mib=args.get("memory_mib", 1024),
        storage_class=args.get("storage_class"),
        supply=args["supply"],
    )
    install(
        parent,
        f"{name}-chart",
        chart("qdrant"),
        values,
        namespace=space,
        supply=args["supply"],
        depends_on=before,
    )
    if args.get("monitors", True):
        _monitor(parent, name, args.get("namespace", "vector-db"), space)


def _monitor(parent: pulumi.Resource, name: str, wanted: str, space: pulumi.Input[str]) -> None:
    key = DOORS[VectorEngine.QDRANT].key
    custom(
        parent,
        f"{name}-monitor",
        "monitoring.coreos.com/v1",
        "ServiceMonitor",
        {"name": SERVICE, "namespace": space, "labels": labels(COMPONENT, name)},
        {
            "selector": {"matchLabels": {**QDRANT_PODS, "app.kubernetes.io/component": "cluster-discovery"}},
            "endpoints": [
                {
                    "port": "http",
                    "path": "/metrics",
                    "interval": "30s",
                    "scheme": "https",
                    "authorization": {"type": "Bearer", "credentials": {"name": CREDENTIAL, "key": key}},
                    "tlsConfig": {
                        "ca": {"secret": {"name": TLS, "key": "ca.crt"}},
                        "serverName": f"{SERVICE}.{wanted}.svc",
                    },
                }
            ],
        },
    )
