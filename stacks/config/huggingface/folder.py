"""Figures of a model from its own folder: `config.json` and the index of its safetensors files alone.

What the files do not say is not guessed: it is named, and the stack file may state it beside the folder.
"""

import re
from pathlib import Path

from corral.catalogue.vocabulary import Dtype
from corral.stacks.config.huggingface.attention import ARCHITECTURES, attention_reader, lacking_keys
from corral.stacks.config.huggingface.config_json import facts, sparse_layers, untied
from corral.stacks.config.huggingface.safetensors import Incomplete, stored_bytes
from corral.stacks.config.huggingface.values import (
    CONFIG,
    Config,
    Figures,
    Unreadable,
    architecture,
    inner,
    read_config,
    read_object,
    shown,
)

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
"""The weights of a model without an index; other files of the folder are never counted."""


def read_folder(folder: Path, *, weigh: bool = True) -> Figures:
    """Figures in the files of `folder`, as keys of `custom-models`; what they lack is absent.

    `weigh`: whether weights are read too.

    Raises:
        Unreadable: a file is missing, incomplete or contradicts another.
    """
    config = read_config(folder)
    known = facts(config)
    if not weigh:
        return known
    index = (folder / INDEX).exists()
    stored = _index_bytes(folder) if index else _file_bytes(folder / SINGLE)
    if stored is None:
        return known
    least = least_bytes(known, sparse_layers(config), untied(config))
    if stored < least:
        where = f"{INDEX}: total_size" if index else SINGLE
        raise Unreadable(f"{where}: {stored} bytes: {CONFIG} describes a model of at least {least}")
    cast_bytes = stored // 2 if _stored_dtype(config) == "float32" else stored
    return {**known, "weights-bytes": cast_bytes if cast_bytes >= least else stored}


def explain(folder: Path, missing: list[str]) -> str:
    """What the configuration in `folder` has in the place of `missing` facts; empty: nothing to add."""
    config = read_config(folder)
    text = {**config, **inner(config, "text_config")}
    notes: list[str] = []
    if "dtype" in missing:
        notes.append(f"{_stored_as(text)}, use one of {', '.join(Dtype)}")
    if "attention" in missing:
        name = architecture(config)
        reader = attention_reader(config)
        if reader is None:
            known = ", ".join(ARCHITECTURES)
            notes.append(f"architecture {name or 'none'} is unknown, attention is read of {known}")
        else:
            lacking = ", ".join(lacking_keys(text, reader, name))
            notes.append(f"architecture {name} needs {lacking} in {CONFIG}")
    return "".join(f"; {note}" for note in notes)


def _stored_as(text: Config) -> str:
    """Why no dtype is read from a configuration."""
    quantised = inner(text, "quantization_config")
    if not quantised:
        return f"torch_dtype {shown(text.get('torch_dtype') or text.get('dtype'))} is no dtype"
    method = quantised.get("quant_method")
    settings = [key for key in QUANTISED if key in quantised]
    with_settings = (
        f" with {', '.join(f'{key} {shown(quantised[key])}' for key in settings)}" if settings else ""
    )
    return f"quant_method {shown(method)}{with_settings} is no dtype"


def least_bytes(known: Figures, sparse: int, apart: bool = False) -> int:
    """Lower bound of the weights: tables of the vocabulary, projections of attention, and layers.

    `sparse`: layers with routed experts. `apart`: whether input and output have a table each.
    """
    hidden, layers = known.get("hidden") or 0, known.get("layers") or 0
    attention: Figures = known.get("attention") or {}
    experts: Figures = known.get("experts") or {}
    matrices = 2 if attention.get("kind") == "encoder" else 3
    tables = (2 if apart else 1) * (known.get("vocabulary") or 0) * hidden
    heads = (attention.get("heads") or 0) + (attention.get("kv-heads") or 0)
    parameters = 2 * layers * hidden * heads * (attention.get("head-dim") or 0)
    if experts:
        parameters += sparse * experts["count"] * 3 * hidden * experts["intermediate"]
    else:
        parameters += layers * matrices * hidden * (known.get("intermediate") or 0)
    bits = tables * TABLE_BITS + parameters * LEAST_BITS.get(str(known.get("dtype")), 4)
    return bits * TOLERANCE // (8 * 100)


def _index_bytes(folder: Path) -> int | None:
    """Bytes of all tensors: what the index says, or its files where they are there and larger."""
    index = read_object(folder / INDEX)
    total = inner(index, "metadata").get("total_size")
    if total is None:
        return None
    if not isinstance(total, int | float) or isinstance(total, bool) or not 0 < total <= MOST_BYTES:
        raise Unreadable(f"{INDEX}: total_size: {shown(total)}: a number of bytes is needed")
    names = list(inner(index, "weight_map").values())
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
    text = {**config, **inner(config, "text_config")}
    return "" if inner(text, "quantization_config") else str(text.get("torch_dtype") or text.get("dtype"))


FILE_NAME = re.compile(r"[^/\x00]{1,200}")
QUANTISED = ("bits", "quant_algo", "load_in_4bit", "load_in_8bit", "config_groups")
"""Settings of a quantisation that decide its dtype."""
LEAST_BITS = {"bf16": 16, "fp16": 16, "fp8": 8, "fp8-block": 8, "fbgemm-fp8": 8, "int8": 8}
"""Bits per parameter; four for whatever is stored in fewer."""
MOST_BYTES = 10**15
"""No model weighs more."""
TABLE_BITS = 16
"""Bits per entry of the tables, which no published way to quantise narrows."""
TOLERANCE = 90
"""Percent of the computed parameters below which weights are implausible."""
