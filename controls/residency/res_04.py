"""No replica, copy or key is in a region outside the profile."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from corral.controls.cloud import is_cloud
from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Undecided, Verdict
from corral.controls.kinds import PODS, SERVING, of_kubernetes
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.residency.places import inner
from corral.controls.settings import true

_APART = (
    "kyverno.io",
    "gatekeeper.sh",
    "coreos.com",
    "x-k8s.io",
    "kserve.io",
    "helm.sh",
    "istio.io",
    "cilium.io",
)
"""Ends of groups of the Kubernetes API whose resources name no place of a cloud, or only compare with it."""
_FLEETS = "cluster.x-k8s.io"
"""End of groups by which clusters are made."""
_SPACE = "kubernetes:core/v1:Namespace"
_NOTE = re.compile(r"\.k8s\.aws/(?:default-)?region$|(?:^|[./])(?:default-)?(?:region|location|zone)$")
"""Annotation that says where something is made."""
_PODS = tuple(kind.token for kind in (*PODS, *SERVING))
"""Beginnings of types of resources that say by labels of nodes where their pods may run."""
_CHOICES = ("nodeSelector", "requiredDuringSchedulingIgnoredDuringExecution")
_ENDPOINT = re.compile(r"endpoint|s3url|^server$", re.IGNORECASE)
"""Key beside which a region is a word of a store's own."""
_REPLICAS = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
_ACCOUNTS: Mapping[str, tuple[str, ...]] = {
    _REPLICAS: ("rules.destination.account",),
    "aws:s3/bucketReplicationConfiguration:BucketReplicationConfiguration": ("rules.destination.account",),
    "aws:s3/bucket:Bucket": ("replicationConfiguration.rules.destination.accountId",),
    "aws:s3/bucketV2:BucketV2": ("replicationConfigurations.rules.destinations.accountId",),
}
"""Where a type names the other account to which copies of objects go."""
_COPYABLE = ("aws:kms/key:Key", "aws:kms/externalKey:ExternalKey")


def _applies(token: str) -> bool:
    """Whether a resource is of a cloud, or of an operator of the cluster that may make one there."""
    package, _, rest = token.partition(":")
    group = rest.partition("/")[0]
    return (
        is_cloud(token)
        or token.startswith(_PODS)
        or token.startswith(_SPACE)
        or (package == "kubernetes" and _makes(group))
    )


def _makes(group: str) -> bool:
    """Whether resources of an API group may make something at a place of a cloud."""
    return group.endswith(_FLEETS) or not (of_kubernetes(group) or group.endswith(_APART))


def _noted(subject: Resource) -> Iterator[str]:
    """Places that annotations say, by which ACK knows where to make what it makes."""
    notes: Any = subject.value("metadata.annotations", {})
    for key, value in cast(Mapping[str, Any], notes).items() if isinstance(notes, Mapping) else ():
        if _NOTE.search(key) and isinstance(value, str):
            yield value


def _placed(value: Any) -> Any:
    """`value`, of a resource of an operator, less what is excluded and what is a store's own."""
    if isinstance(value, list):
        return [_placed(item) for item in cast(list[Any], value)]
    if not isinstance(value, Mapping):
        return value
    fields = cast(Mapping[str, Any], value)
    if fields.get("operator") in ("NotIn", "DoesNotExist"):
        return {}
    own = any(_ENDPOINT.search(key) and not _of_cloud(key, item) for key, item in fields.items())
    return {
        key: _placed(item)
        for key, item in fields.items()
        if key not in ("metadata", "status") and not (own and key.lower().endswith("region"))
    }


def _of_cloud(key: str, value: Any) -> bool:
    """Whether what stands at `key` leaves it to a region where a store is."""
    return key.lower().endswith("region") or "amazonaws." in str(value).lower()


def _chosen(value: Any) -> Iterator[Any]:
    """The choices of nodes anywhere in `value`, less what they exclude."""
    if isinstance(value, list):
        for item in cast(list[Any], value):
            yield from _chosen(item)
    elif isinstance(value, Mapping):
        for key, item in cast(Mapping[str, Any], value).items():
            if key in _CHOICES and item is not UNKNOWN:
                yield _placed(item)
            else:
                yield from _chosen(item)


def _inside(subject: Resource, profile: Profile) -> Iterator[str]:
    if profile.regions is None:
        return
    undecided = ""
    if is_cloud(subject.type):
        props = subject.props
    elif subject.type.startswith(_PODS):
        props = {"nodes": list(_chosen(subject.props))}
    elif subject.type.startswith(_SPACE):
        props = {"noted": [{"region": one} for one in _noted(subject)]}
    else:
        props = {**_placed(subject.props), "noted": [{"region": one} for one in _noted(subject)]}
    for path, region in inner(props):
        if region is UNKNOWN:
            undecided = f"`{path}` is not known yet"
        elif not profile.holds(region):
            yield f"`{path}` is in {region}, outside profile {profile.name}"
    if subject.type in _COPYABLE and any(true(one) for one in subject.values("multiRegion")):
        yield "`multiRegion` is true, so any region can have a copy of the key"
    for path in _ACCOUNTS.get(subject.type, ()):
        for account in subject.values(path):
            if isinstance(account, str) and account:
                yield f"`{path}` is {account}: copies go to another account, to a place that is not known"
    if undecided:
        raise Undecided(undecided)


def _resource(**props: Any) -> Resource:
    return Resource("aws:dynamodb/table:Table", "t", props)


def _made(group: str, kind: str, **spec: Any) -> Resource:
    return Resource(f"kubernetes:{group}/v1:{kind}", "r", {"spec": spec})


def _zones(operator: str) -> Resource:
    wish = {"key": "topology.kubernetes.io/zone", "operator": operator, "values": ["us-east-1a"]}
    return _made("karpenter.sh", "NodePool", template={"spec": {"requirements": [wish]}})


def _affinity(operator: str, *zones: str) -> dict[str, Any]:
    wish = {"key": "topology.kubernetes.io/zone", "operator": operator, "values": list(zones)}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [wish]}]}
    return {"affinity": {"nodeAffinity": {_CHOICES[1]: terms}}}


def _fleet(region: str) -> Resource:
    return _made("infrastructure.cluster.x-k8s.io", "AWSCluster", region=region)


def _annotated(region: str) -> Resource:
    notes = {"services.k8s.aws/region": region, "example.org/text": "not us-east-1"}
    return Resource(
        "kubernetes:s3.services.k8s.aws/v1alpha1:Bucket", "b", {"metadata": {"annotations": notes}}
    )


def _routed(prefix: str) -> Resource:
    model = f"arn:aws:bedrock:eu-north-1:123456789012:{prefix}anthropic.claude-sonnet-4-20250514-v1:0"
    return Resource(
        "aws:bedrock/inferenceProfile:InferenceProfile", "p", {"modelSource": {"copyFrom": model}}
    )


def _scheduled(spec: dict[str, Any]) -> Resource:
    return Resource("kubernetes:apps/v1:Deployment", "d", {"spec": {"template": {"spec": spec}}})


CONTROL = Control(
    id="SOV-RES-04",
    title="No replica, copy or key is in a region outside the profile",
    severity=Severity.CRITICAL,
    sources=("SOV-3", "DORA 30"),
    remedy="Keep replicas, copies and keys in the profile's regions.",
    rule=ResourceRule(_applies, _inside),
    cases=(
        Case(
            "objects copied to another account",
            Verdict.BAD,
            Resource(
                _REPLICAS, "r", {"rules": [{"destination": {"bucket": "b", "account": "210987654321"}}]}
            ),
        ),
        Case(
            "objects copied within the account",
            Verdict.GOOD,
            Resource(_REPLICAS, "r", {"rules": [{"destination": {"bucket": "arn:aws:s3:::b"}}]}),
        ),
        *(
            Case(f"a cluster of Cluster API in {region}", verdict, _fleet(region))
            for region, verdict in (("us-east-1", Verdict.BAD), ("eu-central-1", Verdict.GOOD))
        ),
        *(
            Case(f"what ACK makes in {region}", verdict, _annotated(region))
            for region, verdict in (("us-east-1", Verdict.BAD), ("eu-central-1", Verdict.GOOD))
        ),
        *(
            Case(f"pods that are to run in {title}", verdict, _scheduled(spec))
            for title, verdict, spec in (
                (
                    "a region outside",
                    Verdict.BAD,
                    {"nodeSelector": {"topology.kubernetes.io/region": "us-west-2"}},
                ),
                ("a region", Verdict.GOOD, {"nodeSelector": {"topology.kubernetes.io/region": "eu-west-1"}}),
                ("zones outside, too", Verdict.BAD, _affinity("In", "eu-central-1a", "us-east-1a")),
                ("any zone but one", Verdict.GOOD, _affinity("NotIn", "us-east-1a")),
                ("a site of one's own", Verdict.GOOD, _affinity("In", "fra-1")),
            )
        ),
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
        Case(
            "a bucket that an operator makes outside",
            Verdict.BAD,
            _made("s3.aws.upbound.io", "Bucket", forProvider={"region": "us-east-1"}),
        ),
        Case(
            "a bucket that an operator makes inside",
            Verdict.GOOD,
            _made("s3.aws.upbound.io", "Bucket", forProvider={"region": "eu-west-1"}),
        ),
        Case("zones of nodes outside", Verdict.BAD, _zones("In")),
        Case("zones of nodes that are left out", Verdict.GOOD, _zones("NotIn")),
        Case(
            "a backup at an endpoint outside",
            Verdict.BAD,
            _made(
                "postgresql.cnpg.io",
                "Cluster",
                backup={"barmanObjectStore": {"endpointURL": "https://s3.us-east-1.amazonaws.com"}},
            ),
        ),
        Case(
            "a region that is a word of a store's own",
            Verdict.GOOD,
            _made(
                "velero.io",
                "BackupStorageLocation",
                config={"region": "us-east-1", "s3Url": "http://s3.a.svc"},
            ),
        ),
        *(
            Case(f"a model of Bedrock that answers {title}", verdict, _routed(prefix))
            for title, verdict, prefix in (
                ("in the US", Verdict.BAD, "inference-profile/us."),
                ("anywhere", Verdict.BAD, "inference-profile/global."),
                ("in the European area", Verdict.BAD, "inference-profile/eu."),
                ("in its region", Verdict.GOOD, "foundation-model/"),
            )
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
                ("a zone of GPUs", "gcp:container/nodePool:NodePool", {"nodeLocations": ["us-south1-ai1b"]}),
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
