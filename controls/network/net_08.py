"""Names of a cluster lead nowhere else, and what comes in is encrypted."""

from collections.abc import Mapping
from typing import Any

from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.levels import Severity

_INSIDE = "object.spec.?externalName.orValue('').matches('^[a-z0-9.-]+[.]svc([.]cluster[.]local)?[.]?$')"


def _ingress(**spec: Any) -> Mapping[str, Any]:
    return {"kind": "Ingress", "metadata": {"name": "i"}, "spec": spec}


CONTROL = Control(
    id="SOV-NET-08",
    title="What comes in is encrypted, and no name of the cluster leads elsewhere",
    severity=Severity.MEDIUM,
    sources=("CIS EKS 5.4.5", "DORA RTS 6"),
    remedy="Give the Ingress `tls`; reach what is outside by its own name, which network policies see.",
    rule=ObjectRule(
        kinds=("Service", "Ingress"),
        expression=(
            "object.kind == 'Ingress' ? size(object.?spec.?tls.orValue([])) > 0 : "
            f"object.?spec.?type.orValue('') != 'ExternalName' || {_INSIDE}"
        ),
        message="plain text comes in, or a name of the cluster leads elsewhere",
        admitted=False,
    ),
    cases=(
        Case("encrypted", Verdict.GOOD, _ingress(tls=[{"secretName": "t"}])),
        Case("plain text", Verdict.BAD, _ingress(rules=[])),
        Case(
            "a name for another service",
            Verdict.GOOD,
            {
                "kind": "Service",
                "spec": {"type": "ExternalName", "externalName": "db.team.svc.cluster.local"},
            },
        ),
        Case(
            "a name for a public host",
            Verdict.BAD,
            {"kind": "Service", "spec": {"type": "ExternalName", "externalName": "api.openai.com"}},
        ),
        Case("a plain service", Verdict.GOOD, {"kind": "Service", "spec": {}}),
        Case("not known yet", Verdict.UNDECIDED, _ingress(tls=[{"secretName": "t"}], rules=UNKNOWN)),
    ),
)
