"""Properties of cloud resources as they should be."""

from collections.abc import Mapping
from typing import Any

from tests.policy.adversarial.stacks import text

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
