"""Disks of nodes are under a customer's key."""

from collections.abc import Iterator

from corral.controls.cloud import stored
from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.settings import Table, customers, limited, missing, needed, true

_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
_POOL = "gcp:container/nodePool:NodePool"
_NO_KEY = "names no key of the customer's"
_PLAIN = "is not true, so the disk is under no key"
_TABLE: Table = {
    _TEMPLATE: (
        needed("blockDeviceMappings.ebs.kmsKeyId", customers, _NO_KEY),
        limited("blockDeviceMappings.ebs.encrypted", true, _PLAIN),
    ),
    "aws:ec2/instance:Instance": (
        needed("rootBlockDevice.kmsKeyId", customers, _NO_KEY),
        limited("ebsBlockDevices.kmsKeyId", customers, _NO_KEY),
    ),
    _POOL: (needed("nodeConfig.bootDiskKmsKey", customers, _NO_KEY, "nodeConfig.bootDisk.kmsKey"),),
    "gcp:compute/instanceTemplate:InstanceTemplate": (
        needed("disks.diskEncryptionKey.kmsKeySelfLink", customers, _NO_KEY),
    ),
}


def _held(subject: Resource, _profile: Profile) -> Iterator[str]:
    yield from missing(_TABLE[subject.type], stored(subject))


def _template(**disk: object) -> Resource:
    return Resource(_TEMPLATE, "t", {"blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": disk}]})


CONTROL = Control(
    id="SOV-KEY-02",
    title="Disks of nodes are under a customer's key",
    severity=Severity.HIGH,
    sources=("CIS GKE 5.9.1", "SOV-3"),
    remedy="EKS: `kmsKeyId` of each volume of the launch template; GKE: `bootDiskKmsKey` of the node pool.",
    rule=ResourceRule(lambda token: token in _TABLE, _held),
    cases=(
        Case("under a key", Verdict.GOOD, _template(encrypted="true", kmsKeyId="arn:k")),
        Case(
            "a disk of the machine's own beside it",
            Verdict.GOOD,
            Resource(
                _TEMPLATE,
                "t",
                {"blockDeviceMappings": [{"ebs": {"kmsKeyId": "arn:k"}}, {"virtualName": "ephemeral0"}]},
            ),
        ),
        Case(
            "a disk of the machine's own alone",
            Verdict.BAD,
            Resource(_TEMPLATE, "t", {"blockDeviceMappings": [{"virtualName": "ephemeral0"}]}),
        ),
        Case("encrypted by AWS's key", Verdict.BAD, _template(encrypted="true")),
        Case("AWS's key by its alias", Verdict.BAD, _template(kmsKeyId="alias/aws/ebs")),
        Case("not known yet", Verdict.UNDECIDED, _template(kmsKeyId=UNKNOWN)),
        Case("a pool without", Verdict.BAD, Resource(_POOL, "p", {"nodeConfig": {}})),
        Case(
            "a pool under a key", Verdict.GOOD, Resource(_POOL, "p", {"nodeConfig": {"bootDiskKmsKey": "k"}})
        ),
    ),
)
