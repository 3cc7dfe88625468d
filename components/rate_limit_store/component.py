"""Valkey, which keeps the counts of Envoy's rate limit service over restarts."""

from functools import partial
from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.addons import descriptor
from corral.catalogue.vocabulary import Addon
from corral.components._credentials import CREDENTIAL_REVISION
from corral.components._kit import checked, child, labels, refuse, selector, token
from corral.components._namespaces import namespace_of
from corral.components._network import ingress, namespace_peer, policy
from corral.components._secrets import either, revision_of, secret_object
from corral.components._volumes import data_claim
from corral.components.rate_limit_store import pod
from corral.components.secret_store import SecretStore
from corral.components.supply import Supply

COMPONENT = "rate-limit-store"
SERVICE = COMPONENT
NAMESPACE = descriptor(Addon.TOKEN_LIMITS).namespace
CLIENTS = descriptor(Addon.ENVOY_GATEWAY).namespace
SIZE_GIB = 1


class RateLimitStoreArgs(TypedDict):
    """What the store of counts needs to know."""

    supply: Supply
    """Where its image comes from."""
    password: NotRequired[pulumi.Input[str]]
    """Password of its one user, a secret; this or `secret_store`."""
    secret_store: NotRequired[SecretStore]
    """What has the password, as `token-limits-password`."""
    clients: NotRequired[str]
    """Namespace of the rate limit service, which alone reaches it; `envoy-gateway-system` when omitted."""
    storage_class: NotRequired[str]
    """Class of its volume; the cluster's default when omitted."""
    protect: NotRequired[bool]
    """Whether its volume is protected from deletion; true when omitted."""
    namespace: NotRequired[str]
    """Where it runs; `token-limits` when omitted."""
    create_namespace: NotRequired[bool]
    """False: its namespace is there, is used as it is, and stays; true when omitted."""


class RateLimitStore(pulumi.ComponentResource):
    """One Valkey with a password and a log on a volume, on the cluster given as provider.

    Counts of the last second before a crash are lost. Its traffic is not encrypted; a NetworkPolicy keeps it
    to the rate limit service.
    """

    address: pulumi.Output[str]
    """`HOST:PORT` inside the cluster, known once it answers there."""

    def __init__(self, name: str, args: RateLimitStoreArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, RateLimitStoreArgs, name)
        refuse(either(name, args, "password"))
        super().__init__(token(type(self)), name, {}, opts)
        space = args.get("namespace", NAMESPACE)
        namespace = namespace_of(self, name, space, args, component=COMPONENT)
        meta = partial(_metadata, namespace, name)
        store = args.get("secret_store")
        before = [
            secret_object(
                self,
                f"{name}-credential",
                meta(pod.CREDENTIAL),
                values={"password": args.get("password")},
                keys={"password": pod.PASSWORD},
                store=store,
                texts=lambda known: {pod.CREDENTIAL_FILE: pod.credential(known["password"])},
                quoted=True,
            ),
            data_claim(
                self,
                name,
                meta(pod.CLAIM),
                size_gib=SIZE_GIB,
                storage_class=args.get("storage_class"),
                protect=args.get("protect", True),
            ),
            kubernetes.core.v1.Service(
                f"{name}-service",
                # The StatefulSet behind it is awaited itself, and waits for this Service.
                metadata=meta(SERVICE, annotations={"pulumi.com/skipAwait": "true"}),
                spec={
                    "selector": selector(COMPONENT, name),
                    "ports": [{"name": "valkey", "port": pod.PORT, "target_port": "valkey"}],
                },
                opts=child(self),
            ),
        ]
        kubernetes.networking.v1.NetworkPolicy(
            f"{name}-network",
            metadata=meta(COMPONENT),
            spec=cast(Any, _network(name, args.get("clients", CLIENTS))),
            opts=child(self),
        )
        server = kubernetes.apps.v1.StatefulSet(
            f"{name}-server",
            metadata=meta(COMPONENT),
            spec={
                "service_name": SERVICE,
                "replicas": 1,
                "selector": {"match_labels": selector(COMPONENT, name)},
                "template": {
                    "metadata": {
                        "labels": labels(COMPONENT, name),
                        # It reads the password when it starts.
                        "annotations": {CREDENTIAL_REVISION: revision_of(store, args.get("password", ""))},
                    },
                    "spec": cast(Any, pod.pod(args["supply"])),
                },
            },
            opts=child(self, depends_on=before),
        )
        self.address = pulumi.Output.all(namespace, server.urn).apply(
            lambda known: f"{SERVICE}.{known[0]}.svc.cluster.local:{pod.PORT}"
        )
        self.register_outputs({"address": self.address})


def _metadata(namespace: pulumi.Input[str], name: str, called: str, **more: Any) -> Any:
    return {"name": called, "namespace": namespace, "labels": labels(COMPONENT, name), **more}


def _network(name: str, clients: str) -> dict[str, Any]:
    """The rate limit service's namespace in; out to nobody."""
    return policy(
        pods=selector(COMPONENT, name), ingress=[ingress([namespace_peer(clients)], pod.PORT)], egress=[]
    )
