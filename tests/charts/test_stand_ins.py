import re
from pathlib import Path

import pytest
from tests.charts.conftest import objects

from corral.catalogue.platforms import platforms
from corral.catalogue.vocabulary import Platform
from corral.components.gpu_operator.values import MIG_CONFIG_MAP, operator_values
from corral.components.observability.values import ADMIN_SECRET, FULL_NAME, GRAFANA, stack_values
from corral.components.vector_db.names import CREDENTIAL, SERVICE
from corral.components.vector_db.qdrant.builder import QDRANT_PODS
from corral.components.vector_db.qdrant.values import qdrant_values

pytestmark = pytest.mark.engine
PREINSTALLED = platforms()[Platform.PREINSTALLED]
STAND_INS = Path(__file__).parents[2] / "embedded" / "charts"


def qdrant(replicas):
    return qdrant_values(
        replicas=replicas,
        replication_factor=1,
        size_gib=10,
        memory_mib=1024,
        storage_class=None,
        credential_revision="0a",
        supply={},
    )


@pytest.fixture
def rendered(render):
    def of(name, values):
        found = objects(render(STAND_INS / name, name, values))
        return {(entry["kind"], entry["metadata"]["name"]): entry for entry in found}

    return of


def test_the_cluster_policy_says_what_simulated_hardware_reads(rendered):
    values = operator_values(PREINSTALLED, device_plugin=False, monitors=True, supply={})
    spec = rendered("gpu-operator", values)["ClusterPolicy", "cluster-policy"]["spec"]
    assert spec["devicePlugin"]["enabled"] is False
    assert spec["migManager"]["config"]["name"] == MIG_CONFIG_MAP
    assert spec["driver"]["enabled"] is False


def test_the_exporter_and_its_monitor_come_and_go_with_their_switches(rendered):
    def made(**more):
        values = operator_values(PREINSTALLED, device_plugin=False, monitors=True, supply={})
        values["dcgmExporter"].update(more)
        return {kind for kind, name in rendered("gpu-operator", values) if name == "nvidia-dcgm-exporter"}

    assert made() == {"ServiceAccount", "DaemonSet", "Service", "ServiceMonitor"}
    assert made(serviceMonitor={"enabled": False}) == {"ServiceAccount", "DaemonSet", "Service"}
    assert made(enabled=False) == set()


def test_prometheus_selects_everything_unless_told_to_keep_to_its_release(rendered):
    values = stack_values(retention_days=15, size_gib=50, storage_class=None, control_plane=False, supply={})
    spec = rendered("kube-prometheus-stack", values)["Prometheus", f"{FULL_NAME}-prometheus"]["spec"]
    selectors = {key: value for key, value in spec.items() if key.endswith("Selector")}
    assert len(selectors) == 10 and all(value == {} for value in selectors.values())
    del values["prometheus"]
    kept = rendered("kube-prometheus-stack", values)["Prometheus", f"{FULL_NAME}-prometheus"]["spec"]
    assert kept["ruleSelector"] == {"matchLabels": {"release": "kube-prometheus-stack"}}


def test_prometheus_asks_pods_that_run_at_their_loopback_address_and_no_other_pod(rendered):
    values = stack_values(retention_days=15, size_gib=50, storage_class=None, control_plane=False, supply={})
    spec = rendered("kube-prometheus-stack", values)["Prometheus", f"{FULL_NAME}-prometheus"]["spec"]
    (only,) = [one for one in spec["scrapeClasses"] if one["default"]]
    kept, moved, asked = only["relabelings"]
    assert kept == {"sourceLabels": ["__address__"], "targetLabel": "instance"}
    assert asked["action"] == "keep"

    def address(pod: str) -> str | None:
        """As Prometheus relabels: patterns are anchored, and what does not match stays."""
        match = re.fullmatch(moved["regex"], pod)
        now = match.expand(moved["replacement"].replace("$", "\\")) if match else pod
        return now if re.fullmatch(asked["regex"], now) else None

    assert address("10.97.1.14:8080") == "127.97.1.14:8080"
    assert address("10.96.1.14:8080") is None, "a simulated pod: nothing of it is on this machine"
    assert address("192.0.2.7:8080") is None


def test_what_the_operator_runs_beside_prometheus_has_the_image_of_the_values(rendered):
    values = stack_values(
        retention_days=15, size_gib=50, storage_class=None, control_plane=False, supply={"registry": "r.eu"}
    )
    operator = rendered("kube-prometheus-stack", values)["Deployment", f"{FULL_NAME}-operator"]
    pod = operator["spec"]["template"]["spec"]
    assert (
        "--prometheus-config-reloader=r.eu/prometheus-operator/prometheus-config-reloader:v0.93.1"
        in (pod["containers"][0]["args"])
    )
    assert pod["serviceAccountName"] == f"{FULL_NAME}-operator"


def test_grafana_has_the_service_that_the_platform_names_and_its_password_from_the_secret(rendered):
    values = stack_values(retention_days=15, size_gib=50, storage_class=None, control_plane=False, supply={})
    found = rendered("kube-prometheus-stack", values)
    assert found["Service", GRAFANA]["spec"]["ports"][0]["port"] == 80
    assert ("Service", f"{FULL_NAME}-prometheus") in found
    containers = found["Deployment", GRAFANA]["spec"]["template"]["spec"]["containers"]
    sources = [entry.get("valueFrom", {}).get("secretKeyRef", {}) for entry in containers[0]["env"]]
    assert {source.get("name") for source in sources} == {ADMIN_SECRET}


def test_the_types_of_prometheus_come_only_on_request(rendered):
    def kinds(**more):
        return {kind for kind, _ in rendered("kube-prometheus-stack", more)}

    assert "CustomResourceDefinition" in kinds()
    assert "CustomResourceDefinition" not in kinds(crds={"enabled": False})


def test_qdrants_service_and_pods_are_those_that_clients_and_network_policy_name(rendered):
    found = rendered("qdrant", qdrant(3))
    assert ("Service", SERVICE) in found
    pods = found["StatefulSet", SERVICE]["spec"]["template"]
    assert QDRANT_PODS.items() <= pods["metadata"]["labels"].items()
    container = pods["spec"]["containers"][0]
    assert container["image"].endswith("-unprivileged")
    assert container["env"][0]["valueFrom"]["secretKeyRef"]["name"] == CREDENTIAL
    assert container["readinessProbe"]["httpGet"]["scheme"] == "HTTPS"
    claims = found["StatefulSet", SERVICE]["spec"]["volumeClaimTemplates"]
    assert [claim["metadata"]["name"] for claim in claims] == ["qdrant-storage", "qdrant-snapshots"]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (
            "qdrant",
            qdrant(1),
        ),
    ],
)
def test_pods_of_a_stand_in_are_admitted_where_upstreams_are(name, values, rendered):
    templates = [
        entry["spec"]["template"]["spec"]
        for (kind, _), entry in rendered(name, values).items()
        if kind in ("Deployment", "StatefulSet")
    ]
    assert templates
    for pod in templates:
        shared = pod.get("securityContext", {})
        for container in pod["containers"]:
            context = {**shared, **container["securityContext"]}
            assert context["runAsNonRoot"] is True
            assert context["seccompProfile"] == {"type": "RuntimeDefault"}
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
