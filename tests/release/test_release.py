"""What a release holds: the wheel made by way of the source distribution, in an environment of its own."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.exhaustive

ROOT = Path(__file__).parents[2]
ROOMS = ("catalogue", "cli", "components", "controls", "embedded", "policy", "stacks", "tools")
EVERYTHING = """
import importlib, pkgutil, sys
import corral
names = [one.name for one in pkgutil.walk_packages(corral.__path__, "corral.")]
names = [name for name in names if not name.endswith("__main__")]
for name in names:
    importlib.import_module(name)
print(corral.__file__)
print(*names)
"""


def run(*argv: str | Path, cwd: Path, **environment: str) -> str:
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PIP"))}
    done = subprocess.run(
        [str(one) for one in argv],
        cwd=cwd,
        env={**plain, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tracked() -> list[str]:
    """Files of the rooms that a checkout has: tracked ones, and new ones that git does not ignore."""
    listed = run("git", "ls-files", "-co", "--exclude-standard", "-z", "--", *ROOMS, cwd=ROOT)
    return sorted(name for name in listed.split("\0") if name and (ROOT / name).is_file())


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked source distribution."""
    folder = tmp_path_factory.mktemp("source")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=ROOT)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as content:
        content.extractall(folder, filter="data")
    (unpacked,) = (one for one in folder.iterdir() if one.is_dir())
    return unpacked


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel made from the source distribution alone."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=source)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the wheel, and no checkout."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=False)
    found = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    with zipfile.ZipFile(wheel) as content:
        content.extractall(found)
    # The libraries of this environment, without its own links to a checkout: a .pth in there is not read.
    libraries = {sysconfig.get_path("purelib"), *(one for one in sys.path if one.endswith("site-packages"))}
    (Path(found) / "libraries.pth").write_text("".join(f"{one}\n" for one in sorted(libraries)))
    return folder / "bin" / "python"


def test_the_source_distribution_has_every_file_of_the_checkout_but_its_links(source: Path):
    listed = run("git", "ls-files", "-co", "--exclude-standard", "-z", cwd=ROOT).split("\0")
    files = {name for name in listed if name and (ROOT / name).is_file() and not (ROOT / name).is_symlink()}
    inside = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file()}
    assert files - inside == set()


def test_the_wheel_has_every_file_of_the_rooms_and_nothing_else(wheel: Path):
    with zipfile.ZipFile(wheel) as content:
        inside = sorted(
            name.removeprefix("corral/") for name in content.namelist() if "dist-info" not in name
        )
    assert inside == sorted([*tracked(), "__init__.py", "__init__.pyi", "py.typed"])


def test_everything_in_the_wheel_imports_in_an_environment_without_a_checkout(python: Path, tmp_path: Path):
    where, names = run(python, "-c", EVERYTHING, cwd=tmp_path).splitlines()
    assert Path(where).is_relative_to(python.parents[1])
    modules = [name for name in tracked() if name.endswith(".py") and not name.endswith("__main__.py")]
    assert len(names.split()) == len(modules), "each module was imported once"


STRANGER = """
import pulumi
from corral import Model, VectorDatabase

vectors = VectorDatabase("vectors", {"engine": "qdrant", "credential": "x", "supply": {}})
chat = Model(
    "chat",
    {
        "namespace": "team",
        "engine": "vllm",
        "resource": {"name": "nvidia.com/gpu"},
        "weights": "simulated",
        "supply": {},
    },
)
pulumi.export("url", chat.url)
"""
RECORDER = """
import sys
from pathlib import Path
from corral.components._recorded import recorded
print(*(one.type for one in recorded(Path(sys.argv[1]))), sep="\\n")
"""


def typed(python: Path, folder: Path, name: str) -> list[str]:
    """What the type checker has to say about a program of the wheel's user."""
    done = subprocess.run(
        [sys.executable, "-m", "basedpyright", "--pythonpath", str(python), "--outputjson", name],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    found = json.loads(done.stdout)["generalDiagnostics"]
    return [one["message"] for one in found if one["severity"] == "error"]


def test_ten_lines_of_a_stranger_build_two_components_from_the_wheel(python: Path, tmp_path: Path):
    (tmp_path / "program.py").write_text(STRANGER)
    seen = run(python, "-c", RECORDER, "program.py", cwd=tmp_path).splitlines()
    assert {"corral:index:Model", "corral:index:VectorDatabase"} <= set(seen)
    assert "kubernetes:serving.kserve.io/v1beta1:InferenceService" in seen


def test_an_editor_knows_the_types_of_the_wheel(python: Path, tmp_path: Path):
    (tmp_path / "program.py").write_text(STRANGER)
    (tmp_path / "wrong.py").write_text(
        STRANGER.replace('"qdrant"', '"milvus"').replace("chat.url", "chat.address")
    )
    assert typed(python, tmp_path, "program.py") == []
    problems = " ".join(typed(python, tmp_path, "wrong.py"))
    assert "milvus" in problems and "address" in problems


def test_the_command_of_the_wheel_answers(python: Path, tmp_path: Path):
    entry = "from corral.cli.main import run; run()"
    assert "usage:" in run(python, "-c", entry, "--help", cwd=tmp_path)


def test_the_source_distribution_has_what_a_checkout_needs_to_run(source: Path):
    for name in ("__main__.py", "Pulumi.yaml", "Pulumi.dev.yaml", "Makefile", ".ci/run", "requirements.lock"):
        assert (source / name).is_file(), name
    assert sorted(one.name for one in (source / "tests").iterdir() if one.is_dir() and one.name[0] != "_")


def test_a_checkout_that_keeps_no_links_imports_all_the_same(source: Path, tmp_path: Path):
    checkout = tmp_path / "checkout"
    shutil.copytree(source, checkout)
    for room in ROOMS:
        (checkout / "src" / "corral" / room).write_text(f"../../{room}")
    program = "import corral.catalogue.gpus, corral.policy.pack as pack; print(pack.__file__)"
    libraries = sysconfig.get_path("purelib")
    where = run(
        sys.executable, "-S", "-c", program, cwd=tmp_path, PYTHONPATH=f"{checkout / 'src'}:{libraries}"
    )
    assert where.strip() == str(checkout / "policy" / "pack.py")
