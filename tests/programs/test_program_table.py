"""Which image is which program, and how it is started."""

from pathlib import Path

import pytest
import yaml

from corral.catalogue.clusters import capabilities
from corral.catalogue.images import image
from corral.catalogue.vocabulary import Addon, ClusterKind
from corral.embedded import toolchain
from corral.embedded.node.program_spec import Omitted, ProgramSpec, Refused
from corral.embedded.node.programs import TABLE, find, installed


def spec_of(image: str) -> ProgramSpec:
    result = find(image)
    assert isinstance(result, ProgramSpec)
    return result


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("kserve/kserve-controller:v0.20.0", "kserve-manager"),
        ("docker.io/kserve/kserve-localmodel-controller:v0.20.0", "kserve-localmodel"),
        ("docker.io/kserve/kserve-localmodelnode-agent:v0.20.0", "kserve-localmodelnode"),
        ("docker.io/kserve/storage-initializer:v0.20.0", "kserve-storage-initializer"),
        ("ghcr.io/ggml-org/llama.cpp:server", "llama-server"),
        ("registry.example.eu:5000/mirror/ghcr.io/ggml-org/llama.cpp@sha256:" + "0" * 64, "llama-server"),
        ("chrislusf/seaweedfs:4.48", "seaweedfs"),
        ("docker.io/pgvector/pgvector:0.8.6-pg18@sha256:" + "1" * 64, "postgres"),
        ("reg.kyverno.io/kyverno/kyverno:v1.19.1", "kyverno"),
        ("reg.kyverno.io/kyverno/kyvernopre:v1.19.1", "kyverno-init"),
        ("reg.kyverno.io/kyverno/background-controller:v1.19.1", "kyverno-background-controller"),
        ("ghcr.io/kyverno/readiness-checker:v1.19.1", "kyverno-readiness-checker"),
        ("registry.k8s.io/kueue/kueue:v0.19.2", "kueue"),
        ("localhost/corral/tools:0.1.0", "corral-tools"),
    ],
)
def test_an_image_is_found_from_any_registry_and_with_any_tag_or_digest(image: str, name: str):
    assert spec_of(image).name == name


@pytest.mark.parametrize("image", ["vllm/vllm-openai:v0.24.0", "notkserve/kserve-controller-x", "llama.cpp"])
def test_an_image_without_a_row_is_not_mistaken_for_another(image: str):
    assert find(image) is None


def test_a_container_left_out_says_why():
    proxy = find("quay.io/brancz/kube-rbac-proxy:v0.18.0")
    assert isinstance(proxy, Omitted)
    assert "metrics" in proxy.why


def test_addons_without_metrics_on_a_plane_are_those_whose_exporters_are_no_programs():
    exporters = {Addon.KSERVE: "kube-rbac-proxy", Addon.GPU_OPERATOR: "dcgm-exporter"}
    running = {
        addon
        for addon, name in exporters.items()
        if isinstance(find(f"{image(name).repository}:{image(name).tag}"), ProgramSpec)
    }
    assert set(capabilities(ClusterKind.EMBEDDED).without_metrics) == exporters.keys() - running


def test_names_and_images_of_the_table_are_unique():
    assert len({entry.image for entry in TABLE}) == len(TABLE)


def test_every_row_says_where_its_arguments_are_documented():
    assert all(entry.documented for entry in TABLE if isinstance(entry, ProgramSpec))


def test_kserve_listens_on_the_address_of_the_pod_alone(container, placed: Path):
    context = container("--metrics-addr=127.0.0.1:8080", "--leader-elect", command=["/manager"])
    launch = spec_of("kserve/kserve-controller:v0.20.0").launch(context)
    assert launch.argv == [
        str(placed / "kserve-manager/bin/kserve-manager"),
        "--metrics-addr=127.97.0.7:8080",
        "--leader-elect",
        "--health-probe-addr=127.97.0.7:8081",
        "--webhook-host=127.97.0.7",
    ]
    assert launch.env["TMPDIR"] == "/tmp"


def test_kserve_finds_identity_and_certificate_without_mounts_at_their_place(
    container, placed, tmp_path: Path
):
    certificates = tmp_path / "certs"
    context = container(real_paths=False, mounts={"/tmp/k8s-webhook-server/serving-certs": certificates})
    manager = spec_of("kserve/kserve-controller:v0.20.0")
    manager.launch(context)
    launch = manager.launch(context)  # again, as after a restart
    assert f"--kubeconfig={context.kubeconfig}" in launch.argv
    linked = Path(launch.env["TMPDIR"]) / "k8s-webhook-server" / "serving-certs"
    assert linked.resolve() == certificates.resolve()


def test_the_storage_initializer_fetches_into_the_mounted_folder(container, placed, tmp_path: Path):
    context = container("s3://models/a", "/mnt/models", real_paths=False, mounts={"/mnt/models": tmp_path})
    launch = spec_of("kserve/storage-initializer:v0.20.0").launch(context)
    assert launch.argv[-2:] == ["s3://models/a", str(tmp_path)]
    assert installed.SCRIPTS in launch.needs


def test_the_storage_initializer_refuses_a_source_without_target(container, placed):
    with pytest.raises(Refused, match="pairs of source and target"):
        spec_of("kserve/storage-initializer").launch(container("s3://models/a"))


MODEL = ("--model", "/mnt/models/m.gguf", "--alias", "chat", "--host", "0.0.0.0", "--port", "8080")


@pytest.mark.parametrize(("cores", "threads"), [({0, 1, 2}, 2), ({0, 1}, 1), ({5}, 1)])
def test_the_model_server_leaves_a_core_to_others_and_has_the_address_of_the_pod(
    container, placed, monkeypatch, cores, threads
):
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: cores)
    launch = spec_of("ghcr.io/ggml-org/llama.cpp:server").launch(
        container(*MODEL, "--ctx-size", "2048", "-np", "2", "--metrics")
    )
    assert launch.argv[3:] == [
        "--model=/mnt/models/m.gguf", "--alias=chat", "--host=127.97.0.7", "--port=8080",
        "--ctx-size=2048", "--parallel=2", "--metrics", f"--threads={threads}",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--n-gpu-layers", "99"), "the process has no GPU"),
        (("--hf-repo", "a/b"), "--hf-repo of image ggml-org/llama.cpp is not honoured"),
    ],
)
def test_the_model_server_refuses_what_it_cannot_do_here(container, placed, arguments, why):
    with pytest.raises(Refused, match=why):
        spec_of("ghcr.io/ggml-org/llama.cpp:server").launch(container(*MODEL, *arguments))


def test_the_model_server_refuses_settings_by_variable_and_a_missing_model(container, placed):
    server = spec_of("ghcr.io/ggml-org/llama.cpp:server")
    with pytest.raises(Refused, match="LLAMA_ARG_HF_REPO"):
        server.launch(container(*MODEL, env={"LLAMA_ARG_HF_REPO": "a/b"}))
    with pytest.raises(Refused, match="needs --model"):
        server.launch(container("--port", "8080"))


WEED = ("server", "-ip.bind=0.0.0.0", "-master.telemetry=false", "-filer", "-s3", "-s3.port=8333")


def test_the_object_store_is_known_by_and_bound_to_the_address_of_the_pod(container, placed):
    argv = spec_of("chrislusf/seaweedfs:4.48").launch(container(*WEED)).argv
    assert "--ip=127.97.0.7" in argv
    assert "--ip.bind=127.97.0.7" in argv
    assert "--dir=/data" in argv
    assert argv[1:3] == ["--logtostderr=true", "server"]


def test_an_object_store_that_reports_to_its_maker_is_refused(container, placed):
    with pytest.raises(Refused, match=r"--master\.telemetry must be false"):
        spec_of("chrislusf/seaweedfs").launch(container("server", "-filer", "-s3"))


def test_two_object_stores_without_mounts_of_their_own_share_no_socket(container, placed, tmp_path: Path):
    store = spec_of("chrislusf/seaweedfs")

    def own(address: str) -> set[str]:
        context = container(
            *WEED, bind=address, real_paths=False, mounts={"/etc/seaweedfs": tmp_path, "/data": tmp_path}
        )
        argv = store.launch(context).argv
        assert f"--config_dir={tmp_path}" in argv[:3]
        return {part for part in argv if ".grpc=" in part or "ocket=" in part}

    mine, other_pod, other_plane = own("127.97.0.7"), own("127.97.0.8"), own("127.98.0.7")
    assert len(mine) == 6
    assert not mine & other_pod
    assert not mine & other_plane


def test_the_object_store_runs_no_other_command(container, placed):
    with pytest.raises(Refused, match="not 'shell'"):
        spec_of("chrislusf/seaweedfs").launch(container("shell"))


def test_the_database_gets_its_settings_and_no_password_as_argument(container, placed: Path, tmp_path: Path):
    context = container(
        "-c", "ssl=on", "-c", "ssl_key_file=/certs/tls.key", "-c", "hba_file=/certs/hba",
        "-cshared_buffers=64MB",
        "-c", "listen_addresses=*",
        env={"POSTGRES_PASSWORD": "hunter2", "POSTGRES_DB": "vectors", "PGDATA": "/data/pg"},
        real_paths=False, mounts={"/certs": tmp_path / "certs", "/data": tmp_path / "data"},
    )  # fmt: skip
    launch = spec_of("docker.io/pgvector/pgvector:0.8.6-pg18").launch(context)
    assert launch.argv[3:] == [
        "ssl=on", f"ssl_key_file={tmp_path}/certs/tls.key", f"hba_file={tmp_path}/certs/hba",
        "shared_buffers=64MB",
    ]  # fmt: skip
    assert launch.env["PGDATA"] == str(tmp_path / "data" / "pg")
    assert "hunter2" not in " ".join(launch.argv)


@pytest.mark.parametrize(
    ("arguments", "env", "why"),
    [
        (("-c", "archive_command=x"), {}, "setting archive_command"),
        (("--help",), {}, "argument '--help'"),
        ((), {"POSTGRES_HOST_AUTH_METHOD": "trust"}, "variable POSTGRES_HOST_AUTH_METHOD"),
    ],
)
def test_the_database_refuses_what_it_does_not_honour(container, placed, arguments, env, why):
    with pytest.raises(Refused, match=why):
        spec_of("pgvector/pgvector").launch(container(*arguments, env=env))


def test_kyverno_listens_on_the_address_of_the_pod_alone(container, placed):
    argv = (
        spec_of("kyverno/kyverno")
        .launch(container("--servicePort=443", "--controllerRuntimeMetricsAddress=:8080", "--v=2"))
        .argv
    )
    assert "--webhookServerHost=127.97.0.7" in argv
    assert "--metricsHost=127.97.0.7" in argv
    assert "--controllerRuntimeMetricsAddress=127.97.0.7:8080" in argv


def test_the_hooks_of_kyverno_need_their_identity_at_its_place(container, placed):
    checker = spec_of("ghcr.io/kyverno/readiness-checker")
    assert checker.launch(container("delete-webhooks")).argv[1:] == ["delete-webhooks"]
    with pytest.raises(Refused, match="ServiceAccount folder"):
        checker.launch(container("delete-webhooks", real_paths=False))
    with pytest.raises(Refused, match="not 'check-http'"):
        checker.launch(container("check-http"))


def test_the_tools_take_packages_from_the_toolchain_without_a_network(container, placed: Path):
    launch = spec_of("localhost/corral/tools:0.1.0").launch(container("import", "--to", "s3://models/a"))
    assert launch.argv[1:] == ["-m", "corral.tools", "import", "--to", "s3://models/a"]
    assert launch.env["PIP_NO_INDEX"] == "1"
    assert launch.env["PIP_FIND_LINKS"] == str(placed / "wheels")
    assert placed / "wheels" in launch.needs


def test_a_program_that_is_not_set_up_is_the_reason_of_the_refusal(container, monkeypatch):
    def missing(name: str) -> Path:
        raise toolchain.ToolMissing(name)

    monkeypatch.setattr(toolchain, "tool", missing)
    with pytest.raises(Refused, match="weed: not set up"):
        spec_of("chrislusf/seaweedfs").launch(container(*WEED))


def test_a_process_of_ours_sees_every_folder_that_our_modules_come_from(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(tmp_path))
    seen = installed.this_python()
    assert tmp_path in seen, "an environment may take packages from a folder outside itself"
    assert len(set(seen)) == len(seen)


def configured(container, tmp_path: Path, text: str, **changes):
    arguments = tmp_path / "controller_manager_config.yaml"
    arguments.write_text(text)
    mounts = {"/controller_manager_config.yaml": arguments}
    return container(
        "--config=/controller_manager_config.yaml", command=["/manager"], mounts=mounts, **changes
    )


def test_kueue_listens_on_the_address_of_the_pod_alone_and_keeps_the_rest(container, placed, tmp_path: Path):
    text = """
kind: Configuration
health: {healthProbeBindAddress: ":9081"}
metrics: {enableClusterQueueResources: true}
pprofBindAddress: ":8083"
webhook: {port: 9443}
integrations: {frameworks: [batch/job]}
"""
    launch = spec_of("registry.k8s.io/kueue/kueue:v0.19.2").launch(configured(container, tmp_path, text))
    file = Path(launch.argv[1].removeprefix("--config="))
    assert yaml.safe_load(file.read_text()) == {
        "kind": "Configuration",
        "health": {"healthProbeBindAddress": "127.97.0.7:9081"},
        "metrics": {"enableClusterQueueResources": True, "bindAddress": "127.97.0.7:8443"},
        "pprofBindAddress": "127.97.0.7:8083",
        "webhook": {"port": 9443, "host": "127.97.0.7"},
        "visibilityServer": {"bindAddress": "127.97.0.7"},
        "integrations": {"frameworks": ["batch/job"]},
    }


@pytest.mark.parametrize(
    ("text", "changes", "why"),
    [
        ("just text", {}, "is not a configuration"),
        ("kind: Configuration", {"real_paths": False}, "in /visibility, and this machine does not"),
    ],
)
def test_kueue_is_refused_where_it_could_not_run(container, placed, tmp_path: Path, text, changes, why):
    with pytest.raises(Refused, match=why):
        spec_of("kueue/kueue").launch(configured(container, tmp_path, text, **changes))


def test_kueue_is_refused_without_the_configuration_that_it_names(container, placed):
    with pytest.raises(Refused, match="names /elsewhere, which no volume"):
        spec_of("kueue/kueue").launch(container("--config=/elsewhere", command=["/manager"]))
