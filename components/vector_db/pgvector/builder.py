"""PostgreSQL with pgvector on one node: its objects."""

from collections.abc import Sequence
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.components._credentials import CREDENTIAL_REVISION
from corral.components._kit import child, fingerprint, labels, selector
from corral.components._signals import Monitor
from corral.components._volumes import data_claim
from corral.components.vector_db.args import VectorDatabaseArgs
from corral.components.vector_db.names import (
    COMPONENT,
    EXPORTER,
    EXPORTER_PORT,
    NAMESPACE,
    POSTGRES_PORT,
    SERVICE,
)
from corral.components.vector_db.pgvector import pod
from corral.components.vector_db.shared import credential_revision


def build(
    parent: pulumi.Resource,
    name: str,
    args: VectorDatabaseArgs,
    namespace: pulumi.Output[str],
    before: Sequence[pulumi.Resource],
) -> None:
    """Volume, Service and StatefulSet, and the exporter of its metrics."""
    memory = args.get("memory_mib", 1024)
    config = kubernetes.core.v1.ConfigMap(
        f"{name}-config",
        metadata={"name": pod.CONFIG, "namespace": namespace, "labels": labels(COMPONENT, name)},
        data=pod.configuration(),
        opts=child(parent),
    )
    claim = _claim(parent, name, args, namespace)
    service = kubernetes.core.v1.Service(
        f"{name}-service",
        metadata={
            "name": SERVICE,
            "namespace": namespace,
            "labels": labels(COMPONENT, name),
            # The StatefulSet behind it is awaited itself, and waits for this Service.
            "annotations": {"pulumi.com/skipAwait": "true"},
        },
        spec={
            "selector": selector(COMPONENT, name),
            "ports": [{"name": "postgres", "port": POSTGRES_PORT, "target_port": "postgres"}],
        },
        opts=child(parent),
    )
    # A new name of this object is a new, empty database pod beside the old volume.
    database = kubernetes.apps.v1.StatefulSet(
        f"{name}-database",
        metadata={"name": SERVICE, "namespace": namespace, "labels": labels(COMPONENT, name)},
        spec={
            "service_name": SERVICE,
            "replicas": 1,
            "selector": {"match_labels": selector(COMPONENT, name)},
            "template": {
                "metadata": {
                    "labels": labels(COMPONENT, name),
                    "annotations": {
                        "corral.dev/configuration": fingerprint(pod.configuration()),
                        CREDENTIAL_REVISION: credential_revision(args),
                    },
                },
                "spec": cast(Any, pod.pod(memory_mib=memory, supply=args["supply"])),
            },
        },
        opts=child(
            parent,
            protect=args.get("protect", True),
            depends_on=[*before, config, claim, service],
        ),
    )
    if args.get("monitors", True):
        _exporter(parent, name, args, namespace, [database])


def _claim(
    parent: pulumi.Resource, name: str, args: VectorDatabaseArgs, namespace: pulumi.Input[str]
) -> pulumi.Resource:
    return data_claim(
        parent,
        name,
        {"name": pod.CLAIM, "namespace": namespace, "labels": labels(COMPONENT, name)},
        size_gib=args.get("size_gib", 20),
        storage_class=args.get("storage_class"),
        protect=args.get("protect", True),
    )


def _exporter(
    parent: pulumi.Resource,
    name: str,
    args: VectorDatabaseArgs,
    namespace: pulumi.Output[str],
    before: Sequence[pulumi.Resource],
) -> None:
    own = labels(EXPORTER, name)
    space = args.get("namespace", NAMESPACE)
    kubernetes.apps.v1.Deployment(
        f"{name}-exporter",
        metadata={"name": EXPORTER, "namespace": namespace, "labels": own},
        spec={
            "replicas": 1,
            "selector": {"match_labels": selector(EXPORTER, name)},
            "template": {
                # It reads the password when it starts.
                "metadata": {
                    "labels": own,
                    "annotations": {CREDENTIAL_REVISION: credential_revision(args)},
                },
                "spec": cast(Any, pod.exporter_pod(namespace=space, supply=args["supply"])),
            },
        },
        opts=child(parent, depends_on=list(before)),
    )


def monitor(name: str) -> Monitor:
    """The exporter's pod."""
    return Monitor(selector(EXPORTER, name), EXPORTER_PORT, pods=True)
