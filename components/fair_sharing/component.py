"""Kueue: GPUs that are a tenant's own, lent while idle, and taken back."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes
import yaml

from corral.catalogue.addons import definition, descriptor
from corral.catalogue.charts import chart
from corral.catalogue.vocabulary import Addon, Priority
from corral.components._kit import (
    checked,
    child,
    existing_api,
    install_with_filled_roles,
    labels,
    name_of,
    refuse,
    token,
)
from corral.components._namespaces import namespace_of
from corral.components._signals import monitor_prerequisite, watch
from corral.components.fair_sharing.args import FairSharingArgs
from corral.components.fair_sharing.guard import GUARD, binding, policy
from corral.components.fair_sharing.queues import (
    COHORT,
    SERVED_PRIORITIES,
    Counts,
    cluster_queue,
    counts,
    flavour,
    groups,
    unassigned,
)
from corral.components.fair_sharing.signals import SIGNALS
from corral.components.fair_sharing.values import kueue_values, manager_configuration

COMPONENT = "fair-sharing"
API = "kueue.x-k8s.io/v1beta2"
CLUSTER_QUEUES = definition(Addon.KUEUE)
NAMESPACE = descriptor(Addon.KUEUE).namespace
RELEASE = "kueue"
MANAGER = "kueue-controller-manager"
FILLED = ("kueue-batch-admin-role", "kueue-batch-user-role")
"""Roles of the chart that Kubernetes fills from others."""
NEEDED = ("fairSharing", "integrations", "managedJobsNamespaceSelector", "resources")
ACTIVE = {"pulumi.com/waitFor": "condition=Active"}
"""Of a queue, written by the manager once everything that the queue names is there."""


class FairSharing(pulumi.ComponentResource):
    """Quotas that share the GPUs of the cluster given as provider among tenants.

    With `monitors` the Prometheus operator's resource types must be there, as component Crds makes them.
    A quota is not gone before the workloads that it let in: tenants' namespaces should depend on this.
    """

    priorities: pulumi.Output[dict[str, str]]
    """Priority class of model servers by `high`, `normal` and `low`; all go before the other workloads of
    their tenant."""
    configuration: pulumi.Output[str]
    """What these queues need in the manager's configuration, as YAML; somebody else's must have it, too."""
    cluster_queues: pulumi.Output[dict[str, str]]
    """Name of the ClusterQueue by tenant, known once it takes workloads."""

    def __init__(self, name: str, args: FairSharingArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, FairSharingArgs, name)
        offered = counts(args["offered"])
        refuse(_problems(name, args, offered))
        super().__init__(token(type(self)), name, {}, opts)
        types = monitor_prerequisite(self, name, args)
        manager = self._manager(name, args, types)
        queues = self._queues(name, args, offered, manager)
        self._guard(name, args)
        self._priorities(name, manager)
        self._watched(name, args, manager, types)
        needed = _needed(args)
        priorities = {word.value: served for word, (served, _) in SERVED_PRIORITIES.items()}
        self.priorities = pulumi.Output.from_input(priorities)
        self.configuration = pulumi.Output.from_input(needed)
        self.cluster_queues = pulumi.Output.all(**{tenant: name_of(one) for tenant, one in queues.items()})
        self.register_outputs(
            {"priorities": priorities, "configuration": needed, "cluster_queues": self.cluster_queues}
        )

    def _manager(
        self, name: str, args: FairSharingArgs, types: Sequence[pulumi.Resource]
    ) -> list[pulumi.Resource]:
        """What must be there before a queue: the manager with its webhook, or somebody else's types."""
        if args.get("existing", False):
            pulumi.log.info(
                f"{name}: Kueue is somebody else's; its manager's configuration must have\n{_needed(args)}",
                self,
            )
            return [existing_api(self, f"{name}-queues", *CLUSTER_QUEUES)]
        space = args.get("namespace", NAMESPACE)
        namespace = namespace_of(self, name, space, args, component=COMPONENT)
        values = kueue_values(
            _configuration(args),
            replicas=args.get("replicas", 2),
            monitors=args.get("monitors", True),
            supply=args["supply"],
        )
        # The manager is ready once its webhook answers.
        return install_with_filled_roles(
            self,
            f"{name}-chart",
            chart(RELEASE),
            values,
            namespace=namespace,
            owner=space,
            supply=args["supply"],
            roles={f"{name}-{role}": role for role in FILLED},
            deployments={f"{name}-manager": MANAGER},
            depends_on=types,
        )

    def _queues(
        self, name: str, args: FairSharingArgs, offered: Counts, manager: Sequence[pulumi.Resource]
    ) -> dict[str, pulumi.Resource]:
        """The ClusterQueue of each tenant."""
        borrowing = args.get("borrowing", True)
        before = [
            kueue_object(self, f"{name}-pool-{pool}", "ResourceFlavor", pool, flavour(pool), manager)
            for pool in dict.fromkeys(pool for pool, _ in offered)
        ]
        if borrowing:
            rest = {"resourceGroups": groups(offered, unassigned(offered, args["tenants"]))}
            before.append(kueue_object(self, f"{name}-cohort", "Cohort", COHORT, rest, manager))
        return {
            tenant["name"]: kueue_object(
                self,
                f"{name}-{tenant['name']}",
                "ClusterQueue",
                tenant["name"],
                cluster_queue(tenant, offered, borrowing=borrowing),
                before or manager,
                annotations=ACTIVE,
            )
            for tenant in args["tenants"]
        }

    def _guard(self, name: str, args: FairSharingArgs) -> None:
        spaces = [tenant["namespace"] for tenant in args["tenants"]]
        specs = {"Policy": policy(spaces), "PolicyBinding": binding(spaces)}
        for kind, spec in specs.items():
            kubernetes.apiextensions.CustomResource(
                f"{name}-guard-{kind.lower()}",
                api_version="admissionregistration.k8s.io/v1",
                kind=f"ValidatingAdmission{kind}",
                metadata=cast(Any, {"name": GUARD, "labels": labels(COMPONENT, GUARD)}),
                spec=spec,
                opts=child(self),
            )

    def _priorities(self, name: str, before: Sequence[pulumi.Resource]) -> None:
        for word, (served, value) in SERVED_PRIORITIES.items():
            # The SDK's CustomResource has no field beside `spec`.
            pulumi.CustomResource(
                f"kubernetes:{API}:WorkloadPriorityClass",
                f"{name}-priority" if word is Priority.NORMAL else f"{name}-priority-{word.value}",
                {
                    "apiVersion": API,
                    "kind": "WorkloadPriorityClass",
                    "metadata": {"name": served, "labels": labels(COMPONENT, served)},
                    "value": value,
                    "description": f"Model servers of priority {word.value}, before their tenant's others.",
                },
                child(self, depends_on=list(before)),
            )

    def _watched(
        self,
        name: str,
        args: FairSharingArgs,
        before: Sequence[pulumi.Resource],
        types: Sequence[pulumi.Resource],
    ) -> None:
        watch(
            self,
            name,
            lambda _: SIGNALS,
            namespace=args.get("namespace", NAMESPACE),
            component=COMPONENT,
            args=args,
            depends_on=before,
            types=types,
        )


def kueue_object(
    parent: pulumi.Resource,
    logical: str,
    kind: str,
    name: str,
    spec: Mapping[str, Any],
    before: Sequence[pulumi.Resource] = (),
    **metadata: Any,
) -> pulumi.Resource:
    """An object of Kueue's, after what must be `before` it."""
    return kubernetes.apiextensions.CustomResource(
        logical,
        api_version=API,
        kind=kind,
        metadata=cast(Any, {"name": name, "labels": labels(COMPONENT, name), **metadata}),
        spec=spec,
        opts=child(parent, depends_on=list(before)),
    )


def _configuration(args: FairSharingArgs) -> dict[str, Any]:
    return manager_configuration(
        [tenant["namespace"] for tenant in args["tenants"]],
        args.get("classes", []),
        borrowing=args.get("borrowing", True),
        ready_within_minutes=args.get("ready_within_minutes", 60),
    )


def _needed(args: FairSharingArgs) -> str:
    """The part of the manager's configuration without which these queues hold nothing back, as YAML."""
    return yaml.safe_dump({key: value for key, value in _configuration(args).items() if key in NEEDED})


def _problems(name: str, args: FairSharingArgs, offered: Counts) -> list[str]:
    """Guarantees beyond what pools have, one line per kind of device."""
    return [
        f"{name}: pool {pool} has {offered[(pool, resource)]} x {resource}, and tenants are promised "
        f"{offered[(pool, resource)] - rest}"
        for (pool, resource), rest in unassigned(offered, args["tenants"]).items()
        if rest < 0
    ]
