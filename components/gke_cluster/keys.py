"""Keys of a cluster: one over Secrets, one over logs, one over disks."""

from collections.abc import Callable
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from corral.components._gcp import COMPUTE_AGENT, GKE_AGENT, GcpSite, key_ring, own_key
from corral.components.gke_cluster.args import GkeKeys


@dataclass(frozen=True)
class ClusterKeys:
    """Id of each key."""

    secrets: pulumi.Input[str]
    logs: pulumi.Input[str]
    disks: pulumi.Input[str]


def cluster_keys(site: GcpSite, existing: GkeKeys) -> ClusterKeys:
    """The keys that exist, and a new one in place of each that does not."""
    users: dict[str, tuple[str, Callable[[], pulumi.Output[str]]]] = {
        "secrets": ("gke", lambda: site.agent(GKE_AGENT)),
        "logs": ("logging", lambda: _logging_account(site)),
        "disks": ("compute", lambda: site.agent(COMPUTE_AGENT)),
    }
    made: dict[str, pulumi.Input[str]] = {}
    ring: gcp.kms.KeyRing | None = None
    for purpose, (user, account) in users.items():
        there: pulumi.Input[str] | None = existing.get(purpose)
        if there is None:
            ring = ring or key_ring(site, existing.get("project", site.project))
            there = own_key(site, ring, purpose, {user: account()})
        made[purpose] = there
    return ClusterKeys(made["secrets"], made["logs"], made["disks"])


def _logging_account(site: GcpSite) -> pulumi.Output[str]:
    """The account by which Cloud Logging uses keys for the project's log buckets."""
    settings = gcp.logging.get_project_cmek_settings_output(project=site.project, opts=site.asked())
    return pulumi.Output.format("serviceAccount:{}", settings.service_account_id)
