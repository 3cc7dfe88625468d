"""What vLLM holds on each device before any cache, by its version; calibrated against `bench/starts.yaml`.

Upper bounds rather than estimates: multimodal models, models with a recurrent state.
"""

from dataclasses import dataclass

from corral.catalogue.attention import Stateful
from corral.catalogue.engines import Reserve
from corral.catalogue.images import image
from corral.catalogue.models import POOLED, ModelSpec
from corral.catalogue.quantities import GIB
from corral.catalogue.vocabulary import Dtype
from corral.stacks.planning.memory import experts
from corral.stacks.planning.memory.settings import DEFAULTS, EngineSettings

PADDING = 1.007
"""Loaded weights over published ones."""
PADDING_MULTIMODAL_PARALLEL = 1.06
"""Llama-4-Scout loads 5 % more than its share on each of four devices."""
MULTIMODAL = int(0.6 * GIB)
"""Loaded beyond the published weights of a multimodal model (gemma-3-4b: 8.58 GiB of 8.01)."""
ENCODING = int(1.25 * GIB)
"""Peak of the vision encoder beside the language model: an upper bound."""
RECURRENT_GRAPHS = GIB // 2
"""CUDA graphs of models with a recurrent state are charged with their scratch memory (vLLM issue 50780)."""
MARLIN_BUFFERS = 1.2
"""Marlin's buffers for mxfp4 over its work spaces; the least that covers gpt-oss-20b on an A100."""
STEP_HIDDEN = 4.5
"""Copies of the hidden state that one step holds beside three of the intermediate one."""
LARGE = 70 * GIB
"""A device from which one step takes LARGE_STEP tokens, as vLLM's own defaults have it."""
LARGE_STEP, SMALL_STEP = 8192, 2048
LARGEST_GRAPH = 512
"""Sequences of the largest CUDA graph."""


@dataclass(frozen=True)
class Fixed:
    """What vLLM holds on each device before any cache, in bytes."""

    weights: int
    activation: int
    outside: int
    """Outside the allocator, and CUDA graphs."""

    @property
    def total(self) -> int:
        return self.weights + self.activation + self.outside


def pinned_version() -> str:
    """The version that the catalogue pins."""
    return image("vllm").tag


def pools(facts: ModelSpec) -> bool:
    """Whether a model pools its input rather than generates; it runs one step after the other."""
    return facts.task in POOLED


def step_tokens(
    facts: ModelSpec,
    usable: int,
    *,
    context: int,
    max_num_seqs: int,
    settings: EngineSettings = DEFAULTS,
) -> int:
    """Tokens of one vLLM step, its `--max-num-batched-tokens`: at least one for each sequence that may run.

    A pooling model must take its longest input in one step; a recurrent one holds scratch for each token
    that its start-up profile does not see (vLLM issue 52872).
    """
    if settings.step is not None:
        return settings.step
    if pools(facts):
        return max(SMALL_STEP, context, max_num_seqs)
    large = usable >= LARGE and not isinstance(facts.attention, Stateful)
    return max(LARGE_STEP if large else SMALL_STEP, max_num_seqs)


def largest_graph(max_num_seqs: int) -> int:
    """Sequences of the largest CUDA graph, vLLM's `--max-cudagraph-capture-size`."""
    return min(2 * max_num_seqs, LARGEST_GRAPH)


def fixed(
    facts: ModelSpec,
    counts: Reserve,
    *,
    max_num_seqs: int,
    step: int,
    parallel: int,
    capability: str | None = None,
    eager: bool = False,
    adapters: bool = False,
) -> Fixed:
    """What vLLM holds on each of `parallel` devices beside the cache, with `step` tokens at once.

    `capability`: compute capability of the devices; the largest kernel counts when None. `eager`: no graphs.
    `adapters`: each graph is there with and without them (vllm/v1/cudagraph_dispatcher.py at v0.30.0).
    """
    outside = counts.outside_gib if parallel == 1 else counts.outside_parallel_gib
    return Fixed(
        weights=_loaded(facts, parallel, capability),
        activation=_activation(facts, counts, max_num_seqs, step, parallel, capability),
        outside=int(outside * GIB)
        + (0 if eager else (2 if adapters else 1) * _graphs(facts, counts, max_num_seqs)),
    )


def _loaded(facts: ModelSpec, parallel: int, capability: str | None) -> int:
    if facts.dtype is Dtype.MXFP4 and facts.experts:
        return int(PADDING * experts.loaded(facts, facts.experts, parallel, capability))
    padding = PADDING_MULTIMODAL_PARALLEL if facts.multimodal and parallel > 1 else PADDING
    return int(facts.weights * padding / parallel) + (MULTIMODAL if facts.multimodal else 0)


def _activation(
    facts: ModelSpec, counts: Reserve, max_num_seqs: int, step: int, parallel: int, capability: str | None
) -> int:
    """The larger of a step and the sampler's warm-up, and what experts keep in both."""
    hidden = 2 * step * facts.hidden
    sampler = int(counts.logit_bytes * max_num_seqs * facts.vocabulary) + hidden
    forward = int(2 * step * 3 * facts.intermediate / parallel + STEP_HIDDEN * hidden)
    return (
        max(sampler, forward)
        + _routing(facts, step, parallel, capability)
        + (ENCODING if facts.multimodal else 0)
    )


def _routing(facts: ModelSpec, step: int, parallel: int, capability: str | None) -> int:
    """Two work spaces of the experts that one step passes, and their sum.

    Triton's kernels for mxfp4 need none.
    """
    if facts.experts is None:
        return 0
    packed = facts.dtype is Dtype.MXFP4
    if packed and experts.kernels(capability) == (experts.TRITON,):
        return 0
    width, hidden = facts.experts.intermediate // parallel, facts.experts.hidden or facts.hidden
    spaces = max(2 * width, hidden) + max(width, hidden)
    return int(2 * step * (facts.experts.active * spaces + facts.hidden) * (MARLIN_BUFFERS if packed else 1))


def _graphs(facts: ModelSpec, counts: Reserve, max_num_seqs: int) -> int:
    if not counts.graph_kib:
        return 0
    number = _captured(largest_graph(max_num_seqs)) + _captured(min(max_num_seqs, LARGEST_GRAPH))
    scratch = RECURRENT_GRAPHS if isinstance(facts.attention, Stateful) else 0
    return int(counts.graph_kib * 1024 * facts.layers * number) + scratch


def _captured(most: int) -> int:
    """Sizes that vLLM captures up to `most` sequences: 1, 2, 4, each 8 to 256, each 16 beyond."""
    return len([size for size in (1, 2, 4, *range(8, 256, 8), *range(256, 513, 16)) if size <= most])
