"""Network policies are more than text."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from corral.controls.cloud import CLUSTERS, EKS
from corral.controls.control import UNKNOWN, Case, Control, Resource, StackRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.properties import parsed
from corral.controls.settings import true

_GKE = "gcp:container/cluster:Cluster"
_ADDON = "aws:eks/addon:Addon"
_CNI = "vpc-cni"
_SWITCH = "enableNetworkPolicy"
_CHARTS = ("cilium", "tigera-operator", "calico", "antrea", "kube-router")
"""Charts of networks that enforce policies."""
_INSTALLED = ("kubernetes:helm.sh/v3:Release", "kubernetes:helm.sh/v4:Chart")


def _enforced(cluster: Resource, others: Sequence[Resource], profile: Profile) -> Iterator[str]:
    if any(_brings(one) for one in others):
        return
    if cluster.type == _GKE:
        yield from _google(cluster)
        return
    addons = [one for one in others if one.type == _ADDON and one.props.get("addonName") == _CNI]
    own = [one for one in addons if _of(one, cluster)]
    if any(_switched(one) for one in own):
        return
    if true(cluster.value("computeConfig.enabled", False)):
        yield "the cluster brings its own network, and nothing in the stack has it enforce policies"
    else:
        yield f"no add-on {_CNI} with `{_SWITCH}` and no other network enforces policies"


def _google(cluster: Resource) -> Iterator[str]:
    enforcing = (
        cluster.value("datapathProvider") == "ADVANCED_DATAPATH"
        or true(cluster.value("enableAutopilot", False))
        or (
            true(cluster.value("networkPolicy.enabled", False))
            and not true(cluster.value("addonsConfig.networkPolicyConfig.disabled", False))
        )
    )
    if not enforcing:
        yield "neither `datapathProvider` ADVANCED_DATAPATH nor `networkPolicy.enabled` is set"


def _of(addon: Resource, cluster: Resource) -> bool:
    if "clusterName" in addon.refers:
        return cluster.urn in addon.refers["clusterName"]
    name = addon.props.get("clusterName")
    return name is UNKNOWN or name in (cluster.props.get("name"), cluster.name)


def _switched(addon: Resource) -> bool:
    values: Any = parsed(str(addon.value("configurationValues", "{}"))) or {}
    return isinstance(values, Mapping) and true(cast(Mapping[str, Any], values).get(_SWITCH, False))


def _brings(resource: Resource) -> bool:
    """Whether a chart of the stack is of a network that enforces policies."""
    if resource.type not in _INSTALLED:
        return False
    chart = resource.props.get("chart")
    return isinstance(chart, str) and chart.rstrip("/").rpartition("/")[2] in _CHARTS


_URN = "urn:pulumi:s::p::aws:eks/cluster:Cluster::c"
_CLUSTER = Resource(EKS, "c", {}, urn=_URN)


def _addon(values: object, of: str = _URN) -> Resource:
    text = json.dumps(values) if isinstance(values, dict) else values
    props = {"addonName": _CNI, "clusterName": UNKNOWN, "configurationValues": text}
    return Resource(_ADDON, "a", props, refers={"clusterName": [of]})


def _gke(**props: object) -> Resource:
    return Resource(_GKE, "c", props)


CONTROL = Control(
    id="SOV-NET-11",
    title="The cluster enforces network policies",
    severity=Severity.CRITICAL,
    sources=("CIS EKS 4.3.1", "NIS2 6.8"),
    remedy="EKS: add-on vpc-cni with `enableNetworkPolicy`, or Cilium; GKE: Dataplane V2.",
    rule=StackRule(lambda token: token in CLUSTERS, _enforced),
    cases=(
        Case("the add-on enforces", Verdict.GOOD, _CLUSTER, (_addon({_SWITCH: "true"}),)),
        Case("the add-on does not", Verdict.BAD, _CLUSTER, (_addon({}),)),
        Case("the add-on of another cluster", Verdict.BAD, _CLUSTER, (_addon({_SWITCH: True}, of="urn:x"),)),
        Case("no add-on", Verdict.BAD, _CLUSTER),
        Case(
            "Cilium",
            Verdict.GOOD,
            _CLUSTER,
            (Resource(_INSTALLED[0], "cilium", {"chart": "oci://registry.example.eu/charts/cilium"}),),
        ),
        Case("not known yet", Verdict.UNDECIDED, _CLUSTER, (_addon(UNKNOWN),)),
        Case("Dataplane V2", Verdict.GOOD, _gke(datapathProvider="ADVANCED_DATAPATH")),
        Case("Calico of Google's", Verdict.GOOD, _gke(networkPolicy={"enabled": True})),
        Case("Autopilot", Verdict.GOOD, _gke(enableAutopilot=True)),
        Case("GKE by default", Verdict.BAD, _gke()),
        Case("GKE, not known yet", Verdict.UNDECIDED, _gke(datapathProvider=UNKNOWN)),
    ),
)
