"""The dev platform as a whole, under the recording engine."""

import json
from pathlib import Path

import pulumi
import pytest
import yaml
from tests.components.existing_cluster.clusters import unexamined
from tests.components.harness import build
from tests.marks import first_of, further

from corral.stacks.config.loader import parse
from corral.stacks.deploy.program import Platform
from corral.stacks.planning.planner import plan

ROOT = Path(__file__).parents[2]
SECRETS = {
    "corral:storage-encryption-key": "ab" * 32,
    "corral:storage-access-key": "canary-access",
    "corral:storage-secret-key": "canary-secret",
    "corral:vector-db-password": "canary-database",
    "corral:vector-db-api-key": "canary-api",
    "corral:grafana-password": "canary-grafana",
    "corral:token-limits-password": "canary-counts",
}


def content(stack: str = "dev") -> dict:
    return yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]["corral:platform"]


@pytest.fixture
def plane(tmp_path, monkeypatch):
    """A plane that was started, as far as its files tell."""
    return started(tmp_path, monkeypatch)


def started(home: Path, patch: pytest.MonkeyPatch) -> Path:
    patch.setenv("CORRAL_HOME", str(home))
    folder = home / "dev"
    folder.mkdir()
    record = {
        "name": "dev",
        "api_port": 16443,
        "service_range": "127.96.0.0/16",
        "pod_octet": 97,
        "inventory": "x",
        "egress_socket": "x",
        "ports": {},
    }
    (folder / "plane.json").write_text(json.dumps(record))
    write_kubeconfig(folder / "kubeconfig", "https://127.0.0.1:16443")
    return folder


def write_kubeconfig(path: Path, server: str) -> None:
    path.write_text(
        yaml.safe_dump(
            {
                "current-context": "corral-dev",
                "contexts": [{"name": "corral-dev", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [{"name": "c", "cluster": {"server": server}}],
            }
        )
    )


@pytest.fixture(scope="module")
def dev(tmp_path_factory):
    """The graph of the committed dev stack."""

    def program():
        for name, value in Platform(plan(parse(content()), "dev")).outputs.items():
            pulumi.export(name, value)

    with pytest.MonkeyPatch.context() as patch:
        started(tmp_path_factory.mktemp("home"), patch)
        return build(program, secret_config=SECRETS, stack="dev")


def test_every_object_goes_to_the_one_cluster(dev):
    providers = dev.of("pulumi:providers:kubernetes")
    assert len(providers) == 1, "each provider reads the cluster's whole API again"
    stray = [r.urn for r in dev if r.type.startswith("kubernetes:") and "::cluster::" not in r.provider]
    assert stray == []


def test_every_object_has_a_component_as_parent(dev):
    loose = [r.urn for r in dev if r.type.startswith("kubernetes:") and "corral:index:" not in r.parent]
    assert loose == []


def test_every_namespace_of_the_platform_is_in_the_scope_of_its_policies(dev):
    spaces = {r.object_name: r.inputs["metadata"]["labels"] for r in dev.of("Namespace")}
    assert {"assistants", "kserve", "gpu-operator"} <= set(spaces)
    outside = [name for name, labels in spaces.items() if labels.get("corral.dev/policies") != "enforced"]
    assert outside == []


def test_every_component_registers_its_outputs(dev):
    silent = [r.name for r in dev if r.type.startswith("corral:") and r.outputs is None]
    assert silent == []


def test_nothing_watches_what_has_no_metrics_on_the_dev_cluster_and_all_else_is_watched(dev):
    spaces = {one.namespace for one in dev.of("PrometheusRule")}
    assert spaces == {"assistants", "developers", "cert-manager", "kyverno", "model-storage", "vector-db"}
    assert {one.namespace for one in (*dev.of("ServiceMonitor"), *dev.of("PodMonitor"))} == spaces
    boards = {one.object_name for one in dev.of("ConfigMap")}
    assert {"corral-kserve", "corral-gpus"} <= boards
    operator = dev.one("Release", "gpu-operator-chart").inputs["values"]
    assert operator["dcgmExporter"]["serviceMonitor"]["enabled"] is False


def test_no_two_resources_make_the_same_object(dev):
    made = [
        (r.kind, r.namespace, r.object_name)
        for r in dev
        if r.type.startswith("kubernetes:") and "name" in r.inputs.get("metadata", {})
    ]
    assert len(made) == len(set(made)), sorted(one for one in made if made.count(one) > 1)


def test_no_secret_is_passed_on_unmarked(dev):
    holders = [
        (resource, path)
        for resource in dev
        for path, value in leaves(resource.inputs)
        if any(secret in str(value) for secret in SECRETS.values())
    ]
    assert holders
    for resource, path in holders:
        covered = any(path == s or path.startswith((f"{s}.", f"{s}[")) for s in resource.secrets)
        assert covered, f"{resource.name}: {path} holds a secret in plain text"


def test_a_changed_secret_is_written_in_place(dev):
    """The provider would replace it, which Pulumi refuses for a protected one, and no hook would be asked."""
    (provider,) = dev.of("pulumi:providers:kubernetes")
    assert provider.inputs["enableSecretMutable"] in (True, "true")


def test_no_secret_lies_in_a_helm_release(dev):
    """Helm keeps the values of a release in a Secret of its own, revision by revision."""
    releases = dev.of("Release")
    assert len(releases) > 5
    for release in releases:
        for path, value in leaves(release.inputs):
            assert not any(secret in str(value) for secret in SECRETS.values()), f"{release.name}: {path}"
        for path in release.secrets:
            assert "credential-revision" in path, f"{release.name}: {path} is a secret"


def leaves(value, where=""):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{where}.{key}" if where else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, f"{where}[{index}]")
    else:
        yield where, value


def test_a_model_waits_for_kserve_storage_and_its_nodes(dev):
    service = dev.one("InferenceService", "smollm2-service")
    before = {dev.by_urn(urn).name for urn in dev.before(service)}
    assert {"kserve-chart", "smollm2-import", "model-storage-bucket", "slices/slices-0"} <= before


def test_kserve_waits_for_cert_manager(dev):
    (chart,) = [r for r in dev if r.name == "kserve-chart"]
    assert "cert-manager-chart" in {dev.by_urn(urn).name for urn in dev.before(chart)}


def test_the_nodes_are_labelled_after_their_layouts_exist(dev):
    patch = dev.one("NodePatch", "slices/slices-0")
    assert "gpu-operator-mig-parted" in {dev.by_urn(urn).name for urn in dev.before(patch)}
    layouts = yaml.safe_load(dev.one("ConfigMap", "gpu-operator-mig-parted").inputs["data"]["config.yaml"])
    assert patch.inputs["metadata"]["labels"]["nvidia.com/mig.config"] in layouts["mig-configs"]


def test_tenants_may_reach_the_stores_that_are_theirs_to_use(dev):
    outwards = [policy for policy in dev.of("NetworkPolicy") if policy.object_name.endswith("outwards")]
    assert outwards
    for policy in outwards:
        text = json.dumps(policy.inputs["spec"])
        for namespace, port in (("model-storage", 8333), ("vector-db", 5432)):
            assert f'"{namespace}"' in text and str(port) in text, (policy.object_name, namespace)


def test_only_real_weights_are_imported(dev):
    imports = [job.name for job in dev.of("Job") if job.name.endswith("-import")]
    assert imports == ["smollm2-import"]


def test_former_imports_go_once_every_model_has_changed_over(dev):
    job = dev.one("Job", "retention-prune")
    rollouts = dev.of("DeploymentPatch")
    assert {one.urn for one in [*rollouts, *dev.of("InferenceService")]} <= dev.before(job)
    arguments = job.inputs["spec"]["template"]["spec"]["containers"][0]["args"]
    served = {one for one in arguments if "=" in one}
    targets = [one for one in dev.of("Job") if one.name.endswith("-import")]
    prefixes = {one.inputs["spec"]["template"]["spec"]["containers"][0]["args"][-1] for one in targets}
    assert {one.partition("=")[2] for one in served} == {one.rpartition("/")[2] for one in prefixes}


def test_each_model_gets_a_dashboard_an_alert_and_a_monitor(dev):
    for model in [one["name"] for one in content()["models"]]:
        assert dev.one("ConfigMap", f"{model}-dashboard")
        assert dev.one("PrometheusRule", f"{model}-alerts")
        assert dev.one("ServiceMonitor", f"{model}-monitor")


def test_what_holds_data_may_go_with_the_embedded_plane_and_nowhere_else(dev, plane, tmp_path, monkeypatch):
    unexamined(monkeypatch)
    assert not any(r.protect for r in dev)
    kubeconfig = tmp_path / "foreign"
    write_kubeconfig(kubeconfig, "https://cluster.example.eu:6443")
    other = content()
    other["cluster"] = {"kind": "existing", "kubeconfig": str(kubeconfig)}
    graph = build(lambda: Platform(plan(parse(other), "other")), secret_config=SECRETS, stack="other")
    assert {"model-storage-data", "model-storage-store", "model-storage-config"} <= {
        r.name for r in graph if r.protect
    }


@pytest.mark.parametrize(
    ("nodes", "root", "driver"),
    [
        ("gke-cos", "/home/kubernetes/bin/nvidia", {"enabled": False}),
        further(None, "/run/nvidia/driver", {"enabled": True}),
        further(
            "eks-ubuntu", "/run/nvidia/driver", {"enabled": True, "usePrecompiled": True, "version": "580"}
        ),
    ],
)
def test_what_the_nodes_are_reaches_both_charts(nodes, root, driver):
    other = content()
    other["cluster"] = {"kind": "existing"} if nodes is None else {"kind": "existing", "platform": nodes}
    if "usePrecompiled" in driver:
        other["cluster"]["precompiled-driver"] = 580
    graph = build(lambda: Platform(plan(parse(other), "other")), secret_config=SECRETS, stack="other")
    values = {r.name: r.inputs["values"] for r in graph if r.kind in ("Chart", "Release")}
    assert values["dra-driver-chart"]["nvidiaDriverRoot"] == root
    assert values["gpu-operator-chart"]["driver"] == driver


def test_the_engine_of_a_long_context_gets_what_the_plan_says_and_no_other_does(plane):
    custom = {
        "task": "chat",
        "license": "MIT",
        "dtype": "bf16",
        "weights-gib": 1,
        "layers": 4,
        "hidden": 512,
        "intermediate": 1024,
        "vocabulary": 1000,
        "context": 131072,
        "attention": {"kind": "gqa", "heads": 4, "kv-heads": 1, "head-dim": 64},
        "long-context": {"above": 32768},
    }
    one = {"name": "long", "model": "long", "context": 65536, "weights": "simulated", "tenant": "assistants"}
    other = {**content(), "custom-models": {"long": custom}}
    other["models"] = [*other["models"][:1], {**one, "max-num-seqs": 4}]
    graph = build(lambda: Platform(plan(parse(other), "dev")), secret_config=SECRETS, stack="dev")
    served = {r.name: r.inputs["spec"]["predictor"]["model"] for r in graph.of("InferenceService")}
    variables = {name: one.get("env") for name, one in served.items()}
    assert variables.pop("long-service") == [{"name": "VLLM_ALLOW_LONG_MAX_MODEL_LEN", "value": "1"}]
    assert "VLLM_ALLOW_LONG_MAX_MODEL_LEN" not in str(variables)


def test_the_outputs_say_where_everything_is(plane):
    seen: dict = {}

    def program():
        outputs = Platform(plan(parse(content()), "dev")).outputs
        pulumi.Output.from_input(dict(outputs)).apply(seen.update)

    build(program, secret_config=SECRETS, stack="dev")
    assert seen["endpoints"]["smollm2"] == "http://smollm2-predictor.assistants.svc.cluster.local/v1"
    assert seen["bucket"] == "s3://models"
    assert seen["placements"]["smollm2"][0]["node"] == "slices-0"
    assert seen["vector-db"].endswith(":5432")
    assert seen["policy"]["profile"] == "open"
    assert (seen["policy"]["pack"], seen["policy"]["verdict"]) == ("not run", "not run")


def test_the_evidence_of_the_policy_pack_comes_after_everything_else(dev):
    stamped = dev.one("ConfigMap", "evidence")
    own = {stamped.urn, stamped.provider.rpartition("::")[0], dev.one("Namespace", "corral-evidence").urn}
    assert {one.urn for one in dev if one.custom} - own <= dev.before(stamped)


def test_a_plane_that_is_not_started_is_named_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("CORRAL_HOME", str(tmp_path / "nothing"))
    with pytest.raises(pulumi.RunError, match=r"not started.*corral up -s dev.*make up"):
        build(lambda: Platform(plan(parse(content()), "dev")), secret_config=SECRETS, stack="dev")


def test_the_embedded_stack_refuses_a_cluster_that_corral_did_not_start(plane):
    write_kubeconfig(plane / "kubeconfig", "https://production.example.eu:6443")
    with pytest.raises(pulumi.RunError, match=r"production\.example\.eu.*deployed nowhere else"):
        build(lambda: Platform(plan(parse(content()), "dev")), secret_config=SECRETS, stack="dev")


def test_a_missing_secret_fails_by_its_name(plane):
    partial = {key: value for key, value in SECRETS.items() if key != "corral:storage-encryption-key"}
    with pytest.raises(pulumi.RunError, match="corral:storage-encryption-key"):
        build(lambda: Platform(plan(parse(content()), "dev")), secret_config=partial, stack="dev")


@pytest.mark.parametrize(
    "part",
    first_of(
        (
            "gpu-operator",
            "gateway-api",
            "cert-manager",
            "prometheus-crds",
            "kyverno",
            "kserve",
            "observability",
        )
    ),
)
def test_an_existing_part_is_checked_and_nothing_of_it_is_installed(plane, part):
    wanted = content()
    wanted["addons"] = {part: "existing"}
    served = {"spec": {"versions": [{"name": version, "served": True} for version in ("v1", "v1beta1")]}}
    policy = {"devicePlugin": {"enabled": False}, "migManager": {"config": {"name": "corral-mig-parted"}}}

    class Anything(dict):
        def __missing__(self, key):
            return served

    graph = build(
        lambda: Platform(plan(parse(wanted), "dev")),
        secret_config=SECRETS,
        stack="dev",
        found=Anything({"cluster-policy": {"spec": policy}}),
    )
    reads = [r for r in graph if r.read and any(a.name == part for a in graph.ancestors(r))]
    installed = [
        r.name
        for r in graph
        if r.kind in ("Chart", "Release") and any(a.name == part for a in graph.ancestors(r))
    ]
    assert reads, "its version must be looked at"
    assert installed == []


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """The graph of the dev stack, with GPUs of tenants and fair sharing."""
    wanted = content()
    wanted["fair-sharing"] = {"ready-within": 30}
    wanted["tenants"] = [
        {"name": "assistants", "weight": 2},
        {"name": "developers", "gpus": {"slices": {"3g.20gb": 1, "1g.5gb": 2}, "whole": 2}},
    ]
    made = plan(parse(wanted), "dev")
    with pytest.MonkeyPatch.context() as patch:
        started(tmp_path_factory.mktemp("shared"), patch)
        return made, build(lambda: Platform(made), secret_config=SECRETS, stack="dev")


def test_every_slice_has_a_class_that_is_there_before_anything_asks_for_it(dev):
    classes = {one.object_name for one in dev.of("DeviceClass")}
    templates = dev.of("ResourceClaimTemplate")
    requests = {one.urn: one.inputs["spec"]["spec"]["devices"]["requests"] for one in templates}
    exact = {urn: one["exactly"] for urn, (one,) in requests.items()}
    assert len(templates) == len(content()["models"])
    assert {one["deviceClassName"] for one in exact.values()} == {*classes, "gpu.nvidia.com"}
    slices = [one for one in templates if exact[one.urn]["deviceClassName"] in classes]
    assert slices
    for one in slices:
        assert "selectors" not in exact[one.urn], "the class says the profile"
        assert {r.urn for r in dev.of("DeviceClass")} <= dev.before(one)


def test_without_fair_sharing_there_is_no_queue_and_no_limit(dev):
    assert [r.name for r in dev if "kueue.x-k8s.io" in json.dumps(r.inputs)] == []
    assert dev.of("ResourceQuota") == [] and dev.of("FairSharing") == []


def test_tenants_namespaces_go_before_the_quotas_that_let_their_workloads_in(shared):
    _made, graph = shared
    quotas = {one.urn for one in graph.of("ClusterQueue")}
    spaces = [one for one in graph.of("Namespace") if one.object_name in ("assistants", "developers")]
    assert len(spaces) == 2 and quotas
    for one in spaces:
        assert quotas <= graph.before(one), "a quota waits for the end of every workload"


def test_models_wait_in_their_tenants_queue_which_is_there_before_them(shared):
    _made, graph = shared
    assert len(graph.of("InferenceService")) == len(content()["models"])
    for service in graph.of("InferenceService"):
        told = service.inputs["metadata"]["labels"]
        (queue,) = [one for one in graph.of("LocalQueue") if one.namespace == service.namespace]
        assert told["kueue.x-k8s.io/queue-name"] == queue.object_name
        before = graph.before(service)
        assert {
            queue.urn,
            graph.one("WorkloadPriorityClass", told["kueue.x-k8s.io/priority-class"]).urn,
        } <= before
        space = graph.one("Namespace", service.namespace)
        assert space.urn in graph.before(queue), "its namespace is the tenant's"


def test_the_priority_of_a_model_is_that_of_its_pods_and_of_its_place_in_the_queue(tmp_path, monkeypatch):
    wanted = content()
    wanted["fair-sharing"] = {}
    for model, word in zip(wanted["models"], ("high", "low", "normal"), strict=False):
        model["priority"] = word
    started(tmp_path, monkeypatch)
    graph = build(lambda: Platform(plan(parse(wanted), "dev")), secret_config=SECRETS, stack="dev")
    queued = {"high": "served-models-high", "normal": "served-models", "low": "served-models-low"}
    for model in wanted["models"]:
        service = graph.one("InferenceService", model["name"])
        word = model.get("priority", "normal")
        assert service.inputs["spec"]["predictor"]["priorityClassName"] == f"corral-{word}"
        assert service.inputs["metadata"]["labels"]["kueue.x-k8s.io/priority-class"] == queued[word]
        assert graph.one("PriorityClass", f"corral-{word}").urn in graph.before(service)
    imports = [one for one in graph.of("Job") if one.object_name.startswith("import-")]
    classes = {one.inputs["spec"]["template"]["spec"]["priorityClassName"] for one in imports}
    assert classes == {"corral-batch"}


def test_what_queues_promise_is_what_the_plan_promises(shared):
    made, graph = shared
    assert len(made.shares.tenants) == 2
    for share in made.shares.tenants:
        (group,) = graph.one("ClusterQueue", share.tenant).inputs["spec"]["resourceGroups"]
        promised = {
            (flavour["name"], one["name"]): int(one["nominalQuota"])
            for flavour in group["flavors"]
            for one in flavour["resources"]
            if one["nominalQuota"] != "0"
        }
        assert promised == {
            (one.device.pool, one.device.resource): one.count for one in share.guaranteed if one.count
        }
    text = graph.one("Release", "kueue-chart").inputs["values"]["managerConfig"][
        "controllerManagerConfigYaml"
    ]
    configured = yaml.safe_load(text)
    assert configured["waitForPodsReady"]["timeout"] == "30m"
    counted = {one["deviceClassNames"][0] for one in configured["resources"]["deviceClassMappings"]}
    asked = {
        template.inputs["spec"]["spec"]["devices"]["requests"][0]["exactly"]["deviceClassName"]
        for template in graph.of("ResourceClaimTemplate")
    }
    assert asked <= counted, "Kueue refuses a class that it does not count"


def test_each_tenant_has_a_limit_in_its_namespace(shared):
    made, graph = shared
    assert len(made.tenants) == 2
    for tenant in made.tenants:
        (quota,) = [one for one in graph.of("ResourceQuota") if one.namespace == tenant.namespace]
        assert quota.inputs["spec"]["hard"] == {
            f"{name}.deviceclass.resource.k8s.io/devices": str(most) for name, most in tenant.limits
        }


def test_the_program_is_short_and_decides_nothing():
    text = (ROOT / "__main__.py").read_text()
    assert len(text.splitlines()) <= 20
    assert "if " not in text
