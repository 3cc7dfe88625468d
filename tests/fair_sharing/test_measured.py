"""What Prometheus measures of the gateway's proxies and of the queues, on live calls."""

import pytest
from tests.e2e.measured_platform import SCRAPED_SECONDS, Prometheus, ready
from tests.e2e.platform_client import Platform, wait_for
from tests.fair_sharing.callers import KEYS, answers, call, question

pytestmark = pytest.mark.engine

UNREACHABLE = {"serviceMonitor/kserve/corral-kserve/0"}
"""The proxy before the metrics of KServe's controller is left out on a plane."""


@pytest.fixture(scope="module")
def prometheus(platform: Platform) -> Prometheus:
    return ready(platform)


def test_proxies_and_queues_are_scraped(prometheus):
    def down() -> dict[str, list[str]]:
        found = prometheus.targets()
        return {
            pool: [one["lastError"] for one in targets if one["health"] != "up"]
            for pool, targets in found.items()
            if pool not in UNREACHABLE and any(one["health"] != "up" for one in targets)
        }

    wait_for(lambda: not down(), SCRAPED_SECONDS, f"all targets are up: {down()}")
    print(sorted(prometheus.targets()))


def test_panels_of_the_gateway_and_of_the_queues_have_data_on_live_calls(prometheus, client):
    answers(client, "red", KEYS["red"], 200)
    assert call(client, "/red/v1/chat/completions", KEYS["red"], question("Hello", 4)).status_code == 200

    def silent() -> dict[str, list[str]]:
        boards = prometheus.boards()
        return {
            f"{name} {panel.title}": list(panel.silent)
            for name in ("corral-gateway", "corral-fair-sharing", "model-smollm2")
            for panel in boards[name].panels
            if panel.silent
        }

    import time

    time.sleep(70)
    print(silent())
    wait_for(lambda: not silent(), SCRAPED_SECONDS, "data")
