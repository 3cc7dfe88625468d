"""Cloud resources: each setting broken in each of the forms that a provider takes it in."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.policy.adversarial.stacks import Entry, text

KEY = "arn:aws:kms:eu-central-1:123456789012:key/k"
FOREIGN_KEY = "arn:aws:kms:us-east-1:123456789012:key/k"
GKEY = "projects/p/locations/europe-west3/keyRings/r/cryptoKeys/k"
FOREIGN_GKEY = "projects/p/locations/us-east1/keyRings/r/cryptoKeys/k"
BUCKET = "aws:s3/bucket:Bucket"
EVERYBODY = ({"AWS": "*"}, "*", ["*"], {"AWS": ["arn:aws:iam::1:root", "*"]}, {"AWS": ["*"]})
FOUR = dict.fromkeys(
    ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True
)
BLOCK = ("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", {"bucket": "@0", **FOUR})
SSE = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    {
        "bucket": "@0",
        "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY}}],
    },
)
VERSIONED = (
    "aws:s3/bucketVersioning:BucketVersioning",
    {"bucket": "@0", "versioningConfiguration": {"status": "Enabled"}},
)


def policy(principal: Any, action: str = "*", **more: Any) -> str:
    return text(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", **more}
            ],
        }
    )


EKS: Mapping[str, Any] = {
    "vpcConfig": {"endpointPublicAccess": False, "endpointPrivateAccess": True, "subnetIds": ["a"]},
    "encryptionConfig": {"provider": {"keyArn": KEY}, "resources": ["secrets"]},
    "enabledClusterLogTypes": ["api", "audit", "authenticator", "controllerManager", "scheduler"],
    "deletionProtection": True,
    "version": "1.35",
    "tags": {"owner": "team", "data-class": "internal"},
}
GKE: Mapping[str, Any] = {
    "location": "europe-west3",
    "deletionProtection": True,
    "privateClusterConfig": {"enablePrivateEndpoint": True, "enablePrivateNodes": True},
    "databaseEncryption": {"state": "ENCRYPTED", "keyName": GKEY},
    "datapathProvider": "ADVANCED_DATAPATH",
    "loggingConfig": {
        "enableComponents": ["APISERVER", "CONTROLLER_MANAGER", "SCHEDULER", "SYSTEM_COMPONENTS"]
    },
    "masterAuthorizedNetworksConfig": {"cidrBlocks": [{"cidrBlock": "10.0.0.0/8"}]},
    "workloadIdentityConfig": {"workloadPool": "p.svc.id.goog"},
}
POOL: Mapping[str, Any] = {
    "location": "europe-west3",
    "nodeConfig": {
        "bootDiskKmsKey": GKEY,
        "workloadMetadataConfig": {"mode": "GKE_METADATA"},
        "serviceAccount": "n@p.iam.gserviceaccount.com",
        "machineType": "a3-highgpu-8g",
        "metadata": {"disable-legacy-endpoints": "true"},
    },
    "networkConfig": {"enablePrivateNodes": True},
}
TEMPLATE: Mapping[str, Any] = {
    "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
    "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"encrypted": "true", "kmsKeyId": KEY}}],
}
GCS: Mapping[str, Any] = {
    "location": "EUROPE-WEST3",
    "publicAccessPrevention": "enforced",
    "uniformBucketLevelAccess": True,
    "encryption": {"defaultKmsKeyName": GKEY},
    "versioning": {"enabled": True},
}
TRAIL: Mapping[str, Any] = {
    "enableLogFileValidation": True,
    "isMultiRegionTrail": True,
    "kmsKeyId": KEY,
    "s3BucketName": "logs",
    "enableLogging": True,
    "includeGlobalServiceEvents": True,
}


def merged(base: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {**base, **more}


def without(base: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in base.items() if name != key}


def _regions() -> Iterator[tuple[str, str, str, dict[str, Any], dict[str, Any]]]:
    home = {"region": "eu-central-1"}
    for region in (
        "us-east-1",
        "eu-west-2",
        "eu-central-2",
        "ap-south-1",
        "eu-isoe-west-1",
        "me-central-1",
        "US-EAST-1",
        "cn-north-1",
    ):
        yield f"a bucket in {region}", "SOV-RES-01", BUCKET, {"region": region}, home
        yield (
            f"a provider in {region}",
            "SOV-RES-01",
            "aws:sqs/queue:Queue",
            {"kmsMasterKeyId": KEY},
            {"region": region},
        )
        yield (
            f"a volume's zone in {region}",
            "SOV-RES-01",
            "aws:ebs/volume:Volume",
            {"availabilityZone": f"{region}a", "encrypted": True, "kmsKeyId": KEY},
            home,
        )
    for place in (
        "US",
        "ASIA",
        "EUR5",
        "EUR7",
        "EUR8",
        "NAM4",
        "us-central1",
        "europe-west2",
        "europe-west6",
        "EUROPE-WEST2",
        "global",
    ):
        yield (
            f"a bucket of Google in {place}",
            "SOV-RES-01",
            "gcp:storage/bucket:Bucket",
            merged(GCS, location=place),
            {},
        )
        yield (
            f"a key ring in {place}",
            "SOV-RES-01|SOV-RES-03",
            "gcp:kms/keyRing:KeyRing",
            {"location": place.lower()},
            {},
        )
        yield (
            f"a registry in {place}",
            "SOV-RES-01",
            "gcp:artifactregistry/repository:Repository",
            {
                "location": place.lower(),
                "format": "DOCKER",
                "kmsKeyName": GKEY,
                "dockerConfig": {"immutableTags": True},
            },
            {},
        )
        yield (
            f"a data set in {place}",
            "SOV-RES-01|SOV-RES-03",
            "gcp:bigquery/dataset:Dataset",
            {"location": place, "defaultEncryptionConfiguration": {"kmsKeyName": GKEY}},
            {},
        )
        yield (
            f"a log bucket in {place}",
            "SOV-RES-01|SOV-RES-03",
            "gcp:logging/projectBucketConfig:ProjectBucketConfig",
            {"location": place.lower(), "retentionDays": 400, "cmekSettings": {"kmsKeyName": GKEY}},
            {},
        )


def _copies() -> Iterator[tuple[str, str, dict[str, Any]]]:
    yield "replicas of a table", "aws:dynamodb/table:Table", {"replicas": [{"regionName": "us-east-1"}]}
    yield (
        "a replica of a table",
        "aws:dynamodb/tableReplica:TableReplica",
        {"globalTableArn": "arn:aws:dynamodb:us-east-1:1:table/t"},
    )
    yield (
        "a global table",
        "aws:dynamodb/globalTable:GlobalTable",
        {"replicas": [{"regionName": "us-east-1"}, {"regionName": "eu-west-1"}]},
    )
    yield (
        "replicas of a secret",
        "aws:secretsmanager/secret:Secret",
        {"replicas": [{"region": "us-east-1", "kmsKeyId": KEY}], "kmsKeyId": KEY},
    )
    yield (
        "replication of a registry",
        "aws:ecr/replicationConfiguration:ReplicationConfiguration",
        {
            "replicationConfiguration": {
                "rules": [{"destinations": [{"region": "us-east-1", "registryId": "1"}]}]
            }
        },
    )
    yield (
        "replication of a bucket, by its key",
        "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
        {
            "bucket": "b",
            "role": "arn:aws:iam::1:role/r",
            "rules": [
                {
                    "destination": {
                        "bucket": "arn:aws:s3:::x",
                        "encryptionConfiguration": {"replicaKmsKeyId": FOREIGN_KEY},
                    }
                }
            ],
        },
    )
    yield (
        "a copy of an image",
        "aws:ec2/amiCopy:AmiCopy",
        {"sourceAmiRegion": "us-east-1", "sourceAmiId": "a", "encrypted": True, "kmsKeyId": KEY},
    )
    yield (
        "a copy of a snapshot",
        "aws:ebs/snapshotCopy:SnapshotCopy",
        {"sourceRegion": "us-east-1", "encrypted": True, "kmsKeyId": KEY},
    )
    yield (
        "a copy of a database's snapshot",
        "aws:rds/snapshotCopy:SnapshotCopy",
        {"destinationRegion": "us-east-1"},
    )
    yield (
        "a copy of a cluster's snapshot",
        "aws:rds/clusterSnapshotCopy:ClusterSnapshotCopy",
        {"destinationRegion": "us-west-2"},
    )
    yield (
        "backups of a database",
        "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication",
        {"sourceDbInstanceArn": "arn:aws:rds:us-east-1:1:db:d"},
    )
    yield (
        "backup plan",
        "aws:backup/plan:Plan",
        {"rules": [{"copyActions": [{"destinationVaultArn": "arn:aws:backup:us-east-1:1:backup-vault:v"}]}]},
    )
    yield (
        "backup plan's second copy",
        "aws:backup/plan:Plan",
        {
            "rules": [
                {
                    "copyActions": [
                        {"destinationVaultArn": "arn:aws:backup:eu-west-1:1:backup-vault:v"},
                        {"destinationVaultArn": "arn:aws:backup:us-east-1:1:backup-vault:v"},
                    ]
                }
            ]
        },
    )
    yield (
        "a replica of a key",
        "aws:kms/replicaKey:ReplicaKey",
        {"primaryKeyArn": FOREIGN_KEY, "deletionWindowInDays": 30},
    )
    yield (
        "a key for many regions",
        "aws:kms/key:Key",
        {"multiRegion": True, "enableKeyRotation": True, "deletionWindowInDays": 30},
    )
    yield (
        "an external key for many regions",
        "aws:kms/externalKey:ExternalKey",
        {"multiRegion": True, "deletionWindowInDays": 30},
    )
    yield (
        "replication of a file system",
        "aws:efs/replicationConfiguration:ReplicationConfiguration",
        {"sourceFileSystemId": "f", "destination": {"region": "us-east-1"}},
    )
    yield (
        "a foreign key",
        "aws:ebs/volume:Volume",
        {"availabilityZone": "eu-central-1a", "encrypted": True, "kmsKeyId": FOREIGN_KEY},
    )
    yield (
        "a database read from elsewhere",
        "aws:rds/instance:Instance",
        {
            "replicateSourceDb": "arn:aws:rds:us-east-1:1:db:d",
            "storageEncrypted": True,
            "kmsKeyId": KEY,
            "deletionProtection": True,
        },
    )
    yield (
        "a peer elsewhere",
        "aws:ec2/vpcPeeringConnection:VpcPeeringConnection",
        {"peerRegion": "us-east-1", "vpcId": "a", "peerVpcId": "b"},
    )
    yield (
        "a peering of gateways",
        "aws:ec2transitgateway/peeringAttachment:PeeringAttachment",
        {"peerRegion": "us-east-1"},
    )
    yield (
        "logs to a bucket elsewhere",
        "aws:ec2/flowLog:FlowLog",
        {"logDestination": "arn:aws:logs:us-east-1:1:log-group:x"},
    )
    yield (
        "a subscription of logs",
        "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter",
        {"destinationArn": "arn:aws:kinesis:us-east-1:1:stream/s", "logGroup": "g", "filterPattern": ""},
    )
    yield (
        "events to another region",
        "aws:cloudwatch/eventTarget:EventTarget",
        {"arn": "arn:aws:events:us-east-1:1:event-bus/default", "rule": "r"},
    )
    yield (
        "a stream's endpoint",
        "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream",
        {
            "destination": "extended_s3",
            "extendedS3Configuration": {"kmsKeyArn": FOREIGN_KEY, "bucketArn": "arn:aws:s3:::b"},
            "serverSideEncryption": {"enabled": True, "keyArn": KEY},
        },
    )
    yield (
        "messages to another region",
        "aws:sns/topicSubscription:TopicSubscription",
        {"topic": "arn:aws:sns:eu-central-1:1:t", "protocol": "sqs", "endpoint": "arn:aws:sqs:us-east-1:1:q"},
    )
    yield (
        "a global database",
        "aws:rds/globalCluster:GlobalCluster",
        {"sourceDbClusterIdentifier": "arn:aws:rds:us-east-1:1:cluster:c", "storageEncrypted": True},
    )
    yield (
        "a replication task",
        "aws:dms/endpoint:Endpoint",
        {"endpointType": "target", "engineName": "s3", "serviceAccessRole": "r", "kmsKeyArn": FOREIGN_KEY},
    )
    yield (
        "an endpoint URL",
        "aws:s3/bucketObjectv2:BucketObjectv2",
        {"bucket": "b", "source": "x", "content": "https://s3.us-east-1.amazonaws.com/b/x"},
    )
    yield (
        "user data",
        "aws:ec2/launchTemplate:LaunchTemplate",
        merged(TEMPLATE, userData="aws s3 sync s3://x /m --region us-east-1"),
    )
    yield (
        "a role's policy",
        "aws:iam/rolePolicy:RolePolicy",
        {
            "role": "r",
            "policy": text(
                {
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "s3:*",
                            "Resource": "arn:aws:dynamodb:us-east-1:1:table/t",
                        }
                    ]
                }
            ),
        },
    )
    yield (
        "buckets of dual regions",
        "gcp:storage/bucket:Bucket",
        merged(GCS, location="EU", customPlacementConfig={"dataLocations": ["EUROPE-WEST2", "EUROPE-WEST3"]}),
    )
    yield (
        "a secret's replicas",
        "gcp:secretmanager/secret:Secret",
        {
            "replication": {
                "userManaged": {
                    "replicas": [{"location": "us-east1", "customerManagedEncryption": {"kmsKeyName": GKEY}}]
                }
            }
        },
    )
    yield (
        "backups of a database of Google",
        "gcp:sql/databaseInstance:DatabaseInstance",
        {
            "region": "europe-west3",
            "encryptionKeyName": GKEY,
            "deletionProtection": True,
            "settings": {
                "ipConfiguration": {"ipv4Enabled": False},
                "backupConfiguration": {"enabled": True, "location": "us"},
            },
        },
    )
    yield (
        "a foreign key of Google",
        "gcp:compute/disk:Disk",
        {"zone": "europe-west3-a", "diskEncryptionKey": {"kmsKeySelfLink": FOREIGN_GKEY}},
    )
    yield (
        "nodes elsewhere",
        "gcp:container/nodePool:NodePool",
        merged(POOL, nodeLocations=["europe-west3-a", "us-east1-b"]),
    )
    yield (
        "a snapshot's storage",
        "gcp:compute/snapshot:Snapshot",
        {
            "sourceDisk": "d",
            "zone": "europe-west3-a",
            "storageLocations": ["us"],
            "snapshotEncryptionKey": {"kmsKeySelfLink": GKEY},
        },
    )
    yield (
        "an image's storage",
        "gcp:compute/image:Image",
        {
            "sourceDisk": "d",
            "storageLocations": ["us-central1"],
            "imageEncryptionKey": {"kmsKeySelfLink": GKEY},
        },
    )
    yield (
        "a backup plan of GKE",
        "gcp:gkebackup/backupPlan:BackupPlan",
        {"location": "us-east1", "cluster": "c"},
    )
    yield (
        "a topic's storage",
        "gcp:pubsub/topic:Topic",
        {
            "kmsKeyName": GKEY,
            "messageStoragePolicy": {"allowedPersistenceRegions": ["europe-west3", "us-east1"]},
        },
    )
    yield (
        "a sink of logs",
        "gcp:logging/projectSink:ProjectSink",
        {"destination": "logging.googleapis.com/projects/p/locations/us/buckets/b"},
    )
    yield (
        "a transfer",
        "gcp:storage/transferJob:TransferJob",
        {
            "description": "x",
            "transferSpec": {
                "awsS3DataSource": {"bucketName": "b"},
                "gcsDataSink": {"bucketName": "c"},
                "httpDataSource": {"listUrl": "https://s3.us-east-1.amazonaws.com/x"},
            },
        },
    )
    yield (
        "a service's image",
        "gcp:cloudrunv2/service:Service",
        {"location": "europe-west3", "template": {"containers": [{"image": "us-docker.pkg.dev/p/r/i"}]}},
    )
    yield "a spanner instance", "gcp:spanner/instance:Instance", {"config": "nam3", "displayName": "x"}
    yield (
        "a firestore",
        "gcp:firestore/database:Database",
        {"locationId": "nam5", "type": "FIRESTORE_NATIVE", "cmekConfig": {"kmsKeyName": GKEY}},
    )
    yield (
        "a mirror of subnets",
        "gcp:compute/subnetwork:Subnetwork",
        {"region": "us-east1", "ipCidrRange": "10.0.0.0/16", "network": "n"},
    )


def _world() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for address in ("0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1"):
        v6 = ":" in address
        inline = {"ipv6CidrBlocks" if v6 else "cidrBlocks": ["10.0.0.0/8", address] if not v6 else [address]}
        for port in (22, 443, 0):
            yield (
                f"a group for {address}:{port}",
                "SOV-NET-03",
                "aws:ec2/securityGroup:SecurityGroup",
                {"ingress": [{"protocol": "tcp", "fromPort": port, "toPort": port, **inline}]},
            )
        yield (
            f"a rule for {address}",
            "SOV-NET-03",
            "aws:ec2/securityGroupRule:SecurityGroupRule",
            {
                "type": "ingress",
                "securityGroupId": "g",
                "protocol": "-1",
                "fromPort": 0,
                "toPort": 0,
                **inline,
            },
        )
        yield (
            f"an ingress rule for {address}",
            "SOV-NET-03",
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
            {"securityGroupId": "g", "ipProtocol": "-1", ("cidrIpv6" if v6 else "cidrIpv4"): address},
        )
        yield (
            f"a default group for {address}",
            "SOV-NET-03",
            "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
            {"ingress": [{"protocol": "-1", "fromPort": 0, "toPort": 0, **inline}]},
        )
        yield (
            f"an ACL for {address}",
            "SOV-NET-03",
            "aws:ec2/networkAcl:NetworkAcl",
            {
                "vpcId": "v",
                "ingress": [
                    {
                        "protocol": "-1",
                        "ruleNo": 1,
                        "action": "allow",
                        "cidrBlock": address,
                        "fromPort": 0,
                        "toPort": 0,
                    }
                ],
            },
        )
        yield (
            f"an ACL's rule for {address}",
            "SOV-NET-03",
            "aws:ec2/networkAclRule:NetworkAclRule",
            {
                "networkAclId": "a",
                "egress": False,
                "protocol": "-1",
                "ruleNumber": 1,
                "ruleAction": "allow",
                ("ipv6CidrBlock" if v6 else "cidrBlock"): address,
            },
        )
        yield (
            f"a firewall for {address}",
            "SOV-NET-03",
            "gcp:compute/firewall:Firewall",
            {"network": "n", "allows": [{"protocol": "tcp", "ports": ["22"]}], "sourceRanges": [address]},
        )
        yield (
            f"a native group for {address}",
            "providers-are-known",
            "aws-native:ec2:SecurityGroup",
            {
                "groupDescription": "x",
                "securityGroupIngress": [{"ipProtocol": "-1", ("cidrIpv6" if v6 else "cidrIp"): address}],
            },
        )
        yield (
            f"masters for {address}",
            "SOV-NET-03",
            "gcp:container/cluster:Cluster",
            merged(GKE, masterAuthorizedNetworksConfig={"cidrBlocks": [{"cidrBlock": address}]}),
        )
    yield (
        "a prefix list of all",
        "SOV-NET-03",
        "aws:ec2/managedPrefixList:ManagedPrefixList",
        {"addressFamily": "IPv4", "maxEntries": 1, "entries": [{"cidr": "0.0.0.0/0"}]},
    )
    yield (
        "a listener of the internet",
        "SOV-NET-03|SOV-NET-02",
        "aws:lb/loadBalancer:LoadBalancer",
        {"loadBalancerType": "network", "internal": False},
    )
    yield (
        "a balancer by default",
        "SOV-NET-03|SOV-NET-02",
        "aws:lb/loadBalancer:LoadBalancer",
        {"loadBalancerType": "application"},
    )
    yield "an old balancer", "SOV-NET-03|SOV-NET-02", "aws:elb/loadBalancer:LoadBalancer", {"listeners": []}
    yield (
        "a public forwarding rule",
        "SOV-NET-03|SOV-NET-02",
        "gcp:compute/globalForwardingRule:GlobalForwardingRule",
        {"target": "t", "loadBalancingScheme": "EXTERNAL_MANAGED", "portRange": "443"},
    )
    yield (
        "a public database",
        "SOV-NET-03",
        "aws:rds/instance:Instance",
        {"publiclyAccessible": True, "storageEncrypted": True, "kmsKeyId": KEY, "deletionProtection": True},
    )
    yield (
        "a public database of Google",
        "SOV-NET-03",
        "gcp:sql/databaseInstance:DatabaseInstance",
        {
            "region": "europe-west3",
            "encryptionKeyName": GKEY,
            "deletionProtection": True,
            "settings": {
                "ipConfiguration": {"ipv4Enabled": True, "authorizedNetworks": [{"value": "0.0.0.0/0"}]}
            },
        },
    )
    yield (
        "a public OpenSearch",
        "SOV-NET-14",
        "aws:opensearch/domain:Domain",
        {"accessPolicies": policy({"AWS": "*"}), "encryptAtRest": {"enabled": True, "kmsKeyId": KEY}},
    )
    yield (
        "a public API gateway",
        "SOV-NET-03|SOV-NET-02|SOV-RES-10|SOV-NET-14",
        "aws:apigateway/restApi:RestApi",
        {"endpointConfiguration": {"types": "EDGE"}},
    )


def _principals() -> Iterator[tuple[str, str, dict[str, Any]]]:
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


def _wildcards() -> Iterator[tuple[str, str, dict[str, Any]]]:
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
    for role in ("roles/owner", "roles/editor"):
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


def _plain_data() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    encrypted = "SOV-KEY-13|SOV-KEY-05"
    for value in (False, None):
        for token, key in (
            ("aws:ebs/volume:Volume", "encrypted"),
            ("aws:rds/instance:Instance", "storageEncrypted"),
            ("aws:rds/cluster:Cluster", "storageEncrypted"),
            ("aws:efs/fileSystem:FileSystem", "encrypted"),
            ("aws:docdb/cluster:Cluster", "storageEncrypted"),
            ("aws:neptune/cluster:Cluster", "storageEncrypted"),
            ("aws:redshift/cluster:Cluster", "encrypted"),
            ("aws:elasticache/replicationGroup:ReplicationGroup", "atRestEncryptionEnabled"),
        ):
            yield f"{key} {value} of {token}", encrypted, token, {} if value is None else {key: value}
    yield "a queue", encrypted, "aws:sqs/queue:Queue", {"sqsManagedSseEnabled": False}
    yield "a topic", encrypted, "aws:sns/topic:Topic", {}
    yield "a topic under AWS's key", "SOV-KEY-05", "aws:sns/topic:Topic", {"kmsMasterKeyId": "alias/aws/sns"}
    yield "a stream", encrypted, "aws:kinesis/stream:Stream", {"encryptionType": "NONE"}
    yield "a log group", "SOV-KEY-05", "aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 400}
    yield (
        "a log group kept for a week",
        "SOV-AUD-02",
        "aws:cloudwatch/logGroup:LogGroup",
        {"retentionInDays": 7, "kmsKeyId": KEY},
    )
    yield (
        "a registry",
        "SOV-KEY-05",
        "aws:ecr/repository:Repository",
        {"imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": {"scanOnPush": True}},
    )
    yield (
        "a registry with AES",
        "SOV-KEY-05",
        "aws:ecr/repository:Repository",
        {
            "imageTagMutability": "IMMUTABLE",
            "imageScanningConfiguration": {"scanOnPush": True},
            "encryptionConfigurations": [{"encryptionType": "AES256"}],
        },
    )
    yield "a secret", "SOV-KEY-05", "aws:secretsmanager/secret:Secret", {}
    yield (
        "a secure parameter",
        "SOV-KEY-05",
        "aws:ssm/parameter:Parameter",
        {"type": "SecureString", "name": "/a", "value": "x"},
    )
    yield (
        "a table",
        "SOV-KEY-05",
        "aws:dynamodb/table:Table",
        {"attributes": [], "deletionProtectionEnabled": True},
    )
    yield "Lustre", "SOV-KEY-05", "aws:fsx/lustreFileSystem:LustreFileSystem", {"storageCapacity": 1200}
    yield (
        "a template's volume",
        "SOV-KEY-02|SOV-KEY-13",
        "aws:ec2/launchTemplate:LaunchTemplate",
        merged(TEMPLATE, blockDeviceMappings=[{"deviceName": "/dev/xvda", "ebs": {"encrypted": "false"}}]),
    )
    yield (
        "a template's second volume",
        "SOV-KEY-02|SOV-KEY-13",
        "aws:ec2/launchTemplate:LaunchTemplate",
        merged(
            TEMPLATE,
            blockDeviceMappings=[
                *TEMPLATE["blockDeviceMappings"],
                {"deviceName": "/dev/xvdb", "ebs": {"volumeSize": 1}},
            ],
        ),
    )
    yield (
        "an instance",
        "SOV-KEY-02|SOV-KEY-13",
        "aws:ec2/instance:Instance",
        {"ami": "a", "metadataOptions": {"httpTokens": "required"}},
    )
    yield "an OpenSearch", encrypted, "aws:opensearch/domain:Domain", {"encryptAtRest": {"enabled": False}}
    yield (
        "an MSK of plain text",
        "SOV-KEY-13|SOV-KEY-12|SOV-KEY-05",
        "aws:msk/cluster:Cluster",
        {
            "encryptionInfo": {
                "encryptionInTransit": {"clientBroker": "PLAINTEXT"},
                "encryptionAtRestKmsKeyArn": KEY,
            }
        },
    )
    yield (
        "a cache without TLS",
        "SOV-KEY-12",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        {
            "atRestEncryptionEnabled": True,
            "kmsKeyId": KEY,
            "transitEncryptionEnabled": False,
            "description": "x",
        },
    )
    yield (
        "an old TLS of a listener",
        "SOV-KEY-12",
        "aws:lb/listener:Listener",
        {"protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-2016-08", "loadBalancerArn": "a"},
    )
    yield (
        "a plain listener",
        "SOV-KEY-12",
        "aws:lb/listener:Listener",
        {"protocol": "HTTP", "port": 80, "loadBalancerArn": "a", "defaultActions": [{"type": "forward"}]},
    )
    yield (
        "an old TLS of Google",
        "SOV-KEY-12",
        "gcp:compute/sSLPolicy:SSLPolicy",
        {"minTlsVersion": "TLS_1_0", "profile": "COMPATIBLE"},
    )
    yield (
        "a database without TLS",
        "SOV-KEY-12",
        "gcp:sql/databaseInstance:DatabaseInstance",
        {
            "region": "europe-west3",
            "encryptionKeyName": GKEY,
            "deletionProtection": True,
            "settings": {
                "ipConfiguration": {"ipv4Enabled": False, "sslMode": "ALLOW_UNENCRYPTED_AND_ENCRYPTED"}
            },
        },
    )
    yield (
        "a domain's old TLS",
        "SOV-KEY-12",
        "aws:opensearch/domain:Domain",
        {
            "encryptAtRest": {"enabled": True, "kmsKeyId": KEY},
            "domainEndpointOptions": {
                "enforceHttps": True,
                "tlsSecurityPolicy": "Policy-Min-TLS-1-0-2019-07",
            },
        },
    )
    yield "a disk of Google", "SOV-KEY-05", "gcp:compute/disk:Disk", {"zone": "europe-west3-a"}
    yield (
        "a registry of Google",
        "SOV-KEY-05",
        "gcp:artifactregistry/repository:Repository",
        {"location": "europe-west3", "format": "DOCKER", "dockerConfig": {"immutableTags": True}},
    )
    yield (
        "a database of Google",
        "SOV-KEY-05",
        "gcp:sql/databaseInstance:DatabaseInstance",
        {
            "region": "europe-west3",
            "deletionProtection": True,
            "settings": {"ipConfiguration": {"ipv4Enabled": False}},
        },
    )
    yield (
        "Filestore",
        "SOV-KEY-05",
        "gcp:filestore/instance:Instance",
        {"location": "europe-west3-a", "deletionProtectionEnabled": True},
    )
    yield (
        "a topic of Google",
        "SOV-KEY-05",
        "gcp:pubsub/topic:Topic",
        {"messageStoragePolicy": {"allowedPersistenceRegions": ["europe-west3"]}},
    )
    yield (
        "a node pool's disk",
        "SOV-KEY-02",
        "gcp:container/nodePool:NodePool",
        merged(POOL, nodeConfig=without(POOL["nodeConfig"], "bootDiskKmsKey")),
    )
    yield (
        "a Redis of Google",
        "SOV-KEY-05",
        "gcp:redis/instance:Instance",
        {"region": "europe-west3", "memorySizeGb": 1},
    )


def _clusters() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    eks = "aws:eks/cluster:Cluster"
    for title, control, props in (
        ("public by default", "SOV-NET-01", merged(EKS, vpcConfig={"endpointPrivateAccess": True})),
        (
            "public",
            "SOV-NET-01",
            merged(EKS, vpcConfig={"endpointPublicAccess": True, "endpointPrivateAccess": True}),
        ),
        (
            "public for some",
            "SOV-NET-01",
            merged(
                EKS,
                vpcConfig={
                    "endpointPublicAccess": True,
                    "publicAccessCidrs": ["203.0.113.0/24"],
                    "endpointPrivateAccess": True,
                },
            ),
        ),
        (
            "public in text",
            "SOV-NET-01",
            merged(EKS, vpcConfig={"endpointPublicAccess": "true", "endpointPrivateAccess": True}),
        ),
        ("no networks", "SOV-NET-01", without(EKS, "vpcConfig")),
        ("Secrets in the clear", "SOV-KEY-01", without(EKS, "encryptionConfig")),
        (
            "Secrets not covered",
            "SOV-KEY-01",
            merged(EKS, encryptionConfig={"provider": {"keyArn": KEY}, "resources": []}),
        ),
        (
            "Secrets under a foreign key",
            "SOV-RES-04",
            merged(EKS, encryptionConfig={"provider": {"keyArn": FOREIGN_KEY}, "resources": ["secrets"]}),
        ),
        ("no logs", "SOV-AUD-01", without(EKS, "enabledClusterLogTypes")),
        ("no audit", "SOV-AUD-01", merged(EKS, enabledClusterLogTypes=["api"])),
    ):
        yield f"EKS {title}", control, eks, props
    node = POOL["nodeConfig"]
    yield (
        "EKS native, public",
        "providers-are-known",
        "aws-native:eks:Cluster",
        {"resourcesVpcConfig": {"endpointPublicAccess": True}},
    )
    yield (
        "GKE pool, legacy metadata",
        "SOV-NET-09",
        "gcp:container/nodePool:NodePool",
        merged(POOL, nodeConfig={**node, "workloadMetadataConfig": {"mode": "GCE_METADATA"}}),
    )
    yield (
        "GKE pool, metadata by default",
        "SOV-NET-09",
        "gcp:container/nodePool:NodePool",
        merged(POOL, nodeConfig=without(node, "workloadMetadataConfig")),
    )
    yield (
        "GKE pool, legacy endpoints",
        "SOV-NET-09",
        "gcp:container/nodePool:NodePool",
        merged(POOL, nodeConfig={**node, "metadata": {"disable-legacy-endpoints": "false"}}),
    )
    yield (
        "GKE pool, public nodes",
        "SOV-NET-02",
        "gcp:container/nodePool:NodePool",
        merged(POOL, networkConfig={"enablePrivateNodes": False}),
    )
    for title, options in (
        ("optional", {"httpTokens": "optional"}),
        ("absent", {}),
        ("hops", {"httpTokens": "required", "httpPutResponseHopLimit": 2}),
    ):
        yield (
            f"metadata {title} of a template",
            "SOV-NET-09",
            "aws:ec2/launchTemplate:LaunchTemplate",
            merged(TEMPLATE, metadataOptions=options),
        )
        yield (
            f"metadata {title} of an instance",
            "SOV-NET-09",
            "aws:ec2/instance:Instance",
            {"metadataOptions": options, "rootBlockDevice": {"encrypted": True, "kmsKeyId": KEY}},
        )
    yield (
        "metadata of an image's copy",
        "SOV-NET-09",
        "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults",
        {"httpTokens": "optional"},
    )
    yield (
        "a public subnet",
        "SOV-NET-02",
        "aws:ec2/subnet:Subnet",
        {"mapPublicIpOnLaunch": True, "cidrBlock": "10.0.0.0/24"},
    )
    yield (
        "a public instance",
        "SOV-NET-02",
        "aws:ec2/instance:Instance",
        {
            "associatePublicIpAddress": True,
            "metadataOptions": {"httpTokens": "required"},
            "rootBlockDevice": {"encrypted": True, "kmsKeyId": KEY},
        },
    )
    yield (
        "a public instance of Google",
        "SOV-NET-02",
        "gcp:compute/instance:Instance",
        {
            "zone": "europe-west3-a",
            "bootDisk": {"kmsKeySelfLink": GKEY},
            "networkInterfaces": [{"network": "n", "accessConfigs": [{}]}],
        },
    )
    yield (
        "no trail validation",
        "SOV-AUD-04",
        "aws:cloudtrail/trail:Trail",
        merged(TRAIL, enableLogFileValidation=False),
    )
    yield (
        "one region's trail",
        "SOV-AUD-04",
        "aws:cloudtrail/trail:Trail",
        without(TRAIL, "isMultiRegionTrail"),
    )
    yield (
        "a trail that is off",
        "SOV-AUD-04",
        "aws:cloudtrail/trail:Trail",
        merged(TRAIL, enableLogging=False),
    )
    yield "a trail without a key", "SOV-KEY-05", "aws:cloudtrail/trail:Trail", without(TRAIL, "kmsKeyId")
    yield (
        "logs kept a week by Google",
        "SOV-AUD-02",
        "gcp:logging/projectBucketConfig:ProjectBucketConfig",
        {"location": "europe-west3", "retentionDays": 7, "cmekSettings": {"kmsKeyName": GKEY}},
    )
    yield "an access key", "SOV-OPS-03", "aws:iam/accessKey:AccessKey", {"user": "u"}
    yield "a service account's key", "SOV-OPS-03", "gcp:serviceaccount/key:Key", {"serviceAccountId": "a"}
    yield "a user with a password", "SOV-OPS-03", "aws:iam/userLoginProfile:UserLoginProfile", {"user": "u"}
    yield "a key without rotation", "SOV-KEY-06", "aws:kms/key:Key", {"deletionWindowInDays": 30}
    yield (
        "a key gone in a week",
        "SOV-KEY-06",
        "aws:kms/key:Key",
        {"enableKeyRotation": True, "deletionWindowInDays": 7},
    )
    yield "a key of Google without rotation", "SOV-KEY-06", "gcp:kms/cryptoKey:CryptoKey", {"keyRing": "r"}
    yield "an accelerator", "SOV-RES-10", "aws:globalaccelerator/accelerator:Accelerator", {"name": "a"}
    yield "a CDN", "SOV-RES-10", "aws:cloudfront/distribution:Distribution", {"enabled": True}
    yield "a CDN of Google", "SOV-RES-10", "gcp:compute/backendService:BackendService", {"enableCdn": True}
    yield (
        "a foreign partition",
        "SOV-RES-02",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        {"role": "r", "policyArn": "arn:aws-cn:iam::aws:policy/X"},
    )
    for token in (
        "azure-native:storage:StorageAccount",
        "hcloud:index/server:Server",
        "azure:storage/account:Account",
        "digitalocean:index/droplet:Droplet",
        "scaleway:index/instanceServer:InstanceServer",
        "google-native:storage/v1:Bucket",
        "oci:ObjectStorage/bucket:Bucket",
        "alicloud:oss/bucket:Bucket",
    ):
        yield f"an unknown cloud {token}", "providers-are-known", token, {"location": "x"}


def _buckets() -> Iterator[Entry]:
    inline = {
        "serverSideEncryptionConfiguration": {
            "rule": {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY}}
        }
    }
    yield Entry("a bare bucket", "SOV-NET-13", BUCKET, {}, (SSE,))
    yield Entry("a bucket without encryption", "SOV-KEY-03", BUCKET, {}, (BLOCK,))
    for version in ("", "V2"):
        sse = f"aws:s3/bucketServerSideEncryptionConfiguration{version}:BucketServerSideEncryptionConfiguration{version}"
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


def bad() -> Iterator[Entry]:
    for title, control, token, props, provider in _regions():
        yield Entry(title, control, token, props, provider=provider)
    for title, token, props in _copies():
        yield Entry(f"copy: {title}", "SOV-RES-04|SOV-RES-03|SOV-RES-01|SOV-RES-02|SOV-RES-09", token, props)
    for title, control, token, props in _world():
        yield Entry(title, control, token, props)
    for title, token, props in _principals():
        yield Entry(f"everybody: {title}", "SOV-NET-14|SOV-KEY-08|SOV-NET-13", token, props)
    for title, token, props in _wildcards():
        yield Entry(f"wildcard: {title}", "SOV-OPS-09", token, props)
    for title, control, token, props in _plain_data():
        yield Entry(f"plain: {title}", control, token, props)
    for title, control, token, props in _clusters():
        yield Entry(title, control, token, props)
    yield from _buckets()
    token = "aws:bedrock/customModel:CustomModel"
    hosted = {"customModelKmsKeyId": KEY}
    yield Entry("a hosted model", "SOV-LCK-01", token, hosted, profile="eu-sovereign")


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
"""What a stack has beside a resource of the type."""


def good() -> Iterator[Entry]:
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
        ("a log group for ever", "aws:cloudwatch/logGroup:LogGroup", {"kmsKeyId": KEY}),
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
