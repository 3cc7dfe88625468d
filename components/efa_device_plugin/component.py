"""AWS's device plugin: pods ask for interfaces of the Elastic Fabric Adapter as for any other device."""

from typing import NotRequired, TypedDict

import pulumi

from corral.catalogue.charts import chart
from corral.components._kit import PodSecurity, checked, install, refuse, token
from corral.components._namespaces import namespace_of
from corral.components.efa_device_plugin.values import efa_values
from corral.components.gpu_node_pool.node_labels import EFA_RESOURCE
from corral.components.supply import Supply

COMPONENT = "efa-device-plugin"
CHART = "aws-efa-k8s-device-plugin"


class EfaDevicePluginArgs(TypedDict):
    """What the device plugin needs to know."""

    pools: list[str]
    """Names of the pools whose nodes have interfaces, such as an `EksGpuNodePool` with `efa`."""
    supply: Supply
    """Where the chart and its image come from."""
    existing: NotRequired[bool]
    """True: it is there already, and nothing is installed."""
    namespace: NotRequired[str]
    """Where it runs; `efa-device-plugin` when omitted."""
    create_namespace: NotRequired[bool]
    """False: its namespace is there, is used as it is, and stays; true when omitted."""


class EfaDevicePlugin(pulumi.ComponentResource):
    """Hands AWS's fabric between nodes out to the pods of the cluster given as provider, which is on EKS."""

    resource: pulumi.Output[str]
    """Name of the resource that pods ask for in their limits, known once it is handed out."""

    def __init__(self, name: str, args: EfaDevicePluginArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, EfaDevicePluginArgs, name)
        refuse([] if args["pools"] else [f"{name}.pools: empty; name the pools whose nodes have interfaces"])
        super().__init__(token(type(self)), name, {}, opts)
        if args.get("existing", False):
            self.resource = pulumi.Output.from_input(EFA_RESOURCE)
        else:
            self.resource = self._installed(name, args)
        self.register_outputs({"resource": self.resource})

    def _installed(self, name: str, args: EfaDevicePluginArgs) -> pulumi.Output[str]:
        entry = chart(CHART)
        namespace = namespace_of(
            self,
            name,
            args.get("namespace", entry.namespace),
            args,
            component=COMPONENT,
            level=PodSecurity.PRIVILEGED,
        )
        release = install(
            self,
            f"{name}-chart",
            entry,
            efa_values(args["pools"], args["supply"]),
            namespace=namespace,
            supply=args["supply"],
        )
        return release.urn.apply(lambda _: EFA_RESOURCE)
