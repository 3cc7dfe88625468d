"""Logs of a cluster: in a bucket of its region, under the customer's key, and nowhere else."""

import pulumi
import pulumi_gcp as gcp

from corral.components._gcp import GcpSite
from corral.components.gke_cluster.keys import ClusterKeys


def cluster_logs(site: GcpSite, days: int, keys: ClusterKeys, *, locked: bool) -> list[pulumi.Resource]:
    """The bucket and what leads to it; once all are there, nothing of the cluster goes to another place."""
    bucket = gcp.logging.ProjectBucketConfig(
        f"{site.name}-logs",
        project=site.project,
        location=site.region,
        bucket_id=site.title,
        description=f"Logs of GKE cluster {site.title}",
        retention_days=days,
        locked=locked,
        cmek_settings=gcp.logging.ProjectBucketConfigCmekSettingsArgs(kms_key_name=keys.logs),
        # A lock cannot be opened again, and what it holds is not deleted before its time.
        opts=site.child(protect=site.protect, retain_on_delete=locked),
    )
    chosen = _filter(site)
    sink = gcp.logging.ProjectSink(
        f"{site.name}-log-sink",
        name=site.title,
        project=site.project,
        destination=pulumi.Output.format("logging.googleapis.com/{}", bucket.id),
        filter=chosen,
        # To a bucket of the same project no identity is needed.
        unique_writer_identity=False,
        opts=site.child(),
    )
    # The bucket that a project has from the beginning is in no region, and under Google's key.
    exclusion = gcp.logging.ProjectExclusion(
        f"{site.name}-log-exclusion",
        name=site.title,
        project=site.project,
        description=f"Logs of GKE cluster {site.title}, which are kept in {site.region}",
        filter=chosen,
        opts=site.child(depends_on=[sink]),
    )
    return [sink, exclusion]


def _filter(site: GcpSite) -> str:
    """Logs of the cluster and of the traffic in its network."""
    cluster = f'resource.labels.cluster_name="{site.title}" AND resource.labels.location="{site.region}"'
    flows = f'resource.type="gce_subnetwork" AND resource.labels.subnetwork_name="{site.title}"'
    return f"({cluster}) OR ({flows})"
