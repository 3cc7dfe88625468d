"""Facts of a model from its own folder: `config.json` and the index of its safetensors files, nothing else.

What the files do not say is not guessed: it is named, and the stack file may state it beside the folder.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

CONFIG = "config.json"
INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
"""The weights of a model without an index; other files of the folder are never counted."""

Config = Mapping[str, Any]
Facts = dict[str, Any]


class Unreadable(Exception):
    """A folder that facts cannot be read from; the text is the reason."""


def read_folder(folder: Path) -> Facts:
    """What the model in `folder` says of itself, as keys of `custom-models`; what it lacks is absent.

    Raises:
        Unreadable: a file is missing or is no JSON object.
    """
    config = _object(folder / CONFIG)
    weights = _index_bytes(folder) if (folder / INDEX).exists() else _file_bytes(folder / SINGLE)
    return _known({**facts(config), "weights-bytes": weights})


def facts(config: Config) -> Facts:
    """Facts in the content of a `config.json`; what it lacks is absent. Pure."""
    text = {**config, **_inner(config, "text_config")}
    name = architecture(config)
    reader = ARCHITECTURES.get(name)
    return _known(
        {
            "dtype": _dtype(text),
            "layers": _number(text, "num_hidden_layers"),
            "hidden": _number(text, "hidden_size"),
            "intermediate": _intermediate(text),
            "vocabulary": _number(text, "vocab_size"),
            "context": _number(text, "max_position_embeddings"),
            "tied": text.get("tie_word_embeddings") is True,
            "multimodal": any(key in config for key in ("vision_config", "audio_config")),
            "attention": reader(text, name) if reader else None,
            "experts": _experts(text),
        }
    )


def architecture(config: Config) -> str:
    """The class that the configuration names; empty: none."""
    names = cast("list[str]", config.get("architectures") or [])
    return str(names[0]) if names else ""


def _inner(config: Config, key: str) -> Config:
    """The object under `key`; empty where there is none."""
    found = config.get(key)
    return cast("Config", found) if isinstance(found, dict) else {}


def _number(config: Config, key: str) -> int | None:
    """The whole number under `key`; None where there is none."""
    found = config.get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _full_layers(text: Config) -> int | None:
    """Layers that see the whole sequence; None where the types of layers are not listed."""
    types = text.get("layer_types")
    return cast("list[object]", types).count("full_attention") or None if isinstance(types, list) else None


def _known(found: Facts) -> Facts:
    return {key: value for key, value in found.items() if value is not None}


def _object(path: Path) -> Config:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unreadable(f"{path.name}: {error.strerror}") from None
    except ValueError:
        raise Unreadable(f"{path.name} is no JSON") from None
    if not isinstance(content, dict):
        raise Unreadable(f"{path.name} is no JSON object")
    return cast("Config", content)


def _index_bytes(folder: Path) -> int | None:
    """Bytes of all tensors: what the index says, or its files where they are there and larger."""
    index = _object(folder / INDEX)
    said = _inner(index, "metadata").get("total_size")
    if not isinstance(said, int | float):
        return None
    files = [folder / str(name) for name in set(_inner(index, "weight_map").values())]
    there = sum(file.stat().st_size for file in files) if all(file.is_file() for file in files) else 0
    return max(int(said), there)


def _file_bytes(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _dtype(text: Config) -> str | None:
    quantised = _inner(text, "quantization_config")
    if quantised:
        return _quantised(quantised)
    plain = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}
    return plain.get(str(text.get("torch_dtype") or text.get("dtype")))


def _quantised(said: Config) -> str | None:
    method = str(said.get("quant_method"))
    if method == "compressed-tensors":
        groups = _inner(said, "config_groups")
        kinds = {_compressed(_inner(group, "weights")) for group in groups.values()}
        return kinds.pop() if len(kinds) == 1 else None
    if method in ("awq", "gptq"):
        return {4: "int4", 8: "int8"}.get(_number(said, "bits") or 0)
    if method == "fp8":
        return "fp8-block" if said.get("weight_block_size") else "fp8"
    return "mxfp4" if method == "mxfp4" else None


def _compressed(weights: Config) -> str | None:
    kind = (weights.get("num_bits"), weights.get("type"))
    return {(8, "float"): "fp8", (8, "int"): "int8", (4, "int"): "int4"}.get(cast("Any", kind))


def _count_of_experts(text: Config) -> int | None:
    keys = ("num_experts", "num_local_experts", "n_routed_experts")
    return next((number for key in keys if (number := _number(text, key))), None)


def _intermediate(text: Config) -> int | None:
    """Width of a dense layer, or of what every token passes beside the routed experts."""
    if _count_of_experts(text) is None or "first_k_dense_replace" in text:
        return _number(text, "intermediate_size")
    return _number(text, "shared_expert_intermediate_size") or _number(text, "intermediate_size_mlp") or 0


def _experts(text: Config) -> Facts | None:
    count = _count_of_experts(text)
    if count is None:
        return None
    active = _number(text, "num_experts_per_tok") or _number(text, "top_k_experts")
    width = _number(text, "moe_intermediate_size") or _number(text, "intermediate_size")
    return {"count": count, "active": active, "intermediate": width} if active and width else None


def _grouped(text: Config, name: str) -> Facts | None:
    heads, hidden = _number(text, "num_attention_heads"), _number(text, "hidden_size")
    derived = hidden // heads if heads and hidden and name not in STATE_HEAD_DIM else None
    return _whole(
        {
            "kind": "gqa",
            "heads": heads,
            "kv-heads": _number(text, "num_key_value_heads") or heads,
            "head-dim": _number(text, "head_dim") or derived,
        }
    )


def _whole(found: Facts) -> Facts | None:
    """`found`, or None where something in it is missing."""
    return None if None in found.values() else found


def _sliding(text: Config, name: str) -> Facts | None:
    base = _grouped(text, name)
    layers = {"full-layers": _full_layers(text), "window": _number(text, "sliding_window")}
    return base and _whole({**base, "kind": "sliding", **layers})


def _hybrid(text: Config, name: str) -> Facts | None:
    base = _grouped(text, name)
    states = {
        "full-layers": _full_layers(text),
        "state-heads": _number(text, "linear_num_value_heads"),
        "state-key-heads": _number(text, "linear_num_key_heads"),
        "state-dim": _number(text, "linear_value_head_dim"),
        "kernel": _number(text, "linear_conv_kernel_dim"),
    }
    return base and _whole({**base, "kind": "hybrid", **states})


def _latent(text: Config, name: str) -> Facts | None:
    return _whole(
        {
            "kind": "mla",
            "heads": _number(text, "num_attention_heads"),
            "latent": _number(text, "kv_lora_rank"),
            "rope": _number(text, "qk_rope_head_dim"),
            "index": _number(text, "index_head_dim") or 0,
        }
    )


def _encoder(text: Config, name: str) -> Facts | None:
    return _whole({"kind": "encoder", "heads": _number(text, "num_attention_heads")})


STATE_HEAD_DIM = frozenset(
    {
        *("Qwen3ForCausalLM", "Qwen3MoeForCausalLM", "Qwen3_5ForConditionalGeneration"),
        *("Qwen3_5MoeForConditionalGeneration", "GemmaForCausalLM", "Gemma2ForCausalLM", "Gemma3ForCausalLM"),
        *("Gemma3ForConditionalGeneration", "Gemma4ForConditionalGeneration", "GptOssForCausalLM"),
        "Mistral3ForConditionalGeneration",
    }
)
"""Architectures whose heads are not hidden / heads wide: the file must state `head_dim`."""

ARCHITECTURES: Mapping[str, Callable[[Config, str], Facts | None]] = {
    "LlamaForCausalLM": _grouped,
    "MistralForCausalLM": _grouped,
    "Mistral3ForConditionalGeneration": _grouped,
    "MixtralForCausalLM": _grouped,
    "Llama4ForConditionalGeneration": _grouped,
    "Qwen2ForCausalLM": _grouped,
    "Qwen3ForCausalLM": _grouped,
    "Qwen3MoeForCausalLM": _grouped,
    "Phi3ForCausalLM": _grouped,
    "GraniteForCausalLM": _grouped,
    "GemmaForCausalLM": _grouped,
    "Gemma2ForCausalLM": _grouped,
    "Gemma3ForCausalLM": _sliding,
    "Gemma3ForConditionalGeneration": _sliding,
    "Gemma4ForConditionalGeneration": _sliding,
    "GptOssForCausalLM": _sliding,
    "Qwen3_5ForConditionalGeneration": _hybrid,
    "Qwen3_5MoeForConditionalGeneration": _hybrid,
    "DeepseekV2ForCausalLM": _latent,
    "DeepseekV3ForCausalLM": _latent,
    "DeepseekV32ForCausalLM": _latent,
    "BertModel": _encoder,
    "RobertaModel": _encoder,
    "XLMRobertaModel": _encoder,
}
"""How attention is read, by the class that `config.json` names; whatever is not here is refused."""
