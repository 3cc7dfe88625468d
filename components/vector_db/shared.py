"""What both engines have: credential, certificate, network policy, alerts and dashboard."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.vocabulary import VectorEngine
from corral.components._kit import child, labels
from corral.components._signals import alerts, dashboard
from corral.components.vector_db import network, signals
from corral.components.vector_db.args import VectorDatabaseArgs
from corral.components.vector_db.names import COMPONENT, CREDENTIAL, DOORS, SERVICE, TLS


def credential(
    parent: pulumi.Resource, name: str, args: VectorDatabaseArgs, space: pulumi.Input[str]
) -> pulumi.Resource:
    """Secret with the password or API key."""
    return kubernetes.core.v1.Secret(
        f"{name}-credential",
        metadata={"name": CREDENTIAL, "namespace": space, "labels": labels(COMPONENT, name)},
        string_data={
            DOORS[VectorEngine(args["engine"])].key: pulumi.Output.secret(args.get("credential", ""))
        },
        opts=child(parent, protect=args.get("protect", True)),
    )


def certificate(parent: pulumi.Resource, name: str, wanted: str, space: pulumi.Input[str]) -> pulumi.Resource:
    """Certificate of the Service, from an issuer of its own; cert-manager makes it."""
    issuer = custom(
        parent,
        f"{name}-issuer",
        "cert-manager.io/v1",
        "Issuer",
        {"name": "vector-db-self-signed", "namespace": space, "labels": labels(COMPONENT, name)},
        {"selfSigned": {}},
    )
    hosts = [f"{SERVICE}.{wanted}.svc", f"{SERVICE}.{wanted}.svc.cluster.local", SERVICE]
    return custom(
        parent,
        f"{name}-certificate",
        "cert-manager.io/v1",
        "Certificate",
        {"name": TLS, "namespace": space, "labels": labels(COMPONENT, name)},
        {
            "secretName": TLS,
            "dnsNames": hosts,
            "duration": "8760h",
            "renewBefore": "720h",
            "usages": ["server auth", "digital signature", "key encipherment"],
            "issuerRef": {"name": "vector-db-self-signed", "kind": "Issuer"},
        },
        depends_on=[issuer],
    )


def network_policy(
    parent: pulumi.Resource,
    name: str,
    args: VectorDatabaseArgs,
    space: pulumi.Input[str],
    pods: Mapping[str, str],
) -> None:
    """Clients and the scraper on the client ports alone."""
    spec = network.database(
        pods,
        args.get("clients", []),
        DOORS[VectorEngine(args["engine"])].ports,
        args.get("scraper", "monitoring"),
    )
    kubernetes.networking.v1.NetworkPolicy(
        f"{name}-network",
        metadata={"name": SERVICE, "namespace": space, "labels": labels(COMPONENT, name)},
        spec=cast(Any, spec),
        opts=child(parent),
    )


def watch(
    parent: pulumi.Resource,
    name: str,
    args: VectorDatabaseArgs,
    wanted: str,
    space: pulumi.Input[str],
) -> None:
    """Dashboard, and alerts where Prometheus' types are."""
    own, engine = labels(COMPONENT, name), VectorEngine(args["engine"])
    dashboard(
        parent,
        f"{name}-dashboard",
        name="corral-vector-db",
        namespace=space,
        labels=own,
        title="Vector database",
        panels=signals.panels(engine, wanted),
    )
    if args.get("monitors", True):
        alerts(
            parent,
            f"{name}-alerts",
            name="corral-vector-db",
            namespace=space,
            labels=own,
            rules=signals.rules(engine, wanted),
        )


def custom(
    parent: pulumi.Resource,
    logical: str,
    api_version: str,
    kind: str,
    metadata: Mapping[str, Any],
    spec: Mapping[str, Any],
    depends_on: Sequence[pulumi.Resource] = (),
) -> pulumi.Resource:
    """An object of a type that a CRD defines."""
    return kubernetes.apiextensions.CustomResource(
        logical,
        api_version=api_version,
        kind=kind,
        metadata=dict(metadata),
        spec=dict(spec),
        opts=child(parent, depends_on=list(depends_on)),
    )
