"""What the cache of models needs to know."""

from typing import NotRequired, TypedDict

import pulumi

from corral.components.store import Store
from corral.components.supply import Supply


class CachedPool(TypedDict):
    """A pool whose nodes keep models."""

    pool: str
    """Name of the pool, which its nodes carry as the label `corral.dev/pool`."""
    room_gib: int
    """Most that models may take on the disk of one node, in GiB."""


class ModelCacheArgs(TypedDict):
    """What the cache of models needs to know."""

    pools: list[CachedPool]
    """Pools whose nodes keep models."""
    store: Store
    """Store that they are fetched from, opened by a key."""
    supply: Supply
    """Where charts and images come from."""
    namespace: NotRequired[pulumi.Input[str]]
    """Where KServe runs, such as `KServe.namespace`; `kserve` when omitted."""
    cert_manager: NotRequired[pulumi.Input[str]]
    """`CertManager.namespace`, where this program makes it; its types must be there already when omitted."""
    kyverno_types: NotRequired[pulumi.Input[str]]
    """`Kyverno.namespace`, where this program makes it; its policy types must be there already when
    omitted."""
    existing: NotRequired[bool]
    """True: KServe's controller and agent of local models are there; only pools and downloads are made."""
