"""What Prometheus measures of the gateway's proxies and of the queues, on live calls."""

import pytest
from tests.e2e.measured_platform import SCRAPED_SECONDS, Prometheus, ready
from tests.e2e.platform_client import Platform, wait_for
from tests.fair_sharing.callers import KEYS, answers, call

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def prometheus(platform: Platform) -> Prometheus:
    return ready(platform)


def test_proxies_and_queues_are_scraped(prometheus):
    def down() -> dict[str, list[str]]:
        return {
            pool: [one["lastError"] for one in targets if one["health"] != "up"]
            for pool, targets in prometheus.targets().items()
            if any(one["health"] != "up" for one in targets)
        }

    wait_for(lambda: not down(), SCRAPED_SECONDS, f"all targets are up: {down()}")
    assert {
        "podMonitor/envoy-gateway-system/corral-gateway/0",
        "serviceMonitor/kueue-system/kueue-controller-manager-metrics-monitor/0",
        "serviceMonitor/red/model-smollm2/0",
    } <= prometheus.targets().keys()


def test_calls_are_counted_by_the_route_that_they_took(prometheus, client):
    query = (
        'sum(envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",'
        'envoy_cluster_name="httproute/envoy-gateway-system/red--smollm2/rule/0"})'
    )
    answers(client, "red", KEYS["red"], 200)
    known = [prometheus.value(query) or 0]

    def counted() -> bool:
        assert call(client, "/red/smollm2/v1/models", KEYS["red"]).status_code == 200
        known.append(prometheus.value(query) or 0)
        # Less than before where a proxy of an earlier test has ended.
        return known[-1] > min(known)

    wait_for(counted, SCRAPED_SECONDS, "one more is counted")
