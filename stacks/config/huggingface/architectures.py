"""Classes that a `config.json` names, by how their layers attend.

The names are those of vLLM v0.30.0 (vllm/model_executor/models/registry.py); the models beside it have the
layers of each.
"""

from collections.abc import Iterator


def words(text: str) -> frozenset[str]:
    """The words of `text`."""
    return frozenset(text.split())


SUFFIXES = (
    *("ForCausalLM", "ForConditionalGeneration", "ForSequenceClassification", "ForTokenClassification"),
    *("ForRewardModel", "ForProcessRewardModel", "ForMaskedLM", "LMHeadModel", "Model"),
)
"""What vLLM serves a model for: text, a class, a reward, or vectors."""
GROUPED = words(
    """
    Apertus Arcee Aria BailingMoe BailingMoeV2 Bloom ChatGLM Cohere Cwm Dbrx Deepseek Ernie4_5
    Ernie4_5_Moe Exaone Falcon FlexOlmo Gemma Glm Glm4 Glm4Moe Glm4v GPT2 GPTBigCode GPTJ GPTNeoX
    Granite GraniteMoe GraniteMoeShared HunYuanDenseV1 HunYuanMoEV1 HyperCLOVAX HYV3 InternLM2 InternLM3
    IQuestCoder Jais2 LLaMA Llama Llama4 Mellum MiMo MiniCPM MiniMaxM2 Ministral3 Mistral Mixtral
    Nanbeige Nemotron Olmo Olmo2 Olmoe OPT Orion PanguEmbedded Param2MoE Phi Phi3 PhiMoE Qwen2 Qwen2Moe
    Qwen3 Qwen3Moe Rnj1 SarvamMoE SeedOss SmolLM3 Solar StableLm Starcoder2 TeleChat2 TeleChat3 TeleFLM
    VoyageQwen3BidirectionalEmbed
    """
)
SLIDING = words(
    """
    Afmoe Cohere2 Cohere2Moe Exaone4 ExaoneMoe Gemma2 Gemma3 Gemma3n Gemma3Text Gemma4 GptOss
    GraniteMoeSWA GraniteSWA Laguna MiMoV2 MiMoV2Flash Olmo3 Plamo3 Step3p5 VaultGemma
    """
)
LATENT = words(
    """
    AXK1 DeepseekV2 DeepseekV3 DeepseekV32 DeepseekV3Bidirectional Glm4MoeLite GlmMoeDsa LongcatFlash
    LongcatFlashNgram MistralLarge3 PanguUltraMoE SarvamMLA
    """
)
GATED_DELTA = frozenset({"Qwen3Next", "Qwen3_5", "Qwen3_5Moe", "OlmoHybrid"})
ENCODERS = words(
    """
    Bert BertSpladeSparseEmbedding BgeM3Embedding ColBERTJinaRoberta ColBERTModernBert Gte GteNew
    HF_ColBERT JinaRoberta LlamaBidirectional ModernBert NomicBert Roberta XLMRoberta
    """
)
WRAPPERS = words(
    """
    AudioFlamingo3 AyaVision Bee Blip2 Cohere2Vision DeepseekOCR DeepseekOCR2 DeepseekVLV2 DotsOCR
    Eagle2_5_VL Ernie4_5_VLMoe Exaone4_5_ Gemma3 Gemma3n Gemma4 Gemma4Unified GLM4V Glm4v Glm4vMoe
    GlmAsr GlmOcr Granite4Vision GraniteSpeech H2OVLChat HunYuanVL Idefics3 InternS1 InternVL
    InternVLChat Isaac KananaV Keye KeyeVL1_5 KimiK25 KimiK3 KimiVL Lfm2Vl LightOnOCR Llama4
    Llama_Nemotron_Nano_VL LlamaNemotronVL Llava LlavaNext LlavaNextVideo LlavaOnevision LlavaOnevision2
    MiDashengLM MiMoV2Omni MiniCPMO MiniCPMV MiniCPMV4_6 Mistral3 NemotronH_Nano_VL_V2 NVLM_D Ovis
    Ovis2_5 Ovis2_6 PaddleOCRVL PaliGemma Phi3V Phi4MM Pixtral QianfanOCR Qwen2_5_VL Qwen2_5Omni
    Qwen2Audio Qwen2VL Qwen3_5 Qwen3_5Moe Qwen3ASR Qwen3OmniMoe Qwen3VL Qwen3VLMoe R SkyworkR1VChat
    SmolVLM Step3p7 Step3VL StepVL Ultravox Voxtral
    """
)
"""Models that a language model is wrapped in, with a tower for images or sound."""
INSIDE = {
    "Phi3V": "Phi3",
    "Phi4MM": "Phi3",
    "Qwen2VL": "Qwen2",
    "Qwen2_5_VL": "Qwen2",
    "Qwen2Audio": "Qwen2",
    "Qwen2_5Omni": "Qwen2",
    "Qwen3VL": "Qwen3",
    "Qwen3VLMoe": "Qwen3Moe",
    "Qwen3OmniMoe": "Qwen3Moe",
    "Qwen3ASR": "Qwen3",
    "Mistral3": "Mistral",
    "GlmOcr": "Glm4v",
    "Glm4vMoe": "Glm4Moe",
    "GLM4V": "ChatGLM",
    "Ernie4_5_VLMoe": "Ernie4_5_Moe",
    "Exaone4_5_": "Exaone4",
    "Gemma4Unified": "Gemma4",
    "KimiK25": "DeepseekV3",
    "KimiK3": "KimiLinear",
    "KimiVL": "DeepseekV3",
    "Cohere2Vision": "Cohere2",
    "Lfm2Vl": "Lfm2",
    "NemotronH_Nano_VL_V2": "NemotronH",
    "DotsOCR": "Qwen2",
    "PaddleOCRVL": "Ernie4_5",
    "Step3p7": "Step3p5",
    "Granite4Vision": "GraniteMoeHybrid",
    "GraniteSpeech": "Granite",
    "HunYuanVL": "HunYuanDenseV1",
}
"""The model inside a wrapper that does not say its type."""
MULTIMODAL = frozenset(
    {"Phi3V", "Phi4MM", "MiniCPMV", "MiniCPMO", "Ovis", "Molmo", "Aria", "GLM4V", "QWenVL"}
)
"""Wrappers that name no configuration of their tower."""
UNGATED = words(
    """
    Apertus Arcee Bloom Falcon GPT2 GPTBigCode GPTJ GPTNeoX Nemotron NemotronH OPT Phi Starcoder2
    """
)
"""Models whose feed-forward layers have two matrices."""
MODEL_TYPES = {
    "aria_text": "Aria",
    "axk1": "AXK1",
    "bailing_moe_v2": "BailingMoeV2",
    "chatglm": "ChatGLM",
    "cohere": "Cohere",
    "cohere2": "Cohere2",
    "deepseek_v2": "DeepseekV2",
    "deepseek_v3": "DeepseekV3",
    "deepseek_v32": "DeepseekV32",
    "ernie4_5": "Ernie4_5",
    "ernie4_5_moe": "Ernie4_5_Moe",
    "exaone4": "Exaone4",
    "gemma": "Gemma",
    "gemma2": "Gemma2",
    "gemma3_text": "Gemma3",
    "gemma3n_text": "Gemma3n",
    "gemma4_text": "Gemma4",
    "glm": "Glm",
    "glm4": "Glm4",
    "glm4_moe": "Glm4Moe",
    "glm4v_moe_text": "Glm4Moe",
    "glm4v_text": "Glm4v",
    "glm_ocr_text": "Glm4v",
    "gpt_oss": "GptOss",
    "granite": "Granite",
    "granitemoehybrid": "GraniteMoeHybrid",
    "internlm2": "InternLM2",
    "internlm3": "InternLM3",
    "kimi_k2": "DeepseekV3",
    "kimi_linear": "KimiLinear",
    "lfm2": "Lfm2",
    "lfm2_moe": "Lfm2Moe",
    "llama": "Llama",
    "llama4_text": "Llama4",
    "ministral3": "Ministral3",
    "mistral": "Mistral",
    "mistral4": "DeepseekV3",
    "mixtral": "Mixtral",
    "nemotron_h": "NemotronH",
    "olmo2": "Olmo2",
    "olmo3": "Olmo3",
    "phi3": "Phi3",
    "qwen2": "Qwen2",
    "qwen2_5_omni_text": "Qwen2",
    "qwen2_5_vl_text": "Qwen2",
    "qwen2_moe": "Qwen2Moe",
    "qwen2_vl_text": "Qwen2",
    "qwen3": "Qwen3",
    "qwen3_5_moe_text": "Qwen3_5Moe",
    "qwen3_5_text": "Qwen3_5",
    "qwen3_moe": "Qwen3Moe",
    "qwen3_next": "Qwen3Next",
    "qwen3_omni_moe_text": "Qwen3Moe",
    "qwen3_vl_moe_text": "Qwen3Moe",
    "qwen3_vl_text": "Qwen3",
    "seed_oss": "SeedOss",
    "smollm3": "SmolLM3",
    "step3p5": "Step3p5",
}
"""The model inside a wrapper, by the `model_type` of its configuration."""
UNCOUNTED = {
    "DeepseekV4": "its layers keep tokens compressed in several ways",
    "MiniMaxM3Sparse": "its layers keep blocks of tokens beside an index",
    "Whisper": "it is served for transcription, which is no task here",
    "Mllama": "vLLM serves it no more since 0.10.2",
}
"""Models that others serve and nothing here counts, with the reason."""


def families(name: str) -> Iterator[str]:
    """`name`, and what is left without the part that says what it is served for.

    >>> list(families("Qwen3ForSequenceClassification"))
    ['Qwen3ForSequenceClassification', 'Qwen3']
    """
    yield name
    for suffix in SUFFIXES:
        if name.endswith(suffix) and name != suffix:
            yield name.removesuffix(suffix)


def within(name: str, group: frozenset[str]) -> bool:
    """Whether a class is of a model in `group`."""
    return any(one in group for one in families(name))
