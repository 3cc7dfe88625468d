"""What is killed comes back, what is wrong changes nothing, and what was stored stays."""

import json
import os
import re
import shutil
import signal
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from platform_client import CHECKOUT, UP_SECONDS, Done, Platform, wait_for
from tests.docs_pages.tasks_page import line

from corral.embedded.plane.processes import Process
from corral.embedded.plane.state import PlaneState

pytestmark = pytest.mark.engine

SECONDS = 90
VIOLATION = """
import pulumi
import pulumi_kubernetes as kubernetes

kubernetes.core.v1.Pod(
    "violation",
    metadata={"name": "violation", "namespace": "default"},
    spec={"containers": [{"name": "main", "image": "docker.io/library/busybox:1"}]},
    opts=pulumi.ResourceOptions(provider=kubernetes.Provider("violating", kubeconfig="KUBECONFIG")),
)
"""


def changed(platform: Platform, folder: Path, change) -> Platform:
    """The same platform, from a checkout whose stack file is another."""
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(CHECKOUT / name, folder / name)
    (folder / "policy").symlink_to(CHECKOUT / "policy")
    stack = yaml.safe_load((platform.checkout / "Pulumi.dev.yaml").read_text())
    change(stack["config"]["corral:platform"])
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump(stack))
    return replace(platform, checkout=folder)


def contents(platform: Platform) -> dict[str, str]:
    items = platform.items(
        "deployments,statefulsets,services,configmaps,secrets,networkpolicies,namespaces,inferenceservices",
        "-A",
    )
    still = ("kube-system", "kyverno", "kube-node-lease")
    return {
        f"{one['kind']}/{one['metadata'].get('namespace', '')}/{one['metadata']['name']}": one["metadata"][
            "uid"
        ]
        + str(one["metadata"].get("generation", ""))
        for one in items
        if one["metadata"].get("namespace") not in still
    }


def test_a_wrong_stack_file_is_refused_with_exit_code_2_and_changes_nothing(platform, tmp_path):
    before = contents(platform)
    wrong = changed(platform, tmp_path, lambda stack: stack.update({"modles": []}))
    done = wrong.corral("up", seconds=SECONDS)
    assert done.code == 2, done.output
    assert "modles" in done.err and "Traceback" not in done.output
    assert contents(platform) == before


def test_a_violation_stops_before_any_change(platform, tmp_path):
    before = contents(platform)
    violating = changed(platform, tmp_path, lambda stack: stack["tenants"].append({"name": "newcomers"}))
    program = tmp_path / "__main__.py"
    program.write_text(program.read_text() + VIOLATION.replace("KUBECONFIG", str(platform.plane.kubeconfig)))
    done = violating.corral("up", seconds=UP_SECONDS)
    assert done.code not in (0, 2), done.output[-3000:]
    assert "corral-sovereignty" in done.output and "SOV-SUP-01" in done.output, done.output[-3000:]
    assert contents(platform) == before
    assert (
        platform.try_kubectl("get", "namespace", "tenant-newcomers", "newcomers", "--ignore-not-found").out
        == ""
    )


def grow(stack) -> None:
    """One tenant more, and the model twice."""
    stack["tenants"].append({"name": "newcomers"})
    stack["models"][0]["replicas"] = 2


def test_an_up_killed_midway_is_finished_by_the_next(platform, tmp_path):
    grown = changed(platform, tmp_path, grow)
    running = grown.start("up")
    try:
        pulumi = wait_for(lambda: deploying(platform), SECONDS, "pulumi works on the stack")
        wait_for(
            lambda: platform.try_kubectl("get", "namespace", "newcomers", "--ignore-not-found").out,
            UP_SECONDS,
            "the first of the new objects is there",
        )
        os.kill(pulumi.pid, signal.SIGKILL)
    finally:
        running.communicate(timeout=SECONDS)
    assert running.returncode != 0
    done = grown.corral("up", seconds=UP_SECONDS)
    assert done.code == 0, done.output[-3000:]
    assert "an earlier run was interrupted: releasing its lock" in done.err
    assert platform.items("networkpolicies", "-n", "newcomers")


def test_two_replicas_on_two_slices_answer_and_one_goes_on_when_the_other_is_killed(platform):
    pods = {one["metadata"]["name"]: one for one in platform.model_pods()}
    assert len(pods) == 2
    text = ask(platform).err
    hops = re.findall(r"→ pod (\S+) → slice (\S+) → process (\d+)", text)
    assert {pod for pod, _, _ in hops} == pods.keys(), text
    assert len({device for _, device, _ in hops}) == 2, text
    first = int(hops[0][2])
    os.kill(first, signal.SIGKILL)
    # The replica may be ready again between two looks; how often it was started anew stays.
    wait_for(
        lambda: len(now := platform.model_pods()) == 1 or restarts(now) > restarts(pods.values()),
        10,
        "the killed replica is not ready",
    )
    assert "Paris" in ask(platform).out
    wait_for(
        lambda: len(now := platform.model_pods()) == 2 and restarts(now) > restarts(pods.values()),
        SECONDS,
        "both replicas are ready again",
    )


def test_a_replica_that_is_to_end_finishes_its_answer(platform):
    pods = platform.model_pods()
    first = pods[0]
    own = f"127.{first['status']['podIP'].partition('.')[2]}"
    # More than is said in the time after which a server is told to end.
    question = {
        "messages": [{"role": "user", "content": "Count to a thousand."}],
        "max_tokens": 180, "ignore_eos": True, "stream": True,
    }  # fmt: skip
    url = f"http://{own}:8080/v1/chat/completions"
    with httpx.stream("POST", url, json=question, trust_env=False, timeout=SECONDS) as answer:
        lines = (one for one in answer.iter_lines() if one)
        said = [next(lines)]
        platform.kubectl("delete", "pod", first["metadata"]["name"], "-n", "assistants", "--wait=false")
        said += lines
    assert said[-1] == "data: [DONE]" and len(said) > 180
    wait_for(
        lambda: len(now := platform.model_pods()) == len(pods) and first["metadata"]["uid"] not in str(now),
        SECONDS,
        "another replica is ready in its place",
    )


def restarts(pods: Iterable[dict[str, Any]]) -> int:
    """How often containers of `pods` were started anew."""
    return sum(one["restartCount"] for pod in pods for one in pod["status"]["containerStatuses"])


def test_an_update_during_which_the_api_server_dies_is_finished_by_the_next(platform):
    """The earlier stack file takes away what was added."""
    running = platform.start("up")
    try:
        wait_for(lambda: deploying(platform), SECONDS, "pulumi works on the stack")
        wait_for(
            lambda: "deletionTimestamp" in platform.read("namespace", "newcomers")["metadata"],
            UP_SECONDS,
            "the first object is on its way out",
        )
        kill(platform, "kube-apiserver")
        text = "".join(running.communicate(timeout=UP_SECONDS))
    finally:
        running.kill()
        running.wait()
    assert "Traceback" not in text, text[-3000:]
    done = platform.corral("up", seconds=UP_SECONDS)
    assert done.code == 0, done.output[-3000:]
    assert platform.try_kubectl("get", "namespace", "newcomers", "--ignore-not-found").out == ""


def deploying(platform: Platform) -> Process | None:
    """The engine of this platform, once it is past its preview."""
    config = str(platform.plane.engine)
    items = [one for one in platform.processes() if re.search(r"/pulumi (up|update) ", one.command)]
    return next((Process(one.pid, one.start) for one in items if config in one.command), None)


def test_a_killed_api_server_comes_back_and_the_platform_with_it(platform):
    recovers(platform, "kube-apiserver")


def test_a_killed_process_node_comes_back_and_finds_its_pods_as_they_were(platform):
    before = {one.pid for one in platform.processes() if "llama_server" in one.command}
    assert before
    recovers(platform, "node")
    assert {one.pid for one in platform.processes() if "llama_server" in one.command} == before


def test_a_killed_controller_of_kserve_comes_back(platform):
    # Controllers that lost the API server in an earlier test may still be on their way back.
    before = wait_for(lambda: manager(platform), SECONDS, "the controller is ready")
    os.kill(before.pid, signal.SIGKILL)
    wait_for(lambda: not before.alive, 10, "the controller ended")
    again = wait_for(lambda: manager(platform, restarted=True), SECONDS, "the controller is ready again")
    assert again != before


def manager(platform: Platform, *, restarted: bool = False) -> Process | None:
    """The controller's process once its pod is ready; with `restarted` once that was started anew, too."""
    pods = [
        one
        for one in platform.items("pods", "-n", "kserve")
        if "controller-manager" in one["metadata"]["name"]
    ]
    ready = [
        one
        for one in pods
        if any(c["type"] == "Ready" and c["status"] == "True" for c in one["status"]["conditions"])
    ]
    if not restarted:
        return platform.program_of("kserve", "kserve-controller-manager") if ready else None
    again = [one for one in ready if one["status"]["containerStatuses"][0]["restartCount"] > 0]
    return platform.program_of("kserve", "kserve-controller-manager") if again else None


def recovers(platform: Platform, program: str) -> None:
    """Kill one program of the plane; another takes its place and a model answers."""
    before = kill(platform, program)
    wait_for(lambda: another(platform, program, before), SECONDS, f"{program} runs again")
    wait_for(lambda: answers(platform), SECONDS, "a model answers")


def kill(platform: Platform, program: str) -> Process:
    before = PlaneState.load(platform.plane).programs[program].process
    assert before is not None
    os.kill(before.pid, signal.SIGKILL)
    wait_for(lambda: not before.alive, 10, f"{program} ended")
    return before


def another(platform: Platform, program: str, before: Process) -> bool:
    entry = PlaneState.load(platform.plane).programs[program]
    return entry.phase == "running" and entry.process not in (None, before)


def answers(platform: Platform) -> bool:
    done = ask(platform)
    return done.code == 0 and "Paris" in done.out


def ask(platform: Platform) -> Done:
    return platform.corral(
        "chat", "smollm2", "What is the capital of France?", "--max-tokens", "16", seconds=SECONDS
    )


EDITED = {
    ("NetworkPolicy", "developers", "default-deny"): {"spec": {"policyTypes": ["Ingress"]}},
    ("Service", "vector-db", "vector-db"): {"spec": {"selector": {"app.kubernetes.io/name": "elsewhere"}}},
    ("ServiceMonitor", "kyverno", "corral-kyverno"): {"spec": {"endpoints": [{"port": "elsewhere"}]}},
    ("ValidatingAdmissionPolicyBinding", "", "sov-sup-02"): {"spec": {"validationActions": ["Audit"]}},
    ("Namespace", "", "developers"): {
        "metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}
    },
}
"""Objects of the stack's own and what somebody makes of them, by kind, namespace and name."""


def test_what_was_changed_by_hand_is_named_by_drift_and_status_and_brought_back_by_up(platform):
    """Deleted, scaled and edited: policies, and objects of the stack's own and of Helm releases."""
    # Controllers that lost the API server in an earlier test may still be on their way back.
    wait_for(lambda: admits(platform), UP_SECONDS, "Kyverno answers for its policies")
    gone = [
        ("ValidatingAdmissionPolicyBinding", "", "sov-sup-01"),
        ("ValidatingPolicy", "", "sov-sup-01"),
        ("Deployment", "vector-db", "vector-db-exporter"),
        ("Deployment", "cert-manager", "cert-manager"),
    ]
    for kind, namespace, name in gone:
        platform.kubectl("delete", *located(kind, namespace, name))
    stated = {one: platform.read(*located(*one)) for one in EDITED}
    for one, patch in EDITED.items():
        edit = ("--type=merge", "--field-manager=kubectl-edit", "-p", json.dumps(patch))
        platform.kubectl("patch", *located(*one), *edit)
    manager = ("deployment", "kserve-controller-manager", "-n", "kserve")
    platform.kubectl("scale", *manager, "--replicas=0")
    database = ("statefulset", "vector-db", "-n", "vector-db")
    platform.kubectl("scale", *database, "--replicas=0")
    text = platform.corral("status", seconds=SECONDS)
    assert text.code == 1
    named = " ".join(text.out.split())
    for kind, namespace, name in gone:
        assert f"changed by hand: {kind} {namespace}{'/' if namespace else ''}{name} is missing" in named
    assert "Deployment kserve/kserve-controller-manager is scaled to 0, 1 are stated" in named
    before = state(platform)
    told_by = line("See what would change, and what somebody changed by hand", "corral drift")
    drift = platform.shell(told_by.replace("-s mine", "-s dev"), seconds=UP_SECONDS)
    assert drift.code == 3, drift.output[-3000:]
    told = {
        (one["type"].rpartition(":")[2], one["object"]): (one["operation"], one["properties"])
        for one in json.loads(drift.out)["changes"]
    }
    missing = {
        (kind, "/".join(filter(None, (namespace, name)))): ("delete", []) for kind, namespace, name in gone
    }
    scaled = {"path": "spec.replicas", "old": 1, "new": 0}
    by_hand = {
        **missing,
        ("Deployment", "kserve/kserve-controller-manager"): ("update", [scaled]),
    }
    assert by_hand.items() <= told.items(), told
    edited = [("StatefulSet", "vector-db/vector-db")]
    edited += [(kind, "/".join(filter(None, (namespace, name)))) for kind, namespace, name in EDITED]
    assert [told[one][0] for one in edited] == ["update"] * len(edited)
    assert state(platform) == before
    done = platform.corral("up", seconds=UP_SECONDS)
    assert done.code == 0, done.output[-3000:]
    for kind, namespace, name in gone:
        platform.read(*located(kind, namespace, name))
    assert platform.read(*manager)["spec"]["replicas"] == platform.read(*database)["spec"]["replicas"] == 1
    for one, before_edit in stated.items():
        now = platform.read(*located(*one))
        assert now.get("spec") == before_edit.get("spec"), one
        assert now["metadata"]["labels"] == before_edit["metadata"]["labels"], one
    assert "changed by hand" not in platform.corral("status", seconds=SECONDS).out


def located(kind: str, namespace: str, name: str) -> list[str]:
    """Arguments of kubectl that name one object."""
    return [kind, name, *(["-n", namespace] if namespace else [])]


def admits(platform: Platform) -> bool:
    """Whether Kyverno's admission controller is ready, without which no policy of its kind is taken."""
    controller = platform.read("deployment", "kyverno-admission-controller", "-n", "kyverno")
    return controller["status"].get("readyReplicas", 0) == controller["spec"]["replicas"]


def state(platform: Platform) -> bytes:
    """What Pulumi keeps of the stack."""
    return (platform.plane.engine / "state" / ".pulumi" / "stacks" / "corral" / "dev.json").read_bytes()


def test_stop_ends_every_process_and_the_next_up_finds_all_data(platform):
    before = contents(platform)
    stored = platform.kubectl("get", "pv", "-o", "name")
    platform.sql("create table kept (place vector(3)); insert into kept values ('[1,2,3]'), ('[9,9,9]')")
    assert platform.corral("stop", seconds=SECONDS).code == 0
    assert platform.processes() == []
    assert platform.corral("chat", "Are you there?").code == 1
    done = platform.corral("up", seconds=UP_SECONDS)
    assert done.code == 0, done.output[-3000:]
    assert re.search(r"^preview: \d+ unchanged \(", done.output, re.MULTILINE), done.output[-3000:]
    assert platform.kubectl("get", "pv", "-o", "name") == stored
    lost = before.keys() - contents(platform).keys()
    assert lost == set()
    assert platform.sql("select place from kept order by place <-> '[1,2,2]' limit 1") == "[1,2,3]"
    assert answers(platform)
