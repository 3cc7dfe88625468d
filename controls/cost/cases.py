"""Stacks that the budget's rule lets pass, and stacks that it stops."""

from collections.abc import Sequence
from typing import Any

from corral.controls.control import UNKNOWN, Case, Resource, Verdict
from corral.controls.cost.groups import NODE_HOUR, POOL, TEMPLATE

BUDGET = "budget"
"""Profile of these cases: 50,000 USD a month, in eu-north-1."""
_URN = f"urn:pulumi:s::p::{TEMPLATE}::t"
_STOCKHOLM = {"region": "eu-north-1"}


def _template(machine: Any = "p5.48xlarge") -> Resource:
    return Resource(TEMPLATE, "t", {"instanceType": machine}, urn=_URN)


def _eks(most: Any, name: str = "nodes", **more: Any) -> Resource:
    """A managed group whose template says what its machines are, as a preview shows it."""
    props = {"scalingConfig": {"maxSize": most}, "instanceTypes": UNKNOWN, "amiType": UNKNOWN, **more}
    return Resource(
        "aws:eks/nodeGroup:NodeGroup", name, props, provider=_STOCKHOLM, refers={"launchTemplate": [_URN]}
    )


def _gke(machine: str = "a3-highgpu-8g", node: dict[str, Any] | None = None, **more: Any) -> Resource:
    props = {"nodeConfig": {"machineType": machine, "guestAccelerators": UNKNOWN, **(node or {})}, **more}
    return Resource("gcp:container/nodePool:NodePool", "pool", props)


def _karpenter(limits: dict[str, Any], *requirements: tuple[str, list[str]], **more: Any) -> Resource:
    conditions = [{"key": key, "operator": "In", "values": values} for key, values in requirements]
    spec = {"limits": limits, "template": {"spec": {"requirements": conditions}}}
    props = {"spec": spec, "metadata": more}
    return Resource("kubernetes:karpenter.sh/v1:NodePool", "pool", props)


def _asg(machine: str, most: int) -> Resource:
    over = {"launchTemplate": {"overrides": [{"instanceType": machine}]}}
    props = {"maxSize": most, "mixedInstancesPolicy": over}
    return Resource("aws:autoscaling/group:Group", "own", props, provider=_STOCKHOLM)


def _node(price: str | None, pool: str | None = "chat") -> Resource:
    labels = {} if pool is None else {POOL: pool}
    annotations = {} if price is None else {NODE_HOUR: price}
    props = {"metadata": {"name": "a", "labels": labels, "annotations": annotations}}
    return Resource("kubernetes:core/v1:NodePatch", "a", props)


def _case(title: str, verdict: Verdict, subject: Resource, *others: Resource) -> Case:
    return Case(title, verdict, subject, others=others, profile=BUDGET)


_P5 = ("node.kubernetes.io/instance-type", ["p5.48xlarge"])
_G6E = ("node.kubernetes.io/instance-type", ["g6e.xlarge"])
_GOOD, _BAD, _OPEN = Verdict.GOOD, Verdict.BAD, Verdict.UNDECIDED

CASES: Sequence[Case] = (
    _case("one dear machine", _GOOD, _eks(1), _template()),
    _case("two of them", _BAD, _eks(2), _template()),
    _case("two by spot", _GOOD, _eks(2, capacityType="SPOT"), _template()),
    _case("three by spot", _BAD, _eks(3, capacityType="SPOT"), _template()),
    _case("each group alone fits, both do not", _BAD, _eks(1), _eks(1, "more"), _template()),
    _case("two at a price by contract", _GOOD, _eks(2, tags={NODE_HOUR: "30 USD"}), _template()),
    _case("a price that is none", _BAD, _eks(1, tags={NODE_HOUR: "cheap"}), _template()),
    _case("a price below zero", _BAD, _eks(1, tags={NODE_HOUR: "-30 USD"}), _template()),
    _case("no GPU", _GOOD, _eks(500), _template("m7i.large")),
    _case("a GPU that no list prices", _BAD, _eks(1), _template("p3.2xlarge")),
    _case(
        "a GPU image on machines that are not named",
        _BAD,
        _eks(1, instanceTypes=[], amiType="AL2023_x86_64_NVIDIA"),
    ),
    _case("a region without a price", _BAD, _eks(1, region="eu-central-1"), _template()),
    _case("a capacity block", _BAD, _eks(1, capacityType="CAPACITY_BLOCK"), _template()),
    _case("a size that is not known yet", _OPEN, _eks(UNKNOWN), _template()),
    _case("too dear whatever is not known yet", _BAD, _eks(2), _eks(UNKNOWN, "more"), _template()),
    _case("a machine that is not known yet", _OPEN, _eks(1), _template(UNKNOWN)),
    _case("types of the group itself", _BAD, _eks(9, instanceTypes=["g6e.xlarge", "p5.48xlarge"])),
    _case("an Auto Scaling group of one's own", _BAD, _asg("p5.48xlarge", 2)),
    _case("a small one", _GOOD, _asg("g6e.xlarge", 2)),
    _case("Karpenter within its limit", _GOOD, _karpenter({"nvidia.com/gpu": "8"}, _P5)),
    _case("Karpenter beyond", _BAD, _karpenter({"nvidia.com/gpu": "16"}, _P5)),
    _case("Karpenter limited by processors", _GOOD, _karpenter({"cpu": 200}, _P5)),
    _case("Karpenter without a limit", _BAD, _karpenter({}, _G6E)),
    _case("Karpenter that may take any machine", _BAD, _karpenter({"cpu": 1000})),
    _case(
        "Karpenter without GPUs", _GOOD, _karpenter({}, ("karpenter.k8s.aws/instance-category", ["c", "m"]))
    ),
    _case("Karpenter with all GPUs ruled out", _GOOD, _karpenter({"nvidia.com/gpu": 0})),
    _case("GKE, one machine", _BAD, _gke(nodeCount=1, nodeLocations=["us-central1-a"])),
    _case("GKE, small", _GOOD, _gke("g2-standard-4", nodeCount=1, nodeLocations=["europe-west4-a"])),
    _case(
        "GKE, one in each of many zones",
        _BAD,
        _gke(
            "g2-standard-96",
            nodeCount=4,
            nodeLocations=["europe-west4-a", "europe-west4-b", "europe-west4-c"],
        ),
    ),
    _case(
        "GKE, a total over all zones",
        _GOOD,
        _gke("g2-standard-4", autoscaling={"totalMaxNodeCount": 3}, location="europe-west4"),
    ),
    _case(
        "GKE, in as many zones as its cluster has",
        _BAD,
        _gke("g2-standard-4", nodeCount=1, location="europe-west4"),
    ),
    _case(
        "GKE, an accelerator beside any machine",
        _BAD,
        _gke(
            "n1-standard-4", {"guestAccelerators": [{"type": "t4"}]}, nodeCount=1, location="europe-west4-a"
        ),
    ),
    _case(
        "GKE, a price by contract",
        _GOOD,
        _gke(node={"labels": {NODE_HOUR: "40-USD"}}, nodeCount=1, nodeLocations=["europe-west4-a"]),
    ),
    _case(
        "GKE, a zone that is not known yet", _OPEN, _gke("g2-standard-4", nodeCount=1, nodeLocations=UNKNOWN)
    ),
    _case("GKE, no GPU", _GOOD, _gke("e2-standard-4", nodeCount=900, location="europe-west4-a")),
    _case("a node that was there, with its price", _GOOD, _node("51.145 EUR")),
    _case("a node that was there, without", _BAD, _node(None)),
    _case("a dear one", _BAD, _node("100 USD")),
    _case("a node of nobody's pool", _GOOD, _node(None, pool=None)),
)
