"""Two commands bring the platform up, and a model answers."""

import json
import os
import re
import signal
from pathlib import Path

import pytest
from platform_client import UP_SECONDS, Platform, holds, wait_for

from corral.embedded.plane.processes import Process

pytestmark = pytest.mark.engine

ANSWER_SECONDS = 90


def test_up_ends_with_a_table_of_what_runs_as_what_and_what_to_do_next(brought_up):
    _platform, done = brought_up
    assert done.code == 0, done.output[-3000:]
    for pod, kind in (
        ("kserve-controller-manager", "process"),
        ("kyverno-admission-controller", "process"),
        ("model-storage-0", "process"),
        ("smollm2-predictor", "process"),
        ("chat-predictor", "simulated"),
    ):
        assert re.search(rf"{pod}\S*\s+{kind}\s+ready", done.out), f"{pod}: {kind}\n{done.out[-6000:]}"
    assert re.search(r"smollm2-predictor-\S+\s+on slices-0/gpu-\d-mig-1g5gb-\d, process \d+", done.out), (
        done.out
    )
    assert 'corral chat "' in done.out


def test_outputs_name_endpoints_placements_bucket_database_grafana_and_policy(platform):
    done = platform.pulumi("stack", "output", "--json")
    assert done.code == 0, done.output
    outputs = json.loads(done.out)
    assert outputs["endpoints"].keys() == outputs["placements"].keys()
    assert set(outputs["endpoints"]) >= {"smollm2", "chat", "chat-large", "code", "embed"}
    assert "smollm2-predictor.assistants" in outputs["endpoints"]["smollm2"]
    assert outputs["placements"]["smollm2"][0]["node"] == "slices-0"
    assert outputs["placements"]["smollm2"][0]["profile"] == "1g.5gb"
    assert outputs["bucket"] == "s3://models"
    assert outputs["grafana"]
    assert "SOV-SUP-01" in outputs["policy"]["controls-at-admission"]
    assert outputs["policy"]["pack"].startswith("corral-sovereignty ")
    assert outputs["policy"]["verdict"] == "passed"
    if outputs["vector-db"] is not None:
        assert outputs["vector-db"].endswith(":5432")


def test_the_fleet_is_placed_as_the_plan_said(platform):
    placements = json.loads(platform.pulumi("stack", "output", "placements", "--json").out)
    planned = {model: {place["node"] for place in places} for model, places in placements.items()}
    taken: dict[str, set[str]] = {model: set() for model in planned}
    for claim in platform.items("resourceclaims", "-A"):
        model = next(
            (name for name in planned if claim["metadata"]["name"].startswith(f"{name}-predictor")), None
        )
        results = claim.get("status", {}).get("allocation", {}).get("devices", {}).get("results", [])
        if model is not None:
            taken[model] |= {result["pool"] for result in results}
    assert taken == planned


def test_a_drain_may_take_one_replica_of_several_and_keeps_no_node_for_the_only_one(platform):
    budgets = {
        one["metadata"]["name"]: one["status"]
        for one in platform.items("poddisruptionbudgets", "-A", "-l", "corral.dev/component=model")
    }
    assert "embed" in budgets and "smollm2" not in budgets
    wait_for(
        lambda: platform.read("poddisruptionbudget", "embed", "-n", "developers")["status"][
            "disruptionsAllowed"
        ],
        ANSWER_SECONDS,
        "both replicas are ready",
    )
    seen = platform.read("poddisruptionbudget", "embed", "-n", "developers")["status"]
    assert (seen["expectedPods"], seen["desiredHealthy"], seen["disruptionsAllowed"]) == (2, 1, 1)


def test_pods_of_models_have_the_priority_that_their_class_has_and_imports_give_way(platform):
    (pod,) = platform.model_pods()
    assert (pod["spec"]["priorityClassName"], pod["spec"]["priority"]) == ("corral-normal", 0)
    keys = {one["topologyKey"] for one in pod["spec"]["topologySpreadConstraints"]}
    assert keys == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
    jobs = platform.items("jobs", "-A", "-l", "corral.dev/job=import")
    assert {one["spec"]["template"]["spec"]["priorityClassName"] for one in jobs} == {"corral-batch"}


def test_a_second_up_changes_nothing(platform):
    before = versions(platform)
    done = platform.corral("up", seconds=UP_SECONDS)
    assert done.code == 0, done.output[-3000:]
    assert re.search(r"^preview: \d+ unchanged \(", done.output, re.MULTILINE), done.output[-4000:]
    assert "update:" not in done.output, "a preview that finds nothing to do is all"
    assert versions(platform) == before


CONTROLLERS = {"kyverno": ("kyverno-", 8000), "kserve": ("kserve-controller-manager-", 8080)}
"""Beginning of the names of the pods, and the port that each serves its metrics on; the build of
cert-manager's controller that runs here has no collectors."""
COUNTED = re.compile(r"\b(?:kyverno|controller_runtime|workqueue)_\w+")


@pytest.mark.parametrize("namespace", CONTROLLERS)
def test_a_controller_counts_what_its_alerts_and_its_dashboard_are_about(platform, namespace):
    prefix, port = CONTROLLERS[namespace]
    own = platform.items(
        "prometheusrules,configmaps", "-n", namespace, "-l", "app.kubernetes.io/part-of=corral"
    )
    read = set(COUNTED.findall(json.dumps(own)))
    assert len(read) >= 3, own
    pods = [one["metadata"]["name"] for one in platform.items("pods", "-n", namespace)]
    counted = "".join(
        platform.corral(
            "kubectl", "get", "--raw", f"/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy/metrics"
        ).out
        for pod in pods
        if pod.startswith(prefix)
    )
    assert read <= set(re.findall(r"^(\w+)", counted, re.MULTILINE))


def test_a_question_is_answered_as_it_comes_and_names_its_way(platform):
    done = ask(platform, "What is the capital of France?")
    assert "Paris" in done.out, done.output
    assert re.search(r"\d+ tokens, [\d.]+ tokens/s", done.err)
    way = re.search(
        r"service assistants/smollm2-predictor:80 → pod \S+ → slice slices-0/gpu-\d-mig-\S+ → process (\d+)",
        done.err,
    )
    assert way, done.err
    assert "llama" in Path(f"/proc/{way[1]}/cmdline").read_text()


def test_an_answer_is_streamed(platform):
    running = platform.start("chat", "smollm2", "Count from one to fifty in words.", "--max-tokens", "64")
    try:
        first = os.read(running.stdout.fileno(), 64)
        assert first and running.poll() is None, "the first words came with the last"
        running.communicate(timeout=ANSWER_SECONDS)
        assert running.returncode == 0
    finally:
        running.kill()
        running.wait()


def test_a_simulated_model_says_that_it_answers_nothing(platform):
    done = platform.corral("chat", "chat", "Are you there?")
    assert done.code == 1
    assert "weights: simulated" in done.err


def test_a_killed_model_server_is_restarted_and_answers_again(platform):
    before = server_of(platform)
    os.kill(before.pid, signal.SIGKILL)
    # Ended at once, Ready again by the pod's own probe.
    wait_for(lambda: not before.alive, 10, "the killed process is gone")
    wait_for(
        lambda: restarts(platform) > 0 and platform.model_pods(), ANSWER_SECONDS, "the pod is ready again"
    )
    assert "Paris" in ask(platform, "What is the capital of France?").out
    assert server_of(platform) != before


def ask(platform: Platform, question: str):
    done = platform.corral("chat", "smollm2", question, "--max-tokens", "24", seconds=ANSWER_SECONDS)
    assert done.code == 0, done.output
    return done


def server_of(platform: Platform) -> Process:
    return platform.program_of("assistants", "smollm2-predictor")


def restarts(platform: Platform) -> int:
    items = platform.items("pods", "-n", "assistants", "-l", "serving.kserve.io/inferenceservice=smollm2")
    statuses = [status for one in items for status in one["status"].get("containerStatuses", [])]
    return max((status["restartCount"] for status in statuses), default=0)


def versions(platform: Platform) -> dict[str, int]:
    """Generations of what Pulumi made; those of untouched objects stay."""
    kinds = (
        "deployments,statefulsets,jobs,networkpolicies,inferenceservices,validatingadmissionpolicies,"
        "validatingadmissionpolicybindings,clusterservingruntimes,validatingpolicies.policies.kyverno.io"
    )
    items = platform.items(kinds, "-A")
    assert items
    return {
        f"{one['kind']}/{one['metadata'].get('namespace', '')}/{one['metadata']['name']}": one[
            "metadata"
        ].get("generation", 0)
        for one in items
        if one["kind"] != "Job" or holds(one, "Complete")
    }
