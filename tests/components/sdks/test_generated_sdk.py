"""The SDKs for TypeScript and Go, by the engine's generators, and a small program that compiles with each.

They are asked for by `CORRAL_SDKS=1`: generator and the engine's library for Go are compiled, which takes
three minutes of a processor, and TypeScript comes from the npm registry.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from corral.embedded import toolchain

pytestmark = pytest.mark.skipif(
    "CORRAL_SDKS" not in os.environ, reason="needs go, npm and the internet; set CORRAL_SDKS=1"
)
HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SCHEMA = ROOT / "schema" / "components.schema.json"
MODULE = ROOT / "embedded" / "toolchain" / "modules" / "pulumi"
"""Versions of the engine, which the generator is a part of."""
GO = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GONOSUMDB": "github.com/pulumi/*"}
GO_MODULE = "example.com/pulumi-corral/sdk/go"
"""Where the generated files import each other from: the generator's default for the package `corral`."""
SMALL = ("-trimpath", "-gcflags=all=-dwarf=false")
PACKAGES = ("@pulumi/pulumi@3.259.0", "typescript@5.9.3", "@types/node@20.19.0")
SETTINGS = """{"compilerOptions": {
  "strict": true, "noEmit": true, "target": "es2020", "module": "commonjs", "moduleResolution": "node",
  "skipLibCheck": true, "types": ["node"]
}, "files": ["index.ts"]}"""
TSC = "node_modules/typescript/bin/tsc"


def done(folder: Path, *command: str, **variables: str) -> None:
    made = run(folder, *command, **variables)
    assert made.returncode == 0, made.stdout[-3000:] + made.stderr[-3000:]


def run(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=1800
    )


@pytest.fixture(scope="module")
def go() -> str:
    found = shutil.which("go", path=f"{os.environ['PATH']}:{toolchain.programs_path()}")
    assert found is not None, "go is one of the programs of the toolchain"
    return found


def module(folder: Path) -> None:
    """A module of Go in `folder`, with the engine's library."""
    for name in ("go.mod", "go.sum"):
        shutil.copy(MODULE / name, folder)


@pytest.fixture(scope="module")
def generator(go: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generator")
    shutil.copy(HERE / "generator" / "main.go", folder)
    module(folder)
    done(folder, go, "build", *SMALL, "-o", "generator", ".", **GO)
    return folder / "generator"


@pytest.fixture(scope="module")
def typescript(generator: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in TypeScript with the generated SDK in its folder `corral`."""
    project = tmp_path_factory.mktemp("typescript")
    done(project, str(generator), "nodejs", str(SCHEMA), str(project / "corral"))
    (project / "package.json").write_text('{"private": true}')
    (project / "tsconfig.json").write_text(SETTINGS)
    quietly = ("--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund")
    done(project, "npm", "install", *quietly, *PACKAGES)
    return project


@pytest.fixture(scope="module")
def golang(generator: Path, go: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A module in Go with the generated SDK in its folder `corral`, and the program in `small`."""
    project = tmp_path_factory.mktemp("go")
    done(project, str(generator), "go", str(SCHEMA), str(project))
    module(project)
    done(project, go, "mod", "edit", f"-module={GO_MODULE}", **GO)
    (project / "small").mkdir()
    return project


def test_a_small_program_in_typescript_compiles_with_every_component_of_the_sdk(typescript: Path):
    shutil.copy(HERE / "typescript" / "index.ts", typescript)
    done(typescript, "node", TSC, "-p", ".")


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ('namespace: "research"', "namespace: 5", "Type 'number' is not assignable to type 'string'"),
        ("tenants: [", "tenant: [", "'tenant' does not exist in type 'TenancyArgs'"),
    ],
)
def test_an_argument_that_cannot_be_does_not_compile_in_typescript(
    typescript: Path, right: str, wrong: str, message: str
):
    text = (HERE / "typescript" / "index.ts").read_text()
    assert right in text
    (typescript / "index.ts").write_text(text.replace(right, wrong))
    refused = run(typescript, "node", TSC, "-p", ".")
    assert refused.returncode != 0 and message in refused.stdout


def test_a_small_program_in_go_compiles_with_every_component_and_sends_its_arguments(golang: Path, go: str):
    for name in ("main.go", "main_test.go"):
        shutil.copy(HERE / "go" / name, golang / "small")
    done(golang, go, "build", "./corral/...", **GO)
    done(golang, go, "test", "-count=1", "./small", **GO)


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ('Namespace: "research"', "Namespace: 5", "cannot use 5 (untyped int constant) as string value"),
        ("Tenants: ", "Tenant: ", "unknown field Tenant in struct literal of type corral.TenancyArgs"),
    ],
)
def test_an_argument_that_cannot_be_does_not_compile_in_go(
    golang: Path, go: str, right: str, wrong: str, message: str
):
    text = (HERE / "go" / "main.go").read_text()
    assert right in text
    (golang / "small" / "main.go").write_text(text.replace(right, wrong))
    refused = run(golang, go, "build", "-o", os.devnull, "./small", **GO)
    assert refused.returncode != 0 and message in refused.stderr
