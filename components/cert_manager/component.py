"""cert-manager: issues the certificates of webhooks and keeps them fresh."""

from typing import Any, NotRequired, TypedDict

import pulumi

from corral.catalogue._read import UNRESOLVED
from corral.catalogue.addons import definition, descriptor
from corral.catalogue.charts import chart
from corral.catalogue.images import images_of
from corral.catalogue.vocabulary import Addon
from corral.components._kit import checked, existing_api, install, token
from corral.components._namespaces import namespace_of
from corral.components._signals import watch
from corral.components.cert_manager.signals import SCRAPE, signals
from corral.components.supply import Supply, pull_secrets

COMPONENT = "cert-manager"
NAMESPACE = descriptor(Addon.CERT_MANAGER).namespace
CERTIFICATES = definition(Addon.CERT_MANAGER)


class CertManagerArgs(TypedDict):
    """What cert-manager needs to know."""

    supply: Supply
    """Where the chart and its images come from."""
    existing: NotRequired[bool]
    """True: cert-manager is there; its resource types are checked and nothing is installed or watched."""
    monitors: NotRequired[bool]
    """False where the Prometheus operator's resource types are absent: no monitor and no alert then."""
    monitor_types: NotRequired[pulumi.Input[str]]
    """`Crds.definition` of the set `prometheus-crds`, where this program makes them; they must be there
    already when omitted."""
    namespace: NotRequired[str]
    """Where it runs; `cert-manager` when omitted."""
    create_namespace: NotRequired[bool]
    """False: its namespace is there, is used as it is, and stays; true when omitted."""


class CertManager(pulumi.ComponentResource):
    """Certificates on the cluster given as provider.

    With `monitors` the Prometheus operator's resource types must be there.
    """

    namespace: pulumi.Output[str]
    """Where it runs, known once its webhook answers."""

    def __init__(self, name: str, args: CertManagerArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, CertManagerArgs, name)
        super().__init__(token(type(self)), name, {}, opts)
        space = args.get("namespace", NAMESPACE)
        if args.get("existing", False):
            existing_api(self, f"{name}-certificates", *CERTIFICATES)
            self.namespace = pulumi.Output.from_input(space)
        else:
            self.namespace = self._installed(name, args, space)
        self.register_outputs({"namespace": self.namespace})

    def _installed(self, name: str, args: CertManagerArgs, space: str) -> pulumi.Output[str]:
        namespace = namespace_of(self, name, space, args, component=COMPONENT)
        installed = install(
            self,
            f"{name}-chart",
            chart("cert-manager"),
            cert_manager_values(space, args["supply"]),
            namespace=namespace,
            supply=args["supply"],
        )
        watch(self, name, signals, namespace=namespace, component=COMPONENT, args=args, scrape=SCRAPE)
        return pulumi.Output.all(namespace, installed.urn).apply(lambda known: str(known[0]))


def cert_manager_values(namespace: str, supply: Supply) -> dict[str, Any]:
    """Values of the chart: its types outlive it, lest every Certificate go with the release."""
    mirror = {"imageRegistry": supply["registry"]} if "registry" in supply else {}
    secrets = {"imagePullSecrets": pull_secrets(supply)} if pull_secrets(supply) else {}
    return {
        "crds": {"enabled": True, "keep": True},
        # Its leases would otherwise lie in kube-system, with rights there.
        "global": {"leaderElection": {"namespace": namespace}, **secrets},
        **mirror,
        **_by_digest(),
    }


def _by_digest() -> dict[str, Any]:
    """Digest of each program's image, once `corral lock` has it."""
    pinned: dict[str, Any] = {}
    for entry in images_of("cert-manager"):
        if entry.digest != UNRESOLVED:
            program = entry.name.removeprefix("cert-manager").lstrip("-")
            where = pinned.setdefault(program, {}) if program else pinned
            where["image"] = {"digest": entry.digest}
    return pinned
