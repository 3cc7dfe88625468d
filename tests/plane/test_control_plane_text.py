"""What kwokctl, the API server and kwok are told."""

import pytest
import yaml

from corral.embedded.home import Home
from corral.embedded.plane import control
from corral.embedded.plane.record import PlaneRecord

RECORD = PlaneRecord(
    name="dev",
    api_port=20000,
    service_range="127.98.0.0/16",
    pod_octet=99,
    inventory="/x",
    egress_socket="/run/egress.sock",
    ports={"etcdPort": 20001, "kubeSchedulerPort": 20004},
)
SIMULATED = '.status.conditions.[] | select( .type == "corral.dev/Simulated" ) | .status'


def documents(tmp_path):
    return list(yaml.safe_load_all(control.configuration(Home(tmp_path).plane("dev"), RECORD)))


def extra_arguments(configuration):
    return {
        patch["name"]: {entry["key"]: entry["value"] for entry in patch["extraArgs"]}
        for patch in configuration["componentsPatches"]
    }


def test_everything_listens_on_loopback_at_the_remembered_ports(tmp_path):
    options = documents(tmp_path)[0]["options"]
    assert options["bindAddress"] == "127.0.0.1"
    assert options["kubeApiserverPort"] == 20000
    assert (options["etcdPort"], options["kubeSchedulerPort"]) == (20001, 20004)


def test_both_api_server_and_controller_manager_know_the_service_range(tmp_path):
    arguments = extra_arguments(documents(tmp_path)[0])
    for component in ("kube-apiserver", "kube-controller-manager"):
        assert arguments[component]["service-cluster-ip-range"] == "127.98.0.0/16"


def test_the_api_server_reaches_pods_through_the_nodes_socket(tmp_path):
    file = extra_arguments(documents(tmp_path)[0])["kube-apiserver"]["egress-selector-config-file"]
    assert file == str(tmp_path / "dev" / "control" / "egress.yaml")
    selection = yaml.safe_load(control.egress_configuration(RECORD))["egressSelections"][0]
    assert selection["name"] == "cluster"
    assert selection["connection"]["proxyProtocol"] == "HTTPConnect"
    assert selection["connection"]["transport"]["uds"]["udsName"] == "/run/egress.sock"


def test_simulated_pods_have_addresses_apart_from_those_of_processes(tmp_path):
    cidr = extra_arguments(documents(tmp_path)[0])["kwok-controller"]["cidr"]
    assert cidr == "10.98.0.1/16"


def test_no_lease_shuts_a_restarted_kwok_out(tmp_path):
    patches = {one["name"]: one["extraArgs"] for one in documents(tmp_path)[0]["componentsPatches"]}
    (lease,) = [one for one in patches["kwok-controller"] if one["key"] == "node-lease-duration-seconds"]
    assert (lease["value"], lease["override"]) == ("0", True)


def test_a_restarted_controller_waits_for_no_lease_and_a_pod_for_no_long_backoff(tmp_path):
    plane = Home(tmp_path).plane("dev")
    arguments = extra_arguments(documents(tmp_path)[0])
    assert arguments["kube-controller-manager"]["leader-elect"] == "false"
    assert arguments["kube-scheduler"]["config"] == str(plane.control / "scheduler.yaml")
    scheduler = yaml.safe_load(control.scheduler_configuration(plane))
    assert scheduler["leaderElection"] == {"leaderElect": False}
    assert scheduler["podInitialBackoffSeconds"] == scheduler["podMaxBackoffSeconds"] == 1
    assert scheduler["clientConnection"]["kubeconfig"].startswith(str(control.cluster_folder(plane)))


@pytest.mark.parametrize(("stated", "expected"), [(None, "40"), ("100", "100")])
def test_the_api_server_saves_memory_unless_the_environment_rather_saves_time(
    tmp_path, monkeypatch, stated, expected
):
    plane = Home(tmp_path).plane("dev")
    control.cluster_folder(plane).mkdir(parents=True)
    components = [{"name": name} for name in control.BINARIES]
    (control.cluster_folder(plane) / "kwok.yaml").write_text(yaml.safe_dump({"components": components}))
    monkeypatch.delenv("GOGC", raising=False)
    if stated:
        monkeypatch.setenv("GOGC", stated)
    environments = {one.name: one.env for one in control.programs(plane)}
    assert {name for name, one in environments.items() if "GOGC" in one} == {"kube-apiserver"}
    assert environments["kube-apiserver"]["GOGC"] == expected


def test_kwok_touches_only_pods_that_the_node_has_marked(tmp_path):
    stages = documents(tmp_path)[1:]
    pods = [stage for stage in stages if stage["spec"]["resourceRef"]["kind"] == "Pod"]
    assert {stage["metadata"]["name"] for stage in pods} == {
        "pod-ready", "pod-ready-again", "pod-complete", "pod-delete",
    }  # fmt: skip
    for stage in pods:
        rules = stage["spec"]["selector"]["matchExpressions"]
        assert {"key": SIMULATED, "operator": "In", "values": ["True"]} in rules, stage["metadata"]["name"]


def test_a_simulated_machine_keeps_the_capacity_that_the_hardware_wrote(tmp_path):
    nodes = [s for s in documents(tmp_path)[1:] if s["spec"]["resourceRef"]["kind"] == "Node"]
    assert {stage["metadata"]["name"] for stage in nodes} == {"node-initialize", "node-heartbeat"}
    for stage in nodes:
        assert "capacity:" not in stage["spec"]["next"]["statusTemplate"]
        assert "allocatable:" not in stage["spec"]["next"]["statusTemplate"]


def test_a_definition_without_components_is_not_complete(tmp_path):
    plane = Home(tmp_path).plane("dev")
    folder = control.cluster_folder(plane)
    folder.mkdir(parents=True)
    assert not control.defined(plane)
    (folder / "kwok.yaml").write_text("kind: KwokctlConfiguration\ncomponents:\n- {name: etcd}\n")
    assert not control.defined(plane)
    (folder / "kwok.yaml").write_text("kind: [unfinished")
    assert not control.defined(plane)
    names = "\n".join(f"- {{name: {name}}}" for name in control.BINARIES)
    (folder / "kwok.yaml").write_text(f"kind: KwokctlConfiguration\ncomponents:\n{names}\n")
    assert control.defined(plane)


def test_api_servers_behind_it_trust_what_it_says_of_callers_and_nobody_else(tmp_path):
    arguments = extra_arguments(documents(tmp_path)[0])["kube-apiserver"]
    assert arguments["requestheader-client-ca-file"] == str(
        tmp_path / "dev" / "control" / "clusters" / "dev" / "pki" / "ca.crt"
    )
    assert arguments["requestheader-allowed-names"] == "kwok-admin", "any certificate of this CA otherwise"
