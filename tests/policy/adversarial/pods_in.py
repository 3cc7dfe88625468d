"""Containers, pod specs, and every kind that holds one."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.policy.adversarial.stacks import DIGEST, IMAGE, REGISTRY

SAFE: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
OTHER = f"{REGISTRY}/tools/shell:1{DIGEST}"
"""Image of no known engine."""


def container(**more: Any) -> dict[str, Any]:
    return {"name": "main", "image": IMAGE, "securityContext": dict(SAFE), **more}


def spec(**more: Any) -> dict[str, Any]:
    return {"containers": [container()], **more}


def holding(pod: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(title, token, props) of every kind that holds `pod`."""
    template = {"spec": {"template": {"spec": pod}}}
    yield "Pod", "core/v1:Pod", {"spec": pod}
    yield "PodTemplate", "core/v1:PodTemplate", {"template": {"spec": pod}}
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"):
        yield kind, f"apps/v1:{kind}", template
        yield f"{kind}Patch", f"apps/v1:{kind}Patch", template
    yield "an old Deployment", "extensions/v1beta1:Deployment", template
    yield "Job", "batch/v1:Job", template
    yield "CronJob", "batch/v1:CronJob", {"spec": {"jobTemplate": template}}
    yield "CronJobPatch", "batch/v1:CronJobPatch", {"spec": {"jobTemplate": template}}
    yield "ReplicationController", "core/v1:ReplicationController", template
    yield "PodList", "core/v1:PodList", {"items": [{"spec": pod}]}
    yield "DeploymentList", "apps/v1:DeploymentList", {"items": [template]}
    listed = {"apiVersion": "apps/v1", "kind": "Deployment", **template}
    yield "List", "core/v1:List", {"items": [listed]}
    yield (
        "a List in a List",
        "core/v1:List",
        {"items": [{"apiVersion": "v1", "kind": "List", "items": [listed]}]},
    )
    yield "JobSet", "jobset.x-k8s.io/v1alpha2:JobSet", {"spec": {"replicatedJobs": [{"template": template}]}}
    yield (
        "RayService",
        "ray.io/v1:RayService",
        {"spec": {"rayClusterConfig": {"headGroupSpec": {"template": {"spec": pod}}}}},
    )
    yield "RayJob", "ray.io/v1:RayJob", {"spec": {"submitterPodTemplate": {"spec": pod}}}
    yield (
        "PyTorchJob",
        "kubeflow.org/v1:PyTorchJob",
        {"spec": {"pytorchReplicaSpecs": {"Worker": {"replicas": 1, "template": {"spec": pod}}}}},
    )
    yield "Knative Service", "serving.knative.dev/v1:Service", template
    yield (
        "LeaderWorkerSet",
        "leaderworkerset.x-k8s.io/v1:LeaderWorkerSet",
        {
            "spec": {
                "leaderWorkerTemplate": {"leaderTemplate": {"spec": pod}, "workerTemplate": {"spec": spec()}}
            }
        },
    )
    yield "VolcanoJob", "batch.volcano.sh/v1alpha1:Job", {"spec": {"tasks": [{"template": {"spec": pod}}]}}
    yield "CloneSet", "apps.kruise.io/v1alpha1:CloneSet", template
    yield "ScaledJob", "keda.sh/v1alpha1:ScaledJob", {"spec": {"jobTargetRef": {"template": {"spec": pod}}}}
    yield "InferenceService", "serving.kserve.io/v1beta1:InferenceService", {"spec": {"predictor": pod}}
    yield (
        "its worker",
        "serving.kserve.io/v1beta1:InferenceService",
        {
            "spec": {
                "predictor": {
                    "model": {"modelFormat": {"name": "x"}, "storageUri": "s3://models/a"},
                    "workerSpec": pod,
                }
            }
        },
    )
    yield (
        "its transformer",
        "serving.kserve.io/v1beta1:InferenceService",
        {"spec": {"predictor": spec(), "transformer": pod}},
    )
    yield "ServingRuntime", "serving.kserve.io/v1alpha1:ServingRuntime", {"spec": pod}
    yield "ClusterServingRuntime", "serving.kserve.io/v1alpha1:ClusterServingRuntime", {"spec": pod}
    for path in ("template", "worker"):
        yield (
            f"LLMInferenceService {path}",
            "serving.kserve.io/v1alpha1:LLMInferenceService",
            {"spec": {path: pod}},
        )
    yield (
        "LLMInferenceService prefill",
        "serving.kserve.io/v1alpha2:LLMInferenceService",
        {"spec": {"prefill": {"worker": pod}}},
    )
    yield (
        "LLMInferenceServiceConfig",
        "serving.kserve.io/v1alpha2:LLMInferenceServiceConfig",
        {"spec": {"template": pod}},
    )
    yield "InferenceGraph", "serving.kserve.io/v1alpha1:InferenceGraph", {"spec": {"podSpec": pod}}
    yield (
        "Milvus",
        "milvus.io/v1beta1:Milvus",
        {"spec": {"components": {"proxy": {"podTemplate": {"spec": pod}}}}},
    )
    yield (
        "ResourceFlavor of another's",
        "example.com/v1:Anything",
        {"spec": {"a": {"b": [{"c": {"spec": pod}}]}}},
    )


PLACES = ("containers", "initContainers", "ephemeralContainers")


def placed(broken: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for place in PLACES:
        yield place, spec(**{place: [broken] if place == "containers" else [{**broken, "name": "second"}]})
    yield "second of two", {"containers": [container(), {**broken, "name": "second"}]}
