"""What is watched of a model, in the words of its engine."""

from collections.abc import Mapping
from functools import partial

from corral.catalogue.engine_metrics import FIRST_TOKEN, METRICS
from corral.catalogue.serving_kinds import ServedNames
from corral.catalogue.vocabulary import Engine, EngineMetric
from corral.components._objectives import burning
from corral.components._signals import Alert, Panel, Signals

LATE = 0.05
"""Share of the answers that may begin later than their objective."""


def signals(
    name: str,
    names: ServedNames,
    namespace: str,
    engine: Engine,
    time_to_first_token: float | None = None,
    prefill: ServedNames | None = None,
) -> Signals:
    """Signals of a model in a namespace, whose answers are to begin within `time_to_first_token` seconds.

    `prefill`: what else reads its prompts; None: nothing.
    """
    alerts = _alerts(name, names, namespace, engine, prefill)
    if time_to_first_token is not None:
        late = partial(_late, FIRST_TOKEN[engine], _of(names, namespace), time_to_first_token)
        what = f"Answers of model {name} in namespace {namespace} begin after {time_to_first_token:g} s"
        alerts += burning("ModelFirstToken", what, late, LATE)
    panels = _panels(names, namespace, engine)
    if prefill is not None:
        panels += _prefill_panels(prefill, namespace, engine)
    return Signals(f"Model {name}", panels, alerts)


def _late(metric: str, here: str, seconds: float, window: str) -> str:
    """Share of the answers that begin later."""
    in_time = f'{metric}_bucket{here[:-1]},le="{float(seconds)}"}}'
    return f"1 - sum(rate({in_time}[{window}])) / sum(rate({metric}_count{here}[{window}]))"


def _alerts(
    name: str, names: ServedNames, namespace: str, engine: Engine, prefill: ServedNames | None
) -> list[Alert]:
    """A model that nobody serves, and one that makes its callers wait."""
    place = f'namespace="{namespace}"'
    answering = f'kube_deployment_status_replicas_available{{{place},deployment="{names.workload}"}}'
    if names.grouped:
        # Of the leaders, which answer for their groups: the set that a LeaderWorkerSet has of its own name.
        answering = f'kube_statefulset_status_replicas_ready{{{place},statefulset="{names.workload}"}}'
    absent, what = f"{answering} < 1", "answers"
    if prefill is not None:
        reading = f'kube_deployment_status_replicas_available{{{place},deployment="{prefill.workload}"}}'
        absent, what = f"{absent} or {reading} < 1", "answers, or none that reads prompts"
    either = _of(names, namespace) if prefill is None else _of_both(names, prefill, namespace)
    return [
        {
            "name": "ModelUnavailable",
            "expression": absent,
            "lasting": "5m",
            "severity": "critical",
            "summary": f"Model {name} in namespace {namespace} has no replica that {what}.",
        },
        {
            "name": "ModelQueueing",
            "expression": f"sum({METRICS[engine][EngineMetric.WAITING]}{either}) > 0",
            "lasting": "10m",
            "severity": "warning",
            "summary": f"Requests to model {name} in namespace {namespace} wait for a free sequence.",
        },
    ]


def _panels(names: ServedNames, namespace: str, engine: Engine) -> list[Panel]:
    """Requests, tokens, and what the engine says about latency and cache."""
    here, metrics = _of(names, namespace), METRICS[engine]
    shared: list[Panel] = [
        {
            "title": "Requests",
            "queries": {
                word: f"sum({metrics[metric]}{here})"
                for word, metric in (("running", EngineMetric.RUNNING), ("waiting", EngineMetric.WAITING))
                if metric in metrics
            },
        },
        {
            "title": "Tokens per second",
            "queries": {
                word: f"sum(rate({metrics[metric]}{here}[5m]))"
                for word, metric in (
                    ("prompt", EngineMetric.PROMPT_TOKENS),
                    ("generated", EngineMetric.GENERATED_TOKENS),
                )
                if metric in metrics
            },
        },
    ]
    return shared + _of_engine(here)[engine]


def _of_engine(here: str) -> Mapping[Engine, list[Panel]]:
    def quantile(metric: str) -> str:
        return f"histogram_quantile(0.95, sum by (le) (rate({metric}_bucket{here}[5m])))"

    return {
        Engine.VLLM: [
            {
                "title": "Latency, 95th percentile",
                "queries": {
                    "first token": quantile(FIRST_TOKEN[Engine.VLLM]),
                    "next token": quantile("vllm:inter_token_latency_seconds"),
                    "request": quantile("vllm:e2e_request_latency_seconds"),
                },
                "unit": "s",
            },
            {
                "title": "Key-value cache in use",
                "queries": {"{{pod}}": f"{METRICS[Engine.VLLM][EngineMetric.CACHE_USAGE]}{here}"},
                "unit": "percentunit",
            },
        ],
        Engine.TEXT_EMBEDDINGS: [
            {
                "title": "Latency, 95th percentile",
                "queries": {
                    "waiting": quantile("te_embed_queue_duration"),
                    "computing": quantile("te_embed_inference_duration"),
                    "input": quantile("te_embed_duration"),
                },
                "unit": "s",
            },
            {
                "title": "Inputs per second",
                "queries": {
                    "embedded": f"sum(rate(te_embed_success{here}[5m]))",
                    "refused: {{err}}": f"sum by (err) (rate(te_request_failure{here}[5m]))",
                },
            },
        ],
        Engine.LLAMA_CPP: [
            {
                "title": "Generation speed",
                "queries": {"{{pod}} tokens/s": f"llamacpp:predicted_tokens_seconds{here}"},
            },
        ],
    }


def _prefill_panels(prefill: ServedNames, namespace: str, engine: Engine) -> list[Panel]:
    """What those do that read prompts; a prompt is in their cache until it is handed over."""
    here, metrics = _of(prefill, namespace), METRICS[engine]
    return [
        {
            "title": "Prefill: requests",
            "queries": {
                "running": f"sum({metrics[EngineMetric.RUNNING]}{here})",
                "waiting": f"sum({metrics[EngineMetric.WAITING]}{here})",
            },
        },
        {
            "title": "Prefill: key-value cache in use",
            "queries": {"{{pod}}": f"{metrics[EngineMetric.CACHE_USAGE]}{here}"},
            "unit": "percentunit",
        },
    ]


def _of_both(names: ServedNames, prefill: ServedNames, namespace: str) -> str:
    return f'{{namespace="{namespace}",service=~"{names.service}|{prefill.service}"}}'


def _of(names: ServedNames, namespace: str) -> str:
    return f'{{namespace="{namespace}",service="{names.service}"}}'
