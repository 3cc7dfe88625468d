"""Buckets, with settings inline and split."""

from collections.abc import Iterator

from tests.policy.adversarial.cloud_parts import (
    BLOCK,
    BUCKET,
    EKS,
    FOREIGN_GKEY,
    FOREIGN_KEY,
    FOUR,
    GCS,
    GKE,
    KEY,
    SSE,
    merged,
    policy,
    without,
)
from tests.policy.adversarial.stacks import Entry


def buckets() -> Iterator[Entry]:
    inline = {
        "serverSideEncryptionConfiguration": {
            "rule": {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY}}
        }
    }
    yield Entry("a bare bucket", "SOV-NET-13", BUCKET, {}, (SSE,))
    yield Entry("a bucket without encryption", "SOV-KEY-03", BUCKET, {}, (BLOCK,))
    for version in ("", "V2"):
        kind = f"ucketServerSideEncryptionConfiguration{version}"
        sse = f"aws:s3/b{kind}:B{kind}"
        for title, default in (
            ("AES256", {"sseAlgorithm": "AES256"}),
            ("AWS's key", {"sseAlgorithm": "aws:kms"}),
            ("AWS's alias", {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "alias/aws/s3"}),
        ):
            rule = {"applyServerSideEncryptionByDefault": default}
            yield Entry(
                f"a bucket under {title}, split {version}",
                "SOV-KEY-03",
                BUCKET,
                {},
                (BLOCK, (sse, {"bucket": "@0", "rules": [rule]})),
            )
            yield Entry(
                f"a bucket under {title}, by name {version}",
                "SOV-KEY-03",
                BUCKET,
                {"bucket": "b"},
                (BLOCK, (sse, {"bucket": "b", "rules": [rule]})),
            )
            yield Entry(
                f"a bucket under {title}, inline {version}",
                "SOV-KEY-03",
                BUCKET,
                {"serverSideEncryptionConfiguration": {"rule": rule}},
                (BLOCK,),
            )
        yield Entry(
            f"a bucket under a foreign key {version}",
            "SOV-RES-04",
            BUCKET,
            {},
            (
                BLOCK,
                (
                    sse,
                    {
                        "bucket": "@0",
                        "rules": [
                            {
                                "applyServerSideEncryptionByDefault": {
                                    "sseAlgorithm": "aws:kms",
                                    "kmsMasterKeyId": FOREIGN_KEY,
                                }
                            }
                        ],
                    },
                ),
            ),
        )
        acl = f"aws:s3/bucketAcl{version}:BucketAcl{version}"
        yield Entry(
            f"a public ACL {version}",
            "SOV-NET-13|SOV-NET-14",
            BUCKET,
            inline,
            (BLOCK, (acl, {"bucket": "@0", "acl": "public-read"})),
        )
    for key in FOUR:
        yield Entry(f"no {key}", "SOV-NET-13", BUCKET, inline, ((BLOCK[0], {**without(BLOCK[1], key)}),))
        yield Entry(f"{key} false", "SOV-NET-13", BUCKET, inline, ((BLOCK[0], {**BLOCK[1], key: False}),))
    yield Entry("an inline ACL", "SOV-NET-13|SOV-NET-14", BUCKET, {**inline, "acl": "public-read"}, (BLOCK,))
    yield Entry(
        "an inline policy", "SOV-NET-13|SOV-NET-14", BUCKET, {**inline, "policy": policy("*")}, (BLOCK,)
    )
    yield Entry(
        "a policy beside",
        "SOV-NET-13|SOV-NET-14",
        BUCKET,
        inline,
        (
            BLOCK,
            ("aws:s3/bucketPolicy:BucketPolicy", {"bucket": "@0", "policy": policy("*", "s3:GetObject")}),
        ),
    )
    yield Entry(
        "a website",
        "SOV-NET-13|SOV-NET-14|SOV-RES-10",
        BUCKET,
        {**inline, "website": {"indexDocument": "i"}, "acl": "public-read"},
        (BLOCK,),
    )
    replication = {"role": "r", "rules": [{"id": "x", "status": "Enabled", "destination": {"bucket": "@1"}}]}
    yield Entry(
        "an inline replica under a foreign key",
        "SOV-RES-04",
        BUCKET,
        {
            **inline,
            "replicationConfiguration": {
                **replication,
                "rules": [
                    {
                        "status": "Enabled",
                        "destination": {"bucket": "arn:aws:s3:::x", "replicaKmsKeyId": FOREIGN_KEY},
                    }
                ],
            },
        },
        (BLOCK,),
    )
    other = (BUCKET, {"region": "us-east-1", "bucket": "far"})
    yield Entry("a replica by a bucket of the stack", "SOV-RES-01|SOV-RES-04", BUCKET, inline, (BLOCK, other))
    gcs = "gcp:storage/bucket:Bucket"
    for title, control, props in (
        ("no key", "SOV-KEY-03", without(GCS, "encryption")),
        ("no uniform access", "SOV-NET-13", merged(GCS, uniformBucketLevelAccess=False)),
        ("inherited prevention", "SOV-NET-13", merged(GCS, publicAccessPrevention="inherited")),
        ("no prevention", "SOV-NET-13", without(GCS, "publicAccessPrevention")),
        ("a foreign key", "SOV-RES-04", merged(GCS, encryption={"defaultKmsKeyName": FOREIGN_GKEY})),
        ("no access stated", "SOV-NET-13", without(GCS, "uniformBucketLevelAccess")),
    ):
        yield Entry(f"Google: {title}", control, gcs, props)
    yield Entry(
        "Google: allUsers",
        "SOV-NET-13|SOV-NET-14",
        gcs,
        GCS,
        (
            (
                "gcp:storage/bucketIAMMember:BucketIAMMember",
                {"bucket": "@0", "role": "r", "member": "allUsers"},
            ),
        ),
    )
    yield Entry("emptied on deletion", "SOV-OPS-06", BUCKET, {**inline, "forceDestroy": True}, (BLOCK,))
    yield Entry("unprotected", "SOV-OPS-06", BUCKET, inline, (BLOCK,), protect=False)
    for token, props in (
        ("aws:eks/cluster:Cluster", without(EKS, "deletionProtection")),
        ("gcp:container/cluster:Cluster", merged(GKE, deletionProtection=False)),
        ("aws:rds/instance:Instance", {"storageEncrypted": True, "kmsKeyId": KEY}),
    ):
        yield Entry(f"unprotected {token}", "SOV-OPS-06", token, props, protect=False)
    for path in (
        "encryption",
        "vpcConfig.endpointPublicAccess",
        "policy",
        "vpcConfig",
        "serverSideEncryptionConfiguration",
        "ingress",
        "region",
        "kmsKeyId",
        "storageEncrypted",
        "metadataOptions",
        "publiclyAccessible",
        "tags",
        "acl",
        "replicas",
        "location",
        "multiRegion",
        "deletionProtection",
    ):
        if path != "tags":
            yield Entry(
                f"ignoreChanges {path}", "SOV-OPS-07", "aws:eks/cluster:Cluster", EKS, ignored=(path,)
            )
