"""What the MIG manager does on a machine: cut GPUs as its label asks, unless they are busy, and say so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from corral.embedded.hardware.geometry import Impossible
from corral.embedded.hardware.inventory import Product
from corral.embedded.hardware.mig_parted import Layout, layouts
from corral.embedded.hardware.publication import CLIENT_LABEL
from corral.embedded.kube import Object
from corral.embedded.objects import at, child, children

CONFIG_KEY = "config.yaml"


@dataclass(frozen=True)
class Outcome:
    """What became of a requested configuration."""

    state: str
    """Value of the node label `nvidia.com/mig.config.state`: success, pending or failed."""
    changes: Mapping[int, Layout] = field(default_factory=dict[int, Layout])
    """New layouts of the GPUs that change now."""
    why: str = ""
    """Why it is not a success."""
    conflict: bool = False
    """Whether it asks for what the DRA driver, with DynamicMIG, would destroy."""
    paused: bool = False
    """Whether it waits until the pods of GPU clients have left the node."""


def clients(pods: Iterable[Object], node: str) -> bool:
    """Whether pods of a node have to end before its GPUs are cut (mig-parted v0.15.0, reconfigure.go)."""
    return any(
        at(pod, "spec", "nodeName") == node
        and CLIENT_LABEL in child(pod, "spec", "nodeSelector")
        and any(
            owner.get("kind") == "DaemonSet" and owner.get("controller")
            for owner in children(pod, "metadata", "ownerReferences")
        )
        for pod in pods
    )


def manage(
    name: str,
    configurations: Object | None,
    product: Product,
    current: Mapping[int, Layout],
    busy: frozenset[int],
    *,
    dynamic: bool = False,
) -> Outcome:
    """What to do about configuration `name` on a machine.

    Nothing is cut when any GPU's layout is impossible, or when one that would change is `busy`: GPUs by
    index of which a device is allocated. With `dynamic` the DRA driver cuts the GPUs: their MIG mode may be
    switched, and slices are a conflict. The real driver forbids them without noticing: it destroys slices
    that are not its own when it starts, and cannot make its own later (cmd/gpu-kubelet-plugin/driver.go and
    nvlib.go of v0.4.1).
    """
    text = at(configurations, "data", CONFIG_KEY) if configurations else None
    if text is None:
        return Outcome("failed", why=f"no ConfigMap with key {CONFIG_KEY} for MIG configuration {name!r}")
    try:
        desired = layouts(str(text), name, product, len(current))
    except Impossible as cause:
        return Outcome("failed", why=f"MIG configuration {name!r}: {cause}")
    if dynamic and any(desired.values()):
        why = f"MIG configuration {name!r} cuts slices where the DRA driver does, with DynamicMIG: remove one"
        return Outcome("failed", why=why, conflict=True)
    changing = {gpu: layout for gpu, layout in desired.items() if layout != current[gpu]}
    blocked = sorted(changing.keys() & busy)
    if blocked:
        which = ", ".join(map(str, blocked))
        return Outcome("pending", why=f"MIG configuration {name!r} waits: devices of GPU {which} are in use")
    return Outcome("success", changing)
