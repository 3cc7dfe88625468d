"""Figures of a model from its own folder: `config.json` and the index of its safetensors files alone.

What the files do not say is not guessed: it is named, and the stack file may state it beside the folder.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from corral.catalogue.vocabulary import Dtype
from corral.stacks.config.safetensors import Incomplete, stored_bytes

CONFIG = "config.json"
INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
"""The weights of a model without an index; other files of the folder are never counted."""

Config = Mapping[str, Any]
Figures = dict[str, Any]


class Unreadable(Exception):
    """A folder that facts cannot be read from; the text is the reason."""


def read_folder(folder: Path, *, weigh: bool = True) -> Figures:
    """Figures in the files of `folder`, as keys of `custom-models`; what they lack is absent.

    `weigh`: whether weights are read too.

    Raises:
        Unreadable: a file is missing, incomplete or contradicts another.
    """
    config = _object(folder / CONFIG)
    known = facts(config)
    if not weigh:
        return known
    index = (folder / INDEX).exists()
    stored = _index_bytes(folder) if index else _file_bytes(folder / SINGLE)
    if stored is None:
        return known
    least = least_bytes(known, sparse_layers(config))
    if stored < least:
        where = f"{INDEX}: total_size" if index else SINGLE
        raise Unreadable(f"{where}: {stored} bytes: {CONFIG} describes a model of at least {least}")
    cast_bytes = stored // 2 if _stored_dtype(config) == "float32" else stored
    return {**known, "weights-bytes": cast_bytes if cast_bytes >= least else stored}


def facts(config: Config) -> Figures:
    """Figures in the content of a `config.json`; what it lacks is absent. Pure.

    Raises:
        Unreadable: a key has a value of another type.
    """
    text = {**config, **_inner(config, "text_config")}
    name = architecture(config)
    reader = _reader(config)
    return _known(
        {
            "dtype": _dtype(text),
            "layers": _number(text, "num_hidden_layers"),
            "hidden": _number(text, "hidden_size"),
            "intermediate": _intermediate(text),
            "vocabulary": _number(text, "vocab_size"),
            "context": _context(text, name),
            "tied": text.get("tie_word_embeddings") is True,
            "multimodal": any(key in config for key in ("vision_config", "audio_config")),
            "attention": reader(text, name) if reader else None,
            "experts": _experts(text),
        }
    )


def architecture(config: Config) -> str:
    """The class that the configuration names; empty: none."""
    names: object = config.get("architectures")
    if names is None or names == []:
        return ""
    if not isinstance(names, list) or not isinstance(cast("list[object]", names)[0], str):
        raise Unreadable(
            f"{CONFIG}: architectures: {shown(cast('object', names))}: a list of class names is needed"
        )
    return cast("list[str]", names)[0]


def explain(folder: Path, missing: list[str]) -> str:
    """What the configuration in `folder` has in the place of `missing` facts; empty: nothing to add."""
    config = _object(folder / CONFIG)
    text = {**config, **_inner(config, "text_config")}
    notes: list[str] = []
    if "dtype" in missing and (method := _inner(text, "quantization_config").get("quant_method")):
        notes.append(f"quant_method {shown(method)} is no dtype, use one of {', '.join(Dtype)}")
    if "attention" in missing:
        name = architecture(config)
        reader = _reader(config)
        if reader is None:
            known = ", ".join(ARCHITECTURES)
            notes.append(f"architecture {name or 'none'} is unknown, attention is read of {known}")
        else:
            lacking = ", ".join(_lacking(text, reader, name))
            notes.append(f"architecture {name} needs {lacking} in {CONFIG}")
    return "".join(f"; {note}" for note in notes)


def shown(value: object) -> str:
    """`value` on one short line."""
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def sparse_layers(config: Config) -> int:
    """Layers with routed experts, at least."""
    text = {**config, **_inner(config, "text_config")}
    layers = _number(text, "num_hidden_layers") or 0
    steps = (
        _number(text, key) for key in ("decoder_sparse_step", "interleave_moe_layer_step", "moe_layer_freq")
    )
    step = max(1, *(one or 1 for one in steps))
    return max(0, layers - (_number(text, "first_k_dense_replace") or 0)) // step


def least_bytes(known: Figures, sparse: int) -> int:
    """Lower bound of the weights: one table of the vocabulary, projections of attention, and layers.

    `sparse`: layers with routed experts.
    """
    hidden, layers = known.get("hidden") or 0, known.get("layers") or 0
    attention: Figures = known.get("attention") or {}
    experts: Figures = known.get("experts") or {}
    matrices = 2 if attention.get("kind") == "encoder" else 3
    parameters = (known.get("vocabulary") or 0) * hidden
    parameters += 2 * layers * hidden * (attention.get("heads") or 0) * (attention.get("head-dim") or 0)
    if experts:
        parameters += sparse * experts["count"] * 3 * hidden * experts["intermediate"]
    else:
        parameters += layers * matrices * hidden * (known.get("intermediate") or 0)
    return int(parameters * LEAST_BYTES.get(str(known.get("dtype")), 0.5) * TOLERANCE)


def _inner(config: Config, key: str) -> Config:
    """The object under `key`; empty where there is none."""
    found = config.get(key)
    return cast("Config", found) if isinstance(found, dict) else {}


def _number(config: Config, key: str) -> int | None:
    """The whole number under `key`; None where there is none."""
    found = config.get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _full_layers(text: Config, others: str) -> int | None:
    """Layers that see the whole sequence; None where not every layer is listed as such or as `others`."""
    types, layers = text.get("layer_types"), _number(text, "num_hidden_layers")
    if not isinstance(types, list) or len(cast("list[object]", types)) != layers:
        return None
    full, other = (cast("list[object]", types).count(kind) for kind in ("full_attention", others))
    return full or None if full + other == layers else None


def _known(found: Figures) -> Figures:
    return {key: value for key, value in found.items() if value is not None}


def _object(path: Path) -> Config:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise Unreadable(f"{path.name}: {error.strerror}") from None
    except ValueError:
        raise Unreadable(f"{path.name} is no JSON") from None
    except RecursionError:
        raise Unreadable(f"{path.name} is nested too deeply") from None
    if not isinstance(content, dict):
        raise Unreadable(f"{path.name} is no JSON object")
    return cast("Config", content)


def _index_bytes(folder: Path) -> int | None:
    """Bytes of all tensors: what the index says, or its files where they are there and larger."""
    index = _object(folder / INDEX)
    total = _inner(index, "metadata").get("total_size")
    if total is None:
        return None
    if not isinstance(total, int | float) or isinstance(total, bool) or not 0 < total < math.inf:
        raise Unreadable(f"{INDEX}: total_size: {shown(total)}: a number of bytes is needed")
    names = list(_inner(index, "weight_map").values())
    if not all(isinstance(name, str) and FILE_NAME.fullmatch(name) for name in names):
        raise Unreadable(f"{INDEX}: weight_map: file names of this folder are needed")
    files = [_file_bytes(folder / name) for name in sorted(set(names))]
    there = 0 if None in files else sum(size or 0 for size in files)
    return max(int(total), there)


def _file_bytes(path: Path) -> int | None:
    try:
        return stored_bytes(path) if path.is_file() else None
    except OSError as error:
        raise Unreadable(f"{path.name}: {error.strerror}") from None
    except Incomplete as error:
        raise Unreadable(f"{path.name}: {error}") from None


def _stored_dtype(config: Config) -> str:
    text = {**config, **_inner(config, "text_config")}
    return "" if _inner(text, "quantization_config") else str(text.get("torch_dtype") or text.get("dtype"))


def _context(text: Config, name: str) -> int | None:
    """Tokens of the longest sequence as vLLM derives them (`_get_and_verify_max_len`)."""
    positions = _number(text, "max_position_embeddings")
    if positions is None:
        return None
    if name in PADDED_POSITIONS:
        padding = _number(text, "pad_token_id")
        return positions - (1 if padding is None else padding) - 1
    scaling = _inner(text, "rope_scaling") or _inner(text, "rope_parameters")
    kind = scaling.get("rope_type") or scaling.get("type") or "default"
    if kind in UNSCALED or name.startswith("Gemma3"):
        return positions
    factor = scaling.get("factor")
    if not isinstance(factor, int | float) or isinstance(factor, bool) or not 1 <= factor <= MOST_SCALED:
        raise Unreadable(f"{CONFIG}: rope_scaling.factor: {shown(factor)}: a number of 1 to {MOST_SCALED}")
    original = _number(scaling, "original_max_position_embeddings") if kind == "yarn" else None
    return int((original or positions) * factor)


def _dtype(text: Config) -> str | None:
    """How vLLM holds the weights; `--dtype auto` casts 32 bits to 16."""
    quantised = _inner(text, "quantization_config")
    if quantised:
        return _quantised(quantised)
    plain = {"bfloat16": "bf16", "float16": "fp16", "float32": "bf16"}
    return plain.get(str(text.get("torch_dtype") or text.get("dtype")))


def _quantised(said: Config) -> str | None:
    method = str(said.get("quant_method"))
    if method == "compressed-tensors":
        groups = _inner(said, "config_groups")
        kinds = {_compressed(_inner(groups, name)) for name in groups}
        return kinds.pop() if len(kinds) == 1 else None
    if method in ("awq", "gptq"):
        return {4: "int4", 8: "int8"}.get(_number(said, "bits") or 0)
    if method == "fp8":
        return "fp8-block" if said.get("weight_block_size") else "fp8"
    return "mxfp4" if method == "mxfp4" else None


def _compressed(group: Config) -> str | None:
    weights = _inner(group, "weights")
    kind = f"{weights.get('type')}{weights.get('num_bits')}"
    return {"float8": "fp8", "int8": "int8", "int4": "int4"}.get(kind)


def _count_of_experts(text: Config) -> int | None:
    keys = ("num_experts", "num_local_experts", "n_routed_experts")
    return next((number for key in keys if (number := _number(text, key))), None)


def _intermediate(text: Config) -> int | None:
    """Width of a dense layer, or of what every token passes beside the routed experts."""
    if _count_of_experts(text) is None or "first_k_dense_replace" in text:
        return _number(text, "intermediate_size")
    return _number(text, "shared_expert_intermediate_size") or _number(text, "intermediate_size_mlp") or 0


def _experts(text: Config) -> Figures | None:
    count = _count_of_experts(text)
    if count is None:
        return None
    active = _number(text, "num_experts_per_tok") or _number(text, "top_k_experts")
    width = _number(text, "moe_intermediate_size") or _number(text, "intermediate_size")
    for key, value in (("num_experts_per_tok", active), ("moe_intermediate_size", width)):
        if not value:
            raise Unreadable(
                f"{CONFIG}: {key}: {shown(text.get(key))}: a model of {count} experts needs a number"
            )
    return {"count": count, "active": active, "intermediate": width}


def _grouped(text: Config, name: str) -> Figures | None:
    heads, hidden = _number(text, "num_attention_heads"), _number(text, "hidden_size")
    derived = hidden // heads if heads and hidden and name not in STATE_HEAD_DIM else None
    return _whole(
        {
            "kind": "gqa",
            "heads": heads,
            "kv-heads": heads
            if text.get("num_key_value_heads") is None
            else _number(text, "num_key_value_heads"),
            "head-dim": _number(text, "head_dim") or derived,
        }
    )


def _whole(found: Figures) -> Figures | None:
    """`found`, or None where something in it is missing."""
    return None if None in found.values() else found


def _sliding(text: Config, name: str) -> Figures | None:
    base = _grouped(text, name)
    layers = {
        "full-layers": _full_layers(text, "sliding_attention"),
        "window": _number(text, "sliding_window"),
    }
    return base and _whole({**base, "kind": "sliding", **layers})


def _hybrid(text: Config, name: str) -> Figures | None:
    base = _grouped(text, name)
    states = {
        "full-layers": _full_layers(text, "linear_attention"),
        "state-heads": _number(text, "linear_num_value_heads"),
        "state-key-heads": _number(text, "linear_num_key_heads"),
        "state-dim": _number(text, "linear_value_head_dim"),
        "kernel": _number(text, "linear_conv_kernel_dim"),
    }
    return base and _whole({**base, "kind": "hybrid", **states})


def _latent(text: Config, name: str) -> Figures | None:
    return _whole(
        {
            "kind": "mla",
            "heads": _number(text, "num_attention_heads"),
            "latent": _number(text, "kv_lora_rank"),
            "rope": _number(text, "qk_rope_head_dim"),
            "index": _number(text, "index_head_dim") or 0,
        }
    )


def _encoder(text: Config, name: str) -> Figures | None:
    return _whole({"kind": "encoder", "heads": _number(text, "num_attention_heads")})


Reader = Callable[[Config, str], Figures | None]


def _reader(config: Config) -> Reader | None:
    """How attention is read: by the model inside where it differs from what its wrapper is known for."""
    if _inner(config, "text_config").get("model_type") in LATENT_MODELS:
        return _latent
    return ARCHITECTURES.get(architecture(config))


def _lacking(text: Config, reader: Reader, name: str) -> list[str]:
    """Keys that `reader` needs and that are absent or of another type."""
    heads = () if reader in (_latent, _encoder) or name not in STATE_HEAD_DIM else ("head_dim",)
    lacking = [key for key in ("num_attention_heads", *heads, *KEYS[reader]) if _number(text, key) is None]
    if reader == _grouped and text.get("num_key_value_heads") is None:
        lacking = [key for key in lacking if key != "num_key_value_heads"]
    typed = OTHER_LAYERS.get(reader)
    if typed and _full_layers(text, typed) is None:
        lacking.append(f"layer_types (full_attention or {typed}, one for each layer)")
    return lacking or ["hidden_size"]


KEYS: Mapping[Reader, tuple[str, ...]] = {
    _grouped: ("num_key_value_heads",),
    _sliding: ("sliding_window",),
    _hybrid: (
        "linear_num_value_heads",
        "linear_num_key_heads",
        "linear_value_head_dim",
        "linear_conv_kernel_dim",
    ),
    _latent: ("kv_lora_rank", "qk_rope_head_dim"),
    _encoder: (),
}
"""Numbers that attention is read from beside its heads."""
OTHER_LAYERS: Mapping[Reader, str] = {_sliding: "sliding_attention", _hybrid: "linear_attention"}
"""Types of layers beside full attention."""
LATENT_MODELS = ("mistral4",)
"""Types of inner models with latent attention inside a wrapper that is known for another."""
PADDED_POSITIONS = frozenset({"RobertaModel", "XLMRobertaModel"})
"""Architectures whose positions begin after the padding token."""
UNSCALED = ("default", "llama3", "longrope", "su", "mrope")
"""Types of rope scaling that `max_position_embeddings` already counts."""
MOST_SCALED = 1024
"""Factor of rope scaling above which a file is refused."""
LONGEST = 40
"""Characters of a value in a message."""
FILE_NAME = re.compile(r"[^/\x00]{1,200}")
LEAST_BYTES = {"bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "fp8-block": 1.0, "int8": 1.0}
"""Bytes per parameter; half a byte for whatever is stored in fewer bits."""
TOLERANCE = 0.9
"""Share of the computed parameters below which weights are implausible."""
STATE_HEAD_DIM = frozenset(
    {
        *("Qwen3ForCausalLM", "Qwen3MoeForCausalLM", "Qwen3_5ForConditionalGeneration"),
        *("Qwen3_5MoeForConditionalGeneration", "GemmaForCausalLM", "Gemma2ForCausalLM", "Gemma3ForCausalLM"),
        *("Gemma3ForConditionalGeneration", "Gemma4ForConditionalGeneration", "GptOssForCausalLM"),
        "Mistral3ForConditionalGeneration",
    }
)
"""Architectures whose heads are not hidden / heads wide: the file must state `head_dim`."""

ARCHITECTURES: Mapping[str, Reader] = {
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
