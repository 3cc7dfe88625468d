"""Kyverno: policies answered at admission, and objects generated for new namespaces."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.charts import chart
from corral.components._kit import (
    checked,
    child,
    existing_api,
    install,
    name_of,
    namespace,
    token,
)
from corral.components.kyverno.values import kyverno_values
from corral.components.supply import Supply

COMPONENT = "kyverno"
RELEASE = "kyverno"
CONTROLLERS = ("admission-controller", "background-controller")
"""Those that run; each has a Deployment and a role of this name."""
VALIDATING_POLICIES = ("validatingpolicies.policies.kyverno.io", "v1")


class KyvernoArgs(TypedDict):
    """What Kyverno needs to know."""

    supply: Supply
    """Where the chart and its images come from."""
    replicas: NotRequired[int]
    """Admission controllers, 3 when omitted: with none answering, every guarded create is refused."""
    existing: NotRequired[bool]
    """True: Kyverno is there; its policy types are checked and nothing is installed."""
    migrate: NotRequired[bool]
    """Whether an upgrade rewrites stored policies in the newest version; true when omitted."""
    namespace: NotRequired[str]
    """Where it runs; `kyverno` when omitted."""


class Kyverno(pulumi.ComponentResource):
    """Policies in the admission path of the cluster given as provider."""

    namespace: pulumi.Output[str]
    """Where it runs; exceptions from policies count only there."""

    def __init__(self, name: str, args: KyvernoArgs, opts: pulumi.ResourceOptions | None = None):
        super().__init__(token(type(self)), name, {}, opts)
        args = checked(args, KyvernoArgs, name)
        wanted = args.get("namespace", "kyverno")
        if args.get("existing", False):
            existing_api(self, f"{name}-policies", *VALIDATING_POLICIES)
            self.namespace = pulumi.Output.from_input(wanted)
        else:
            self.namespace = self._installed(name, args, wanted)
        self.register_outputs({"namespace": self.namespace})

    def _installed(self, name: str, args: KyvernoArgs, wanted: str) -> pulumi.Output[str]:
        space = namespace(self, f"{name}-namespace", wanted, component=COMPONENT)
        roles = [self._role(name, wanted, controller) for controller in CONTROLLERS]
        values = kyverno_values(
            wanted,
            replicas=args.get("replicas", 3),
            supply=args["supply"],
            migrate=args.get("migrate", True),
        )
        release = install(
            self,
            f"{name}-chart",
            chart(RELEASE),
            values,
            namespace=name_of(space),
            supply=args["supply"],
            depends_on=roles,
            awaited=False,
        )
        for controller in CONTROLLERS:
            self._ready(name, name_of(space), controller, release)
        return name_of(space)

    def _role(self, name: str, space: str, controller: str) -> pulumi.Resource:
        """The role that Kubernetes fills for a controller, made before the chart adopts it, gone after it.

        Helm deletes the roles of a release side by side; Kubernetes may fill this one again while it goes,
        and so make it anew. Awaited, the release would never be gone; left, it would be in a later one's way.
        """
        return kubernetes.rbac.v1.ClusterRole(
            f"{name}-{controller}-role",
            metadata={
                "name": f"{RELEASE}:{controller}",
                "labels": {"app.kubernetes.io/managed-by": "Helm"},
                "annotations": {
                    "meta.helm.sh/release-name": RELEASE,
                    "meta.helm.sh/release-namespace": space,
                },
            },
            opts=child(self),
        )

    def _ready(
        self, name: str, space: pulumi.Input[str], controller: str, release: pulumi.Resource
    ) -> pulumi.Resource:
        """Awaits a controller of the release."""
        return kubernetes.apps.v1.DeploymentPatch(
            f"{name}-{controller}",
            # It changes nothing: what is recorded of one that is ready at once is from before the patch.
            metadata={"name": f"{RELEASE}-{controller}", "namespace": space},
            opts=child(self, depends_on=[release]),
        )
