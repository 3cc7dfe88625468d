"""What Prometheus measures of the platform's real processes, asked of the Prometheus that runs."""

import contextlib
import json
import threading
import urllib.request
from collections.abc import Iterator

import pytest
from measured_platform import SCRAPED_SECONDS, Prometheus, ready
from platform_client import Platform, wait_for

pytestmark = pytest.mark.engine

VLLM = "vLLM is simulated"
EXPORTER = "the exporter of PostgreSQL is simulated, and no kubelet measures volumes"
SILENT = {
    "corral-cert-manager": "cert-manager's controller is built here without its collectors",
    "corral-gpus": "GPUs and their DCGM exporter are simulated",
    "corral-kserve": "the proxy before the metrics of KServe's controller is left out here",
    "corral-vector-db": EXPORTER,
    **dict.fromkeys(("model-chat", "model-chat-large", "model-code", "model-embed"), VLLM),
}
"""Dashboards of which no panel can have data on this plane."""
SILENT_PANELS = {("corral-model-storage", "Volume"): "no kubelet measures volumes"}
WAITING = "model-smollm2"
"""Whose alert a test makes true: more callers than the model has sequences."""
CALLERS = 6


@pytest.fixture(scope="module")
def prometheus(platform: Platform) -> Prometheus:
    return ready(platform)


def test_every_process_that_a_monitor_of_ours_selects_is_scraped(platform, prometheus):
    monitors = [
        f"{one['kind'][0].lower()}{one['kind'][1:]}/{one['metadata']['namespace']}/{one['metadata']['name']}/0"
        for one in platform.items("servicemonitors,podmonitors", "-A")
    ]

    def settled() -> bool:
        return all(one["health"] == "up" for targets in prometheus.targets().values() for one in targets)

    wait_for(settled, SCRAPED_SECONDS, f"all targets are up: {prometheus.targets()}")
    found = prometheus.targets()
    assert found.keys() <= set(monitors)
    assert {pool: len(targets) for pool, targets in found.items()} == {
        "podMonitor/cert-manager/corral-cert-manager/0": 3,
        "serviceMonitor/assistants/model-smollm2/0": 1,
        "serviceMonitor/kyverno/corral-kyverno/0": 2,
        "serviceMonitor/model-storage/corral-model-storage/0": 1,
    }


def test_no_alert_on_silence_is_about_what_cannot_be_measured_here(prometheus):
    def wrong() -> set[str]:
        groups = prometheus.ask("rules", type="alert")["groups"]
        return {
            one["name"]
            for group in groups
            for one in group["rules"]
            if "absent(" in one["query"] and one["state"] != "inactive"
        }

    wait_for(lambda: not wrong(), SCRAPED_SECONDS, f"nothing is missing: {wrong()}")


def test_series_name_the_pod_by_the_address_that_the_cluster_has_for_it(platform, prometheus):
    (pod,) = platform.model_pods()
    found = prometheus.ask("query", query='up{service="smollm2-predictor"}')["result"]
    assert [one["metric"]["pod"] for one in found] == [pod["metadata"]["name"]]
    assert found[0]["metric"]["instance"] == f"{pod['status']['podIP']}:8080"


def test_every_rule_of_ours_is_loaded_and_can_be_evaluated(platform, prometheus):
    stated = {
        (group["name"], rule["alert"])
        for one in platform.items("prometheusrules", "-A")
        for group in one["spec"]["groups"]
        for rule in group["rules"]
    }

    def loaded() -> set[tuple[str, str]]:
        groups = prometheus.ask("rules", type="alert")["groups"]
        return {
            (group["name"], one["name"])
            for group in groups
            for one in group["rules"]
            if one["health"] == "ok"
        }

    assert len(stated) > 20
    wait_for(lambda: loaded() == stated, SCRAPED_SECONDS, "all rules are evaluated")


def test_every_panel_has_data_or_is_named_with_the_reason_why_not(prometheus):
    boards = prometheus.boards()
    expected = {
        (name, panel.title) for name in SILENT for panel in boards[name].panels
    } | SILENT_PANELS.keys()
    assert {"corral-kyverno", "corral-model-storage", WAITING} <= boards.keys() - SILENT.keys()

    def as_expected() -> bool:
        """Whether the panels with a query that returns nothing are those that are named."""
        nonlocal boards
        boards = prometheus.boards()
        return silent() == expected

    def silent() -> set[tuple[str, str]]:
        return {
            (name, panel.title) for name, board in boards.items() for panel in board.panels if panel.silent
        }

    if silent() != expected:
        wait_for(as_expected, SCRAPED_SECONDS, "panels have data, but for those that are named")


def test_tokens_that_a_model_generates_are_counted(platform, prometheus):
    query = 'sum(llamacpp:tokens_predicted_total{namespace="assistants",service="smollm2-predictor"})'
    before = prometheus.value(query) or 0.0
    done = platform.corral("chat", "smollm2", "Name three rivers.", "--max-tokens", "16", seconds=90)
    assert done.code == 0, done.output
    wait_for(lambda: (prometheus.value(query) or 0.0) > before, SCRAPED_SECONDS, "more tokens are counted")


def test_more_callers_than_sequences_make_the_alert_of_the_queue_fire(platform, prometheus, impatient, calls):
    """The rule as deployed waits ten minutes, so a copy that does not wait has to fire beside it."""
    wait_for(
        lambda: (
            prometheus.states("ModelQueueing")[WAITING] == "pending"
            and prometheus.states("ModelQueueing").get(impatient) == "firing"
        ),
        SCRAPED_SECONDS,
        "the rule is pending, and its copy that does not wait fires",
    )
    fired = prometheus.value(f'ALERTS{{alertname="ModelQueueing",alertstate="firing",copy="{impatient}"}}')
    assert fired == 1


@pytest.fixture
def impatient(platform: Platform) -> Iterator[str]:
    """Name of a copy of the deployed rule that fires at once."""
    stated = platform.read("prometheusrule", WAITING, "-n", "assistants")
    (rule,) = [
        one for group in stated["spec"]["groups"] for one in group["rules"] if one["alert"] == "ModelQueueing"
    ]
    name = "impatient"
    copy = {**rule, "for": "0s", "labels": {**rule["labels"], "copy": name}}
    made = {
        "apiVersion": stated["apiVersion"],
        "kind": stated["kind"],
        "metadata": {"name": name, "namespace": "assistants"},
        "spec": {"groups": [{"name": name, "rules": [copy]}]},
    }
    platform.kubectl("apply", "-f", "-", stdin=made)
    yield name
    platform.kubectl("delete", "prometheusrule", name, "-n", "assistants")


@pytest.fixture
def calls(platform: Platform) -> Iterator[None]:
    """Callers that ask the model one question after the other for as long as the test runs."""
    (pod,) = platform.model_pods()
    own = f"127.{pod['status']['podIP'].partition('.')[2]}"
    body = {"messages": [{"role": "user", "content": "Count to fifty in words."}], "max_tokens": 48}
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            request = urllib.request.Request(
                f"http://{own}:8080/v1/chat/completions",
                json.dumps(body).encode(),
                {"Content-Type": "application/json"},
            )
            with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=90) as answer:
                answer.read()

    callers = [threading.Thread(target=ask) for _ in range(CALLERS)]
    for one in callers:
        one.start()
    yield
    over.set()
    for one in callers:
        one.join()


def test_the_page_of_dashboards_is_drawn_from_the_running_prometheus(platform, tmp_path):
    file = tmp_path / "dashboards.html"
    done = platform.corral("dashboards", "--hours", "0.5", f"--html={file}", seconds=120)
    assert done.code == 0, done.output
    page = file.read_text()
    assert page.count("<figure>") == sum(page.count(word) for word in ("<svg", ">no data<"))
    assert page.count("<svg") >= 9 and "Model smollm2 (assistants)" in page
