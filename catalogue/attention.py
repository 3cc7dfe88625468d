"""Attention: bytes that a sequence leaves in vLLM's cache on each of `parallel` devices, by kind.

Counted as vLLM v0.30.0 counts it: vllm/v1/kv_cache_interface.py (`max_memory_usage_bytes` of each kind) and
vllm/v1/core/kv_cache_utils.py (`unify_kv_cache_spec_page_size`, `_get_kv_cache_groups_uniform_page_size`,
`_max_memory_usage_bytes_from_groups`): layers of one kind form groups of equal size, all groups draw pages of
equal size from one pool, and each group needs its own number of them.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from corral.catalogue._read import Entry

BLOCK = 16
"""Tokens of one block of vLLM's cache, unless a setting says otherwise."""
LATENT_BLOCK = 128
"""The same under latent attention, whose kernels take 32, 64 or 128; an upper bound."""
STATE_BYTES = 4
"""Bytes per element of a recurrent state, which is kept in single precision."""
CONVOLUTION_BYTES = 2
"""Bytes per element of the state of a convolution."""
UNEVEN = 1.5
"""Groups take the larger number of layers where it is less than this times the smaller."""
INDEX_SCALE = 4
"""Bytes of the scale beside each 8-bit index key of sparse attention."""
SCALE, SCALED, PACKED_ROPE = 4, 128, 2
"""A latent in 8 bits: bytes of a scale, dimensions that share one, bytes per element of the rotary key.

656 bytes for 512 + 64, `fp8_ds_mla` in vllm/model_executor/layers/attention/mla_attention.py; dense kernels
take less.
"""

Size = Annotated[int, Field(ge=1, le=10**15)]


@dataclass(frozen=True)
class Cache:
    """How the engine keeps its cache."""

    element: int = 2
    """Bytes per element."""
    block: int = BLOCK
    """Tokens of one block."""
    prefixes: bool = True
    """Whether a finished prefix may be used again."""

    @property
    def states(self) -> int:
        """Recurrent states kept per sequence: the running one and the last that a prefix may start from."""
        return 2 if self.prefixes else 1


DEFAULT = Cache()


class _Groups(NamedTuple):
    """Layers of a pool of two kinds, with those that pad the last group of each."""

    size: int
    """Layers of every group."""
    full: int
    other: int

    @property
    def layers(self) -> int:
        return self.size * (self.full + self.other)


class _Attention(Entry):
    """What every kind has: heads that tensor parallelism divides."""

    heads: Size

    def divides(self, parallel: int) -> bool:
        """Whether `parallel` devices can share these heads."""
        return self.heads % parallel == 0

    def projections(self, hidden: int) -> int:
        """Parameters of the projections of one layer, at most."""
        return 4 * hidden * hidden

    def token(self, layers: int, parallel: int, cache: Cache = DEFAULT) -> int:
        """Bytes that one more token of a sequence needs."""
        raise NotImplementedError

    def sequence(self, layers: int, parallel: int, *, tokens: int, step: int, cache: Cache = DEFAULT) -> int:
        """Bytes at most that a sequence of `tokens` needs while `step` of them are in flight."""
        return _ceil(tokens, cache.block) * cache.block * self.token(layers, parallel, cache)

    def state(self, layers: int, parallel: int, cache: Cache = DEFAULT) -> int:
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

    def projections(self, hidden: int) -> int:
        return 2 * hidden * (self.heads + self.kv_heads) * self.head_dim

    def layer(self, parallel: int, cache: Cache = DEFAULT) -> int:
        """Bytes per token and layer; a device holds at least one key-value head."""
        return _pair(self.kv_heads, self.head_dim, parallel, cache)

    def token(self, layers: int, parallel: int, cache: Cache = DEFAULT) -> int:
        return layers * self.layer(parallel, cache)


class Sliding(Grouped):
    """Some or all layers see a window only.

    It holds window - 1 tokens and those in flight, in blocks that it need not begin with.
    """

    kind: Literal["sliding"]  # pyright: ignore[reportIncompatibleVariableOverride]
    full_layers: Annotated[int, Field(ge=0)]
    """Layers that see the whole sequence."""
    window: Size
    """Tokens that the others see."""
    shared_layers: Annotated[int, Field(ge=0)] = 0
    """Layers that read the cache of another and keep none."""
    full_kv_heads: Size | None = None
    """Key-value heads of the layers that see the whole sequence; those of the others when absent."""
    full_head_dim: Size | None = None
    """Dimensions of their heads; those of the others when absent."""

    def full_layer(self, parallel: int, cache: Cache = DEFAULT) -> int:
        """Bytes per token and layer that sees the whole sequence."""
        heads, width = self.full_kv_heads or self.kv_heads, self.full_head_dim or self.head_dim
        return _pair(heads, width, parallel, cache)

    def token(self, layers: int, parallel: int, cache: Cache = DEFAULT) -> int:
        groups = self._groups(layers)
        windowed, full = self._blocks(parallel, cache)
        page = self._page(parallel, cache)
        return groups.size * (groups.full * page // full + groups.other * page // windowed)

    def sequence(self, layers: int, parallel: int, *, tokens: int, step: int, cache: Cache = DEFAULT) -> int:
        groups = self._groups(layers)
        windowed, full = self._blocks(parallel, cache)
        held = _ceil(min(self.window - 1 + step, tokens), windowed) + 1
        pages = groups.full * _ceil(tokens, full) + groups.other * held
        return groups.size * pages * self._page(parallel, cache)

    def _groups(self, layers: int) -> _Groups:
        return groups(self.full_layers, layers - self.full_layers - self.shared_layers)

    def _page(self, parallel: int, cache: Cache) -> int:
        return cache.block * max(self.layer(parallel, cache), self.full_layer(parallel, cache))

    def _blocks(self, parallel: int, cache: Cache) -> tuple[int, int]:
        """Tokens per page of a windowed and of a full layer.

        The page of the wider kind is the page of both. The narrower one has more tokens on it where they
        divide it, else it is padded.
        """
        sizes = self.layer(parallel, cache), self.full_layer(parallel, cache)
        windowed, full = (
            max(sizes) // size * cache.block if max(sizes) % size == 0 else cache.block for size in sizes
        )
        return windowed, full


class Stateful(Grouped):
    """Some layers attend, others keep a state of fixed size.

    A block of the cache has as many tokens as make its page no smaller than a state, which is padded to it
    (`_align_hybrid_block_size` in vllm/platforms/interface.py).
    """

    full_layers: Annotated[int, Field(ge=0)]
    """Layers that attend; only these grow."""

    def stateful_layers(self, layers: int) -> int:
        """Layers of `layers` that keep a state."""
        raise NotImplementedError

    def state_size(self, parallel: int) -> int:
        """Bytes of the state of one layer and sequence on a device."""
        raise NotImplementedError

    def token(self, layers: int, parallel: int, cache: Cache = DEFAULT) -> int:
        groups = self._groups(layers)
        return groups.size * groups.full * self.layer(parallel, cache)

    def sequence(self, layers: int, parallel: int, *, tokens: int, step: int, cache: Cache = DEFAULT) -> int:
        block = self.block(parallel, cache)
        return _ceil(tokens, block) * block * self.token(layers, parallel, cache)

    def state(self, layers: int, parallel: int, cache: Cache = DEFAULT) -> int:
        groups = self._groups(layers)
        if not self.full_layers:
            return groups.layers * self.state_size(parallel)
        page = self.block(parallel, cache) * self.layer(parallel, cache)
        return cache.states * groups.size * groups.other * page

    def block(self, parallel: int, cache: Cache = DEFAULT) -> int:
        """Tokens of one block."""
        least = self.least_block(cache)
        return least * max(1, _ceil(self.state_size(parallel), least * self.layer(parallel, cache)))

    def least_block(self, cache: Cache) -> int:
        """Tokens that a block has a multiple of."""
        return cache.block

    def _groups(self, layers: int) -> _Groups:
        return groups(self.full_layers, self.stateful_layers(layers))


class Hybrid(Stateful):
    """The layers that do not attend are gated delta networks."""

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

    def stateful_layers(self, layers: int) -> int:
        return layers - self.full_layers

    def state_size(self, parallel: int) -> int:
        recurrent = self.state_heads * self.state_dim**2 * STATE_BYTES
        mixed = (self.state_heads + 2 * self.state_key_heads) * self.state_dim
        convolution = mixed * (self.kernel - 1) * CONVOLUTION_BYTES
        return _ceil(recurrent + convolution, parallel)


class Recurrent(Stateful):
    """Layers with a state of any kind, beside layers that attend, and layers that keep nothing."""

    kind: Literal["recurrent"]  # pyright: ignore[reportIncompatibleVariableOverride]
    state_layers: Annotated[int, Field(ge=0)]
    """Layers that keep a state; one may attend as well."""
    state_heads: Size = 1
    """Heads of such a layer, which tensor parallelism divides."""
    state_bytes: Annotated[int, Field(ge=0, le=10**12)] = 0
    """Bytes of the state of one layer and sequence."""
    latent: Annotated[int, Field(ge=0)] = 0
    """Dimensions of the compressed key and value of the layers that attend; 0: they have key-value heads."""
    rope: Annotated[int, Field(ge=0)] = 0
    """Dimensions of the rotary key beside it."""

    def divides(self, parallel: int) -> bool:
        """Also: the heads of the layers with state divide."""
        return super().divides(parallel) and self.state_heads % parallel == 0

    def stateful_layers(self, layers: int) -> int:
        return self.state_layers

    def state_size(self, parallel: int) -> int:
        return _ceil(self.state_bytes, parallel)

    def layer(self, parallel: int, cache: Cache = DEFAULT) -> int:
        if self.latent:
            return _compressed(self.latent, self.rope, cache)
        return super().layer(parallel, cache)

    def least_block(self, cache: Cache) -> int:
        return max(cache.block, LATENT_BLOCK) if self.latent else cache.block


class Latent(_Attention):
    """Multi-head latent attention: one compressed vector per token, replicated on every device."""

    kind: Literal["mla"]
    latent: Size
    """Dimensions of the compressed key and value."""
    rope: Size
    """Dimensions of the rotary key beside it."""
    index: int = 0
    """Dimensions of the index key of sparse attention, 8 bits each; 0: attention is dense."""

    def token(self, layers: int, parallel: int, cache: Cache = DEFAULT) -> int:
        indexed = self.index + INDEX_SCALE if self.index else 0
        return layers * (_compressed(self.latent, self.rope, cache) + indexed)

    def sequence(self, layers: int, parallel: int, *, tokens: int, step: int, cache: Cache = DEFAULT) -> int:
        block = max(cache.block, LATENT_BLOCK)
        return _ceil(tokens, block) * block * self.token(layers, parallel, cache)


class Encoder(_Attention):
    """Attention in both directions: nothing is kept."""

    kind: Literal["encoder"]

    def token(self, layers: int, parallel: int, cache: Cache = DEFAULT) -> int:
        return 0


Attention = Annotated[Grouped | Sliding | Hybrid | Recurrent | Latent | Encoder, Field(discriminator="kind")]


def groups(full: int, other: int) -> _Groups:
    """How a pool holds `full` layers beside `other` ones.

    In groups of the smaller number, or of the larger where that is hardly more.
    """
    least, most = sorted((full, other))
    size = max(1, most if least == 0 or most < least * UNEVEN else least)
    return _Groups(size, _ceil(full, size), _ceil(other, size))


def padded(full: int, windowed: int) -> int:
    """Layers that vLLM's pool holds for `full` and `windowed` ones."""
    return groups(full, windowed).layers


def _pair(heads: int, width: int, parallel: int, cache: Cache) -> int:
    """Bytes of a key and a value of one token and layer."""
    return 2 * max(1, heads // parallel) * width * cache.element


def _compressed(latent: int, rope: int, cache: Cache) -> int:
    """Bytes of the compressed vector of one token and layer."""
    if cache.element > 1:
        return (latent + rope) * cache.element
    return latent + SCALE * _ceil(latent, SCALED) + PACKED_ROPE * rope


def _ceil(number: int, by: int) -> int:
    return -(-number // by)
