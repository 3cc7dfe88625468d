import pulumi
import pytest
import yaml
from tests.commands import helm_template
from tests.components.harness import build
from tests.components.installs import installed, installs, values_of

from corral.components.kyverno import Kyverno
from corral.components.kyverno.component import CONTROLLERS
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
    text = helm_template("kyverno", toolchain.chart("kyverno"), values)
    objects = [one for one in yaml.load_all(text, yaml.CSafeLoader) if one]
    filled = {one["metadata"]["name"] for one in objects if "aggregationRule" in one}
    assert filled == {f"kyverno:{controller}" for controller in CONTROLLERS}
    running = {one["metadata"]["name"] for one in objects if one["kind"] == "Deployment"}
    assert running == {f"kyverno-{controller}" for controller in CONTROLLERS}


@pytest.mark.engine
def test_a_registrys_authorities_are_mounted_where_kyverno_looks_for_them():
    authorities = "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n"
    values = values_of(build(lambda: Kyverno("k", {"supply": {}, "registry_ca": authorities})), "k-chart")
    text = helm_template("kyverno", toolchain.chart("kyverno"), values)
    objects = {
        (one["kind"], one["metadata"]["name"]): one for one in yaml.load_all(text, yaml.CSafeLoader) if one
    }
    pod = objects["Deployment", "kyverno-admission-controller"]["spec"]["template"]["spec"]
    (volume,) = [one for one in pod["volumes"] if one["name"] == "ca-certificates"]
    held = objects["ConfigMap", volume["configMap"]["name"]]["data"]["ca-certificates"]
    assert held.split() == authorities.split()
    (container,) = pod["containers"]
    (mount,) = [one for one in container["volumeMounts"] if one["name"] == "ca-certificates"]
    assert mount["mountPath"] == "/etc/ssl/certs/ca-certificates.crt"


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
