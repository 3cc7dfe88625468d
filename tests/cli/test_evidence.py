"""`corral evidence` on an exported state: exit codes, a line per problem, nothing sensitive in the bundle."""

import json
from pathlib import Path

import pytest
import yaml
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY
from tests.reports.evidence.made import export, resource, stamp
from tests.reports.evidence.test_bundle import KEY, pem, public
from tests.stacks.stack_files import stack

from corral.cli.main import main

CANARY = "canary-of-the-stack"
POD = "kubernetes:core/v1:Pod"


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: corral\nruntime: python\n")
    monkeypatch.chdir(tmp_path)
    written({"profile": "open", "region": "embedded"})
    return tmp_path


def written(sovereignty: dict) -> None:
    secret = {"secure": f"v1:{CANARY}:ciphertext"}
    config = {"corral:platform": stack(sovereignty=sovereignty), "corral:grafana-password": secret}
    Path("Pulumi.mine.yaml").write_text(yaml.safe_dump({"config": config}))


def pod(image: str) -> dict:
    secret = {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "ciphertext": CANARY}
    env = [{"name": "A", "value": CANARY}, {"name": "B", "value": secret}]
    return resource(POD, "web", spec={"containers": [{"name": "c", "image": image, "env": env}]})


def evidence(*options: str) -> int:
    return main(["evidence", "-s", "mine", *options])


def state(*resources: dict, run=None) -> str:
    Path("state.json").write_text(json.dumps(export(run, *resources)))
    return "state.json"


def test_a_deployment_that_holds_is_signed_and_verified_and_the_key_is_in_no_file(
    checkout, monkeypatch, capsys
):
    monkeypatch.setenv("SIGNING", pem(KEY).decode())
    monkeypatch.setenv("PUBLIC", public(KEY).decode())
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    assert evidence("--state", state(run=stamp()), "--key", "env://SIGNING", "--to", "here/bundle") == 0
    assert evidence("--verify", "here/bundle", "--key", "env://PUBLIC") == 0
    said = capsys.readouterr()
    assert "here/bundle: the gate holds; signed" in said.out and "not checked" in said.out
    assert "verified: stack mine" in said.out
    found = json.loads(Path("here/bundle/evidence.json").read_text())
    assert (found["kind"], found["stack"], found["failures"]) == ("Evidence", "mine", [])
    assert found["made"] == "2026-09-21T14:13:20+00:00"
    private = pem(KEY).splitlines()[1]
    assert not any(private in one.read_bytes() for one in Path("here/bundle").iterdir())
    assert private.decode() not in said.out + said.err


def test_a_deployment_without_the_pack_exits_with_1_and_its_unsigned_bundle_is_there(checkout, capsys):
    assert evidence("--state", state()) == 1
    said = capsys.readouterr()
    assert "policy: not run" in said.err and "unsigned: name a key by --key" in said.out
    assert "policy: not run" in Path("evidence-mine/evidence.html").read_text()
    Path("public.pem").write_bytes(public(KEY))
    assert evidence("--verify", "evidence-mine", "--key", "public.pem") == 1
    assert "evidence-mine: not verified: unsigned" in capsys.readouterr().err
    assert evidence("--verify", "nowhere", "--key", "public.pem") == 2


def test_a_violation_in_the_state_exits_with_1_and_nothing_sensitive_is_in_any_file(checkout, capsys):
    assert evidence("--state", state(pod("evil.example/x:1"), run=stamp())) == 1
    assert "SOV-SUP-01 is violated by 1 resources" in capsys.readouterr().err
    written_files = list(Path("evidence-mine").iterdir())
    assert len(written_files) == 5
    assert [one.name for one in written_files if CANARY.encode() in one.read_bytes()] == []
    assert "urn:pulumi:s::p::kubernetes:core/v1:Pod::web" in Path("evidence-mine/evidence.json").read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--state", "absent.json"], "--state absent.json: No such file"),
        (["--state", "Pulumi.yaml"], "--state Pulumi.yaml: no JSON as `pulumi stack export` prints it"),
        (["--state", "list.json"], "--state list.json: no state as `pulumi stack export` prints it"),
        (["--state", "list.json", "--key", "absent.pem"], "--key absent.pem: No such file"),
        (["--verify", "here"], "--verify: name the public key by --key"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(checkout, options, words, capsys):
    Path("list.json").write_text("[]")
    assert evidence(*options) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert words in said[-1] and "Traceback" not in "".join(said)
    assert not Path("evidence-mine").exists()


def test_a_time_that_is_none_is_refused_before_anything_is_read(checkout, monkeypatch, capsys):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    assert evidence("--state", "absent.json") == 2
    assert "SOURCE_DATE_EPOCH=yesterday: use seconds since 1970" in capsys.readouterr().err
