"""A cluster that is there."""

from collections.abc import Sequence
from typing import Any

import pulumi

from corral.components._kit import checked, refuse, token
from corral.components.existing_cluster.args import ClusterFinding, ExistingClusterArgs, problems
from corral.components.existing_cluster.connection import ClusterUnreachable
from corral.components.existing_cluster.examination import (
    Examination,
    Requirements,
    chosen_class,
    examined,
)


class ExistingCluster(pulumi.ComponentResource):
    """A cluster that is there, examined before anything is made on it; it makes nothing itself.

    A cluster that nobody reaches, or on which the platform cannot run, ends the run with a line for each
    reason, in a preview too. What takes `kubeconfig` from here waits for that.
    """

    kubeconfig: pulumi.Output[str]
    """The kubeconfig as in the arguments, known once the cluster was examined; a secret."""
    version: pulumi.Output[str]
    """Version of Kubernetes, as the API server says it."""
    network: pulumi.Output[str]
    """Network of the pods where its objects show it, else `unknown`."""
    storage_class: pulumi.Output[str]
    """Storage class of volumes; empty where there is no default."""
    findings: pulumi.Output[list[ClusterFinding]]
    """What was looked at, what it means, and by which evidence."""

    def __init__(self, name: str, args: ExistingClusterArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, ExistingClusterArgs, name)
        refuse(problems(args, name))
        super().__init__(token(type(self)), name, {}, opts)
        needed = Requirements(
            kubernetes=args.get("kubernetes"),
            dra=args.get("dra", True),
            storage_class=args.get("storage_class"),
            gpu_nodes=tuple(args.get("gpu_nodes", [])),
            dns_addresses=tuple(args.get("dns_addresses", [])),
        )
        source = pulumi.Output.from_input(args["kubeconfig"])
        seen = source.apply(lambda text: suitable(name, text, args.get("context"), needed, self))
        self.kubeconfig = pulumi.Output.secret(pulumi.Output.all(source, seen).apply(_first))
        self.version = _plain(seen.apply(lambda one: one.state.version))
        self.network = _plain(seen.apply(lambda one: one.network))
        self.storage_class = _plain(seen.apply(lambda one: _class_name(one, needed)))
        self.findings = _plain(seen.apply(lambda one: list(one.findings)))
        self.register_outputs(
            {
                "kubeconfig": self.kubeconfig,
                "version": self.version,
                "network": self.network,
                "storage_class": self.storage_class,
                "findings": self.findings,
            }
        )


def suitable(
    owner: str,
    kubeconfig: str,
    context: str | None,
    needed: Requirements,
    about: pulumi.Resource | None = None,
) -> Examination:
    """The cluster, examined for `owner`; what is less than it should be is logged.

    Raises:
        pulumi.RunError: it cannot be read, or lacks what is needed.
    """
    try:
        examination = examined(kubeconfig, context, needed)
    except ClusterUnreachable as error:
        raise pulumi.RunError(f"{owner}: {error}") from None
    if examination.refusals:
        raise pulumi.RunError("\n".join(f"{owner}: {line}" for line in examination.refusals))
    for line in examination.warnings:
        pulumi.log.warn(f"{owner}: {line}", about)
    return examination


def _class_name(examination: Examination, needed: Requirements) -> str:
    chosen = chosen_class(examination.state, needed)
    return "" if chosen is None else chosen.name


def _first(both: Sequence[Any]) -> str:
    return str(both[0])


def _plain(output: pulumi.Output[Any]) -> pulumi.Output[Any]:
    """What of a secret kubeconfig's cluster is none itself."""
    return pulumi.Output.unsecret(output)
