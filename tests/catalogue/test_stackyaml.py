"""Plain values of a stack file mean to Corral what they mean to Pulumi."""

import json
import os
import subprocess

import pytest
import yaml

from corral.catalogue.stackyaml import StackLoader
from corral.embedded import toolchain

VALUES = {
    "off": "off",
    "no": "no",
    "Yes": "Yes",
    "y": "y",
    "true": True,
    "FALSE": False,
    "12:30": "12:30",
    "1:2.5": "1:2.5",
    "1_000": 1000,
    "0777": 511,
    "0o17": 15,
    "0x1F": 31,
    "0b11": 3,
    "1.5": 1.5,
    "2.0": 2,
    "5e+06": 5_000_000,
    "1e3": 1000,
    "1E-2": 0.01,
    ".5e1": 5,
    "0X1F": 31,
    "0O17": 15,
    "08": 8,
    "0_8": 8,
    "-.5": -0.5,
    "1_e3": 1000,
    "0x_": "0x_",
    "0b_": "0b_",
    "2026-13-45": "2026-13-45",
    "=": "=",
    "!!binary aGk=": "hi",
    "~": None,
    "'true'": "true",
}


@pytest.mark.parametrize("written", VALUES)
def test_a_plain_value_is_read_as_pulumi_reads_it(written):
    found = yaml.load(f"a: {written}", StackLoader)["a"]
    assert found == VALUES[written] and type(found) is type(VALUES[written])


@pytest.mark.parametrize("written", ["!!int abc", "!!float abc", "!!timestamp abc", "!!binary /w=="])
def test_what_a_tag_says_and_a_value_is_not_is_refused_as_yaml(written: str):
    with pytest.raises(yaml.YAMLError, match=r"'abc' is no |binary that is no text"):
        yaml.load(f"a: {written}", StackLoader)


@pytest.mark.engine
def test_pulumi_itself_reads_them_so(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: values\nruntime: python\n")
    lines = "".join(f"      - {written}\n" for written in VALUES)
    (tmp_path / "Pulumi.dev.yaml").write_text(f"config:\n  values:\n    all:\n{lines}")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": (tmp_path / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "values",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }

    def pulumi(*arguments):
        command = [str(toolchain.tool("pulumi")), *arguments, "--non-interactive"]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    pulumi("stack", "init", "dev")
    assert json.loads(pulumi("config", "get", "values", "--stack", "dev"))["all"] == list(VALUES.values())
