"""The InferenceService of a model."""

import json
import re
from dataclasses import dataclass
from typing import Any

import pulumi

from corral.catalogue.runtimes import BILL_FILE, RUNTIMES
from corral.catalogue.vocabulary import Engine, Scaler
from corral.components._pods import restricted_pod
from corral.components.model.adapters import AdapterFiles
from corral.components.model.args import (
    ModelArgs,
    fixed_number,
    names_of,
    server_arguments,
    weights_of,
)
from corral.components.model.availability import topology_spread
from corral.components.model.ending import ENDING, ending_of
from corral.components.model.loader import FILES, emptied, files_mount
from corral.controls.gpu.gpu_05 import CLASS
from corral.controls.models.mod_08 import BILL
from corral.controls.models.mod_09 import LICENSE

WEIGHTS_ANNOTATION = "corral.dev/weights"
# A Deployment that may be without its only replica is available at once, and KServe says Ready with it; it
# counts a copy once a pod is ready.
COPIES = "jsonpath={.status.modelStatus.copies.totalCopies}"
WAIT_FOR = json.dumps(["condition=PredictorReady", "condition=Ready", COPIES])
# Without a copy where none is needed; KServe makes the first Deployment with one.
WAIT_FOR_NONE = json.dumps(["condition=PredictorReady", "condition=Ready"])
CLAIM = "gpu"
NO_ADAPTERS = AdapterFiles()
USER = 1000
GPU_TAINT = "nvidia.com/gpu"


@dataclass(frozen=True)
class KeptFiles:
    """A model's files on its node."""

    volume: dict[str, Any]
    """The volume that has them, without its name."""
    folder: pulumi.Input[str]
    """Where in it they are."""


def annotations(args: ModelArgs, uri: pulumi.Output[str] | None) -> dict[str, pulumi.Input[str]]:
    """Annotations of the InferenceService; KServe passes them on to its pods. `uri`: where its files are."""
    scaler = Scaler.NONE if fixed_number(args) else Scaler.EXTERNAL
    return {
        "pulumi.com/waitFor": WAIT_FOR if args.get("replicas_min", 1) else WAIT_FOR_NONE,
        # KServe's own default scales by the load of the CPU, which says nothing about a GPU.
        "serving.kserve.io/autoscalerClass": scaler.value,
        **register_annotations(args, uri),
    }


def register_annotations(args: ModelArgs, uri: pulumi.Output[str] | None) -> dict[str, pulumi.Input[str]]:
    """What a register of models reads of an object of either kind; `uri`: where its files are."""
    bill = {} if uri is None else {BILL: pulumi.Output.concat(uri, "/", BILL_FILE)}
    return {WEIGHTS_ANNOTATION: weights_of(args).value, **bill}


def register_labels(args: ModelArgs) -> dict[str, str]:
    """What a register of models reads of the InferenceService: its licence, and the class of its data."""
    stated = {LICENSE: _label(args.get("license", "")), CLASS[0]: args.get("data_class", "")}
    return {label: value for label, value in stated.items() if value}


def _label(text: str) -> str:
    """`text` as the value of a label.

    >>> _label("Apache-2.0 OR MIT")
    'Apache-2.0-OR-MIT'
    """
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:63].strip("-._")


def inference_spec(
    name: str,
    args: ModelArgs,
    *,
    claim_template: pulumi.Input[str] | None,
    account: pulumi.Input[str],
    uri: pulumi.Input[str] | None,
    loader: dict[str, Any] | None,
    kept: KeptFiles | None = None,
    adapters: AdapterFiles = NO_ADAPTERS,
) -> dict[str, Any]:
    """`spec` of the InferenceService.

    `uri` and `loader` None: nothing is fetched into the pod. `kept` None: its node keeps no files.
    `claim_template` None: devices are an extended resource.
    """
    runtime = RUNTIMES[Engine(args["engine"])]
    memory = f"{args.get('memory_gib', 4)}Gi"
    least, ending = args.get("replicas_min", 1), ending_of(args)
    # A Deployment sees no other number, and KServe never observes a change that its Deployment does not see.
    number = {"minReplicas": least} if fixed_number(args) else {}
    stated = [{"name": key, "value": value} for key, value in args.get("environment", {}).items()]
    variables = [*ending.variables, *stated]
    model = {
        "modelFormat": {"name": runtime.model_format},
        "runtime": args.get("runtime", runtime.name),
        "args": server_arguments(name, args),
        **({"env": variables} if variables else {}),
        "lifecycle": {"preStop": ending.hook},
        "resources": {
            "requests": {"cpu": "1", "memory": memory, **_extended(args)},
            "limits": {"memory": memory, **_extended(args)},
            **({} if claim_template is None else {"claims": [{"name": CLAIM}]}),
        },
        **({} if uri is None else {"storageUri": uri}),
        **({} if loader is None else {"volumeMounts": [files_mount(kept and kept.folder), *adapters.mounts]}),
    }
    pool = {"nodeSelector": {"corral.dev/pool": args["pool"]}} if "pool" in args else {}
    claims = [] if claim_template is None else [{"name": CLAIM, "resourceClaimTemplateName": claim_template}]
    return {
        "predictor": {
            **number,
            "deploymentStrategy": _strategy(least),
            # The kubelet takes the time of the hook from it.
            "terminationGracePeriodSeconds": ending.answering + ENDING,
            "serviceAccountName": account,
            "automountServiceAccountToken": False,
            # A Service called vllm would tell vLLM by VLLM_PORT where to listen.
            "enableServiceLinks": False,
            "securityContext": restricted_pod(USER),
            "tolerations": [{"key": GPU_TAINT, "operator": "Exists", "effect": "NoSchedule"}],
            "topologySpreadConstraints": topology_spread(names_of(name, args).pods),
            **({"priorityClassName": args["priority_class"]} if "priority_class" in args else {}),
            **pool,
            **({"resourceClaims": claims} if claims else {}),
            **({} if loader is None else _loaded(loader, args, kept, adapters)),
            "model": model,
        }
    }


def _loaded(
    loader: dict[str, Any], args: ModelArgs, kept: KeptFiles | None, adapters: AdapterFiles
) -> dict[str, Any]:
    sizes = [file.get("size") for file in args.get("files", [])]
    volume = {"emptyDir": emptied(sizes)} if kept is None else kept.volume
    return {
        "initContainers": [loader, *adapters.loaders],
        "volumes": [{"name": FILES["name"], **volume}, *adapters.volumes],
    }


def _extended(args: ModelArgs) -> dict[str, str]:
    resource = args.get("resource")
    return {} if resource is None else {resource["name"]: str(resource.get("count", 1))}


def _strategy(least: int) -> dict[str, Any]:
    """A new replica needs a device of its own, and there may be none left: an old one goes first.

    Where one of one may be unavailable, Kubernetes calls a Deployment without any ready pod available, and
    KServe the model ready; `Recreate` is the same roll-out without that.
    """
    if least <= 1:
        return {"type": "Recreate"}
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
