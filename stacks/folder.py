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
TOP = ("task", "license")
"""Facts that no folder states."""

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
    text = {**config, **(config.get("text_config") or {})}
    name = architecture(config)
    reader = ARCHITECTURES.get(name)
    return _known(
        {
            "dtype": _dtype(text),
            "layers": text.get("num_hidden_layers"),
            "hidden": text.get("hidden_size"),
            "intermediate": _intermediate(text),
            "vocabulary": text.get("vocab_size"),
            "context": text.get("max_position_embeddings"),
            "tied": text.get("tie_word_embeddings", False),
            "multimodal": any(key in config for key in ("vision_config", "audio_config")),
            "attention": reader(text, name) if reader else None,
            "experts": _experts(text),
        }
    )


def architecture(config: Config) -> str:
    """The class that the configuration names; empty: none."""
    names = config.get("architectures")
    return str(names[0]) if isinstance(names, list) and names else ""


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
    said = cast("Config", index.get("metadata") or {}).get("total_size")
    if said is None:
        return None
    names = set(cast("Mapping[str, str]", index.get("weight_map") or {}).values())
    files = [folder / name for name in names]
    there = sum(file.stat().st_size for file in files) if all(file.is_file() for file in files) else 0
    return max(int(said), there)


def _file_bytes(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _dtype(text: Config) -> str | None:
    quantised = cast("Config", text.get("quantization_config") or {})
    if quantised:
        return _quantised(quantised)
    plain = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}
    return plain.get(str(text.get("torch_dtype") or text.get("dtype")))


def _quantised(said: Config) -> str | None:
    method = str(said.get("quant_method"))
    if method == "compressed-tensors":
        groups = cast("Mapping[str, Config]", said.get("config_groups") or {})
        kinds = {_compressed(group) for group in groups.values()}
        return kinds.pop() if len(kinds) == 1 else None
    if method in ("awq", "gptq"):
        return {4: "int4", 8: "int8"}.get(int(said.get("bits", 0)))
    if method == "fp8":
        return "fp8-block" if said.get("weight_block_size") else "fp8"
    return "mxfp4" if method == "mxfp4" else None


def _compressed(group: Config) -> str | None:
    weights = cast("Config", group.get("weights") or {})
    kind = (weights.get("num_bits"), weights.get("type"))
    return {(8, "float"): "fp8", (8, "int"): "int8", (4, "int"): "int4"}.get(cast("Any", kind))


def _count_of_experts(text: Config) -> Any:
    keys = ("num_experts", "num_local_experts", "n_routed_experts")
    return next((text[key] for key in keys if text.get(key)), None)


def _intermediate(text: Config) -> Any:
    """Width of a dense layer, or of what every token passes beside the routed experts."""
    if _count_of_experts(text) is None or "first_k_dense_replace" in text:
        return text.get("intermediate_size")
    return text.get("shared_expert_intermediate_size", 0)


def _experts(text: Config) -> Facts | None:
    count = _count_of_experts(text)
    if count is None:
        return None
    width = text.get("moe_intermediate_size") or text.get("intermediate_size")
    return _known({"count": count, "active": text.get("num_experts_per_tok"), "intermediate": width})


def _grouped(text: Config, name: str) -> Facts | None:
    heads, hidden = text.get("num_attention_heads"), text.get("hidden_size")
    derived = hidden // heads if heads and hidden and name not in STATE_HEAD_DIM else None
    found = {
        "kind": "gqa",
        "heads": heads,
        "kv-heads": text.get("num_key_value_heads", heads),
        "head-dim": text.get("head_dim") or derived,
    }
    return found if None not in found.values() else None


def _sliding(text: Config, name: str) -> Facts | None:
    base, types, window = _grouped(text, name), text.get("layer_types"), text.get("sliding_window")
    if base is None or not types or not window:
        return None
    return {**base, "kind": "sliding", "full-layers": types.count("full_attention"), "window": window}


def _hybrid(text: Config, name: str) -> Facts | None:
    base, types = _grouped(text, name), text.get("layer_types")
    keys = {
        "state-heads": "linear_num_value_heads",
        "state-key-heads": "linear_num_key_heads",
        "state-dim": "linear_value_head_dim",
        "kernel": "linear_conv_kernel_dim",
    }
    states = {ours: text.get(theirs) for ours, theirs in keys.items()}
    if base is None or not types or None in states.values():
        return None
    return {**base, "kind": "hybrid", "full-layers": types.count("full_attention"), **states}


def _latent(text: Config, name: str) -> Facts | None:
    keys = {"heads": "num_attention_heads", "latent": "kv_lora_rank", "rope": "qk_rope_head_dim"}
    found = {ours: text.get(theirs) for ours, theirs in keys.items()}
    if None in found.values():
        return None
    return {"kind": "mla", **found, "index": text.get("index_head_dim", 0)}


def _encoder(text: Config, name: str) -> Facts | None:
    heads = text.get("num_attention_heads")
    return {"kind": "encoder", "heads": heads} if heads else None


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
