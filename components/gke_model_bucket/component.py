"""A bucket of Cloud Storage for models, which pods of a GKE cluster use without keys."""

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_gcp as gcp

from corral.components._accounts import PodAccount
from corral.components._gcp import GcpSite, key_ring, own_key
from corral.components._kit import checked, refuse, token
from corral.components.gke_model_bucket.args import GkeModelBucketArgs, problems

COMPONENT = "gke-model-bucket"
READ, WRITE = "roles/storage.objectViewer", "roles/storage.objectUser"
OLD_VERSION_DAYS = 30
UPLOAD_DAYS = 7
"""Days after which parts of an upload that never ended go."""
DAY_SECONDS = 86_400


class GkeModelBucket(pulumi.ComponentResource):
    """A bucket of Cloud Storage for models, closed and versioned, which GKE's pods use without keys.

    Pods are let in by Workload Identity Federation: no account of Google's and no credential is made,
    neither in the cluster nor in the stack. `ModelStorage` of kind `gcs` hands it to imports and models.
    """

    bucket: pulumi.Output[str]
    """Name of the bucket, known once its pods may use it."""
    url: pulumi.Output[str]
    """URL of the bucket, `gs://…`."""
    key: pulumi.Output[str]
    """Id of the key that encrypts models."""

    def __init__(self, name: str, args: GkeModelBucketArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, GkeModelBucketArgs, name)
        refuse(problems(args, name))
        super().__init__(token(type(self)), name, {}, opts)
        site = _site(self, name, args)
        self.key = pulumi.Output.from_input(args.get("key") or _own_key(site, args))
        bucket = _bucket(site, args, self.key)
        grants = [
            *_grants(site, args, bucket.name, "reader", READ, args["readers"]),
            *_grants(site, args, bucket.name, "writer", WRITE, args.get("writers", [])),
            *(
                one
                for source in args.get("sources", [])
                for one in _grants(site, args, source, f"{source}-reader", READ, args.get("writers", []))
            ),
        ]
        self.bucket = pulumi.Output.all(bucket.name, *(one.id for one in grants)).apply(_first)
        self.url = pulumi.Output.concat("gs://", self.bucket)
        self.register_outputs({"bucket": self.bucket, "url": self.url, "key": self.key})


def _site(component: pulumi.Resource, name: str, args: GkeModelBucketArgs) -> GcpSite:
    return GcpSite(
        component=component,
        kind=COMPONENT,
        name=name,
        title=args.get("bucket", name).replace(".", "-"),
        project=args["project"],
        region=args["region"],
        labels=args.get("labels", {}),
        protect=args.get("protect", True),
    )


def _own_key(site: GcpSite, args: GkeModelBucketArgs) -> pulumi.Output[str]:
    agent = gcp.storage.get_project_service_account_output(project=site.project, opts=site.asked())
    ring = key_ring(site, args.get("key_project", site.project))
    member = pulumi.Output.format("serviceAccount:{}", agent.email_address)
    return own_key(site, ring, "models", {"storage": member})


def _bucket(site: GcpSite, args: GkeModelBucketArgs, key: pulumi.Output[str]) -> gcp.storage.Bucket:
    days = args.get("retention_days")
    retention = None
    if days is not None:
        retention = gcp.storage.BucketRetentionPolicyArgs(
            retention_period=str(days * DAY_SECONDS), is_locked=True
        )
    return gcp.storage.Bucket(
        f"{site.name}-bucket",
        name=args.get("bucket"),
        project=site.project,
        location=site.region.upper(),
        storage_class="STANDARD",
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        encryption=gcp.storage.BucketEncryptionArgs(default_kms_key_name=key),
        # Versions and a period of retention exclude each other.
        versioning=gcp.storage.BucketVersioningArgs(enabled=days is None),
        retention_policy=retention,
        lifecycle_rules=_lifecycle(args.get("old_version_days", OLD_VERSION_DAYS), versioned=days is None),
        force_destroy=not site.protect,
        labels=site.labelled,
        opts=site.child(protect=site.protect),
    )


def _lifecycle(days: int, *, versioned: bool) -> list[gcp.storage.BucketLifecycleRuleArgs]:
    uploads = gcp.storage.BucketLifecycleRuleArgs(
        action=gcp.storage.BucketLifecycleRuleActionArgs(type="AbortIncompleteMultipartUpload"),
        condition=gcp.storage.BucketLifecycleRuleConditionArgs(age=UPLOAD_DAYS),
    )
    old = gcp.storage.BucketLifecycleRuleArgs(
        action=gcp.storage.BucketLifecycleRuleActionArgs(type="Delete"),
        condition=gcp.storage.BucketLifecycleRuleConditionArgs(
            days_since_noncurrent_time=days, with_state="ARCHIVED"
        ),
    )
    return [uploads, old] if versioned else [uploads]


def _grants(
    site: GcpSite,
    args: GkeModelBucketArgs,
    bucket: pulumi.Input[str],
    part: str,
    role: str,
    accounts: Sequence[PodAccount],
) -> list[gcp.storage.BucketIAMMember]:
    cluster = args.get("cluster_project", site.project)
    number = gcp.organizations.get_project_output(project_id=cluster, opts=site.asked()).number
    return [
        gcp.storage.BucketIAMMember(
            f"{site.name}-{part}-{one['namespace']}-{one['service_account']}",
            bucket=bucket,
            role=role,
            member=pulumi.Output.format(
                "principal://iam.googleapis.com/projects/{}/locations/global/workloadIdentityPools/"
                "{}.svc.id.goog/subject/ns/{}/sa/{}",
                number,
                cluster,
                one["namespace"],
                one["service_account"],
            ),
            opts=site.child(),
        )
        for one in accounts
    ]


def _first(known: Sequence[Any]) -> str:
    return str(known[0])
