import subprocess

import pulumi
import pytest
import yaml
from tests.components.harness import build
from tests.components_parts.installs import installed, installs, values_of

from corral.components._kit import ArgsError
from corral.components.crds import Crds
from corral.components.kyverno import Kyverno
from corral.components.kyverno.component import CONTROLLERS
from corral.components.tenancy import Tenancy
from corral.embedded import toolchain


def test_kyverno_leaves_alone_the_namespaces_that_must_heal_without_it():
    values = values_of(build(lambda: Kyverno("kyverno", {"supply": {}})), "kyverno-chart")
    rule = values["config"]["webhooks"]["namespaceSelector"]["matchExpressions"][0]
    assert rule["operator"] == "NotIn" and rule["key"] == "kubernetes.io/metadata.name"
    assert {"kube-system", "gpu-operator"} <= set(rule["values"])


def test_kyverno_is_asked_about_labelled_namespaces_alone_where_others_share_the_cluster():
    values = values_of(build(lambda: Kyverno("k", {"supply": {}, "scope": "namespaces"})), "k-chart")
    rules = values["config"]["webhooks"]["namespaceSelector"]["matchExpressions"]
    assert {"key": "corral.dev/policies", "operator": "In", "values": ["enforced"]} in rules
    whole = values_of(build(lambda: Kyverno("k", {"supply": {}, "exempt_namespaces": ["shop"]})), "k-chart")
    rules = whole["config"]["webhooks"]["namespaceSelector"]["matchExpressions"]
    assert [rule["operator"] for rule in rules] == ["NotIn"] and "shop" in rules[0]["values"]


def test_kyverno_answers_from_three_pods_unless_told_otherwise():
    default = values_of(build(lambda: Kyverno("kyverno", {"supply": {}})), "kyverno-chart")
    assert default["admissionController"]["replicas"] == 3
    one = values_of(build(lambda: Kyverno("kyverno", {"supply": {}, "replicas": 1})), "kyverno-chart")
    assert one["admissionController"]["replicas"] == 1


def test_a_kyverno_that_is_up_is_seen_at_once_and_one_that_starts_slowly_is_waited_for():
    controller = values_of(build(lambda: Kyverno("k", {"supply": {}})), "k-chart")["admissionController"]
    startup, readiness = controller["startupProbe"], controller["readinessProbe"]
    assert startup["periodSeconds"] + readiness["initialDelaySeconds"] + readiness["periodSeconds"] <= 3
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 120
    assert readiness["periodSeconds"] * readiness["failureThreshold"] >= 60


def test_the_roles_that_kubernetes_fills_are_adopted_by_the_release_and_outlive_it():
    graph = build(lambda: Kyverno("k", {"supply": {}, "namespace": "guard"}))
    roles = graph.of("ClusterRole")
    assert {one.object_name for one in roles} == {f"kyverno:{controller}" for controller in CONTROLLERS}
    release = installed(graph, "k-chart")
    for one in roles:
        owner = one.inputs["metadata"]["annotations"]
        assert owner["meta.helm.sh/release-name"] == release.inputs["name"]
        assert owner["meta.helm.sh/release-namespace"] == "guard" == release.inputs["namespace"]
        assert one.urn in graph.before(release), "what comes first goes last"


def test_kyverno_is_there_when_its_controllers_are_though_its_release_awaits_nothing():
    graph = build(lambda: Kyverno("k", {"supply": {}}))
    release = installed(graph, "k-chart")
    assert release.inputs["skipAwait"] is True
    awaited = graph.of("DeploymentPatch")
    assert {one.object_name for one in awaited} == {f"kyverno-{controller}" for controller in CONTROLLERS}
    assert all(release.urn in graph.before(one) for one in awaited)


@pytest.mark.engine
def test_the_real_chart_has_the_roles_and_controllers_that_are_named_here():
    values = values_of(build(lambda: Kyverno("k", {"supply": {}})), "k-chart")
    command = [str(toolchain.tool("helm")), "template", "kyverno", str(toolchain.chart("kyverno"))]
    done = subprocess.run(
        [*command, "--values", "-"], input=yaml.safe_dump(values), capture_output=True, text=True, check=True
    )
    objects = [one for one in yaml.load_all(done.stdout, yaml.CSafeLoader) if one]
    filled = {one["metadata"]["name"] for one in objects if "aggregationRule" in one}
    assert filled == {f"kyverno:{controller}" for controller in CONTROLLERS}
    running = {one["metadata"]["name"] for one in objects if one["kind"] == "Deployment"}
    assert running == {f"kyverno-{controller}" for controller in CONTROLLERS}


def test_no_reports_are_written_that_no_controller_collects():
    values = values_of(build(lambda: Kyverno("kyverno", {"supply": {}})), "kyverno-chart")
    assert values["reportsController"]["enabled"] is False
    assert values["features"]["admissionReports"]["enabled"] is False


def test_exceptions_from_policies_count_in_kyvernos_namespace_only():
    values = values_of(build(lambda: Kyverno("k", {"supply": {}, "namespace": "guard"})), "k-chart")
    assert values["features"]["policyExceptions"] == {"enabled": True, "namespace": "guard"}


def test_an_existing_kyverno_without_our_policy_version_is_refused():
    def served(version):
        return {"spec": {"versions": [{"name": version, "served": True}]}}

    name = "validatingpolicies.policies.kyverno.io"
    good = build(lambda: Kyverno("k", {"supply": {}, "existing": True}), found={name: served("v1")})
    assert installs(good) == []
    with pytest.raises(pulumi.RunError, match="v1 is needed"):
        build(lambda: Kyverno("k", {"supply": {}, "existing": True}), found={name: served("v1alpha1")})


@pytest.mark.parametrize("which", ["gateway-api", "prometheus-crds"])
def test_resource_types_are_one_chart_each(which):
    graph = build(lambda: Crds("types", {"set": which, "supply": {}}))
    assert [entry.name for entry in installs(graph)] == ["types-chart"]


def test_the_gateway_types_are_asked_for_since_their_chart_installs_nothing_by_itself():
    values = values_of(build(lambda: Crds("types", {"set": "gateway-api", "supply": {}})), "types-chart")
    assert values["crds"]["gatewayAPI"] == {"enabled": True, "channel": "standard"}


def test_an_unknown_set_of_types_is_refused_with_the_known_ones():
    with pytest.raises(ArgsError, match="gateway-api, prometheus-crds"):
        build(lambda: Crds("types", {"set": "istio", "supply": {}}))


TENANTS = [
    {"name": "blue", "namespace": "team-blue", "data_class": "internal", "devices": {"mig.nvidia.com": 7}},
    {"name": "red", "namespace": "team-red"},
]


def tenancy(**more):
    return lambda: Tenancy("tenants", {"tenants": TENANTS, **more})


def rules(graph, namespace):
    return {r.object_name: r.inputs["spec"] for r in graph.of("NetworkPolicy") if r.namespace == namespace}


def test_every_tenant_has_a_restricted_namespace_with_its_name_and_data_class():
    spaces = {r.object_name: r.inputs["metadata"]["labels"] for r in build(tenancy()).of("Namespace")}
    assert spaces["team-blue"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert spaces["team-blue"]["corral.dev/tenant"] == "blue"
    assert spaces["team-blue"]["corral.dev/data-class"] == "internal"
    assert "corral.dev/data-class" not in spaces["team-red"]


def test_a_tenant_is_closed_in_both_directions_before_anything_is_opened():
    closed = rules(build(tenancy()), "team-red")["default-deny"]
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_a_tenant_reaches_dns_and_the_listed_services_and_nothing_else():
    graph = build(tenancy(reachable=[{"namespace": "model-storage", "port": 8333}]))
    opened = rules(graph, "team-red")
    assert opened["outwards"]["egress"] == [
        {
            "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "model-storage"}}}],
            "ports": [{"protocol": "TCP", "port": 8333}],
        }
    ]
    everything = [rule for spec in opened.values() for rule in spec.get("egress", [])]
    assert everything and all(rule.get("to") for rule in everything), "a rule without `to` opens the world"


def test_only_listed_namespaces_call_a_tenants_models():
    spec = rules(build(tenancy(callers=["monitoring"])), "team-blue")["inwards"]
    assert spec["ingress"] == [
        {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]}
    ]
    assert "inwards" not in rules(build(tenancy()), "team-blue")


def test_gpu_devices_of_a_tenant_are_limited_by_their_class():
    quota = build(tenancy()).one("ResourceQuota")
    assert quota.namespace == "team-blue"
    assert quota.inputs["spec"]["hard"] == {"mig.nvidia.com.deviceclass.resource.k8s.io/devices": "7"}


def test_extended_resources_of_a_tenant_are_limited_by_their_requests():
    limited = [
        {"name": "a", "namespace": "a", "resources": {"nvidia.com/mig-1g.5gb": 3, "nvidia.com/gpu": 0}}
    ]
    quota = build(lambda: Tenancy("tenants", {"tenants": limited})).one("ResourceQuota")
    assert quota.inputs["spec"]["hard"] == {
        "requests.nvidia.com/mig-1g.5gb": "3",
        "requests.nvidia.com/gpu": "0",
    }, "Kubernetes takes no limits of extended resources"


def test_two_tenants_in_one_namespace_are_refused():
    both = [{"name": "a", "namespace": "same"}, {"name": "b", "namespace": "same"}]
    with pytest.raises(ArgsError, match="two tenants, a and b"):
        build(lambda: Tenancy("tenants", {"tenants": both}))


def test_existing_namespaces_are_looked_up_and_left_alone():
    found = {name: {"metadata": {"name": name}} for name in ("team-blue", "team-red")}
    graph = build(tenancy(existing=True), found=found)
    assert all(r.read for r in graph if r.custom)
    assert graph.one("Tenancy").outputs == {"namespaces": {"blue": "team-blue", "red": "team-red"}}
