"""A bucket of S3 for models, which pods of an EKS cluster use without keys."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from corral.components._accounts import PodAccount
from corral.components._aws import POD_IDENTITY, AwsSite, ServiceRole, Statement, own_key, service_role
from corral.components._kit import checked, refuse, token
from corral.components.eks_model_bucket.args import EksModelBucketArgs, problems
from corral.components.eks_model_bucket.settings import bucket_of

COMPONENT = "eks-model-bucket"
READ = ["s3:GetObject", "s3:GetObjectVersion"]
LIST = ["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"]
WRITE = [*READ, "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]


class EksModelBucket(pulumi.ComponentResource):
    """A bucket of S3 for models, closed and versioned, which pods of an EKS cluster use without keys.

    Pods take a role by Pod Identity: no credential is made, neither in the cluster nor in the stack. A
    `ModelStorage` of kind `s3` hands it on to models.
    """

    bucket: pulumi.Output[str]
    """Name of the bucket, known once it is closed and encrypts, and lets the pods in."""
    endpoint: pulumi.Output[str]
    """URL of S3 in the region."""
    key: pulumi.Output[str]
    """ARN of the key that encrypts models."""
    reader: pulumi.Output[str]
    """ARN of the role that reads."""
    writer: pulumi.Output[str]
    """ARN of the role that reads and writes."""

    def __init__(self, name: str, args: EksModelBucketArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, EksModelBucketArgs, name)
        refuse(problems(args, name))
        super().__init__(token(type(self)), name, {}, opts)
        site = AwsSite.of(self, COMPONENT, name, args.get("bucket", name), args)
        self.key = pulumi.Output.from_input(args.get("key") or own_key(site, "models", f"Models of {name}"))
        bucket = bucket_of(site, args, self.key)
        self.endpoint = pulumi.Output.from_input(f"https://s3.{site.region}.{site.names.dns_suffix}")
        reader = _role(site, "reader", bucket, self.key, READ, ["kms:Decrypt"])
        use = ["kms:Decrypt", "kms:GenerateDataKey"]
        writer = _role(site, "writer", bucket, self.key, WRITE, use, args.get("sources", []))
        let_in = [
            *_associate(site, args["cluster"], "reader", reader, args["readers"]),
            *_associate(site, args["cluster"], "writer", writer, args.get("writers", [])),
        ]
        self.bucket = pulumi.Output.all(bucket, *(one.id for one in let_in)).apply(lambda known: known[0])
        self.reader, self.writer = reader.arn, writer.arn
        self.register_outputs(
            {
                "bucket": self.bucket,
                "endpoint": self.endpoint,
                "key": self.key,
                "reader": self.reader,
                "writer": self.writer,
            }
        )


def _role(
    site: AwsSite,
    part: str,
    bucket: pulumi.Output[str],
    key: pulumi.Output[str],
    objects: Sequence[str],
    key_use: Sequence[str],
    sources: Sequence[pulumi.Input[str]] = (),
) -> ServiceRole:
    prefix = f"arn:{site.partition}:s3:::"
    statements = pulumi.Output.all(bucket, key, *sources).apply(
        lambda known: [
            *_rights(f"{prefix}{known[0]}", known[1], objects, key_use),
            *(one for source in known[2:] for one in _reading(f"{prefix}{source}")),
        ]
    )
    return service_role(site, part, POD_IDENTITY, statements=statements)


def _rights(bucket: str, key: str, objects: Sequence[str], key_use: Sequence[str]) -> list[Statement]:
    return [
        {"Effect": "Allow", "Action": LIST, "Resource": bucket},
        {"Effect": "Allow", "Action": list(objects), "Resource": f"{bucket}/*"},
        {"Effect": "Allow", "Action": list(key_use), "Resource": key},
    ]


def _reading(bucket: str) -> list[Statement]:
    return [
        {"Effect": "Allow", "Action": LIST, "Resource": bucket},
        {"Effect": "Allow", "Action": READ, "Resource": f"{bucket}/*"},
    ]


def _associate(
    site: AwsSite, cluster: pulumi.Input[str], part: str, role: ServiceRole, accounts: Sequence[PodAccount]
) -> list[aws.eks.PodIdentityAssociation]:
    return [
        aws.eks.PodIdentityAssociation(
            f"{site.name}-{part}-{one['namespace']}-{one['service_account']}",
            cluster_name=cluster,
            namespace=one["namespace"],
            service_account=one["service_account"],
            role_arn=role.arn,
            region=site.region,
            tags=site.tagged(),
            opts=site.child(depends_on=list(role.rights)),
        )
        for one in accounts
    ]
