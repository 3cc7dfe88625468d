"""Replicas of a model that read its prompts, beside those that write its answers."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.disaggregation import (
    DECODE_PORT,
    SIDE_CHANNEL,
    SIDE_CHANNEL_HOST,
    SIDECAR,
    Role,
    transfer_option,
)
from corral.catalogue.images import image
from corral.catalogue.serving_kinds import ServedNames, prefill_names
from corral.catalogue.vocabulary import Engine, ServingKind
from corral.components._kit import child
from corral.components._pods import own_address, restricted_container
from corral.components.model.args import ModelArgs, kind_of
from corral.components.model.problems import argument_problems
from corral.components.supply import Supply, reference

PROXY = "/app/pd-sidecar"
BESIDE = ("scaling", "adapters", "nodes", "time_to_first_token_seconds")
"""What does not go with it."""
OF_DECODE = ("prefill", "replicas_max")


def prefill_problems(name: str, args: ModelArgs) -> Iterator[str]:
    """Arguments with which no prompt would be handed over, one line each."""
    if "prefill" not in args:
        return
    if kind_of(args) is not ServingKind.LLM_INFERENCE_SERVICE or Engine(args["engine"]) is not Engine.VLLM:
        yield f"{name}.prefill: is for kind LLMInferenceService and engine vllm; leave it out"
    for key in BESIDE:
        if key in args:
            yield f"{name}.{key}: does not go with 'prefill'; leave one of both out"
    if {"claim", "resource"} <= args["prefill"].keys():
        yield f"{name}.prefill: give one of 'claim' (DRA driver) and 'resource' (device plugin)"
    yield from argument_problems(f"{name}.prefill", prefill_args(args))


def prefill_args(args: ModelArgs) -> ModelArgs:
    """What those replicas need to know: as the model does, but for what `prefill` has."""
    own = args.get("prefill", {})
    kept = {key: value for key, value in args.items() if key not in OF_DECODE}
    if {"claim", "resource"} & own.keys():
        kept = {key: value for key, value in kept.items() if key not in ("claim", "resource")}
    stated, option = own.get("arguments", []), transfer_option(Role.PREFILL)
    arguments = stated if option.within(stated) else [*stated, *option.arguments]
    changed = {**own, "arguments": arguments, "replicas_min": own.get("replicas", 1)}
    changed.pop("replicas", None)
    return cast(ModelArgs, {**kept, **changed})


def handing_over(pod: Mapping[str, Any]) -> dict[str, Any]:
    """`pod` with what its server needs to meet the other side: its address, and a port for the handshake."""
    (server,) = pod["containers"]
    ports = ({"name": name, "value": value} for name, value in SIDE_CHANNEL.items())
    return {
        **pod,
        "containers": [{**server, "env": [*server["env"], own_address(SIDE_CHANNEL_HOST), *ports]}],
    }


def decoding(pod: Mapping[str, Any], supply: Supply, port: int) -> dict[str, Any]:
    """`pod` behind a sidecar at `port`, which has prompts read elsewhere, as a call's header names it."""
    health = {"httpGet": {"path": "/health", "port": port}, "periodSeconds": 5, "timeoutSeconds": 5}
    sidecar = {
        "name": SIDECAR,
        "image": reference(image(SIDECAR), supply),
        "restartPolicy": "Always",
        "command": [PROXY],
        # It could ask the API which pods it may call; it has no account there, and network policies say that.
        "args": [
            f"--port={port}",
            f"--vllm-port={DECODE_PORT}",
            "--kv-connector=nixlv2",
            "--secure-proxy=false",
            "--enable-ssrf-protection=false",
        ],
        "ports": [{"name": "proxy", "containerPort": port, "protocol": "TCP"}],
        "readinessProbe": {**health, "failureThreshold": 3},
        "livenessProbe": {"tcpSocket": {"port": port}, "periodSeconds": 10, "failureThreshold": 6},
        "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
        "securityContext": restricted_container(read_only_root=True),
    }
    return {**pod, "initContainers": [*pod.get("initContainers", []), sidecar]}


def services(
    parent: pulumi.Resource,
    name: str,
    metadata: Mapping[str, Any],
    decode: ServedNames,
    served: pulumi.Resource,
) -> tuple[pulumi.Resource, pulumi.Resource]:
    """The Service of either side, once its pods are ready, the `decode` one first: KServe's leads to both."""
    first, second = (
        kubernetes.core.v1.Service(
            f"{name}-{role.value}",
            metadata=cast(Any, {**metadata, "name": names.service}),
            spec=cast(
                Any,
                {
                    "selector": dict(names.pods),
                    "ports": [{"name": "http", "port": names.port, "targetPort": names.port}],
                },
            ),
            opts=child(parent, depends_on=[served]),
        )
        for role, names in ((Role.DECODE, decode), (Role.PREFILL, prefill_names(name)))
    )
    return first, second
