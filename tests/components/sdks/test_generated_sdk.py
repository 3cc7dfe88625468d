"""The SDK for TypeScript, by the engine's own generator, and a small program that compiles with it.

It is asked for by `CORRAL_SDKS=1`: the generator is compiled, which takes two minutes of a processor, and
TypeScript comes from the npm registry.
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
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in TypeScript with the generated SDK in its folder `corral`."""
    generator, project = tmp_path_factory.mktemp("generator"), tmp_path_factory.mktemp("typescript")
    shutil.copy(HERE / "generator" / "main.go", generator)
    for name in ("go.mod", "go.sum"):
        shutil.copy(MODULE / name, generator)
    go = shutil.which("go", path=f"{os.environ['PATH']}:{toolchain.programs_path()}")
    assert go is not None, "go is one of the programs of the toolchain"
    done(generator, go, "build", *SMALL, "-o", "generator", ".", **GO)
    done(generator, "./generator", str(SCHEMA), str(project / "corral"))
    (project / "package.json").write_text('{"private": true}')
    (project / "tsconfig.json").write_text(SETTINGS)
    quietly = ("--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund")
    done(project, "npm", "install", *quietly, *PACKAGES)
    return project


def test_a_small_program_compiles_with_every_component_of_the_sdk(project: Path):
    shutil.copy(HERE / "typescript" / "index.ts", project)
    done(project, "node", TSC, "-p", ".")


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ('namespace: "research"', "namespace: 5", "Type 'number' is not assignable to type 'string'"),
        ("tenants: [", "tenant: [", "'tenant' does not exist in type 'TenancyArgs'"),
    ],
)
def test_an_argument_that_cannot_be_does_not_compile(project: Path, right: str, wrong: str, message: str):
    text = (HERE / "typescript" / "index.ts").read_text()
    assert right in text
    (project / "index.ts").write_text(text.replace(right, wrong))
    refused = run(project, "node", TSC, "-p", ".")
    assert refused.returncode != 0 and message in refused.stdout
