import pytest
from tests.components.harness import SECRET, build
from tests.components.installs import installed, values_of

from corral.components._kit import ArgsError
from corral.components.vector_db import VectorDatabase

CANARY = "canary-6f1c"


def database(engine="pgvector", **more):
    args = {"engine": engine, "credential": CANARY, "supply": {}, "cert_manager": "cert-manager", **more}
    return lambda: VectorDatabase("vectors", args)


def pod(graph):
    return graph.one("StatefulSet").inputs["spec"]["template"]["spec"]


@pytest.mark.parametrize("engine", ["pgvector", "qdrant"])
def test_the_credential_appears_in_one_secret_and_is_marked_secret_there(engine):
    graph = build(database(engine))
    holders = [r for r in graph if CANARY in repr(r.inputs)]
    assert [r.kind for r in holders] == ["Secret"]
    assert any(path.startswith("stringData") for path in holders[0].secrets)


@pytest.mark.parametrize("engine", ["pgvector", "qdrant"])
def test_what_holds_state_is_protected_unless_said_otherwise(engine):
    stateful = {"Secret", "StatefulSet", "PersistentVolumeClaim"}
    kept = [r for r in build(database(engine)) if r.kind in stateful]
    assert kept and all(r.protect for r in kept)
    loose = [r for r in build(database(engine, protect=False)) if r.kind in stateful]
    assert {r.name for r in loose} == {r.name for r in kept}
    assert not any(r.protect for r in loose)


def test_postgres_speaks_tls_only_and_reads_its_password_from_a_file():
    graph = build(database())
    container = pod(graph)["containers"][0]
    assert "ssl=on" in container["args"] and "ssl_key_file=/tls/tls.key" in container["args"]
    files = graph.one("ConfigMap", "vector-db-config").inputs["data"]
    network = [line.split()[0] for line in files["pg_hba.conf"].splitlines() if line and line[0] != "#"]
    assert network == ["local", "hostssl"], "a plain `host` line would admit clients without TLS"
    environment = {entry["name"]: entry.get("value") for entry in container["env"]}
    assert environment["POSTGRES_PASSWORD_FILE"] == "/run/secrets/vector-db/password"
    assert "POSTGRES_PASSWORD" not in environment


def test_postgres_finds_every_file_that_its_arguments_name():
    graph = build(database())
    container = pod(graph)["containers"][0]
    mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
    named = [word.partition("=")[2] for word in container["args"] if "=/" in word]
    named += [entry["value"] for entry in container["env"] if entry["value"].startswith("/")]
    assert named
    for path in named:
        assert any(path.startswith(mount) for mount in mounts), f"{path} lies in no mount"


def test_the_extension_is_there_after_the_first_start():
    files = build(database()).one("ConfigMap", "vector-db-config").inputs["data"]
    assert "create extension if not exists vector" in files["vector.sql"]


def test_the_certificate_names_the_service_and_comes_before_the_database():
    graph = build(database())
    certificate = graph.one("Certificate")
    assert "vector-db.vector-db.svc" in certificate.inputs["spec"]["dnsNames"]
    assert certificate.inputs["spec"]["secretName"] == "vector-db-tls"
    assert certificate.urn in graph.before(graph.one("StatefulSet"))


def test_postgres_passes_the_restricted_pod_security_level():
    graph = build(database())
    assert (
        graph.one("Namespace").inputs["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        == "restricted"
    )
    spec = pod(graph)
    assert spec["securityContext"]["runAsUser"] == 999 and spec["securityContext"]["fsGroup"] == 999
    context = spec["containers"][0]["securityContext"]
    assert context["capabilities"] == {"drop": ["ALL"]} and context["allowPrivilegeEscalation"] is False


@pytest.mark.parametrize(("engine", "ports"), [("pgvector", [5432]), ("qdrant", [6333, 6334])])
def test_only_listed_namespaces_and_the_scraper_connect(engine, ports):
    graph = build(database(engine, clients=["team-a"], scraper="metrics"))
    spec = graph.one("NetworkPolicy").inputs["spec"]
    assert sorted(spec["policyTypes"]) == ["Egress", "Ingress"]
    names = [
        peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        for rule in spec["ingress"]
        for peer in rule["from"]
        if "namespaceSelector" in peer
    ]
    assert names == ["team-a", "metrics"]
    assert [port["port"] for port in spec["ingress"][0]["ports"]] == ports


def test_the_network_policy_selects_the_pods_of_the_database():
    graph = build(database())
    labels = graph.one("StatefulSet").inputs["spec"]["template"]["metadata"]["labels"]
    wanted = graph.one("NetworkPolicy").inputs["spec"]["podSelector"]["matchLabels"]
    assert wanted.items() <= labels.items()
    service = graph.one("Service").inputs["spec"]["selector"]
    assert service.items() <= labels.items()


def test_several_replicas_of_pgvector_are_refused():
    with pytest.raises(ArgsError, match="pgvector runs on one node"):
        build(database(replicas=3))


def test_qdrant_gets_its_key_from_the_secret_and_keeps_snapshots():
    graph = build(database("qdrant", replicas=3, size_gib=40))
    values = values_of(graph, "vectors-chart")
    secret = graph.one("Secret")
    (variable,) = values["env"]
    assert variable["name"] == "QDRANT__SERVICE__API_KEY"
    wanted = variable["valueFrom"]["secretKeyRef"]
    assert wanted == {"name": secret.object_name, "key": next(iter(secret.inputs["stringData"]))}
    assert values["snapshotPersistence"] == {"enabled": True, "size": "40Gi"}
    assert values["replicaCount"] == 3 and values["podDisruptionBudget"]["enabled"] is True
    assert values["config"]["service"]["enable_tls"] is True
    assert secret.urn in graph.before(installed(graph, "vectors-chart"))


def test_qdrants_chart_makes_no_secret_of_its_own():
    values = values_of(build(database("qdrant")), "vectors-chart")
    assert "apiKey" not in values, "the chart copies that key into its Secret, and Helm into the release"
    assert CANARY not in repr(values)


@pytest.mark.parametrize("engine", ["pgvector", "qdrant"])
def test_pods_that_read_the_credential_start_anew_with_another_one(engine):
    def revisions(credential):
        graph = build(database(engine, credential=credential))
        pods = [one.inputs["spec"]["template"] for one in graph if one.kind in ("StatefulSet", "Deployment")]
        found = [pod["metadata"]["annotations"] for pod in pods]
        if engine == "qdrant":
            found.append(values_of(graph, "vectors-chart")["podAnnotations"])
        assert found
        return [one["corral.dev/credential-revision"] for one in found]

    first = revisions(CANARY)
    assert len(set(first)) == 1 and revisions(CANARY) == first, "no restart without a change"
    assert set(first).isdisjoint(revisions("another"))


@pytest.mark.parametrize("engine", ["pgvector", "qdrant"])
def test_the_revision_of_a_credential_is_marked_secret_in_the_state(engine):
    graph = build(database(engine))
    marked = [path for one in graph for path in one.secrets if "credential-revision" in path]
    assert len(marked) == {"pgvector": 2, "qdrant": 1}[engine]


def test_postgres_has_memory_for_parallel_index_builds():
    spec = pod(build(database(memory_mib=8192)))
    server = spec["containers"][0]
    mount = next(one for one in server["volumeMounts"] if one["mountPath"] == "/dev/shm")
    (volume,) = [one for one in spec["volumes"] if one["name"] == mount["name"]]
    assert volume["emptyDir"]["medium"] == "Memory"
    size = int(volume["emptyDir"]["sizeLimit"].removesuffix("Mi"))
    needed = next(word for word in server["args"] if word.startswith("maintenance_work_mem="))
    assert int(needed.partition("=")[2].removesuffix("MB")) <= size < 8192


def test_postgres_takes_no_huge_pages_of_its_node_neither_serving_nor_making_its_data():
    server = pod(build(database()))["containers"][0]
    environment = {entry["name"]: entry.get("value") for entry in server["env"]}
    assert environment["POSTGRES_INITDB_ARGS"] == "-c huge_pages=off"
    pairs = list(zip(server["args"][::2], server["args"][1::2], strict=True))
    assert ("-c", "huge_pages=off") in pairs and {flag for flag, _ in pairs} == {"-c"}


def test_postgres_may_take_minutes_to_make_its_data_before_it_is_ended_for_it():
    probe = pod(build(database()))["containers"][0]["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 600


def test_a_pod_of_postgres_is_ready_once_its_server_has_the_password_of_the_secret():
    server, sync = pod(build(database()))["containers"]
    assert sync["image"] == server["image"], "its clients fit the server"
    assert "exec" in sync["readinessProbe"]
    assert server["env"] and CANARY not in repr(sync)


def test_qdrant_is_scraped_over_verified_tls_with_its_key():
    endpoint = build(database("qdrant")).one("ServiceMonitor").inputs["spec"]["endpoints"][0]
    assert endpoint["scheme"] == "https"
    assert endpoint["tlsConfig"]["ca"]["secret"]["name"] == "vector-db-tls"
    assert endpoint["authorization"]["credentials"]["key"] == "api-key"


def test_the_exporter_of_postgres_is_monitored_and_never_sees_the_servers_key():
    graph = build(database())
    exporter = graph.one("Deployment").inputs["spec"]["template"]
    match = graph.one("PodMonitor").inputs["spec"]["selector"]["matchLabels"]
    assert match.items() <= exporter["metadata"]["labels"].items()
    tls = next(v for v in exporter["spec"]["volumes"] if v["name"] == "tls")
    assert [item["key"] for item in tls["secret"]["items"]] == ["ca.crt"]


@pytest.mark.parametrize("engine", ["pgvector", "qdrant"])
def test_without_the_prometheus_types_nothing_of_the_database_uses_them(engine):
    graph = build(database(engine, monitors=False))
    assert not [r for r in graph if "monitoring.coreos.com" in r.type]


@pytest.mark.parametrize("engine", ["pgvector", "qdrant"])
def test_each_engine_brings_alerts_and_a_dashboard(engine):
    graph = build(database(engine))
    assert graph.one("PrometheusRule").inputs["spec"]["groups"][0]["rules"]
    assert graph.one("ConfigMap", "corral-vector-db").inputs["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_an_existing_database_is_looked_up_and_left_alone():
    graph = build(
        lambda: VectorDatabase("vectors", {"engine": "pgvector", "supply": {}, "existing": True}),
        found={"vector-db/vector-db": {"metadata": {"name": "vector-db"}}},
    )
    assert [r.kind for r in graph if r.custom] == ["Service"] and graph.one("Service").read
    outputs = graph.one("VectorDatabase").outputs
    assert outputs["service"] == "vector-db.vector-db.svc" and outputs["port"] == 5432


def test_a_missing_credential_is_named():
    with pytest.raises(ArgsError, match="'credential' is missing"):
        build(lambda: VectorDatabase("vectors", {"engine": "pgvector", "supply": {}}))


def test_the_outputs_tell_clients_where_to_go():
    outputs = build(database("qdrant")).one("VectorDatabase").outputs
    assert outputs == {
        "namespace": "vector-db",
        "service": "vector-db.vector-db.svc",
        "port": 6333,
        "secret": "vector-db-credential",
    }
    assert SECRET not in repr(outputs)
