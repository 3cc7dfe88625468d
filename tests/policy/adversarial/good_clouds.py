"""Cloud resources that nothing may refuse."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.policy.adversarial import cloud_models
from tests.policy.adversarial.cloud_parts import (
    BLOCK,
    BUCKET,
    EKS,
    GCS,
    GKE,
    GKEY,
    KEY,
    POOL,
    SSE,
    TEMPLATE,
    TRAIL,
    VERSIONED,
    merged,
    policy,
    without,
)
from tests.policy.adversarial.stacks import Entry, text

COMPANIONS: Mapping[str, tuple[tuple[str, Mapping[str, Any]], ...]] = {
    "aws:eks/cluster:Cluster": (
        (
            "aws:eks/addon:Addon",
            {
                "clusterName": "@0",
                "addonName": "vpc-cni",
                "configurationValues": text({"enableNetworkPolicy": "true"}),
            },
        ),
    ),
    "aws:ec2/vpc:Vpc": (
        (
            "aws:ec2/flowLog:FlowLog",
            {"vpcId": "@0", "trafficType": "ALL", "logDestination": "arn:aws:s3:::flows"},
        ),
    ),
}


def good() -> Iterator[Entry]:
    for title, token, props in cloud_models.good():
        yield Entry(f"run by a cloud: {title}", "", token, props)
    inline = {
        "serverSideEncryptionConfiguration": {
            "rule": {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY}}
        }
    }
    yield Entry("a whole bucket, split", "", BUCKET, {}, (BLOCK, SSE, VERSIONED))
    yield Entry("a whole bucket, inline", "", BUCKET, inline, (BLOCK,))
    yield Entry(
        "a whole bucket, old",
        "",
        "aws:s3/bucketV2:BucketV2",
        {
            "serverSideEncryptionConfigurations": [
                {
                    "rules": [
                        {
                            "applyServerSideEncryptionByDefaults": [
                                {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY}
                            ]
                        }
                    ]
                }
            ]
        },
        (BLOCK,),
    )
    yield Entry(
        "a bucket for TLS alone",
        "",
        BUCKET,
        {
            **inline,
            "policy": text(
                {
                    "Statement": [
                        {
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "s3:*",
                            "Resource": "*",
                            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                        }
                    ]
                }
            ),
        },
        (BLOCK,),
    )
    yield Entry(
        "a bucket for an endpoint",
        "",
        BUCKET,
        inline,
        (
            BLOCK,
            (
                "aws:s3/bucketPolicy:BucketPolicy",
                {
                    "bucket": "@0",
                    "policy": policy("*", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}}),
                },
            ),
        ),
    )
    replica = {
        "bucket": "@0",
        "role": "arn:aws:iam::1:role/r",
        "rules": [
            {
                "status": "Enabled",
                "destination": {
                    "bucket": "arn:aws:s3:::copy",
                    "encryptionConfiguration": {"replicaKmsKeyId": "arn:aws:kms:eu-west-1:1:key/k"},
                },
            }
        ],
    }
    yield Entry(
        "a bucket replicated inside",
        "",
        BUCKET,
        inline,
        (BLOCK, ("aws:s3/bucketReplicationConfig:BucketReplicationConfig", replica)),
    )
    for title, token, props in (
        ("EKS", "aws:eks/cluster:Cluster", EKS),
        ("GKE", "gcp:container/cluster:Cluster", GKE),
        ("GKE pool", "gcp:container/nodePool:NodePool", POOL),
        (
            "GKE by name",
            "gcp:container/cluster:Cluster",
            merged(
                without(GKE, "privateClusterConfig"),
                networkConfig={"enablePrivateNodes": True},
                controlPlaneEndpointsConfig={
                    "dnsEndpointConfig": {"allowExternalTraffic": False},
                    "ipEndpointsConfig": {"enabled": False},
                },
                privateClusterConfig={"enablePrivateNodes": True},
            ),
        ),
        (
            "a job within its network",
            "gcp:dataflow/job:Job",
            {"region": "europe-west3", "ipConfiguration": "WORKER_IP_PRIVATE"},
        ),
        (
            "Dataproc within its network",
            "gcp:dataproc/cluster:Cluster",
            {
                "region": "europe-west3",
                "clusterConfig": {
                    "encryptionConfig": {"kmsKeyName": GKEY},
                    "gceClusterConfig": {"zone": "europe-west3-a", "internalIpOnly": True},
                },
            },
        ),
        (
            "registries to be",
            "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate",
            {"imageTagMutability": "IMMUTABLE", "encryptionConfigurations": [{"kmsKey": KEY}]},
        ),
        ("a template", "aws:ec2/launchTemplate:LaunchTemplate", TEMPLATE),
        ("EU", "gcp:storage/bucket:Bucket", merged(GCS, location="EU")),
        ("eu", "gcp:storage/bucket:Bucket", merged(GCS, location="eu")),
        ("EUR4", "gcp:storage/bucket:Bucket", merged(GCS, location="EUR4")),
        ("Frankfurt", "gcp:storage/bucket:Bucket", GCS),
        (
            "two of the EU",
            "gcp:storage/bucket:Bucket",
            merged(
                GCS, location="EU", customPlacementConfig={"dataLocations": ["EUROPE-WEST1", "EUROPE-WEST4"]}
            ),
        ),
        (
            "a binding",
            "gcp:storage/bucketIAMBinding:BucketIAMBinding",
            {"bucket": "b", "role": "roles/storage.objectViewer", "members": ["group:a@example.eu"]},
        ),
        (
            "a member",
            "gcp:projects/iAMMember:IAMMember",
            {"project": "p", "role": "roles/container.viewer", "member": "user:a@example.eu"},
        ),
        ("a service account", "gcp:serviceaccount/account:Account", {"accountId": "a"}),
        (
            "a role",
            "aws:iam/role:Role",
            {"assumeRolePolicy": policy({"Service": "eks.amazonaws.com"}, "sts:AssumeRole")},
        ),
        (
            "a role of OIDC",
            "aws:iam/role:Role",
            {
                "assumeRolePolicy": policy(
                    {"Federated": "arn:aws:iam::1:oidc-provider/x"},
                    "sts:AssumeRoleWithWebIdentity",
                    Condition={"StringEquals": {"x:sub": "system:serviceaccount:a:b"}},
                )
            },
        ),
        (
            "an attachment",
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            {"role": "r", "policyArn": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"},
        ),
        *(
            (f"a policy for {title}", "aws:iam/policy:Policy", {"policy": text({"Statement": statements})})
            for title, statements in (
                (
                    "secrets of one's own tag",
                    {
                        "Effect": "Allow",
                        "Action": "secretsmanager:GetSecretValue",
                        "Resource": "arn:aws:secretsmanager:*:123456789012:secret:${aws:PrincipalTag/t}/*",
                    },
                ),
                (
                    "images of nodes",
                    {
                        "Effect": "Allow",
                        "Action": "ssm:GetParameter",
                        "Resource": "arn:aws:ssm:eu-central-1::parameter/aws/service/*",
                    },
                ),
                (
                    "secrets but those that another statement denies",
                    [
                        {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"},
                        {
                            "Effect": "Deny",
                            "Action": "secretsmanager:*",
                            "NotResource": "arn:aws:secretsmanager:*:*:secret:chat-*",
                        },
                    ],
                ),
            )
        ),
        (
            "a narrow policy",
            "aws:iam/policy:Policy",
            {
                "policy": text(
                    {
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Action": ["s3:GetObject"],
                                "Resource": "arn:aws:s3:::models/*",
                            }
                        ]
                    }
                )
            },
        ),
        (
            "a reading policy",
            "aws:iam/policy:Policy",
            {
                "policy": text(
                    {"Statement": [{"Effect": "Allow", "Action": ["ec2:Describe*"], "Resource": "*"}]}
                )
            },
        ),
        (
            "a key",
            "aws:kms/key:Key",
            {
                "enableKeyRotation": True,
                "deletionWindowInDays": 30,
                "policy": policy({"AWS": "arn:aws:iam::123456789012:root"}, "kms:*"),
            },
        ),
        (
            "a key of Google",
            "gcp:kms/cryptoKey:CryptoKey",
            {"keyRing": "projects/p/locations/europe-west3/keyRings/r", "rotationPeriod": "7776000s"},
        ),
        (
            "a volume",
            "aws:ebs/volume:Volume",
            {"availabilityZone": "eu-central-1a", "encrypted": True, "kmsKeyId": KEY},
        ),
        ("a file system", "aws:efs/fileSystem:FileSystem", {"encrypted": True, "kmsKeyId": KEY}),
        (
            "a database",
            "aws:rds/instance:Instance",
            {
                "storageEncrypted": True,
                "kmsKeyId": KEY,
                "deletionProtection": True,
                "publiclyAccessible": False,
            },
        ),
        ("a queue", "aws:sqs/queue:Queue", {"kmsMasterKeyId": KEY}),
        ("a topic", "aws:sns/topic:Topic", {"kmsMasterKeyId": "alias/mine"}),
        ("a log group", "aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 400, "kmsKeyId": KEY}),
        ("a log group for ever", "aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 0, "kmsKeyId": KEY}),
        (
            "a group",
            "aws:ec2/securityGroup:SecurityGroup",
            {"ingress": [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/8"]}]},
        ),
        (
            "a group of itself",
            "aws:ec2/securityGroup:SecurityGroup",
            {"ingress": [{"protocol": "-1", "fromPort": 0, "toPort": 0, "self": True}]},
        ),
        (
            "a rule from a group",
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
            {"securityGroupId": "g", "ipProtocol": "tcp", "referencedSecurityGroupId": "h"},
        ),
        (
            "a firewall",
            "gcp:compute/firewall:Firewall",
            {"network": "n", "allows": [{"protocol": "tcp"}], "sourceRanges": ["10.0.0.0/8"]},
        ),
        (
            "a firewall that denies",
            "gcp:compute/firewall:Firewall",
            {"network": "n", "denies": [{"protocol": "all"}], "sourceRanges": ["0.0.0.0/0"]},
        ),
        (
            "a subnet",
            "aws:ec2/subnet:Subnet",
            {"cidrBlock": "10.0.0.0/24", "availabilityZone": "eu-central-1a"},
        ),
        ("a network", "gcp:compute/network:Network", {"autoCreateSubnetworks": False}),
        (
            "a registry",
            "aws:ecr/repository:Repository",
            {
                "imageTagMutability": "IMMUTABLE",
                "imageScanningConfiguration": {"scanOnPush": True},
                "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": KEY}],
            },
        ),
        (
            "a registry of Google",
            "gcp:artifactregistry/repository:Repository",
            {
                "location": "europe-west3",
                "format": "DOCKER",
                "kmsKeyName": GKEY,
                "dockerConfig": {"immutableTags": True},
            },
        ),
        (
            "a registry of Europe",
            "gcp:artifactregistry/repository:Repository",
            {"location": "europe-west4", "format": "PYTHON", "kmsKeyName": GKEY},
        ),
        (
            "a secret",
            "aws:secretsmanager/secret:Secret",
            {
                "kmsKeyId": KEY,
                "replicas": [{"region": "eu-west-1", "kmsKeyId": "arn:aws:kms:eu-west-1:1:key/k"}],
            },
        ),
        (
            "a secret of Google",
            "gcp:secretmanager/secret:Secret",
            {
                "replication": {
                    "userManaged": {
                        "replicas": [
                            {"location": "europe-west3", "customerManagedEncryption": {"kmsKeyName": GKEY}}
                        ]
                    }
                }
            },
        ),
        (
            "a table",
            "aws:dynamodb/table:Table",
            {
                "serverSideEncryption": {"enabled": True, "kmsKeyArn": KEY},
                "deletionProtectionEnabled": True,
                "replicas": [{"regionName": "eu-west-1"}],
            },
        ),
        ("a trail", "aws:cloudtrail/trail:Trail", TRAIL),
        (
            "a node group",
            "aws:eks/nodeGroup:NodeGroup",
            {
                "clusterName": "c",
                "nodeRoleArn": "arn:aws:iam::1:role/r",
                "subnetIds": ["a"],
                "scalingConfig": {"minSize": 0},
                "launchTemplate": {"id": "t", "version": "1"},
            },
        ),
        (
            "an endpoint",
            "aws:ec2/vpcEndpoint:VpcEndpoint",
            {"serviceName": "com.amazonaws.eu-central-1.s3", "vpcId": "v"},
        ),
        (
            "a dashboard",
            "aws:cloudwatch/dashboard:Dashboard",
            {
                "dashboardName": "d",
                "dashboardBody": text({"widgets": [{"properties": {"region": "eu-central-1"}}]}),
            },
        ),
        ("a random name", "random:index/randomPassword:RandomPassword", {"length": 32}),
        ("a TLS key", "tls:index/privateKey:PrivateKey", {"algorithm": "ECDSA"}),
        (
            "a zone",
            "aws:route53/zone:Zone",
            {"name": "example.eu", "vpcs": [{"vpcId": "v", "vpcRegion": "eu-central-1"}]},
        ),
        (
            "a tagged bucket policy",
            "aws:sqs/queuePolicy:QueuePolicy",
            {
                "queueUrl": "q",
                "policy": policy(
                    {"Service": "s3.amazonaws.com"},
                    "sqs:SendMessage",
                    Condition={"ArnLike": {"aws:SourceArn": "arn:aws:s3:::b"}},
                ),
            },
        ),
        (
            "an add-on",
            "aws:eks/addon:Addon",
            {
                "clusterName": "c",
                "addonName": "vpc-cni",
                "configurationValues": text({"enableNetworkPolicy": "true"}),
            },
        ),
        (
            "a description",
            "aws:ec2/vpc:Vpc",
            {"cidrBlock": "10.0.0.0/16", "tags": {"Name": "replaces us-east-1"}},
        ),
        (
            "a disk",
            "gcp:compute/disk:Disk",
            {"zone": "europe-west3-a", "diskEncryptionKey": {"kmsKeySelfLink": GKEY}},
        ),
        (
            "a topic of Google",
            "gcp:pubsub/topic:Topic",
            {"kmsKeyName": GKEY, "messageStoragePolicy": {"allowedPersistenceRegions": ["europe-west3"]}},
        ),
        (
            "a pool of identities",
            "gcp:iam/workloadIdentityPool:WorkloadIdentityPool",
            {"workloadIdentityPoolId": "p"},
        ),
        ("an API", "gcp:projects/service:Service", {"service": "container.googleapis.com"}),
        (
            "a balancer inside",
            "aws:lb/loadBalancer:LoadBalancer",
            {"internal": True, "loadBalancerType": "network"},
        ),
        (
            "a listener of TLS",
            "aws:lb/listener:Listener",
            {"protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06", "loadBalancerArn": "a"},
        ),
        (
            "a listener that redirects",
            "aws:lb/listener:Listener",
            {
                "protocol": "HTTP",
                "port": 80,
                "loadBalancerArn": "a",
                "defaultActions": [
                    {"type": "redirect", "redirect": {"protocol": "HTTPS", "statusCode": "HTTP_301"}}
                ],
            },
        ),
        (
            "a log bucket",
            "gcp:logging/projectBucketConfig:ProjectBucketConfig",
            {"location": "europe-west3", "retentionDays": 400, "cmekSettings": {"kmsKeyName": GKEY}},
        ),
        (
            "a parameter of SSM",
            "aws:ssm/parameter:Parameter",
            {"type": "SecureString", "name": "/a", "value": "x", "keyId": KEY},
        ),
    ):
        yield Entry(title, "", token, props, COMPANIONS.get(token, ()))
    eks = "aws:eks/cluster:Cluster"
    yield Entry("ignoreChanges of tags", "", eks, EKS, COMPANIONS[eks], ignored=("tags", "version"))
    yield Entry(
        "ignoreChanges of a size",
        "",
        "aws:eks/nodeGroup:NodeGroup",
        {"clusterName": "c", "scalingConfig": {}},
        ignored=("scalingConfig.desiredSize",),
    )
