"""Loaded size of routed experts in mxfp4: each kernel of vLLM pads them in its own way.

vLLM v0.30.0, vllm/model_executor/layers: in fused_moe/oracle/mxfp4.py `_get_priority_backends_for_gpt_oss` is
the order of kernels, `mxfp4_round_up_hidden_size_and_intermediate_size` their padding; shapes of tensors are
in quantization/mxfp4.py. gpt-oss-120b loads 65.97 GiB with Marlin (log in vLLM issue 23278) and 64.38 GiB
with Triton (vLLM issue 33155) of 60.8 published.
"""

from dataclasses import dataclass

from corral.catalogue.models import Experts, ModelSpec

MATRICES = 3
"""Gate, up and down."""
BLOCK = 32
"""Elements that share one scale byte."""
BIAS_BYTES = 2


@dataclass(frozen=True)
class Kernel:
    """How a kernel keeps an expert."""

    hidden: int
    """The hidden size is rounded up to a multiple of this."""
    intermediate: int
    """The intermediate size of one device is rounded up to a multiple of this."""
    swizzled: int = 0
    """Rows that a second copy of the scales is padded to; 0: there is none."""

    def expert(self, hidden: int, intermediate: int) -> int:
        """Bytes of one expert of `intermediate` on a device."""
        rows, columns = _up(hidden, self.hidden), _up(intermediate, self.intermediate)
        elements = MATRICES * rows * columns
        biases = BIAS_BYTES * (2 * columns + rows)
        return elements // 2 + elements // BLOCK + biases + self._copies(rows, columns)

    def _copies(self, rows: int, columns: int) -> int:
        if not self.swizzled:
            return 0
        gate_and_up = _up(2 * columns, self.swizzled) * rows
        return (gate_and_up + _up(rows, self.swizzled) * columns) // BLOCK


PUBLISHED = Kernel(1, 1)
MARLIN = Kernel(256, 128)
"""GPUs without native 4-bit kernels; TensorRT-LLM's kernels, of compute capability 10, pad alike."""
TRITON = Kernel(1, 64, swizzled=256)
"""Compute capability 9.0. The published scales were kept beside their copy in every logged version."""
TRITON_CAPABILITY = "9.0"


def kernels(capability: str | None) -> tuple[Kernel, ...]:
    """The kernels that vLLM may choose on a GPU of `capability`."""
    if capability is None:
        return MARLIN, TRITON
    return (TRITON,) if capability == TRITON_CAPABILITY else (MARLIN,)


def loaded(spec: ModelSpec, experts: Experts, parallel: int, capability: str | None) -> int:
    """Bytes of the weights of `spec` on each of `parallel` devices, its experts padded."""
    number, hidden = spec.layers * experts.count, experts.hidden or spec.hidden
    published = number * PUBLISHED.expert(hidden, experts.intermediate)
    rest = max(0, spec.weights - published)
    width = -(-experts.intermediate // parallel)
    return rest // parallel + number * max(kernel.expert(hidden, width) for kernel in kernels(capability))


def _up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
