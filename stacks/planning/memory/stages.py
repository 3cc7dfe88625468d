"""A model in stages, one a node: what the one that holds most has of it.

vLLM divides layers as evenly as they go (`get_pp_indices`), so that no stage has more than its share rounded
up; the first has the table of the input, the last that of the output. An upper bound: each is taken to have
one; where not all layers have experts, a stage to have those alone; and where layers keep different things of
a sequence, to keep all of it.
"""

from corral.catalogue.attention import Sliding, Stateful
from corral.catalogue.models import SIXTEEN_BIT, WEIGHT_BYTES, WIDE_ATTENTION, ModelSpec

MATRICES = 3
"""Of a gated layer: gate, up, down."""


def stage(facts: ModelSpec, stages: int) -> ModelSpec:
    """The facts of the largest of `stages`; those of the model itself for one.

    >>> from corral.catalogue.models import models
    >>> stage(models()["qwen3-32b"], 2).layers
    32
    """
    if stages == 1:
        return facts
    layers = -(-facts.layers // stages)
    table = min(facts.weights, SIXTEEN_BIT * facts.vocabulary * facts.hidden)
    share = -(-(facts.weights - table) * layers // facts.layers)
    weights = min(facts.weights, table + max(share, layers * _expert_layer(facts)))
    stated = {"weights_bytes": weights, "weights_gib": None, "parameters": None}
    alike = not isinstance(facts.attention, (Sliding, Stateful))
    return facts.model_copy(update={**stated, **({"layers": layers} if alike else {})})


def _expert_layer(facts: ModelSpec) -> int:
    """Bytes of a layer with routed experts; 0: there is none."""
    if facts.experts is None:
        return 0
    each = WEIGHT_BYTES[facts.dtype]
    width = facts.experts.count * facts.experts.intermediate + facts.intermediate
    hidden = facts.experts.hidden or facts.hidden
    attention = facts.attention.projections(facts.hidden)
    wide = SIXTEEN_BIT if facts.dtype in WIDE_ATTENTION else each
    router = SIXTEEN_BIT * facts.experts.count * facts.hidden
    return int(MATRICES * hidden * width * each + attention * wide) + router
