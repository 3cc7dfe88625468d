"""Disks of nodes are under a customer's key."""

from corral.controls.control import UNKNOWN, Case, Control, Resource, Verdict
from corral.controls.levels import Severity
from corral.controls.settings import Table, customers, limited, needed, required

_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
_POOL = "gcp:container/nodePool:NodePool"
_NO_KEY = "names no key of the customer's"
_TABLE: Table = {
    _TEMPLATE: (needed("blockDeviceMappings.ebs.kmsKeyId", customers, _NO_KEY),),
    "aws:ec2/instance:Instance": (
        needed("rootBlockDevice.kmsKeyId", customers, _NO_KEY),
        limited("ebsBlockDevices.kmsKeyId", customers, _NO_KEY),
    ),
    _POOL: (needed("nodeConfig.bootDiskKmsKey", customers, _NO_KEY, "nodeConfig.bootDisk.kmsKey"),),
    "gcp:compute/instanceTemplate:InstanceTemplate": (
        needed("disks.diskEncryptionKey.kmsKeySelfLink", customers, _NO_KEY),
    ),
}


def _template(**disk: object) -> Resource:
    return Resource(_TEMPLATE, "t", {"blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": disk}]})


CONTROL = Control(
    id="SOV-KEY-02",
    title="Disks of nodes are under a customer's key",
    severity=Severity.HIGH,
    sources=("CIS GKE 5.9.1", "SOV-3"),
    remedy="EKS: `kmsKeyId` of each volume of the launch template; GKE: `bootDiskKmsKey` of the node pool.",
    rule=required(_TABLE),
    cases=(
        Case("under a key", Verdict.GOOD, _template(encrypted="true", kmsKeyId="arn:k")),
        Case("encrypted by AWS's key", Verdict.BAD, _template(encrypted="true")),
        Case("AWS's key by its alias", Verdict.BAD, _template(kmsKeyId="alias/aws/ebs")),
        Case("not known yet", Verdict.UNDECIDED, _template(kmsKeyId=UNKNOWN)),
        Case("a pool without", Verdict.BAD, Resource(_POOL, "p", {"nodeConfig": {}})),
        Case(
            "a pool under a key", Verdict.GOOD, Resource(_POOL, "p", {"nodeConfig": {"bootDiskKmsKey": "k"}})
        ),
    ),
)
