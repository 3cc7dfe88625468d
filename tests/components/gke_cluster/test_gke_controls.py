"""The pack's controls over the whole graph of a cluster: none stops it, and without a safeguard one does."""

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from tests.components import safeguards
from tests.components.gke_cluster.clusters import FRANKFURT, PROJECT, gke, key
from tests.components.gke_cluster.test_gke_cluster import CONTROL_PLANE_KEYS
from tests.components.safeguards import changed, setting, without

from corral.controls.control import Resource

OWNED = {"owner": "platform", "data-class": "internal"}
CLOSED = {
    "keys": {one: key(one) for one in ("secrets", "logs", "disks")},
    "control_plane_keys": CONTROL_PLANE_KEYS,
    "nodes": {"machine_type": "n2d-standard-4", "confidential": True},
    "own_issuer": True,
    "restrict_locations": True,
    "labels": OWNED,
}
"""Arguments for the profiles with keys outside the provider."""
WORLDS: dict[str, dict[str, Any]] = {
    "eu-resident": {"network": {"egress": "nat", "api_clients": ["192.0.2.0/24"]}},
    "eu-controlled": {"control_plane_keys": CONTROL_PLANE_KEYS, "restrict_locations": True},
    "eu-sovereign": CLOSED,
    "air-gapped": CLOSED,
}
"""Arguments of a cluster for each profile."""


@cache
def resources(name: str) -> tuple[Resource, ...]:
    """What the pack sees of the cluster for profile `name`."""
    graph = gke(**WORLDS[name])
    return tuple(
        Resource(
            one.type,
            one.name,
            one.inputs,
            urn=one.urn,
            provider={"region": FRANKFURT, "project": PROJECT},
            ignore_changes=one.ignored,
            protect=one.protect,
        )
        for one in graph
        if one.custom
    )


def stopped(subjects: tuple[Resource, ...], name: str) -> set[tuple[str, str]]:
    return safeguards.stopped(subjects, name, FRANKFURT)


@pytest.mark.parametrize("name", [name for name in WORLDS if name != "air-gapped"])
def test_no_control_stops_a_cluster(name):
    assert stopped(resources(name), name) == set()


def test_air_gapped_takes_no_cloud_provider_and_asks_for_a_backup_outside_it():
    assert {control for control, _ in stopped(resources("air-gapped"), "air-gapped")} == {
        "SOV-OPR-01",
        "SOV-LCK-05",
        "SOV-OFF-01",
    }


HERE = key("disks", project=PROJECT)
SAFEGUARDS = [
    ("SOV-KEY-01", "eu-resident", "Cluster", without("databaseEncryption")),
    ("SOV-KEY-01", "eu-resident", "Cluster", setting("databaseEncryption.state", "DECRYPTED")),
    ("SOV-KEY-02", "eu-controlled", "NodePool", without("nodeConfig.bootDiskKmsKey")),
    ("SOV-KEY-05", "eu-controlled", "ProjectBucketConfig", without("cmekSettings")),
    ("SOV-KEY-06", "eu-controlled", "CryptoKey", without("rotationPeriod")),
    ("SOV-KEY-06", "eu-controlled", "CryptoKey", setting("destroyScheduledDuration", "86400s")),
    ("SOV-KEY-08", "eu-resident", "CryptoKeyIAMMember", setting("member", "allAuthenticatedUsers")),
    ("SOV-KEY-10", "eu-sovereign", "Cluster", without("userManagedKeysConfig.etcdPeerCa")),
    ("SOV-KEY-11", "eu-sovereign", "NodePool", setting("nodeConfig.bootDiskKmsKey", HERE)),
    ("SOV-NET-01", "eu-resident", "Cluster", without("privateClusterConfig.enablePrivateEndpoint")),
    (
        "SOV-NET-01",
        "eu-resident",
        "Cluster",
        setting("controlPlaneEndpointsConfig.dnsEndpointConfig.allowExternalTraffic", True),
    ),
    ("SOV-NET-02", "eu-controlled", "Cluster", without("privateClusterConfig.enablePrivateNodes")),
    ("SOV-NET-02", "eu-controlled", "NodePool", setting("networkConfig.enablePrivateNodes", False)),
    (
        "SOV-NET-03",
        "eu-resident",
        "Cluster",
        setting("masterAuthorizedNetworksConfig", {"cidrBlocks": [{"cidrBlock": "0.0.0.0/0"}]}),
    ),
    ("SOV-NET-09", "eu-controlled", "NodePool", without("nodeConfig.workloadMetadataConfig")),
    (
        "SOV-NET-09",
        "eu-controlled",
        "NodePool",
        setting("nodeConfig.metadata", {"disable-legacy-endpoints": "false"}),
    ),
    ("SOV-NET-10", "eu-controlled", "Subnetwork", without("logConfig")),
    ("SOV-NET-11", "eu-controlled", "Cluster", without("datapathProvider")),
    ("SOV-AUD-01", "eu-controlled", "Cluster", setting("loggingConfig.enableComponents", ["WORKLOADS"])),
    ("SOV-AUD-02", "eu-controlled", "ProjectBucketConfig", setting("retentionDays", 30)),
    ("SOV-AUD-03", "eu-sovereign", "ProjectBucketConfig", setting("locked", False)),
    ("SOV-RES-01", "eu-resident", "Subnetwork", setting("region", "us-central1")),
    ("SOV-RES-01", "eu-resident", "Cluster", setting("location", "europe-west2")),
    ("SOV-RES-01", "eu-resident", "ProjectBucketConfig", setting("location", "global")),
    ("SOV-RES-01", "eu-resident", "KeyRing", setting("location", "global")),
    (
        "SOV-RES-08",
        "eu-controlled",
        "Policy",
        setting("spec.rules.0.values.allowedValues", ["in:europe-locations"]),
    ),
    ("SOV-LCK-06", "air-gapped", "Cluster", without("identityServiceConfig")),
    ("SOV-TEE-01", "air-gapped", "NodePool", without("nodeConfig.confidentialNodes")),
]


@pytest.mark.parametrize(
    ("control", "name", "kind", "change"),
    SAFEGUARDS,
    ids=[f"{control} {kind} {index}" for index, (control, _, kind, _) in enumerate(SAFEGUARDS)],
)
def test_without_a_safeguard_its_control_stops_the_cluster(control, name, kind, change):
    before = {one for one, _ in stopped(resources(name), name)}
    assert control in {one for one, _ in stopped(changed(resources(name), kind, change), name)} - before


@pytest.mark.parametrize("kind", ["CryptoKey", "Cluster"])
def test_what_may_be_deleted_with_the_stack_is_stopped(kind):
    subjects = tuple(
        replace(one, protect=False, props={**one.props, "deletionProtection": False})
        if one.type.endswith(f":{kind}")
        else one
        for one in resources("eu-controlled")
    )
    assert "SOV-OPS-06" in {one for one, _ in stopped(subjects, "eu-controlled")}


def test_a_way_to_the_internet_is_stopped_where_there_is_none():
    subjects = tuple(
        Resource(one.type, one.name, one.inputs, provider={"region": FRANKFURT}, protect=one.protect)
        for one in gke(**CLOSED, network={"egress": "nat"})
        if one.custom
    )
    assert ("SOV-OFF-01", "models-nat") in stopped(subjects, "air-gapped")


def test_keys_that_google_makes_are_stopped_where_they_must_come_from_outside():
    subjects = tuple(
        Resource(one.type, one.name, one.inputs, provider={"region": FRANKFURT}, protect=one.protect)
        for one in gke()
        if one.custom
    )
    found = {name for control, name in stopped(subjects, "eu-sovereign") if control == "SOV-KEY-07"}
    assert found == {"models-secrets", "models-logs", "models-disks"}
