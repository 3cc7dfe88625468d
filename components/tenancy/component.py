"""Tenants: a restricted namespace each, closed but for what is listed, with a quota of GPU devices."""

from collections.abc import Iterator
from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.vocabulary import CLASS_LABEL, TENANT_LABEL
from corral.components._kit import checked, child, labels, refuse, token
from corral.components._namespaces import own_namespace
from corral.components.supply import Supply
from corral.components.tenancy.policies import closed, inwards, name_resolution, outside, outwards, within
from corral.controls.network import net_06

COMPONENT = "tenancy"
METADATA = "metadata-server"


class Reachable(TypedDict):
    """Something outside its namespace that a tenant's pods may connect to."""

    namespace: str
    """Namespace of the pods behind the service."""
    port: NotRequired[int]
    """TCP port of those pods; any when omitted."""


class Addresses(TypedDict):
    """Something outside the cluster that a tenant's pods may connect to."""

    cidrs: pulumi.Input[list[str]]
    """Networks that it has addresses in."""
    port: int
    """Its TCP port."""


class Tenant(TypedDict):
    """Who owns a namespace, and what it may use."""

    name: str
    """Name of the tenant, unique among them."""
    namespace: str
    """Its namespace; no other tenant's."""
    create_namespace: NotRequired[bool]
    """False: its namespace is there, keeps its labels, and stays; true when omitted."""
    callers: NotRequired[list[str]]
    """Further namespaces whose pods may connect to its own."""
    data_class: NotRequired[str]
    """Highest class of data that its models may see; a label."""
    devices: NotRequired[dict[str, int]]
    """Most GPU devices that pods may claim, by DeviceClass; a class left out has no limit.

    Pods that wait have claims, too.
    """
    resources: NotRequired[dict[str, int]]
    """Most of an extended resource that pods may ask for, by name such as `nvidia.com/gpu`."""


class TenancyArgs(TypedDict):
    """The tenants, and what they share."""

    tenants: list[Tenant]
    """All of them."""
    supply: NotRequired[Supply]
    """Where images come from: with its `registry_auth`, each namespace gets the mirror's credentials."""
    reachable: NotRequired[list[Reachable]]
    """Services that every tenant's pods may connect to, such as model storage; DNS always is."""
    addresses: NotRequired[list[Addresses]]
    """What every tenant's pods may connect to outside the cluster, such as a cloud's store of objects."""
    metadata_server: NotRequired[bool]
    """True: on GKE, whose metadata server tells each pod who it is; its nodes must hide their own
    (`GKE_METADATA`)."""
    dns_addresses: NotRequired[list[str]]
    """Where pods ask for names besides: addresses of a cache on each node (NodeLocal DNSCache)."""
    callers: NotRequired[list[str]]
    """Namespaces whose pods may connect to the tenants' pods, such as a gateway's and the scraper's."""
    existing: NotRequired[bool]
    """True: the namespaces and their rules are somebody else's; their presence is checked."""


class Tenancy(pulumi.ComponentResource):
    """Namespaces of tenants on the cluster given as provider."""

    namespaces: pulumi.Output[dict[str, str]]
    """Namespace by tenant, known once it exists."""

    def __init__(self, name: str, args: TenancyArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, TenancyArgs, name)
        refuse(_problems(name, args["tenants"]))
        super().__init__(token(type(self)), name, {}, opts)
        make = self._existing if args.get("existing", False) else self._made
        spaces = {tenant["name"]: make(name, tenant, args) for tenant in args["tenants"]}
        self.namespaces = pulumi.Output.all(**spaces)
        self.register_outputs({"namespaces": self.namespaces})

    def _existing(self, name: str, tenant: Tenant, _: TenancyArgs) -> pulumi.Output[str]:
        return own_namespace(
            self,
            f"{name}-{tenant['name']}",
            tenant["namespace"],
            component=COMPONENT,
            supply={},
            create=False,
        )

    def _made(self, name: str, tenant: Tenant, args: TenancyArgs) -> pulumi.Output[str]:
        own = labels(COMPONENT, tenant["name"], tenant=tenant["name"])
        more = {TENANT_LABEL: tenant["name"]}
        if "data_class" in tenant:
            more[CLASS_LABEL] = tenant["data_class"]
        space = own_namespace(
            self,
            f"{name}-{tenant['name']}",
            tenant["namespace"],
            component=COMPONENT,
            supply=args.get("supply", {}),
            create=tenant.get("create_namespace", True),
            more_labels=more,
        )
        rules: dict[str, dict[str, Any]] = {
            "default-deny": closed(),
            "within": within(),
            "name-resolution": name_resolution(args.get("dns_addresses", [])),
        }
        if args.get("reachable"):
            rules["outwards"] = outwards(args.get("reachable", []))
        if args.get("addresses"):
            rules["outside"] = outside(args.get("addresses", []))
        if args.get("metadata_server", False):
            rules[METADATA] = outside([{"cidrs": [net_06.METADATA_ADDRESS], "port": net_06.METADATA_PORT}])
        if callers := [*args.get("callers", []), *tenant.get("callers", [])]:
            rules["inwards"] = inwards(callers)
        for rule, spec in rules.items():
            annotated: Any = {"annotations": {net_06.METADATA_SERVER: "gke"}} if rule == METADATA else {}
            kubernetes.networking.v1.NetworkPolicy(
                f"{name}-{tenant['name']}-{rule}",
                metadata=cast(Any, {"name": rule, "namespace": space, "labels": own, **annotated}),
                spec=cast(Any, spec),
                opts=child(self),
            )
        hard = {**device_quota(tenant.get("devices", {})), **resource_quota(tenant.get("resources", {}))}
        if hard:
            kubernetes.core.v1.ResourceQuota(
                f"{name}-{tenant['name']}-devices",
                metadata={"name": "devices", "namespace": space, "labels": own},
                spec={"hard": hard},
                opts=child(self),
            )
        return space


def device_quota(devices: dict[str, int]) -> dict[str, str]:
    """Quota entries of DRA devices, by DeviceClass.

    >>> device_quota({"mig.nvidia.com": 7})
    {'mig.nvidia.com.deviceclass.resource.k8s.io/devices': '7'}
    """
    return {f"{name}.deviceclass.resource.k8s.io/devices": str(most) for name, most in devices.items()}


def resource_quota(resources: dict[str, int]) -> dict[str, str]:
    """Quota entries of extended resources; Kubernetes limits their requests alone.

    >>> resource_quota({"nvidia.com/gpu": 2})
    {'requests.nvidia.com/gpu': '2'}
    """
    return {f"requests.{name}": str(most) for name, most in resources.items()}


def _problems(name: str, tenants: list[Tenant]) -> Iterator[str]:
    owners: dict[str, str] = {}
    for tenant in tenants:
        other = owners.setdefault(tenant["namespace"], tenant["name"])
        if other != tenant["name"]:
            yield f"{name}: namespace {tenant['namespace']!r} has two tenants, {other} and {tenant['name']}"
