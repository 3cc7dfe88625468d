"""No service of a cluster is open to the outside by itself."""

from collections.abc import Mapping
from typing import Any

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.levels import Severity

INTERNAL = {
    "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
    "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
    "networking.gke.io/load-balancer-type": "Internal",
    "cloud.google.com/load-balancer-type": "Internal",
    "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
    "service.beta.kubernetes.io/openstack-internal-load-balancer": "true",
}
"""Annotation by which a load balancer has an address in the network alone, with its value."""
_ANNOTATIONS = "object.?metadata.?annotations.orValue({})"
_ISINTERNAL = (
    f"{text(list(INTERNAL))}.exists(k, k in {_ANNOTATIONS} && {_ANNOTATIONS}[k] == {text(INTERNAL)}[k])"
)
_TYPE = "object.?spec.?type.orValue('ClusterIP')"


def _service(annotations: Mapping[str, str] | None = None, **spec: Any) -> Mapping[str, Any]:
    return {"kind": "Service", "metadata": {"name": "s", "annotations": annotations or {}}, "spec": spec}


CONTROL = Control(
    id="SOV-NET-07",
    title="No service of a cluster is open to the outside by itself",
    severity=Severity.HIGH,
    sources=("NSA/CISA hardening", "NIS2 6.7"),
    remedy="Use ClusterIP behind the platform's gateway, or a load balancer with an internal address.",
    rule=ObjectRule(
        kinds=("Service",),
        expression=(
            f"{_TYPE} != 'NodePort' && ({_TYPE} != 'LoadBalancer' || {_ISINTERNAL}) && "
            "size(object.?spec.?externalIPs.orValue([])) == 0"
        ),
        message="a service is open to the outside",
        demanded=("metadata.annotations",),
    ),
    cases=(
        Case(
            "a load balancer of which the annotations are not known yet",
            Verdict.UNDECIDED,
            {"kind": "Service", "metadata": {"annotations": UNKNOWN}, "spec": {"type": "LoadBalancer"}},
        ),
        Case("within the cluster", Verdict.GOOD, _service(type="ClusterIP")),
        Case("nothing said", Verdict.GOOD, _service()),
        Case("a load balancer", Verdict.BAD, _service(type="LoadBalancer")),
        Case("a port of every node", Verdict.BAD, _service(type="NodePort")),
        Case("an address of somebody's", Verdict.BAD, _service(type="ClusterIP", externalIPs=["1.2.3.4"])),
        *(
            Case(f"internal by {key}", Verdict.GOOD, _service({key: value}, type="LoadBalancer"))
            for key, value in INTERNAL.items()
        ),
        Case(
            "internet-facing",
            Verdict.BAD,
            _service(
                {"service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing"},
                type="LoadBalancer",
            ),
        ),
        Case("not known yet", Verdict.UNDECIDED, _service(type=UNKNOWN)),
    ),
)
