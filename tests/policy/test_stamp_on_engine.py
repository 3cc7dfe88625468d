"""The stamp under the real engine: a deployment without the pack shows, whatever an earlier one had."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from corral.embedded import toolchain

pytestmark = pytest.mark.engine

ROOT = Path(__file__).parents[2]
PROGRAM = """
import pulumi
import pulumi_kubernetes as kubernetes
from corral import PolicyEvidence

rendered = kubernetes.Provider("rendered", render_yaml_to_directory="rendered")
on = pulumi.ResourceOptions(provider=rendered)
pod = kubernetes.core.v1.Pod(
    "reported",
    metadata={"name": "reported"},
    spec={"containers": [{"name": "c", "image": "evil.example/x:1"}]},
    opts=on,
)
last = pulumi.ResourceOptions(provider=rendered, depends_on=[pod])
evidence = PolicyEvidence("evidence", {}, last)
pulumi.export("policy", evidence.policy)
pulumi.export("verdict", evidence.verdict)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("stamp")
    (made / "Pulumi.yaml").write_text("name: other\nruntime: python\n")
    (made / "__main__.py").write_text(PROGRAM)
    (made / "state").mkdir()
    pulumi(made, "stack", "init", "s")
    for key, value in (("profile", "open"), ("registry", "evil.example")):
        pulumi(made, "config", "set", "--path", f"corral:platform.sovereignty.{key}", value, "-s", "s")
    return made


def pulumi(folder: Path, *command: str) -> str:
    programs = [str(Path(sys.executable).parent), toolchain.programs_path(), os.defpath]
    programs.insert(1, str(toolchain.tool("helm").parent))
    environment = {
        "HOME": str(folder),
        "PATH": os.pathsep.join(programs),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "x",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
    done = subprocess.run(
        ["pulumi", *command, "--non-interactive"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def deployed(folder: Path, *options: str) -> tuple[str, dict[str, str]]:
    said = pulumi(folder, "up", "--yes", "--skip-preview", "-s", "s", *options)
    return said, json.loads(pulumi(folder, "stack", "output", "--json", "-s", "s"))


def test_a_deployment_with_the_pack_is_stamped_and_one_without_takes_the_stamp_away(folder):
    pack = ("--policy-pack", str(ROOT / "policy"))
    _, outputs = deployed(folder, *pack)
    assert outputs["policy"].startswith("corral-sovereignty ") and outputs["verdict"] == "passed"
    again, _ = deployed(folder, *pack)
    assert "unchanged" in again and "replaced" not in again and "updated" not in again
    _, outputs = deployed(folder)
    assert outputs == {"policy": "not run", "verdict": "not run"}
