"""Setting up: what counts as complete, what an interruption leaves, plan and estimate."""

import fcntl
import os
import select
import shutil
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from corral.catalogue.vocabulary import Addon
from corral.embedded.home import private_directory
from corral.embedded.toolchain import errors, lookup
from corral.embedded.toolchain.builder import Builder
from corral.embedded.toolchain.errors import ToolchainError, ToolMissing
from corral.embedded.toolchain.gomodules import GoBuild
from corral.embedded.toolchain.lookup import chart, complete, python_env, tool
from corral.embedded.toolchain.packages import KeptWheel, PythonEnvironment, WheelFiles
from corral.embedded.toolchain.packed_postgres import PackedPostgres
from corral.embedded.toolchain.recipes import HERE, Recipe
from corral.embedded.toolchain.setup import Estimate, damaged, ensure, needed, plan, plan_lines, set_up
from corral.embedded.toolchain.tools import GO, TOOLS


@dataclass
class Scripted:
    """A source whose build writes a program, or fails as told."""

    failure: BaseException | None = None
    seconds: float = 5.0
    label: str = "scripted"
    built: int = 0
    inputs: tuple[Path, ...] = field(default=())

    def likely(self, builder: Builder) -> bool:
        return True

    def fetch(self, recipe: Recipe, builder: Builder, folder: Path) -> None:
        (folder / "downloaded").write_text("half of it")

    def build(self, recipe: Recipe, builder: Builder, folder: Path) -> Mapping[str, Path]:
        (folder / "bin").mkdir()
        (folder / "bin" / recipe.name).write_text(f"program {self.built}")
        if self.failure:
            raise self.failure
        self.built += 1
        return {recipe.name: Path("bin", recipe.name)}


def scripted(name: str, source: Scripted) -> Recipe:
    return Recipe(name, "1", (name,), (source,))


def quiet(_line: str) -> None:
    """Nothing is reported."""


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Callable[[Recipe], None]:
    def add(recipe: Recipe) -> None:
        monkeypatch.setitem(lookup.OWNERS, recipe.name, recipe)

    return add


@pytest.fixture
def greet(known: Callable[[Recipe], None]) -> Recipe:
    """A recipe that the toolchain knows."""
    recipe = scripted("greet", Scripted())
    known(recipe)
    return recipe


def test_a_missing_tool_names_the_command_that_sets_it_up(toolchain: Path) -> None:
    with pytest.raises(ToolMissing, match=r"etcd 3\.7\.3: not set up; run `make setup` / `corral setup`"):
        tool("etcd")
    with pytest.raises(ToolMissing, match="llama"):
        python_env("llama")
    with pytest.raises(ToolMissing, match="kserve-charts"):
        chart("kserve-resources")


def test_an_unknown_tool_is_answered_with_the_known_ones(toolchain: Path) -> None:
    with pytest.raises(
        ValueError, match=r"which has cert-manager, envoy, envoy-gateway, etcd, external-secrets, helm"
    ):
        tool("etcdd")
    with pytest.raises(ValueError, match="which has kserve-storage, llama"):
        python_env("vllm")
    with pytest.raises(ValueError, match=r"no tools \['nix'\]"):
        ensure(["nix"])
    assert chart("grafana") is None


def test_an_interrupted_build_leaves_nothing_usable_and_the_next_run_recovers(
    toolchain: Path, known: Callable[[Recipe], None]
) -> None:
    first, second = scripted("first", Scripted()), scripted("second", Scripted(KeyboardInterrupt()))
    known(second)
    with pytest.raises(KeyboardInterrupt):
        set_up([first, second], quiet)
    assert complete(toolchain, first)
    with pytest.raises(ToolMissing):
        tool("second")
    assert not (toolchain / "second-1").exists()
    second.sources[0].failure = None  # type: ignore[attr-defined]
    set_up([first, second], quiet)
    assert tool("second").read_text() == "program 0"
    assert first.sources[0].built == 1  # type: ignore[attr-defined]


def test_a_folder_without_a_record_does_not_count(toolchain: Path, known: Callable[[Recipe], None]) -> None:
    recipe = scripted("greet", Scripted())
    known(recipe)
    (toolchain / "greet-1" / "bin").mkdir(parents=True)
    (toolchain / "greet-1" / "bin" / "greet").write_text("half")
    with pytest.raises(ToolMissing):
        tool("greet")
    (toolchain / "greet-1" / ".complete").write_text('{"name": "gre')
    with pytest.raises(ToolMissing):
        tool("greet")
    set_up([recipe], quiet)
    assert tool("greet").read_text() == "program 0"


def test_a_changed_program_is_noticed_and_made_again(toolchain: Path, greet: Recipe) -> None:
    set_up([greet], quiet)
    tool("greet").write_text("shorter")
    with pytest.raises(ToolMissing, match="greet is gone or has changed"):
        tool("greet")
    set_up([greet], quiet)
    assert tool("greet").read_text() == "program 1"


def test_a_copied_toolchain_with_other_times_is_used_as_it_is_and_gets_its_times_back(
    toolchain: Path, greet: Recipe
) -> None:
    set_up([greet], quiet)
    program = tool("greet")
    recorded = program.stat().st_mtime_ns
    os.utime(program, ns=(1, 1))
    assert tool("greet") == program
    set_up([greet], quiet)
    assert program.read_text() == "program 0"
    assert program.stat().st_mtime_ns == recorded


def test_a_program_of_the_same_size_with_another_time_and_other_contents_is_made_again(
    toolchain: Path, greet: Recipe
) -> None:
    set_up([greet], quiet)
    program = tool("greet")
    program.write_text("program X")
    os.utime(program, ns=(1, 1))
    with pytest.raises(ToolMissing, match="greet is gone or has changed"):
        tool("greet")
    set_up([greet], quiet)
    assert program.read_text() == "program 1"


def test_tools_are_readable_for_every_user_whatever_the_umask_and_planes_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CORRAL_TOOLCHAIN", raising=False)
    monkeypatch.setenv("CORRAL_HOME", str(tmp_path / "srv" / "corral"))
    before = os.umask(0o077)
    try:
        set_up([scripted("greet", Scripted())], quiet)
        plane = private_directory(tmp_path / "srv" / "corral" / "dev")
    finally:
        os.umask(before)
    home = tmp_path / "srv" / "corral"
    modes = {path: path.stat().st_mode & 0o777 for path in (home, *home.rglob("greet-1*"), plane)}
    assert modes == {home: 0o711, home / "toolchain" / "greet-1": 0o755, plane: 0o700}
    assert (home / "toolchain").stat().st_mode & 0o777 == 0o755
    installed = list((home / "toolchain" / "greet-1").rglob("*"))
    assert installed and all(path.stat().st_mode & 0o044 == 0o044 for path in installed)


def test_tools_that_this_user_may_not_read_are_one_line(
    toolchain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(_path: Path, *_arguments: object, **_more: object) -> str:
        raise PermissionError(13, "Permission denied")

    set_up([scripted("greet", Scripted())], quiet)
    monkeypatch.setattr(Path, "read_text", closed)
    with pytest.raises(ToolchainError, match=f"{toolchain}: closed to this user; .* set CORRAL_TOOLCHAIN"):
        tool("etcd")


def test_a_corrupt_file_of_the_same_size_and_time_is_found_by_its_hash(toolchain: Path) -> None:
    recipe = scripted("greet", Scripted())
    set_up([recipe], quiet)
    program = toolchain / "greet-1" / "bin" / "greet"
    times = program.stat()
    program.write_text("program X")
    os.utime(program, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert complete(toolchain, recipe)
    assert damaged([recipe]) == ["greet"]


def test_a_tool_is_made_again_when_its_sources_of_ours_change(toolchain: Path, tmp_path: Path) -> None:
    source = Scripted(inputs=(HERE / "modules" / "etcd",))
    set_up([scripted("greet", source)], quiet)
    set_up([scripted("greet", source)], quiet)
    assert source.built == 1
    source.inputs = (HERE / "modules" / "kwok",)
    set_up([scripted("greet", source)], quiet)
    assert source.built == 2


def test_nothing_is_contacted_or_said_when_everything_is_there(toolchain: Path) -> None:
    recipe = scripted("greet", Scripted())
    set_up([recipe], quiet)
    lines: list[str] = []
    set_up([recipe], lines.append)
    assert lines == []


def test_the_plan_comes_before_the_wait_and_counts_what_is_missing(toolchain: Path) -> None:
    first, second = scripted("first", Scripted()), scripted("second", Scripted(seconds=300))
    set_up([first], quiet)
    steps = plan([first, second])
    assert [(step.tool, step.source, step.seconds, step.present) for step in steps] == [
        ("first", "scripted", 0.0, True),
        ("second", "scripted", 300, False),
    ]
    assert list(plan_lines(steps))[-1].strip() == "1 of 2 tools are there already; the rest takes about 5 min"
    lines: list[str] = []
    set_up([first, second], lines.append)
    output = next(n for n, line in enumerate(lines) if "about 5 min" in line)
    assert output < next(n for n, line in enumerate(lines) if line.startswith("[ 1/1] second"))


def test_the_estimate_learns_from_the_steps_so_far() -> None:
    estimate = Estimate()
    assert estimate.of(100) == 100
    estimate.learn(expected=240, measured=540)
    assert estimate.of(100) == pytest.approx(200)
    hurried = Estimate()
    hurried.learn(expected=6, measured=0.5)
    assert hurried.of(100) > 85


def test_a_full_disk_is_one_clear_message(toolchain: Path) -> None:
    full = scripted("greet", Scripted(OSError(28, "No space left on device")))
    with pytest.raises(ToolchainError, match=r"disk of .*toolchain is full: free some space"):
        set_up([full], quiet)
    assert not (toolchain / "greet-1").exists()


def test_too_little_space_is_said_before_anything_is_done(
    toolchain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Scripted(seconds=600)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(9, 8, 1 << 30))
    with pytest.raises(ToolchainError, match=r"has 1\.1 GB free, needed are about 10\.2 GB"):
        set_up([scripted("greet", source)], quiet)
    assert source.built == 0


def test_a_compiler_that_meets_a_full_disk_says_so_too(builder: Builder) -> None:
    from corral.embedded.toolchain.builder import run

    script = "print('write x.a: no space left on device'); raise SystemExit(1)"
    with pytest.raises(ToolchainError, match=r"disk of .* is full"):
        run([sys.executable, "-c", script], builder.scratch, {})


def test_an_interrupted_command_is_ended(builder: Builder) -> None:
    from corral.embedded.toolchain.builder import run

    ended: list[int] = []

    def interrupted(line: str) -> None:
        ended.append(os.pidfd_open(int(line)))
        raise KeyboardInterrupt

    script = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    with pytest.raises(KeyboardInterrupt):
        run([sys.executable, "-c", script], builder.scratch, {}, interrupted)
    assert select.select(ended, [], [], 10)[0] == ended
    os.close(ended[0])


def test_a_failed_build_shows_its_last_lines(builder: Builder) -> None:
    from corral.embedded.toolchain.builder import run

    script = "print('pkg/ok'); print('main.go:3: undefined: x'); raise SystemExit(2)"
    with pytest.raises(ToolchainError, match=r"failed with exit code 2:\n  main.go:3: undefined: x"):
        run([sys.executable, "-c", script], builder.scratch, {})


def test_other_systems_than_linux_are_told_once(monkeypatch: pytest.MonkeyPatch, toolchain: Path) -> None:
    monkeypatch.setattr(errors.sys, "platform", "darwin")
    with pytest.raises(ToolchainError, match=r"needs Linux .*; this is darwin .*kind: existing"):
        ensure(["etcd"])
    assert not toolchain.exists()


def test_a_second_set_up_waits_for_the_first(toolchain: Path) -> None:
    toolchain.mkdir(mode=0o700, parents=True)
    waiting = threading.Event()
    recipe = scripted("greet", Scripted())

    def report(line: str) -> None:
        if "Another set-up is running" in line:
            waiting.set()

    with (toolchain / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        run = threading.Thread(target=set_up, args=([recipe], report))
        run.start()
        assert waiting.wait(10)
        assert not (toolchain / "greet-1").exists()
    run.join(10)
    assert complete(toolchain, recipe)


def test_what_only_some_stacks_need_is_brought_only_for_them(toolchain: Path) -> None:
    assert {"kueue", "kueue-charts"} == set(needed([Addon.KUEUE])) - set(needed())
    assert "kueue" not in [step.tool for step in plan()]
    assert chart("kueue") is None
    with pytest.raises(ToolMissing, match=r"kueue 0\.19\.2: not set up; run `corral setup --addon kueue`"):
        tool("kueue")


def test_every_name_belongs_to_one_tool_and_every_file_of_ours_exists() -> None:
    provided = [name for recipe in TOOLS for name in recipe.provides]
    assert len(provided) == len(set(provided))
    for recipe in (*TOOLS, GO):
        assert recipe.digest
        for source in recipe.sources:
            assert all(path.exists() for path in source.inputs)


@pytest.mark.parametrize("module", sorted(path.name for path in (HERE / "modules").iterdir()))
def test_every_go_module_is_built_and_carries_its_checksums(module: str) -> None:
    built = {s.module for recipe in TOOLS for s in recipe.sources if isinstance(s, GoBuild)}
    assert module in built
    assert " h1:" in (HERE / "modules" / module / "go.sum").read_text()


@pytest.mark.parametrize("name", sorted(path.stem for path in (HERE / "requirements").iterdir()))
def test_every_package_is_pinned_by_hash_and_no_lock_file_names_a_registry(name: str) -> None:
    kinds = (WheelFiles, KeptWheel, PythonEnvironment, PackedPostgres)
    used = {s.requirements for r in (*TOOLS, GO) for s in r.sources if isinstance(s, kinds)}
    assert name in used
    text = (HERE / "requirements" / f"{name}.txt").read_text()
    assert "://" not in text
    assert text.count("==") <= text.count("--hash=sha256:")


@pytest.mark.parametrize(
    ("module", "package", "name"),
    [
        ("etcd", "go.etcd.io/etcd/server/v3", "server"),
        ("helm", "helm.sh/helm/v4/cmd/helm", "helm"),
        ("kserve", ".", "kserve"),
        ("cert-manager", ".", "corral"),
    ],
)
def test_built_programs_are_found_under_the_name_that_go_gives_them(
    module: str, package: str, name: str
) -> None:
    assert GoBuild(module, {}, 1, {}).built_name(package) == name
