"""Arguments of a cluster that is there, what it refuses, and what is found out about it."""

from collections.abc import Iterator
from enum import StrEnum
from typing import NotRequired, TypedDict

import pulumi

from corral.catalogue.formats import SUBDOMAIN, Format

VERSION = Format(r"1\.[1-9][0-9]?(\.[0-9]+)?", "MAJOR.MINOR or MAJOR.MINOR.PATCH, such as 1.34")


class FindingLevel(StrEnum):
    """What a finding means for the platform."""

    FINE = "fine"
    WARNING = "warning"
    REFUSED = "refused"


class ClusterFinding(TypedDict):
    """One thing that was looked at in a cluster."""

    check: str
    """What was looked at: `version`, `distribution`, `dra`, `network-policy`, `pod-encryption`, `dns`,
    `storage-class`, `snapshots`, `nodes`."""
    level: FindingLevel
    """What it means; a cluster with a refused one is not used."""
    message: str
    """What is there, and what to do where that is not enough."""
    evidence: str
    """Object or answer of the API that shows it; empty where the message is an assumption."""


class ExistingClusterArgs(TypedDict):
    """How a cluster is reached, and what is needed of it."""

    kubeconfig: pulumi.Input[str]
    """Path of the kubeconfig, or its text; a secret."""
    context: NotRequired[str]
    """Context of the kubeconfig; the current one when omitted."""
    kubernetes: NotRequired[str]
    """Oldest version of Kubernetes that will do, such as `1.34`; any when omitted, or the DRA driver's."""
    dra: NotRequired[bool]
    """False: no GPU is handed out by claim, so that an older Kubernetes will do; true when omitted."""
    storage_class: NotRequired[str]
    """Storage class of every volume; the cluster's default when omitted."""
    dns_addresses: NotRequired[list[str]]
    """Where the platform's network policies let pods ask for names, besides the DNS of `kube-system`: at
    addresses of a cache on each node (NodeLocal DNSCache)."""
    gpu_nodes: NotRequired[list[str]]
    """Names of the nodes that are to have GPUs; none when omitted."""


def problems(args: ExistingClusterArgs, owner: str) -> Iterator[str]:
    """What of `args` cannot be."""
    version = args.get("kubernetes")
    if version is not None and not VERSION.matches(version):
        yield f"{owner}.kubernetes: {version!r} is not allowed; use {VERSION.words}"
    for index, node in enumerate(args.get("gpu_nodes", [])):
        if not SUBDOMAIN.matches(node):
            yield f"{owner}.gpu_nodes[{index}]: {node!r} is not allowed; use {SUBDOMAIN.words}"
