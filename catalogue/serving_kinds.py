"""Kinds of object that serve a model: what KServe 0.20.0 makes of each, by which names, on which port."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from corral.catalogue.addons import descriptor
from corral.catalogue.disaggregation import ROLE_LABEL, Role, prefill_name
from corral.catalogue.gateway import PREDICTOR_PORT, predictor
from corral.catalogue.vocabulary import Addon, ServingKind

SERVICE_LABEL = "serving.kserve.io/inferenceservice"
"""Label of the pods of an InferenceService: its name."""
NAME_LABEL = "app.kubernetes.io/name"
LLM_PART = {"app.kubernetes.io/part-of": "llminferenceservice"}
"""Label of the pods of every LLMInferenceService, of which `NAME_LABEL` is the name."""
LONGEST, DIGITS = 63, 32
"""Of a name in Kubernetes, and of an MD5 sum in hex."""
PORTS = {
    ServingKind.INFERENCE_SERVICE: descriptor(Addon.KSERVE).ports["model"],
    ServingKind.LLM_INFERENCE_SERVICE: descriptor(Addon.LLM_INFERENCE_SERVICE).ports["model"],
}
"""Port that a model's server listens on; an LLMInferenceService's Service leads to no other
(`reconcileWorkloadService`)."""


@dataclass(frozen=True)
class ServedNames:
    """What a model's objects are called."""

    workload: str
    """Its Deployment; its LeaderWorkerSet where it spans nodes."""
    service: str
    port: int
    """Of that Service."""
    pods: Mapping[str, str]
    """Labels of its pods by KServe, which those of an import lack."""
    grouped: bool = False
    """Whether each replica is a group of pods."""


def served_names(kind: ServingKind, model: str, nodes: int = 1, *, prefill: bool = False) -> ServedNames:
    """Names of what serves `model` on `nodes` nodes each replica; `prefill`: other replicas read its prompts.

    The Service that KServe makes leads to those, too, so that `model` then has one of ours.
    """
    match kind:
        case ServingKind.INFERENCE_SERVICE:
            pods = {SERVICE_LABEL: model}
            return ServedNames(predictor(model), predictor(model), PREDICTOR_PORT, pods)
        case ServingKind.LLM_INFERENCE_SERVICE:
            workload = child_name(model, "-kserve" if nodes == 1 else "-kserve-mn")
            pods = {**LLM_PART, NAME_LABEL: model}
            if prefill:
                pods = {**pods, ROLE_LABEL: Role.DECODE.value}
                return ServedNames(workload, child_name(model, "-decode"), PORTS[kind], pods)
            service = child_name(model, "-kserve-workload-svc")
            return ServedNames(workload, service, PORTS[kind], pods, nodes > 1)


def prefill_names(model: str) -> ServedNames:
    """Names of what reads the prompts of `model` where that is apart."""
    pods = {**LLM_PART, NAME_LABEL: model, ROLE_LABEL: Role.PREFILL.value}
    workload, port = child_name(model, "-kserve-prefill"), PORTS[ServingKind.LLM_INFERENCE_SERVICE]
    return ServedNames(workload, prefill_name(model), port, pods)


def child_name(parent: str, suffix: str) -> str:
    """`parent` and `suffix`, shortened as `ChildName` of knative.dev/pkg/kmeta does.

    >>> child_name("chat", "-kserve")
    'chat-kserve'
    """
    if len(parent) <= LONGEST - len(suffix):
        return parent + suffix
    digest = hashlib.md5(parent.encode(), usedforsecurity=False).hexdigest()
    return parent[: LONGEST - DIGITS - len(suffix)] + digest + suffix
