"""Names of a cluster lead nowhere else, and what comes in is encrypted."""

from collections.abc import Mapping
from typing import Any

from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.levels import Severity

_INSIDE = "object.spec.?externalName.orValue('').matches('^[a-z0-9.-]+[.]svc([.]cluster[.]local)?[.]?$')"
_LISTENERS = "object.?spec.?listeners.orValue([])"
_ENCRYPTED = (
    f"{_LISTENERS}.all(l, l.?protocol.orValue('') != 'HTTP') || "
    f"{_LISTENERS}.exists(l, l.?protocol.orValue('') in ['HTTPS', 'TLS'])"
)
"""A listener of plain text may lead to one beside it that is none."""


def _gateway(*protocols: str) -> Mapping[str, Any]:
    return {"kind": "Gateway", "spec": {"listeners": [{"protocol": one} for one in protocols]}}


def _ingress(**spec: Any) -> Mapping[str, Any]:
    return {"kind": "Ingress", "metadata": {"name": "i"}, "spec": spec}


CONTROL = Control(
    id="SOV-NET-08",
    title="What comes in is encrypted, and no name of the cluster leads elsewhere",
    severity=Severity.MEDIUM,
    sources=("CIS EKS 5.4.5", "DORA RTS 6"),
    remedy="Give the Ingress `tls`; reach what is outside by its own name, which network policies see.",
    rule=ObjectRule(
        kinds=("Service", "Ingress", "Gateway"),
        expression=(
            "object.kind == 'Ingress' ? size(object.?spec.?tls.orValue([])) > 0 : "
            f"object.kind == 'Gateway' ? {_ENCRYPTED} : "
            f"object.?spec.?type.orValue('') != 'ExternalName' || {_INSIDE}"
        ),
        message="plain text comes in, or a name of the cluster leads elsewhere",
        demanded=("spec.tls", "spec.listeners"),
    ),
    cases=(
        Case("encryption not known yet", Verdict.UNDECIDED, _ingress(tls=UNKNOWN)),
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
        Case("a gateway with plain text alone", Verdict.BAD, _gateway("HTTP")),
        Case("a gateway that leads to encryption", Verdict.GOOD, _gateway("HTTP", "HTTPS")),
        Case("an encrypted gateway", Verdict.GOOD, _gateway("HTTPS")),
        Case("a plain service", Verdict.GOOD, {"kind": "Service", "spec": {}}),
        Case("not known yet", Verdict.UNDECIDED, _ingress(tls=[{"secretName": "t"}], rules=UNKNOWN)),
    ),
)
