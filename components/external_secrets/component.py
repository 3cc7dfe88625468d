"""External Secrets, and the one store that the components of a platform read their secrets from."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.addons import definition, descriptor
from corral.catalogue.charts import chart
from corral.catalogue.secret_stores import API_VERSION, KIND, STORE_KINDS, placed, provider
from corral.catalogue.vocabulary import Addon, SecretProvider
from corral.components._kit import checked, child, existing_api, install, labels, name_of, refuse, token
from corral.components._namespaces import namespace_of
from corral.components._words import SecretProviderWord
from corral.components.external_secrets.values import external_secrets_values
from corral.components.supply import Supply

COMPONENT = "external-secrets"
NAMESPACE = descriptor(Addon.EXTERNAL_SECRETS).namespace
SECRETS = definition(Addon.EXTERNAL_SECRETS)
VALID = {"pulumi.com/waitFor": "condition=Ready"}
"""Of the store: the operator has entered it."""


class ExternalSecretsArgs(TypedDict):
    """What External Secrets needs to know."""

    supply: Supply
    """Where chart and images come from."""
    store: str
    """Name of the ClusterSecretStore."""
    provider: SecretProviderWord
    """What keeps the secrets."""
    server: NotRequired[str]
    """URL of Vault or OpenBao."""
    path: NotRequired[str]
    """Where its secrets engine, KV version 2, is mounted; `secret` when omitted."""
    mount: NotRequired[str]
    """Where its Kubernetes authentication is mounted; `kubernetes` when omitted."""
    role: NotRequired[str]
    """Role there of the operator's ServiceAccount; not needed with `existing`."""
    region: NotRequired[str]
    """Region of the cloud's store."""
    project: NotRequired[str]
    """Google's project of the store."""
    namespaces: NotRequired[list[pulumi.Input[str]]]
    """Namespaces whose ExternalSecrets may read the store; all when omitted. For a store made here alone."""
    replicas: NotRequired[int]
    """Pods of the operator and of its webhook, of which one works; 2 when omitted."""
    existing: NotRequired[bool]
    """True: operator and store are there; the store is compared with what is stated here."""
    namespace: NotRequired[str]
    """Where the operator runs; `external-secrets` when omitted."""
    create_namespace: NotRequired[bool]
    """False: its namespace is there, is used as it is, and stays; true when omitted."""


class _Store(pulumi.CustomResource):
    """A ClusterSecretStore that is there; the SDK's own class for such types shows nothing of one."""

    spec: pulumi.Output[Any]

    def __init__(self, logical: str, opts: pulumi.ResourceOptions):
        super().__init__(f"kubernetes:{API_VERSION}:{KIND}", logical, {"spec": None}, opts)


class ExternalSecrets(pulumi.ComponentResource):
    """The operator External Secrets with one store, on the cluster given as provider.

    The operator enters the store as its own ServiceAccount (Vault), or by the identity of its pods in the
    cloud: there is no key to the store.
    """

    store: pulumi.Output[str]
    """Name of the store, known once it can be read."""

    def __init__(self, name: str, args: ExternalSecretsArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, ExternalSecretsArgs, name)
        refuse(_problems(name, args))
        super().__init__(token(type(self)), name, {}, opts)
        self.store = self._existing(name, args) if args.get("existing", False) else self._made(name, args)
        self.register_outputs({"store": self.store})

    def _existing(self, name: str, args: ExternalSecretsArgs) -> pulumi.Output[str]:
        types = existing_api(self, f"{name}-types", *SECRETS)
        there = _Store(f"{name}-store", child(self, depends_on=[types], id=args["store"]))
        stated = placed(SecretProvider(args["provider"]), _stated(args))
        return there.spec.apply(partial(_same_store, args["store"], stated))

    def _made(self, name: str, args: ExternalSecretsArgs) -> pulumi.Output[str]:
        supply, space = args["supply"], args.get("namespace", NAMESPACE)
        namespace = namespace_of(self, name, space, args, component=COMPONENT)
        operator = install(
            self,
            f"{name}-chart",
            chart("external-secrets"),
            external_secrets_values(replicas=args.get("replicas", 2), supply=supply),
            namespace=namespace,
            supply=supply,
        )
        spec: dict[str, Any] = {"provider": provider(SecretProvider(args["provider"]), _stated(args))}
        if "namespaces" in args:
            spec["conditions"] = [{"namespaces": args["namespaces"]}]
        store = kubernetes.apiextensions.CustomResource(
            f"{name}-store",
            api_version=API_VERSION,
            kind=KIND,
            metadata={"name": args["store"], "labels": labels(COMPONENT, name), "annotations": VALID},
            spec=spec,
            opts=child(self, depends_on=[operator]),
        )
        return name_of(store)


def _stated(args: ExternalSecretsArgs) -> dict[str, str]:
    keys = ("server", "path", "mount", "role", "region", "project")
    stated = cast("Mapping[str, str]", args)
    return {key: stated[key] for key in keys if key in stated}


def _problems(name: str, args: ExternalSecretsArgs) -> Iterator[str]:
    kind = SecretProvider(args["provider"])
    one = STORE_KINDS[kind]
    needed = one.place.values() if args.get("existing", False) else one.needs
    for key in needed:
        if key not in args:
            yield f"{name}: {key!r} is missing; a store of {kind.value} needs it"


def _same_store(name: str, stated: Mapping[str, Mapping[str, str]], spec: Any) -> str:
    """`name`, where the store that is there is the one that is stated.

    Raises:
        pulumi.RunError: it is another.
    """
    providers = cast("Mapping[str, Any]", cast("Mapping[str, Any]", spec or {}).get("provider") or {})
    for key, fields in stated.items() if providers else ():
        actual = cast("Mapping[str, Any]", providers.get(key) or {})
        found = ", ".join(providers) if key not in providers else ""
        for field, value in fields.items():
            if actual.get(field) != value:
                raise pulumi.RunError(
                    f"ClusterSecretStore {name}: spec.provider.{key}.{field} is "
                    f"{actual.get(field)!r}{f' (it has {found})' if found else ''}, and {value!r} is stated: "
                    "state what is there, or name another store"
                )
    return name
