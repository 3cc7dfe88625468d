"""Figures of a model from its own folder: `config.json` and the index of its safetensors files alone.

What the files do not say is not guessed: it is named, and the stack file may state it beside the folder.
"""

import re
from pathlib import Path
from typing import NamedTuple

from corral.catalogue.vocabulary import Dtype
from corral.stacks.config.huggingface import config_json, quantisation
from corral.stacks.config.huggingface.attention import (
    attention_reader,
    lacking_keys,
    served_class,
    why_unknown,
)
from corral.stacks.config.huggingface.language import language
from corral.stacks.config.huggingface.safetensors import Incomplete, stored_bytes
from corral.stacks.config.huggingface.values import (
    CONFIG,
    ENCODER,
    Config,
    Figures,
    Unreadable,
    architecture,
    inner,
    number,
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
    known = _with_length(folder, config_json.facts(config))
    if not weigh:
        # Weights that are computed from a number of parameters need the one dtype of them all.
        mixed = quantisation.mixed(language(config))
        return {key: value for key, value in known.items() if key != "dtype" or not mixed}
    index = (folder / INDEX).exists()
    stored = _index_bytes(folder) if index else _file_bytes(folder / SINGLE)
    if stored is None:
        return known
    quantised = bool(quantisation.stated(language(config)))
    least, where = _least(config, known), f"{INDEX}: total_size" if index else SINGLE
    held = stored.size if quantised or stored.cast is None else stored.cast
    if held < least:
        raise Unreadable(f"{where}: {held} bytes: {CONFIG} describes a model of at least {least}")
    if stored.cast is None and quantisation.stored_dtype(language(config)) in ("float32", "float"):
        held = held // 2 if held // 2 >= least else held
    return {**known, "weights-bytes": held}


def _with_length(folder: Path, known: Figures) -> Figures:
    """`known` with the longest input of an encoder as its own file says it."""
    if inner(known, "attention").get("kind") != "encoder" or not (folder / ENCODER).is_file():
        return known
    stated = number(read_object(folder / ENCODER), "max_seq_length")
    return {**known, "context": min(stated, known.get("context") or stated)} if stated else known


def explain(folder: Path, missing: list[str]) -> str:
    """What the configuration in `folder` has in the place of `missing` facts; empty: nothing to add."""
    config = read_config(folder)
    text = language(config)
    notes: list[str] = []
    if "dtype" in missing:
        notes.append(f"{quantisation.described(text)}, use one of {', '.join(Dtype)}")
    keys = [KEYS[one] for one in missing if one in KEYS]
    if "attention" in missing:
        name = architecture(config)
        reader = attention_reader(config)
        if reader is None:
            notes.append(f"{why_unknown(config)}, {READ}")
        else:
            lacking = lacking_keys(text, reader, served_class(config))
            notes.append(f"architecture {name} needs {', '.join(lacking)} in {CONFIG}")
            keys += lacking
    wrong = [f"{key} {shown(text[key])}" for key in dict.fromkeys(keys) if key in text]
    absent = [key for key in keys if key not in text and key in KEYS.values()]
    if wrong:
        notes.append(f"{', '.join(wrong)} in {CONFIG}: whole numbers are needed")
    if absent:
        notes.append(f"{CONFIG} has no {', '.join(dict.fromkeys(absent))}")
    if "weights-gib" in missing:
        notes.append(f"weights are read of {SINGLE}, or of metadata.total_size in {INDEX}")
    return "".join(f"; {note}" for note in notes)


def _least(config: Config, known: Figures) -> int:
    """Lower bound of the weights that `config` describes."""
    return least_bytes(
        known,
        config_json.sparse_layers(config),
        config_json.untied(config),
        attending=config_json.attending_layers(config, known.get("attention") or {}),
        dense=config_json.dense_layers(config),
        matrices=config_json.matrices(config),
    )


def least_bytes(
    known: Figures,
    sparse: int,
    apart: bool = False,
    *,
    attending: int | None = None,
    dense: int | None = None,
    matrices: int = 3,
) -> int:
    """Lower bound of the weights: tables of the vocabulary, projections of attention, and layers.

    `sparse`: layers with routed experts. `apart`: whether input and output have a table each. `attending`,
    `dense`: layers with heads, with a feed-forward layer; each when None.
    """
    hidden, layers = known.get("hidden") or 0, known.get("layers") or 0
    attention: Figures = known.get("attention") or {}
    experts: Figures = known.get("experts") or {}
    matrices = 2 if attention.get("kind") == "encoder" else matrices
    tables = (2 if apart else 1) * (known.get("vocabulary") or 0) * hidden
    heads = (attention.get("heads") or 0) + (attention.get("kv-heads") or 0)
    projected = 0 if attention.get("latent") else 2 * hidden * heads * (attention.get("head-dim") or 0)
    parameters = projected * (layers if attending is None else attending)
    if experts:
        expert = matrices * (experts.get("hidden") or hidden) * experts["intermediate"]
        parameters += sparse * experts["count"] * expert
    else:
        each = matrices * hidden * (known.get("intermediate") or 0)
        parameters += (layers if dense is None else dense) * each
    dtype = str(known.get("dtype"))
    bits = tables * TABLE_BITS.get(dtype, 16) + parameters * LEAST_BITS.get(dtype, 4)
    return bits * TOLERANCE // (8 * 100)


class _Weights(NamedTuple):
    """Bytes of all tensors."""

    size: int
    """As stored."""
    cast: int | None
    """With what has more than 16 bits cast to them, as the files themselves say; None: not known."""


def _index_bytes(folder: Path) -> _Weights | None:
    """What the index says, or its files where they are there and not smaller."""
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
    there = [one for one in files if one is not None]
    if not there or len(there) < len(files) or sum(one.size for one in there) < total:
        return _Weights(int(total), None)
    return _Weights(sum(one.size for one in there), sum(one.cast or one.size for one in there))


def _file_bytes(path: Path) -> _Weights | None:
    try:
        return _Weights(*stored_bytes(path)) if path.is_file() else None
    except OSError as error:
        raise Unreadable(f"{path.name}: {error.strerror}") from None
    except Incomplete as error:
        raise Unreadable(f"{path.name}: {error}") from None


KEYS = {
    "layers": "num_hidden_layers",
    "hidden": "hidden_size",
    "intermediate": "intermediate_size",
    "vocabulary": "vocab_size",
    "context": "max_position_embeddings",
}
"""Where a figure is read, under its usual name."""
FILE_NAME = re.compile(r"[^/\x00]{1,200}")
READ = (
    "attention is read of LlamaForCausalLM and the others in docs/sizing.md, or stated as one of kind gqa, "
    "mla, sliding, hybrid, recurrent, encoder"
)
"""What attention is read of, and what a stack file may state instead."""
LEAST_BITS = {"bf16": 16, "fp16": 16, "fp8": 8, "fp8-block": 8, "fbgemm-fp8": 8, "int8": 8}
"""Bits per parameter; four for whatever is stored in fewer."""
MOST_BYTES = 10**15
"""No model weighs more."""
TABLE_BITS = {"Q4_1": 4}
"""Bits per entry of the tables; 16 where not listed: only llama.cpp narrows them."""
TOLERANCE = 90
"""Percent of the computed parameters below which weights are implausible."""
