"""What a cluster on GKE is planned as, and what is refused of it, one line each."""

import copy
from typing import Any

import pytest
from tests.deploy.eks_stack import locks
from tests.deploy.gke_stack import STACK, content, planned
from tests.deploy.test_gke import KEY, OWN_KEYS, VERSION
from tests.planning.test_eks import Stated, refused, stated

from corral.catalogue.vocabulary import Platform
from corral.stacks.config.loader import parse
from corral.stacks.planning.planner import plan
from corral.stacks.reports.scope import cluster_lines

GKE = "cluster.gke"


def changed(*changes: tuple[str, Any], **sections: Any) -> Stated:
    """The committed stack with other values at dotted paths."""
    return stated(*changes, base=content(), **sections)


def test_the_committed_stack_is_a_private_cluster_in_its_region():
    made = planned()
    gke = made.cluster.gke
    assert gke is not None and made.cluster.eks is None
    assert (gke.name, gke.project, gke.region, gke.version) == (
        "corral-gke-eu",
        "acme-models",
        "europe-west3",
        "1.35",
    )
    assert gke.mirror is not None
    assert (gke.mirror.location, gke.mirror.project, gke.mirror.name) == (
        "europe-west3",
        "acme-images",
        "mirror",
    )
    assert made.cluster.platform is Platform.GKE_UBUNTU
    assert [(pool.instance, pool.zone) for pool in made.pools] == [("g2-standard-48", "europe-west3-b")]
    assert made.cost.pools[0].node_hour is not None, "the catalogue prices it in that region"


def test_the_plan_shows_what_is_made_and_what_no_plan_can_tell():
    assert list(cluster_lines(planned().cluster)) == [
        "makes GKE cluster corral-gke-eu, Kubernetes 1.35, channel regular, project acme-models, in "
        "europe-west3-a, europe-west3-b, europe-west3-c",
        "3 to 6 system nodes n2d-standard-8; way to the internet: none",
        "its API is reached from 10.50.0.0/20 and 10.8.0.0/16 alone",
        "only the update tells whether the zones have the machines, and what quotas the project has",
    ]


ELSEWHERE = KEY.replace("europe-west3", "europe-west4")
BAD: list[tuple[str, list[tuple[str, Any]], str]] = [
    (
        "a region outside the profile",
        [("sovereignty.region", "us-central1")],
        "sovereignty.region: us-central1: profile eu-controlled allows europe-central2,",
    ),
    (
        "a region of another cloud",
        [("sovereignty.region", "eu-central-1")],
        "sovereignty.region: eu-central-1: kind gke is in a region of Google Cloud, such as europe-west3",
    ),
    (
        "a machine type without the GPU",
        [("gpu-pools.0.instance", "a3-highgpu-4g")],
        "gpu-pools[0].instance: a3-highgpu-4g: a3-highgpu-4g has 4 x H100-80GB, and the pool has L4: use",
    ),
    (
        "no machine type",
        [("gpu-pools.0.instance", None)],
        "gpu-pools[0].instance: missing: the stack makes these nodes: with 4 x L4 there are g2-standard-48",
    ),
    (
        "a machine of another cloud",
        [("gpu-pools.0.instance", "g6.12xlarge")],
        "gpu-pools[0].instance: g6.12xlarge: of another cloud than the cluster: with 4 x L4 there are "
        "g2-standard-48",
    ),
    (
        "GPU nodes in no zone",
        [("gpu-pools.0.zone", None)],
        "gpu-pools[0].zone: missing: the stack makes these nodes in one zone: name it, such as "
        "europe-west3-a",
    ),
    (
        "GPU nodes in a zone of another region",
        [("gpu-pools.0.zone", "europe-west4-b")],
        "gpu-pools[0].zone: europe-west4-b: no zone of europe-west3: use one such as europe-west3-a",
    ),
    (
        "a zone that there is not",
        [(f"{GKE}.zones", ["europe-west3-a", "europe-west3-x"])],
        "cluster.gke.zones[1]: europe-west3-x: no zone of europe-west3: use one such as europe-west3-a",
    ),
    (
        "a zone twice",
        [(f"{GKE}.zones", ["europe-west3-a", "europe-west3-a"])],
        "cluster.gke.zones[1]: europe-west3-a: named before: name each zone once",
    ),
    (
        "networks with addresses in common",
        [(f"{GKE}.network.services", "10.52.4.0/24")],
        "cluster.gke.network.services: 10.52.4.0/24: has addresses of pods, 10.52.0.0/14: use a network "
        "apart from it",
    ),
    (
        "addresses of the internet",
        [(f"{GKE}.network.pods", "34.0.0.0/14")],
        "cluster.gke.network.pods: 34.0.0.0/14: no private network: use one such as 10.0.0.0/16",
    ),
    (
        "bits of a host",
        [(f"{GKE}.network.nodes", "10.50.0.1/20")],
        "cluster.gke.network.nodes: 10.50.0.1/20: use a network such as 10.0.0.0/16, without bits of a host",
    ),
    (
        "an API for anybody",
        [(f"{GKE}.network.api-clients", ["0.0.0.0/0"])],
        "cluster.gke.network.api-clients[0]: 0.0.0.0/0: anybody: use a network of yours",
    ),
    (
        "no keys and no project for them",
        [(f"{GKE}.keys", {"disks": KEY})],
        "cluster.gke.keys: no secrets, logs, models: name the project in which they are made, or the keys "
        "that are there",
    ),
    (
        "a key of another region",
        [(f"{GKE}.keys.disks", ELSEWHERE)],
        f"cluster.gke.keys.disks: {ELSEWHERE}: in europe-west4: use one of europe-west3, where the cluster",
    ),
    (
        "a version of a key of another region",
        [(f"{GKE}.control-plane-keys", {**OWN_KEYS, "token-signing": [VERSION.replace("west3", "west4")]})],
        f"cluster.gke.control-plane-keys.token-signing[0]: {VERSION.replace('west3', 'west4')}: in "
        "europe-west4: use one of europe-west3",
    ),
    (
        "a key that is none",
        [(f"{GKE}.keys.disks", "arn:aws:kms:eu-central-1:111122223333:key/k")],
        "cluster.gke.keys.disks: arn:aws:kms:eu-central-1:111122223333:key/k: use the id of a key, projects/",
    ),
    (
        "system nodes with GPUs",
        [(f"{GKE}.system-nodes.machine", "g2-standard-8")],
        "cluster.gke.system-nodes.machine: g2-standard-8: has GPUs (L4): use a type without; GPUs are",
    ),
    (
        "fewer than the fewest",
        [(f"{GKE}.system-nodes.max", 2)],
        "cluster.gke.system-nodes.max: 2: below the fewest nodes, 3",
    ),
    (
        "a patch of Kubernetes",
        [("cluster.kubernetes", "1.35.2")],
        'cluster.kubernetes: 1.35.2: Google chooses the patch: use MAJOR.MINOR, such as "1.35"',
    ),
    (
        "an old Kubernetes under the DRA driver",
        [("cluster.kubernetes", "1.33")],
        "cluster.kubernetes: 1.33: the DRA driver",
    ),
    (
        "no version",
        [("cluster.kubernetes", None)],
        'cluster.kubernetes: missing: kind gke makes a cluster of it: use such as "1.35"',
    ),
    (
        "no section",
        [(GKE, None)],
        "cluster.gke: missing: kind gke needs project, keys and system-nodes there",
    ),
    (
        "a platform whose driver nothing here installs",
        [
            ("cluster.platform", "gke-cos"),
            ("cluster.precompiled-driver", None),
            (f"{GKE}.network.egress", "nat"),
            ("model-storage", {"size": "200Gi"}),
            ("model-sources", [{"name": "intake", "url": "gs://example-intake"}]),
        ],
        "cluster.platform: gke-cos: nodes that kind gke makes are gke-ubuntu: use one",
    ),
    (
        "nodes that exist",
        [("gpu-pools.0.nodes", {"names": ["gpu-1"]})],
        "gpu-pools[0].nodes: names: the stack makes these nodes: use {min: N, max: N}",
    ),
    (
        "a mirror out of reach",
        [("sovereignty.registry", "registry.example.eu/mirror")],
        "sovereignty.registry: registry.example.eu/mirror: nodes have no way to the internet: use a mirror "
        "such as europe-west3-docker.pkg.dev/PROJECT/mirror, or cluster.gke.network.egress: nat",
    ),
    (
        "a mirror in another region",
        [("sovereignty.registry", "europe-west4-docker.pkg.dev/acme-images/mirror")],
        "sovereignty.registry: europe-west4-docker.pkg.dev/acme-images/mirror: nodes have no way",
    ),
    (
        "a driver whose packages are out of reach",
        [("cluster.precompiled-driver", None)],
        "cluster.precompiled-driver: missing: nodes have no way to the internet, from where a driver that "
        "they compile has its packages: name the branch of one in the mirror, such as 580, or",
    ),
    (
        "a model out of reach",
        [
            (
                "model-sources",
                [{"name": "i", "url": "gs://example-intake", "endpoint": "https://s.example.eu"}],
            )
        ],
        "models[0].source: gs://example-intake/qwen3-8b: nodes have no way to the internet: use gs:// "
        "without an endpoint of its own, or cluster.gke.network.egress: nat",
    ),
    (
        "Cloud Storage by addresses of the internet",
        [
            (f"{GKE}.network.egress", "nat"),
        ],
        "model-storage.kind: gcs: tenants reach Cloud Storage by addresses within Google: use "
        "cluster.gke.network.egress: none, or kind seaweedfs",
    ),
    (
        "a bucket that is no name",
        [("model-storage.bucket", "google-models")],
        "model-storage.bucket: google-models: no name of a bucket of Cloud Storage: use 3 to 63 of",
    ),
    (
        "a bucket without a name",
        [("model-storage", {"kind": "gcs"})],
        "model-storage.bucket: missing: name one that nobody else has in Cloud Storage",
    ),
    (
        "a volume of a bucket",
        [("model-storage.size", "200Gi")],
        "model-storage.size: 200Gi: Cloud Storage has no volume: leave it out",
    ),
    (
        "a key over models of another region",
        [(f"{GKE}.keys.models", ELSEWHERE)],
        f"cluster.gke.keys.models: {ELSEWHERE}: in europe-west4: use one of europe-west3",
    ),
    (
        "a bucket of AWS",
        [("model-storage.kind", "s3"), ("model-sources", [{"name": "intake", "url": "gs://example-intake"}])],
        "model-storage.kind: s3: a stack makes it beside a cluster of kind eks alone",
    ),
    (
        "a pool whose name no node has room for",
        [("gpu-pools.0.name", "p" * 33), ("tenants.0.gpus", None)],
        f"gpu-pools[0].name: {'p' * 33}: names of nodes in a cloud begin with it: use up to 32 of",
    ),
    (
        "more nodes than have addresses",
        [(f"{GKE}.network.nodes", "10.0.0.0/29")],
        "cluster.gke.network.nodes: 10.0.0.0/29: has addresses for 3 nodes, and there may be ",
    ),
    (
        "more nodes than have addresses for pods",
        [(f"{GKE}.network.pods", "10.4.0.0/24")],
        "cluster.gke.network.pods: 10.4.0.0/24: has addresses for 1 nodes, and there may be ",
    ),
    (
        "few addresses of Services",
        [(f"{GKE}.network.services", "10.9.0.0/28")],
        "cluster.gke.network.services: 10.9.0.0/28: too few addresses for the platform",
    ),
    (
        "system nodes of Arm",
        [(f"{GKE}.system-nodes.machine", "t2a-standard-8")],
        "cluster.gke.system-nodes.machine: t2a-standard-8: has Arm processors",
    ),
    (
        "a disk that the machines do not take",
        [(f"{GKE}.system-nodes.machine", "c4-standard-8")],
        "cluster.gke.system-nodes.disk-type: pd-balanced: c4 takes no such boot disk: use hyperdisk-balanced",
    ),
    (
        "a newer disk than the machines take",
        [(f"{GKE}.system-nodes.disk-type", "hyperdisk-balanced")],
        "cluster.gke.system-nodes.disk-type: hyperdisk-balanced: n2d takes no such boot disk: use pd",
    ),
    (
        "an older disk than the machines take",
        [(f"{GKE}.system-nodes.machine", "c3-standard-8"), (f"{GKE}.system-nodes.disk-type", "pd-standard")],
        "cluster.gke.system-nodes.disk-type: pd-standard: c3 takes no such boot disk: use pd-balanced",
    ),
    (
        "system nodes with GPUs of a size that is not in the catalogue",
        [(f"{GKE}.system-nodes.machine", "a2-megagpu-16g")],
        "cluster.gke.system-nodes.machine: a2-megagpu-16g: has GPUs: use a type without",
    ),
    (
        "a disk that there is not",
        [(f"{GKE}.system-nodes.disk-type", "pd-fast")],
        "cluster.gke.system-nodes.disk-type: pd-fast: use pd-standard, pd-balanced, pd-ssd or hyperdisk",
    ),
    (
        "confidential nodes that cannot be",
        [(f"{GKE}.system-nodes.confidential", True), (f"{GKE}.system-nodes.machine", "n2-standard-8")],
        "cluster.gke.system-nodes.machine: n2-standard-8: cannot encrypt memory in use",
    ),
    (
        "confidential nodes of a series that has them in another size",
        [
            (f"{GKE}.system-nodes.confidential", True),
            (f"{GKE}.system-nodes.machine", "c3-highmem-8"),
        ],
        "cluster.gke.system-nodes.machine: c3-highmem-8: cannot encrypt memory in use: use one such as n2d",
    ),
    (
        "addresses that no subnet has",
        [(f"{GKE}.network.pods", "169.254.0.0/16")],
        "cluster.gke.network.pods: 169.254.0.0/16: no private network: use one such as 10.0.0.0/16",
    ),
    (
        "more labels than there is room for",
        [(f"{GKE}.labels", {f"l{number}": "a" for number in range(61)})],
        "cluster.gke.labels: 61 labels: what is made has 64, some of them not the stack's: use 60 at most",
    ),
    (
        "a label of Google",
        [(f"{GKE}.labels", {"goog-owner": "a"})],
        "cluster.gke.labels.goog-owner: goog-owner: Google keeps keys with goog- and google- for itself",
    ),
    (
        "callers of the API twice",
        [(f"{GKE}.network.api-clients", ["10.50.0.0/20", "10.50.0.0/20"])],
        "cluster.gke.network.api-clients[1]: 10.50.0.0/20: named before",
    ),
]


@pytest.mark.parametrize(("changes", "line"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_what_cannot_be_made_is_refused_in_one_line_of_the_plan(changes: list[tuple[str, Any]], line: str):
    lines = refused(changed(*changes), STACK)
    assert any(one.startswith(line) for one in lines), lines
    assert len({one.partition(":")[0] for one in lines if "source" not in one}) <= 1, lines


@pytest.mark.parametrize("kind", ["existing", "eks"])
def test_section_and_zone_belong_to_their_kind(kind: str):
    lines = refused(changed(("cluster.kind", kind)), STACK)
    assert "cluster.gke: a section: belongs to kind gke" in lines
    assert "gpu-pools[0].zone: europe-west3-b: belongs to kind gke" in lines


def test_with_a_way_to_the_internet_any_mirror_driver_and_source_will_do():
    one = copy.deepcopy(content())
    one["sovereignty"]["registry"] = "registry.example.eu/mirror"
    one["model-storage"] = {"size": "200Gi"}
    endpoint = "https://storage.example.eu"
    one["model-sources"] = [{"name": "intake", "url": "gs://example-intake", "endpoint": endpoint}]
    one["cluster"]["gke"]["network"]["egress"] = "nat"
    del one["cluster"]["precompiled-driver"]
    made = planned(one)
    assert made.cluster.gke is not None and made.cluster.gke.mirror is None


NEAR: list[list[tuple[str, Any]]] = [
    [
        ("gpu-pools.0.name", "p" * 32),
        ("tenants.0.gpus", None),
        (f"{GKE}.network.nodes", "10.0.0.0/27"),
        (f"{GKE}.network.pods", "10.4.0.0/19"),
        (f"{GKE}.network.services", "10.9.0.0/27"),
        (f"{GKE}.system-nodes.machine", "c4-standard-8"),
        (f"{GKE}.system-nodes.disk-type", "hyperdisk-balanced"),
    ],
    [(f"{GKE}.network.pods", "100.64.0.0/14"), (f"{GKE}.network.services", "100.112.0.0/20")],
    [(f"{GKE}.labels", {"google": "a", "googles": "b", **{f"l{number}": "a" for number in range(58)}})],
    [(f"{GKE}.system-nodes.disk-gib", 15)],
    [
        (f"{GKE}.system-nodes.machine", "z9-standard-8"),
        (f"{GKE}.system-nodes.disk-type", "hyperdisk-balanced"),
    ],
    *(
        [
            (f"{GKE}.system-nodes.machine", machine),
            (f"{GKE}.system-nodes.disk-type", disk),
            (f"{GKE}.system-nodes.confidential", True),
        ]
        for machine, disk in (
            ("n2d-custom-8-32768", "pd-ssd"),
            ("c2d-standard-8", "pd-standard"),
            ("c3-standard-8-lssd", "pd-balanced"),
            ("c3d-highmem-8", "hyperdisk-balanced"),
            ("c4-standard-192", "hyperdisk-balanced"),
            ("c4d-standard-8", "hyperdisk-balanced"),
        )
    ),
]


@pytest.mark.parametrize(
    "changes", NEAR, ids=lambda changes: changes[0][1] if isinstance(changes[0][1], str) else None
)
def test_what_is_near_a_limit_of_google_is_planned(changes: list[tuple[str, Any]]):
    config = parse(changed(("sovereignty.profile", "open"), *changes))
    assert plan(config, STACK, locks(config)).cluster.gke


def test_a_pool_may_be_in_a_zone_that_has_nothing_but_accelerators():
    config = parse(changed(("sovereignty.profile", "open"), ("gpu-pools.0.zone", "europe-west3-ai1a")))
    assert plan(config, STACK, locks(config)).pools[0].zone == "europe-west3-ai1a"
    lines = refused(changed((f"{GKE}.zones", ["europe-west3-ai1a"])), STACK)
    assert any("cluster.gke.zones[0]: europe-west3-ai1a: no zone of europe-west3" in one for one in lines), (
        lines
    )
