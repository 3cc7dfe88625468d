"""What the test provider of Google Cloud refuses by Google's own discovery documents."""

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc
from tests.components.gke_cluster.clusters import gke as cluster
from tests.components.gke_cluster.test_gke_cluster import EVERYTHING, OPEN
from tests.components.gke_model_bucket.test_gke_model_bucket import bucket
from tests.components.gpu_node_pool.clouds import gke as pool
from tests.components.harness import Graph, Registered
from tests.deploy import gke_stack
from tests.providers.gcp import discovery
from tests.providers.gcp.server import Gcp, provider
from tests.providers.provider import struct
from tests.providers.schema import UNKNOWN

pytestmark = pytest.mark.skipif(
    discovery.documents() is None, reason="google-api-python-client is not installed: no discovery documents"
)

NETWORK, SUBNET = "gcp:compute/network:Network", "gcp:compute/subnetwork:Subnetwork"
CLUSTER, POOL = "gcp:container/cluster:Cluster", "gcp:container/nodePool:NodePool"
KEY, BUCKET, LOGS = (
    "gcp:kms/cryptoKey:CryptoKey",
    "gcp:storage/bucket:Bucket",
    "gcp:logging/projectBucketConfig:ProjectBucketConfig",
)
Path = tuple[str | int, ...]


@cache
def stack() -> Graph:
    return gke_stack.built(gke_stack.planned())


def of_google(graph: Graph) -> list[Registered]:
    """Its resources of Google, with the names that the provider makes."""
    made = [one for one in graph if one.type in discovery.BODIES and not one.read]
    for one in made:
        named = Gcp.kinds[one.type].named
        if named is not None:
            one.inputs.setdefault(named, "models-1234567")
    return made


GRAPHS = {
    "the committed stack": stack,
    "a cluster": cluster,
    "a cluster with every argument": lambda: cluster(**EVERYTHING),
    "a cluster with a way out": lambda: cluster(network=OPEN),
    "a pool that scales": lambda: pool(size={"min": 0, "max": 4, "desired": 2}, secure_boot=False),
    "a pool on spot nodes": lambda: pool(capacity={"purchase": "spot"}, secure_boot=False),
    "a pool cut by GKE": lambda: pool(
        devices={"driver": "node-image", "dra_driver": "off", "mig_config": "all-1g.10gb"}
    ),
    "a bucket with a lock": lambda: bucket(retention_days=30),
}


def test_every_type_that_the_provider_makes_has_its_document():
    assert discovery.BODIES.keys() == Gcp.kinds.keys()


@pytest.mark.parametrize("made", GRAPHS.values(), ids=GRAPHS)
def test_google_takes_all_that_our_components_send(made):
    resources = of_google(made())
    assert resources
    assert [
        (one.name, *refused) for one in resources for refused in discovery.refusals(one.type, one.inputs)
    ] == []


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """Ways to each value that is neither object nor list."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from leaves(one, (*path, key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from leaves(one, (*path, index))
    else:
        yield path


def changed(inputs: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    whole = copy.deepcopy(inputs)
    place: Any = whole
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return whole


def in_no_body(token: str, path: Path) -> bool:
    names = discovery.BODIES[token].names
    dotted = ".".join(part for part in path if isinstance(part, str))
    return names.get(dotted, dotted) is None


def test_a_value_of_another_kind_is_refused_wherever_it_is_planted():
    planted = 0
    for one in of_google(stack()):
        for path in leaves(one.inputs):
            if in_no_body(one.type, path):
                continue
            wrong = changed(one.inputs, path, ["planted"])
            assert list(discovery.refusals(one.type, wrong)), (one.name, path)
            planted += 1
    assert planted > 150


@pytest.mark.parametrize(
    ("token", "path", "value", "reason"),
    [
        (NETWORK, ("name",), "Corral", "does not match [a-z]"),
        (NETWORK, ("routingMode",), "WORLD", "is none of Google's: GLOBAL, REGIONAL"),
        (NETWORK, ("mtu",), 2**31, "is not from -2147483648 to 2147483647, int32"),
        (NETWORK, ("creationTimestamp",), "today", "is for Google alone to write"),
        (SUBNET, ("logConfig", "aggregationInterval"), "INTERVAL_5_SECONDS", "is none of Google's: INTERVAL"),
        (SUBNET, ("logConfig", "flowSamples"), 1, "no field flowSamples in Google's compute.v1"),
        (SUBNET, ("secondaryIpRanges", 0, "cidr"), "10.0.0.0/8", "no field cidr in Google's compute.v1"),
        (KEY, ("purpose",), "ENCRYPT", "is none of Google's: CRYPTO_KEY_PURPOSE_UNSPECIFIED, "),
        (KEY, ("rotationPeriod",), "90d", "is no duration, such as 86400s"),
        (LOGS, ("retentionDays",), "a year", "is not a whole number"),
        (LOGS, ("lifecycleState",), "ACTIVE", "is for Google alone to write"),
        (BUCKET, ("uniformBucketLevelAccess",), "yes", "is not true or false"),
        (BUCKET, ("lifecycleRules", 0, "condition", "days"), 7, "no field days in Google's storage.v1"),
        (CLUSTER, ("databaseEncryption", "state"), "SEALED", "is none of Google's: UNKNOWN, ENCRYPTED"),
        (CLUSTER, ("loggingConfig", "enableComponents", 0), "NODES", "is none of Google's: "),
        (CLUSTER, ("datapathProvider",), "CILIUM", "is none of Google's: DATAPATH_PROVIDER_UNSPECIFIED, "),
        (CLUSTER, ("enableShieldedNode",), True, "no field enableShieldedNode in Google's container.v1"),
        (CLUSTER, ("nodePools", 0, "nodeConfig", "workloadMetadataConfig", "mode"), "HIDDEN", "GKE_METADATA"),
        (POOL, ("nodeConfig", "gpuDriver"), "none", "no field gpuDriver in Google's container.v1, NodePool"),
        (POOL, ("upgradeSettings", "strategy"), "ROLLING", "is none of Google's: "),
        (POOL, ("nodeConfig", "labels", "corral.dev/pool"), 1, "1 is not text"),
    ],
)
def test_a_value_that_google_does_not_take_is_refused_in_one_line(token, path, value, reason):
    good = next(one for one in of_google(stack()) if one.type == token)
    ((where, why),) = discovery.refusals(token, changed(good.inputs, path, value))
    assert where.replace("['", ".").replace("']", "").endswith(str(path[-1]) if path[-1] != 0 else "[0]")
    assert reason in why and "\n" not in why


def test_what_google_needs_must_be_there_unless_the_provider_fills_it_in():
    good = next(one for one in of_google(stack()) if one.type == NETWORK)
    without = {key: one for key, one in good.inputs.items() if key != "name"}
    assert list(discovery.refusals(NETWORK, without)) == [
        ("name", "missing, and required by compute.networks.insert")
    ]


def test_what_preview_does_not_know_yet_is_no_fault():
    for one in of_google(stack()):
        unknown = dict.fromkeys(one.inputs, UNKNOWN)
        assert list(discovery.refusals(one.type, unknown)) == []


def test_the_engine_is_told_so_when_the_provider_checks():
    with provider() as (_, port), grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        urn = f"urn:pulumi:test::own::corral:index:GkeCluster${NETWORK}::models-network"
        request = provider_pb2.CheckRequest(urn=urn, news=struct({"name": "models", "routingMode": "WORLD"}))
        answer = provider_pb2_grpc.ResourceProviderStub(channel).Check(request)
    assert [one.property for one in answer.failures] == ["routingMode"]
