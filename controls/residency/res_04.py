"""No replica, copy or key is in a region outside the profile."""

from collections.abc import Iterator
from typing import Any

from corral.controls.cloud import is_cloud
from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.residency.places import inner
from corral.controls.settings import true

_COPYABLE = ("aws:kms/key:Key", "aws:kms/externalKey:ExternalKey")


def _inside(subject: Resource, profile: Profile) -> Iterator[str]:
    if profile.regions is None:
        return
    undecided = ""
    for path, region in inner(subject.props):
        if region is UNKNOWN:
            undecided = f"`{path}` is not known yet"
        elif not profile.holds(region):
            yield f"`{path}` is in {region}, outside profile {profile.name}"
    if subject.type in _COPYABLE and any(true(one) for one in subject.values("multiRegion")):
        yield "`multiRegion` is true, so any region can have a copy of the key"
    if undecided:
        raise Undecided(undecided)


def _resource(**props: Any) -> Resource:
    return Resource("aws:dynamodb/table:Table", "t", props)


CONTROL = Control(
    id="SOV-RES-04",
    title="No replica, copy or key is in a region outside the profile",
    severity=Severity.CRITICAL,
    sources=("SOV-3", "DORA 30"),
    remedy="Keep replicas, copies and keys in the profile's regions.",
    rule=ResourceRule(is_cloud, _inside),
    cases=(
        Case("a replica inside", Verdict.GOOD, _resource(replicas=[{"regionName": "eu-west-1"}])),
        Case("a replica outside", Verdict.BAD, _resource(replicas=[{"regionName": "us-east-1"}])),
        Case("a secret's replica", Verdict.BAD, _resource(replicas=[{"region": "us-east-1"}])),
        Case(
            "a registry's replica",
            Verdict.BAD,
            _resource(replicationConfiguration={"rules": [{"destinations": [{"region": "us-east-1"}]}]}),
        ),
        Case(
            "a copy to a vault inside",
            Verdict.GOOD,
            _resource(destinationVaultArn="arn:aws:backup:eu-west-1:123456789012:backup-vault:v"),
        ),
        Case(
            "a copy to a vault outside",
            Verdict.BAD,
            _resource(destinationVaultArn="arn:aws:backup:us-east-1:123456789012:backup-vault:v"),
        ),
        Case("an ARN without a region", Verdict.GOOD, _resource(bucket="arn:aws:s3:::models")),
        Case("a location that is an address", Verdict.GOOD, _resource(a={"location": "s3://models"})),
        Case(
            "a key of Google's outside",
            Verdict.BAD,
            _resource(kmsKeyName="projects/p/locations/us-east1/keyRings/r/cryptoKeys/k"),
        ),
        *(
            Case(title, Verdict.BAD, Resource(token, "r", props))
            for title, token, props in (
                (
                    "a list of regions",
                    "aws:ssmincidents/replicationSet:ReplicationSet",
                    {"regions": ["us-east-1"]},
                ),
                (
                    "a policy within text",
                    "aws:iam/policy:Policy",
                    {
                        "policy": '{"Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": '
                        '"arn:aws:kms:us-east-1:123456789012:key/k"}]}'
                    },
                ),
                (
                    "an endpoint",
                    "aws:ec2/vpcEndpoint:VpcEndpoint",
                    {"serviceName": "com.amazonaws.us-east-1.s3"},
                ),
                (
                    "an image of a registry outside",
                    "aws:ecs/taskDefinition:TaskDefinition",
                    {"containerDefinitions": '[{"image": "1.dkr.ecr.us-east-1.amazonaws.com/x:1"}]'},
                ),
                ("a zone of a cluster", "gcp:container/cluster:Cluster", {"nodeLocations": ["us-east1-b"]}),
                (
                    "a dual region by its parts",
                    "gcp:storage/bucket:Bucket",
                    {"customPlacementConfig": {"dataLocations": ["EUROPE-WEST3", "US-EAST1"]}},
                ),
                (
                    "backups elsewhere",
                    "gcp:sql/databaseInstance:DatabaseInstance",
                    {"settings": {"backupConfiguration": {"location": "us"}}},
                ),
                ("a key of all regions", "aws:kms/key:Key", {"multiRegion": True}),
                ("an external key of all regions", "aws:kms/externalKey:ExternalKey", {"multiRegion": True}),
                (
                    "a key in Google's global ring",
                    "gcp:pubsub/topic:Topic",
                    {"kmsKeyName": "projects/p/locations/global/keyRings/r/cryptoKeys/k"},
                ),
                (
                    "an image of Google's in the US",
                    "gcp:cloudrun/service:Service",
                    {"a": {"image": "gcr.io/p/x"}},
                ),
            )
        ),
        *(
            Case(title, Verdict.GOOD, Resource(token, "r", props))
            for title, token, props in (
                ("a tag that names a region", "aws:s3/bucket:Bucket", {"tags": {"moved-from": "us-east-1"}}),
                (
                    "a description",
                    "aws:kms/key:Key",
                    {"description": "replaces us-east-1", "multiRegion": False},
                ),
                (
                    "a policy that denies a region",
                    "aws:iam/policy:Policy",
                    {"policy": '{"Statement": {"Effect": "Deny", "Resource": "arn:aws:s3:us-east-1:1:b"}}'},
                ),
                ("a name that ends like a region", "aws:s3/bucket:Bucket", {"bucket": "models-us-east-1"}),
                (
                    "a role of no region",
                    "aws:iam/role:Role",
                    {"managedPolicyArns": ["arn:aws:iam::aws:policy/X"]},
                ),
                (
                    "a pool of identities, which is global",
                    "gcp:iam/x:X",
                    {"pool": "projects/1/locations/global/workloadIdentityPools/p"},
                ),
            )
        ),
        Case("a replica not known yet", Verdict.UNDECIDED, _resource(replicas=[{"regionName": UNKNOWN}])),
        Case(
            "a replica outside beside one not known yet",
            Verdict.BAD,
            _resource(replicas=[{"regionName": UNKNOWN}, {"regionName": "us-east-1"}]),
        ),
        Case("another value not known yet", Verdict.GOOD, _resource(name=UNKNOWN)),
        Case(
            "anywhere in profile open",
            Verdict.GOOD,
            _resource(replicas=[{"region": "us-east-1"}]),
            profile="open",
        ),
    ),
)
