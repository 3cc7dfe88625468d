"""Which files a model is made of: the catalogue's own, or what the stack's lock has of its source."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from corral.catalogue.models import ModelSpec
from corral.catalogue.unsafe_files import unsafe
from corral.catalogue.vocabulary import Engine, Profile, SourceScheme, Weights
from corral.stacks.config.errors import Problem, Unpinned
from corral.stacks.config.model_lock import LockedModel, too_light
from corral.stacks.config.stack_config import Adapter, ModelSection
from corral.stacks.planning.defaults import ModelRequest
from corral.stacks.planning.results.models import FilePlan
from corral.stacks.planning.serving import gguf


def model_files(
    model: ModelSection, spec: ModelSpec, locked: Mapping[str, LockedModel]
) -> tuple[FilePlan, ...]:
    """Files that an import of `model` must find; none where weights are simulated or nothing is known."""
    if model.weights is Weights.SIMULATED:
        return ()
    lock = locked.get(model.name)
    files = lock.files if lock is not None and lock.source == model.source else spec.files
    return tuple(FilePlan(file.name, file.sha256, file.size) for file in files)


def pinned_source(model: ModelSection, spec: ModelSpec, locked: Mapping[str, LockedModel]) -> str:
    """URI that an import reads: at the locked commit or digest where the source keeps such."""
    return at_revision(model.source or spec.package_source or "", locked.get(model.name))


def at_revision(source: str, lock: LockedModel | None) -> str:
    """URI `source` at the commit or digest that `lock` has of it."""
    scheme, _, rest = source.partition("://")
    if lock is None or lock.source != source or lock.revision is None or "@" in rest:
        return source
    match scheme:
        case SourceScheme.HUB.value:
            return f"{source.rstrip('/')}@{lock.revision}"
        case SourceScheme.OCI.value:
            repository, _, tag = rest.rpartition(":")
            return f"{scheme}://{repository if '/' not in tag else rest}@{lock.revision}"
        case _:
            return source


def stored_bytes(requests: Iterable[ModelRequest], locked: Mapping[str, LockedModel]) -> Sequence[int]:
    """Bytes that each model takes in the store with its adapters; its weights where no size is known."""
    return [
        file_bytes(one.config, one.spec, locked) + adapter_bytes(one.config, locked)
        for one in requests
        if one.config.weights is not Weights.SIMULATED
    ]


def adapter_lock(adapter: Adapter, locked: Mapping[str, LockedModel]) -> LockedModel | None:
    """What the lock has of `adapter`; None: nothing of its source."""
    lock = locked.get(adapter.name)
    return lock if lock is not None and lock.source == adapter.source else None


def adapter_bytes(model: ModelSection, locked: Mapping[str, LockedModel]) -> int:
    """Bytes that the files of the adapters of `model` take; 0 of those that are not locked."""
    if model.weights is Weights.SIMULATED:
        return 0
    locks = [adapter_lock(one, locked) for one in model.adapters]
    return sum(file.size for lock in locks if lock is not None for file in lock.files)


def file_bytes(model: ModelSection, spec: ModelSpec, locked: Mapping[str, LockedModel]) -> int:
    """Bytes that the files of `model` take; its weights where no size is known."""
    lock = locked.get(model.name)
    files = lock.files if lock is not None and lock.source == model.source else spec.files
    return sum(file.size for file in files) or spec.weights


def unlocked(
    requests: Iterable[ModelRequest], locked: Mapping[str, LockedModel], profile: Profile
) -> Iterator[Problem]:
    """A problem for each model whose files are unknown, too few, code, or not what its engine serves.

    Profile `open` takes what the source holds, where the engine needs the name of no file.
    """
    for one in requests:
        if one.config.weights is Weights.SIMULATED:
            continue
        lock = locked.get(one.config.name)
        if lock is not None and lock.source == one.config.source:
            reason = too_light(lock.files, one.spec)
            if reason is not None:
                yield Problem(
                    f"{one.path}.source", lock.source, f"{reason}; then corral lock --models --refresh"
                )
                continue
        files = [file.name for file in model_files(one.config, one.spec, locked)]
        source = one.config.source or "absent"
        if not files and profile is not Profile.OPEN:
            hint = f"its files are not locked, as profile {profile.value} needs: run corral lock --models"
            yield Unpinned(f"{one.path}.source", source, hint)
        elif not files and one.engine is Engine.LLAMA_CPP:
            hint = "llama.cpp is given the name of a file, and none is locked: run corral lock --models"
            yield Unpinned(f"{one.path}.source", source, hint)
        elif profile is not Profile.OPEN and (risky := [name for name in files if unsafe(name)]):
            hint = (
                f"{risky[0]} runs code where it is read: profile {profile.value} takes safetensors and GGUF"
            )
            yield Problem(f"{one.path}.source", source, hint)
        elif files and one.engine is Engine.LLAMA_CPP and gguf(files) is None:
            hint = "llama.cpp serves one model in GGUF files: name a source with that one alone"
            yield Problem(f"{one.path}.source", source, hint)
