"""What is watched of the gateway. Metric names: Envoy's statistics, as `/stats/prometheus` prints them."""

from corral.components._signals import Alert, Monitor, Panel, Signals
from corral.components.gateway.objects import PROXY_METRICS_PORT, PROXY_PODS

SCRAPE = Monitor(PROXY_PODS, PROXY_METRICS_PORT, pods=True, connection={"path": "/stats/prometheus"})
ROUTE = 'envoy_cluster_name=~"httproute/.*"'
"""Envoy Gateway's name of what a route leads to: `httproute/NAMESPACE/ROUTE/rule/N`."""
ANSWERS = "envoy_cluster_upstream_rq_xx"
UNCOUNTED = "envoy_cluster_ratelimit_failure_mode_allowed"
FAILED_SHARE = 0.05


def signals(namespace: str) -> Signals:
    """Signals of the gateway in a namespace."""
    here = f'namespace="{namespace}"'
    alive = f"envoy_server_live{{{here}}}"
    failed = (
        f'sum by (envoy_cluster_name) (rate({ANSWERS}{{{ROUTE},envoy_response_code_class="5",{here}}}[5m]))'
    )
    all_of = f"sum by (envoy_cluster_name) (rate({ANSWERS}{{{ROUTE},{here}}}[5m]))"
    alerts: list[Alert] = [
        {
            "name": "GatewayMissing",
            "expression": f"absent({alive} == 1)",
            "lasting": "5m",
            "severity": "critical",
            "summary": "No proxy of the gateway is live: no application outside the cluster reaches a model",
        },
        {
            "name": "GatewayRouteFails",
            "expression": f"{failed} / {all_of} > {FAILED_SHARE}",
            "lasting": "10m",
            "severity": "warning",
            "summary": "One answer in twenty of {{ $labels.envoy_cluster_name }} or more is a server's error",
        },
        {
            "name": "GatewayCountsNothing",
            "expression": f"sum(increase({UNCOUNTED}{{{here}}}[5m])) > 0",
            "lasting": "5m",
            "severity": "warning",
            "summary": "The rate limit service or its store does not answer: calls pass, no token is counted",
        },
    ]
    return Signals("Gateway", _panels(here), alerts)


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
