"""What is stored is encrypted."""

from collections.abc import Iterator

from corral.controls.cloud import stored
from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Verdict
from corral.controls.keys.subjects import INHERITED
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.settings import NODE_CLASS, Table, filled, limited, missing, needed, true

_OFF = "is not true, so the data is not encrypted"
_INSTANCE = "aws:ec2/instance:Instance"
_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
_QUEUE = "aws:sqs/queue:Queue"
_DISKS = (
    needed("rootBlockDevice.encrypted", true, _OFF),
    limited("ebsBlockDevices.encrypted", true, _OFF),
)
_SWITCHES = {
    "aws:dax/cluster:Cluster": "serverSideEncryption.enabled",
    "aws:docdb/cluster:Cluster": "storageEncrypted",
    "aws:docdb/globalCluster:GlobalCluster": "storageEncrypted",
    "aws:ebs/snapshotCopy:SnapshotCopy": "encrypted",
    "aws:ebs/volume:Volume": "encrypted",
    "aws:ec2/amiCopy:AmiCopy": "encrypted",
    "aws:efs/fileSystem:FileSystem": "encrypted",
    "aws:elasticache/replicationGroup:ReplicationGroup": "atRestEncryptionEnabled",
    "aws:elasticsearch/domain:Domain": "encryptAtRest.enabled",
    "aws:neptune/cluster:Cluster": "storageEncrypted",
    "aws:neptune/globalCluster:GlobalCluster": "storageEncrypted",
    "aws:opensearch/domain:Domain": "encryptAtRest.enabled",
    "aws:rds/cluster:Cluster": "storageEncrypted",
    "aws:rds/globalCluster:GlobalCluster": "storageEncrypted",
    "aws:rds/instance:Instance": "storageEncrypted",
    "aws:redshift/cluster:Cluster": "encrypted",
    "aws:storagegateway/nfsFileShare:NfsFileShare": "kmsEncrypted",
    "aws:storagegateway/smbFileShare:SmbFileShare": "kmsEncrypted",
    "aws:workspaces/workspace:Workspace": "userVolumeEncryptionEnabled",
}
"""Property that encrypts, by type; Google encrypts all of these."""
_TABLE: Table = {
    **{token: (needed(path, true, _OFF),) for token, path in _SWITCHES.items()},
    _INSTANCE: _DISKS,
    "aws:ec2/launchConfiguration:LaunchConfiguration": _DISKS,
    "aws:ec2/spotInstanceRequest:SpotInstanceRequest": _DISKS,
    _TEMPLATE: (needed("blockDeviceMappings.ebs.encrypted", true, _OFF),),
    "aws:sns/topic:Topic": (needed("kmsMasterKeyId", filled, "is absent, so messages are not encrypted"),),
    "aws:kinesis/stream:Stream": (needed("encryptionType", lambda one: one == "KMS", "is not KMS"),),
    NODE_CLASS: (limited("spec.blockDeviceMappings.ebs.encrypted", true, _OFF),),
    "aws:ec2/encryptionByDefault:EncryptionByDefault": (limited("enabled", true, _OFF),),
    "aws:msk/cluster:Cluster": (
        limited(
            "encryptionInfo.encryptionInTransit.clientBroker", lambda one: one == "TLS", "lets plain text in"
        ),
    ),
}


def _applies(token: str) -> bool:
    return token == _QUEUE or token in _TABLE


def _encrypted(subject: Resource, profile: Profile) -> Iterator[str]:
    if subject.type == _QUEUE:
        if not subject.value("kmsMasterKeyId") and not true(subject.value("sqsManagedSseEnabled", True)):
            yield "`sqsManagedSseEnabled` is false and no key is named, so messages are not encrypted"
        return
    if any(subject.value(path) for path in INHERITED.get(subject.type, ())):
        return
    subject = stored(subject)
    if subject.type == _TEMPLATE and not _has_volumes(subject):
        return
    yield from missing(_TABLE[subject.type], subject)


def _has_volumes(template: Resource) -> bool:
    """Whether a template states volumes; one for a node group may leave them to the group."""
    return template.props.get("blockDeviceMappings") is not None


_VOLUME = "aws:ebs/volume:Volume"

CONTROL = Control(
    id="SOV-KEY-13",
    title="Volumes, file systems, databases and queues are encrypted",
    severity=Severity.HIGH,
    sources=("CIS AWS 2.2.1", "DORA RTS 6", "GDPR 32"),
    remedy="Set the property that the message names, and the type's key to one that the customer holds.",
    rule=ResourceRule(_applies, _encrypted),
    cases=(
        Case("an encrypted volume", Verdict.GOOD, Resource(_VOLUME, "v", {"encrypted": True})),
        Case(
            "a disk of the machine's own beside a volume",
            Verdict.GOOD,
            Resource(
                _TEMPLATE,
                "t",
                {"blockDeviceMappings": [{"ebs": {"encrypted": True}}, {"virtualName": "ephemeral0"}]},
            ),
        ),
        *(
            Case(
                f"a class of Karpenter's {encrypted}",
                verdict,
                Resource(
                    NODE_CLASS, "c", {"spec": {"blockDeviceMappings": [{"ebs": {"encrypted": encrypted}}]}}
                ),
            )
            for encrypted, verdict in ((True, Verdict.GOOD), (False, Verdict.BAD))
        ),
        Case("said as text", Verdict.GOOD, Resource(_VOLUME, "v", {"encrypted": "true"})),
        Case("said to be false", Verdict.BAD, Resource(_VOLUME, "v", {"encrypted": "false"})),
        Case("not known yet", Verdict.UNDECIDED, Resource(_VOLUME, "v", {"encrypted": UNKNOWN})),
        *(Case(f"{token} without", Verdict.BAD, Resource(token, "v", {})) for token in _SWITCHES),
        Case(
            "a machine without", Verdict.BAD, Resource(_INSTANCE, "i", {"rootBlockDevice": {"volumeSize": 9}})
        ),
        Case(
            "one volume of two",
            Verdict.BAD,
            Resource(
                _INSTANCE,
                "i",
                {"rootBlockDevice": {"encrypted": True}, "ebsBlockDevices": [{"encrypted": False}]},
            ),
        ),
        Case(
            "a machine with", Verdict.GOOD, Resource(_INSTANCE, "i", {"rootBlockDevice": {"encrypted": True}})
        ),
        Case(
            "a template without",
            Verdict.BAD,
            Resource(_TEMPLATE, "t", {"blockDeviceMappings": [{"ebs": {"encrypted": "false"}}]}),
        ),
        Case(
            "a template with",
            Verdict.GOOD,
            Resource(_TEMPLATE, "t", {"blockDeviceMappings": [{"ebs": {"encrypted": "true"}}]}),
        ),
        Case("a queue of which nothing is said", Verdict.GOOD, Resource(_QUEUE, "q", {})),
        Case("a queue without", Verdict.BAD, Resource(_QUEUE, "q", {"sqsManagedSseEnabled": False})),
        Case("a topic without", Verdict.BAD, Resource("aws:sns/topic:Topic", "t", {})),
        Case(
            "a replica, which is as its source",
            Verdict.GOOD,
            Resource("aws:rds/instance:Instance", "r", {"replicateSourceDb": "main"}),
        ),
    ),
)
