"""What pods say to each other is encrypted wherever a mesh is there to do it."""

from collections.abc import Mapping
from typing import Any

from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.levels import Severity

_OFF = "['PERMISSIVE', 'DISABLE']"
_PEERS = (
    f"!(object.?spec.?mtls.?mode.orValue('') in {_OFF}) && "
    "(!has(object.spec) || !has(object.spec.portLevelMtls) || "
    f"object.spec.portLevelMtls.all(k, !(object.spec.portLevelMtls[k].?mode.orValue('') in {_OFF})))"
)
_TRAFFIC = (
    "object.?spec.?trafficPolicy.?tls.?mode.orValue('') != 'DISABLE' && "
    "object.?spec.?trafficPolicy.?portLevelSettings.orValue([])"
    ".all(p, p.?tls.?mode.orValue('') != 'DISABLE') && "
    "object.?spec.?subsets.orValue([]).all(s, s.?trafficPolicy.?tls.?mode.orValue('') != 'DISABLE')"
)


def _peers(**spec: Any) -> Mapping[str, Any]:
    return {"kind": "PeerAuthentication", "metadata": {"name": "p"}, "spec": spec}


def _rule(**policy: Any) -> Mapping[str, Any]:
    return {"kind": "DestinationRule", "metadata": {"name": "d"}, "spec": {"trafficPolicy": policy}}


CONTROL = Control(
    id="SOV-NET-12",
    title="Nothing switches off the encryption between pods",
    severity=Severity.HIGH,
    sources=("DORA RTS 6",),
    remedy="Set `mtls.mode: STRICT`; leave `tls.mode: DISABLE` out of destination rules.",
    rule=ObjectRule(
        kinds=("PeerAuthentication", "DestinationRule"),
        expression=f"object.kind == 'PeerAuthentication' ? ({_PEERS}) : ({_TRAFFIC})",
        message="what pods say to each other may be plain text",
    ),
    cases=(
        Case("strict", Verdict.GOOD, _peers(mtls={"mode": "STRICT"})),
        Case("as its parent", Verdict.GOOD, _peers(mtls={"mode": "UNSET"})),
        Case("permissive", Verdict.BAD, _peers(mtls={"mode": "PERMISSIVE"})),
        Case("off", Verdict.BAD, _peers(mtls={"mode": "DISABLE"})),
        Case(
            "off at one port",
            Verdict.BAD,
            _peers(mtls={"mode": "STRICT"}, portLevelMtls={"8080": {"mode": "DISABLE"}}),
        ),
        Case("mutual towards a host", Verdict.GOOD, _rule(tls={"mode": "ISTIO_MUTUAL"})),
        Case("plain towards a host", Verdict.BAD, _rule(tls={"mode": "DISABLE"})),
        Case(
            "plain towards one port",
            Verdict.BAD,
            _rule(portLevelSettings=[{"port": {"number": 80}, "tls": {"mode": "DISABLE"}}]),
        ),
        Case("load is balanced", Verdict.GOOD, _rule(loadBalancer={"simple": "LEAST_REQUEST"})),
        Case("not known yet", Verdict.UNDECIDED, _peers(mtls=UNKNOWN)),
    ),
)
