"""The package under the real engine: the schema that it prints, and components of another program."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from corral.embedded import toolchain

pytestmark = pytest.mark.engine

ROOT = Path(__file__).parents[2]
PROJECT = f"""
name: other
runtime: python
plugins:
  providers:
    - {{name: corral, path: {ROOT / "components"}}}
"""
PROGRAM = """
import pulumi
import pulumi_kubernetes as kubernetes


class Remote(pulumi.ComponentResource):
    def __init__(self, kind, name, args, provider):
        options = pulumi.ResourceOptions(providers=[provider])
        super().__init__(f"corral:index:{kind}", name, {**args, "namespaces": None}, options, remote=True)


rendered = kubernetes.Provider("rendered", render_yaml_to_directory="rendered")
tenancy = Remote("Tenancy", "tenancy", {"tenants": [{"name": "a", "namespace": "team-a"%s}]}, rendered)
pulumi.export("namespaces", tenancy.namespaces)
"""


class Engine:
    """A program of somebody else's, its state in a folder, and no cluster: objects are written as files."""

    def __init__(self, folder: Path):
        self.folder = folder
        (folder / "Pulumi.yaml").write_text(PROJECT)
        (folder / "state").mkdir()
        self.environment = {
            "HOME": str(folder),
            "PATH": os.pathsep.join(
                [str(Path(sys.executable).parent), toolchain.programs_path(), os.defpath]
            ),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "x",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }

    def pulumi(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", *command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )

    def up(self, stack: str, more: str = "") -> subprocess.CompletedProcess[str]:
        (self.folder / "__main__.py").write_text(PROGRAM % more)
        self.pulumi("stack", "select", "--create", stack, "--non-interactive")
        return self.pulumi("up", "--yes", "--skip-preview", "--non-interactive", "-s", stack)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(tmp_path_factory.mktemp("other"))


def test_the_engine_reads_the_schema_that_is_committed(engine: Engine):
    done = engine.pulumi("package", "get-schema", str(ROOT / "components"))
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    committed = json.loads((ROOT / "schema" / "components.schema.json").read_text())
    assert seen["resources"].keys() == committed["resources"].keys()
    assert seen["types"].keys() == committed["types"].keys()
    storage = seen["resources"]["corral:index:ModelStorage"]["inputProperties"]
    assert storage["secretKey"]["secret"] and "secret" not in storage["bucket"]


def test_another_program_constructs_a_component_and_reads_its_output(engine: Engine):
    done = engine.up("constructed")
    assert done.returncode == 0, done.stdout + done.stderr
    outputs = json.loads(engine.pulumi("stack", "output", "--json", "-s", "constructed").stdout)
    assert outputs == {"namespaces": {"a": "team-a"}}
    written = {file.name for file in (engine.folder / "rendered" / "1-manifest").iterdir()}
    assert "networking.k8s.io_v1-networkpolicy-team-a-default-deny.yaml" in written


def test_what_it_refuses_is_named_by_path_and_value(engine: Engine):
    done = engine.up("refused", ', "dataClass": "not a label!"')
    assert done.returncode != 0
    assert "tenancy.tenants[0].data_class: 'not a label!' is not allowed" in done.stdout + done.stderr
