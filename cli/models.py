"""`corral lock --models`: what the sources of a stack's models hold."""

import argparse
import contextlib
import datetime
import os
from collections.abc import Generator

from corral.catalogue.adapters import CONFIG
from corral.catalogue.adapters import WEIGHTS as ADAPTER_WEIGHTS
from corral.catalogue.files import replace
from corral.catalogue.models import ModelSpec
from corral.catalogue.sources import SOURCE_KINDS, scheme_of, secret_key
from corral.catalogue.vocabulary import Weights
from corral.cli.adapters import locked_lora
from corral.cli.console import progress
from corral.cli.errors import FAILED
from corral.embedded.engine import project
from corral.stacks.config.loader import read
from corral.stacks.config.model_lock import (
    LockedFile,
    LockedModel,
    lock_path,
    lock_text,
    read_lock,
    too_light,
)
from corral.stacks.config.model_sources import source_of as source_of_stack
from corral.stacks.config.stack_config import StackConfig


def lock(arguments: argparse.Namespace) -> int:
    """Read the source of every model and adapter of the stack that is not locked, and write the lock.

    A source that is locked for another model is not read again: a canary's files are its model's once the
    model takes its source. A source that fails is one line, and what was locked before stays; exits with 1
    then. With `--check` nothing is written, and a model without lock is enough to exit with 1; so is, with
    `--refresh` as well, a source whose files are not those that were locked.
    """
    path = project.stack_file(project.find(), arguments.stack)
    config, known = read(path), dict(read_lock(path))
    sources = _sources(config)
    stale = {name for name, source in sources.items() if name not in known or known[name].source != source}
    if arguments.check:
        for name in sorted(stale):
            progress(f"{name}: {sources[name]} is not locked")
        changed = arguments.refresh and _changed(config, sources, known, stale)
        return FAILED if stale or changed else 0
    specs, adapters = _specs(config), _adapters(config)
    again = set(sources) if arguments.refresh else stale - _taken_over(sources, known, stale, adapters)
    failed = False
    for name in sources:
        if name in again:
            with _opened(sources[name], config):
                failed |= not _lock_one(name, sources[name], known, specs.get(name), adapter=name in adapters)
    kept = {name: known[name] for name in sources if name in known}
    replace(lock_path(path), lock_text(kept))
    progress(f"{lock_path(path).name}: {len(kept)} of {len(sources)} models locked")
    return FAILED if failed else 0


def _taken_over(
    sources: dict[str, str], known: dict[str, LockedModel], stale: set[str], adapters: frozenset[str]
) -> set[str]:
    """Models of `stale` that have in `known`, from now on, what is locked of their source for another."""
    locked = {(one.source, one.lora is None): name for name, one in known.items() if name not in stale}
    wanted = {name: (sources[name], name not in adapters) for name in sorted(stale)}
    taken = {name: locked[one] for name, one in wanted.items() if one in locked}
    for name, other in taken.items():
        known[name] = known[other]
        progress(f"{name}: {sources[name]} is locked for {other}, and taken over")
    return set(taken)


def _specs(config: StackConfig) -> dict[str, ModelSpec | None]:
    served = [one.section for one in config.served_models]
    return {one.name: config.known_models.get(one.model) for one in served}


def _adapters(config: StackConfig) -> frozenset[str]:
    return frozenset(one.name for model in config.models for one in model.adapters)


def _changed(
    config: StackConfig, sources: dict[str, str], known: dict[str, LockedModel], stale: set[str]
) -> bool:
    """Whether a source that is locked cannot be read, or has other files by now; a line for each."""
    specs, adapters, found = _specs(config), _adapters(config), False
    for name in sorted(sources.keys() - stale):
        held = {name: known[name]}
        with _opened(sources[name], config):
            readable = _lock_one(name, sources[name], held, specs.get(name), adapter=name in adapters)
        changed = _content(held[name]) != _content(known[name])
        if readable and changed:
            progress(f"{name}: {sources[name]} has changed since {known[name].date}")
        found |= not readable or changed
    return found


def _content(model: LockedModel) -> tuple[object, ...]:
    """What an import of it brings."""
    return model.source, model.revision, tuple((one.name, one.size, one.sha256) for one in model.files)


@contextlib.contextmanager
def _opened(uri: str, config: StackConfig) -> Generator[None]:
    """The settings of the source's entry in `model-sources` as variables, and its keys where they are given
    as `CORRAL_SOURCE_NAME_…`."""
    source, scheme = source_of_stack(uri, config.model_sources), scheme_of(uri)
    before = dict(os.environ)
    if source is not None and scheme is not None:
        kind = SOURCE_KINDS[scheme]
        stated = {"endpoint": source.endpoint, "region": source.region}
        for key, variable in kind.settings.items():
            os.environ[variable] = stated[key] or os.environ.get(variable, "")
        for part, variable in kind.secrets.items():
            name = f"CORRAL_{secret_key(source.name, part).upper().replace('-', '_')}"
            os.environ[variable] = os.environ.get(name) or os.environ.get(variable, "")
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _sources(config: StackConfig) -> dict[str, str]:
    """Source by name of each adapter, and of each model whose files neither the catalogue nor a package
    states."""
    real = [one.section for one in config.served_models if one.section.weights is Weights.REAL]
    models = {model.name: model.source for model in real if model.source is not None}
    return models | {one.name: one.source for model in real for one in model.adapters}


def _lock_one(
    name: str, source: str, known: dict[str, LockedModel], spec: ModelSpec | None, *, adapter: bool
) -> bool:
    from corral.tools.failure import ToolFailure
    from corral.tools.locking import locked
    from corral.tools.sources import source_of
    from corral.tools.sources.source import Listed

    progress(f"{name}: reading {source}")
    before = known.get(name)
    held = before.files if before is not None and before.source == source else ()
    try:
        opened = source_of(source)
        listing = locked(
            opened,
            progress,
            [Listed(one.name, one.size, one.sha256, one.version) for one in held],
            (CONFIG, ADAPTER_WEIGHTS) if adapter else (),
        )
        files = tuple(
            LockedFile(name=one.name, size=one.size, sha256=one.sha256 or "", version=one.version)
            for one in listing.files
        )
        lora = locked_lora(source, opened, files) if adapter else None
    except ToolFailure as failure:
        progress(f"{name}: {failure}")
        return False
    except ImportError as error:
        progress(f"{name}: {error.name} is missing: pip install 'corral[tools]'")
        return False
    light = too_light(files, spec) if spec is not None else None
    if light is not None:
        progress(f"{name}: {source}: {light}")
        return False
    today = datetime.datetime.now(datetime.UTC).date()
    fresh = LockedModel(source=source, revision=listing.revision, date=today, files=files, lora=lora)
    if before is None or before.model_copy(update={"date": today}) != fresh:
        known[name] = fresh
    return True
