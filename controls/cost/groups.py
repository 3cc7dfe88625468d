"""GPU node groups as the resources of a stack describe them: machines, most nodes, purchase, region."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from corral.catalogue.vocabulary import Cloud, Purchase
from corral.controls.control import UNKNOWN, Resource, Undecided

POOL = "corral.dev/pool"
"""Label of the nodes of a pool."""
NODE_HOUR = "corral.dev/node-hour"
"""Tag or annotation that states what one node costs for an hour, such as `51.145 EUR`; a label on Google,
where that is `51.145-EUR`."""
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
SPOT = {True: Purchase.SPOT, False: Purchase.ON_DEMAND}
ANY = "any instance type"
_ZONE = re.compile(r"(.*\d)-?[a-z]")
_TYPE = "node.kubernetes.io/instance-type"
_FAMILY = ("karpenter.k8s.aws/instance-family", "karpenter.k8s.aws/instance-category")


@dataclass(frozen=True)
class Group:
    """Machines with GPUs that one resource of the stack may have."""

    name: str
    machines: Mapping[str, int | None]
    """Most nodes by instance type, of which the group is one at a time; None: nothing limits them."""
    purchase: Purchase | None
    """None: one without list prices."""
    region: str | None
    """None: that of the stack."""
    stated: str | None = None
    """What a node costs for an hour, where the resource says so."""


Reader = Callable[[Resource, Sequence[Resource]], Group | None]
"""(resource, all resources of the stack) -> its group; None: it has no GPU."""


def group(subject: Resource, others: Sequence[Resource]) -> Group | None:
    """The GPU node group that `subject` is; None where it is none.

    Raises:
        Undecided: a value that decides it is not known before the update.
    """
    reader = READERS.get(subject.type)
    return reader(subject, others) if reader else None


def _managed_group(subject: Resource, others: Sequence[Resource]) -> Group | None:
    """A node group of EKS."""
    # A group has the type of its template, or types of its own.
    types = _template_type(subject, others, "launchTemplate") or _list(subject, "instanceTypes")
    labelled = "NVIDIA" in _chosen(subject, "amiType") or POOL in subject.value("labels", {})
    known = [one for one in types if with_gpu(one, Cloud.AWS)]
    if not (known or labelled):
        return None
    kinds = {"SPOT": Purchase.SPOT, "CAPACITY_BLOCK": None}
    most = _count(subject.value("scalingConfig.maxSize"))
    return Group(
        name=subject.name,
        machines=dict.fromkeys(known or types or [ANY], most),
        purchase=kinds.get(_chosen(subject, "capacityType"), Purchase.ON_DEMAND),
        region=_aws_region(subject),
        stated=_entry(subject.value("tags", {}), NODE_HOUR),
    )


def _scaling_group(subject: Resource, others: Sequence[Resource]) -> Group | None:
    """An Auto Scaling group of one's own; one with a mixture counts as bought on demand."""
    mixed = cast("list[Mapping[str, Any]]", _list(subject, "mixedInstancesPolicy.launchTemplate.overrides"))
    types = [str(one["instanceType"]) for one in mixed if "instanceType" in one]
    types = types or [
        one
        for key in ("launchTemplate", "mixedInstancesPolicy")
        for one in _template_type(subject, others, key)
    ]
    known = [one for one in types if with_gpu(one, Cloud.AWS)]
    if not known:
        return None
    tags = cast("list[Mapping[str, Any]]", _list(subject, "tags"))
    return Group(
        name=subject.name,
        machines=dict.fromkeys(known, _count(subject.value("maxSize"))),
        purchase=Purchase.ON_DEMAND,
        region=_aws_region(subject),
        stated=_entry({str(one.get("key")): one.get("value") for one in tags}, NODE_HOUR),
    )


def _node_pool_of_gke(subject: Resource, others: Sequence[Resource]) -> Group | None:
    machine = _chosen(subject, "nodeConfig.machineType")
    if not (with_gpu(machine, Cloud.GCP) or _set(subject, "nodeConfig.guestAccelerators", [])):
        return None
    preemptible = subject.value("nodeConfig.spot", False) or subject.value("nodeConfig.preemptible", False)
    label = _entry(_set(subject, "nodeConfig.labels", {}), NODE_HOUR)
    return Group(
        name=subject.name,
        machines={machine or ANY: _most_of_gke(subject)},
        purchase=None if subject.value("nodeConfig.flexStart", False) else SPOT[bool(preemptible)],
        region=_gcp_region(subject),
        stated=label and " ".join(label.rsplit("-", 1)),
    )


def _node_pool_of_karpenter(subject: Resource, others: Sequence[Resource]) -> Group | None:
    types = _required(subject, _TYPE)
    known = [one for one in types or [] if with_gpu(one, Cloud.AWS)]
    if _without_gpu(subject, types, known):
        return None
    capacity = _required(subject, "karpenter.sh/capacity-type") or []
    block = _required(subject, "karpenter.k8s.aws/capacity-reservation-type") == ["capacity-block"]
    return Group(
        name=subject.name,
        machines={one: _most_of_karpenter(subject, one) for one in known or [ANY]},
        purchase=None if block else SPOT[capacity == ["spot"]],
        region=None,
        stated=_entry(subject.value("metadata.annotations", {}), NODE_HOUR),
    )


def _labelled_node(subject: Resource, others: Sequence[Resource]) -> Group | None:
    """A node that was there: it costs what its pool says."""
    if POOL not in subject.value("metadata.labels", {}):
        return None
    stated = _entry(subject.value("metadata.annotations", {}), NODE_HOUR)
    return Group(subject.name, {"a node that was there": 1}, None, None, stated)


READERS: Mapping[str, Reader] = {
    "aws:eks/nodeGroup:NodeGroup": _managed_group,
    "aws:autoscaling/group:Group": _scaling_group,
    "gcp:container/nodePool:NodePool": _node_pool_of_gke,
    "kubernetes:karpenter.sh/v1:NodePool": _node_pool_of_karpenter,
    "kubernetes:core/v1:NodePatch": _labelled_node,
}
"""What reads the resources of each type."""


def with_gpu(machine: str, cloud: Cloud) -> bool:
    """Whether machines of this type have NVIDIA GPUs: it, or another of its kind, is in the catalogue.

    >>> with_gpu("p3.2xlarge", Cloud.AWS), with_gpu("m7i.large", Cloud.AWS)
    (True, False)
    """
    return _kind(machine, cloud) in _kinds(cloud)


@cache
def _kinds(cloud: Cloud) -> frozenset[str]:
    from corral.catalogue.instances import instances  # Few stacks rent machines; all load this module.

    return frozenset(_kind(name, cloud) for name, entry in instances().items() if entry.cloud is cloud)


def _kind(machine: str, cloud: Cloud) -> str:
    """The letters before the generation on AWS, the series on Google: `p` of p5.48xlarge, `a3`."""
    letters = re.match(r"[a-z]+" if cloud is Cloud.AWS else r"[a-z]+\d+", machine)
    return letters[0] if letters else ""


def _template_type(subject: Resource, others: Sequence[Resource], key: str) -> list[str]:
    """Instance type of the launch template that property `key` comes from, where it is in the stack."""
    urns = subject.refers.get(key, ())
    types = (one.value("instanceType") for one in others if one.type == TEMPLATE and one.urn in urns)
    return [str(one) for one in types if one]


def _required(subject: Resource, key: str) -> list[str] | None:
    """Values that a requirement of a Karpenter NodePool allows for `key`; None: any."""
    path = "spec.template.spec.requirements"
    requirements = cast("list[Mapping[str, Any]]", _list(subject, path))
    for one in requirements:
        if one.get("key") == key and one.get("operator") == "In":
            return [str(value) for value in one.get("values", [])]
    return None


def _without_gpu(subject: Resource, types: list[str] | None, known: list[str]) -> bool:
    """Whether the requirements or limits of a Karpenter NodePool leave no machine with a GPU."""
    if types is not None:
        return not known
    if _count(_limits(subject).get("nvidia.com/gpu")) == 0:
        return True
    named = [_required(subject, key) for key in _FAMILY]
    return any(
        one is not None and not any(with_gpu(value, Cloud.AWS) or value in _kinds(Cloud.AWS) for value in one)
        for one in named
    )


def _most_of_karpenter(subject: Resource, machine: str) -> int | None:
    """The tightest of the limits, in nodes of this type."""
    from corral.catalogue.instances import instances

    limits, entry = _limits(subject), instances().get(machine)
    bounds = [_count(limits.get("nodes")), _count(subject.value("spec.replicas"))]
    for key, each in (("nvidia.com/gpu", entry and entry.gpus), ("cpu", entry and entry.vcpus)):
        total = _count(limits.get(key))
        bounds.append(total // each if total is not None and each else None)
    return min((one for one in bounds if one is not None), default=None)


def _limits(subject: Resource) -> Mapping[str, Any]:
    return subject.value("spec.limits", {})


def _most_of_gke(subject: Resource) -> int | None:
    total = _count(subject.value("autoscaling.totalMaxNodeCount"))
    if total is not None:
        return total
    each = _count(_first(subject, "autoscaling.maxNodeCount", "nodeCount", "initialNodeCount"))
    zones = len(_places(subject))
    regional = zones == 1 and not _ZONE.fullmatch(_places(subject)[0])
    return None if each is None or zones == 0 or regional else each * zones


def _places(subject: Resource) -> list[str]:
    """Zones of a node pool of GKE; its cluster's region, which has several, where it names none."""
    value = _first(subject, "nodeLocations", "location")
    return [str(one) for one in cast("list[Any]", value if isinstance(value, list) else [value]) if one]


def _gcp_region(subject: Resource) -> str | None:
    places = _places(subject)
    if not places:
        return _region_of_provider(subject)
    zone = _ZONE.fullmatch(places[0])
    return zone[1] if zone else places[0]


def _aws_region(subject: Resource) -> str | None:
    return _chosen(subject, "region") or _region_of_provider(subject)


def _region_of_provider(subject: Resource) -> str | None:
    return _entry(subject.provider, "region")


def _set(subject: Resource, path: str, default: Any) -> Any:
    """The value at `path`; `default` where it is absent, or, before the update, the provider's to choose."""
    try:
        return subject.value(path, default)
    except Undecided:
        return default


def _chosen(subject: Resource, path: str) -> str:
    return str(_set(subject, path, ""))


def _first(subject: Resource, *paths: str) -> Any:
    """The first value that is there; None where there is none.

    Raises:
        Undecided: none is known, and one of them will be there.
    """
    missing: list[Undecided] = []
    for path in paths:
        try:
            value = subject.value(path)
        except Undecided as reason:
            missing.append(reason)
            continue
        if value is not None:
            return value
    if missing:
        raise missing[0]
    return None


def _list(subject: Resource, path: str) -> list[Any]:
    values = cast("list[Any]", subject.value(path, []))
    if any(one is UNKNOWN for one in values):
        raise Undecided(f"`{path}` is not known yet")
    return values


def _entry(entries: Mapping[str, Any], key: str) -> str | None:
    value = entries.get(key)
    if value is UNKNOWN:
        raise Undecided(f"`{key}` is not known yet")
    return None if value is None else str(value)


def _count(value: object) -> int | None:
    """`value` as a whole number, from a number or its text; None: it is none."""
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return int(text) if text.isdecimal() else None
