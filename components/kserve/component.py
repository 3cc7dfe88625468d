"""KServe's controller, its resource types, and the runtimes of our engines."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.addons import definition, descriptor
from corral.catalogue.charts import chart
from corral.catalogue.runtimes import RUNTIMES
from corral.catalogue.vocabulary import Addon, Engine
from corral.components._kit import (
    PodSecurity,
    checked,
    child,
    existing_api,
    install,
    labels,
    name_of,
    prerequisite,
    token,
)
from corral.components._namespaces import namespace_of
from corral.components._signals import watch
from corral.components.kserve.runtimes import runtime_spec
from corral.components.kserve.signals import SCRAPE, signals
from corral.components.kserve.values import kserve_values
from corral.components.supply import Supply

COMPONENT = "kserve"
NAMESPACE = descriptor(Addon.KSERVE).namespace
"""The charts' webhooks name this namespace; it cannot be another."""
INFERENCE_SERVICES = definition(Addon.KSERVE)


class KServeArgs(TypedDict):
    """What KServe needs to know."""

    supply: Supply
    """Where charts and images come from."""
    cert_manager: NotRequired[pulumi.Input[str]]
    """`CertManager.namespace`, where this program makes it; its types must be there already when omitted."""
    existing: NotRequired[bool]
    """True: KServe is there; its resource types are checked and only our runtimes are made."""
    monitors: NotRequired[bool]
    """False where the Prometheus operator's resource types are absent: no monitor and no alert then."""
    monitor_types: NotRequired[pulumi.Input[str]]
    """`Crds.definition` of the set `prometheus-crds`, where this program makes them; they must be there
    already when omitted."""
    cache_jobs: NotRequired[str]
    """Namespace in which component ModelCache has models fetched onto nodes; when omitted no node keeps any.
    With it the level of KServe's namespace is `privileged`: its agent mounts a folder of the node."""
    create_namespace: NotRequired[bool]
    """False: its namespace is there, is used as it is, and stays; true when omitted."""


class KServe(pulumi.ComponentResource):
    """Serves models on the cluster given as provider, as plain Deployments.

    cert-manager must be there: it makes the certificate of KServe's webhooks; with `monitors` the Prometheus
    operator's resource types, too.
    """

    namespace: pulumi.Output[str]
    """Where the controller runs."""
    runtimes: pulumi.Output[dict[str, str]]
    """Name of the ClusterServingRuntime by engine, known once it exists."""

    def __init__(self, name: str, args: KServeArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, KServeArgs, name)
        super().__init__(token(type(self)), name, {}, opts)
        make = self._existing if args.get("existing", False) else self._installed
        self.namespace, made = make(name, args)
        self.runtimes = pulumi.Output.all(**{engine.value: name_of(one) for engine, one in made.items()})
        self.register_outputs({"namespace": self.namespace, "runtimes": self.runtimes})

    def _existing(
        self, name: str, args: KServeArgs
    ) -> tuple[pulumi.Output[str], Mapping[Engine, pulumi.Resource]]:
        types = existing_api(self, f"{name}-inference-services", *INFERENCE_SERVICES)
        return pulumi.Output.from_input(NAMESPACE), self._runtimes(name, args, types)

    def _installed(
        self, name: str, args: KServeArgs
    ) -> tuple[pulumi.Output[str], Mapping[Engine, pulumi.Resource]]:
        supply = args["supply"]
        level = PodSecurity.PRIVILEGED if "cache_jobs" in args else PodSecurity.RESTRICTED
        space = namespace_of(self, name, NAMESPACE, args, component=COMPONENT, level=level)
        certificates = prerequisite(self, name, Addon.CERT_MANAGER, args.get("cert_manager"))
        types = install(self, f"{name}-crds", chart("kserve-crd-minimal"), {}, namespace=space, supply=supply)
        # Pulumi retries an object until the cluster knows its type, Helm does not: the runtimes come before
        # the chart, which brings an object of a type that is as new as theirs.
        runtimes = self._runtimes(name, args, types)
        install(
            self,
            f"{name}-chart",
            chart("kserve-resources"),
            kserve_values(supply, cache_jobs=args.get("cache_jobs")),
            namespace=space,
            supply=supply,
            depends_on=[*certificates, *runtimes.values()],
        )
        watch(self, name, signals, namespace=space, component=COMPONENT, args=args, scrape=SCRAPE)
        return space, runtimes

    def _runtimes(
        self, name: str, args: KServeArgs, types: pulumi.Resource
    ) -> Mapping[Engine, pulumi.Resource]:
        return {
            engine: kubernetes.apiextensions.CustomResource(
                f"{name}-runtime-{runtime.name}",
                api_version="serving.kserve.io/v1alpha1",
                kind="ClusterServingRuntime",
                metadata={"name": runtime.name, "labels": labels(COMPONENT, name)},
                spec=runtime_spec(engine, args["supply"]),
                opts=child(self, depends_on=[types]),
            )
            for engine, runtime in RUNTIMES.items()
        }
