"""LoRA adapters of models: what the lock has of them, their files, and what is wrong with these."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from corral.catalogue.adapters import CONFIG, HEAD, MOST_VOCABULARY
from corral.catalogue.adapters import WEIGHTS as ADAPTER_WEIGHTS
from corral.catalogue.models import ModelSpec
from corral.catalogue.stores import model_prefix
from corral.catalogue.unsafe_files import unsafe
from corral.catalogue.vocabulary import Profile, Weights
from corral.stacks.config.errors import Problem, Unpinned
from corral.stacks.config.model_lock import LockedModel
from corral.stacks.config.stack_config import Adapter, ModelSection, ModelSource
from corral.stacks.planning.defaults import ModelRequest
from corral.stacks.planning.memory.lora import lora_of, targets
from corral.stacks.planning.model_files import adapter_lock, at_revision
from corral.stacks.planning.results.models import AdapterPlan, FilePlan
from corral.stacks.planning.sources import origin_of


def with_locked(request: ModelRequest, locked: Mapping[str, LockedModel]) -> ModelRequest:
    """`request` whose adapters have the ranks and modules of the lock where the stack file states none."""
    model = request.config
    if not model.adapters:
        return request
    adapters = tuple(_filled(one, adapter_lock(one, locked)) for one in model.adapters)
    return replace(request, config=model.model_copy(update={"adapters": adapters}))


def adapter_problems(
    requests: Iterable[ModelRequest], locked: Mapping[str, LockedModel], profile: Profile
) -> Iterator[Problem]:
    """Adapters whose files or rank are unknown, whose files are no adapter's, or that state another rank."""
    for request in requests:
        for index, one in enumerate(request.config.adapters):
            path, lock = f"{request.path}.adapters[{index}]", adapter_lock(one, locked)
            real = request.config.weights is Weights.REAL
            if real and lock is None and profile is not Profile.OPEN:
                hint = f"its files are not locked, as profile {profile.value} needs: run corral lock --models"
                yield Unpinned(f"{path}.source", one.source, hint)
            elif one.rank is None:
                way = "run corral lock --models, or state it" if real else "state it"
                yield Unpinned(f"{path}.rank", "missing", f"memory is planned by it: {way}")
            if real and lock is not None:
                yield from _locked_problems(path, one, lock)
        yield from _head_problems(request)


def adapter_plans(
    model: ModelSection, spec: ModelSpec, locked: Mapping[str, LockedModel], sources: Sequence[ModelSource]
) -> tuple[AdapterPlan, ...]:
    """The adapters of `model`, a model of `spec`."""
    real = model.weights is Weights.REAL
    return tuple(
        _plan(one, spec, adapter_lock(one, locked) if real else None, sources, real=real)
        for one in model.adapters
    )


def _filled(adapter: Adapter, lock: LockedModel | None) -> Adapter:
    if lock is None or lock.lora is None:
        return adapter
    known = {"rank": lock.lora.rank, "target_modules": lock.lora.target_modules}
    absent = {key: value for key, value in known.items() if getattr(adapter, key) is None}
    return adapter.model_copy(update=absent)


def _locked_problems(path: str, one: Adapter, lock: LockedModel) -> Iterator[Problem]:
    names = [file.name for file in lock.files]
    again = "run corral lock --models --refresh"
    if lock.lora is None or not {CONFIG, ADAPTER_WEIGHTS} <= set(names):
        yield Problem(f"{path}.source", one.source, f"locked as a model, not as an adapter: {again}")
        return
    if risky := [name for name in names if unsafe(name)]:
        yield Problem(f"{path}.source", one.source, f"{risky[0]} runs code where it is read: {again}")
    if one.rank is not None and one.rank < lock.lora.rank:
        yield Problem(f"{path}.rank", str(one.rank), f"its configuration has {lock.lora.rank}: leave it out")
    stated, known = one.target_modules, lock.lora.target_modules
    if stated is not None and known is not None and (missing := sorted(set(known) - set(stated))):
        reason = f"its configuration has {', '.join(missing)}, too: leave it out"
        yield Problem(f"{path}.target-modules", ", ".join(stated), reason)


def _head_problems(request: ModelRequest) -> Iterator[Problem]:
    """An output layer that is larger than vLLM takes, where an adapter may change it."""
    lora, spec = lora_of(request.config), request.spec
    if lora is None or spec.vocabulary <= MOST_VOCABULARY:
        return
    changed = targets(spec, lora)
    if changed is None or HEAD in changed:
        reason = (
            f"vLLM keeps room to change {HEAD}, of {MOST_VOCABULARY} entries at most, and it has "
            f"{spec.vocabulary}: use adapters that state other modules by name, or merge them"
        )
        yield Problem(f"{request.path}.adapters", ", ".join(lora.names), reason)


def _plan(
    one: Adapter, spec: ModelSpec, lock: LockedModel | None, sources: Sequence[ModelSource], *, real: bool
) -> AdapterPlan:
    found = () if lock is None else lock.files
    files = tuple(FilePlan(file.name, file.sha256, file.size) for file in found)
    return AdapterPlan(
        name=one.name,
        source=at_revision(one.source, lock),
        license=one.license or spec.license,
        rank=one.rank or 0,
        files=files,
        origin=origin_of(one.source, sources) if real else None,
        storage_path=model_prefix(one.name, one.source, {file.name: file.sha256 for file in files}),
    )
