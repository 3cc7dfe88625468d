"""The guard of the GPU queues lets nothing past that a tenant can write itself."""

import re
from typing import Any

import pytest
from cel_expr_python import cel
from cel_expr_python.ext import ext_optional, ext_strings

from corral.components._kit import COMPONENT_LABEL, QUEUE_LABEL
from corral.components.fair_sharing.guard import GUARD, policy

TENANT = "system:serviceaccount:team-a:builder"
KSERVE = "system:serviceaccount:kserve:kserve-controller-manager"
CONTROLLERS = "system:serviceaccount:kube-system:replicaset-controller"
MODEL = {COMPONENT_LABEL: "model"}
QUEUED = {QUEUE_LABEL: "gpus"}
GPU = {"name": "c", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
OWNED_BY_SET = [{"kind": "ReplicaSet", "name": "x", "controller": True}]
OWNED_BY_SERVICE = [{"kind": "InferenceService", "name": "x", "controller": True}]
ENVIRONMENT = cel.NewEnv(
    variables=dict.fromkeys(("object", "oldObject", "variables", "request"), cel.Type.DYN),
    extensions=[ext_optional.ExtOptional(), ext_strings.ExtStrings()],
)


def admitted(
    subject: dict[str, Any],
    user: str = TENANT,
    *,
    admin: bool = False,
    change: bool = False,
    old: dict[str, Any] | None = None,
) -> bool:
    spec = policy(["team-a"])
    request = {"userInfo": {"username": user}, "operation": "UPDATE" if change else "CREATE"}
    values: dict[str, Any] = {}

    def value(text: str) -> Any:
        result = ENVIRONMENT.compile(text).eval(
            data={"object": subject, "oldObject": old or subject, "variables": values, "request": request}
        )
        assert result.type() != cel.Type.ERROR, (text, result.plain_value())
        return result.plain_value()

    for one in spec["variables"]:
        is_admin = one["name"] == "admin"
        values[one["name"]] = admin if is_admin else value(one["expression"])
    return all(value(one["expression"]) for one in spec["validations"])


def pod(labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"labels": labels or {}}, "spec": {"containers": [GPU], **spec}}


def templated(kind: str, labels: dict[str, str] | None = None, **metadata: Any) -> dict[str, Any]:
    meta = {"labels": labels or {}, **metadata}
    return {"kind": kind, "metadata": meta, "spec": {"template": pod()}}


def service(labels: dict[str, str] | None = None) -> dict[str, Any]:
    predictor = {"model": {"modelFormat": {"name": "x"}, "resources": GPU["resources"]}}
    meta = {"labels": labels or {}}
    return {"kind": "InferenceService", "metadata": meta, "spec": {"predictor": predictor}}


def test_kserve_puts_its_finalizer_on_a_service_that_a_stack_without_queues_made() -> None:
    assert admitted(service(MODEL), KSERVE, change=True)
    assert not admitted(service(MODEL), KSERVE), "it makes none"
    assert not admitted(service(), "system:serviceaccount:team-a:kserve-controller-manager", change=True)
    assert not admitted(templated("Deployment"), KSERVE, change=True), "what it makes of one is evaluated"


def test_a_variable_of_the_policy_reads_only_those_before_it() -> None:
    seen: list[str] = []
    variables = policy(["team-a"])["variables"]
    assert len(variables) > 2
    for one in variables:
        read = set(re.findall(r"variables\.(\w+)", one["expression"]))
        assert read <= set(seen), "the API server refuses the policy otherwise"
        seen.append(one["name"])


def test_a_workload_that_names_a_queue_is_admitted_and_one_that_names_none_is_not() -> None:
    for make in (pod, service):
        assert admitted(make(QUEUED)) and not admitted(make())
    for kind in ("Deployment", "Job"):
        assert admitted(templated(kind, QUEUED)) and not admitted(templated(kind))
    assert admitted({"kind": "Pod", "metadata": {}, "spec": {"containers": [{"name": "c"}]}})


def test_the_label_of_a_model_lifts_nothing_for_a_tenant() -> None:
    assert not admitted(pod(MODEL))
    assert not admitted(service(MODEL))
    for kind in ("Deployment", "Job", "ReplicaSet"):
        assert not admitted(templated(kind, MODEL))


def test_a_model_of_the_stack_is_admitted_from_its_service_to_its_pods() -> None:
    assert admitted(service(MODEL), "kubernetes-admin", admin=True)
    assert admitted(templated("Deployment", MODEL, ownerReferences=OWNED_BY_SERVICE), KSERVE)
    owner = [{"kind": "Deployment", "name": "x", "controller": True}]
    assert admitted(templated("ReplicaSet", MODEL, ownerReferences=owner), CONTROLLERS)
    made = pod(MODEL)
    made["metadata"]["ownerReferences"] = OWNED_BY_SET
    assert admitted(made, CONTROLLERS)
    assert admitted(made, "system:kube-controller-manager")


@pytest.mark.parametrize(
    "user", [TENANT, "system:serviceaccount:team-a:kserve-controller-manager", "jane", KSERVE + "x"]
)
def test_a_forged_owner_lifts_nothing(user: str) -> None:
    forged = pod(MODEL)
    for owner in (OWNED_BY_SET, OWNED_BY_SERVICE):
        forged["metadata"]["ownerReferences"] = owner
        assert not admitted(forged, user)
        assert not admitted(templated("Deployment", MODEL, ownerReferences=owner), user)


def test_a_tenants_own_replica_set_must_queue_its_pods() -> None:
    own = templated("ReplicaSet", QUEUED)
    assert not admitted(own), "Kueue reads the labels of its pods, not its own"
    own["spec"]["template"]["metadata"]["labels"] = QUEUED
    assert admitted(own)


def test_a_deployment_that_is_patched_to_take_gpus_is_refused() -> None:
    assert not admitted(templated("Deployment"), change=True)
    assert admitted(templated("Deployment", QUEUED), change=True)
    operations = {
        kind: rule["operations"]
        for rule in policy([])["matchConstraints"]["resourceRules"]
        for kind in rule["resources"]
    }
    assert all("UPDATE" in operations[kind] for kind in ("deployments", "replicasets", "inferenceservices"))


def test_a_gpu_of_an_init_container_counts() -> None:
    assert not admitted(pod(containers=[{"name": "c"}], initContainers=[GPU])), GUARD
    assert not admitted(pod(containers=[{"name": "c"}], resourceClaims=[{"name": "g"}])), GUARD


KUEUE = "system:serviceaccount:kueue-system:kueue-controller-manager"
HELD = {"schedulingGates": [{"name": "kueue.x-k8s.io/admission"}]}


def test_a_pod_that_waits_is_let_in_by_kueue_alone() -> None:
    held, free = pod(QUEUED, **HELD), pod(QUEUED)
    assert not admitted(free, change=True, old=held)
    assert not admitted(free, "system:serviceaccount:team-a:kueue-controller-manager", change=True, old=held)
    assert admitted(free, KUEUE, change=True, old=held)
    assert admitted(free, admin=True, change=True, old=held)
    assert admitted(pod({**QUEUED, "a": "b"}, **HELD), change=True, old=held), "other labels are the tenant's"


def test_a_pod_keeps_the_label_of_its_queue() -> None:
    for left in (pod(), pod({QUEUE_LABEL: "another"})):
        assert not admitted(left, change=True, old=pod(QUEUED))
        assert admitted(left, KUEUE, change=True, old=pod(QUEUED))
    assert admitted(pod({"a": "b"}), change=True, old=pod()), "a model of the stack has no queue of its own"


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet", "ReplicationController", "LeaderWorkerSet"])
def test_a_pod_of_a_controller_that_is_not_evaluated_itself_must_be_queued(kind: str) -> None:
    made = pod()
    made["metadata"]["ownerReferences"] = [{"kind": kind, "name": "x", "controller": True}]
    assert not admitted(made, CONTROLLERS)
    made["metadata"]["labels"] = QUEUED
    assert admitted(made, CONTROLLERS)


def test_a_device_behind_a_class_counts_however_it_is_named() -> None:
    for name in ("nvidia.com/mig-1g.5gb", "deviceclass.resource.kubernetes.io/mig-1g.5gb"):
        container = {"name": "c", "resources": {"limits": {name: "1"}}}
        assert not admitted(pod(containers=[container]))
        assert not admitted(pod(containers=[{"name": "d"}], initContainers=[container]))


def test_a_job_that_is_changed_to_take_gpus_is_refused() -> None:
    assert not admitted(templated("Job"), change=True)
    assert admitted(templated("Job", QUEUED), change=True)
    rules = policy([])["matchConstraints"]["resourceRules"]
    operations = {kind: rule["operations"] for rule in rules for kind in rule["resources"]}
    assert "UPDATE" in operations["jobs"] and "UPDATE" in operations["pods"]
