"""How weights are stored, by the `quantization_config` of a model.

vLLM v0.30.0 lists the methods that it loads in vllm/model_executor/layers/quantization/__init__.py; the keys
are those of each file beside it.
"""

from collections.abc import Iterable
from typing import cast

from corral.stacks.config.huggingface.values import Config, inner, number, shown

PLAIN = {
    "bfloat16": "bf16",
    "float16": "fp16",
    "half": "fp16",
    "float32": "bf16",
    "float": "bf16",
    "float64": "bf16",
}
"""How vLLM holds weights that are not quantised; `--dtype auto` casts 32 bits to 16."""
UNSTATED = "bf16"
"""The same where no dtype is stated, which vLLM takes for float32."""
NARROWEST = ("nvfp4", "mxfp4", "int4", "nf4", "int8", "fp8", "fp8-block", "fbgemm-fp8")
"""Dtypes of quantised layers, those with the fewest bits first."""
SETTINGS = ("bits", "quant_algo", "load_in_4bit", "load_in_8bit", "quant_type", "config_groups")
"""Settings of a quantisation that decide its dtype."""


def dtype(text: Config) -> str | None:
    """How vLLM holds the weights, of several ways the narrowest; None: a way that nothing here is called."""
    if stated(text):
        return _narrowest(_every(text))
    word = text.get("torch_dtype")
    if word is None:
        return UNSTATED
    return PLAIN.get(str(word).removeprefix("torch."))


def mixed(text: Config) -> bool:
    """Whether layers have several dtypes."""
    return len(set(_every(text))) > 1


def stored_dtype(text: Config) -> str:
    """The dtype of files that are not quantised, as stated; empty: not stated, or quantised."""
    word = text.get("torch_dtype")
    return "" if stated(text) or word is None else str(word).removeprefix("torch.")


def stated(text: Config) -> Config:
    """The quantisation that a configuration describes; empty: none."""
    return inner(text, "quantization_config") or inner(text, "compression_config")


def described(text: Config) -> str:
    """Why no dtype is read."""
    quantised = stated(text)
    if not quantised:
        return f"torch_dtype {shown(text.get('torch_dtype'))} is no dtype"
    settings = [key for key in SETTINGS if key in quantised]
    more = f" with {', '.join(f'{key} {shown(quantised[key])}' for key in settings)}" if settings else ""
    return f"quant_method {shown(quantised.get('quant_method'))}{more} is no dtype"


def _every(text: Config) -> list[str | None]:
    """The dtypes of all layers; experts may have one of their own (`expert_dtype`, DeepSeek-V4)."""
    experts = text.get("expert_dtype")
    own = EXPERTS.get(experts) if isinstance(experts, str) else None
    return [*_quantised(stated(text)), *([own] if own else [])]


def _quantised(settings: Config) -> list[str | None]:
    """The dtypes of a quantisation's layers; None among them: one that nothing here is called."""
    # ModelOpt's own exports name themselves as producer and have no method.
    producer = inner(settings, "producer").get("name")
    method = settings.get("quant_method") or producer
    match method.lower().replace("_", "-") if isinstance(method, str) else method:
        case "compressed-tensors":
            groups = inner(settings, "config_groups")
            return [_compressed(inner(groups, name)) for name in groups]
        case "awq" | "gptq" | "auto-round" | "inc" | "auto-awq" | "auto-gptq" | "awq-marlin" | "gptq-marlin":
            return [_bits(number(settings, "bits") or number(settings, "w_bit"))]
        case "moe-wna16":
            return [_bits(number(settings, "weight_bits") or number(settings, "bits"))]
        case "fp8" | "deepseek-v4-fp8":
            return ["fp8-block" if settings.get("weight_block_size") else "fp8"]
        case "fbgemm-fp8":
            return ["fbgemm-fp8"]
        case "modelopt" | "modelopt-fp4" | "modelopt-mixed" | "modelopt-mxfp8":
            return _modelopt(settings)
        case "bitsandbytes":
            return [_bitsandbytes(settings)]
        case "mxfp4" | "gpt-oss-mxfp4":
            return ["mxfp4"]
        case "experts-int8":
            return ["int8"]
        case "quark":
            return _quark(settings)
        case "torchao":
            return [_torchao(settings)]
        case _:
            return []


def _bits(bits: int | None) -> str | None:
    return {4: "int4", 8: "int8"}.get(bits or 0)


def _narrowest(kinds: Iterable[str | None]) -> str | None:
    """Of layers in several dtypes the one with the fewest bits, so that no lower bound is too high."""
    distinct = set(kinds)
    if not distinct or None in distinct:
        return None
    return min((one for one in distinct if one), key=NARROWEST.index)


def _compressed(group: Config) -> str | None:
    weights = inner(group, "weights")
    match f"{weights.get('type')}{weights.get('num_bits')}":
        case "float8":
            return "fp8-block" if weights.get("strategy") == "block" else "fp8"
        case "float4":
            return {16: "nvfp4", 32: "mxfp4"}.get(number(weights, "group_size") or 0)
        case "int8" | "int4" as kind:
            return kind
        case _:
            return None


def _modelopt(settings: Config) -> list[str | None]:
    described = inner(settings, "quantization")
    algorithm = str(settings.get("quant_algo") or described.get("quant_algo")).upper()
    if algorithm in MODELOPT:
        return [MODELOPT[algorithm]]
    layers = inner(settings, "quantized_layers") or inner(described, "quantized_layers")
    if layers:
        words = (str(inner(layers, name).get("quant_algo")).upper() for name in layers)
        return [MODELOPT.get(word) for word in words]
    groups = inner(settings, "config_groups")
    return [_compressed(inner(groups, name)) for name in groups]


def _bitsandbytes(settings: Config) -> str | None:
    """Four bits of either type weigh the same."""
    if settings.get("load_in_4bit") is True or settings.get("_load_in_4bit") is True:
        return "nf4"
    eight = settings.get("load_in_8bit") is True or settings.get("_load_in_8bit") is True
    return "int8" if eight else None


def _quark(quantisation: Config) -> list[str | None]:
    """By the weights of all layers and of those with a setting of their own."""
    each = inner(quantisation, "layer_quant_config")
    settings = [inner(quantisation, "global_quant_config"), *(inner(each, name) for name in each)]
    weights = [one for setting in settings for one in _objects(setting.get("weight"))]
    return [_quark_dtype(one) for one in weights]


def _quark_dtype(weight: Config) -> str | None:
    word = str(weight.get("dtype"))
    if word == "fp4":
        return {16: "nvfp4", 32: "mxfp4"}.get(number(weight, "group_size") or 0)
    return QUARK.get(word)


def _objects(value: object) -> list[Config]:
    several = cast("list[object]", value) if isinstance(value, list) else [value]
    return [cast("Config", one) for one in several if isinstance(one, dict)]


def _torchao(settings: Config) -> str | None:
    """By the name of the configuration class that torchao wrote."""
    default = inner(inner(settings, "quant_type"), "default")
    word: object = default.get("_type") or settings.get("quant_type")
    return TORCHAO.get(str(word).removesuffix("Config").lower().replace("_", "")) if word else None


EXPERTS = {"fp4": "mxfp4", "fp8": "fp8-block"}
"""Dtype of experts by the word of their own key."""
MODELOPT = {
    "FP8": "fp8",
    "FP8_PER_CHANNEL_PER_TOKEN": "fp8",
    "FP8_PB_WO": "fp8-block",
    "MXFP8": "fp8-block",
    "NVFP4": "nvfp4",
    "W4A8_NVFP4_FP8": "nvfp4",
    "W4A16_NVFP4": "nvfp4",
    "NVFP4_AWQ": "nvfp4",
    "W4A16_AWQ": "int4",
    "W4A8_AWQ": "int4",
}
"""Dtype by the algorithm of ModelOpt."""
QUARK = {"fp8_e4m3": "fp8", "fp8_e5m2": "fp8", "int8": "int8", "int4": "int4", "uint4": "int4"}
"""Dtype by the word of Quark."""
TORCHAO = {
    "int4weightonly": "int4",
    "int8weightonly": "int8",
    "int8dynamicactivationint8weight": "int8",
    "int8dynamicactivationint4weight": "int4",
    "float8weightonly": "fp8",
    "float8dynamicactivationfloat8weight": "fp8",
    "float8dynamicactivationint4weight": "int4",
    "nvfp4inference": "nvfp4",
    "nvfp4dynamicactivationnvfp4weight": "nvfp4",
}
"""Dtype by the class of torchao, in small letters."""
