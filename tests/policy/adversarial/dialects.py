"""Objects that say in other words what network policies and gateways say."""

from collections.abc import Iterator
from typing import Any

from tests.policy.adversarial.stacks import Entry

_CALICO = ("projectcalico.org/v3", "crd.projectcalico.org/v1")
_WIDE = "policy.networking.k8s.io"
_ISTIO = "networking.istio.io/v1:Gateway"
_WORLD = {"networks": ["0.0.0.0/0"]}


def _entry(title: str, control: str, kind: str, **spec: Any) -> Entry:
    return Entry(
        f"{title} of {kind}", control, f"kubernetes:{kind}", {"metadata": {"name": "p"}, "spec": spec}
    )


def bad() -> Iterator[Entry]:
    for api in _CALICO:
        for kind in ("NetworkPolicy", "GlobalNetworkPolicy", "NetworkPolicyPatch"):
            for title, rule in (
                ("everything", {"action": "Allow"}),
                ("the world", {"action": "Allow", "destination": {"nets": ["10.0.0.0/8", "0.0.0.0/0"]}}),
                ("the world but", {"action": "Allow", "destination": {"notNets": ["10.0.0.0/8"]}}),
                ("a hub", {"action": "allow", "destination": {"domains": ["huggingface.co"]}}),
                ("the metadata", {"action": "Allow", "destination": {"nets": ["169.254.169.254/32"]}}),
            ):
                yield _entry(title, "SOV-NET-06", f"{api}:{kind}", types=["Egress"], egress=[rule])
    world = {"action": "Allow", "source": {"nets": ["::/0"]}}
    yield _entry("from the world", "SOV-NET-06", f"{_CALICO[0]}:NetworkPolicy", ingress=[world])
    for kind, action in (
        ("v1alpha1:AdminNetworkPolicy", "Allow"),
        ("v1alpha1:BaselineAdminNetworkPolicy", "Allow"),
        ("v1alpha2:ClusterNetworkPolicy", "Accept"),
    ):
        for title, peer in (("the world", _WORLD), ("any name", {"domainNames": ["*"]})):
            rule: dict[str, Any] = {"action": action, "to": [{"namespaces": {}}, peer]}
            yield _entry(title, "SOV-NET-06", f"{_WIDE}/{kind}", egress=[rule])
    for kind, spec in _plain_hosts():
        yield _entry("plain text", "SOV-NET-08", kind, **spec)
    firewall: list[dict[str, Any]] = [{"type": "Allow", "to": {"cidrSelector": "0.0.0.0/0"}}]
    yield _entry("the world", "SOV-NET-06", "k8s.ovn.org/v1:EgressFirewall", egress=firewall)
    for protocol in ("HTTP", "HTTP2", "GRPC"):
        servers = [{"port": {"number": 80, "protocol": protocol}, "hosts": ["*"]}]
        yield _entry(f"plain {protocol}", "SOV-NET-08", _ISTIO, servers=servers)
    for kind in (
        "gateway.networking.k8s.io/v1:ListenerSet",
        "gateway.networking.x-k8s.io/v1alpha1:XListenerSet",
    ):
        yield _entry("plain text", "SOV-NET-08", kind, listeners=[{"port": 80, "protocol": "HTTP"}])


def _plain_hosts() -> Iterator[tuple[str, dict[str, Any]]]:
    """Objects of other gateways whose host has no encryption."""
    routes: list[dict[str, Any]] = [{"match": "Host(`a`)", "services": [{"name": "chat", "port": 80}]}]
    yield "traefik.io/v1alpha1:IngressRoute", {"entryPoints": ["web"], "routes": routes}
    yield "projectcontour.io/v1:HTTPProxy", {"virtualhost": {"fqdn": "a.example.eu"}, "routes": [{}]}
    yield "route.openshift.io/v1:Route", {"host": "a.example.eu", "to": {"kind": "Service", "name": "chat"}}


def good() -> Iterator[Entry]:
    calico = f"{_CALICO[0]}:GlobalNetworkPolicy"
    for title, side, rule in (
        ("nothing to the world", "egress", {"action": "Deny", "destination": {"nets": ["0.0.0.0/0"]}}),
        ("pods", "egress", {"action": "Allow", "destination": {"selector": "a == 'b'"}}),
        ("names, anywhere", "egress", {"action": "Allow", "destination": {"ports": [53]}}),
        ("the own network", "egress", {"action": "Allow", "destination": {"nets": ["10.0.0.0/8"]}}),
        (
            "the own registry",
            "egress",
            {"action": "Allow", "destination": {"domains": ["registry.example.eu"]}},
        ),
        ("a port, from anywhere", "ingress", {"action": "Allow", "destination": {"ports": [8080]}}),
        ("from pods", "ingress", {"action": "Allow", "source": {"namespaceSelector": "all()"}}),
    ):
        yield _entry(title, "", calico, **{side: [rule]})
    for title, server in (
        ("encryption", {"port": {"protocol": "HTTPS"}, "tls": {"mode": "SIMPLE"}}),
        ("a way to encryption", {"port": {"protocol": "HTTP"}, "tls": {"httpsRedirect": True}}),
    ):
        yield _entry(title, "", _ISTIO, servers=[server])
    for kind, spec in _plain_hosts():
        yield _entry("encryption", "", kind, **spec, tls={"termination": "edge", "secretName": "t"})
    redirected = [{"match": "Host(`a`)", "middlewares": [{"name": "redirect-https"}]}]
    traefik = "traefik.io/v1alpha1:IngressRoute"
    yield _entry("a way to encryption", "", traefik, entryPoints=["web"], routes=redirected)
    yield _entry("an entry of encryption", "", traefik, entryPoints=["websecure"], routes=[{"match": "a"}])
    included = [{"services": [{"name": "chat", "port": 80}]}]
    yield _entry("what another host includes", "", "projectcontour.io/v1:HTTPProxy", routes=included)
    denied = [{"type": "Deny", "to": {"cidrSelector": "0.0.0.0/0"}}]
    yield _entry("nothing to the world", "", "k8s.ovn.org/v1:EgressFirewall", egress=denied)
    listeners = [{"port": 443, "protocol": "HTTPS"}]
    yield _entry("encryption", "", "gateway.networking.k8s.io/v1:ListenerSet", listeners=listeners)
