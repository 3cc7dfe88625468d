"""Arguments of LlmInferenceService."""

from corral.catalogue.vocabulary import Addon
from corral.components.cert_manager import CertManager
from corral.components.kserve import KServe
from corral.components.kyverno import Kyverno
from corral.components.llm_inference_service import LlmInferenceService, LlmInferenceServiceArgs
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.wiring import Wiring


def llm_inference_service_args(context: DeployContext) -> LlmInferenceServiceArgs:
    """The controller beside KServe's own."""
    kserve, certificates = context.built.get(KServe), context.built.get(CertManager)
    args: LlmInferenceServiceArgs = {**context.installed(Addon.LLM_INFERENCE_SERVICE)}
    if kserve is not None:
        args["namespace"] = kserve.namespace
    if certificates is not None:
        args["cert_manager"] = certificates.namespace
    kyverno = context.built.get(Kyverno)
    if kyverno is not None:
        args["kyverno_types"] = kyverno.namespace
    return args


WIRING = Wiring(LlmInferenceService, llm_inference_service_args)
