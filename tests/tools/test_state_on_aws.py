"""The real Pulumi has state, lock and secrets in what `corral backend aws` made; moto is in place of AWS."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.doubles.secure_transport import calls_as_over_tls

from corral.embedded import toolchain
from corral.tools.__main__ import main

pytestmark = pytest.mark.engine

PROGRAM = """
import pulumi
pulumi.export("token", pulumi.Config("own").require_secret("token"))
"""


@pytest.fixture(autouse=True)
def over_tls():
    with calls_as_over_tls():
        yield


def test_state_lock_and_secrets_are_in_bucket_and_key(store, moto_endpoint, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_endpoint)
    assert main(["backend", "aws", "--bucket", "first-state", "--region", "eu-central-1"]) == 0
    *_, export, init = capsys.readouterr().out.splitlines()
    (tmp_path / "Pulumi.yaml").write_text("name: own\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(PROGRAM)

    def run(command):
        # moto has no names of hosts for buckets.
        done = subprocess.run(
            ["bash", "-euc", f"{export}; PULUMI_BACKEND_URL+='&s3ForcePathStyle=true'; {command}"],
            cwd=tmp_path,
            env=environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run(f"{init.replace('STACK', 'first')} --non-interactive")
    run("pulumi config set --secret own:token a-canary --non-interactive")
    run("pulumi up --yes --skip-preview --non-interactive")
    assert "a-canary" in run("pulumi stack output token --show-secrets --non-interactive")
    stated = store.get_object(Bucket="first-state", Key=".pulumi/stacks/own/first.json")
    text = stated["Body"].read().decode()
    assert stated["ServerSideEncryption"] == "aws:kms" and "a-canary" not in text
    assert json.loads(text)["checkpoint"]["latest"]["secrets_providers"]["type"] == "cloud"
    versions = store.list_object_versions(Bucket="first-state", Prefix=".pulumi/")
    kept = [one["Key"] for one in versions["Versions"]]
    assert kept.count(".pulumi/stacks/own/first.json") > 1, "earlier states can be brought back"
    removed = {one["Key"] for one in versions["DeleteMarkers"]}
    assert [one for one in removed if one.startswith(".pulumi/locks/organization/own/first/")]


def environment(folder: Path) -> dict[str, str]:
    keys = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    path = [str(Path(sys.executable).parent), toolchain.programs_path(), "/usr/bin", "/bin"]
    return {
        **keys,
        "PATH": os.pathsep.join(path),
        "HOME": str(folder / "home"),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
