"""Kyverno: policies answered at admission, and objects generated for new namespaces."""

from typing import NotRequired, TypedDict

import pulumi

from corral.catalogue.addons import definition
from corral.catalogue.charts import chart
from corral.catalogue.vocabulary import Addon
from corral.components._kit import (
    checked,
    existing_api,
    install_with_filled_roles,
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
VALIDATING_POLICIES = definition(Addon.KYVERNO)


class KyvernoArgs(TypedDict):
    """What Kyverno needs to know."""

    supply: Supply
    """Where the chart and its images come from."""
    replicas: NotRequired[int]
    """Admission controllers, 3 when omitted: with none answering, every guarded create is refused."""
    existing: NotRequired[bool]
    """True: Kyverno is there; its policy types are checked and nothing is installed."""
    upgrade_job: NotRequired[bool]
    """Whether a Job at each upgrade rewrites stored policies in the newest version; true when omitted."""
    namespace: NotRequired[str]
    """Where it runs; `kyverno` when omitted."""


class Kyverno(pulumi.ComponentResource):
    """Policies in the admission path of the cluster given as provider."""

    namespace: pulumi.Output[str]
    """Where it runs; exceptions from policies count only there."""

    def __init__(self, name: str, args: KyvernoArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, KyvernoArgs, name)
        super().__init__(token(type(self)), name, {}, opts)
        wanted = args.get("namespace", "kyverno")
        if args.get("existing", False):
            existing_api(self, f"{name}-policies", *VALIDATING_POLICIES)
            self.namespace = pulumi.Output.from_input(wanted)
        else:
            self.namespace = self._installed(name, args, wanted)
        self.register_outputs({"namespace": self.namespace})

    def _installed(self, name: str, args: KyvernoArgs, wanted: str) -> pulumi.Output[str]:
        space = namespace(self, f"{name}-namespace", wanted, component=COMPONENT)
        values = kyverno_values(
            wanted,
            replicas=args.get("replicas", 3),
            supply=args["supply"],
            upgrade_job=args.get("upgrade_job", True),
        )
        install_with_filled_roles(
            self,
            f"{name}-chart",
            chart(RELEASE),
            values,
            namespace=name_of(space),
            owner=wanted,
            supply=args["supply"],
            roles={f"{name}-{one}-role": f"{RELEASE}:{one}" for one in CONTROLLERS},
            deployments={f"{name}-{one}": f"{RELEASE}-{one}" for one in CONTROLLERS},
        )
        return name_of(space)
