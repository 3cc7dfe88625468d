"""What Prometheus measures of the gateway's proxies and of the queues, on live calls."""

import pytest
from tests.e2e.measured_platform import SCRAPED_SECONDS, Prometheus, ready
from tests.e2e.platform_client import Platform, wait_for
from tests.fair_sharing.callers import KEYS, answers, call, question

pytestmark = pytest.mark.engine

UNREACHABLE = {"serviceMonitor/kserve/corral-kserve/0"}
"""The proxy before the metrics of KServe's controller is left out on a plane."""
UNTIL_IT_HAPPENS = {
    ("corral-gateway", "Refused by a limit, per minute"): "Envoy has the series from the first refusal on",
    ("corral-fair-sharing", "Workloads stopped, per hour"): "Kueue has the series from the first one on",
}


@pytest.fixture(scope="module")
def prometheus(platform: Platform) -> Prometheus:
    return ready(platform)


def test_proxies_and_queues_are_scraped(prometheus):
    def down() -> dict[str, list[str]]:
        return {
            pool: [one["lastError"] for one in targets if one["health"] != "up"]
            for pool, targets in prometheus.targets().items()
            if pool not in UNREACHABLE and any(one["health"] != "up" for one in targets)
        }

    wait_for(lambda: not down(), SCRAPED_SECONDS, f"all targets are up: {down()}")
    assert {
        "podMonitor/envoy-gateway-system/corral-gateway/0",
        "serviceMonitor/kueue-system/kueue-controller-manager-metrics-monitor/0",
        "serviceMonitor/red/model-smollm2/0",
    } <= prometheus.targets().keys()


def test_panels_of_gateway_queues_and_model_have_data_on_live_calls(prometheus, client):
    answers(client, "red", KEYS["red"], 200)
    assert call(client, "/red/v1/chat/completions", KEYS["red"], question("Hello", 4)).status_code == 200

    def silent() -> set[tuple[str, str]]:
        boards = prometheus.boards()
        return {
            (name, panel.title)
            for name in ("corral-gateway", "corral-fair-sharing", "model-smollm2")
            for panel in boards[name].panels
            if panel.silent
        }

    wait_for(lambda: silent() <= UNTIL_IT_HAPPENS.keys(), SCRAPED_SECONDS, f"data, but for {silent()}")


def test_calls_are_counted_by_the_route_that_they_took(prometheus, client):
    query = (
        'sum(envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",'
        'envoy_cluster_name="httproute/envoy-gateway-system/red--smollm2/rule/0"})'
    )
    before = prometheus.value(query) or 0
    assert call(client, "/red/smollm2/v1/models", KEYS["red"]).status_code == 200
    wait_for(lambda: (prometheus.value(query) or 0) > before, SCRAPED_SECONDS, "one more is counted")
