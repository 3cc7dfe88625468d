"""NVIDIA's DRA driver: whole GPUs and MIG slices as devices that pods claim."""

from collections.abc import Iterator
from typing import NotRequired, TypedDict

import pulumi

from corral.catalogue.charts import chart
from corral.catalogue.platforms import platform
from corral.catalogue.vocabulary import Platform
from corral.components._kit import (
    PodSecurity,
    checked,
    install,
    labels,
    refuse,
    token,
)
from corral.components._namespaces import namespace_of
from corral.components._words import PlatformWord
from corral.components.dra_driver.values import dra_values
from corral.components.gpu_operator.quota import critical_quota
from corral.components.supply import Supply

COMPONENT = "dra-driver"
CHART = "dra-driver-nvidia-gpu"


class DraDriverArgs(TypedDict):
    """What the DRA driver needs to know; GPU drivers must be on the nodes, as GpuOperator sees to."""

    platform: PlatformWord
    """What the GPU nodes run; where their driver is follows."""
    supply: Supply
    """Where the chart and its image come from."""
    dynamic_mig: NotRequired[bool]
    """True: it makes MIG slices when pods claim them, and destroys all others."""
    mig_layouts: NotRequired[bool]
    """True: MIG manager cuts nodes by layouts, and restarts the driver: GPU operator 26.7 or later."""
    namespace: NotRequired[str]
    """Where it runs; `dra-driver-nvidia-gpu` when omitted."""
    create_namespace: NotRequired[bool]
    """False: its namespace is there, is used as it is, and stays; true when omitted."""


class DraDriver(pulumi.ComponentResource):
    """Allocates the GPUs of the cluster given as provider by claim, in place of the device plugin."""

    namespace: pulumi.Output[str]
    """Where it runs."""

    def __init__(self, name: str, args: DraDriverArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, DraDriverArgs, name)
        refuse(_problems(name, args))
        super().__init__(token(type(self)), name, {}, opts)
        entry, nodes = chart(CHART), platform(Platform(args["platform"]))
        self.namespace = namespace_of(
            self,
            name,
            args.get("namespace", entry.namespace),
            args,
            component=COMPONENT,
            level=PodSecurity.PRIVILEGED,
        )
        quota = critical_quota(
            self, f"{name}-quota", nodes, namespace=self.namespace, labels=labels(COMPONENT, name)
        )
        install(
            self,
            f"{name}-chart",
            entry,
            dra_values(
                nodes,
                supply=args["supply"],
                dynamic_mig=args.get("dynamic_mig", False),
                mig_layouts=args.get("mig_layouts", False),
            ),
            namespace=self.namespace,
            supply=args["supply"],
            depends_on=quota,
            # Types of compute domains, which are off; the GPU operator's chart brings the same ones.
            definitions=False,
        )
        self.register_outputs({"namespace": self.namespace})


def _problems(name: str, args: DraDriverArgs) -> Iterator[str]:
    chosen = Platform(args["platform"])
    if platform(chosen).own_devices:
        yield (
            f"{name}.platform: {chosen.value!r} brings a device plugin, and beside a DRA driver it gives "
            "GPUs away twice; use another platform, or no DRA driver"
        )
