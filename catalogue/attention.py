"""Attention: what a sequence leaves in the cache of each device, by kind of attention.

Sizes are bytes of the 16-bit cache that vLLM keeps by default, on each of `parallel` devices of one replica.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from corral.catalogue._read import Entry

CACHE_BYTES = 2
"""Bytes per element of the cache."""
BLOCK = 16
"""Tokens of one block of vLLM's cache."""
STATE_BYTES = 4
"""Bytes per element of a recurrent state, which is kept in single precision."""
STATES = 2
"""States kept per sequence: the running one and the last that the prefix cache may start from."""
INDEX_SCALE = 4
"""Bytes of the scale beside each 8-bit index key of sparse attention."""

Size = Annotated[int, Field(ge=1)]


class _Attention(Entry):
    """What every kind has: heads that tensor parallelism divides."""

    heads: Size

    def divides(self, parallel: int) -> bool:
        """Whether `parallel` devices can share these heads."""
        return self.heads % parallel == 0

    def token(self, layers: int, parallel: int) -> int:
        """Bytes that one more token of a sequence needs."""
        raise NotImplementedError

    def sequence(self, layers: int, parallel: int, *, tokens: int, step: int) -> int:
        """Bytes at most that a sequence of `tokens` needs while `step` of them are computed at once."""
        return -(-tokens // BLOCK) * BLOCK * self.token(layers, parallel)

    def state(self, layers: int, parallel: int) -> int:
        """Bytes that each sequence needs whatever its length."""
        return 0


class Grouped(_Attention):
    """Grouped-query attention; multi-head attention where `kv-heads` equals `heads`."""

    kind: Literal["gqa"]
    kv_heads: Size
    head_dim: Size

    @model_validator(mode="after")
    def _whole_groups(self) -> "Grouped":
        if self.heads % self.kv_heads:
            raise ValueError(f"kv-heads must divide heads, {self.heads}")
        return self

    def divides(self, parallel: int) -> bool:
        """Also: each device holds whole key-value heads, or they are replicated evenly."""
        even = self.kv_heads % parallel == 0 or parallel % self.kv_heads == 0
        return super().divides(parallel) and even

    def layer(self, parallel: int) -> int:
        """Bytes per token and layer; a device holds at least one key-value head."""
        return 2 * max(1, self.kv_heads // parallel) * self.head_dim * CACHE_BYTES

    def token(self, layers: int, parallel: int) -> int:
        return layers * self.layer(parallel)


class Sliding(Grouped):
    """Some layers see a window only.

    vLLM keeps all layers in one pool of equal groups and pads the last. Each group has its own maximum: a
    window holds window - 1 tokens and those of one step, in blocks that it need not begin with
    (`SlidingWindowSpec.max_memory_usage_bytes` in vllm/v1/kv_cache_interface.py).
    """

    kind: Literal["sliding"]  # pyright: ignore[reportIncompatibleVariableOverride]
    full_layers: Size
    """Layers that see the whole sequence."""
    window: Size
    """Tokens that the others see."""

    def token(self, layers: int, parallel: int) -> int:
        return padded(self.full_layers, layers - self.full_layers) * self.layer(parallel)

    def sequence(self, layers: int, parallel: int, *, tokens: int, step: int) -> int:
        group = min(self.full_layers, layers - self.full_layers) or self.full_layers
        full = group * -(-self.full_layers // group)
        windowed = padded(self.full_layers, layers - self.full_layers) - full
        full_blocks = -(-tokens // BLOCK)
        window_blocks = -(-min(self.window - 1 + step, tokens) // BLOCK) + 1
        blocks = full * full_blocks + windowed * window_blocks
        return blocks * BLOCK * self.layer(parallel)


class Hybrid(Grouped):
    """Some layers attend, the others keep a state of fixed size (gated delta networks)."""

    kind: Literal["hybrid"]  # pyright: ignore[reportIncompatibleVariableOverride]
    full_layers: Size
    """Layers that attend; only these grow."""
    state_heads: Size
    """Value heads of a layer with state."""
    state_key_heads: Size
    """Key heads of a layer with state."""
    state_dim: Size
    """Dimensions of each of its heads."""
    kernel: Size
    """Steps that its convolution remembers, with the current one."""

    def divides(self, parallel: int) -> bool:
        """Also: the heads of the layers with state divide."""
        states = self.state_heads % parallel == 0 and self.state_key_heads % parallel == 0
        return super().divides(parallel) and states

    def token(self, layers: int, parallel: int) -> int:
        return self.full_layers * self.layer(parallel)

    def state(self, layers: int, parallel: int) -> int:
        recurrent = self.state_heads * self.state_dim**2 * STATE_BYTES
        mixed = (self.state_heads + 2 * self.state_key_heads) * self.state_dim
        convolution = mixed * (self.kernel - 1) * CACHE_BYTES
        return STATES * (layers - self.full_layers) * (recurrent + convolution) // parallel


class Latent(_Attention):
    """Multi-head latent attention: one compressed vector per token, replicated on every device."""

    kind: Literal["mla"]
    latent: Size
    """Dimensions of the compressed key and value."""
    rope: Size
    """Dimensions of the rotary key beside it."""
    index: int = 0
    """Dimensions of the index key of sparse attention, 8 bits each; 0: attention is dense."""

    def token(self, layers: int, parallel: int) -> int:
        indexed = self.index + INDEX_SCALE if self.index else 0
        return layers * ((self.latent + self.rope) * CACHE_BYTES + indexed)


class Encoder(_Attention):
    """Attention in both directions: nothing is kept."""

    kind: Literal["encoder"]

    def token(self, layers: int, parallel: int) -> int:
        return 0


Attention = Annotated[Grouped | Sliding | Hybrid | Latent | Encoder, Field(discriminator="kind")]


def padded(full: int, windowed: int) -> int:
    """Layers that vLLM's pool holds for `full` and `windowed` ones: groups of the smaller number."""
    group = min(full, windowed) or max(full, windowed)
    return group * (-(-full // group) + -(-windowed // group))
