"""Sections `models` and `custom-models`: references, limits of the model, weights and their source."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from corral.catalogue.attention import Recurrent
from corral.catalogue.models import ModelSpec, models
from corral.catalogue.sources import scheme_of, source_form
from corral.catalogue.vocabulary import Engine, Profile, SourceScheme, StorageKind, Weights
from corral.controls.profiles import PROFILES
from corral.stacks.config.errors import Problem, one_of
from corral.stacks.config.huggingface.folder import least_bytes
from corral.stacks.config.model_sources import source_of
from corral.stacks.config.stack_config import ModelSection, StackConfig
from corral.stacks.planning.defaults import engine_of

IMPORTED = frozenset(f"{scheme.value}://" for scheme in SourceScheme)
"""What the import of a stack reads."""


def check_models(config: StackConfig) -> Iterator[Problem]:
    """Models that cannot be served as the stack file has them."""
    pools = [pool.name for pool in config.gpu_pools]
    tenants = [tenant.name for tenant in config.tenants]
    known = config.known_models
    for name, spec in config.custom_models.items():
        if name in models():
            yield Problem(f"custom-models.{name}", name, "the catalogue has this model: choose another name")
        if spec.weights < (least := _least_weights(spec)):
            reason = f"its layers and its vocabulary are {least} bytes at least: correct either"
            yield Problem(f"custom-models.{name}", f"weights of {spec.weights} bytes", reason)
    for served in config.served_models:
        model, path = served.section, served.path
        if model.model not in known:
            yield Problem(f"{path}.model", model.model, one_of(model.model, known))
            continue
        facts = known[model.model]
        limit = facts.context
        if model.context is not None and model.context > limit:
            yield Problem(f"{path}.context", str(model.context), f"{model.model} has at most {limit} tokens")
        if model.engine is not None and model.engine not in facts.engines:
            able = " or ".join(one.value for one in facts.engines)
            reason = f"{model.model} comes as {facts.dtype.value} for {facts.task.value}, which {able} serves"
            yield Problem(f"{path}.engine", model.engine.value, reason)
        elif engine_of(model, facts) is Engine.TEXT_EMBEDDINGS and model.context not in (None, limit):
            reason = f"text-embeddings takes the {limit} tokens that its files have, no others: leave it out"
            yield Problem(f"{path}.context", str(model.context), reason)
        if model.scaling is None and model.replicas.min > model.replicas.max:
            yield Problem(
                f"{path}.replicas",
                f"min {model.replicas.min}",
                f"min <= max, and max is {model.replicas.max}",
            )
        if model.full_sequences > model.max_num_seqs:
            yield Problem(
                f"{path}.full-sequences",
                str(model.full_sequences),
                f"at most max-num-seqs, {model.max_num_seqs}",
            )
        if model.pool is not None and model.pool not in pools:
            yield Problem(f"{path}.pool", model.pool, one_of(model.pool, pools))
        if model.tenant is not None and model.tenant not in tenants:
            yield Problem(f"{path}.tenant", model.tenant, one_of(model.tenant, tenants))
        if model.tenant is None and len(tenants) > 1:
            yield Problem(f"{path}.tenant", "missing", one_of("", tenants))
        yield from _weights(config, model, facts, path)


def _least_weights(spec: ModelSpec) -> int:
    """Lower bound of what weighs as `spec` says, whichever of its layers have experts or a state."""
    attention = spec.attention.model_dump(by_alias=True)
    known = {**spec.model_dump(by_alias=True), "attention": attention, "dtype": spec.dtype.value}
    some = 0 if isinstance(spec.attention, Recurrent) else None
    return least_bytes(known, sparse=0, attending=some, dense=some, matrices=2)


def _weights(config: StackConfig, model: ModelSection, facts: ModelSpec, path: str) -> Iterator[Problem]:
    chosen = config.sovereignty.profile
    source = model.source or facts.package_source
    if model.weights is Weights.SIMULATED and chosen is not Profile.OPEN:
        yield Problem(
            f"{path}.weights", "simulated", f"profile {chosen.value} serves real weights; only open simulates"
        )
    if source is None:
        if model.weights is Weights.REAL:
            yield Problem(f"{path}.source", "missing", f"no package carries {model.model}: name its source")
        return
    yield from check_source(config, source, f"{path}.source", model.weights)


def check_source(config: StackConfig, source: str, path: str, weights: Weights) -> Iterator[Problem]:
    """What is wrong with `source` at `path`: its kind, its form, or that nothing opens it."""
    chosen = config.sovereignty.profile
    allowed = tuple(one for one in PROFILES[chosen.value].model_sources if one in IMPORTED)
    if not source.startswith(allowed) or not (urlsplit(source).netloc or urlsplit(source).path.strip("/")):
        yield Problem(path, source, f"profile {chosen.value} allows {', '.join(allowed)}")
    elif form := source_form(source):
        yield Problem(path, source, f"use {form.words}")
    elif weights is Weights.REAL and source_of(source, config.model_sources) is None:
        yield from _closed(config, source, path)


def _closed(config: StackConfig, source: str, path: str) -> Iterator[Problem]:
    """A source that no entry of `model-sources` opens, and that the import cannot read without."""
    bucket = urlsplit(source).netloc
    store = config.model_storage
    match scheme_of(source):
        case SourceScheme.GCS if store.kind is not StorageKind.GCS:
            reason = (
                f"Cloud Storage is read with an HMAC key: name {bucket} in model-sources, or use "
                "model-storage of kind gcs"
            )
            yield Problem(path, source, reason)
        case SourceScheme.S3 if store.kind is StorageKind.SEAWEEDFS and bucket != store.bucket:
            reason = (
                f"the deployed store has bucket {store.bucket} alone: name s3://{bucket} in model-sources, "
                "with its endpoint"
            )
            yield Problem(path, source, reason)
        case SourceScheme.S3 if store.kind is StorageKind.GCS:
            reason = f"the platform's store is Cloud Storage: name s3://{bucket} in model-sources"
            yield Problem(path, source, reason)
        case SourceScheme.FILE if config.cluster.capabilities.pulls_images:
            reason = "the import's pod has no folder of this machine: use s3://, gs://, oci:// or hf://"
            yield Problem(path, source, reason)
        case _:
            pass
