"""Names of a cluster lead nowhere else, and what comes in is encrypted."""

from collections.abc import Mapping
from typing import Any

from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.levels import Severity

_INSIDE = "object.spec.?externalName.orValue('').matches('^[a-z0-9.-]+[.]svc([.]cluster[.]local)?[.]?$')"
_LISTENERS = "object.?spec.?listeners.orValue([])"
_HOSTS = "object.?spec.?tls.orValue([])"
_COVERED = (
    f"size({_HOSTS}) > 0 && object.?spec.?rules.orValue([]).all(r, !has(r.host) || {_HOSTS}.exists(t, "
    "!has(t.hosts) || size(t.hosts) == 0 || t.hosts.exists(h, h == r.host || "
    "(h.startsWith('*.') && r.host.contains('.') && "
    "r.host.substring(r.host.indexOf('.')) == h.substring(1)))))"
)
"""Every host of an Ingress is one of its certificates'."""
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
            f"object.kind == 'Ingress' ? ({_COVERED}) : "
            f"object.kind == 'Gateway' ? {_ENCRYPTED} : "
            f"object.?spec.?type.orValue('') != 'ExternalName' || {_INSIDE}"
        ),
        message="plain text comes in, or a name of the cluster leads elsewhere",
        demanded=("spec.tls", "spec.listeners"),
    ),
    cases=(
        *(
            Case(f"a certificate for {hosts}", verdict, _ingress(tls=[tls], rules=[{"host": "a.example.eu"}]))
            for hosts, verdict, tls in (
                ("the host", Verdict.GOOD, {"hosts": ["b.example.eu", "a.example.eu"]}),
                ("all of the domain", Verdict.GOOD, {"hosts": ["*.example.eu"]}),
                ("whatever comes", Verdict.GOOD, {"secretName": "t"}),
                ("another host", Verdict.BAD, {"hosts": ["b.example.eu"]}),
                ("all of another domain", Verdict.BAD, {"hosts": ["*.a.example.eu"]}),
            )
        ),
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
