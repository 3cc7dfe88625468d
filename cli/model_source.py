"""Models that a person names: a key of the catalogue, a folder, or a repository of a Hugging Face hub."""

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from corral.catalogue.models import ModelSpec, models
from corral.catalogue.quantities import GIB
from corral.catalogue.vocabulary import Task
from corral.cli.console import progress
from corral.cli.errors import UsageError
from corral.stacks.config.custom_models import SECTION, with_folders
from corral.stacks.config.errors import ConfigErrors, one_line, one_of, shown
from corral.stacks.config.huggingface.values import ENCODER, QUANTISATION, inner
from corral.stacks.planning.results.fit import Provenance

if TYPE_CHECKING:
    from corral.tools.sources import Listing, Source

HUB = "hf://"
REPOSITORY = re.compile(r"[A-Za-z0-9_][\w.-]*/[A-Za-z0-9_][\w.-]*(@[\w./-]+)?", re.ASCII)
CONFIG, CARD, INDEX = "config.json", "README.md", "model.safetensors.index.json"
DESCRIPTIONS = (CONFIG, CARD, INDEX, QUANTISATION, ENCODER)
WEIGHTS = re.compile(r"(?!consolidated|adapter_)[^/]+\.safetensors")
"""The files that vLLM loads where no index names them, at the top of a repository."""
OTHERS = {
    "adapter_config.json": "an adapter, which is served beside its base model",
    ".gguf": "GGUF files: name the repository that they were made from, or state the model in custom-models",
    "params.json": "Mistral's own format: name the repository with config.json, or state it in custom-models",
    ".bin": "PyTorch's own files, which can run code when they are read",
    ".pt": "PyTorch's own files, which can run code when they are read",
}
"""What lies in repositories that cannot be sized, by the end of a file's name."""
LICENSE = re.compile(r"^license:[ \t]*[\"']?([\w.+-]+)", re.MULTILINE)
FRONT = re.compile(r"---\r?\n(.*?)\r?\n---", re.DOTALL)
UNSTATED = "not stated"


@dataclass(frozen=True)
class NamedModel:
    """A model and where its figures were read."""

    name: str
    spec: ModelSpec
    provenance: Provenance


def named_model(word: str) -> NamedModel:
    """The model that `word` names.

    Raises:
        UsageError: nothing is called so, or its files cannot be counted.
    """
    if word in models():
        entry = models()[word]
        origin = f"{entry.source.name}, {entry.source.date}"
        read = Provenance(origin, entry.source.checked, entry.hub, entry.revision, entry.files_gib)
        return NamedModel(word, entry, read)
    folder = _folder(word)
    if folder is not None:
        return NamedModel(word, _spec(word, folder), Provenance(str(folder.resolve())))
    if word.startswith(HUB) or REPOSITORY.fullmatch(word):
        return _hub(word.removeprefix(HUB))
    named = one_line(shown(word))
    raise UsageError(
        f"{named}: no model of the catalogue, no folder and no ORGANISATION/NAME of a hub: {_near(word)}"
    )


def _folder(word: str) -> Path | None:
    try:
        path = Path(word).expanduser()
        return path if word and path.is_dir() else None
    except (OSError, RuntimeError, ValueError):  # A name that is too long; the home of nobody; a zero byte.
        return None


def _near(word: str) -> str:
    hint, _, _all = one_of(word, models()).partition("use one of")
    return f"{hint}`corral models` lists those of the catalogue"


def _hub(repository: str) -> NamedModel:
    try:
        from corral.tools.failure import ToolFailure
        from corral.tools.sources import source_of
    except ImportError as error:
        raise UsageError(f"{error.name} is missing: pip install 'corral[tools]'") from None
    uri = f"{HUB}{repository}"
    try:
        source = source_of(uri)
        progress(f"reading {uri}")
        listing = source.listing()
        with tempfile.TemporaryDirectory(prefix="corral-fit-") as scratch:
            folder, weights = _copied(uri, source, listing, Path(scratch))
            spec = _spec(uri, folder)
    except ToolFailure as failure:
        raise UsageError(str(failure)) from None
    total = sum(weights.values())
    name = repository.partition("@")[0]
    read = Provenance(uri, hub=name, revision=listing.revision, files_gib=round(total / GIB, 2))
    return NamedModel(repository, spec, read)


def _copied(uri: str, source: "Source", listing: "Listing", scratch: Path) -> tuple[Path, Mapping[str, int]]:
    """`scratch` with what describes the model, and sizes of its weights, which are not fetched."""
    sizes = {file.name: file.size for file in listing.files}
    if CONFIG not in sizes:
        raise UsageError(f"{uri}: it has no {CONFIG}, from which a model is sized{_instead(sizes)}")
    from corral.tools.sources import fetched

    for name in DESCRIPTIONS:
        if name in sizes:
            fetched(source, name, scratch, progress)
    named = _named(scratch / INDEX) & sizes.keys()
    weights = {name: size for name, size in sizes.items() if name in named} or {
        name: size for name, size in sizes.items() if WEIGHTS.fullmatch(name)
    }
    if not weights:
        raise UsageError(f"{uri}: it has no safetensors files at its top, which vLLM loads{_instead(sizes)}")
    _index(scratch / INDEX, weights)
    return scratch, weights


def _named(index: Path) -> set[str]:
    """Files that an index names; none where there is no index."""
    try:
        content: Any = json.loads(index.read_text(encoding="utf-8-sig"))
        return {name for name in content["weight_map"].values() if isinstance(name, str)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return set()


def _instead(sizes: Mapping[str, int]) -> str:
    """What a repository without weights has in their place."""
    for ending, what in OTHERS.items():
        if any(name.endswith(ending) for name in sizes):
            return f": it has {what}"
    return ""


def _index(path: Path, weights: Mapping[str, int]) -> None:
    """Write the index of `weights` as the hub lists them, or as the index there says where that is more."""
    stated: Any = None
    if path.exists():
        try:
            stated = json.loads(path.read_text(encoding="utf-8"))["metadata"]["total_size"]
        except (ValueError, KeyError, TypeError, RecursionError):
            stated = None
    counted = sum(weights.values())
    total = max(counted, stated) if isinstance(stated, int) and not isinstance(stated, bool) else counted
    index = {"metadata": {"total_size": total}, "weight_map": {name: name for name in weights}}
    path.write_text(json.dumps(index), encoding="utf-8")


def _spec(name: str, folder: Path) -> ModelSpec:
    """Figures of the model whose files lie in `folder`."""
    stated = {"folder": str(folder), "task": Task.CHAT.value, "license": _license(folder / CARD)}
    try:
        content: Any = with_folders({SECTION: {"model": stated}}, Path())
        facts: dict[str, Any] = content[SECTION]["model"]
        if inner(facts, "attention").get("kind") == "encoder":
            # An encoder answers with vectors; vLLM then takes a whole input in one step.
            facts["task"] = Task.EMBEDDING.value
        return ModelSpec.model_validate(facts)
    except ConfigErrors as error:
        raise UsageError(f"{name}: {'; '.join(problem.allowed for problem in error.problems)}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"{part}: " for part in first["loc"])
        raise UsageError(f"{name}: {where}{first['msg'].removeprefix('Value error, ')}") from None


def _license(card: Path) -> str:
    """The licence in the front matter of a model card."""
    try:
        front = FRONT.match(card.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return UNSTATED
    match = LICENSE.search(front[1]) if front else None
    return match[1] if match else UNSTATED
