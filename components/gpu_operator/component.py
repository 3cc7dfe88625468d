"""The NVIDIA GPU operator with MIG layouts, GPU metrics, alerts and a dashboard."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.addons import definition, descriptor
from corral.catalogue.charts import chart
from corral.catalogue.platforms import platform
from corral.catalogue.vocabulary import Addon, AddonState, Platform
from corral.components._kit import (
    PodSecurity,
    checked,
    child,
    existing_api,
    install,
    labels,
    name_of,
    refuse,
    token,
)
from corral.components._namespaces import namespace_of
from corral.components._signals import monitor_prerequisite, watch
from corral.components._words import AddonStateWord, PlatformWord
from corral.components.gpu_operator.device_plugin import SharedGpus, configurations
from corral.components.gpu_operator.mig import CONFIG_KEY, MigConfiguration, mig_parted
from corral.components.gpu_operator.quota import critical_quota
from corral.components.gpu_operator.signals import SIGNALS
from corral.components.gpu_operator.validation import (
    Requirements,
    existing_policy,
    node_prerequisites,
    problems,
)
from corral.components.gpu_operator.values import (
    DEVICE_PLUGIN_CONFIG_MAP,
    MIG_CONFIG_MAP,
    operator_values,
)
from corral.components.supply import Supply

COMPONENT = "gpu-operator"
NAMESPACE = descriptor(Addon.GPU_OPERATOR).namespace
CLUSTER_POLICY = definition(Addon.GPU_OPERATOR)


class GpuOperatorArgs(TypedDict):
    """What the GPU operator needs to know."""

    platform: PlatformWord
    """What the GPU nodes run; who brings driver, toolkit and device plugin follows."""
    supply: Supply
    """Where charts and images come from."""
    mig_configurations: NotRequired[list[MigConfiguration]]
    """MIG layouts that nodes are labelled with; none: every GPU is whole."""
    shared_pools: NotRequired[list[SharedGpus]]
    """Ways of sharing that nodes are labelled with; they need the device plugin, so `dra_driver` is `off`."""
    dynamic_mig: NotRequired[bool]
    """True: the DRA driver cuts MIG slices when pods come, and destroys all others: there are no layouts."""
    existing: NotRequired[bool]
    """True: somebody else installed the operator; only the MIG layouts, alerts and dashboard are made."""
    precompiled_driver: NotRequired[int]
    """Branch of drivers compiled beforehand, such as 580; when omitted each node compiles the chart's."""
    dra_driver: NotRequired[AddonStateWord]
    """State of the DRA driver, `managed` when omitted; with `off` the device plugin hands out the GPUs."""
    monitors: NotRequired[bool]
    """False where the Prometheus operator's resource types are absent: no monitor and no alert then."""
    monitor_types: NotRequired[pulumi.Input[str]]
    """`Crds.definition` of the set `prometheus-crds`, where this program makes them; they must be there
    already when omitted."""
    namespace: NotRequired[str]
    """Where the operator runs; `gpu-operator` when omitted."""
    create_namespace: NotRequired[bool]
    """False: its namespace is there, is used as it is, and stays; true when omitted."""


class GpuOperator(pulumi.ComponentResource):
    """Makes GPUs schedulable, partitioned and observable on the cluster given as provider.

    With `monitors` the Prometheus operator's resource types must be there, as component Crds makes them.
    """

    namespace: pulumi.Output[str]
    """Where the operator runs."""
    mig_config_map: pulumi.Output[str]
    """ConfigMap with the MIG layouts, in that namespace."""

    def __init__(self, name: str, args: GpuOperatorArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, GpuOperatorArgs, name)
        refuse([*problems(_requirements(args), name), *_dynamic_problems(name, args)])
        layouts_file = mig_parted(args.get("mig_configurations", []))
        shares = configurations(args.get("shared_pools", []))
        super().__init__(token(type(self)), name, {}, opts)
        for line in node_prerequisites(Platform(args["platform"])):
            pulumi.log.info(line, self)
        space, before = self._space(name, args)
        types = monitor_prerequisite(self, name, args)
        layouts = self._layouts(name, layouts_file, space, before)
        shared = self._shares(name, args, shares, space, before)
        self._operator(name, args, space, [*types, layouts, *shared])
        watch(
            self,
            name,
            lambda _: SIGNALS,
            name="corral-gpus",
            namespace=space,
            component=COMPONENT,
            args=args,
            depends_on=before,
            types=types,
        )
        self.namespace = space
        self.mig_config_map = name_of(layouts)
        self.register_outputs({"namespace": self.namespace, "mig_config_map": self.mig_config_map})

    def _space(
        self, name: str, args: GpuOperatorArgs
    ) -> tuple[pulumi.Output[str], Sequence[pulumi.Resource]]:
        space = args.get("namespace", NAMESPACE)
        if args.get("existing", False):
            served = existing_api(self, f"{name}-cluster-policies", *CLUSTER_POLICY)
            policy = existing_policy(self, f"{name}-cluster-policy", _requirements(args), [served])
            return pulumi.Output.from_input(space), [served, policy]
        namespace = namespace_of(self, name, space, args, component=COMPONENT, level=PodSecurity.PRIVILEGED)
        return namespace, critical_quota(
            self,
            f"{name}-quota",
            platform(Platform(args["platform"])),
            namespace=namespace,
            labels=labels(COMPONENT, name),
        )

    def _layouts(
        self,
        name: str,
        layouts: str,
        space: pulumi.Input[str],
        before: Sequence[pulumi.Resource],
    ) -> kubernetes.core.v1.ConfigMap:
        # Nodes lose their slices when this object goes: its name is what the ClusterPolicy points to.
        return self._config_map(name, "mig-parted", MIG_CONFIG_MAP, space, {CONFIG_KEY: layouts}, before)

    def _shares(
        self,
        name: str,
        args: GpuOperatorArgs,
        data: Mapping[str, str],
        space: pulumi.Input[str],
        before: Sequence[pulumi.Resource],
    ) -> list[pulumi.Resource]:
        if _dra_state(args) is not AddonState.OFF:
            return []
        return [self._config_map(name, "device-plugin", DEVICE_PLUGIN_CONFIG_MAP, space, data, before)]

    def _config_map(
        self,
        name: str,
        what: str,
        physical: str,
        space: pulumi.Input[str],
        data: Mapping[str, str],
        before: Sequence[pulumi.Resource],
    ) -> kubernetes.core.v1.ConfigMap:
        return kubernetes.core.v1.ConfigMap(
            f"{name}-{what}",
            metadata={"name": physical, "namespace": space, "labels": labels(COMPONENT, name)},
            data=dict(data),
            opts=child(self, depends_on=list(before)),
        )

    def _operator(
        self,
        name: str,
        args: GpuOperatorArgs,
        space: pulumi.Input[str],
        before: Sequence[pulumi.Resource],
    ) -> None:
        if args.get("existing", False):
            return
        settings = _requirements(args)
        values = operator_values(
            platform(settings.platform),
            device_plugin=settings.dra_driver is AddonState.OFF,
            monitors=args.get("monitors", True),
            supply=args["supply"],
            precompiled=settings.precompiled,
            dynamic_mig=args.get("dynamic_mig", False),
        )
        install(
            self,
            f"{name}-chart",
            chart("gpu-operator"),
            values,
            namespace=space,
            supply=args["supply"],
            depends_on=before,
        )


def _requirements(args: GpuOperatorArgs) -> Requirements:
    branch = args.get("precompiled_driver")
    return Requirements(
        platform=Platform(args["platform"]),
        dra_driver=_dra_state(args),
        mig_layouts=bool(args.get("mig_configurations")),
        shared=bool(args.get("shared_pools")),
        precompiled=None if branch is None else int(branch),
        mirrored="registry" in args["supply"],
    )


def _dynamic_problems(name: str, args: GpuOperatorArgs) -> Iterator[str]:
    """Slices come from layouts, or from the DRA driver, which destroys those that it did not make."""
    if not args.get("dynamic_mig"):
        return
    if args.get("mig_configurations"):
        yield f"{name}: 'dynamic_mig' destroys slices of 'mig_configurations'; give one of them"
    if _dra_state(args) is AddonState.OFF:
        yield f"{name}: 'dynamic_mig' needs the DRA driver; dra_driver is 'off'"


def _dra_state(args: GpuOperatorArgs) -> AddonState:
    return AddonState(args.get("dra_driver", AddonState.MANAGED))
