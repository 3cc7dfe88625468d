"""What a cluster on GKE refuses before anything is made, and what it lets through."""

import pulumi
import pytest
from tests.components.gke_cluster.clusters import FRANKFURT, PARIS, cluster_args, key

from corral.components._kit import ArgsError, checked
from corral.components.gke_cluster import GkeCluster, GkeClusterArgs
from corral.components.gke_cluster.allowed import problems

A = f"{FRANKFURT}-a"
WINDOW = {"start": "2026-01-03T01:00:00Z", "end": "2026-01-03T05:00:00Z", "recurrence": "FREQ=DAILY"}
REFUSED = [
    ({"project": "Acme"}, "models.project: 'Acme' is not allowed; use 6 to 30"),
    ({"region": "EU"}, "models.region: 'EU' is not allowed; use a region, such as europe-west3"),
    ({"region": "europe"}, "models.region: 'europe' is not allowed"),
    ({"zones": ["europe-west1-b"]}, f"models.zones: 'europe-west1-b' is no zone of {FRANKFURT}"),
    ({"zones": [A, A]}, f"models.zones: '{A}' is there 2 times"),
    (
        {"version": "1.33"},
        "models.version: '1.33' is too old for GPUs handed out by claim; use 1.34 or newer",
    ),
    ({"version": "1.35.1-gke.5"}, "models.version: '1.35.1-gke.5' is not allowed; use MAJOR.MINOR"),
    ({"keys": {}}, "models.keys.secrets: absent, and so is project"),
    ({"keys": {"project": "x"}}, "models.keys.project: 'x' is not allowed"),
    ({"keys": {"project": "acme-keys", "disks": "disks"}}, "models.keys.disks: 'disks' is not allowed"),
    (
        {"keys": {"project": "acme-keys", "logs": key("logs", PARIS)}},
        f"is in {PARIS}; use a key in {FRANKFURT}",
    ),
    ({"network": {"pods": "192.0.2.0"}}, "models.network.pods: '192.0.2.0' is not allowed"),
    ({"network": {"nodes": "8.8.8.0/24"}}, "models.network.nodes: '8.8.8.0/24' is not allowed"),
    (
        {"network": {"services": "10.4.16.0/20"}},
        "models.network.services: 10.4.16.0/20 and pods, 10.4.0.0/14, have addresses in common",
    ),
    ({"network": {"egress": "open"}}, "models.network.egress: 'open' is not allowed; use one of none, nat"),
    ({"network": {"api_clients": ["0.0.0.0/0"]}}, r"models.network.api_clients\[0\]: '0.0.0.0/0'"),
    (
        {"nodes": {"machine_type": "a3-highgpu-8g"}},
        r"models.nodes.machine_type: 'a3-highgpu-8g' has GPUs \(H100-80GB\); use a type without",
    ),
    ({"nodes": {"machine_type": "large"}}, "models.nodes.machine_type: 'large' is not allowed"),
    ({"nodes": {"machine_type": "e2-standard-4", "min": 0}}, "models.nodes.min: 0 is not allowed"),
    ({"nodes": {"machine_type": "e2-standard-4", "max": 2}}, "models.nodes.max: 2 is below the fewest, 3"),
    ({"nodes": {"machine_type": "e2-standard-4", "disk_gib": 8}}, "models.nodes.disk_gib: 8 is not allowed"),
    (
        {"nodes": {"machine_type": "g2-standard-6"}},
        "models.nodes.machine_type: 'g2-standard-6' has GPUs; use",
    ),
    ({"nodes": {"machine_type": "t2a-standard-4"}}, "models.nodes.machine_type: 't2a-standard-4' has Arm"),
    ({"nodes": {"machine_type": "n4-standard-4"}}, "models.nodes.disk_type: 'pd-balanced' n4 takes no such"),
    (
        {"nodes": {"machine_type": "e2-standard-4", "disk_type": "pd-fast"}},
        "models.nodes.disk_type: 'pd-fast' is not allowed; use pd-standard",
    ),
    (
        {"nodes": {"machine_type": "e2-standard-4", "confidential": True}},
        "models.nodes.machine_type: 'e2-standard-4' cannot encrypt memory in use",
    ),
    ({"network": {"pods": "127.0.0.0/16"}}, "models.network.pods: '127.0.0.0/16' is not allowed"),
    (
        {"labels": {"google-owner": "x"}},
        "models.labels, key 'google-owner': Google keeps keys with goog- and",
    ),
    ({"labels": {f"l{number}": "x" for number in range(61)}}, "models.labels: 61 labels; use 60 at most"),
    ({"channel": "fast"}, "models.channel: 'fast' is not allowed; use one of rapid, regular"),
    ({"maintenance": {**WINDOW, "start": "Saturday"}}, "models.maintenance.start: 'Saturday'"),
    ({"maintenance": {**WINDOW, "start": "2026-01-03T01:00:00"}}, "models.maintenance.start: '2026-01-03T01"),
    (
        {"maintenance": {**WINDOW, "end": WINDOW["start"]}},
        "models.maintenance.end: .* is not after the start",
    ),
    ({"maintenance": {**WINDOW, "recurrence": "weekly"}}, "models.maintenance.recurrence: 'weekly'"),
    ({"log_days": 0}, "models.log_days: 0 is not allowed; use 1 to 3650"),
    ({"labels": {"Owner": "x"}}, "models.labels, key 'Owner': 'Owner' is not allowed"),
    ({"labels": {"owner": "Team A"}}, r"models.labels\['owner'\]: 'Team A' is not allowed"),
    ({"cluster_name": "a" * 31}, "models.cluster_name: .* at most 30"),
    ({"control_plane_keys": {"cluster_ca": "p"}}, "models.control_plane_keys: 'aggregation_ca' is missing"),
    ({"egress": "nat"}, "unknown key 'egress'"),
]


@pytest.mark.parametrize(("wrong", "said"), REFUSED, ids=[said for _, said in REFUSED])
def test_a_cluster_that_cannot_be_is_refused_and_nothing_is_made(wrong, said, monkeypatch):
    registered: list[str] = []
    monkeypatch.setattr(pulumi.Resource, "__init__", lambda self, kind, *_, **__: registered.append(kind))
    with pytest.raises(ArgsError, match=said) as refused:
        GkeCluster("models", {**cluster_args(), **wrong})
    lines = str(refused.value).split("\n")
    assert registered == [] and all(line.startswith("models") for line in lines)


ALLOWED = [
    {"version": "1.33", "dra": False},
    {"zones": [A, f"{FRANKFURT}-c"]},
    {"network": {"nodes": "10.64.0.0/22", "egress": "nat", "api_clients": ["10.200.0.0/16"]}},
    {"keys": {one: key(one) for one in ("secrets", "logs", "disks")}},
    {"keys": {"project": "acme-keys", "disks": pulumi.Output.from_input("known later")}},
    {"maintenance": WINDOW},
    {"log_days": 3650},
    {"network": {"pods": "100.64.0.0/14"}},
    {"nodes": {"machine_type": "c4-standard-8", "disk_type": "hyperdisk-balanced", "confidential": True}},
    {"nodes": {"machine_type": "e2-standard-4", "disk_gib": 15}},
    {"labels": {"owner": "platform", "data-class": "internal"}},
]


@pytest.mark.parametrize("right", ALLOWED, ids=lambda one: "-".join(one))
def test_a_cluster_that_can_be_is_let_through(right):
    args = cluster_args(**right)
    assert list(problems(checked(args, GkeClusterArgs, "models"), "models")) == []
