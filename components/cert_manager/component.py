"""cert-manager: issues the certificates of webhooks and keeps them fresh."""

from typing import Any, NotRequired, TypedDict

import pulumi

from corral.catalogue.addons import definition
from corral.catalogue.charts import chart
from corral.catalogue.vocabulary import Addon
from corral.components._kit import checked, existing_api, install, name_of, namespace, token
from corral.components.supply import Supply, pull_secrets

COMPONENT = "cert-manager"
CERTIFICATES = definition(Addon.CERT_MANAGER)


class CertManagerArgs(TypedDict):
    """What cert-manager needs to know."""

    supply: Supply
    """Where the chart and its images come from."""
    existing: NotRequired[bool]
    """True: cert-manager is there; its resource types are checked and nothing is installed."""
    namespace: NotRequired[str]
    """Where it runs; `cert-manager` when omitted."""


class CertManager(pulumi.ComponentResource):
    """Certificates on the cluster given as provider."""

    namespace: pulumi.Output[str]
    """Where it runs."""

    def __init__(self, name: str, args: CertManagerArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, CertManagerArgs, name)
        super().__init__(token(type(self)), name, {}, opts)
        wanted = args.get("namespace", "cert-manager")
        if args.get("existing", False):
            existing_api(self, f"{name}-certificates", *CERTIFICATES)
            self.namespace = pulumi.Output.from_input(wanted)
        else:
            self.namespace = self._installed(name, args, wanted)
        self.register_outputs({"namespace": self.namespace})

    def _installed(self, name: str, args: CertManagerArgs, wanted: str) -> pulumi.Output[str]:
        space = namespace(self, f"{name}-namespace", wanted, component=COMPONENT)
        install(
            self,
            f"{name}-chart",
            chart("cert-manager"),
            cert_manager_values(wanted, args["supply"]),
            namespace=name_of(space),
            supply=args["supply"],
        )
        return name_of(space)


def cert_manager_values(namespace: str, supply: Supply) -> dict[str, Any]:
    """Values of the chart: its types outlive it, lest every Certificate go with the release."""
    mirror = {"imageRegistry": supply["registry"]} if "registry" in supply else {}
    secrets = {"imagePullSecrets": pull_secrets(supply)} if pull_secrets(supply) else {}
    return {
        "crds": {"enabled": True, "keep": True},
        # Its leases would otherwise lie in kube-system, with rights there.
        "global": {"leaderElection": {"namespace": namespace}, **secrets},
        **mirror,
    }
