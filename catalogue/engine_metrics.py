"""What engines print of themselves: the metric of each thing that a model is watched and scaled by."""

from collections.abc import Mapping

from corral.catalogue.vocabulary import Engine, EngineMetric

METRICS: Mapping[Engine, Mapping[EngineMetric, str]] = {
    # vllm/v1/metrics/loggers.py of v0.30.0; clients add `_total` to counters.
    Engine.VLLM: {
        EngineMetric.RUNNING: "vllm:num_requests_running",
        EngineMetric.WAITING: "vllm:num_requests_waiting",
        EngineMetric.PROMPT_TOKENS: "vllm:prompt_tokens_total",
        EngineMetric.GENERATED_TOKENS: "vllm:generation_tokens_total",
        EngineMetric.CACHE_USAGE: "vllm:kv_cache_usage_perc",
    },
    # As llama-server of the toolchain prints them; of its cache it says nothing.
    Engine.LLAMA_CPP: {
        EngineMetric.RUNNING: "llamacpp:requests_processing",
        EngineMetric.WAITING: "llamacpp:requests_deferred",
        EngineMetric.PROMPT_TOKENS: "llamacpp:prompt_tokens_total",
        EngineMetric.GENERATED_TOKENS: "llamacpp:tokens_predicted_total",
    },
    # core/src/{queue,tokenization}.rs of v1.9.3: inputs that wait, and the sum of their lengths in tokens.
    Engine.TEXT_EMBEDDINGS: {
        EngineMetric.WAITING: "te_queue_size",
        EngineMetric.PROMPT_TOKENS: "te_request_input_length_sum",
    },
}
"""Names by engine; an engine without an entry of a kind does not print it."""
FIRST_TOKEN: Mapping[Engine, str] = {Engine.VLLM: "vllm:time_to_first_token_seconds"}
"""Histogram of the seconds until an answer begins; the others have none."""
FIRST_TOKEN_LIMITS = (0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0)
"""Seconds by which it counts, those of use (vllm/v1/metrics/buckets.py)."""
COUNTED = frozenset({EngineMetric.PROMPT_TOKENS, EngineMetric.GENERATED_TOKENS})
"""Counters, of which the rate is meant."""
SHARES = frozenset({EngineMetric.CACHE_USAGE})
"""Shares of one, which are stated in percent."""
