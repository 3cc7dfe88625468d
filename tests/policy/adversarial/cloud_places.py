"""Places, replicas and copies outside the profile."""

from collections.abc import Iterator
from typing import Any

from tests.policy.adversarial.cloud_parts import (
    BUCKET,
    FOREIGN_GKEY,
    FOREIGN_KEY,
    GCS,
    GKEY,
    KEY,
    POOL,
    TEMPLATE,
    merged,
)
from tests.policy.adversarial.stacks import text


def regions() -> Iterator[tuple[str, str, str, dict[str, Any], dict[str, Any]]]:
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


def copies() -> Iterator[tuple[str, str, dict[str, Any]]]:
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
