"""What a cluster on EKS is planned as, and what is refused of it, one line each."""

import copy
from typing import Any

import pytest
from tests.deploy.eks_stack import content, locks, planned

from corral.catalogue.aws import partition_of
from corral.catalogue.eks import eks_services
from corral.catalogue.instances import instances
from corral.catalogue.vocabulary import Cloud, Fabric, Platform
from corral.stacks.config.errors import StackErrors
from corral.stacks.config.loader import parse
from corral.stacks.planning.planner import plan
from corral.stacks.reports.scope import cluster_lines, system_node_lines

Stated = dict[str, Any]


def stated(*changes: tuple[str, Any], base: Stated | None = None, **sections: Any) -> Stated:
    """The committed stack, or `base`, with other values at dotted paths, and other sections."""
    made = copy.deepcopy(base or content()) | sections
    for path, value in changes:
        *parents, last = path.split(".")
        holder: Any = made
        for one in parents:
            holder = holder[int(one)] if isinstance(holder, list) else holder[one]
        if value is None:
            del holder[last]
        else:
            holder[last] = value
    return made


def refused(one: Stated, stack: str = "eks-eu") -> list[str]:
    """The lines that `one` is refused with."""
    with pytest.raises(StackErrors) as error:
        config = parse(one)
        plan(config, stack, locks(config))
    return str(error.value).splitlines()


def test_the_committed_stack_is_a_private_cluster_in_its_region():
    made = planned()
    eks = made.cluster.eks
    assert eks is not None
    assert (eks.name, eks.region, eks.partition, eks.version) == (
        "corral-eks-eu",
        "eu-central-1",
        "aws",
        "1.35",
    )
    assert made.cluster.platform is Platform.EKS_AL2023
    assert [pool.instance for pool in made.pools] == ["p4de.24xlarge"]
    assert made.cost.pools[0].node_hour is not None, "the catalogue prices it in that region"


def test_the_plan_shows_what_is_made_and_what_no_plan_can_tell():
    assert list(cluster_lines(planned().cluster)) == [
        "makes EKS cluster corral-eks-eu, Kubernetes 1.35, partition aws, in eu-central-1a, eu-central-1b, "
        "eu-central-1c",
        "3 to 6 system nodes m7i.2xlarge; way to the internet: none",
        "its API is reached from 10.40.0.0/16 and 10.8.0.0/16 alone",
        "only the update tells whether EC2 has the machines, and what quotas the account has",
    ]


def test_the_plan_says_what_system_nodes_must_hold_which_it_cannot_check():
    (line,) = system_node_lines(planned())
    assert line.startswith("not checked: whether system nodes have the memory")
    assert "3 in all, takes 19532 MiB of one node" in line
    without = content()
    del without["vector-db"]
    assert list(system_node_lines(planned(without))) == []


EKS = "cluster.eks"
INSIDE = {"name": "intake", "url": "s3://example-intake", "region": "eu-central-1"}
IRELAND: list[tuple[str, Any]] = [
    ("sovereignty.profile", "open"),
    ("sovereignty.region", "eu-west-1"),
    (f"{EKS}.zones", ["eu-west-1a", "eu-west-1b"]),
    (f"{EKS}.network.egress", "nat"),
    ("budget", None),
]
"""The stack in a region where EC2 has SEV-SNP."""
ELSEWHERE = {"name": "intake", "url": "s3://example-intake", "endpoint": "https://s3.example.eu"}
BAD: list[tuple[str, list[tuple[str, Any]], str]] = [
    (
        "a region outside the profile",
        [("sovereignty.region", "us-east-1")],
        "sovereignty.region: us-east-1: profile eu-controlled allows eu-central-1, eu-north-1, eu-south-1, "
        "eu-south-2, eu-west-1, eu-west-3, eusc-de-east-1\n",
    ),
    (
        "an instance type without the GPU",
        [("gpu-pools.0.instance", "p5.48xlarge")],
        "gpu-pools[0].instance: p5.48xlarge: p5.48xlarge has 8 x H100-80GB, and the pool has A100-80GB: "
        "use p4de.24xlarge\n",
    ),
    (
        "no instance type",
        [("gpu-pools.0.instance", None)],
        "gpu-pools[0].instance: missing: the stack makes these nodes: with 8 x A100-80GB there are "
        "p4de.24xlarge",
    ),
    (
        "a machine of another cloud",
        [
            ("gpu-pools.0.instance", "a2-ultragpu-8g"),
        ],
        "gpu-pools[0].instance: a2-ultragpu-8g: of another cloud than the cluster: with 8 x A100-80GB there "
        "are p4de.24xlarge",
    ),
    (
        "subnets without room",
        [(f"{EKS}.network.cidr", "10.40.0.0/22"), ("gpu-pools.0.nodes", {"min": 4, "max": 4})],
        "cluster.eks.network.cidr: 10.40.0.0/22: its subnets have 324 addresses for nodes and pods, and the "
        "nodes hold 406 from the start: use a wider network, up to /16, or fewer nodes",
    ),
    (
        "a network without parts for its zones",
        [(f"{EKS}.network.cidr", "10.40.0.0/24")],
        "cluster.eks.network.cidr: 10.40.0.0/24: a VPC is no wider than /16, and each zone needs an eighth: "
        "use /16 to /22",
    ),
    (
        "bits of a host",
        [(f"{EKS}.network.cidr", "10.40.0.1/16")],
        "cluster.eks.network.cidr: 10.40.0.1/16: use a network such as 10.0.0.0/16, without bits of a host",
    ),
    (
        "an API for anybody",
        [(f"{EKS}.network.api-clients", ["0.0.0.0/0"])],
        "cluster.eks.network.api-clients[0]: 0.0.0.0/0: anybody: use a network of yours",
    ),
    (
        "a zone of another region",
        [(f"{EKS}.zones", ["eu-central-1a", "eu-west-1b"])],
        "cluster.eks.zones[1]: eu-west-1b: no zone of eu-central-1: use eu-central-1a to eu-central-1g",
    ),
    (
        "one zone",
        [(f"{EKS}.zones", ["eu-central-1a"])],
        "cluster.eks.zones: eu-central-1a: EKS needs subnets in two zones or more: name them",
    ),
    (
        "a zone twice",
        [(f"{EKS}.zones", ["eu-central-1a", "eu-central-1b", "eu-central-1a"])],
        "cluster.eks.zones[2]: eu-central-1a: named before: name each zone once",
    ),
    (
        "nobody who administers",
        [(f"{EKS}.admins", {})],
        "cluster.eks.admins: empty: nobody could enter the cluster: name one role or more",
    ),
    (
        "a role of another partition",
        [(f"{EKS}.admins.platform", "arn:aws-eusc:iam::111122223333:role/platform")],
        "cluster.eks.admins.platform: arn:aws-eusc:iam::111122223333:role/platform: of partition aws-eusc, "
        "and eu-central-1 is in aws: use one of it",
    ),
    (
        "a key of another region",
        [(f"{EKS}.keys", {"disks": "arn:aws:kms:eu-west-1:111122223333:key/k"})],
        "cluster.eks.keys.disks: arn:aws:kms:eu-west-1:111122223333:key/k: a key of eu-west-1: use one of "
        "eu-central-1, where the cluster is",
    ),
    (
        "a period that CloudWatch has not",
        [(f"{EKS}.log-days", 100)],
        "cluster.eks.log-days: 100: use a period of CloudWatch: 1, 3,",
    ),
    (
        "system nodes with GPUs",
        [(f"{EKS}.system-nodes.instance", "g6.xlarge")],
        "cluster.eks.system-nodes.instance: g6.xlarge: has GPUs (L4): use a type without; GPUs are gpu-pools",
    ),
    (
        "fewer than the fewest",
        [(f"{EKS}.system-nodes.max", 2)],
        "cluster.eks.system-nodes.max: 2: below the fewest nodes, 3",
    ),
    (
        "a patch of Kubernetes",
        [("cluster.kubernetes", "1.35.2")],
        'cluster.kubernetes: 1.35.2: EKS chooses the patch: use MAJOR.MINOR, such as "1.35"',
    ),
    (
        "an old Kubernetes under the DRA driver",
        [("cluster.kubernetes", "1.33")],
        "cluster.kubernetes: 1.33: the DRA driver",
    ),
    (
        "no version",
        [("cluster.kubernetes", None)],
        'cluster.kubernetes: missing: kind eks makes a cluster of it: use such as "1.35"',
    ),
    (
        "no section",
        [(EKS, None)],
        "cluster.eks: missing: kind eks needs zones, admins and system-nodes there",
    ),
    (
        "a gate",
        [("cluster.feature-gates", ["DRAPartitionableDevices"])],
        "cluster.feature-gates: DRAPartitionableDevices: belongs to kind existing",
    ),
    (
        "a platform that is not made",
        [("cluster.platform", "eks-ubuntu")],
        "cluster.platform: eks-ubuntu: nodes that kind eks makes are eks-al2023, eks-bottlerocket: use one",
    ),
    (
        "nodes that exist",
        [("gpu-pools.0.nodes", {"names": ["gpu-1"]})],
        "gpu-pools[0].nodes: names: the stack makes these nodes: use {min: N, max: N}",
    ),
    (
        "nodes that nothing adds",
        [("gpu-pools.0.nodes", {"min": 1, "max": 2})],
        "gpu-pools[0].nodes: min 1, max 2: nothing here adds nodes when models wait",
    ),
    (
        "machines under a contract",
        [("gpu-pools.0.purchase", "reserved")],
        "gpu-pools[0].purchase: reserved: no key says which machines these are: use on-demand or spot",
    ),
    (
        "shares by time",
        [("gpu-pools.0.sharing", {"time-slicing": 4}), ("addons", {"dra-driver": "off"})],
        "gpu-pools[0].sharing: time-slicing: nodes that are made do not carry the label for it",
    ),
    (
        "a mirror out of reach",
        [("sovereignty.registry", "registry.example.eu/mirror")],
        "sovereignty.registry: registry.example.eu/mirror: nodes have no way to the internet: use a mirror "
        "such as ACCOUNT.dkr.ecr.eu-central-1.amazonaws.com/mirror, or cluster.eks.network.egress: nat",
    ),
    (
        "a mirror in another region",
        [("sovereignty.registry", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/mirror")],
        "sovereignty.registry: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/mirror: nodes have no way",
    ),
    (
        "a bucket of S3 without a name",
        [("model-storage", {"kind": "s3"})],
        "model-storage.bucket: missing: name one that nobody else has in S3",
    ),
    (
        "a bucket of S3 with a volume",
        [("model-storage.size", "200Gi")],
        "model-storage.size: 200Gi: S3 has no volume: leave it out",
    ),
    (
        "a name that no bucket of S3 has",
        [("model-storage.bucket", "-models")],
        "model-storage.bucket: -models: ",
    ),
    (
        "a model out of reach",
        [("model-sources", [ELSEWHERE])],
        "models[0].source: s3://example-intake/qwen3-8b: nodes have no way to the internet: use s3:// of "
        "eu-central-1 by model-sources, or cluster.eks.network.egress: nat",
    ),
    (
        "a pool whose name no node has room for",
        [("gpu-pools.0.name", "p" * 33)],
        f"gpu-pools[0].name: {'p' * 33}: names of nodes in a cloud begin with it: use up to 32 of",
    ),
    (
        "a network of this machine",
        [(f"{EKS}.network.cidr", "127.0.0.0/16")],
        "cluster.eks.network.cidr: 127.0.0.0/16: no machine has such addresses",
    ),
    (
        "a network of groups",
        [(f"{EKS}.network.cidr", "224.0.0.0/16")],
        "cluster.eks.network.cidr: 224.0.0.0/16: no machine has such addresses",
    ),
    (
        "callers of the API twice",
        [(f"{EKS}.network.api-clients", ["10.50.0.0/20", "10.50.0.0/20"])],
        "cluster.eks.network.api-clients[1]: 10.50.0.0/20: named before",
    ),
    (
        "one who administers by two names",
        [(f"{EKS}.admins.other", "arn:aws:iam::111122223333:role/platform")],
        "cluster.eks.admins.other: arn:aws:iam::111122223333:role/platform: is platform, too",
    ),
    (
        "a tag of AWS",
        [(f"{EKS}.tags", {"AWS:owner": "a"})],
        "cluster.eks.tags.AWS:owner: AWS:owner: AWS keeps keys and values with aws: for itself",
    ),
    (
        "tags that IAM takes for one",
        [(f"{EKS}.tags", {"Owner": "a", "owner": "b"})],
        "cluster.eks.tags.owner: owner: is Owner in other letters, to IAM the same",
    ),
    (
        "more tags than there is room for",
        [(f"{EKS}.tags", {f"t{number}": "a" for number in range(41)})],
        "cluster.eks.tags: 41 tags: what is made has 50 at most",
    ),
    (
        "a value of a tag of AWS",
        [(f"{EKS}.tags", {"owner": "Aws:a"})],
        "cluster.eks.tags.owner: owner: AWS keeps keys and values with aws: for itself",
    ),
    (
        "a value of a tag with more letters than it has",
        [(f"{EKS}.tags", {"owner": "a" * 257})],
        f"cluster.eks.tags.owner: {'a' * 57}...: use letters, digits, spaces and",
    ),
    *(
        (
            f"confidential nodes without SEV-SNP: {instance}",
            [
                *IRELAND,
                (f"{EKS}.system-nodes.confidential", True),
                (f"{EKS}.system-nodes.instance", instance),
            ],
            f"cluster.eks.system-nodes.instance: {instance}: AMD SEV-SNP, which encrypts memory, is of ",
        )
        for instance in ("m7i.2xlarge", "m7a.2xlarge", "m6a.12xlarge", "r6a.8xlarge", "c6ad.large")
    ),
    (
        "confidential nodes where EC2 has none",
        [(f"{EKS}.system-nodes.confidential", True), (f"{EKS}.system-nodes.instance", "m6a.2xlarge")],
        "cluster.eks.system-nodes.confidential: true: EC2 has no AMD SEV-SNP in eu-central-1, which encrypts "
        "memory: use us-east-2 or eu-west-1, or leave it out",
    ),
    (
        "the network of Docker in services of AWS",
        [(f"{EKS}.network.cidr", "172.17.128.0/17")],
        "cluster.eks.network.cidr: 172.17.128.0/17: services of AWS have these addresses for themselves",
    ),
    (
        "system nodes with GPUs of a size that is not in the catalogue",
        [(f"{EKS}.system-nodes.instance", "p4d.xlarge")],
        "cluster.eks.system-nodes.instance: p4d.xlarge: has GPUs: use a type without",
    ),
    *(
        (
            f"a bucket that S3 keeps for itself: {bucket}",
            [("model-storage.bucket", bucket)],
            f"model-storage.bucket: {bucket}: no name of a bucket of S3: use 3 to 63 of a-z, 0-9, - and .",
        )
        for bucket in ("xn--models", "sthree-models", "amzn-s3-demo-x", "models-s3alias", "models--x-s3")
    ),
]


@pytest.mark.parametrize(("changes", "line"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_what_cannot_be_made_is_refused_in_one_line_of_the_plan(changes: list[tuple[str, Any]], line: str):
    lines = refused(stated(*changes))
    assert any(f"{one}\n".startswith(line) for one in lines), lines
    assert len({one.partition(":")[0] for one in lines if "source" not in one}) <= 1, lines


def test_the_section_of_eks_belongs_to_its_kind():
    lines = refused(stated(("cluster.kind", "existing"), ("cluster.kubernetes", "1.35.2")))
    assert "cluster.eks: a section: belongs to kind eks" in lines


def test_a_bucket_of_s3_belongs_to_a_cluster_that_the_stack_makes_in_aws():
    lines = refused(stated(("cluster", {"kind": "existing"})))
    assert (
        "model-storage.kind: s3: a stack makes it beside a cluster of kind eks alone: use existing, with "
        "endpoint and keys"
    ) in lines


def test_a_store_that_pods_enter_by_their_own_identity_needs_no_key():
    made = planned()
    assert not [key for key in made.secrets_needed if key.startswith(("storage-", "source-"))]
    assert made.storage.endpoint == "https://s3.eu-central-1.amazonaws.com"
    deployed = planned(stated(("model-storage", {"size": "200Gi"}), ("model-sources", [INSIDE])))
    keys = {"storage-access-key", "storage-encryption-key", "source-intake-access-key"}
    assert keys <= set(deployed.secrets_needed)


def test_with_a_way_to_the_internet_any_mirror_and_source_will_do():
    made = planned(
        stated(
            ("sovereignty.registry", "registry.example.eu/mirror"),
            ("model-sources", [ELSEWHERE]),
            (f"{EKS}.network.egress", "nat"),
        )
    )
    assert made.supply.registry == "registry.example.eu/mirror"


def test_every_instance_type_of_aws_has_the_addresses_of_its_interfaces():
    for name, one in instances().items():
        if one.cloud is Cloud.AWS:
            assert eks_services().node_addresses(name) >= 20
        else:
            with pytest.raises(StopIteration):
                eks_services().node_addresses(name)


@pytest.mark.parametrize("region", ["eu-central-1", "eusc-de-east-1"])
def test_the_partition_follows_from_the_region(region: str):
    partition = str(partition_of(region))
    suffix = {"aws": "com", "aws-eusc": "eu"}[partition]
    moved = stated(
        ("sovereignty.region", region),
        ("sovereignty.registry", f"111122223333.dkr.ecr.{region}.amazonaws.{suffix}/mirror"),
        (f"{EKS}.zones", [f"{region}{letter}" for letter in "abc"]),
        (f"{EKS}.admins.platform", f"arn:{partition}:iam::111122223333:role/platform"),
        ("budget", None),
    )
    eks = planned(moved).cluster.eks
    assert eks is not None and eks.partition == partition


def test_no_node_that_comes_and_goes_keeps_models():
    lines = refused(stated(("models.0.local-cache", True)))
    assert any(
        "models[0].local-cache: true" in line and "on cluster kind eks: embedded, existing can" in line
        for line in lines
    ), lines


POOL = "gpu-pools.0"
FABRIC = (
    (f"{POOL}.fabric", "efa"),
    (f"{POOL}.zone", "eu-central-1a"),
    (f"{POOL}.sharing", "whole"),
    ("budget.monthly", 90000),
)


def test_a_pool_has_the_fabric_of_its_instance_type_in_the_zone_that_it_names():
    (pool,) = planned(stated(*FABRIC)).pools
    assert (pool.fabric, pool.zone) == (Fabric.EFA, "eu-central-1a")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        pytest.param(
            [(f"{POOL}.zone", None)],
            "gpu-pools[0].zone: missing: the fabric ends with its zone: name one of eu-central-1a, "
            "eu-central-1b, eu-central-1c",
            id="no zone",
        ),
        pytest.param(
            [(f"{POOL}.zone", "eu-central-1f")],
            "gpu-pools[0].zone: eu-central-1f: no zone of the cluster: use one of eu-central-1a, "
            "eu-central-1b, eu-central-1c",
            id="a zone without subnet",
        ),
        pytest.param(
            [(f"{POOL}.gpu", "A10G"), (f"{POOL}.instance", "g5.4xlarge"), (f"{POOL}.gpus-per-node", 1)],
            "gpu-pools[0].fabric: efa: g5.4xlarge has none: with 1 x A10G these have it: g5.8xlarge, "
            "g5.16xlarge, or leave it out",
            id="an instance type without it",
        ),
        pytest.param(
            [(f"{POOL}.gpu", "B300-269GB"), (f"{POOL}.instance", "p6-b300.48xlarge")],
            "gpu-pools[0].fabric: efa: how the network cards of p6-b300.48xlarge are numbered is unresolved: "
            "nothing with 8 x B300-269GB has it, or leave it out",
            id="an instance type whose cards were not read",
        ),
        pytest.param(
            [(f"{POOL}.sharing", {"mig": "auto"})],
            "gpu-pools[0].sharing: mig: a fabric joins whole GPUs: use whole, or leave fabric out",
            id="slices",
        ),
        pytest.param(
            [("addons", {"efa-device-plugin": "off"})],
            "addons.efa-device-plugin: off: it hands the fabric's interfaces out to pods: use managed or "
            "existing",
            id="nothing hands it out",
        ),
    ],
)
def test_a_fabric_that_cannot_be_had_is_refused_with_the_way_out(changes: list[tuple[str, Any]], line: str):
    assert line in refused(stated(*FABRIC, *changes))


def test_a_fabric_belongs_to_clusters_that_are_made_on_aws():
    one = content("onprem")
    one["gpu-pools"][0]["fabric"] = "efa"
    assert "gpu-pools[0].fabric: efa: belongs to kind eks: leave it out" in refused(one, "onprem")


def test_a_zone_without_a_fabric_is_refused_since_the_nodes_are_in_all_zones_of_the_cluster():
    lines = refused(stated((f"{POOL}.zone", "eu-central-1a")))
    assert "gpu-pools[0].zone: eu-central-1a: belongs to kind gke" in lines


NEAR: dict[str, list[tuple[str, Any]]] = {
    "names and tags": [
        ("gpu-pools.0.name", "p" * 32),
        (f"{EKS}.tags", {"lambda": "a" * 256, "b": "", **{f"t{number}": "a" for number in range(38)}}),
    ],
    "shared addresses": [(f"{EKS}.network.cidr", "100.64.0.0/16")],
    "benchmark addresses": [(f"{EKS}.network.cidr", "198.19.0.0/16")],
    "beside Docker's": [(f"{EKS}.network.cidr", "172.18.0.0/16")],
    "ten years of logs": [(f"{EKS}.log-days", 3653)],
    **{
        f"confidential {instance}": [
            *IRELAND,
            (f"{EKS}.system-nodes.confidential", True),
            (f"{EKS}.system-nodes.instance", instance),
        ]
        for instance in ("m6a.2xlarge", "c6a.16xlarge", "r6a.4xlarge")
    },
}


@pytest.mark.parametrize("changes", NEAR.values(), ids=NEAR)
def test_what_is_near_a_limit_of_aws_is_planned(changes: list[tuple[str, Any]]):
    config = parse(stated(("sovereignty.profile", "open"), *changes))
    assert plan(config, "eks-eu", locks(config)).cluster.eks
