"""Components of AWS in a program of one's own, under the real engine, in both partitions of AWS."""

import json
import re
import shutil
from pathlib import Path

import pytest
from tests.providers.faults import RETRIES, Lag
from tests.providers.programs import Program

from corral.catalogue.aws import partition_of
from corral.embedded.engine.changes import PropertyChange
from corral.embedded.engine.deployed import Deployed

pytestmark = pytest.mark.engine

CHECKOUT = Path(__file__).resolve().parents[2]
FRANKFURT, PARIS, BRANDENBURG = "eu-central-1", "eu-west-3", "eusc-de-east-1"
UP = ("up", "--yes", "--skip-preview")
DESTROY = ("destroy", "--yes", "--skip-preview")
TAGS = {"owner": "models", "data-class": "internal"}
AMBIENT = "None"
OWN = 'pulumi.ResourceOptions(provider=pulumi_aws.Provider("aws", region="%s"))'
TEN_LINES = """
import pulumi
import pulumi_aws
from corral import EksCluster, EksGpuNodePool, EksModelBucket
aws = %(aws)s
cluster = EksCluster("models", %(cluster)s, aws)
bucket = EksModelBucket("weights", %(bucket)s | {"cluster": cluster.name}, aws)
pool = EksGpuNodePool("whole", %(pool)s | {"cluster": cluster.name, "subnets": cluster.subnets,
                                           "disk": {"key": cluster.disk_key}}, aws)
pulumi.export("kubeconfig", cluster.kubeconfig)
pulumi.export("store", bucket.bucket)
pulumi.export("pool", pool.name)
"""

FABRIC = """
zone = cluster.subnets.apply(lambda every: every[:1])
near = EksGpuNodePool("near", %s | {"cluster": cluster.name, "subnets": zone,
                                    "disk": {"key": cluster.disk_key}}, aws)
"""
NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
SECURITY_GROUP = "aws:ec2/securityGroup:SecurityGroup"
PLACEMENT_GROUP = "aws:ec2/placementGroup:PlacementGroup"
CARDS = 32
"""Network cards of a p5.48xlarge, each with an Elastic Fabric Adapter."""


def program(region, **changes):
    """The ten lines, with some arguments otherwise."""
    protect = changes.get("protect", True)
    cluster = {
        "region": region,
        "zones": [f"{region}a", f"{region}b"],
        "version": "1.35",
        "admins": {"platform": f"arn:{partition_of(region)}:iam::123456789012:role/platform"},
        "nodes": {"instance_type": "m7i.xlarge"},
        "protect": protect,
        "tags": TAGS,
        **changes.get("cluster", {}),
    }
    readers = [{"namespace": "models", "service_account": "reader"}]
    bucket = {"region": region, "readers": readers, "protect": protect, "tags": TAGS}
    machines = {"gpu": "H100-80GB", "instance_type": "p5.48xlarge"}
    pool = {"pool": "whole", **machines, **changes.get("pool", {})}
    aws = AMBIENT if region == BRANDENBURG else OWN % region
    near = FABRIC % {"pool": "near", **machines, "efa": True} if region == FRANKFURT else ""
    return TEN_LINES % {"aws": aws, "cluster": cluster, "bucket": bucket, "pool": pool} + near


class Site:
    """Somebody's stack in one region."""

    def __init__(self, folder, served, region):
        self.aws, port = served
        self.region = region
        ambient = {"aws:region": region} if region == BRANDENBURG else {}
        self.stack = Program(folder, f"aws:{port}", config=ambient)

    @property
    def account(self):
        return self.aws.account(self.region)

    def write(self, **changes):
        self.stack.write(program(self.region, **changes))

    def changes(self, *command):
        """What AWS was told during a command that succeeds: operation and name of each resource."""
        self.aws.calls.clear()
        self.stack.done(*command)
        return self.told()

    def told(self):
        return {(operation, urn.rpartition("::")[2]) for operation, urn in self.aws.calls}


@pytest.fixture(scope="module")
def frankfurt(served, tmp_path_factory):
    """A cluster, a bucket and a pool, with the policy pack on, while AWS throttles."""
    site = Site(tmp_path_factory.mktemp("frankfurt"), served, FRANKFURT)
    site.write()
    site.aws.faults.add("create", "::models-(cluster|vpc)$", "ThrottlingException", times=6)
    told = site.stack.done(*UP, "--policy-pack", str(CHECKOUT / "policy"))
    assert "corral-sovereignty" in told and "[severity:" not in told, told
    assert len(site.aws.faults.seen) == 6
    return site


def arns(value):
    """Every ARN in what the engine keeps."""
    return set(re.findall(r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:", json.dumps(value)))


def test_a_stack_comes_up_under_the_pack_and_what_is_made_is_of_its_partition(frankfurt):
    state = frankfurt.stack.state()
    assert {one.split(":")[1] for one in arns(state)} == {"aws"}
    assert {one.split(":")[3] for one in arns(state)} == {"", FRANKFURT}
    (cluster,) = frankfurt.account.eks.list_clusters()["clusters"]
    assert cluster == "models"
    assert len(frankfurt.account.eks.list_nodegroups(clusterName="models")["nodegroups"]) == 3


def test_nodes_with_a_fabric_are_near_each_other_and_reach_their_like_alone_on_every_card(frankfurt):
    state = frankfurt.stack.state()
    made = {(one["type"], one["urn"].rpartition("::")[2]): one for one in state}
    group, placement = (made[one, "near-fabric"]["id"] for one in (SECURITY_GROUP, PLACEMENT_GROUP))
    nodes, others = (made[NODE_GROUP, f"{name}-nodes"]["inputs"] for name in ("near", "whole"))
    assert len(nodes["subnetIds"]) == 1 < len(others["subnetIds"])
    ec2 = frankfurt.account.ec2
    template = nodes["launchTemplate"]["id"]
    (version,) = ec2.describe_launch_template_versions(LaunchTemplateId=template)["LaunchTemplateVersions"]
    data = version["LaunchTemplateData"]
    assert data["Placement"] == {"GroupName": placement}
    fabric = [one for one in data["NetworkInterfaces"] if one.get("InterfaceType") == "efa-only"]
    assert [(one["NetworkCardIndex"], one["Groups"]) for one in fabric] == [
        (card, [group]) for card in range(CARDS)
    ]
    (described,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    for rules in (described["IpPermissions"], described["IpPermissionsEgress"]):
        (rule,) = rules
        assert rule["IpProtocol"] == "-1" and rule["IpRanges"] == []
        assert [pair["GroupId"] for pair in rule["UserIdGroupPairs"]] == [group]


def test_the_kubeconfig_is_a_secret_and_leads_to_the_cluster(frankfurt):
    shown = json.loads(frankfurt.stack.done("stack", "output", "--json"))
    assert shown["kubeconfig"] == "[secret]"
    kept = [one for one in frankfurt.stack.state() if one["type"] == "pulumi:pulumi:Stack"]
    (outputs,) = [one["outputs"] for one in kept]
    text = json.loads(outputs["kubeconfig"]["plaintext"])
    endpoint = frankfurt.account.eks.describe_cluster(name="models")["cluster"]["endpoint"]
    assert json.loads(text)["clusters"][0]["cluster"]["server"] == endpoint


def test_a_second_up_changes_nothing(frankfurt):
    assert frankfurt.changes(*UP) == set()


def test_a_change_reaches_what_it_is_about_alone(frankfurt):
    frankfurt.write(cluster={"log_days": 400}, pool={"capacity": {"purchase": "spot"}})
    told = frankfurt.changes(*UP)
    assert {name for operation, name in told if operation == "update"} == {"models-logs", "models-flows"}
    replaced = {"whole-nodes", *scaling_tags(frankfurt)}
    for done in ("create", "delete"):
        assert {name for operation, name in told if operation == done} == replaced
    calls = [one for one in frankfurt.aws.calls if one[1].endswith("::whole-nodes")]
    assert [operation for operation, _ in calls] == ["create", "delete"], "the next one comes first"


def scaling_tags(site):
    """Names of those of the pool `whole`."""
    names = {one["urn"].rpartition("::")[2] for one in site.stack.state() if one["type"].endswith("tag:Tag")}
    return {name for name in names if name.startswith("whole-")}


def bucket_of(site):
    (name,) = [one["Name"] for one in site.account.s3.list_buckets()["Buckets"]]
    return name


def drift(site, logs):
    """What `corral drift` says of a stack without Helm releases."""
    stack = site.stack
    program = shutil.which("pulumi", path=stack.environment["PATH"])
    lines = []
    deployed = Deployed(stack.program, stack.stack, program, stack.environment, logs, no_kubectl)
    return deployed.drift(lines.append)


def no_kubectl():
    raise AssertionError("there is no Helm release")


def test_what_somebody_opened_by_hand_is_seen_and_closed_again(frankfurt, tmp_path):
    name = bucket_of(frankfurt)
    frankfurt.account.s3.put_public_access_block(
        Bucket=name,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": False,
            "IgnorePublicAcls": False,
            "BlockPublicPolicy": False,
            "RestrictPublicBuckets": False,
        },
    )
    frankfurt.account.s3.delete_bucket_policy(Bucket=name)
    by_hand = {change.urn.rpartition("::")[2]: change for change in drift(frankfurt, tmp_path)}
    assert by_hand.keys() == {"weights-public-access", "weights-policy"}
    opened = by_hand["weights-public-access"].properties
    assert PropertyChange("blockPublicAcls", True, False) in opened and len(opened) == 4
    assert by_hand["weights-policy"].operation == "delete"
    told = frankfurt.changes(*UP, "--refresh")
    assert told == {("update", "weights-public-access"), ("create", "weights-policy")}
    closed = frankfurt.account.s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert all(closed.values())
    assert "aws:SecureTransport" in frankfurt.account.s3.get_bucket_policy(Bucket=name)["Policy"]


def test_what_is_protected_stays_until_protection_is_taken_away(frankfurt):
    refused = frankfurt.stack.refused(*DESTROY)
    assert "protected" in refused and "models-cluster" in refused
    assert frankfurt.account.eks.list_clusters()["clusters"] == ["models"]
    s3, name = frankfurt.account.s3, bucket_of(frankfurt)
    closed = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert all(closed.values()), "a bucket that stays is as closed as before"
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    assert s3.get_bucket_encryption(Bucket=name) and s3.get_bucket_policy(Bucket=name)
    frankfurt.write(cluster={"log_days": 400}, pool={"capacity": {"purchase": "spot"}}, protect=False)
    frankfurt.stack.done(*UP)
    frankfurt.stack.done(*DESTROY)
    assert left(frankfurt) == {}


def left(site):
    """What is still there in AWS, by kind."""
    account = site.account
    keys = [one["KeyId"] for one in account.kms.list_keys()["Keys"]]
    now = {
        "clusters": account.eks.list_clusters()["clusters"],
        "buckets": [one["Name"] for one in account.s3.list_buckets()["Buckets"]],
        "vpcs": [one["VpcId"] for one in account.ec2.describe_vpcs()["Vpcs"] if not one["IsDefault"]],
        "roles": [one["RoleName"] for one in account.iam.list_roles()["Roles"]],
        "keys": [
            key
            for key in keys
            if account.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] != "PendingDeletion"
        ],
        "logs": [one["logGroupName"] for one in account.logs.describe_log_groups()["logGroups"]],
        "simulated": list(account.simulated),
    }
    return {kind: there for kind, there in now.items() if there}


def assert_each_is_made_once(site):
    """What is in the state, and nothing else, was made since the calls were cleared, and nothing deleted."""
    made = [urn for operation, urn in site.aws.calls if operation == "create"]
    kept = [one["urn"] for one in site.stack.state() if one.get("id") and "aws:" in one["type"]]
    assert sorted(made) == sorted(kept)
    assert not [urn for operation, urn in site.aws.calls if operation == "delete"]


def test_a_quota_halfway_and_nodes_that_fail_lose_nothing_and_double_nothing(served, tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("brandenburg"), served, BRANDENBURG)
    site.write(protect=False)
    site.aws.calls.clear()
    quota = "You've reached your quota for maximum clusters"
    site.aws.faults.add("create", "::models-cluster$", "ResourceLimitExceededException", message=quota)
    assert quota in site.stack.refused(*UP)
    site.aws.faults.add("create", "::whole-nodes$", "NodeCreationFailure", message="unhealthy", made=True)
    assert "NodeCreationFailure: unhealthy" in site.stack.refused(*UP)
    site.stack.done(*UP)
    assert_each_is_made_once(site)
    state = site.stack.state()
    assert len(site.account.eks.list_nodegroups(clusterName="models")["nodegroups"]) == 2
    assert {one.split(":")[1] for one in arns(state)} == {"aws-eusc"}
    site.stack.done(*DESTROY)
    assert left(site) == {}


def test_what_aws_does_not_show_at_once_is_waited_for_or_named_and_never_made_twice(served, tmp_path_factory):
    """AWS is consistent in the end: a read, or another service, may not see what was made just now."""
    site = Site(tmp_path_factory.mktemp("paris"), served, PARIS)
    site.write(protect=False)
    site.aws.calls.clear()
    site.aws.faults.seen.clear()
    soon, late = RETRIES - 1, RETRIES
    site.aws.faults.lags += [
        Lag("::models-vpc$", reads=soon),
        Lag("::weights-bucket$", reads=soon),
        Lag("::models-nodes$", calls=soon),
        Lag("::models-control-plane$", calls=late),
        Lag("::models-cluster$", reads=late),
    ]
    refused = site.stack.refused(*UP)
    assert re.search(
        r"InvalidParameterException.*roleArn, arn:aws:iam::\S+:role/models-control-plane\S*, does not",
        refused,
    )
    assert "couldn't find" not in refused
    refused = site.stack.refused(*UP)
    assert "models-cluster" in refused and "NotFound: couldn't find resource" in refused
    site.stack.done(*UP)
    assert len(site.aws.faults.seen) == 3 * soon + 2 * late, "each was late, and waited for as long as told"
    assert_each_is_made_once(site)
    assert site.account.eks.list_clusters()["clusters"] == ["models"]
    assert site.changes(*UP, "--refresh") == set()
    site.stack.done(*DESTROY)
    assert left(site) == {}
