"""What is watched of the gateway. Metric names: Envoy's statistics, as `/stats/prometheus` prints them."""

from functools import partial

from corral.components._objectives import burning
from corral.components._signals import Alert, Monitor, Panel, Signals, grown
from corral.components.gateway.objects import PROXY_METRICS_PORT, PROXY_PODS

SCRAPE = Monitor(PROXY_PODS, PROXY_METRICS_PORT, pods=True, connection={"path": "/stats/prometheus"})
ROUTE = 'envoy_cluster_name=~"httproute/.*"'
"""Envoy Gateway's name of what a route leads to: `httproute/NAMESPACE/ROUTE/rule/N`."""
ANSWERS = "envoy_cluster_upstream_rq_xx"
UNCOUNTED = "envoy_cluster_ratelimit_failure_mode_allowed"


def signals(namespace: str, availability: float) -> Signals:
    """Signals of the gateway in a namespace, whose routes are to answer that share of calls, in percent."""
    here = f'namespace="{namespace}"'
    alive = f"envoy_server_live{{{here}}}"
    alerts: list[Alert] = [
        {
            "name": "GatewayMissing",
            "expression": f"absent({alive} == 1)",
            "lasting": "5m",
            "severity": "critical",
            "summary": "No proxy of the gateway is live: no application outside the cluster reaches a model",
        },
        *burning(
            "GatewayError",
            "{{ $labels.envoy_cluster_name }} answers with a server's error",
            partial(_failed, here),
            1 - availability / 100,
        ),
        {
            "name": "GatewayCountsNothing",
            "expression": f"sum({grown(f'{UNCOUNTED}{{{here}}}', '15m')}) > 0",
            "lasting": "5m",
            "severity": "warning",
            "summary": "The rate limit service or its store does not answer: calls pass, no token is counted",
        },
    ]
    return Signals("Gateway", _panels(here), alerts)


def _failed(here: str, window: str) -> str:
    """Share of the answers of each route that are a server's errors."""

    def counted(more: str) -> str:
        return f"sum by (envoy_cluster_name) ({grown(f'{ANSWERS}{{{ROUTE}{more},{here}}}', window)})"

    errors = counted(',envoy_response_code_class="5"')
    return f"{errors} / {counted('')}"


def _panels(here: str) -> list[Panel]:
    times = (
        f"sum by (envoy_cluster_name, le) (rate(envoy_cluster_upstream_rq_time_bucket{{{ROUTE},{here}}}[5m]))"
    )
    return [
        {
            "title": "Requests per second, by route",
            "queries": {
                "{{envoy_cluster_name}} {{envoy_response_code_class}}xx": "sum by (envoy_cluster_name, "
                f"envoy_response_code_class) (rate({ANSWERS}{{{ROUTE},{here}}}[5m]))"
            },
        },
        {
            "title": "Time to the last word, 95th percentile",
            "queries": {"{{envoy_cluster_name}}": f"histogram_quantile(0.95, {times}) / 1000"},
            "unit": "s",
        },
        {
            "title": "Answers to clients per second, refusals included",
            "queries": {
                "{{envoy_response_code_class}}xx": "sum by (envoy_response_code_class) "
                f'(rate(envoy_http_downstream_rq_xx{{envoy_http_conn_manager_prefix!="admin",{here}}}[5m]))'
            },
        },
        {
            "title": "Refused by a limit, per minute",
            "queries": {
                "tokens": f"60 * sum(rate(envoy_cluster_ratelimit_over_limit{{{here}}}[5m]))",
                "requests": f"60 * sum(rate(envoy_http_local_rate_limit_rate_limited{{{here}}}[5m]))",
            },
        },
    ]
