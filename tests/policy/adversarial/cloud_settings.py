"""Data in the clear, and clusters that are open."""

from collections.abc import Iterator
from typing import Any

from tests.policy.adversarial.cloud_parts import (
    EKS,
    FOREIGN_KEY,
    GKEY,
    KEY,
    POOL,
    TEMPLATE,
    TRAIL,
    merged,
    without,
)


def plain_data() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
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


def clusters() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
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
