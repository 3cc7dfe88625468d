"""Values of the chart of AWS's device plugin."""

from collections.abc import Sequence
from typing import Any

from corral.catalogue.images import image
from corral.components.gpu_node_pool.node_labels import TAINT
from corral.components.supply import Supply, pull_secrets, repository_and_tag

POOL_LABEL = "corral.dev/pool"


def efa_values(pools: Sequence[str], supply: Supply) -> dict[str, Any]:
    """Values of chart `aws-efa-k8s-device-plugin`: it runs on the nodes of `pools`, beside their GPUs.

    The chart looks for instance types by a node label and its values; both are the chart's to state, and the
    pool says more precisely which nodes have the interfaces.
    """
    repository, tag = repository_and_tag(image("efa-device-plugin"), supply)
    secrets = pull_secrets(supply)
    return {
        "image": {"repository": repository, "tag": tag},
        "supportedInstanceLabels": {"keys": [POOL_LABEL], "values": list(pools)},
        "tolerations": [{"key": TAINT["key"], "operator": "Exists", "effect": TAINT["effect"]}],
        **({"imagePullSecrets": secrets} if secrets else {}),
    }
