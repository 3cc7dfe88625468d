"""KServe's controller of LLMInferenceServices."""

from corral.components.llm_inference_service.component import LlmInferenceService, LlmInferenceServiceArgs

__all__ = ["LlmInferenceService", "LlmInferenceServiceArgs"]
