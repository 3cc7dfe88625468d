"""What both engines have: credential, certificate, network policy, alerts and dashboard."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.vocabulary import VectorEngine
from corral.components._kit import child, labels
from corral.components._network import SCRAPER_NAMESPACE
from corral.components._secrets import revision_of, secret_object
from corral.components._signals import Monitor, watch
from corral.components.vector_db import network, signals
from corral.components.vector_db.args import VectorDatabaseArgs
from corral.components.vector_db.names import COMPONENT, CREDENTIAL, ENDPOINTS, SERVICE, TLS


def credential_revision(args: VectorDatabaseArgs) -> pulumi.Output[str]:
    """What changes with the credential; it is no help in guessing it."""
    return pulumi.Output.from_input(revision_of(args.get("secret_store"), args.get("credential", "")))


def credential(
    parent: pulumi.Resource, name: str, args: VectorDatabaseArgs, namespace: pulumi.Input[str]
) -> pulumi.Resource:
    """Secret with the password or API key."""
    endpoint = ENDPOINTS[VectorEngine(args["engine"])]
    return secret_object(
        parent,
        f"{name}-credential",
        {"name": CREDENTIAL, "namespace": namespace, "labels": labels(COMPONENT, name)},
        values={"credential": args.get("credential")},
        keys={"credential": endpoint.stored},
        store=args.get("secret_store"),
        texts=lambda known: {endpoint.key: known["credential"]},
        protect=args.get("protect", True),
    )


def certificate(
    parent: pulumi.Resource,
    name: str,
    space: str,
    namespace: pulumi.Input[str],
    types: Sequence[pulumi.Resource],
) -> pulumi.Resource:
    """Certificate of the Service, from an issuer of its own, once cert-manager's `types` are there."""
    issuer = custom(
        parent,
        f"{name}-issuer",
        "cert-manager.io/v1",
        "Issuer",
        {"name": "vector-db-self-signed", "namespace": namespace, "labels": labels(COMPONENT, name)},
        {"selfSigned": {}},
        depends_on=types,
    )
    hosts = [f"{SERVICE}.{space}.svc", f"{SERVICE}.{space}.svc.cluster.local", SERVICE]
    return custom(
        parent,
        f"{name}-certificate",
        "cert-manager.io/v1",
        "Certificate",
        {"name": TLS, "namespace": namespace, "labels": labels(COMPONENT, name)},
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
    namespace: pulumi.Input[str],
    pods: Mapping[str, str],
) -> None:
    """Clients and the scraper on the client ports alone."""
    spec = network.database(
        pods,
        args.get("clients", []),
        ENDPOINTS[VectorEngine(args["engine"])].ports,
        args.get("scraper", SCRAPER_NAMESPACE),
        args.get("dns_addresses", []),
    )
    kubernetes.networking.v1.NetworkPolicy(
        f"{name}-network",
        metadata={"name": SERVICE, "namespace": namespace, "labels": labels(COMPONENT, name)},
        spec=cast(Any, spec),
        opts=child(parent),
    )


def watched(
    parent: pulumi.Resource,
    name: str,
    args: VectorDatabaseArgs,
    namespace: pulumi.Input[str],
    scrape: Monitor,
) -> None:
    """Dashboard, and monitor and alerts where Prometheus' types are."""
    engine = VectorEngine(args["engine"])
    watch(
        parent,
        name,
        lambda known: signals.signals(engine, known),
        namespace=namespace,
        component=COMPONENT,
        args=args,
        scrape=scrape,
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
