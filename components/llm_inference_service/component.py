"""KServe's controller of LLMInferenceServices, its resource types, and the presets that it demands."""

from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.addons import definition, descriptor
from corral.catalogue.charts import chart
from corral.catalogue.images import image
from corral.catalogue.vocabulary import Addon
from corral.components._kit import checked, child, existing_api, install, labels, name_of, prerequisite, token
from corral.components.kyverno.known import started_anew
from corral.components.supply import Supply, pull_secrets, repository_and_tag

KNOWN = "corral.dev/known-llm-types"
COMPONENT = "llm-inference-service"
NAMESPACE = descriptor(Addon.LLM_INFERENCE_SERVICE).namespace
"""The webhooks of the types name this namespace; it cannot be another."""
SERVICES = definition(Addon.LLM_INFERENCE_SERVICE)
API = f"serving.kserve.io/{SERVICES[1]}"
PRESETS = (
    "kserve-config-llm-template",
    "kserve-config-llm-worker-pipeline-parallel",
    "kserve-config-llm-decode-template",
    "kserve-config-llm-prefill-template",
)
"""Configurations that the controller merges below each service: of one node, of several, and of either side
of prefill and decode (`combineBaseRefsConfig` of KServe 0.20.0). It reconciles no service without, and ours
are empty: what is not in a service itself, its author has not seen."""


class LlmInferenceServiceArgs(TypedDict):
    """What the controller of LLMInferenceServices needs to know."""

    supply: Supply
    """Where charts and images come from."""
    namespace: NotRequired[pulumi.Input[str]]
    """`KServe.namespace`, where this program makes it; `kserve`, which must be there, when omitted."""
    cert_manager: NotRequired[pulumi.Input[str]]
    """`CertManager.namespace`, where this program makes it; its types must be there already when omitted."""
    kyverno_types: NotRequired[pulumi.Input[str]]
    """`Kyverno.namespace`, where this program makes it: it is started anew, so that it knows the types; what
    is there already must know them when omitted."""
    existing: NotRequired[bool]
    """True: controller and presets are there; only the resource type is checked."""


class LlmInferenceService(pulumi.ComponentResource):
    """Serves models of kind LLMInferenceService on the cluster given as provider.

    KServe must be there, which has the configuration and the issuer that both controllers share, and
    cert-manager, for the certificate of the webhooks. The chart's controller may read and write Secrets and
    roles of the cluster.
    """

    namespace: pulumi.Output[str]
    """Where the controller runs, known once services can be made."""

    def __init__(self, name: str, args: LlmInferenceServiceArgs, opts: pulumi.ResourceOptions | None = None):
        args = checked(args, LlmInferenceServiceArgs, name)
        super().__init__(token(type(self)), name, {}, opts)
        made = self._existing(name) if args.get("existing", False) else self._installed(name, args)
        if "kyverno_types" in args:
            known = started_anew(self, f"{name}-kyverno", args["kyverno_types"], SERVICES[0], made, KNOWN)
            made = [*made, known]
        space = pulumi.Output.from_input(args.get("namespace", NAMESPACE))
        self.namespace = pulumi.Output.all(space, *map(name_of, made)).apply(lambda known: str(known[0]))
        self.register_outputs({"namespace": self.namespace})

    def _existing(self, name: str) -> list[pulumi.Resource]:
        return [existing_api(self, f"{name}-services", *SERVICES)]

    def _installed(self, name: str, args: LlmInferenceServiceArgs) -> list[pulumi.Resource]:
        supply, space = args["supply"], args.get("namespace", NAMESPACE)
        certificates = prerequisite(self, name, Addon.CERT_MANAGER, args.get("cert_manager"))
        types = install(
            self, f"{name}-crds", chart("kserve-llmisvc-crd-minimal"), {}, namespace=space, supply=supply
        )
        controller = install(
            self,
            f"{name}-chart",
            chart("kserve-llmisvc-resources"),
            values(supply),
            namespace=space,
            supply=supply,
            depends_on=[*certificates, types],
        )
        return [
            kubernetes.apiextensions.CustomResource(
                f"{name}-{preset}",
                api_version=API,
                kind="LLMInferenceServiceConfig",
                metadata=cast(Any, {"name": preset, "namespace": space, "labels": labels(COMPONENT, name)}),
                spec={},
                opts=child(self, depends_on=[controller]),
            )
            for preset in PRESETS
        ]


def values(supply: Supply) -> dict[str, Any]:
    """Values of `kserve-llmisvc-resources`: what both controllers share is KServe's, and no type is ours of
    the Inference Extension, which only its router needs."""
    repository, tag = repository_and_tag(image("llmisvc-controller"), supply)
    secrets = {"imagePullSecrets": pull_secrets(supply)} if pull_secrets(supply) else {}
    return {
        "kserve": {
            "createSharedResources": False,
            "llmisvc": {
                "createGIECRDs": False,
                "controller": {
                    "image": repository,
                    "tag": tag,
                    "imagePullPolicy": "IfNotPresent",
                    **secrets,
                    # The presets are this component's, and go with it.
                    "env": [{"name": "PREVENT_WELL_KNOWN_CONFIG_DELETION", "value": "false"}],
                },
            },
        }
    }
