"""Labels, taint and price of a GPU node, whoever made it."""

from decimal import Decimal
from typing import NotRequired, TypedDict

from corral.catalogue.vocabulary import Currency
from corral.components._kit import COMPONENT_LABEL
from corral.components._words import CurrencyWord

COMPONENT = "gpu-node-pool"
POOL_LABEL = "corral.dev/pool"
MIG_LABEL = "nvidia.com/mig.config"
"""The MIG manager partitions a node's GPUs by the configuration of this name."""
CACHE_LABEL = "kserve/localmodel"
"""KServe's agent of local models runs on nodes with the value `worker`."""
DEVICE_PLUGIN_LABEL = "nvidia.com/device-plugin.config"
"""The device plugin shares a node's GPUs by the configuration of this name."""
TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
"""Keeps everything off GPU nodes that did not ask for a GPU."""
EFA_RESOURCE = "vpc.amazonaws.com/efa"
"""What AWS's device plugin calls an interface of its fabric."""


class GpuNodePoolArgs(TypedDict):
    """What every pool of GPU nodes needs to know."""

    pool: str
    """Name of the pool, which its nodes carry as a label."""


class PoolNode(TypedDict):
    """One node of a pool."""

    name: str
    """Name of the Kubernetes node."""
    mig_config: NotRequired[str]
    """MIG configuration of its GPUs; whole GPUs when omitted."""
    device_plugin_config: NotRequired[str]
    """Configuration by which the device plugin shares its GPUs; not shared when omitted."""
    model_cache: NotRequired[bool]
    """True: it keeps models on its disk, as component ModelCache has it."""


class HourlyPrice(TypedDict):
    """What one node costs for an hour."""

    amount: float
    """Above 0."""
    currency: CurrencyWord
    """What `amount` is counted in."""


def price_text(price: HourlyPrice) -> str:
    """The price as the budget's control reads it.

    >>> price_text({"amount": 51.145, "currency": Currency.EUR})
    '51.145 EUR'
    """
    return f"{Decimal(str(price['amount'])).normalize():f} {Currency(price['currency']).value}"


def node_labels(pool: str, node: PoolNode) -> dict[str, str]:
    """Labels of a node of `pool`."""
    chosen = {
        MIG_LABEL: node.get("mig_config"),
        DEVICE_PLUGIN_LABEL: node.get("device_plugin_config"),
        CACHE_LABEL: "worker" if node.get("model_cache", False) else None,
    }
    named = {label: value for label, value in chosen.items() if value is not None}
    return {POOL_LABEL: pool, COMPONENT_LABEL: COMPONENT, **named}
