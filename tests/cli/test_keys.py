"""`corral keys`: keys that are shown once, kept where Envoy Gateway reads them, and nowhere else."""

import base64
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from corral.catalogue.gateway import NO_CALLER, NO_KEY
from corral.cli import keys as command
from corral.cli.main import main

STACK = """config:
  corral:platform:
    sovereignty: {profile: open, region: dc-1}
    cluster: {kind: existing}
    tenants: [{name: blue}, {name: red}]
    gateway:
      host: models.example.eu
      tenants:
        red:
          jwt:
            issuer: https://id.example.eu
            jwks: https://id.example.eu/keys
            network: 10.20.0.0/24
            audiences: [models]
"""


class Cluster:
    """A kubectl before one Secret, with the API server's rule about versions."""

    def __init__(self) -> None:
        self.secret: dict[str, Any] | None = {
            "metadata": {"name": "keys-blue", "resourceVersion": "1"},
            "data": {NO_CALLER: base64.b64encode(NO_KEY.encode()).decode()},
        }
        self.arguments: list[str] = []
        self.interfere = False

    def run(self, arguments: Sequence[str], stdin: str = "") -> subprocess.CompletedProcess[str]:
        self.arguments += arguments
        if self.secret is None:
            return self._done(1, "", 'Error from server (NotFound): secrets "keys-blue" not found')
        assert arguments[1:4] == ["secret", "keys-blue", "--namespace=envoy-gateway-system"]
        if arguments[0] == "get":
            answer = self._done(0, json.dumps(self.secret))
            self._version(1 if self.interfere else 0)
            return answer
        assert arguments[0] == "patch" and "--type=merge" in arguments
        body = json.loads(stdin)
        if body["metadata"].pop("resourceVersion") != self.secret["metadata"]["resourceVersion"]:
            return self._done(1, "", "Error from server (Conflict): the object has been modified")
        self._version(1)
        for kept, changes in (
            (self.secret["data"], body["data"]),
            (self.secret["metadata"].setdefault("annotations", {}), body["metadata"]["annotations"]),
        ):
            kept.update(changes)
            for key in [key for key, value in kept.items() if value is None]:
                del kept[key]
        return self._done(0, "secret/keys-blue")

    def _version(self, more: int) -> None:
        assert self.secret is not None
        self.secret["metadata"]["resourceVersion"] = str(
            int(self.secret["metadata"]["resourceVersion"]) + more
        )

    @staticmethod
    def _done(code: int, out: str, err: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], code, out, err)

    def entries(self) -> dict[str, str]:
        assert self.secret is not None
        return {key: base64.b64decode(value).decode() for key, value in self.secret["data"].items()}


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    (tmp_path / "Pulumi.yaml").write_text("name: corral\nruntime: python\n")
    (tmp_path / "Pulumi.site.yaml").write_text(STACK)
    (tmp_path / "Pulumi.closed.yaml").write_text(STACK.partition("    gateway:")[0])
    monkeypatch.chdir(tmp_path)
    made = Cluster()
    monkeypatch.setattr(command, "kubectl_of", lambda plan, stack: made)
    return made


def run(*words: str, stack: str = "site") -> int:
    return main(["-s", stack, "keys", *words])


def test_a_new_key_is_printed_once_and_kept_as_envoy_gateway_reads_it(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
):
    assert run("make", "blue", "shop") == 0
    shown = capsys.readouterr()
    key = shown.out.strip()
    assert len(key) > 40 and cluster.entries() == {NO_CALLER: NO_KEY, "shop": key}
    assert key not in shown.err and "https://models.example.eu/blue/v1" in shown.err
    assert not any(key in one for one in cluster.arguments), "arguments are there for all to see"
    assert run("list", "blue") == 0
    listed = capsys.readouterr().out
    assert listed.startswith("shop  20") and key not in listed


def test_a_key_that_is_revoked_is_gone_and_the_list_is_still_not_empty(cluster: Cluster):
    run("make", "blue", "shop")
    assert run("revoke", "blue", "shop") == 0
    assert cluster.entries() == {NO_CALLER: NO_KEY}
    assert cluster.secret is not None and cluster.secret["metadata"]["annotations"] == {}


def test_a_secret_that_somebody_emptied_has_its_placeholder_again(cluster: Cluster):
    assert cluster.secret is not None
    cluster.secret["data"] = {}
    run("make", "blue", "shop")
    assert cluster.entries()[NO_CALLER] == NO_KEY


def test_two_callers_have_keys_of_their_own(cluster: Cluster, capsys: pytest.CaptureFixture[str]):
    run("make", "blue", "shop")
    run("make", "blue", "desk")
    first, second = capsys.readouterr().out.split()
    assert first != second and set(cluster.entries().values()) == {NO_KEY, first, second}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["make", "blue"], "keys make blue: name the caller"),
        (["make", "green", "shop"], "no tenant green: use one of blue, red"),
        (["make", "red", "shop"], "callers of tenant red show tokens of https://id.example.eu"),
        (["make", "blue", "Shop"], "caller Shop: use 1 to 40 of a-z, 0-9 and -"),
        (["make", "blue", "none"], "caller none: use 1 to 40"),
        (["revoke", "blue", "none"], "caller none: use 1 to 40"),
        (["revoke", "blue", "desk"], "no key of desk for tenant blue"),
        (["list", "blue", "shop"], "keys list blue shop"),
    ],
)
def test_a_wrong_request_is_one_line_and_changes_nothing(
    words: list[str], line: str, cluster: Cluster, capsys: pytest.CaptureFixture[str]
):
    before = json.dumps(cluster.secret)
    assert run(*words) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("corral: ") and line in said
    assert json.dumps(cluster.secret) == before


def test_a_caller_has_one_key(cluster: Cluster, capsys: pytest.CaptureFixture[str]):
    run("make", "blue", "shop")
    capsys.readouterr()
    assert run("make", "blue", "shop") == 2
    assert "revoke it first" in capsys.readouterr().err


def test_a_stack_without_a_gateway_has_no_keys(cluster: Cluster, capsys: pytest.CaptureFixture[str]):
    assert run("list", "blue", stack="closed") == 2
    assert "has no section gateway" in capsys.readouterr().err


def test_keys_before_the_first_up_and_changes_at_the_same_time_are_answered_in_a_line(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
):
    cluster.interfere = True
    assert run("make", "blue", "shop") == 1
    assert "the keys cannot be changed: Error from server (Conflict)" in capsys.readouterr().err
    assert "shop" not in cluster.entries()
    cluster.secret = None
    assert run("list", "blue") == 1
    assert "the next `up` of the stack makes it" in capsys.readouterr().err


def test_keys_that_a_store_of_secrets_has_are_changed_there(
    cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    place = "{store: s, provider: vault, server: 'https://v.example.eu', role: r, prefix: corral/}"
    (tmp_path / "Pulumi.stored.yaml").write_text(f"{STACK}    secrets: {place}\n")
    assert run("make", "blue", "shop", stack="stored") != 0
    assert "change corral/keys-blue there" in capsys.readouterr().err
    assert cluster.entries() == {NO_CALLER: NO_KEY}
