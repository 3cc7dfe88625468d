"""Volumes, file systems and databases are encrypted."""

from collections.abc import Iterator, Mapping

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

_SWITCHES: Mapping[str, str] = {
    "aws:ebs/volume:Volume": "encrypted",
    "aws:efs/fileSystem:FileSystem": "encrypted",
    "aws:rds/instance:Instance": "storageEncrypted",
    "aws:rds/cluster:Cluster": "storageEncrypted",
    "aws:docdb/cluster:Cluster": "storageEncrypted",
    "aws:neptune/cluster:Cluster": "storageEncrypted",
    "aws:redshift/cluster:Cluster": "encrypted",
    "aws:elasticache/replicationGroup:ReplicationGroup": "atRestEncryptionEnabled",
}
"""Property that encrypts, by type; Google encrypts all of these."""


def _encrypted(subject: Resource, profile: Profile) -> Iterator[str]:
    switch = _SWITCHES[subject.type]
    if subject.value(switch, False) not in (True, "true"):
        yield f"`{switch}` is not true"


CONTROL = Control(
    id="SOV-KEY-05",
    title="Volumes, file systems and databases are encrypted",
    severity=Severity.HIGH,
    sources=("DORA RTS 6",),
    remedy="Set the property that the message names, and `kmsKeyId` to a key that the customer holds.",
    rule=ResourceRule(lambda token: token in _SWITCHES, _encrypted),
    cases=(
        Case(
            "an encrypted volume", Verdict.GOOD, Resource("aws:ebs/volume:Volume", "v", {"encrypted": True})
        ),
        Case(
            "not known yet", Verdict.UNDECIDED, Resource("aws:ebs/volume:Volume", "v", {"encrypted": UNKNOWN})
        ),
        *(Case(f"{token} without", Verdict.BAD, Resource(token, "v", {})) for token in _SWITCHES),
    ),
)
