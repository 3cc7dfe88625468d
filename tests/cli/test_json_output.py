"""What commands print with `--json`: one document that its schema allows, and nothing beside it."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from tests.cli.documents import validate

from corral.cli import status
from corral.cli.main import main
from corral.embedded.home import Home
from corral.embedded.plane.overview import Overview, PodView
from corral.embedded.plane.processes import Process
from corral.embedded.plane.record import PlaneRecord
from corral.embedded.plane.state import PlaneState, ProgramState

ROOT = Path(__file__).parents[2]
GOOD = """config:
  corral:platform:
    sovereignty: {profile: open, region: embedded}
    cluster: {kind: KIND}
    gpu-pools:
      - {name: whole, gpu: H100-80GB, nodes: {names: [gpu-1]}, gpus-per-node: 1, price-per-hour: 2}
    models: [{name: chat, model: llama-3.1-8b, weights: simulated}]
"""


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: corral\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text(GOOD.replace("KIND", "existing"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CORRAL_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("STACK", raising=False)
    return tmp_path


def document(capsys, *arguments: str, code: int = 0) -> dict:
    assert main([*arguments, "--json"]) == code
    found = json.loads(capsys.readouterr().out)
    validate(found)
    return found


def test_the_schema_refuses_what_no_command_prints(checkout, capsys):
    found = document(capsys, "plan")
    del found["plan"]["models"]
    with pytest.raises(jsonschema.ValidationError):
        validate(found)


def test_a_plan_is_a_document_with_its_amounts_exact(checkout, capsys):
    found = document(capsys, "plan")
    assert (found["kind"], found["version"]) == ("Plan", 1)
    assert found["plan"]["models"][0]["name"] == "chat"
    assert found["month"] == "1460.000000" or float(found["month"]) == 1460


def test_a_plan_names_the_secrets_and_the_command_for_each(checkout, capsys):
    found = document(capsys, "plan")["secrets"]
    assert [one["key"] for one in found] == [
        "storage-encryption-key",
        "storage-access-key",
        "storage-secret-key",
    ]
    main(["plan"])
    said = capsys.readouterr().out
    for one in found:
        assert one["command"] == f"pulumi config set --secret corral:{one['key']} --stack dev"
        assert one["command"] in said


def test_a_plan_of_a_plane_of_our_own_says_who_makes_its_secrets(checkout, capsys):
    (checkout / "Pulumi.dev.yaml").write_text(GOOD.replace("KIND", "embedded"))
    assert main(["plan"]) == 0
    said = capsys.readouterr().out
    assert "storage-encryption-key" in said and "corral init" in said and "pulumi config" not in said


def test_a_stack_file_that_is_wrong_prints_no_document(checkout, capsys):
    (checkout / "Pulumi.dev.yaml").write_text(GOOD.replace("open", "opn").replace("KIND", "existing"))
    assert main(["plan", "--json"]) == 2
    said = capsys.readouterr()
    assert said.out == "" and "sovereignty.profile: opn" in said.err


def test_lint_lists_problems_with_path_value_and_what_is_allowed(checkout, capsys):
    (checkout / "Pulumi.bad.yaml").write_text(GOOD.replace("open", "opn").replace("KIND", "existing"))
    found = document(capsys, "lint", code=2)
    assert found["problems"] == 1
    (problem,) = next(one for one in found["files"] if one["file"] == "Pulumi.bad.yaml")["problems"]
    assert (problem["path"], problem["value"]) == ("sovereignty.profile", "opn")
    assert "open" in problem["allowed"]


def test_models_and_fit_are_documents(checkout, capsys):
    assert document(capsys, "models", "bge")["models"][0]["name"] == "bge-m3"
    assert document(capsys, "fit", "bge-m3")["fit"]["spec"]["task"] == "embedding"
    assert document(capsys, "models", "bge-m3")["kind"] == "Fit"


def plane(tmp_path: Path, supervisor: Process | None, program: Process | None) -> None:
    home = Home(tmp_path / "home").plane("dev")
    PlaneRecord("dev", 20000, "127.96.0.0/16", 97, "", "/tmp/none", {"etcdPort": 20001}).save(home)
    PlaneState(supervisor, ready=True, programs={"etcd": ProgramState("running", program)}).save(home)


def test_the_status_of_a_plane_that_does_not_run_is_a_document_and_exit_code_1(checkout, capsys, tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    plane(tmp_path, Process(gone.pid, 1), None)
    found = document(capsys, "status", code=1)
    assert (found["supervised"], found["fine"]) == (False, False)
    assert found["faults"] == ["not running"] and found["programs"][0]["name"] == "etcd"


def test_without_a_plane_there_is_no_document(checkout, capsys):
    (checkout / "Pulumi.dev.yaml").unlink()
    assert main(["status", "--json"]) == 1
    said = capsys.readouterr()
    assert said.out == "" and "corral up -s dev" in said.err


KUBECTL = """#!/bin/sh
case "$*" in
*config*) printf https://cluster.example:6443 ;;
*"get pods"*) cat pods.json ;;
*"get resourceclaims"*) cat unserved >&2; exit 1 ;;
*"get secrets"*) echo '{"items": []}' ;;
*) echo 'v1 Namespace <none> models <none>' ;;
esac
"""
STATE = {
    "deployment": {
        "resources": [
            {"urn": name, "type": f"kubernetes:{kind}", "custom": True, "id": name,
             "inputs": {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}}
            for kind, name in (("Namespace", "models"), ("Namespace", "gone"))
        ]
    }
}  # fmt: skip


def test_a_stack_on_a_cluster_of_others_has_the_status_that_the_cluster_has(checkout, capsys, monkeypatch):
    """The user's own kubectl and Pulumi are asked; stand-ins of them answer here."""
    programs = checkout / "programs"
    programs.mkdir()
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    predictor = {"serving.kserve.io/inferenceservice": "chat"}
    several = [
        {
            "metadata": {"name": "chat-1", "namespace": "models", "uid": "1", "labels": predictor},
            "status": ready,
        },
        {"metadata": {"name": "web", "namespace": "strangers", "uid": "2"}, "status": {"phase": "Pending"}},
    ]
    (checkout / "pods.json").write_text(json.dumps({"items": several}))
    (checkout / "state.json").write_text(json.dumps(STATE))
    (checkout / "unserved").write_text('error: the server doesn\'t have a resource type "resourceclaims"')
    for name, text in (("kubectl", KUBECTL), ("pulumi", "#!/bin/sh\ncat state.json\n")):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    found = document(capsys, "status", code=1)
    assert (found["plane"], found["server"]) == ("", "https://cluster.example:6443")
    assert [(one["name"], one["runs_as"], one["state"]) for one in found["pods"]] == [
        ("chat-1", "container", "ready")
    ]
    assert [(one["name"], one["ready"]) for one in found["models"]] == [("chat", 1)]
    assert found["faults"] == ["changed by hand: Namespace gone is missing"]
    assert main(["status"]) == 1
    assert "changed by hand: Namespace gone is missing" in capsys.readouterr().out


DESTROYING = """#!/bin/sh
case "$*" in
*export*) cat state.json ;;
*) echo "$*" > destroyed ;;
esac
"""


@pytest.mark.parametrize(
    ("protected", "locked", "options", "code", "ran"),
    [
        (True, False, [], 1, None),
        (True, True, [], 1, None),
        (True, True, ["--exclude-protected"], 0, "destroy --stack dev --yes --exclude-protected"),
        (False, True, [], 1, None),
        (False, True, ["--exclude-protected"], 1, None),
        (False, False, [], 0, "destroy --stack dev --yes"),
    ],
)
def test_down_names_what_is_protected_of_a_stack_elsewhere_before_anything_is_touched(
    checkout, capsys, monkeypatch, protected, locked, options, code, ran
):
    """`locked`: by the cloud itself, of which the engine learns when most else is gone."""
    (checkout / "pulumi").write_text(DESTROYING)
    (checkout / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{checkout}:/usr/bin:/bin")
    state = json.loads(json.dumps(STATE))
    state["deployment"]["resources"][0]["protect"] = protected
    state["deployment"]["resources"][0]["inputs"]["deletionProtection"] = locked
    (checkout / "state.json").write_text(json.dumps(state))
    assert main(["down", "--yes", *options]) == code
    said = capsys.readouterr().err
    assert ("Namespace models" in said) is (protected or locked) and "Namespace gone" not in said
    assert ("nothing was touched" in said and "deletion-protection: false" in said) is (code == 1)
    assert ("its cloud refuses to delete" in said) is (locked and not protected)
    destroyed = checkout / "destroyed"
    assert (destroyed.read_text().strip() if destroyed.exists() else None) == ran


def pod(name: str, state: str) -> PodView:
    return PodView("models", name, "uid", "process", state, (), ("gpu-1/0",), "chat")


@pytest.mark.parametrize(("state", "fine"), [("ready", True), ("CrashLoopBackOff", False)])
def test_a_pod_that_is_not_ready_is_a_fault(state, fine):
    program = subprocess.Popen(["sleep", "100"])
    try:
        me = Process.of(program.pid)
        running = PlaneState(me, ready=True, programs={"etcd": ProgramState("running", me)})
        record = PlaneRecord("dev", 20000, "127.96.0.0/16", 97, "", "/tmp/none", {})
        made = status.document(record, running, Overview((pod("chat-1", state),)), None)
        assert made.fine == fine and made.pods[0].model == "chat"
        assert made.faults == (() if fine else (f"pod models/chat-1 is {state}",))
        assert made.programs[0].pid == program.pid
    finally:
        program.kill()
        program.wait()


def test_a_plane_whose_stack_file_is_not_at_hand_has_a_status(checkout, capsys, tmp_path, monkeypatch):
    (checkout / "Pulumi.dev.yaml").unlink()
    program = subprocess.Popen(["sleep", "100"])
    try:
        me = Process.of(program.pid)
        plane(tmp_path, me, me)

        async def nothing(_plane: object) -> Overview:
            return Overview(())

        monkeypatch.setattr("corral.cli.plane.read", nothing)
        found = document(capsys, "status", code=1)
        assert found["supervised"] and found["models"] == []
        assert found["faults"] == ["nothing is deployed: `corral up`"]
    finally:
        program.kill()
        program.wait()


def test_status_into_a_reader_that_leaves_early_is_no_failure(checkout, tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    plane(tmp_path, Process(gone.pid, 1), None)
    command = f"set -o pipefail; {sys.executable} -m corral.cli.main status | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.stderr == "" and "Traceback" not in done.stdout
