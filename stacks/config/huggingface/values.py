"""Values of `config.json` and of the files beside it, read by type."""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

Config = Mapping[str, Any]
Figures = dict[str, Any]
CONFIG = "config.json"
QUANTISATION = "hf_quant_config.json"
"""What ModelOpt writes beside `config.json`, and vLLM reads where that names no quantisation."""
ENCODER = "sentence_bert_config.json"
"""What Sentence Transformers writes beside it, and vLLM takes the longest input from."""
MISTRAL = "params.json"
MISTRAL_FORMAT = (
    "Mistral's own format: take the repository that has config.json, or state the model without a folder"
)
LARGEST = 10**10
"""No size of a model is larger."""
POINTERS = {
    "version https://git-lfs": "is a Git LFS pointer, fetch the file itself (git lfs pull)",
    "version https://hawser": "is a Git LFS pointer, fetch the file itself (git lfs pull)",
    "/annex/objects/": "is a git-annex pointer, fetch the file itself (git annex get)",
}
"""How a file begins that only names the content of another, and what to do."""
LONGEST = 40
"""Characters of a value in a message."""


class Unreadable(Exception):
    """A folder that facts cannot be read from; the text is the reason."""


def read_object(path: Path) -> Config:
    """The JSON object in the file at `path`.

    Raises:
        Unreadable: it cannot be read, is a pointer, no JSON or no object, or says one thing in two ways.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        reason = pointer(text)
        if reason is not None:
            raise Unreadable(f"{path.name} {reason}")
        content = json.loads(text, object_pairs_hook=partial(_unambiguous, path.name))
    except OSError as error:
        raise Unreadable(f"{path.name}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Unreadable(f"{path.name} is no JSON: it is not UTF-8 text") from None
    except ValueError:
        raise Unreadable(f"{path.name} is no JSON") from None
    except RecursionError:
        raise Unreadable(f"{path.name} is nested too deeply") from None
    if not isinstance(content, dict):
        raise Unreadable(f"{path.name} is no JSON object")
    return cast("Config", content)


def pointer(start: str) -> str | None:
    """Why a file that begins with `start` is not the file itself; None: it may be."""
    return next((reason for begins, reason in POINTERS.items() if start.startswith(begins)), None)


def _unambiguous(name: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for key, value in pairs:
        if key in content and content[key] != value:
            both = f"{shown(content[key])} and {shown(value)}"
            raise Unreadable(f"{name}: {shown(key)}: {both}: one value for a key is needed")
        content[key] = value
    return content


def read_config(folder: Path) -> Config:
    """`config.json` of `folder`, with the quantisation that a file beside it describes.

    Raises:
        Unreadable: a file cannot be read, or is no JSON object.
    """
    if not (folder / CONFIG).exists() and (folder / MISTRAL).is_file():
        raise Unreadable(f"{CONFIG} is absent, and {MISTRAL} is {MISTRAL_FORMAT}")
    config = read_object(folder / CONFIG)
    stated = inner({**config, **inner(config, "text_config")}, "quantization_config")
    if stated or not (folder / QUANTISATION).is_file():
        return config
    described = read_object(folder / QUANTISATION)
    return {**config, "quantization_config": {"quant_method": "modelopt", **described}}


def inner(config: Config, key: str) -> Config:
    """The object under `key`; empty where there is none."""
    value = config.get(key)
    return cast("Config", value) if isinstance(value, dict) else {}


def number(config: Config, key: str) -> int | None:
    """The whole number under `key`; None where there is none.

    Raises:
        Unreadable: it is larger than any figure of a model.
    """
    value = config.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    if abs(value) > LARGEST:
        raise Unreadable(f"{CONFIG}: {key}: {shown(value)}: a number of at most {LARGEST} is needed")
    return value


def full_layers(text: Config, others: str) -> int | None:
    """Layers that see the whole sequence; None where not every layer is listed as such or as `others`."""
    types, layers = text.get("layer_types"), number(text, "num_hidden_layers")
    every = number(text, "full_attention_interval") if others == "linear_attention" else None
    if types is None and layers and every and every > 0:
        return layers // every or None
    if not isinstance(types, list) or len(cast("list[object]", types)) != layers:
        return None
    full, other = (cast("list[object]", types).count(kind) for kind in ("full_attention", others))
    return full or None if full + other == layers else None


def shown(value: object) -> str:
    """`value` on one short line."""
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


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
