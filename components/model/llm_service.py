"""The LLMInferenceService of a model: our own pod, whole, and no router of KServe's."""

from collections.abc import Mapping
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.addons import definition
from corral.catalogue.serving_kinds import PORTS
from corral.catalogue.vocabulary import Addon, Engine, ServingKind, Weights
from corral.components._kit import QUEUE_LABEL, child, prerequisite
from corral.components.kserve.runtimes import runtime_spec
from corral.components.model.args import ModelArgs, fixed_number, port_of, weights_of
from corral.components.model.ending import ending_of
from corral.components.model.prefill import decoding, handing_over, prefill_args
from corral.components.model.service import WEIGHTS_ANNOTATION, register_annotations

API = f"serving.kserve.io/{definition(Addon.LLM_INFERENCE_SERVICE)[1]}"
KIND = ServingKind.LLM_INFERENCE_SERVICE
CONTAINER = "main"
"""Name by which KServe finds the model server among a pod's containers."""
READY = "condition=Ready"
OWN = "corral.dev/"
"""Beginning of the labels that pods and Service take: KServe selects its pods by some of the others."""
OF_INFERENCE_SERVICES = ("annotations", "deploymentStrategy", "minReplicas", "model")
"""What of `spec.predictor` is no part of a pod."""
OF_CALLS = ("lifecycle", "livenessProbe", "ports", "readinessProbe", "startupProbe")
REPLACED = (
    "spec.template",
    "spec.worker",
    "spec.parallelism",
    "spec.prefill.template",
    "spec.prefill.labels",
    "spec.labels",
    f'metadata.labels["{QUEUE_LABEL}"]',
)
"""What makes other pods. KServe gives their Deployment no strategy, so that Kubernetes would make a new pod
before an old one ends, which then waits for the devices of the old one; and it selects pods by all of their
labels, which no Deployment lets change."""


def pod_spec(predictor: Mapping[str, Any], args: ModelArgs) -> dict[str, Any]:
    """`spec` of the pods: `spec.predictor` of an InferenceService with its runtime in it."""
    runtime = runtime_spec(Engine(args["engine"]), args["supply"], port_of(args))
    server, model = runtime["containers"][0], predictor["model"]
    container = {
        **server,
        "name": CONTAINER,
        "args": model["args"],
        "env": [*server["env"], *model.get("env", [])],
        "lifecycle": model["lifecycle"],
        "resources": model["resources"],
        "volumeMounts": [*server["volumeMounts"], *model.get("volumeMounts", [])],
    }
    own = {key: value for key, value in predictor.items() if key not in OF_INFERENCE_SERVICES}
    return {
        **own,
        "containers": [container],
        "volumes": [*runtime["volumes"], *predictor.get("volumes", [])],
        **{key: runtime[key] for key in ("imagePullSecrets",) if key in runtime},
    }


def llm_spec(
    predictor: Mapping[str, Any],
    args: ModelArgs,
    labels: Mapping[str, Any],
    uri: pulumi.Input[str],
    prefill: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """`spec` of the LLMInferenceService. `uri`: where its files are, which its own init container brings.

    `prefill`: what `predictor` is for the replicas that read its prompts; None: there are none.
    """
    own = {key: value for key, value in labels.items() if key.startswith(OWN)}
    pod = pod_spec(predictor, args)
    # Without a number KServe leaves that of the Deployment as it is, for whatever scales it.
    number = {"replicas": args.get("replicas_min", 1)} if fixed_number(args) else {}
    return {
        "model": {"uri": uri},
        "storageInitializer": {"enabled": False},
        **number,
        "labels": own,
        "annotations": {WEIGHTS_ANNOTATION: weights_of(args).value},
        "template": pod,
        **group(pod, args),
        **({} if prefill is None else disaggregated(pod, prefill, args, own)),
    }


def disaggregated(
    pod: Mapping[str, Any], prefill: Mapping[str, Any], args: ModelArgs, labels: Mapping[str, Any]
) -> dict[str, Any]:
    """`pod` as the one that writes answers, and beside it the pods that read prompts."""
    reading = prefill_args(args)
    own_pool = {f"{OWN}pool": reading["pool"]} if "pool" in reading else {}
    return {
        "template": decoding(handing_over(pod), args["supply"], PORTS[KIND]),
        "prefill": {
            "replicas": reading.get("replicas_min", 1),
            "labels": {**labels, **own_pool},
            "annotations": {WEIGHTS_ANNOTATION: weights_of(args).value},
            "template": handing_over(pod_spec(prefill, reading)),
        },
    }


def group(pod: Mapping[str, Any], args: ModelArgs) -> dict[str, Any]:
    """Leader and workers of a replica on several nodes; nothing for one on one.

    Each is told its place by what a LeaderWorkerSet sets in its pods, and vLLM's own processes find each
    other, without Ray (docs/serving/parallelism_scaling.md of vLLM).
    """
    nodes = args.get("nodes", 1)
    if nodes == 1:
        return {}
    (server,) = pod["containers"]
    common = [*server["args"], "--nnodes", str(nodes), "--master-addr", "$(LWS_LEADER_ADDRESS)"]
    leader = {**server, "args": [*common, "--node-rank", "0"]}
    # A worker answers no call, and so no probe; where one of a group ends, all of it is made anew.
    silent = {key: value for key, value in server.items() if key not in OF_CALLS}
    # It works on the answers of its leader, which ends at the same time.
    staying = {"lifecycle": {"preStop": {"sleep": {"seconds": ending_of(args).answering}}}}
    worker = {**silent, **staying, "args": [*common, "--node-rank", "$(LWS_WORKER_INDEX)", "--headless"]}
    return {
        "parallelism": {"pipeline": nodes},
        "template": {**pod, "containers": [leader]},
        "worker": {**pod, "containers": [worker]},
    }


def llm_service(
    parent: pulumi.Resource,
    name: str,
    args: ModelArgs,
    *,
    metadata: Mapping[str, Any],
    predictor: Mapping[str, Any],
    uri: pulumi.Output[str] | None,
    prefill: Mapping[str, Any] | None,
    before: list[pulumi.Resource],
    timeout: str,
) -> pulumi.Resource:
    """The model, served once it is ready; `uri` None: it has no files. `prefill`: as of `llm_spec`."""
    types = prerequisite(parent, name, Addon.LLM_INFERENCE_SERVICE, args.get("llm_controller"))
    if args.get("nodes", 1) > 1:
        types = [*types, *prerequisite(parent, name, Addon.LWS, args.get("lws"))]
    where = uri if uri is not None else f"s3://{Weights.SIMULATED.value}/{name}"
    annotations = {"pulumi.com/waitFor": READY, **register_annotations(args, uri)}
    return kubernetes.apiextensions.CustomResource(
        f"{name}-service",
        api_version=API,
        kind=KIND.value,
        metadata=cast(Any, {**metadata, "annotations": annotations}),
        spec=llm_spec(predictor, args, metadata["labels"], where, prefill),
        opts=child(
            parent,
            depends_on=[*types, *before],
            custom_timeouts=pulumi.CustomTimeouts(create=timeout, update=timeout),
            replace_on_changes=list(REPLACED),
            delete_before_replace=True,
        ),
    )
