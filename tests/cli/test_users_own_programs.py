"""A stack on a cluster that is not ours: calls of the user's own Pulumi and kubectl, and their refusals."""

import os
from pathlib import Path

import pytest

from corral.cli.main import main

STACK_FILE = """
config:
  corral:platform:
    sovereignty: {profile: open, region: eu-central-1}
    cluster: {kind: existing, kubeconfig: "~/clusters/mine.yaml", context: mine}
    tenants: [{name: assistants}]
    gpu-pools: [{name: slices, gpu: L40S, nodes: {names: [gpu-0]}, gpus-per-node: 1}]
    models: [{name: smollm2, model: smollm2-135m, context: 2048, max-num-seqs: 2}]
"""
RELEASE = "kubernetes:helm.sh/v3:Release"
STATE = f"""{{"deployment": {{"resources": [{{
  "urn": "urn::Release::kyverno", "type": "{RELEASE}", "inputs": {{"name": "kyverno", "namespace": "kyverno"}}
}}]}}}}"""


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "corral"
    (folder / "docs").mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text("name: corral\nruntime: python\n")
    (folder / "Pulumi.mine.yaml").write_text(STACK_FILE)
    (tmp_path / "bin").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CORRAL_HOME", str(tmp_path / "corral-home"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    return folder


def program(checkout: Path, name: str, text: str) -> None:
    file = checkout.parent / "bin" / name
    file.write_text(f'#!/bin/sh\necho "{name} $@" >> {checkout.parent}/calls\n{text}\n')
    file.chmod(0o755)


def kubeconfig(checkout: Path) -> Path:
    file = checkout.parent / "home" / "clusters" / "mine.yaml"
    file.parent.mkdir(parents=True)
    file.touch()
    return file


def called(checkout: Path) -> list[str]:
    return (checkout.parent / "calls").read_text().splitlines()


@pytest.mark.parametrize(
    ("code", "way_out"),
    [
        (3, "PULUMI_BACKEND_URL or `pulumi login URL`"),
        (6, "`pulumi stack init mine` makes it"),
    ],
)
@pytest.mark.parametrize(
    "command", [["diff"], ["drift"], ["down", "--yes"], ["evidence"], ["preview"], ["up", "--yes"]]
)
def test_a_stack_without_a_state_ends_with_the_way_to_one(checkout, capfd, command, code, way_out):
    program(checkout, "pulumi", f"echo 'error: PULUMI_ACCESS_TOKEN must be set' >&2; exit {code}")
    assert main([*command, "-s", "mine"]) != 0
    assert way_out in capfd.readouterr().err.splitlines()[-1]


def test_the_reason_of_a_backend_is_its_error_and_no_warning_before_it(checkout, capfd):
    said = "SDK WARN falling back\nerror: read meta.yaml: no credentials\nhint: see the docs"
    program(checkout, "pulumi", f"cat >&2 <<'END'\n{said}\nEND\nexit 1")
    assert main(["drift", "-s", "mine"]) == 1
    last = capfd.readouterr().err.strip().splitlines()[-1]
    assert last == "corral: stack mine: its state cannot be read: read meta.yaml: no credentials"


@pytest.mark.parametrize(("options", "assured"), [([], False), (["--yes"], True)])
def test_an_update_asks_unless_it_is_told_not_to(checkout, options, assured):
    program(checkout, "pulumi", "exit 0")
    assert main(["up", "-s", "mine", *options]) == 0
    (call,) = called(checkout)
    assert call.startswith("pulumi up --stack mine") and ("--yes" in call) == assured


def test_kubectl_gets_the_kubeconfig_where_the_provider_finds_it(checkout, monkeypatch, capfd):
    program(checkout, "pulumi", f"cat <<'END'\n{STATE}\nEND")
    program(checkout, "kubectl", "echo '{\"items\": []}'")
    file = kubeconfig(checkout)
    main(["status", "-s", "mine"])
    assert f"--kubeconfig={file} " in called(checkout)[0]
    stated = checkout / "Pulumi.mine.yaml"
    stated.write_text(STACK_FILE.replace("~/clusters/mine.yaml", "mine.yaml"))
    (checkout / "mine.yaml").touch()
    monkeypatch.chdir(checkout / "docs")
    main(["status", "-s", "mine"])
    assert f"--kubeconfig={checkout / 'mine.yaml'} " in called(checkout)[-1]


MISSING_PLUGIN = """\
E1129 00:31:10.101010 1 memcache.go:265] "Unhandled Error" err="couldn't get current server API group list"
Unable to connect to the server: getting credentials: exec: executable aws not found

It looks like you are trying to use a client-go credential plugin that is not installed.

To learn more about this feature, consult the documentation available at:
      https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""
"""What kubectl 1.36 says."""


def test_a_credential_plugin_that_is_not_installed_is_named(checkout, capfd):
    kubeconfig(checkout)
    program(checkout, "pulumi", f"cat <<'END'\n{STATE}\nEND")
    program(checkout, "kubectl", f"test $3 = config || {{ cat >&2 <<'END'\n{MISSING_PLUGIN}END\nexit 1\n}}")
    assert main(["status", "-s", "mine"]) == 1
    assert "exec: executable aws not found" in capfd.readouterr().err.strip().splitlines()[-1]


def test_a_kubeconfig_that_is_not_there_is_named_with_its_key(checkout, capfd):
    program(checkout, "pulumi", f"cat <<'END'\n{STATE}\nEND")
    program(checkout, "kubectl", "echo 'error: cannot locate context mine' >&2; exit 1")
    assert main(["status", "-s", "mine"]) == 1
    expected = (
        f"corral: cluster.kubeconfig: {checkout.parent}/home/clusters/mine.yaml: No such file or directory"
    )
    assert capfd.readouterr().err.strip().splitlines()[-1] == expected
