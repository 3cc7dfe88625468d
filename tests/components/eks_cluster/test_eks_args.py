"""What a cluster on EKS refuses before anything is made, what it lets through, and addresses of its zones."""

import itertools
from ipaddress import IPv4Network

import pulumi
import pytest
from tests.components.eks_cluster.clusters import BRANDENBURG, FRANKFURT, cluster_args, eks

from corral.catalogue.eks import LETTERS
from corral.components._kit import ArgsError, checked
from corral.components.eks_cluster import EksCluster, EksClusterArgs
from corral.components.eks_cluster.allowed import problems
from corral.components.eks_cluster.layout import private_cidr, public_cidr

A, B = f"{FRANKFURT}a", f"{FRANKFURT}b"
REFUSED = [
    (
        {"region": "mars-north-1", "zones": ["mars-north-1a", "mars-north-1b"]},
        "models.region: 'mars-north-1'",
    ),
    ({"region": "cn-north-1", "zones": ["cn-north-1a", "cn-north-1b"]}, "use a region of aws or aws-eusc"),
    ({"zones": []}, r"models.zones: \[\]; EKS needs subnets in two zones or more"),
    ({"zones": [A]}, "EKS needs subnets in two zones or more"),
    ({"zones": [A, A, B]}, f"models.zones: '{A}' is there 2 times"),
    ({"zones": [A, "eu-west-1b"]}, f"models.zones: 'eu-west-1b' is no zone of {FRANKFURT}"),
    ({"zones": [A, "eu-central-1-ham-1a"]}, "'eu-central-1-ham-1a' is no zone of"),
    (
        {"version": "1.33"},
        "models.version: '1.33' is too old for GPUs handed out by claim; use 1.34 or newer",
    ),
    ({"version": "v1.35"}, "models.version: 'v1.35' is not allowed; use MAJOR.MINOR"),
    ({"version": "1.35.2"}, "models.version: '1.35.2' is not allowed"),
    ({"admins": {}}, "models.admins: empty"),
    ({"admins": {"me": "platform"}}, r"models.admins\['me'\]: 'platform' is not allowed; use the ARN"),
    ({"admins": {"a b": "arn:aws:iam::111122223333:role/x"}}, "models.admins, key 'a b'"),
    (
        {"admins": {"me": "arn:aws-eusc:iam::111122223333:role/x"}},
        f"is of partition aws-eusc; {FRANKFURT} is in aws",
    ),
    ({"network": {"cidr": "10.0.0.0/24"}}, "models.network.cidr: '10.0.0.0/24' has no room"),
    ({"network": {"cidr": "10.0.0.0/8"}}, "'10.0.0.0/8' is wider than a VPC"),
    ({"network": {"cidr": "10.0.0.1/16"}}, "models.network.cidr: '10.0.0.1/16' is not allowed"),
    ({"network": {"cidr": "fd00::/16"}}, "models.network.cidr: 'fd00::/16' is not allowed"),
    ({"network": {"egress": "open"}}, "models.network.egress: 'open' is not allowed; use one of none, nat"),
    ({"network": {"api_clients": ["0.0.0.0/0"]}}, r"models.network.api_clients\[0\]: '0.0.0.0/0'"),
    ({"network": {"api_clients": ["192.0.2.1"]}}, r"models.network.api_clients\[0\]: '192.0.2.1'"),
    (
        {"nodes": {"instance_type": "p5.48xlarge"}},
        r"models.nodes.instance_type: 'p5.48xlarge' has GPUs \(H100-80GB\); use a type without",
    ),
    ({"nodes": {"instance_type": "large"}}, "models.nodes.instance_type: 'large' is not allowed"),
    ({"nodes": {"instance_type": "m7i.large", "min": 0}}, "models.nodes.min: 0 is not allowed"),
    ({"nodes": {"instance_type": "m7i.large", "max": 1}}, "models.nodes.max: 1 is below the fewest, 2"),
    ({"nodes": {"instance_type": "m7i.large", "disk_gib": 8}}, "models.nodes.disk_gib: 8 is not allowed"),
    ({"network": {"cidr": "169.254.0.0/20"}}, "'169.254.0.0/20'; no machine has such addresses"),
    ({"network": {"cidr": "172.17.0.0/16"}}, "'172.17.0.0/16'; services of AWS have these addresses"),
    (
        {"nodes": {"instance_type": "m6a.large", "confidential": True}},
        f"models.nodes.confidential: 'true'; EC2 has no AMD SEV-SNP in {FRANKFURT}, which encrypts memory",
    ),
    ({"tags": {"aWS:owner": "a"}}, "models.tags, key 'aWS:owner': AWS keeps keys and values with aws: for"),
    ({"tags": {"owner": "a;b"}}, r"models.tags\['owner'\]: 'a;b' is not allowed; use letters, digits"),
    ({"tags": {f"t{number}": "a" for number in range(41)}}, "models.tags: 41 tags; use 40 at most"),
    ({"log_days": 366}, "models.log_days: 366 is not allowed; CloudWatch has 1, 3,"),
    ({"addon_versions": {"calico": "v1.2.3-eksbuild.1"}}, "'calico' is not installed; allowed are aws-ebs"),
    (
        {"addon_versions": {"coredns": "latest"}},
        r"models.addon_versions\['coredns'\]: 'latest' is not allowed",
    ),
    ({"cluster_name": "a/b"}, "models.cluster_name: 'a/b' is not allowed"),
    ({"keys": {"secrets": 7}}, "models.keys.secrets"),
    ({"egress": "nat"}, "unknown key 'egress'"),
]


@pytest.mark.parametrize(("wrong", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_a_cluster_that_cannot_be_is_refused_in_one_line_and_nothing_is_made(wrong, said, monkeypatch):
    registered: list[str] = []
    monkeypatch.setattr(pulumi.Resource, "__init__", lambda self, kind, *_, **__: registered.append(kind))
    with pytest.raises(ArgsError, match=said) as refused:
        EksCluster("models", {**cluster_args(), **wrong})
    lines = str(refused.value).split("\n")
    assert registered == [] and all(line.startswith("models") for line in lines)


ALLOWED = [
    {"version": "1.33", "dra": False},
    {"network": {"cidr": "172.20.0.0/22", "egress": "nat"}},
    {"network": {"api_clients": ["10.0.0.0/8"]}},
    {"zones": [f"{FRANKFURT}c", A, B]},
    {"log_days": 3653},
    {"tags": {"owner": "", "lambda": "a" * 256}},
    {"addon_versions": {"vpc-cni": "v1.2.3-eksbuild.4"}},
    {"nodes": {"instance_type": "m7g.xlarge", "min": 1, "max": 1, "disk_gib": 20}},
    {"admins": {"made-here": pulumi.Output.from_input("known later")}},
]


@pytest.mark.parametrize("right", ALLOWED, ids=lambda one: "-".join(one))
def test_a_cluster_that_can_be_is_let_through(right):
    args = cluster_args(**right)
    assert list(problems(checked(args, EksClusterArgs, "models"), "models")) == []


def test_either_partition_has_clusters():
    for region in (FRANKFURT, BRANDENBURG):
        assert list(problems(cluster_args(region), "models")) == []


def test_everything_that_is_wrong_is_said_at_once():
    with pytest.raises(ArgsError) as refused:
        EksCluster("models", cluster_args(zones=[A], version="1.2.3", log_days=2))
    assert len(str(refused.value).split("\n")) == 3


@pytest.mark.parametrize("vpc", ["10.0.0.0/16", "10.4.0.0/20", "192.168.0.0/22"])
def test_subnets_lie_in_the_vpc_beside_one_another_and_are_as_large_as_eks_needs(vpc):
    zones = [f"{FRANKFURT}{letter}" for letter in LETTERS]
    private = [IPv4Network(private_cidr(vpc, zone)) for zone in zones]
    public = [IPv4Network(public_cidr(vpc, zone)) for zone in zones]
    for one in (*private, *public):
        assert one.subnet_of(IPv4Network(vpc)) and one.prefixlen <= 28
    for one, other in itertools.combinations([*private, *public], 2):
        assert not one.overlaps(other)


def test_a_zone_has_the_same_addresses_whichever_others_there_are():
    def subnets(**more):
        return {one.name: one.inputs["cidrBlock"] for one in eks(**more).of("Subnet")}

    before = subnets()
    more = subnets(zones=[f"{FRANKFURT}c", B, A], network={"egress": "nat"})
    assert len(more) == 6 and {name: more[name] for name in before} == before
