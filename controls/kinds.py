"""Kubernetes kinds that object rules evaluate: API names, Pulumi tokens, and where each has pod specs."""

from dataclasses import dataclass

_TEMPLATE = ("spec.template.spec",)
_OPERATORS = ("sparkoperator.k8s.io", "app.k8s.io")
"""Groups of operators under the domain of Kubernetes."""


def of_kubernetes(group: str) -> bool:
    """Whether an API group is one of Kubernetes itself."""
    return "." not in group or (group.endswith(".k8s.io") and group not in _OPERATORS)


@dataclass(frozen=True)
class Kind:
    """One kind as the API server and as Pulumi name it."""

    group: str
    version: str
    plural: str
    kind: str
    pod_specs: tuple[str, ...]
    """Paths of pod specs, or of what has a pod spec's fields."""
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def token(self) -> str:
        """Pulumi's type token."""
        return f"kubernetes:{self.api_version if self.group else 'core/' + self.version}:{self.kind}"


_KSERVE = "serving.kserve.io"
_LLM = ("spec.template", "spec.worker", "spec.prefill.template", "spec.prefill.worker")
_SETS = ("spec.leaderWorkerTemplate.leaderTemplate.spec", "spec.leaderWorkerTemplate.workerTemplate.spec")
_SERVICE = ("spec.predictor", "spec.predictor.workerSpec", "spec.transformer", "spec.explainer")
PODS = (
    Kind("", "v1", "pods", "Pod", ("spec",)),
    Kind("", "v1", "replicationcontrollers", "ReplicationController", _TEMPLATE),
    Kind("apps", "v1", "deployments", "Deployment", _TEMPLATE),
    Kind("apps", "v1", "statefulsets", "StatefulSet", _TEMPLATE),
    Kind("apps", "v1", "daemonsets", "DaemonSet", _TEMPLATE),
    Kind("apps", "v1", "replicasets", "ReplicaSet", _TEMPLATE),
    Kind("batch", "v1", "jobs", "Job", _TEMPLATE),
    Kind("batch", "v1", "cronjobs", "CronJob", ("spec.jobTemplate.spec.template.spec",)),
    Kind("leaderworkerset.x-k8s.io", "v1", "leaderworkersets", "LeaderWorkerSet", _SETS),
)
SERVING = (
    Kind(_KSERVE, "v1beta1", "inferenceservices", "InferenceService", _SERVICE),
    Kind(_KSERVE, "v1alpha1", "servingruntimes", "ServingRuntime", ("spec", "spec.workerSpec")),
    Kind(
        _KSERVE,
        "v1alpha1",
        "clusterservingruntimes",
        "ClusterServingRuntime",
        ("spec", "spec.workerSpec"),
        False,
    ),
    Kind(_KSERVE, "v1alpha2", "llminferenceservices", "LLMInferenceService", _LLM),
    Kind(_KSERVE, "v1alpha1", "localmodelcaches", "LocalModelCache", ("spec",), False),
)
_STORES = "external-secrets.io"
_RBAC = "rbac.authorization.k8s.io"
_DRA = "resource.k8s.io"
PLAIN = (
    Kind("", "v1", "services", "Service", ()),
    Kind("", "v1", "configmaps", "ConfigMap", ()),
    Kind("", "v1", "namespaces", "Namespace", (), False),
    Kind("networking.k8s.io", "v1", "ingresses", "Ingress", ()),
    Kind("gateway.networking.k8s.io", "v1", "gateways", "Gateway", ()),
    Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", ()),
    Kind("cilium.io", "v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy", ()),
    Kind("cilium.io", "v2", "ciliumclusterwidenetworkpolicies", "CiliumClusterwideNetworkPolicy", (), False),
    Kind("networking.istio.io", "v1", "serviceentries", "ServiceEntry", ()),
    Kind("networking.istio.io", "v1", "destinationrules", "DestinationRule", ()),
    Kind("security.istio.io", "v1", "peerauthentications", "PeerAuthentication", ()),
    Kind(_STORES, "v1", "secretstores", "SecretStore", ()),
    Kind(_STORES, "v1", "clustersecretstores", "ClusterSecretStore", (), False),
    Kind("storage.k8s.io", "v1", "storageclasses", "StorageClass", (), False),
    Kind("", "v1", "persistentvolumes", "PersistentVolume", (), False),
    Kind(_DRA, "v1", "resourceclaims", "ResourceClaim", ()),
    Kind(_DRA, "v1", "resourceclaimtemplates", "ResourceClaimTemplate", ()),
    Kind(_RBAC, "v1", "roles", "Role", ()),
    Kind(_RBAC, "v1", "clusterroles", "ClusterRole", (), False),
    Kind(_RBAC, "v1", "rolebindings", "RoleBinding", ()),
    Kind(_RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", (), False),
)
"""Kinds that hold no pod spec."""
KINDS = {kind.kind: kind for kind in (*PODS, *SERVING, *PLAIN)}
"""Every evaluated kind by its name."""

POD_KINDS = tuple(kind.kind for kind in PODS)
PLAIN_KINDS = frozenset(kind.kind for kind in PLAIN)
SERVING_KINDS = tuple(kind.kind for kind in SERVING)
BY_TOKEN = {kind.token: kind for kind in KINDS.values()}
