"""Models: the facts that sizing and import need."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Annotated, cast

from pydantic import Field, field_validator, model_validator

from corral.catalogue._read import Entry, Source, read
from corral.catalogue.attention import Attention, Encoder, Size
from corral.catalogue.quantities import GIB
from corral.catalogue.vocabulary import Dtype, Engine, SourceScheme, Task

WEIGHT_BYTES = {
    Dtype.FP32: 4.0,
    Dtype.BF16: 2.0,
    Dtype.FP16: 2.0,
    Dtype.FP8: 1.0,
    Dtype.FP8_BLOCK: 1.0,
    Dtype.FBGEMM_FP8: 1.0,
    Dtype.INT8: 1.02,
    Dtype.INT4: 0.56,
    Dtype.MXFP4: 0.6,
    Dtype.NVFP4: 0.57,
    Dtype.NF4: 0.57,
    Dtype.Q4_1: 0.65,
}
"""Bytes per parameter with its scales, rounded up; embeddings and head stay at 2 where this is less."""
SIXTEEN_BIT = 2
EMBEDDERS = (Engine.VLLM, Engine.TEXT_EMBEDDINGS)
"""Engines that serve embedding models from safetensors."""
POOLED = (Task.EMBEDDING, Task.RERANK)
"""Tasks of models that pool their input rather than generate."""
EMBEDDED = (Dtype.FP32, Dtype.BF16, Dtype.FP16)
"""Dtypes of weights that Text Embeddings Inference reads."""
WIDE_ATTENTION = (Dtype.FBGEMM_FP8, Dtype.NVFP4)
"""Attention may stay at 16 bits: always in Meta's FP8 (`modules_to_not_convert`), often in NVFP4."""
WIDE_LAYERS = {Dtype.FBGEMM_FP8: 2}
"""Layers that stay at 16 bits whole: the first and the last."""


class File(Entry):
    """One file of a model."""

    name: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: int
    """Bytes."""
    package: str | None = None
    """Path inside the Python package that carries it."""


class Package(Entry):
    """A Python package that carries a model."""

    name: str
    version: str


class Experts(Entry):
    """The routed experts of a layer; all of them are resident."""

    count: Size
    active: Size
    """Experts that one token passes."""
    intermediate: Size
    """Width of one expert."""
    hidden: Size | None = None
    """Width of what it reads; that of the hidden state when None."""

    @model_validator(mode="after")
    def _has_those_that_are_active(self) -> "Experts":
        if self.active > self.count:
            raise ValueError(f"active is at most count, {self.count}")
        return self


class LongContext(Entry):
    """What vLLM must be told of a context that it does not derive of `config.json` by itself."""

    above: Annotated[int, Field(ge=0)]
    """Tokens that it takes untold."""
    overrides: str | None = None
    """JSON of `--hf-overrides`; None: `VLLM_ALLOW_LONG_MAX_MODEL_LEN` alone."""

    @field_validator("overrides")
    @classmethod
    def _an_object(cls, text: str | None) -> str | None:
        try:
            value: object = {} if text is None else cast(object, json.loads(text))
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise ValueError(
                "a JSON object in quotes, such as '{\"max_position_embeddings\": 8192}', is needed"
            )
        return text


class ModelSpec(Entry):
    """What sizing and serving need to know of a model."""

    task: Task
    license: str
    gated: bool = False
    """Whether its publisher asks for consent before a download."""
    engine: Engine = Engine.VLLM
    """The engine that serves its files unless the stack file says otherwise."""
    family: str | None = None
    """Entries of one family are the same model in several dtypes."""
    dtype: Dtype
    """How its weights are stored."""
    weights_gib: Annotated[float, Field(gt=0, le=10**6)] | None = None
    weights_bytes: Size | None = None
    parameters: Annotated[float, Field(gt=0, le=10**6)] | None = None
    """In billions; weights are computed from it where they are not given."""
    layers: Size
    hidden: Size
    intermediate: Annotated[int, Field(ge=0, le=10**15)]
    """Width of a dense layer, or of the expert that every token passes; 0: there is none."""
    attention: Attention
    experts: Experts | None = None
    """None: a dense model."""
    vocabulary: Size
    """Entries of the output layer."""
    tied: bool = False
    """Whether input and output share one table."""
    multimodal: bool = False
    """Whether a vision or audio encoder lies beside the language model."""
    context: Size
    """Longest sequence in tokens."""
    long_context: LongContext | None = None
    """None: vLLM takes `context` of the model's own files."""
    files: tuple[File, ...] = ()
    package: Package | None = None

    @model_validator(mode="after")
    def _weighs_something(self) -> "ModelSpec":
        stated = (self.weights_gib, self.weights_bytes, self.parameters)
        if sum(one is not None for one in stated) != 1:
            raise ValueError("one of weights-gib, weights-bytes and parameters is needed")
        return self

    @model_validator(mode="after")
    def _embeds(self) -> "ModelSpec":
        if self.engine is Engine.TEXT_EMBEDDINGS and len(self.engines) == 1:
            words = ", ".join(one.value for one in EMBEDDED)
            raise ValueError(f"text-embeddings serves models of task embedding in {words}")
        return self

    @model_validator(mode="after")
    def _generates(self) -> "ModelSpec":
        if self.encoder and self.task not in POOLED:
            words = " or ".join(one.value for one in POOLED)
            raise ValueError(f"attention of kind encoder generates nothing: use task {words}")
        return self

    @model_validator(mode="after")
    def _layers_attend(self) -> "ModelSpec":
        full, shared, states = (
            getattr(self.attention, name, 0) for name in ("full_layers", "shared_layers", "state_layers")
        )
        if full > self.layers:
            raise ValueError(f"full-layers is at most layers, {self.layers}")
        if max(full + shared, states) > self.layers:
            raise ValueError(f"shared-layers or state-layers are more than the layers, {self.layers}")
        return self

    @property
    def weights(self) -> int:
        """Weights in bytes, as published; computed from the parameters where those are given."""
        if self.weights_bytes is not None:
            return self.weights_bytes
        if self.weights_gib is not None:
            return int(self.weights_gib * GIB)
        return self._computed(int((self.parameters or 0) * 10**9))

    def _computed(self, parameters: int) -> int:
        tables = min(parameters, (1 if self.tied else 2) * self.vocabulary * self.hidden)
        each, wide = WEIGHT_BYTES[self.dtype], tables
        if self.dtype in WIDE_ATTENTION:
            wide += self.layers * self.attention.projections(self.hidden)
        wide += WIDE_LAYERS.get(self.dtype, 0) * parameters // self.layers
        wide = min(parameters, wide)
        return int(wide * max(SIXTEEN_BIT, each) + (parameters - wide) * each)

    @property
    def engines(self) -> tuple[Engine, ...]:
        """Engines that can serve its files, its own first."""
        several = self.engine in EMBEDDERS and self.task is Task.EMBEDDING and self.dtype in EMBEDDED
        return tuple(dict.fromkeys((self.engine, *(EMBEDDERS if several else ()))))

    @property
    def encoder(self) -> bool:
        """Whether no key-value cache grows with the sequence."""
        return isinstance(self.attention, Encoder)

    @property
    def package_source(self) -> str | None:
        """`package://name/version/path` of a model that a Python package carries whole."""
        if self.package is None:
            return None
        return f"{SourceScheme.PACKAGE.value}://{self.package.name}/{self.package.version}/{self.files[0].package}"


class Model(ModelSpec):
    """One model of the catalogue."""

    hub: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")] | None = None
    """Its repository on Hugging Face; None: not looked up."""
    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")] | None = None
    """Commit of that repository; None: not looked up."""
    files_gib: Annotated[float, Field(gt=0)] | None = None
    """Weight files of that repository in GiB, copies in another format with them; None: not looked up."""
    source: Source


class _Models(Entry):
    models: dict[str, Model]


@cache
def models() -> Mapping[str, Model]:
    """All models by key."""
    return read("models.yaml", _Models).models
