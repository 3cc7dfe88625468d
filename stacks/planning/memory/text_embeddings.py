"""What Text Embeddings Inference takes of a GPU, and the arguments that keep it to that; not calibrated.

It holds weights and one batch: nothing is kept between batches. Its warm-up computes a batch of
`--max-batch-tokens` before it answers, so that a batch too large fails at the start and not under load. Its
models (backends/candle at v1.9.3) compute in float16 and keep no buffer from one layer to the next, so the
largest layer counts, with every intermediate result of it alive at the same time.
"""

from corral.catalogue.engines import text_embeddings
from corral.catalogue.models import SIXTEEN_BIT, WEIGHT_BYTES, ModelSpec
from corral.catalogue.quantities import GIB
from corral.stacks.planning.memory.settings import DEFAULTS, EngineSettings

HIDDEN, WIDE = 12, 3
"""Tensors of a layer: as wide as the hidden state (input, residual, query, key and value with their copies,
attention and its projection, norms, output), and as wide as the inner layer (gate, up, their product)."""
SCORES = 3
"""Tensors with a value per pair of tokens and head, without flash attention: scores, mask added, softmax."""
OUTSIDE = int(1.1 * GIB)
"""CUDA context and libraries, an assumption: 0.6 GiB as vLLM has, and 0.5 GiB for workspaces of cuBLAS."""
MOST_INPUTS = 2048
"""Inputs of one call, as many as OpenAI's interface takes; its own default, 32, refuses clients' batches."""
MOST_WAITING = 2 * MOST_INPUTS
"""Inputs that are computed or wait, beyond which callers are told to come back (429)."""


def runs_on(facts: ModelSpec, capability: str | None) -> bool:
    """Whether it has a program for GPUs of this compute capability that computes such a model.

    Without flash attention it computes encoders alone.
    """
    known = text_embeddings()
    return capability in known.capabilities and (facts.encoder or capability not in known.padded)


def batch_tokens(facts: ModelSpec, settings: EngineSettings = DEFAULTS) -> int:
    """Tokens of one batch, its `--max-batch-tokens`: it starts only where the longest input is one batch."""
    return max(settings.step or text_embeddings().batch_tokens, facts.context)


def weights(facts: ModelSpec) -> int:
    """Bytes of the weights in float16, whatever they are stored as."""
    return int(facts.weights * SIXTEEN_BIT / WEIGHT_BYTES[facts.dtype])


def activation(facts: ModelSpec, capability: str | None, settings: EngineSettings = DEFAULTS) -> int:
    """Bytes of the largest layer of a batch, whose tokens count with their padding (core/src/queue.rs)."""
    each = HIDDEN * facts.hidden + WIDE * facts.intermediate
    if capability in text_embeddings().padded:
        each += SCORES * facts.attention.heads * facts.context
    return SIXTEEN_BIT * batch_tokens(facts, settings) * each


def arguments(facts: ModelSpec, *, max_num_seqs: int, settings: EngineSettings = DEFAULTS) -> tuple[str, ...]:
    """Arguments beside where its files are; an input that is too long is refused rather than cut off."""
    return (
        *("--dtype", "float16"),
        *("--max-batch-tokens", str(batch_tokens(facts, settings))),
        *("--max-batch-requests", str(max_num_seqs)),
        *("--max-client-batch-size", str(MOST_INPUTS)),
        *("--max-concurrent-requests", str(MOST_WAITING)),
        *("--auto-truncate", "false"),
        "--json-output",
    )
