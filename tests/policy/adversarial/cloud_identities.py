"""Policies and grants for everybody, or to everything."""

from collections.abc import Iterator
from typing import Any

from tests.policy.adversarial.cloud_parts import EVERYBODY, KEY, policy
from tests.policy.adversarial.stacks import text


def principals() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for index, principal in enumerate(EVERYBODY):
        stated = policy(principal)
        for token, key in (
            ("aws:sqs/queuePolicy:QueuePolicy", "policy"),
            ("aws:sns/topicPolicy:TopicPolicy", "policy"),
            ("aws:ecr/repositoryPolicy:RepositoryPolicy", "policy"),
            ("aws:secretsmanager/secretPolicy:SecretPolicy", "policy"),
            ("aws:efs/fileSystemPolicy:FileSystemPolicy", "policy"),
            ("aws:backup/vaultPolicy:VaultPolicy", "policy"),
            ("aws:kms/key:Key", "policy"),
            ("aws:kms/keyPolicy:KeyPolicy", "policy"),
            ("aws:cloudwatch/eventBusPolicy:EventBusPolicy", "policy"),
            ("aws:s3/bucketPolicy:BucketPolicy", "policy"),
            ("aws:iam/role:Role", "assumeRolePolicy"),
            ("aws:sqs/queue:Queue", "policy"),
            ("aws:sns/topic:Topic", "policy"),
            ("aws:opensearch/domainPolicy:DomainPolicy", "accessPolicies"),
            ("aws:glacier/vault:Vault", "accessPolicy"),
            ("aws:s3/accessPoint:AccessPoint", "policy"),
            ("aws:kinesis/resourcePolicy:ResourcePolicy", "policy"),
            ("aws:dynamodb/resourcePolicy:ResourcePolicy", "policy"),
            ("aws-native:sqs:QueuePolicy", "policyDocument"),
        ):
            base: dict[str, Any] = {"kmsMasterKeyId": KEY} if token.endswith(("Queue", "Topic")) else {}
            if token == "aws:kms/key:Key":
                base = {"enableKeyRotation": True, "deletionWindowInDays": 30}
            yield f"principal {index} of {token}", token, {**base, key: stated}
    yield (
        "a principal in properties",
        "aws:s3/bucketPolicy:BucketPolicy",
        {
            "bucket": "b",
            "policy": {
                "Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
            },
        },
    )
    yield (
        "a condition that narrows nothing",
        "aws:s3/bucketPolicy:BucketPolicy",
        {"bucket": "b", "policy": policy("*", Condition={"Bool": {"aws:SecureTransport": "true"}})},
    )
    yield (
        "a condition on any address",
        "aws:s3/bucketPolicy:BucketPolicy",
        {"bucket": "b", "policy": policy("*", Condition={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}})},
    )
    yield (
        "a condition on an agent",
        "aws:s3/bucketPolicy:BucketPolicy",
        {"bucket": "b", "policy": policy("*", Condition={"StringLike": {"aws:UserAgent": "x"}})},
    )
    yield (
        "a principal's pattern",
        "aws:s3/bucketPolicy:BucketPolicy",
        {"bucket": "b", "policy": policy("*", Condition={"StringLike": {"aws:PrincipalArn": "*"}})},
    )
    yield (
        "all but one",
        "aws:s3/bucketPolicy:BucketPolicy",
        {
            "bucket": "b",
            "policy": text(
                {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "NotPrincipal": {"AWS": "arn:aws:iam::1:root"},
                            "Action": "*",
                            "Resource": "*",
                        }
                    ]
                }
            ),
        },
    )
    for member in ("allUsers", "allAuthenticatedUsers"):
        for token in (
            "gcp:storage/bucketIAMMember:BucketIAMMember",
            "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
            "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
            "gcp:cloudrun/iamMember:IamMember",
            "gcp:cloudrunv2/serviceIamMember:ServiceIamMember",
            "gcp:pubsub/topicIAMMember:TopicIAMMember",
            "gcp:secretmanager/secretIamMember:SecretIamMember",
            "gcp:projects/iAMMember:IAMMember",
            "gcp:kms/keyRingIAMMember:KeyRingIAMMember",
            "gcp:bigquery/datasetIamMember:DatasetIamMember",
            "gcp:serviceaccount/iAMMember:IAMMember",
            "gcp:cloudfunctions/functionIamMember:FunctionIamMember",
        ):
            yield f"{member} of {token}", token, {"member": member, "role": "roles/viewer"}
            binding = token.replace("Member", "Binding")
            yield (
                f"{member} of {binding}",
                binding,
                {"members": ["user:a@example.eu", member], "role": "roles/viewer"},
            )
            iam = token.replace("Member", "Policy")
            yield (
                f"{member} of {iam}",
                iam,
                {"policyData": text({"bindings": [{"role": "r", "members": [member]}]})},
            )
    yield (
        "an ACL of an object",
        "gcp:storage/objectAccessControl:ObjectAccessControl",
        {"entity": "allUsers", "role": "READER", "bucket": "b"},
    )
    yield (
        "an ACL of a bucket",
        "gcp:storage/bucketACL:BucketACL",
        {"bucket": "b", "predefinedAcl": "publicRead"},
    )
    yield (
        "a data set's access",
        "gcp:bigquery/datasetAccess:DatasetAccess",
        {"datasetId": "d", "specialGroup": "allAuthenticatedUsers", "role": "READER"},
    )
    yield (
        "a data set's access by member",
        "gcp:bigquery/datasetAccess:DatasetAccess",
        {"datasetId": "d", "iamMember": "allUsers", "role": "READER"},
    )
    yield (
        "a function's URL",
        "aws:lambda/functionUrl:FunctionUrl",
        {"authorizationType": "NONE", "functionName": "f"},
    )
    yield (
        "a function's permission",
        "aws:lambda/permission:Permission",
        {"action": "lambda:InvokeFunction", "principal": "*", "function": "f"},
    )
    yield (
        "a public image",
        "aws:ec2/amiLaunchPermission:AmiLaunchPermission",
        {"group": "all", "imageId": "a"},
    )


def wildcards() -> Iterator[tuple[str, str, dict[str, Any]]]:
    whole = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    listed = {"Statement": {"Effect": "Allow", "Action": ["s3:Get*", "*"], "Resource": ["*"]}}
    services = {"Statement": [{"Effect": "Allow", "Action": ["*:*"], "Resource": "*"}]}
    but = {"Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}
    iam = {"Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]}
    passing = {"Statement": [{"Effect": "Allow", "Action": ["iam:PassRole"], "Resource": "*"}]}
    kms = {"Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}]}
    for title, document in (
        ("all", whole),
        ("in a list", listed),
        ("any service", services),
        ("all but", but),
        ("identities", iam),
        ("passing any role", passing),
        ("all keys", kms),
        *(
            (
                f"{action} on {resource}",
                {"Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]},
            )
            for action in (
                "secretsmanager:GetSecretValue",
                "SECRETSMANAGER:get*",
                "*:Get*",
                "ssm:GetParameters",
            )
            for resource in ("*", "arn:*", "arn:aws:*:*:111122223333:*")
        ),
        *(
            (
                f"{action} on {resource}",
                {"Statement": {"Effect": "Allow", "Action": [action], "Resource": [resource]}},
            )
            for action in ("kms:Decrypt", "kms:*crypt", "kms:D*", "k?s:Decrypt")
            for resource in (
                "*",
                "arn:aws:kms:*",
                "arn:aws:kms:eu-central-1:111122223333:key/*",
                "arn:aws:kms:*:*:*/*",
            )
        ),
        (
            "every secret in lower case",
            {
                "statements": [
                    {"effect": "Allow", "actions": ["secretsmanager:GetSecretValue"], "resources": ["*"]}
                ]
            },
        ),
    ):
        for token, key in (
            ("aws:iam/policy:Policy", "policy"),
            ("aws:iam/rolePolicy:RolePolicy", "policy"),
            ("aws:iam/userPolicy:UserPolicy", "policy"),
            ("aws:iam/groupPolicy:GroupPolicy", "policy"),
            ("aws-native:iam:ManagedPolicy", "policyDocument"),
        ):
            yield f"{title} by {token}", token, {"role": "r", key: text(document)}
        yield (
            f"{title} inline of a role",
            "aws:iam/role:Role",
            {
                "assumeRolePolicy": policy({"Service": "ec2.amazonaws.com"}, "sts:AssumeRole"),
                "inlinePolicies": [{"name": "p", "policy": text(document)}],
            },
        )
    for arn in (
        "arn:aws:iam::aws:policy/AdministratorAccess",
        "arn:aws:iam::aws:policy/PowerUserAccess",
        "arn:aws:iam::aws:policy/IAMFullAccess",
        "arn:aws:iam::aws:policy/SecretsManagerReadWrite",
    ):
        yield (
            f"attached {arn[-12:]}",
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            {"role": "r", "policyArn": arn},
        )
        yield (
            f"of the role {arn[-12:]}",
            "aws:iam/role:Role",
            {
                "assumeRolePolicy": policy({"Service": "ec2.amazonaws.com"}, "sts:AssumeRole"),
                "managedPolicyArns": [arn],
            },
        )
    for role in (
        "roles/owner",
        "roles/editor",
        "roles/secretmanager.secretAccessor",
        "roles/cloudkms.cryptoKeyEncrypterDecrypter",
    ):
        yield (
            f"{role} member",
            "gcp:projects/iAMMember:IAMMember",
            {"role": role, "member": "user:a@example.eu", "project": "p"},
        )
        yield (
            f"{role} binding",
            "gcp:projects/iAMBinding:IAMBinding",
            {"role": role, "members": ["user:a@example.eu"], "project": "p"},
        )
        yield (
            f"{role} policy",
            "gcp:projects/iAMPolicy:IAMPolicy",
            {
                "project": "p",
                "policyData": text({"bindings": [{"role": role, "members": ["user:a@example.eu"]}]}),
            },
        )
        yield (
            f"{role} folder",
            "gcp:folder/iAMMember:IAMMember",
            {"role": role, "member": "user:a@example.eu", "folder": "f"},
        )
    yield (
        "permissions of all of a role",
        "gcp:organizations/iAMCustomRole:IAMCustomRole",
        {"permissions": ["*"], "roleId": "r", "title": "t"},
    )
    yield (
        "EKS cluster admin",
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        {
            "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
            "clusterName": "c",
            "principalArn": "*",
        },
    )
