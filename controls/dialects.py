"""Objects that say what another kind says, as objects of that kind.

Calico's and the cluster-wide network policies read as Cilium's, whose rules name networks, domains and what
is anywhere, and so do firewalls of OVN; listeners of Istio's gateways and of listener sets read as those of a
Gateway, and so do hosts of Traefik, Contour and OpenShift.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from corral.controls.control import UNKNOWN

Fields = Mapping[str, Any]
_POLICY, _GATEWAY = "CiliumNetworkPolicy", "Gateway"
_CALICO = ("projectcalico.org", "crd.projectcalico.org")
_CLUSTER_WIDE = "policy.networking.k8s.io"
_ISTIO = "networking.istio.io"
_OVN = "k8s.ovn.org"
_ROUTES = {
    ("traefik.io", "IngressRoute"): _GATEWAY,
    ("projectcontour.io", "HTTPProxy"): _GATEWAY,
    ("route.openshift.io", "Route"): _GATEWAY,
}
"""Objects with one host, or several, that come in by encryption where `tls` is there."""
_SETS = ("gateway.networking.k8s.io", "gateway.networking.x-k8s.io")
SAME: Mapping[tuple[str, str], str] = {
    **{(group, kind): _POLICY for group in _CALICO for kind in ("NetworkPolicy", "GlobalNetworkPolicy")},
    **{
        (_CLUSTER_WIDE, kind): _POLICY
        for kind in ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")
    },
    (_OVN, "EgressFirewall"): _POLICY,
    (_ISTIO, "Gateway"): _GATEWAY,
    **_ROUTES,
    **{(group, kind): _GATEWAY for group in _SETS for kind in ("ListenerSet", "XListenerSet")},
}
"""API group and kind -> kind whose rules evaluate it."""
_LETS = ("allow", "accept", "pass")
"""Actions by which traffic may go on; Calico writes them with a capital, or not."""
_INSIDE = ("selector", "namespaceSelector", "serviceAccounts", "services")
"""Fields by which Calico names peers of the cluster."""
_NAMES = (53, "53", "dns", "dns-tcp", "dns-udp")
"""Ports of name servers, which are asked wherever they are."""
_PLAIN = ("HTTP", "HTTP2", "GRPC", "GRPC-WEB")


def translated(subject: Fields) -> Fields | None:
    """`subject`, without nulls, as an object of the kind that it reads as; None: it reads as itself."""
    group = str(subject.get("apiVersion") or "").rpartition("/")[0]
    kind = SAME.get((group, str(subject.get("kind")).removesuffix("Patch")))
    spec: Any = subject.get("spec")
    if kind is None or not isinstance(spec, Mapping):
        return None
    fields = cast(Fields, spec)
    if (group, str(subject.get("kind")).removesuffix("Patch")) in _ROUTES:
        return {**subject, "kind": kind, "spec": {"listeners": list(_hosts(fields))}}
    if kind == _GATEWAY:
        listeners = _servers(fields.get("servers")) if group == _ISTIO else fields.get("listeners", [])
        return {**subject, "kind": kind, "spec": {"listeners": listeners}}
    read = _calico if group in _CALICO else _firewall if group == _OVN else _cluster_wide
    rules = {
        side: [one for rule in _items(fields, side) for one in _rule(read, rule, side)]
        for side in ("egress", "ingress")
    }
    return {**subject, "kind": kind, "spec": rules}


def _items(holder: Fields, key: str) -> list[Any]:
    listed: Any = holder.get(key)
    return cast(list[Any], listed) if isinstance(listed, list) else [] if listed is None else [listed]


def _rule(read: Any, rule: Any, side: str) -> Iterator[Any]:
    """What a rule lets through, as Cilium would have it; what is not known as it is."""
    if not isinstance(rule, Mapping):
        yield rule
        return
    fields = cast(Fields, rule)
    action = fields.get("action", fields.get("type"))
    if action is UNKNOWN:
        yield UNKNOWN
    elif str(action).lower() in _LETS:
        yield {("to" if side == "egress" else "from") + key: value for key, value in read(fields, side)}


def _calico(rule: Fields, side: str) -> Iterator[tuple[str, Any]]:
    peer: Any = rule.get("destination" if side == "egress" else "source", {})
    if not isinstance(peer, Mapping):
        yield "CIDR", [peer]
        return
    fields = cast(Fields, peer)
    if "nets" in fields:
        yield "CIDR", fields["nets"]
    if "domains" in fields:
        yield "FQDNs", [{"matchPattern": domain} for domain in _items(fields, "domains")]
    named = {"nets", "domains", *_INSIDE}.intersection(fields)
    ports = _items(cast(Fields, rule.get("destination") or {}), "ports")
    to_names = bool(ports) and all(port in _NAMES for port in ports)
    if not named and not to_names and not (side == "ingress" and ports):
        yield "Entities", ["all"]


def _cluster_wide(rule: Fields, side: str) -> Iterator[tuple[str, Any]]:
    peers = _items(rule, "to" if side == "egress" else "from")
    fields = [cast(Fields, one) for one in peers if isinstance(one, Mapping)]
    unknown = [one for one in peers if one is UNKNOWN]
    yield "CIDR", [*(net for one in fields for net in _items(one, "networks")), *unknown]
    yield "FQDNs", [{"matchPattern": name} for one in fields for name in _items(one, "domainNames")]


def _firewall(rule: Fields, side: str) -> Iterator[tuple[str, Any]]:
    peer: Any = rule.get("to", {})
    fields = cast(Fields, peer) if isinstance(peer, Mapping) else {"cidrSelector": peer}
    yield "CIDR", _items(fields, "cidrSelector")
    yield "FQDNs", [{"matchPattern": name} for name in _items(fields, "dnsName")]


def _hosts(fields: Fields) -> Iterator[Fields]:
    """A listener for what comes in; none where another object has the host, or it leads to encryption."""
    if fields.get("tls") is UNKNOWN:
        yield {"protocol": UNKNOWN}
    elif "routes" not in fields or "virtualhost" in fields or "entryPoints" in fields:
        yield {"protocol": "HTTPS" if "tls" in fields or _encrypts(fields) else "HTTP"}


def _encrypts(fields: Fields) -> bool:
    """Whether entry points of Traefik's have encryption by themselves, or all routes lead there."""
    points = [str(one).lower() for one in _items(fields, "entryPoints")]
    routes = [cast(Fields, one) for one in _items(fields, "routes") if isinstance(one, Mapping)]
    redirected = [
        any(
            "redirect" in str(one).lower() or "https" in str(one).lower()
            for one in _items(route, "middlewares")
        )
        for route in routes
    ]
    secure = bool(points) and all("secure" in one or "https" in one for one in points)
    return secure or (bool(points) and bool(redirected) and all(redirected))


def _servers(servers: Any) -> Any:
    """Istio's servers as listeners; one of plain text that leads to encryption counts as encrypted."""
    if not isinstance(servers, list):
        return servers
    return [_listener(one) for one in cast(list[Any], servers)]


def _listener(server: Any) -> Any:
    if not isinstance(server, Mapping):
        return server
    fields = cast(Fields, server)
    port: Any = fields.get("port")
    protocol: Any = cast(Fields, port).get("protocol") if isinstance(port, Mapping) else port
    tls: Any = fields.get("tls")
    encrypted = isinstance(tls, Mapping) and bool(set(cast(Fields, tls)) & {"httpsRedirect", "mode"})
    plain = isinstance(protocol, str) and protocol.upper() in _PLAIN
    return {"protocol": ("HTTPS" if encrypted else "HTTP") if plain else protocol}
