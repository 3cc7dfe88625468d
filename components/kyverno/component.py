"""Kyverno: policies answered at admission, and objects generated for new namespaces."""

from typing import NotRequired, TypedDict

import pulumi

from corral.catalogue.addons import definition, descriptor
from corral.catalogue.charts import chart
from corral.catalogue.vocabulary import Addon, AdmissionScope
from corral.components._kit import (
    checked,
    existing_api,
    install_with_filled_roles,
    token,
)
from corral.components._namespaces import namespace_of
from corral.components._signals import watch
from corral.components._words import AdmissionScopeWord
from corral.components.kyverno.signals import SCRAPE, signals
from corral.components.kyverno.values import kyverno_values
from corral.components.supply import Supply
from corral.controls.scope import Scope

COMPONENT = "kyverno"
RELEASE = "kyverno"
NAMESPACE = descriptor(Addon.KYVERNO).namespace
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
    """True: Kyverno is there; its policy types are checked and nothing is installed or watched."""
    monitors: NotRequired[bool]
    """False where the Prometheus operator's resource types are absent: no monitor and no alert then."""
    monitor_types: NotRequired[pulumi.Input[str]]
    """`Crds.definition` of the set `prometheus-crds`, where this program makes them; they must be there
    already when omitted."""
    upgrade_job: NotRequired[bool]
    """Whether a Job at each upgrade rewrites stored policies in the newest version; true when omitted."""
    namespace: NotRequired[str]
    """Where it runs; `kyverno` when omitted."""
    scope: NotRequired[AdmissionScopeWord]
    """`namespaces`: it is asked about those with the label `corral.dev/policies: enforced`, and others go on
    while it is down; `cluster`, also when omitted: about all but the exempt ones."""
    exempt_namespaces: NotRequired[list[str]]
    """Namespaces that it is never asked about where the scope is the cluster, beside `kube-system`."""
    registry_ca: NotRequired[str]
    """Authorities in PEM that it trusts when it reads signatures of images, in place of the public ones: for
    a registry whose certificate a public authority did not sign."""
    create_namespace: NotRequired[bool]
    """False: its namespace is there, is used as it is, and stays; true when omitted."""


class Kyverno(pulumi.ComponentResource):
    """Policies in the admission path of the cluster given as provider.

    With `monitors` the Prometheus operator's resource types must be there.
    """

    namespace: pulumi.Output[str]
    """Where it runs, known once its webhooks answer; exceptions from policies count only there."""

    def __init__(self, name: str, args: KyvernoArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, KyvernoArgs, name)
        super().__init__(token(type(self)), name, {}, opts)
        space = args.get("namespace", NAMESPACE)
        if args.get("existing", False):
            existing_api(self, f"{name}-policies", *VALIDATING_POLICIES)
            self.namespace = pulumi.Output.from_input(space)
        else:
            self.namespace = self._installed(name, args, space)
        self.register_outputs({"namespace": self.namespace})

    def _installed(self, name: str, args: KyvernoArgs, space: str) -> pulumi.Output[str]:
        namespace = namespace_of(self, name, space, args, component=COMPONENT)
        values = kyverno_values(
            space,
            replicas=args.get("replicas", 3),
            supply=args["supply"],
            upgrade_job=args.get("upgrade_job", True),
            scope=_scope(args),
            registry_ca=args.get("registry_ca"),
        )
        controllers = install_with_filled_roles(
            self,
            f"{name}-chart",
            chart(RELEASE),
            values,
            namespace=namespace,
            owner=space,
            supply=args["supply"],
            roles={f"{name}-{one}-role": f"{RELEASE}:{one}" for one in CONTROLLERS},
            deployments={f"{name}-{one}": f"{RELEASE}-{one}" for one in CONTROLLERS},
        )
        watch(self, name, signals, namespace=namespace, component=COMPONENT, args=args, scrape=SCRAPE)
        running = [one.urn for one in controllers]
        return pulumi.Output.all(namespace, *running).apply(lambda known: str(known[0]))


def _scope(args: KyvernoArgs) -> Scope:
    labelled = AdmissionScope(args.get("scope", AdmissionScope.CLUSTER)) is AdmissionScope.NAMESPACES
    return Scope(None if labelled else tuple(args.get("exempt_namespaces", ())))
