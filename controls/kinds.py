"""Kubernetes kinds that object rules judge: how the API names them and how Pulumi does."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind as the API server and as Pulumi name it."""

    group: str
    version: str
    plural: str
    kind: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def token(self) -> str:
        """Pulumi's type token."""
        return f"kubernetes:{self.api_version if self.group else 'core/' + self.version}:{self.kind}"


PODS = (
    Kind("", "v1", "pods", "Pod"),
    Kind("apps", "v1", "deployments", "Deployment"),
    Kind("apps", "v1", "statefulsets", "StatefulSet"),
    Kind("apps", "v1", "daemonsets", "DaemonSet"),
    Kind("apps", "v1", "replicasets", "ReplicaSet"),
    Kind("batch", "v1", "jobs", "Job"),
    Kind("batch", "v1", "cronjobs", "CronJob"),
)
SERVING = (
    Kind("serving.kserve.io", "v1beta1", "inferenceservices", "InferenceService"),
    Kind("serving.kserve.io", "v1alpha1", "servingruntimes", "ServingRuntime"),
    Kind("serving.kserve.io", "v1alpha1", "clusterservingruntimes", "ClusterServingRuntime"),
    Kind("serving.kserve.io", "v1alpha2", "llminferenceservices", "LLMInferenceService"),
    Kind("serving.kserve.io", "v1alpha1", "localmodelcaches", "LocalModelCache"),
)
KINDS = {kind.kind: kind for kind in (*PODS, *SERVING)}
"""Every judged kind by its name."""

POD_KINDS = tuple(kind.kind for kind in PODS)
SERVING_KINDS = tuple(kind.kind for kind in SERVING)
BY_TOKEN = {kind.token: kind for kind in KINDS.values()}
