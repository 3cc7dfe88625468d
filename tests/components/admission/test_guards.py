"""No tenant leaves the scope of the policies, or undoes what its namespace came with."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.components.admission.guarded import refusals

from corral.components._kit import PodSecurity
from corral.components.admission.guards import guards
from corral.controls.exceptions import ControlException, today
from corral.controls.profiles import PROFILES
from corral.controls.scope import Scope

IN = {"corral.dev/policies": "enforced"}
TENANT = {**IN, "corral.dev/component": "tenancy", "corral.dev/tenant": "team-a"}
ENFORCE = "pod-security.kubernetes.io/enforce"
LABELLED = Scope()
KYVERNO = "system:serviceaccount:kyverno:kyverno-background-controller"


def guard(name: str, scope: Scope = LABELLED, level: PodSecurity | None = None) -> Any:
    return next(one.policy for one in guards(scope, level, "kyverno") if one.name == name)


def space(labels: dict[str, str]) -> dict[str, Any]:
    return {"metadata": {"name": "team-a", "labels": {"kubernetes.io/metadata.name": "team-a", **labels}}}


def moved(old: dict[str, str] | None, new: dict[str, str], **request: Any) -> list[str]:
    """What the guard of namespaces says of a change of labels."""
    policy = guard("corral-scope", request.pop("scope", LABELLED), request.pop("level", None))
    return refusals(policy, space(new), None if old is None else space(old), **request)


def test_a_variable_of_a_guard_reads_only_those_before_it() -> None:
    for one in guards(Scope(), PodSecurity.RESTRICTED, "kyverno"):
        seen: set[str] = set()
        for variable in one.policy["variables"]:
            read = set(re.findall(r"variables\.(\w+)", variable["expression"]))
            assert read <= seen, f"{one.name}: the API server refuses the policy otherwise"
            seen.add(variable["name"])


@pytest.mark.parametrize("left", [{}, {"corral.dev/policies": "off"}])
def test_nobody_but_an_administrator_takes_a_namespace_out_of_scope(left: dict[str, str]) -> None:
    assert moved(IN, left)
    assert not moved(IN, left, administrator=True)
    assert not moved({}, IN), "whoever may label a namespace may opt in"


def test_labels_of_corral_are_neither_forged_nor_taken_off() -> None:
    assert moved(None, {"corral.dev/component": "kyverno"}), "it would get no default-deny policy"
    assert moved(IN, {**IN, "corral.dev/tenant": "team-b"})
    assert moved(TENANT, IN)
    assert moved(TENANT, {**TENANT, "corral.dev/tenant": "team-b"})
    assert not moved(TENANT, {**TENANT, "team": "a"})


def test_namespaces_of_others_are_nobodys_business() -> None:
    assert not moved(None, {"team": "b"}, level=PodSecurity.RESTRICTED)
    assert not moved({ENFORCE: "baseline"}, {ENFORCE: "privileged"}, level=PodSecurity.RESTRICTED)
    assert not moved({"team": "b"}, {}, level=PodSecurity.RESTRICTED)


def test_a_namespace_in_scope_has_the_pod_security_level_of_the_profile() -> None:
    strict = {"level": PodSecurity.RESTRICTED}
    assert not moved(None, {**IN, ENFORCE: "restricted"}, **strict)
    for loose in ({}, {ENFORCE: "baseline"}, {ENFORCE: "privileged"}):
        assert moved(None, {**IN, **loose}, **strict)
        assert not moved(None, {**IN, **loose}, **strict, administrator=True)
    assert not moved({**IN, ENFORCE: "privileged"}, {**IN, ENFORCE: "privileged", "a": "b"}, **strict)
    assert moved({**IN, ENFORCE: "restricted"}, {**IN, ENFORCE: "baseline"})
    assert moved({**IN, ENFORCE: "restricted"}, {**IN, ENFORCE: "restricted", f"{ENFORCE}-version": "v1.0"})


def test_nobody_but_an_administrator_lets_pods_look_into_devices_of_others() -> None:
    key = "resource.kubernetes.io/admin-access"
    for old, new in ((IN, {**IN, key: "true"}), (None, {**IN, key: "true"}), ({**IN, key: "true"}, IN)):
        assert moved(old, new)
        assert not moved(old, new, administrator=True)
    assert not moved({}, {key: "true"}), "a namespace of somebody else's"


def test_where_the_cluster_is_in_scope_every_new_namespace_has_the_level_but_exempt_ones() -> None:
    whole = {"scope": Scope(("team-a",)), "level": PodSecurity.RESTRICTED}
    assert not moved(None, {}, **whole), "it is exempt"
    whole["scope"] = Scope(())
    assert moved(None, {}, **whole)
    assert not moved({}, {"a": "b"}, **whole), "one that was there before is left alone"


def test_controllers_of_kubernetes_do_their_work() -> None:
    assert not moved(IN, {}, user="system:serviceaccount:kube-system:namespace-controller")
    assert moved(IN, {}, user="system:serviceaccount:kube-systems:namespace-controller")


def rule(name: str, labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels or {}}, "spec": {"podSelector": {}, **spec}}


def network(new: Any, old: Any = None, **request: Any) -> list[str]:
    return refusals(guard("corral-network"), new, old, namespace=request.pop("namespace", TENANT), **request)


def test_a_tenant_neither_deletes_nor_changes_the_platforms_network_policies() -> None:
    for own in (rule("default-deny"), rule("outwards", {"app.kubernetes.io/part-of": "corral"})):
        assert network(None, own), "deleted"
        assert network(rule(own["metadata"]["name"], egress=[{}]), own), "changed"
        assert not network(None, own, user=KYVERNO)
        assert not network(None, own, administrator=True)
        assert not network(None, own, user="system:serviceaccount:kube-system:namespace-controller")
    assert network(rule("own", {"app.kubernetes.io/part-of": "corral"}, egress=[{}])), "forged"


@pytest.mark.parametrize(
    "opened",
    [
        {"egress": [{}]},
        {"egress": [{"to": []}]},
        {"ingress": [{}]},
        {"egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]},
        {"egress": [{"to": [{"namespaceSelector": {}}]}]},
        {"egress": [{"to": [{"podSelector": {}}, {"podSelector": {}, "namespaceSelector": {}}]}]},
        {"ingress": [{"from": [{"podSelector": {}}]}, {"from": [{"namespaceSelector": {}}]}]},
    ],
)
def test_a_tenant_opens_nothing_beyond_its_namespace(opened: dict[str, Any]) -> None:
    assert network(rule("open", **opened))
    assert not network(rule("open", **opened), administrator=True)
    assert not network(rule("open", **opened), namespace=IN), "a namespace of somebody else's"


def test_a_tenant_opens_what_lies_within_its_namespace() -> None:
    assert not network(rule("within", ingress=[{"from": [{"podSelector": {}}]}]))
    own = rule("own", policyTypes=["Ingress"])
    assert not network(own) and not network(None, own)


def service(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "s"}, "spec": spec}


@pytest.mark.parametrize(
    "outside", [{"type": "LoadBalancer"}, {"type": "NodePort"}, {"externalIPs": ["203.0.113.1"]}]
)
def test_no_service_of_a_tenant_is_open_to_the_outside(outside: dict[str, Any]) -> None:
    policy, opened = guard("corral-services"), service(**outside)
    assert refusals(policy, opened)
    assert refusals(policy, opened, service(type="ClusterIP"))
    assert not refusals(policy, opened, administrator=True)
    assert not refusals(policy, opened, opened), "what an administrator opened may change otherwise"
    assert not refusals(policy, service(type="ClusterIP"))


def test_no_tenant_exempts_itself_from_a_policy() -> None:
    policy = guard("corral-exceptions")
    assert refusals(policy, {"metadata": {"name": "mine"}})
    assert not refusals(policy, {"metadata": {"name": "mine"}}, administrator=True)
    rules = {
        (group, plural)
        for one in policy["matchConstraints"]["resourceRules"]
        for group in one["apiGroups"]
        for plural in one["resources"]
    }
    assert {("kyverno.io", "policyexceptions"), ("policies.kyverno.io", "policyexceptions")} <= rules


def env(value: str | None, where: str = "containers") -> dict[str, Any]:
    source = {"valueFrom": {}} if value is None else {"value": value}
    holder = {
        "name": "c",
        "env": [{"name": "A", "value": "all"}, {"name": "NVIDIA_VISIBLE_DEVICES", **source}],
    }
    return {"kind": "Pod", "spec": {"containers": [{"name": "m"}], where: [holder]}}


@pytest.mark.parametrize("where", ["containers", "initContainers", "ephemeralContainers"])
def test_no_container_of_a_tenant_takes_gpus_by_its_environment(where: str) -> None:
    policy = guard("corral-devices")
    for value in ("all", "0", None):
        assert refusals(policy, env(value, where))
        assert refusals(policy, {"kind": "Deployment", "spec": {"template": env(value, where)}})
        assert refusals(policy, env(value, where), user="system:serviceaccount:kube-system:job-controller")
        assert not refusals(policy, env(value, where), administrator=True)
    assert not refusals(policy, env("void", where))


@pytest.mark.parametrize(
    ("name", "value", "refused"),
    [
        ("NVIDIA_DRIVER_CAPABILITIES", "all", True),
        ("NVIDIA_DRIVER_CAPABILITIES", "compute,utility", False),
        ("NVIDIA_MIG_CONFIG_DEVICES", "all", True),
        ("NVIDIA_IMEX_CHANNELS", "0", True),
        ("AMD_VISIBLE_DEVICES", "all", True),
        ("CUDA_DEVICE_ORDER", "PCI_BUS_ID", False),
    ],
)
def test_no_container_of_a_tenant_widens_what_a_runtime_gives_it(
    name: str, value: str, refused: bool
) -> None:
    pod = {"kind": "Pod", "spec": {"containers": [{"name": "c", "env": [{"name": name, "value": value}]}]}}
    assert bool(refusals(guard("corral-devices"), pod)) is refused
    assert not refusals(guard("corral-devices"), pod, administrator=True)


def test_no_annotation_or_mount_of_a_tenant_has_the_runtime_inject_devices() -> None:
    policy = guard("corral-devices")
    mounts = [{"name": "v", "mountPath": "/var/run/nvidia-container-devices/all"}]
    plain: dict[str, Any] = {"containers": [{"name": "c"}]}
    for key in ("cdi.k8s.io/gpu", "nvidia.cdi.k8s.io/container.c"):
        metadata = {"annotations": {key: "nvidia.com/gpu=all"}}
        assert refusals(policy, {"kind": "Pod", "metadata": metadata, "spec": plain})
        template = {"metadata": metadata, "spec": plain}
        assert refusals(policy, {"kind": "Deployment", "metadata": {}, "spec": {"template": template}})
    assert refusals(
        policy,
        {"kind": "Pod", "metadata": {}, "spec": {"containers": [{"name": "c", "volumeMounts": mounts}]}},
    )
    assert not refusals(policy, {"kind": "Pod", "metadata": {"annotations": {"a/b": "c"}}, "spec": plain})


OF_PLATFORM = {**IN, "corral.dev/component": "gpu-operator"}
GPU_POD: dict[str, Any] = {
    "kind": "Pod",
    "metadata": {"name": "train"},
    "spec": {
        "containers": [{"name": "c", "image": "e/x", "resources": {"limits": {"nvidia.com/mig-1g.5gb": "1"}}}]
    },
}


def claim(kind: str, **request: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {"devices": {"requests": [{"name": "gpu", **request}]}}
    return {
        "kind": kind,
        "metadata": {"name": "c"},
        "spec": {"spec": spec} if kind.endswith("Template") else spec,
    }


GPU_CLASS = {"deviceClassName": "gpu.nvidia.com"}
ASKING = [
    GPU_POD,
    {"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template": {"spec": GPU_POD["spec"]}}},
    claim("ResourceClaim", exactly=GPU_CLASS),
    claim("ResourceClaim", **GPU_CLASS),
    claim("ResourceClaimTemplate", firstAvailable=[{"name": "a", **GPU_CLASS}]),
]


@pytest.mark.parametrize("asking", ASKING, ids=lambda one: str(one)[:60])
def test_gpus_are_given_in_namespaces_of_tenants_and_of_the_platform_alone(asking: dict[str, Any]) -> None:
    policy = guard("corral-gpus")
    assert refusals(policy, asking, namespace=IN)
    assert refusals(policy, asking, namespace={**IN, "corral.dev/tenant": ""})
    assert not refusals(policy, asking, namespace=TENANT)
    assert not refusals(policy, asking, namespace=OF_PLATFORM)
    assert not refusals(policy, asking, namespace=IN, administrator=True)


def test_what_asks_for_no_gpu_is_nobodys_business() -> None:
    policy = guard("corral-gpus")
    plain = {**GPU_POD, "spec": {"containers": [{"name": "c", "resources": {"limits": {"memory": "1Gi"}}}]}}
    assert not refusals(policy, plain, namespace=IN)
    assert not refusals(policy, claim("ResourceClaim", deviceClassName="nic.example.eu"), namespace=IN)


def test_the_guard_of_gpus_only_warns_where_the_profile_only_reports() -> None:
    actions = {
        name: next(
            one.binding["validationActions"]
            for one in guards(Scope(), None, "kyverno", PROFILES[name])
            if one.name == "corral-gpus"
        )
        for name in ("open", "eu-resident")
    }
    assert actions == {"open": ["Warn", "Audit"], "eu-resident": ["Deny"]}


def test_an_exception_from_a_control_reaches_the_guard_that_holds_it() -> None:
    last = today() + timedelta(days=30)
    excepted = ControlException("SOV-GPU-01", "a driver's own tests", "jane", last, ("team/train*",))
    limits = replace(PROFILES["eu-resident"], exceptions=(excepted,))
    (policy,) = [one.policy for one in guards(Scope(), None, "kyverno", limits) if one.name == "corral-gpus"]
    made = {"namespace": "team", "creationTimestamp": f"{today()}T00:00:00Z"}
    named = [{**GPU_POD, "metadata": {**made, "name": name}} for name in ("train-1", "other")]
    assert [refusals(policy, one, namespace=IN) == [] for one in named] == [True, False]
    late = {
        **named[0],
        "metadata": {**named[0]["metadata"], "creationTimestamp": f"{last + timedelta(days=1)}T00:00:00Z"},
    }
    assert refusals(policy, late, namespace=IN)
    assert excepted.note in policy["auditAnnotations"][0]["valueExpression"]
